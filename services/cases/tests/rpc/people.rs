//! Whose complaints two cases are, and what is written once.

use std::collections::BTreeSet;

use proto::redress::cases::v1::clock_service_client::ClockServiceClient;
use proto::redress::cases::v1::link_service_client::LinkServiceClient;
use proto::redress::cases::v1::triage_service_client::TriageServiceClient;
use proto::redress::cases::v1::{
    AddNoteRequest, CaseMerged, CaseResolved, CaseState, ExplainTriageRequest, LinkKind, LinkStanding,
    ListCasesRequest, ListLinksRequest, MergeCaseRequest, PauseClocksRequest, PauseReason, Priority,
    TimelineKind, TrackComplaintRequest, UnmergeCaseRequest, Visibility, WithdrawCaseRequest,
};
use proto::redress::feedback::v1::Response;
use proto::redress::intake::v1::{Complainant, Complaint, InformationAdded, InformationSource};
use testkit::{House, reason, request_id};
use tonic::Code;
use uuid::Uuid;

use crate::scene::{Client, Scene, complaint, receipt, registered};

fn by(customer: &str, email: &str, phone: &str) -> Complaint {
    let complainant = Complainant {
        customer_id: customer.to_owned(),
        email: email.to_owned(),
        phone: phone.to_owned(),
        ..Complainant::default()
    };
    Complaint { complainant: Some(complainant), ..complaint() }
}

fn merge(case: Uuid, into: Uuid, across: &str) -> MergeCaseRequest {
    MergeCaseRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        expected_version: None,
        into_case_id: into.to_string(),
        reason: "told twice".to_owned(),
        different_complainants_reason: across.to_owned(),
    }
}

#[tokio::test]
async fn cases_merge_only_where_nothing_known_of_their_people_differs() {
    let scene = Scene::open().await;
    let mut links = LinkServiceClient::new(scene.house.channel());
    for (one, other, differ) in [
        (("", "ann@example.org", ""), ("", "bob@example.org", ""), true),
        (("", "", "+86 138 0013 8000"), ("", "", "139 0013 9000"), true),
        (("c-1", "", ""), ("c-2", "", ""), true),
        (("c-1", "ann@example.org", ""), ("c-1", "bob@example.org", ""), true),
        (("", "Ann@Example.org", "+86 138 0013 8000"), ("c-1", " ann@example.org", "13800138000"), false),
        (("", "ann@example.org", ""), ("", "", "13800138000"), false),
        (("C-1", "", ""), ("c1", "", ""), false),
        (("", "", ""), ("c-1", "", ""), false),
    ] {
        let known = |(customer, email, phone): (&str, &str, &str)| by(customer, email, phone);
        let (one, other) = (known(one), known(other));
        let said = format!("{:?} and {:?}", one.complainant, other.complainant);
        let (case, into) = (scene.register(one).await, scene.register(other).await);
        let merged = links.merge_case(merge(case, into, "")).await;
        assert_eq!(merged.is_err(), differ, "{said}");
        if let Err(refusal) = merged {
            assert_eq!(reason(&refusal), "COMPLAINANTS_DIFFER", "{said}");
        }
    }
    scene.house.done().await;
}

#[tokio::test]
async fn a_supervisor_says_why_cases_of_different_people_are_merged() {
    let house = House::builder(&[cases::SERVICE]).identified().open().await;
    let db = house.db("cases");
    let now = db.clock().now();
    let (case, into) = (db.ids().id(now), db.ids().id(now));
    for (id, mail) in [(case, "ann@example.org"), (into, "bob@example.org")] {
        house.tell("intake", id, &registered(id, by("", mail, ""), now)).await;
    }
    house.settled().await;
    let links =
        |subject: &str, role: &str| LinkServiceClient::new(house.channel_as("development", subject, &[role]));
    let why = "one household, one parcel";
    let refusal = links("ann", "agent").merge_case(merge(case, into, why)).await.expect_err("an agent");
    assert_eq!(
        (refusal.code(), reason(&refusal)),
        (Code::PermissionDenied, "SUPERVISOR_REQUIRED".to_owned())
    );
    links("boss", "supervisor").merge_case(merge(case, into, why)).await.expect("merged");
    let told: Vec<CaseMerged> = house.published("cases").await;
    assert!(told[0].complainants_differ);
    let mut cases = Client::new(house.channel_as("development", "boss", &["supervisor"]));
    for id in [case, into] {
        let request =
            proto::redress::cases::v1::GetTimelineRequest { case_id: id.to_string(), ..Default::default() };
        let entries = cases.get_timeline(request).await.expect("read").into_inner().entries;
        assert!(entries.iter().any(|entry| entry.text.contains(why) && entry.actor == "boss"), "{entries:?}");
    }
    house.done().await;
}

#[tokio::test]
async fn the_same_address_or_telephone_links_and_counts_as_an_earlier_complaint() {
    let scene = Scene::open().await;
    let mut links = LinkServiceClient::new(scene.house.channel());
    let mut triage = TriageServiceClient::new(scene.house.channel());
    for (first, second) in [
        (by("", "ann@example.org", ""), by("", "ANN@example.org", "")),
        (by("", "", "+44 7911 123456"), by("", "", "07911 123456")),
    ] {
        let text = "The parcel is late, it was due a week ago";
        let first = scene.register(Complaint { description: text.to_owned(), ..first }).await;
        let text = "Still no delivery, and no word from anybody: the parcel is too late!";
        let second = scene.register(Complaint { description: text.to_owned(), ..second }).await;
        let request = ListLinksRequest { case_id: second.to_string(), ..ListLinksRequest::default() };
        let found = links.list_links(request).await.expect("listed").into_inner().links;
        let found: Vec<_> =
            found.iter().map(|link| (link.earlier_case_id.clone(), link.kind(), link.standing())).collect();
        let found_first = (first.to_string(), LinkKind::Duplicate, LinkStanding::Suggested);
        assert!(found.contains(&found_first), "{found:?}");
        let request = ExplainTriageRequest { case_id: second.to_string() };
        let told = triage.explain_triage(request).await.expect("explained").into_inner().triage;
        assert_eq!(told.expect("a triage").repeat_count, 1);
    }
    scene.house.done().await;
}

#[tokio::test]
async fn a_note_is_written_once_however_late_its_key_is_repeated() {
    let scene = Scene::open().await;
    let case = scene.assigned().await;
    let note = AddNoteRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        text: "rang the carrier".to_owned(),
        visibility: Visibility::Internal.into(),
    };
    let first = scene.cases.clone().add_note(note.clone()).await.expect("written").into_inner();
    // Eight days later the requests of then are forgotten.
    let mut owner = scene.house.owner().await;
    sqlx::query("DELETE FROM cases.idempotency").execute(&mut owner).await.expect("forgotten");
    let again = scene.cases.clone().add_note(note.clone()).await.expect("answered").into_inner();
    assert_eq!(again, first);
    let other = AddNoteRequest { text: "rang again".to_owned(), ..note.clone() };
    sqlx::query("DELETE FROM cases.idempotency").execute(&mut owner).await.expect("forgotten");
    let refusal = scene.cases.clone().add_note(other).await.expect_err("another text");
    assert_eq!(reason(&refusal), "IDEMPOTENCY_KEY_REUSED");
    let written = scene.timeline(case).await.iter().filter(|entry| entry.text == note.text).count();
    assert_eq!(written, 1);
    // The key of another case's note is another key.
    let elsewhere = AddNoteRequest { case_id: scene.assigned().await.to_string(), ..note };
    sqlx::query("DELETE FROM cases.idempotency").execute(&mut owner).await.expect("forgotten");
    scene.cases.clone().add_note(elsewhere).await.expect("written there");
    scene.house.done().await;
}

fn added(case: Uuid, text: &str) -> InformationAdded {
    InformationAdded {
        complaint_id: case.to_string(),
        ordinal: 1,
        source: InformationSource::Complainant.into(),
        author: "web".to_owned(),
        text: text.to_owned(),
        ..InformationAdded::default()
    }
}

async fn found(scene: &Scene, filter: &str) -> Vec<String> {
    let request = ListCasesRequest { filter: filter.to_owned(), ..ListCasesRequest::default() };
    let cases = scene.cases.clone().list_cases(request).await.expect("listed").into_inner().cases;
    cases.into_iter().map(|case| case.case_id).collect()
}

#[tokio::test]
async fn of_a_merge_of_different_people_each_is_told_tracks_and_disputes() {
    let scene = Scene::open().await;
    let case = scene.register(by("", "ann@example.org", "")).await;
    let into = scene.register(by("", "bob@example.org", "")).await;
    scene.assign(into, 1).await;
    let mut links = LinkServiceClient::new(scene.house.channel());
    links.merge_case(merge(case, into, "one household")).await.expect("merged");

    // What is added to the one reaches the other.
    scene.house.tell("intake", case, &added(case, "the lid is broken too")).await;
    scene.house.settled().await;
    for id in [case, into] {
        let entries = scene.timeline(id).await;
        assert!(entries.iter().any(|entry| entry.text.contains("the lid is broken too")), "{entries:?}");
    }
    let withdraw = WithdrawCaseRequest {
        request_id: request_id(),
        case_id: into.to_string(),
        ..WithdrawCaseRequest::default()
    };
    let refusal = scene.cases.clone().withdraw_case(withdraw).await.expect_err("it stands for ann");
    assert_eq!(reason(&refusal), "STANDS_FOR_OTHERS");

    scene.decide(into, false).await;
    let told: Vec<CaseResolved> = scene.house.published("cases").await;
    let told: BTreeSet<_> = told.iter().map(|told| (told.case_id.clone(), told.cycle)).collect();
    assert_eq!(told, BTreeSet::from([(case.to_string(), 1), (into.to_string(), 1)]));
    let track =
        TrackComplaintRequest { receipt_code: receipt(case).to_string(), ..TrackComplaintRequest::default() };
    let seen = scene.cases.clone().track_complaint(track.clone()).await.expect("tracked").into_inner();
    assert_eq!(seen.state(), CaseState::Resolved);
    assert!(seen.entries.iter().any(|entry| entry.kind() == TimelineKind::Resolved));
    let unmerge = UnmergeCaseRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        reason: "two kettles".to_owned(),
        ..UnmergeCaseRequest::default()
    };
    assert_eq!(reason(&links.unmerge_case(unmerge).await.expect_err("told")), "OUTCOME_SHARED");

    scene.respond(case, 1, Response::Disputed, "still broken").await;
    assert_eq!((scene.case(into).await.cycle, scene.case(case).await.state()), (2, CaseState::Merged));
    let seen = scene.cases.clone().track_complaint(track).await.expect("tracked").into_inner();
    assert_eq!((seen.state(), seen.cycle), (CaseState::Triaged, 2));
    scene.assign(into, 2).await;
    scene.decide(into, false).await;
    let told: Vec<CaseResolved> = scene.house.published("cases").await;
    let told: BTreeSet<_> = told.iter().map(|told| (told.case_id.clone(), told.cycle)).collect();
    assert_eq!(told.len(), 4, "each is told the second outcome as a cycle of their own: {told:?}");
    scene.house.done().await;
}

#[tokio::test]
async fn an_answer_ends_the_pause_that_waited_for_it_and_paused_cases_are_listed() {
    let scene = Scene::open().await;
    let (case, appraised) = (scene.assigned().await, scene.assigned().await);
    let mut clocks = ClockServiceClient::new(scene.house.channel());
    for (id, why) in [(case, PauseReason::AwaitingComplainant), (appraised, PauseReason::Appraisal)] {
        let request = PauseClocksRequest {
            request_id: request_id(),
            case_id: id.to_string(),
            expected_version: None,
            kinds: Vec::new(),
            reason: why.into(),
            remark: "we asked".to_owned(),
        };
        clocks.pause_clocks(request).await.expect("paused");
    }
    assert_eq!(found(&scene, "paused = true").await.len(), 2);
    for id in [case, appraised] {
        scene.house.tell("intake", id, &added(id, "here is the receipt")).await;
    }
    scene.house.settled().await;
    assert_eq!(found(&scene, "paused = true").await, [appraised.to_string()]);
    let entries = scene.timeline(case).await;
    assert!(entries.iter().any(|entry| entry.text.contains("the complainant answered")), "{entries:?}");
    scene.house.done().await;
}

#[tokio::test]
async fn an_injury_told_of_later_makes_a_case_more_urgent_by_the_rules() {
    let scene = Scene::open().await;
    let case = scene.assigned().await;
    let before = scene.case(case).await.priority();
    scene
        .house
        .tell("intake", case, &added(case, "my daughter was injured and burnt her hand, she is in hospital"))
        .await;
    scene.house.settled().await;
    let after = scene.case(case).await.priority();
    assert!(before != Priority::P1 && after == Priority::P1, "{before:?} became {after:?}");
    scene.house.done().await;
}

#[tokio::test]
async fn what_is_said_of_an_answered_case_is_listed_until_somebody_sees_to_it() {
    let scene = Scene::open().await;
    let (answered, open) = (scene.resolved().await, scene.assigned().await);
    for id in [answered, open] {
        scene.house.tell("intake", id, &added(id, "the new cup came broken as well")).await;
    }
    scene.house.settled().await;
    assert_eq!(
        found(&scene, "replied = true").await,
        [answered.to_string()],
        "who works a case reads it there"
    );
    assert_eq!(found(&scene, "replied = false").await, [open.to_string()]);
    let note = AddNoteRequest {
        request_id: request_id(),
        case_id: answered.to_string(),
        text: "rang them: another is sent".to_owned(),
        visibility: Visibility::Internal.into(),
    };
    scene.cases.clone().add_note(note).await.expect("written");
    assert!(found(&scene, "replied = true").await.is_empty());
    // Said once more, it is there once more; a dispute takes it up.
    scene.house.tell("intake", answered, &added(answered, "nothing came")).await;
    scene.house.settled().await;
    assert_eq!(found(&scene, "replied = true").await.len(), 1);
    scene.respond(answered, 1, Response::Disputed, "still broken").await;
    assert!(found(&scene, "replied = true").await.is_empty());
    scene.house.done().await;
}
