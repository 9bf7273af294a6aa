//! What the other services tell.

use prost_types::Any;
use proto::google::r#type::Money;
use proto::redress::assignment::v1::CaseQueued;
use proto::redress::cases::v1::{
    CaseClosed, CaseDecided, CaseOpened, CaseReopened, CaseResolved, CaseState, CloseReason, Outcome,
    Priority, TimelineKind, Visibility, WithdrawCaseRequest,
};
use proto::redress::event::v1::Event;
use proto::redress::feedback::v1::{NoticeKind, NoticeSettled, NoticeState, Response};
use proto::redress::intake::v1::{Channel, InformationAdded, InformationSource, RemedySought};
use proto::redress::resolution::v1::{
    PlanApproved, PlanCancelled, PlanCompleted, PlanProposed, PlanRejected, PlanRevised,
    PlanRevisionProposed, PlanRevisionRejected, RemedyKind, TaskCompleted, TaskNeedsAttention,
    TaskWrittenOff,
};
use testkit::request_id;
use uuid::Uuid;

use crate::scene::{Scene, assigned, complaint, registered};

fn proposed(case: Uuid) -> PlanProposed {
    PlanProposed {
        case_id: case.to_string(),
        cycle: 1,
        proposer: "bob".to_owned(),
        summary: "refund".to_owned(),
        ..PlanProposed::default()
    }
}

fn approved(case: Uuid) -> PlanApproved {
    let (case_id, approver) = (case.to_string(), "carol".to_owned());
    PlanApproved { case_id, cycle: 1, approver, ..PlanApproved::default() }
}

fn completed(case: Uuid) -> PlanCompleted {
    PlanCompleted { case_id: case.to_string(), plan_id: String::new(), cycle: 1 }
}

fn cancelled(case: Uuid) -> PlanCancelled {
    let (case_id, reason) = (case.to_string(), "wrong order".to_owned());
    PlanCancelled { case_id, plan_id: String::new(), cycle: 1, reason }
}

pub(crate) fn notice(case: Uuid, kind: NoticeKind, state: NoticeState, detail: &str) -> NoticeSettled {
    NoticeSettled {
        case_id: case.to_string(),
        cycle: 1,
        notice_id: String::new(),
        kind: kind.into(),
        state: state.into(),
        detail: detail.to_owned(),
        ..NoticeSettled::default()
    }
}

#[tokio::test]
async fn a_complaint_travels_from_registration_to_its_end() {
    let scene = Scene::open().await;
    let case = scene.triaged().await;
    let opened = scene.case(case).await;
    assert_eq!((opened.state(), opened.version, opened.cycle), (CaseState::Triaged, 1, 1));
    assert_eq!((opened.category.as_str(), opened.priority()), ("delivery/damaged", Priority::P3));
    assert_eq!(opened.triage_reasons.len(), 2);

    scene.assign(case, 1).await;
    assert_eq!(scene.case(case).await.state(), CaseState::Investigating);
    assert_eq!(scene.decide(case, true).await.state(), CaseState::Decided);
    scene.house.tell("resolution", case, &proposed(case)).await;
    scene.house.tell("resolution", case, &approved(case)).await;
    let refund = TaskCompleted {
        case_id: case.to_string(),
        cycle: 1,
        department_id: "finance".to_owned(),
        kind: RemedyKind::Refund.into(),
        reference: "R-1".to_owned(),
        amount: Some(Money { currency_code: "CNY".to_owned(), units: 199, nanos: 0 }),
        ..TaskCompleted::default()
    };
    scene.house.tell("resolution", case, &refund).await;
    scene.house.settled().await;
    assert_eq!(scene.case(case).await.state(), CaseState::Remedying);
    scene.house.tell("resolution", case, &completed(case)).await;
    scene.house.settled().await;
    assert_eq!(scene.case(case).await.state(), CaseState::Resolved);
    scene.respond(case, 1, Response::Accepted, "").await;

    let closed = scene.case(case).await;
    assert_eq!(closed.state(), CaseState::Closed);
    assert!(closed.resolve_time.is_some() && closed.close_time.is_some());
    let timeline = scene.timeline(case).await;
    let kinds: Vec<_> = timeline.iter().map(|entry| entry.kind().as_str_name()).collect();
    let expected = [
        "OPENED",
        "TRIAGED",
        "ASSIGNED",
        "ACCEPTED",
        "DECIDED",
        "PLAN_PROPOSED",
        "PLAN_APPROVED",
        "TASK_COMPLETED",
        "RESOLVED",
        "RESPONSE",
        "CLOSED",
    ];
    assert_eq!(kinds, expected.map(|kind| format!("TIMELINE_KIND_{kind}")));
    assert!(timeline.iter().zip(1..).all(|(entry, place)| entry.ordinal == place));
    let actors: Vec<_> = timeline.iter().map(|entry| entry.actor.as_str()).collect();
    assert_eq!(actors[3..7], ["boss", "developer", "bob", "carol"]);
    assert_eq!(timeline[7].text, "finance carried out the refund of CNY 199.00, reference R-1");

    let told = scene.house.published_by("cases").await;
    let names: Vec<_> = told.iter().map(|told| told.type_name.rsplit('.').next().unwrap()).collect();
    assert_eq!(names, ["CaseOpened", "CaseDecided", "CaseResolved", "CaseClosed"]);
    assert!(told.iter().all(|told| told.subject == case));
    scene.house.done().await;
}

#[tokio::test]
async fn others_are_told_what_they_need() {
    let scene = Scene::timed().await;
    let case = scene.assigned().await;
    scene.decide(case, true).await;
    scene.house.tell("resolution", case, &approved(case)).await;
    scene.house.tell("resolution", case, &completed(case)).await;
    scene.house.settled().await;
    scene.respond(case, 1, Response::Disputed, "not enough").await;

    let opened: Vec<CaseOpened> = scene.house.published("cases").await;
    assert_eq!(opened[0].customer_id, "c-1");
    assert_eq!(opened[0].respondent_staff, "mallory");
    assert_eq!(opened[0].recused_subjects, ["mallory"]);
    assert_eq!(opened[0].channel(), Channel::Web);
    assert_eq!((opened[0].priority(), opened[0].cycle), (Priority::P3, 1));
    let decided: Vec<CaseDecided> = scene.house.published("cases").await;
    assert_eq!((decided[0].outcome(), decided[0].remedy_due), (Outcome::Upheld, true));
    let resolved: Vec<CaseResolved> = scene.house.published("cases").await;
    assert_eq!(resolved[0].reasons, "the carrier dropped it");
    let until = resolved[0].respond_until_time.as_ref().map(|time| time.seconds);
    assert_eq!(until, Some(scene.now().as_second() + 15 * 24 * 3600));
    let reopened: Vec<CaseReopened> = scene.house.published("cases").await;
    assert_eq!((reopened[0].cycle, reopened[0].tier, reopened[0].priority()), (2, 1, Priority::P2));
    assert_eq!((reopened[0].reason.as_str(), reopened[0].previous_agent_id.as_str()), ("not enough", "bob"));
    scene.house.done().await;
}

#[tokio::test]
async fn every_event_told_twice_takes_effect_once() {
    let scene = Scene::open().await;
    let case = scene.new_id();
    let complaint = registered(case, complaint(), scene.now());
    let mut told = vec![("intake", scene.house.tell("intake", case, &complaint).await)];
    scene.house.settled().await;
    scene.assign(case, 1).await;
    scene.decide(case, true).await;
    let house = &scene.house;
    told.push(("assignment", house.tell("assignment", case, &assigned(case, 1, "dan")).await));
    told.push(("resolution", house.tell("resolution", case, &proposed(case)).await));
    told.push(("resolution", house.tell("resolution", case, &approved(case)).await));
    told.push(("resolution", house.tell("resolution", case, &completed(case)).await));
    house.settled().await;
    let settled = notice(case, NoticeKind::Outcome, NoticeState::Delivered, "250 OK");
    told.push(("feedback", house.tell("feedback", case, &settled).await));
    house.settled().await;
    let before =
        (scene.case(case).await, scene.timeline(case).await, house.published_by("cases").await.len());
    for (source, event) in told {
        house.tell_raw(source, event).await;
    }
    // The same complaint under a new position: from a peer that has lost its memory.
    house.tell("intake", case, &complaint).await;
    house.settled().await;
    let after = (scene.case(case).await, scene.timeline(case).await, house.published_by("cases").await.len());
    assert_eq!(before, after);
    assert_eq!(before.0.agent_id, "dan");
    scene.house.done().await;
}

#[tokio::test]
async fn a_transfer_changes_hands_and_may_have_to_wait() {
    let scene = Scene::open().await;
    let case = scene.assigned().await;
    scene.house.tell("assignment", case, &assigned(case, 1, "dan")).await;
    scene.house.settled().await;
    let handed_over = scene.case(case).await;
    assert_eq!((handed_over.state(), handed_over.agent_id.as_str()), (CaseState::Assigned, "dan"));
    let queued = CaseQueued {
        case_id: case.to_string(),
        cycle: 1,
        department_id: "quality".to_owned(),
        explanation: "nobody is free".to_owned(),
    };
    scene.house.tell("assignment", case, &queued).await;
    scene.house.settled().await;
    let waiting = scene.case(case).await;
    assert_eq!((waiting.state(), waiting.agent_id.as_str()), (CaseState::Triaged, ""));
    assert_eq!(waiting.department_id, "quality");
    // Waiting longer is worth an entry, but changes nothing.
    scene.house.tell("assignment", case, &queued).await;
    scene.house.settled().await;
    assert_eq!(scene.case(case).await, waiting);
    assert_eq!(scene.kinds(case).await[5..], [TimelineKind::Queued; 2]);
    scene.house.done().await;
}

#[tokio::test]
async fn a_plan_that_fails_leads_back_to_the_decision() {
    let scene = Scene::open().await;
    let case = scene.assigned().await;
    scene.decide(case, true).await;
    let (house, id) = (&scene.house, case.to_string());
    let rejected = PlanRejected {
        case_id: id.clone(),
        cycle: 1,
        reason: "too much".to_owned(),
        ..PlanRejected::default()
    };
    house.tell("resolution", case, &rejected).await;
    house.tell("resolution", case, &approved(case)).await;
    let stuck = TaskNeedsAttention {
        case_id: id,
        cycle: 1,
        department_id: "finance".to_owned(),
        reason: "no account".to_owned(),
        outcome_unknown: true,
        ..TaskNeedsAttention::default()
    };
    house.tell("resolution", case, &stuck).await;
    house.settled().await;
    let text = scene.timeline(case).await.pop().unwrap().text;
    assert!(text.ends_with("whether it was done is unknown: no account"), "{text}");
    assert_eq!(scene.case(case).await.state(), CaseState::Remedying);
    house.tell("resolution", case, &cancelled(case)).await;
    house.settled().await;
    assert_eq!(scene.case(case).await.state(), CaseState::Decided);
    let ended = [
        TimelineKind::PlanEnded,
        TimelineKind::PlanApproved,
        TimelineKind::TaskNeedsAttention,
        TimelineKind::PlanEnded,
    ];
    assert_eq!(scene.kinds(case).await[5..], ended);
    scene.house.done().await;
}

#[tokio::test]
async fn a_plan_that_a_rule_approved_says_so_in_the_timeline() {
    let scene = Scene::open().await;
    for (automatic, actor, text) in [
        (false, "carol", "the remedy plan was approved"),
        (
            true,
            "<resolution>",
            "the remedy plan was approved automatically, by rule small (version 7) of the approval policy",
        ),
    ] {
        let case = scene.assigned().await;
        scene.decide(case, true).await;
        let approver = if automatic { String::new() } else { "carol".to_owned() };
        let (rule, policy_version) = ("small".to_owned(), 7);
        let told = PlanApproved { approver, rule, policy_version, automatic, ..approved(case) };
        scene.house.tell("resolution", case, &told).await;
        scene.house.settled().await;
        let entry = scene.timeline(case).await.pop().unwrap();
        assert_eq!((entry.kind(), entry.actor.as_str()), (TimelineKind::PlanApproved, actor));
        assert_eq!(entry.text, text);
    }
    scene.house.done().await;
}

#[tokio::test]
async fn what_becomes_of_a_revision_is_in_the_timeline_and_moves_no_case() {
    let scene = Scene::open().await;
    let case = scene.assigned().await;
    scene.decide(case, true).await;
    scene.house.tell("resolution", case, &approved(case)).await;
    let (case_id, changes) = (case.to_string(), "apology put in".to_owned());
    let (reviser, reason) = ("bob".to_owned(), "it was forgotten".to_owned());
    let asked = PlanRevisionProposed {
        case_id: case_id.clone(),
        cycle: 1,
        number: 1,
        reviser,
        changes,
        reason,
        ..PlanRevisionProposed::default()
    };
    let no = PlanRevisionRejected {
        case_id: case_id.clone(),
        cycle: 1,
        approver: "carol".to_owned(),
        reason: "too late".to_owned(),
        ..PlanRevisionRejected::default()
    };
    let made = |approver: &str| PlanRevised {
        case_id: case_id.clone(),
        cycle: 1,
        reviser: asked.reviser.clone(),
        approver: approver.to_owned(),
        changes: asked.changes.clone(),
        reason: asked.reason.clone(),
        ..PlanRevised::default()
    };
    scene.house.tell("resolution", case, &asked).await;
    scene.house.tell("resolution", case, &no).await;
    scene.house.tell("resolution", case, &made("carol")).await;
    scene.house.tell("resolution", case, &made("")).await;
    scene.house.settled().await;
    let entries = scene.timeline(case).await;
    let told: Vec<_> = entries.iter().filter(|entry| entry.kind() == TimelineKind::PlanRevised).collect();
    let told: Vec<_> = told.iter().map(|entry| (entry.actor.as_str(), entry.text.as_str())).collect();
    let expected = [
        ("bob", "the remedy plan is to be revised (apology put in), once that is approved: it was forgotten"),
        ("carol", "the remedy plan is not revised: too late"),
        ("bob", "the remedy plan was revised (apology put in), approved by carol: it was forgotten"),
        ("bob", "the remedy plan was revised (apology put in): it was forgotten"),
    ];
    assert_eq!(told, expected);
    assert_eq!(scene.case(case).await.state(), CaseState::Remedying);
    scene.house.done().await;
}

#[tokio::test]
async fn what_is_written_off_is_on_record_whoever_has_the_case_by_then() {
    let scene = Scene::open().await;
    let case = scene.resolved().await;
    let given_up = TaskWrittenOff {
        case_id: case.to_string(),
        cycle: 1,
        department_id: "finance".to_owned(),
        kind: RemedyKind::Refund.into(),
        amount: Some(Money { currency_code: "EUR".to_owned(), units: 39, nanos: 900_000_000 }),
        proposer: "ann".to_owned(),
        approver: "carol".to_owned(),
        reason: "the account is closed".to_owned(),
        ..TaskWrittenOff::default()
    };
    scene.respond(case, 1, Response::Accepted, "").await;
    assert_eq!(scene.case(case).await.state(), CaseState::Closed);
    scene.house.tell("resolution", case, &given_up).await;
    scene.house.settled().await;
    let entries = scene.timeline(case).await;
    let told: Vec<_> = entries.iter().filter(|one| one.kind() == TimelineKind::TaskWrittenOff).collect();
    let [told] = told.as_slice() else { panic!("once: {told:?}") };
    assert_eq!(
        (told.actor.as_str(), told.text.as_str()),
        ("carol", "finance could not undo the refund of EUR 39.90: it is written off: the account is closed")
    );
    assert_eq!(told.visibility(), Visibility::Internal, "it is nothing the complainant is told");
    scene.house.done().await;
}

#[tokio::test]
async fn news_of_an_older_cycle_or_a_case_that_is_over_is_skipped() {
    let scene = Scene::open().await;
    let case = scene.resolved().await;
    scene.respond(case, 1, Response::Disputed, "").await;
    let reopened = scene.case(case).await;
    scene.respond(case, 1, Response::Accepted, "").await;
    scene.house.tell("assignment", case, &assigned(case, 1, "dan")).await;
    scene.house.settled().await;
    assert_eq!(scene.case(case).await, reopened);

    let request = WithdrawCaseRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        ..WithdrawCaseRequest::default()
    };
    let withdrawn = scene.cases.clone().withdraw_case(request).await.unwrap().into_inner().case.unwrap();
    scene.house.tell("assignment", case, &assigned(case, 2, "dan")).await;
    let undone = PlanCancelled { cycle: 2, ..cancelled(case) };
    scene.house.tell("resolution", case, &undone).await;
    scene.house.settled().await;
    assert_eq!(scene.case(case).await, withdrawn);
    let last = scene.kinds(case).await.last().copied();
    assert_eq!(last, Some(TimelineKind::PlanEnded), "that remedies were undone is on record");
    scene.house.done().await;
}

#[tokio::test]
async fn the_dispute_after_the_last_cycle_closes_the_case() {
    let scene = Scene::open().await;
    let case = scene.resolved().await;
    for cycle in 1..=3 {
        scene.respond(case, cycle, Response::Disputed, "again").await;
        scene.assign(case, cycle + 1).await;
        scene.decide(case, false).await;
    }
    let last = scene.case(case).await;
    assert_eq!((last.cycle, last.tier, last.priority()), (4, 3, Priority::P1));
    scene.respond(case, 4, Response::Disputed, "again").await;
    assert_eq!(scene.case(case).await.state(), CaseState::Closed);
    let closed: Vec<CaseClosed> = scene.house.published("cases").await;
    assert_eq!(closed.iter().map(CaseClosed::reason).collect::<Vec<_>>(), [CloseReason::ReopenLimit]);
    scene.house.done().await;
}

#[tokio::test]
async fn a_batch_of_hundreds_is_opened_and_moved_on() {
    let scene = Scene::open().await;
    let ids: Vec<Uuid> = (0..700).map(|_| scene.new_id()).collect();
    for (place, case) in ids.iter().enumerate() {
        let mut complaint = complaint();
        if place % 7 == 0 {
            let amount = Money { currency_code: "CNY".to_owned(), units: 100_000, nanos: 0 };
            complaint.remedy_sought = Some(RemedySought { text: String::new(), amount: Some(amount) });
        }
        scene.house.tell("intake", *case, &registered(*case, complaint, scene.now())).await;
    }
    scene.house.settled().await;
    for case in &ids {
        scene.house.tell("assignment", *case, &assigned(*case, 1, "bob")).await;
    }
    scene.house.settled().await;
    let opened: Vec<CaseOpened> = scene.house.published("cases").await;
    let order: Vec<_> = opened.iter().map(|opened| opened.case_id.clone()).collect();
    assert_eq!(order, ids.iter().map(Uuid::to_string).collect::<Vec<_>>());
    assert_eq!(opened.iter().filter(|opened| opened.priority() == Priority::P1).count(), 100);
    let counts = scene.cases.clone().count_cases(proto::redress::cases::v1::CountCasesRequest {}).await;
    let counts = counts.unwrap().into_inner();
    assert_eq!(counts.total, 700);
    assert!(counts.counts.iter().all(|count| count.state() == CaseState::Assigned));
    scene.house.done().await;
}

#[tokio::test]
async fn everything_about_a_case_is_in_the_trace_of_its_submission() {
    let scene = Scene::open().await;
    let case = scene.new_id();
    let complaint = registered(case, complaint(), scene.now());
    let trace_id = "0af7651916cd43dd8448eb211c80319c";
    let event = Event {
        id: scene.new_id().to_string(),
        source: "intake".to_owned(),
        position: 1,
        tenant_id: "development".to_owned(),
        subject: case.to_string(),
        occur_time: complaint.complaint.as_ref().and_then(|complaint| complaint.receive_time),
        traceparent: format!("00-{trace_id}-b7ad6b7169203331-01"),
        payload: Some(Any::from_msg(&complaint).expect("it can be encoded")),
        ..Event::default()
    };
    scene.house.tell_raw("intake", event).await;
    scene.house.settled().await;
    scene.assign(case, 1).await;
    scene.decide(case, false).await;
    assert_eq!(scene.case(case).await.trace_id, trace_id);
    let timeline = scene.timeline(case).await;
    let traced: Vec<_> = timeline.iter().map(|entry| entry.trace_id == trace_id).collect();
    assert_eq!(traced, [true, true, false, false, true, true], "the fake assignment is not traced");
    let told = scene.house.published_by("cases").await;
    assert!(told.len() == 3 && told.iter().all(|told| told.traceparent.contains(trace_id)));
    scene.house.done().await;
}

#[tokio::test]
async fn what_is_added_to_a_complaint_is_noted_for_staff() {
    let scene = Scene::open().await;
    let case = scene.new_id();
    // In one batch with the registration, and told twice.
    scene.house.tell("intake", case, &registered(case, complaint(), scene.now())).await;
    let added = InformationAdded {
        complaint_id: case.to_string(),
        ordinal: 1,
        source: InformationSource::Complainant.into(),
        author: "ann".to_owned(),
        text: "here is the number".to_owned(),
        form_fields: vec!["order".to_owned()],
        completeness: Some(80),
        evidence: Vec::new(),
    };
    let event = scene.house.tell("intake", case, &added).await;
    scene.house.tell_raw("intake", event).await;
    let other = scene.triaged().await;
    let before = scene.case(case).await;
    assert_eq!(scene.case(other).await.state(), CaseState::Triaged);
    let timeline = scene.timeline(case).await;
    let entry = &timeline[2];
    assert_eq!(timeline.len(), 3);
    assert_eq!((entry.kind(), entry.visibility()), (TimelineKind::Note, Visibility::Internal));
    let text = "the complainant added to the form: order: here is the number (the form is 80 % complete)";
    assert_eq!((entry.text.as_str(), entry.actor.as_str()), (text, "ann"));
    assert_eq!(before.version, 1, "a note changes nothing but the timeline");
    scene.house.done().await;
}
