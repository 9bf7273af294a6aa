//! What is promised by where the complainant is and by how complex the case is.

use jiff::{SignedDuration, Timestamp};
use proto::redress::cases::v1::classifier_service_client::ClassifierServiceClient;
use proto::redress::cases::v1::clock_service_client::ClockServiceClient;
use proto::redress::cases::v1::policy_service_client::PolicyServiceClient;
use proto::redress::cases::v1::triage_service_client::TriageServiceClient;
use proto::redress::cases::v1::{
    ActivatePolicyRequest, ActivatePolicyResponse, ActivateRuleSetRequest, CaseClock, ClockKind,
    ConfirmCategoryRequest, CreatePolicyRequest, CreateRuleSetRequest, ExplainDeadlineRequest, Level,
    ListClocksRequest, Priority, ReplayRulesRequest, RetriageCaseRequest, Rule, RuleSet, WordList,
};
use proto::redress::intake::v1::complaint::ChannelDetail;
use proto::redress::intake::v1::{Channel, Complainant, Complaint, RegulatorDetail};
use testkit::request_id;
use uuid::Uuid;

use crate::scene::{Scene, complaint};

const DAY: i64 = 24 * 3600;

async fn put_under(scene: &Scene, pack: &str, version: i32) -> ActivatePolicyResponse {
    let mut policies = PolicyServiceClient::new(scene.house.channel());
    let request = CreatePolicyRequest {
        request_id: request_id(),
        shipped_pack: pack.to_owned(),
        ..CreatePolicyRequest::default()
    };
    policies.create_policy(request).await.expect("made");
    let request = ActivatePolicyRequest { request_id: request_id(), version, validate_only: false };
    policies.activate_policy(request).await.expect("activated").into_inner()
}

async fn clocks(scene: &Scene, case: Uuid) -> Vec<CaseClock> {
    let request = ListClocksRequest { case_id: case.to_string() };
    let mut client = ClockServiceClient::new(scene.house.channel());
    client.list_clocks(request).await.expect("listed").into_inner().clocks
}

/// When the first of the running clocks is due.
async fn first_due(scene: &Scene, case: Uuid) -> Option<prost_types::Timestamp> {
    let due = clocks(scene, case).await.into_iter().filter_map(|clock| clock.due_time);
    due.min_by_key(|due| (due.seconds, due.nanos))
}

async fn clock(scene: &Scene, case: Uuid, kind: ClockKind) -> CaseClock {
    clocks(scene, case).await.into_iter().find(|clock| clock.kind() == kind).expect("it is promised")
}

async fn decide(scene: &Scene, case: Uuid) -> CaseClock {
    clock(scene, case, ClockKind::Decide).await
}

async fn budget(scene: &Scene, case: Uuid) -> String {
    decide(scene, case).await.budget
}

fn living_in(region: &str) -> Complaint {
    let complainant = Complainant { region: region.to_owned(), ..Complainant::default() };
    Complaint { complainant: Some(complainant), ..complaint() }
}

fn about(text: &str) -> Complaint {
    Complaint { subject: text.to_owned(), description: String::new(), ..complaint() }
}

/// Makes and activates rules by which these words tell how complex a case is.
async fn rules(scene: &Scene, version: i64, levels: &[(&str, Level)]) {
    let list = |word: &str| WordList { name: word.to_owned(), words: vec![format!(" {word} ")] };
    let rule = |(word, level): &(&str, Level)| Rule {
        name: (*word).to_owned(),
        when: format!("speaks_of(text, '{word}')"),
        reason: format!("{word} says so"),
        complexity: (*level).into(),
        ..Rule::default()
    };
    let set = RuleSet {
        word_lists: levels.iter().map(|(word, _)| list(word)).collect(),
        rules: levels.iter().map(rule).collect(),
        ..RuleSet::default()
    };
    let mut client = TriageServiceClient::new(scene.house.channel());
    let request = CreateRuleSetRequest { request_id: request_id(), rule_set: Some(set) };
    client.create_rule_set(request).await.expect("sound rules");
    let request = ActivateRuleSetRequest { request_id: request_id(), version };
    client.activate_rule_set(request).await.expect("activated");
}

#[tokio::test]
async fn a_region_has_its_own_limit() {
    let scene = Scene::timed().await;
    let before = scene.register(living_in("河南省郑州市")).await;
    let moved = put_under(&scene, "cn-telecom", 1).await.moved;
    assert_eq!(budget(&scene, before).await, "5 working days", "the policy was put on what is open too");
    assert_eq!(moved[0].after_time, decide(&scene, before).await.due_time, "as it was told");
    for (region, promised) in [
        ("河南", "5 working days"),
        ("CN-HA", "5 working days"),
        ("重庆市渝中区", "15 working days"),
        ("CN-CQ", "15 working days"),
        ("广东", "15 days"),
        ("", "15 days"),
    ] {
        let case = scene.register(living_in(region)).await;
        assert_eq!(budget(&scene, case).await, promised, "{region}");
        assert_eq!(scene.case(case).await.region, region);
    }
    scene.house.done().await;
}

/// Each channel may have its own promise of an acknowledgement, which its clock keeps.
#[tokio::test]
async fn a_channel_has_its_own_promise_of_an_acknowledgement() {
    const PACK: &str = r#"
        name = "ours"
        version = 2
        title = "Our own"
        source = "own choice"
        calendar = "always"
        effective_from = "2026-01-01"
        promises = [
            { kind = "acknowledge", budget = "24 hours", own_target = true },
            { kind = "acknowledge", budget = "1 hours", own_target = true, when = { channel = "social" } },
            { kind = "decide", budget = "15 days" },
        ]
    "#;
    let scene = Scene::timed().await;
    let mut policies = PolicyServiceClient::new(scene.house.channel());
    let request = CreatePolicyRequest {
        request_id: request_id(),
        pack_toml: PACK.to_owned(),
        ..CreatePolicyRequest::default()
    };
    let policy = policies.create_policy(request).await.expect("made").into_inner().policy.expect("a policy");
    assert_eq!(policy.promises[1].when, "channel social", "as people read it");
    let request =
        ActivatePolicyRequest { request_id: request_id(), version: policy.version, validate_only: false };
    policies.activate_policy(request).await.expect("activated");
    for (channel, promised) in [(Channel::Social, "1 hour"), (Channel::Letter, "24 hours")] {
        let case = scene.register(Complaint { channel: channel.into(), ..complaint() }).await;
        let acknowledge = clock(&scene, case, ClockKind::Acknowledge).await;
        assert_eq!(acknowledge.budget, promised, "{channel:?}");
    }
    scene.house.done().await;
}

/// Known answer: 8 weeks from the forwarding, not from the day it reached us.
#[tokio::test]
async fn a_complaint_an_authority_forwarded_counts_from_its_forwarding() {
    let scene = Scene::timed().await;
    put_under(&scene, "uk-fca-disp", 1).await;
    let moment = |text: &str| text.parse::<Timestamp>().expect("a time");
    let forward_time = Some(proto::timestamp(moment("2026-11-20T10:00:00Z")));
    let regulator = RegulatorDetail { forward_time, ..RegulatorDetail::default() };
    let channel_detail = Some(ChannelDetail::Regulator(regulator));
    let forwarded = Complaint { channel: Channel::Regulator.into(), channel_detail, ..complaint() };
    let received = moment("2026-11-28T09:00:00Z");
    let case = scene.register_received(forwarded, received).await;
    let due = |text: &str| Some(proto::timestamp(moment(text)));
    assert_eq!(clock(&scene, case, ClockKind::Final).await.due_time, due("2027-01-16T00:00:00Z"));
    let direct = scene.register_received(complaint(), received).await;
    assert_eq!(clock(&scene, direct, ClockKind::Final).await.due_time, due("2027-01-24T00:00:00Z"));
    let acknowledged = [
        clock(&scene, case, ClockKind::Acknowledge).await,
        clock(&scene, direct, ClockKind::Acknowledge).await,
    ];
    assert_eq!(acknowledged[0].due_time, acknowledged[1].due_time, "an own target counts from the receipt");
    let request = ExplainDeadlineRequest { case_id: case.to_string(), kind: ClockKind::Final.into() };
    let mut client = ClockServiceClient::new(scene.house.channel());
    let explained = client.explain_deadline(request).await.expect("explained").into_inner();
    let begins = explained.intervals.first().and_then(|interval| interval.from_time);
    assert_eq!(begins, forward_time);
    scene.house.done().await;
}

#[tokio::test]
async fn a_complex_case_has_more_time_than_a_simple_one() {
    let scene = Scene::timed().await;
    put_under(&scene, "cn-bank-insurance-2020", 1).await;
    rules(&scene, 1, &[("fraud", Level::High), ("fee", Level::Low)]).await;
    for (text, level, promised) in [
        ("A case of fraud", Level::High, "30 days"),
        ("A wrong fee", Level::Low, "15 days"),
        ("Something else", Level::Medium, "15 days"),
    ] {
        let case = scene.register(about(text)).await;
        assert_eq!(
            (scene.case(case).await.complexity(), budget(&scene, case).await),
            (level, promised.into())
        );
    }
    scene.house.done().await;
}

#[tokio::test]
async fn of_another_category_other_things_are_promised() {
    let scene = Scene::timed().await;
    put_under(&scene, "au-rg271", 1).await;
    let case = scene.register(complaint()).await;
    assert_eq!(clock(&scene, case, ClockKind::Final).await.budget, "30 days");
    let request = ConfirmCategoryRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        expected_version: None,
        category: "superannuation".to_owned(),
    };
    let mut classifier = ClassifierServiceClient::new(scene.house.channel());
    classifier.confirm_category(request).await.expect("corrected");
    assert_eq!(clock(&scene, case, ClockKind::Final).await.budget, "45 days");
    assert_eq!(scene.case(case).await.due_time, first_due(&scene, case).await);
    scene.house.done().await;
}

#[tokio::test]
async fn found_complex_later_it_has_more_time_and_what_was_spent_stays_spent() {
    let scene = Scene::timed().await;
    put_under(&scene, "cn-bank-insurance-2020", 1).await;
    let case = scene.register(about("My pension")).await;
    let before = decide(&scene, case).await;
    assert_eq!(before.budget, "15 days");
    scene.advance(SignedDuration::from_secs(6 * DAY));
    rules(&scene, 1, &[("pension", Level::Critical)]).await;
    let mut triage = TriageServiceClient::new(scene.house.channel());
    let request = ReplayRulesRequest { version: 1, ..ReplayRulesRequest::default() };
    let replayed = triage.replay_rules(request).await.expect("replayed").into_inner().cases;
    assert_eq!((replayed[0].complexity(), replayed[0].new_complexity()), (Level::Medium, Level::Critical));
    assert_eq!(replayed[0].new_priority(), Priority::P3, "nothing else would come out otherwise");

    let request =
        RetriageCaseRequest { request_id: request_id(), case_id: case.to_string(), expected_version: None };
    let answer = triage.retriage_case(request).await.expect("triaged anew").into_inner();
    assert_eq!(answer.case.map(|case| case.complexity()), Some(Level::Critical));
    let after = decide(&scene, case).await;
    let due = |clock: &CaseClock| clock.due_time.as_ref().expect("due").seconds;
    assert_eq!((after.budget.as_str(), due(&after)), ("30 days", due(&before) + 15 * DAY));
    assert_eq!(after.start_time, before.start_time);
    assert_eq!(scene.case(case).await.due_time, after.due_time);
    let request = ExplainDeadlineRequest { case_id: case.to_string(), kind: ClockKind::Decide.into() };
    let mut clocks = ClockServiceClient::new(scene.house.channel());
    let explained = clocks.explain_deadline(request).await.expect("explained").into_inner();
    assert_eq!(explained.clock, Some(after));
    scene.house.done().await;
}
