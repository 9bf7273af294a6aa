//! Rule sets: created, refused, replayed, activated; what triage keeps and explains.

use std::slice;

use jiff::SignedDuration;
use proto::redress::cases::v1::triage_service_client::TriageServiceClient;
use proto::redress::cases::v1::{
    ActivateRuleSetRequest, CaseOpened, CaseRetriaged, CreateRuleSetRequest, EmotionLevel,
    ExplainTriageRequest, GetRuleSetRequest, Level, ListRuleSetsRequest, Priority, ReplayRulesRequest,
    RetriageCaseRequest, Rule, RuleSet, Surge, Threat, TimelineKind, Triage, WithdrawCaseRequest, WordList,
};
use proto::redress::intake::v1::{Channel, Complainant, Complaint};
use sqlx::{AssertSqlSafe, Executor as _};
use testkit::{CallerChannel, House, consistency_token, reason, request_id, violations};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::scene::{Scene, complaint, registered};

type Client = TriageServiceClient<CallerChannel>;

fn client(scene: &Scene) -> Client {
    TriageServiceClient::new(scene.house.channel())
}

fn rule(name: &str, when: &str, priority: Priority) -> Rule {
    Rule {
        name: name.to_owned(),
        when: when.to_owned(),
        reason: format!("{name} says so"),
        priority: priority.into(),
        ..Rule::default()
    }
}

/// Kettles first; a surge is three complaints and three times the usual.
fn kettles() -> RuleSet {
    let words = vec![" kettle ".to_owned()];
    RuleSet {
        note: "kettles explode".to_owned(),
        word_lists: vec![WordList { name: "kettles".to_owned(), words }],
        surge: Some(Surge { at_least: 3, times: 3 }),
        rules: vec![
            Rule {
                urgency: Level::High.into(),
                ..rule("kettle", "speaks_of(text, 'kettles')", Priority::P1)
            },
            rule("wave", "surge", Priority::P2),
            rule("usual", "!surge", Priority::P3),
        ],
        ..RuleSet::default()
    }
}

async fn create(client: &Client, set: RuleSet) -> Result<RuleSet, Status> {
    let request = CreateRuleSetRequest { request_id: request_id(), rule_set: Some(set) };
    Ok(client.clone().create_rule_set(request).await?.into_inner().rule_set.expect("a set"))
}

async fn activate(client: &Client, version: i64) -> Result<i64, Status> {
    let request = ActivateRuleSetRequest { request_id: request_id(), version };
    Ok(client.clone().activate_rule_set(request).await?.into_inner().previous_version)
}

async fn explain(client: &Client, case: Uuid) -> Result<Triage, Status> {
    let request = ExplainTriageRequest { case_id: case.to_string() };
    Ok(client.clone().explain_triage(request).await?.into_inner().triage.expect("a record"))
}

fn refused<T: std::fmt::Debug>(answer: Result<T, Status>) -> (Code, String) {
    let refusal = answer.expect_err("it must be refused");
    (refusal.code(), reason(&refusal))
}

fn about(subject: &str) -> Complaint {
    Complaint { subject: subject.to_owned(), description: "see above".to_owned(), ..complaint() }
}

/// A complaint of a customer nobody else is.
fn of(customer_id: &str, complaint: Complaint) -> Complaint {
    let complainant = Complainant { customer_id: customer_id.to_owned(), ..Complainant::default() };
    Complaint { complainant: Some(complainant), ..complaint }
}

#[tokio::test]
async fn a_set_is_created_replayed_activated_and_explained() {
    let scene = Scene::open().await;
    let client = client(&scene);
    let kettle = scene.register(of("c-1", about("My kettle"))).await;
    let toaster = scene.register(of("c-2", about("My toaster"))).await;
    let before = explain(&client, kettle).await.unwrap();
    assert_eq!((before.rule_set_version, before.priority()), (0, Priority::P3));

    let created = create(&client, kettles()).await.unwrap();
    assert_eq!((created.version, created.active, created.creator.as_str()), (1, false, "developer"));
    let replay = ReplayRulesRequest { version: 1, ..ReplayRulesRequest::default() };
    let replayed = client.clone().replay_rules(replay.clone()).await.unwrap().into_inner();
    assert_eq!((replayed.examined, replayed.cases.len()), (2, 1), "the toaster stays what it is");
    let changed = &replayed.cases[0];
    assert_eq!((changed.case_id.clone(), changed.subject.as_str()), (kettle.to_string(), "My kettle"));
    assert_eq!((changed.priority(), changed.new_priority()), (Priority::P3, Priority::P1));
    assert_eq!(changed.reasons, ["category unclassified: no rule matched", "P1: kettle says so"]);
    assert_eq!(explain(&client, kettle).await.unwrap(), before, "a replay changes nothing");

    let paged = ReplayRulesRequest { page_size: 1, ..replay.clone() };
    let first = client.clone().replay_rules(paged.clone()).await.unwrap().into_inner();
    let second = ReplayRulesRequest { page_token: first.next_page_token.clone(), ..paged };
    let second = client.clone().replay_rules(second).await.unwrap().into_inner();
    assert_eq!((first.cases.len(), second.cases.len(), second.next_page_token.as_str()), (1, 0, ""));
    let later = prost_types::Timestamp { seconds: scene.now().as_second() + 60, nanos: 0 };
    let none = ReplayRulesRequest { start_time: Some(later), ..replay };
    assert_eq!(client.clone().replay_rules(none).await.unwrap().into_inner().examined, 0);

    assert_eq!(activate(&client, 1).await.unwrap(), 0);
    let next = scene.register(of("c-3", about("Another kettle"))).await;
    let explained = explain(&client, next).await.unwrap();
    assert_eq!((explained.rule_set_version, explained.priority()), (1, Priority::P1));
    assert_eq!((explained.urgency(), explained.severity()), (Level::High, Level::Medium));
    let matched: Vec<_> =
        explained.matched_rules.iter().map(|rule| (rule.name.as_str(), rule.decided)).collect();
    assert_eq!(matched, [("kettle", true), ("usual", false)]);
    assert_eq!(scene.case(next).await.triage_reasons, explained.reasons);
    assert_eq!(scene.case(toaster).await.priority(), Priority::P3);

    assert_eq!(activate(&client, 0).await.unwrap(), 1);
    let last = scene.register(of("c-4", about("A third kettle"))).await;
    assert_eq!(explain(&client, last).await.unwrap().rule_set_version, 0);
    scene.house.done().await;
}

#[tokio::test]
async fn sets_are_read_and_listed_with_their_state() {
    let scene = Scene::open().await;
    let client = client(&scene);
    let read = async |version| {
        let request = GetRuleSetRequest { version };
        client.clone().get_rule_set(request).await.map(|answer| answer.into_inner().rule_set.expect("a set"))
    };
    let shipped = read(None).await.unwrap();
    assert_eq!((shipped.version, shipped.active, read(Some(0)).await.unwrap()), (0, true, shipped.clone()));
    assert!(shipped.rules.len() > 5 && shipped.word_lists.len() > 3);
    // What is shipped is accepted as anybody's own.
    let own = create(&client, RuleSet { note: "ours".to_owned(), ..shipped.clone() }).await.unwrap();
    assert_eq!((own.version, &own.rules, &own.major_losses), (1, &shipped.rules, &shipped.major_losses));
    create(&client, kettles()).await.unwrap();
    activate(&client, 1).await.unwrap();
    let active = read(None).await.unwrap();
    assert_eq!((active.version, active.note.as_str(), active.active), (1, "ours", true));
    assert!(active.activate_time.is_some() && !read(Some(0)).await.unwrap().active);
    let list = ListRuleSetsRequest { page_size: 1, ..ListRuleSetsRequest::default() };
    let page = client.clone().list_rule_sets(list.clone()).await.unwrap().into_inner();
    let newest = &page.rule_sets[0];
    assert_eq!((newest.version, newest.active, newest.rules.len()), (2, false, 0));
    let list = ListRuleSetsRequest { page_token: page.next_page_token, ..list };
    let page = client.clone().list_rule_sets(list).await.unwrap().into_inner();
    assert_eq!((page.rule_sets[0].version, page.next_page_token.as_str()), (1, ""));
    let nothing = (Code::NotFound, "RULE_SET_NOT_FOUND".to_owned());
    assert_eq!(refused(read(Some(3)).await), nothing);
    assert_eq!(refused(activate(&client, 3).await), nothing);
    let replay = ReplayRulesRequest { version: 3, ..ReplayRulesRequest::default() };
    assert_eq!(refused(client.clone().replay_rules(replay).await), nothing);
    scene.house.done().await;
}

#[tokio::test]
async fn a_bad_set_is_refused_with_everything_wrong_with_it() {
    let scene = Scene::open().await;
    let client = client(&scene);
    let rules = vec![
        rule("all", "true", Priority::P3),
        rule("shadowed", "reach > 5", Priority::P1),
        Rule { urgency: Level::Low.into(), ..rule("dead", "reach < 0", Priority::P2) },
    ];
    let refusal = create(&client, RuleSet { rules, ..kettles() }).await.unwrap_err();
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::InvalidArgument, "INVALID_RULE_SET"));
    assert_eq!(violations(&refusal), ["rule_set.rules[1].when", "rule_set.rules[2].when"]);
    let told = format!("{:?}", tonic_types::StatusExt::get_error_details(&refusal));
    assert!(told.contains("rule shadowed is shadowed by all"), "{told}");
    assert!(told.contains("rule dead can never match"), "{told}");
    let unknown = vec![rule("x", "nobody_knows", Priority::P3)];
    let refusal = create(&client, RuleSet { rules: unknown, ..kettles() }).await.unwrap_err();
    assert_eq!(violations(&refusal), ["rule_set.rules[0].when"]);
    let long = "x".repeat(2_001);
    let set = RuleSet { rules: vec![Rule { urgency: 9, ..rule("", &long, Priority::P3) }], ..kettles() };
    let refusal = create(&client, set).await.unwrap_err();
    let expected = ["rule_set.rules[0].name", "rule_set.rules[0].when", "rule_set.rules[0].urgency"];
    assert_eq!(violations(&refusal), expected);
    let negative = ReplayRulesRequest { version: -1, page_size: -1, ..ReplayRulesRequest::default() };
    let refusal = client.clone().replay_rules(negative).await.unwrap_err();
    assert_eq!(violations(&refusal), ["page_size", "version"]);
    assert_eq!(reason(&activate(&client, -1).await.unwrap_err()), "INVALID_RULE_SET_VERSION");
    scene.house.done().await;
}

#[tokio::test]
async fn repeated_mutations_have_one_effect_and_altered_ones_are_refused() {
    let scene = Scene::open().await;
    let mut client = client(&scene);
    let request = CreateRuleSetRequest { request_id: request_id(), rule_set: Some(kettles()) };
    let first = client.create_rule_set(request.clone()).await.unwrap();
    let again = client.create_rule_set(request.clone()).await.unwrap();
    assert_eq!(consistency_token(&again), consistency_token(&first));
    assert_eq!(again.into_inner(), first.into_inner());
    let altered =
        CreateRuleSetRequest { rule_set: Some(RuleSet { note: "!".to_owned(), ..kettles() }), ..request };
    let reused = (Code::AlreadyExists, "IDEMPOTENCY_KEY_REUSED".to_owned());
    assert_eq!(refused(client.create_rule_set(altered).await), reused);
    let request = ActivateRuleSetRequest { request_id: request_id(), version: 1 };
    let first = client.activate_rule_set(request.clone()).await.unwrap().into_inner();
    assert_eq!(client.activate_rule_set(request.clone()).await.unwrap().into_inner(), first);
    let altered = ActivateRuleSetRequest { version: 0, ..request };
    assert_eq!(refused(client.activate_rule_set(altered).await), reused);
    // Created at once, each is a version of its own.
    let (one, other) = tokio::join!(create(&client, kettles()), create(&client, kettles()));
    let mut versions = [one.unwrap().version, other.unwrap().version];
    versions.sort_unstable();
    assert_eq!(versions, [2, 3]);
    scene.house.done().await;
}

#[tokio::test]
async fn a_case_is_triaged_again_by_the_rules_that_hold() {
    let scene = Scene::open().await;
    let mut client = client(&scene);
    let case = scene.register(about("My kettle")).await;
    create(&client, kettles()).await.unwrap();
    activate(&client, 1).await.unwrap();
    let version = scene.case(case).await.version;
    let request = RetriageCaseRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        expected_version: Some(version - 1),
    };
    assert_eq!(
        refused(client.retriage_case(request.clone()).await),
        (Code::Aborted, "VERSION_MISMATCH".into())
    );
    let request =
        RetriageCaseRequest { request_id: request_id(), expected_version: Some(version), ..request };
    let answer = client.retriage_case(request.clone()).await.unwrap().into_inner();
    let (after, triage) = (answer.case.clone().unwrap(), answer.triage.clone().unwrap());
    assert_eq!((after.version, after.priority()), (version + 1, Priority::P1));
    assert_eq!(after, scene.case(case).await);
    assert_eq!(triage, explain(&client, case).await.unwrap());
    assert_eq!((triage.rule_set_version, triage.matched_rules[0].name.as_str()), (1, "kettle"));
    assert_eq!(client.retriage_case(request).await.unwrap().into_inner(), answer, "repeated");
    let told: Vec<CaseRetriaged> = scene.house.published("cases").await;
    assert_eq!((told.len(), told[0].priority(), told[0].cycle), (1, Priority::P1, 1));
    assert_eq!(scene.kinds(case).await[1..], [TimelineKind::Triaged; 2]);
    assert_eq!(scene.house.published::<CaseOpened>("cases").await.len(), 1);

    // The same again: nothing new to tell.
    let again =
        RetriageCaseRequest { request_id: request_id(), case_id: case.to_string(), expected_version: None };
    assert_eq!(client.retriage_case(again.clone()).await.unwrap().into_inner().case, Some(after));
    assert_eq!(scene.house.published::<CaseRetriaged>("cases").await.len(), 1);
    let withdrawal = WithdrawCaseRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        ..WithdrawCaseRequest::default()
    };
    scene.cases.clone().withdraw_case(withdrawal).await.unwrap();
    let over = RetriageCaseRequest { request_id: request_id(), ..again };
    let refusal = (Code::FailedPrecondition, "INVALID_CASE_STATE".to_owned());
    assert_eq!(refused(client.retriage_case(over).await), refusal);
    scene.house.done().await;
}

/// What was read off the text when the case came is looked at, never the text again.
#[tokio::test]
async fn rules_look_at_how_a_complaint_is_meant() {
    let scene = Scene::open().await;
    let mut client = client(&scene);
    let calm = scene.register(of("c-1", about("My kettle"))).await;
    let angry = scene.register(of("c-2", about("This is outrageous and disgusting, I am furious!!!"))).await;
    let leaving = scene.register(of("c-3", about("I will close my account"))).await;
    let read = async |case| {
        let triage = explain(&client, case).await.unwrap();
        (triage.emotion(), triage.threats().collect::<Vec<_>>(), triage.priority())
    };
    assert_eq!(read(calm).await, (EmotionLevel::Calm, vec![], Priority::P3));
    assert_eq!(read(angry).await, (EmotionLevel::Furious, vec![], Priority::P2));
    let (_, threats, priority) = read(leaving).await;
    assert_eq!((threats, priority), (vec![Threat::Leaving], Priority::P3));

    let rules = vec![
        rule("furious", "emotion == FURIOUS", Priority::P1),
        rule("leaves", "'leaving' in threats", Priority::P2),
        rule("usual", "true", Priority::P3),
    ];
    create(&client, RuleSet { rules, ..kettles() }).await.unwrap();
    let replay = async || {
        let request = ReplayRulesRequest { version: 1, ..ReplayRulesRequest::default() };
        let answer = client.clone().replay_rules(request).await.unwrap().into_inner();
        answer.cases.into_iter().map(|case| (case.case_id.clone(), case.new_priority())).collect::<Vec<_>>()
    };
    let expected = [(angry.to_string(), Priority::P1), (leaving.to_string(), Priority::P2)];
    assert_eq!(replay().await, expected);
    // As it was read: another reading, another outcome of the same text.
    let sql = format!("UPDATE cases.case_reading SET emotion = 4, threats = 0 WHERE case_id = '{leaving}'");
    scene.house.owner().await.execute(AssertSqlSafe(sql)).await.unwrap();
    let expected = [(angry.to_string(), Priority::P1), (leaving.to_string(), Priority::P1)];
    assert_eq!(replay().await, expected);
    // Opened before texts were read: taken for calm.
    let sql = format!("DELETE FROM cases.case_reading WHERE case_id = '{angry}'");
    scene.house.owner().await.execute(AssertSqlSafe(sql)).await.unwrap();
    assert_eq!(read(angry).await, (EmotionLevel::Calm, vec![], Priority::P2));
    let expected = [(angry.to_string(), Priority::P3), (leaving.to_string(), Priority::P1)];
    assert_eq!(replay().await, expected);

    activate(&client, 1).await.unwrap();
    let request = RetriageCaseRequest {
        request_id: request_id(),
        case_id: leaving.to_string(),
        expected_version: None,
    };
    let triage = client.retriage_case(request).await.unwrap().into_inner().triage.unwrap();
    assert_eq!((triage.emotion(), triage.priority()), (EmotionLevel::Furious, Priority::P1));
    assert_eq!(scene.case(leaving).await.priority(), Priority::P1);
    scene.house.done().await;
}

#[tokio::test]
async fn a_case_without_a_record_says_so() {
    let scene = Scene::open().await;
    let mut client = client(&scene);
    let case = scene.triaged().await;
    let sql = format!("DELETE FROM cases.case_triage WHERE case_id = '{case}'");
    scene.house.owner().await.execute(AssertSqlSafe(sql)).await.unwrap();
    let missing = (Code::FailedPrecondition, "NO_TRIAGE_RECORD".to_owned());
    assert_eq!(refused(explain(&client, case).await), missing);
    let request = |case: Uuid| RetriageCaseRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        expected_version: None,
    };
    assert_eq!(refused(client.retriage_case(request(case)).await), missing);
    let nobody = Uuid::from_u128(7);
    let unknown = (Code::NotFound, "CASE_NOT_FOUND".to_owned());
    assert_eq!(refused(explain(&client, nobody).await), unknown);
    assert_eq!(refused(client.retriage_case(request(nobody)).await), unknown);
    scene.house.done().await;
}

#[tokio::test]
async fn a_customer_who_comes_again_and_again_is_heard_sooner() {
    let scene = Scene::open().await;
    let client = client(&scene);
    // Together, so that a batch has to count within itself; the second told twice.
    let mut cases = Vec::new();
    for place in 0..4 {
        let case = scene.new_id();
        let complaint = registered(case, of("ann", about("My toaster")), scene.now());
        let event = scene.house.tell("intake", case, &complaint).await;
        if place == 1 {
            scene.house.tell_raw("intake", event).await;
        }
        cases.push(case);
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    let stranger = scene.register(of("bob", about("My toaster"))).await;
    let anonymous = [scene.register(of("", about("x"))).await, scene.register(of("", about("x"))).await];
    let mut counted = Vec::new();
    for case in cases.iter().chain(slice::from_ref(&stranger)).chain(&anonymous) {
        let triage = explain(&client, *case).await.unwrap();
        counted.push((triage.repeat_count, triage.priority()));
    }
    let (usual, sooner) = (Priority::P3, Priority::P2);
    let expected = [(0, usual), (1, usual), (2, sooner), (3, sooner), (0, usual), (0, usual), (0, usual)];
    assert_eq!(counted, expected);
    scene.house.done().await;
}

#[tokio::test]
async fn a_channel_surges_against_what_it_brought_before() {
    let scene = Scene::timed().await;
    let client = client(&scene);
    create(&client, kettles()).await.unwrap();
    activate(&client, 1).await.unwrap();
    let web = |place: i32| of(&format!("c-{place}"), about("My toaster"));
    scene.register(web(0)).await;
    scene.advance(SignedDuration::from_hours(26));
    let mut priorities = Vec::new();
    for place in 1..=4 {
        let case = scene.register(web(place)).await;
        let triage = explain(&client, case).await.unwrap();
        assert_eq!(triage.surge, triage.priority() == Priority::P2);
        priorities.push(triage.priority());
    }
    // Three before it in these two hours, where one a day is usual.
    assert_eq!(priorities, [Priority::P3, Priority::P3, Priority::P3, Priority::P2]);
    let phone = Complaint { channel: Channel::Phone.into(), ..web(5) };
    let phone = scene.register(phone).await;
    assert_eq!(explain(&client, phone).await.unwrap().priority(), Priority::P3, "another channel does not");
    scene.advance(SignedDuration::from_hours(200));
    let later = scene.register(web(6)).await;
    assert!(!explain(&client, later).await.unwrap().surge);
    let mut owner = scene.house.owner().await;
    let hours: i64 =
        sqlx::query_scalar("SELECT count(*) FROM cases.channel_hour").fetch_one(&mut owner).await.unwrap();
    assert_eq!(hours, 1, "what is older than a week is forgotten");
    scene.house.done().await;
}

#[tokio::test]
async fn each_tenant_has_rules_of_its_own() {
    let house = House::builder(&[cases::SERVICE]).identified().open().await;
    let [a, b] = ["tenant-a", "tenant-b"]
        .map(|tenant| TriageServiceClient::new(house.channel_as(tenant, "alice", &["reader", "admin"])));
    create(&a, kettles()).await.unwrap();
    activate(&a, 1).await.unwrap();
    assert_eq!(refused(activate(&b, 1).await), (Code::NotFound, "RULE_SET_NOT_FOUND".to_owned()));
    let db = house.db("cases");
    let mut cases = Vec::new();
    for tenant in ["tenant-a", "tenant-b"] {
        let now = db.clock().now();
        let case = db.ids().id(now);
        house.tell_as(tenant, "intake", case, &registered(case, about("My kettle"), now)).await;
        cases.push(case);
    }
    house.settled().await;
    assert_eq!(explain(&a, cases[0]).await.unwrap().rule_set_version, 1);
    assert_eq!(explain(&b, cases[1]).await.unwrap().rule_set_version, 0);
    assert_eq!(refused(explain(&b, cases[0]).await), (Code::NotFound, "CASE_NOT_FOUND".to_owned()));
    let replay = ReplayRulesRequest::default();
    assert_eq!(b.clone().replay_rules(replay).await.unwrap().into_inner().examined, 1);
    house.done().await;
}
