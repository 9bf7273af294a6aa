//! Every case of a complainant, however they wrote who they are.

use proto::redress::cases::v1::complainant_service_client::ComplainantServiceClient;
use proto::redress::cases::v1::{
    CaseState, ComplainantIdentifier, GetComplainantHistoryRequest, GetComplainantHistoryResponse, Outcome,
    OutcomeCount,
};
use proto::redress::feedback::v1::Response;
use proto::redress::intake::v1::{Channel, Complainant, Complaint};
use testkit::{House, reason, violations};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::scene::{Scene, assigned, complaint, registered};

const PHONES: [&str; 3] = ["+86 138 0013 8000", "13800138000", "0086-138-0013-8000"];
const EMAILS: [&str; 2] = ["Ada@Example.org", " ada@example.org "];

fn by(customer: &str, email: &str, phone: &str) -> Complaint {
    let complainant = Complainant {
        customer_id: customer.to_owned(),
        email: email.to_owned(),
        phone: phone.to_owned(),
        ..Complainant::default()
    };
    Complaint { complainant: Some(complainant), ..complaint() }
}

fn of_case(case: Uuid) -> GetComplainantHistoryRequest {
    GetComplainantHistoryRequest { case_id: case.to_string(), ..GetComplainantHistoryRequest::default() }
}

fn of(customer: &str, email: &str, phone: &str) -> GetComplainantHistoryRequest {
    GetComplainantHistoryRequest {
        customer_id: customer.to_owned(),
        email: email.to_owned(),
        phone: phone.to_owned(),
        ..GetComplainantHistoryRequest::default()
    }
}

async fn ask(
    scene: &Scene,
    request: GetComplainantHistoryRequest,
) -> Result<GetComplainantHistoryResponse, Status> {
    let mut client = ComplainantServiceClient::new(scene.house.channel());
    Ok(client.get_complainant_history(request).await?.into_inner())
}

async fn history(scene: &Scene, request: GetComplainantHistoryRequest) -> GetComplainantHistoryResponse {
    ask(scene, request).await.expect("the history can be read")
}

fn ids(history: &GetComplainantHistoryResponse) -> Vec<String> {
    history.cases.iter().map(|case| case.case_id.clone()).collect()
}

fn named(cases: &[Uuid]) -> Vec<String> {
    cases.iter().map(Uuid::to_string).collect()
}

#[tokio::test]
async fn somebody_has_one_history_however_they_are_written() {
    let scene = Scene::timed().await;
    let mut cases = Vec::new();
    let people = [
        by("", "", PHONES[0]),
        by("C-17", "", PHONES[1]),
        by("", EMAILS[0], PHONES[2]),
        by("c 17", EMAILS[1], ""),
        by("c-18", "", PHONES[1]),
        by("c-19", "bob@example.org", "+86 139 0013 9000"),
    ];
    for person in people {
        scene.advance(jiff::SignedDuration::from_secs(60));
        cases.push(scene.register(person).await);
    }
    // A telephone number as anybody writes it.
    for phone in PHONES {
        let found = history(&scene, of("", "", phone)).await;
        assert_eq!(ids(&found), named(&[cases[4], cases[2], cases[1], cases[0]]), "{phone}");
        let known: Vec<_> = found.identifiers().collect();
        assert_eq!(known, [ComplainantIdentifier::Phone]);
    }
    for email in EMAILS {
        assert_eq!(ids(&history(&scene, of("", email, "")).await), named(&[cases[3], cases[2]]), "{email}");
    }
    assert_eq!(ids(&history(&scene, of("c17", "", "")).await), named(&[cases[3], cases[1]]));

    // What a case knows is gone by together, and who may be another is told apart.
    let found = history(&scene, of_case(cases[1])).await;
    assert_eq!(ids(&found), named(&[cases[4], cases[3], cases[2], cases[1], cases[0]]));
    assert_eq!((found.total, found.open, found.complete), (5, 5, true));
    assert_eq!(found.outcomes, [OutcomeCount { outcome: 0, count: 5 }]);
    let household = &found.cases[0];
    assert_eq!(household.same().collect::<Vec<_>>(), [ComplainantIdentifier::Phone]);
    assert_eq!(household.differing().collect::<Vec<_>>(), [ComplainantIdentifier::CustomerNumber]);
    let itself = &found.cases[3];
    let both = [ComplainantIdentifier::CustomerNumber, ComplainantIdentifier::Phone];
    assert_eq!(itself.same().collect::<Vec<_>>(), both);
    assert!(itself.differing.is_empty());
    assert_eq!((itself.channel(), itself.subject.as_str()), (Channel::Web, "Kettle arrived broken"));

    // Nobody but they themselves, and nobody at all.
    assert_eq!(ids(&history(&scene, of_case(cases[5])).await), named(&[cases[5]]));
    let none = history(&scene, of("", "nobody@example.org", "")).await;
    assert_eq!((none.cases.len(), none.total, none.open, none.outcomes.len()), (0, 0, 0, 0));
    let nameless = scene.register(by("", "", "")).await;
    let alone = history(&scene, of_case(nameless)).await;
    assert_eq!((ids(&alone), alone.identifiers.len()), (named(&[nameless]), 0));
    assert!(alone.cases[0].same.is_empty());
    scene.house.done().await;
}

#[tokio::test]
async fn how_each_ended_is_told_and_counted() {
    let scene = Scene::timed().await;
    let mut cases = Vec::new();
    for _ in 0..3 {
        scene.advance(jiff::SignedDuration::from_secs(60));
        cases.push(scene.register(by("", "ann@example.org", "")).await);
    }
    for case in &cases[..2] {
        scene.house.tell("assignment", *case, &assigned(*case, 1, "bob")).await;
        scene.house.settled().await;
        scene.decide(*case, false).await;
    }
    scene.respond(cases[0], 1, Response::Accepted, "").await;
    let found = history(&scene, of("", "ann@example.org", "")).await;
    let told: Vec<_> = found.cases.iter().map(|case| (case.state(), case.outcome())).collect();
    let upheld = Outcome::Upheld;
    assert_eq!(
        told,
        [
            (CaseState::Triaged, Outcome::Unspecified),
            (CaseState::Resolved, upheld),
            (CaseState::Closed, upheld)
        ]
    );
    assert_eq!((found.total, found.open), (3, 2));
    let counted: Vec<_> = found.outcomes.iter().map(|count| (count.outcome(), count.count)).collect();
    assert_eq!(counted, [(upheld, 2), (Outcome::Unspecified, 1)]);
    let full = scene.case(cases[0]).await;
    let short = &found.cases[2];
    assert_eq!(
        (short.case_id.clone(), short.category.clone(), short.receive_time, short.close_time),
        (full.case_id, full.category, full.receive_time, full.close_time)
    );
    assert!(short.close_time.is_some() && found.cases[1].close_time.is_none());
    scene.house.done().await;
}

/// Those received long ago and brought here today come last.
#[tokio::test]
async fn pages_are_in_the_order_of_receipt_and_belong_to_their_question() {
    let scene = Scene::timed().await;
    let mut expected = Vec::new();
    for days in [3, 1, 5, 1, 2, 4, 1] {
        let received = scene.now() - jiff::SignedDuration::from_hours(24 * days);
        let case = scene.register_received(by("", "ann@example.org", ""), received).await;
        expected.push((received, case));
    }
    expected.sort_by(|one, other| other.cmp(one));
    let expected: Vec<_> = expected.into_iter().map(|(_, case)| case.to_string()).collect();
    let request = GetComplainantHistoryRequest { page_size: 2, ..of("", "ann@example.org", "") };
    let (mut walked, mut token) = (Vec::new(), String::new());
    loop {
        let asked = GetComplainantHistoryRequest { page_token: token.clone(), ..request.clone() };
        let page = history(&scene, asked).await;
        assert_eq!((page.total, page.outcomes.len()), (7, 1), "every page counts all");
        walked.extend(ids(&page));
        if page.next_page_token.is_empty() {
            break;
        }
        token = page.next_page_token;
    }
    assert_eq!(walked, expected);
    let elsewhere = GetComplainantHistoryRequest { page_token: token, ..of("", "bob@example.org", "") };
    let refusal = ask(&scene, elsewhere).await.expect_err("a token of another history");
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::InvalidArgument, "INVALID_HISTORY"));
    scene.house.done().await;
}

#[tokio::test]
async fn what_names_nobody_is_refused() {
    let scene = Scene::open().await;
    let both = GetComplainantHistoryRequest { phone: PHONES[0].to_owned(), ..of_case(Uuid::from_u128(7)) };
    let long = "1".repeat(41);
    for (request, fields) in [
        (of("", "", ""), vec!["case_id"]),
        (both, vec!["case_id"]),
        (of("--", "ada", "12345"), vec!["customer_id", "phone", "email"]),
        (of("", "", &long), vec!["phone"]),
        (GetComplainantHistoryRequest { page_size: 501, ..of("c-1", "", "") }, vec!["page_size"]),
    ] {
        let refusal = ask(&scene, request).await.expect_err("it names nobody");
        assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::InvalidArgument, "INVALID_HISTORY"));
        assert_eq!(violations(&refusal), fields);
    }
    let refusal = ask(&scene, of_case(Uuid::from_u128(7))).await.expect_err("no case");
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::NotFound, "CASE_NOT_FOUND"));
    scene.house.done().await;
}

#[tokio::test]
async fn a_history_is_of_one_tenant_and_for_its_staff() {
    let house = House::builder(&[cases::SERVICE]).identified().open().await;
    let now = house.db("cases").clock().now();
    for (tenant, case) in [("tenant-a", 1_u128), ("tenant-b", 2)] {
        let case = Uuid::from_u128(1 << 80 | case);
        house.tell_as(tenant, "intake", case, &registered(case, by("", EMAILS[0], ""), now)).await;
    }
    house.settled().await;
    for role in ["agent", "supervisor", "reader"] {
        let mut client = ComplainantServiceClient::new(house.channel_as("tenant-a", "ann", &[role]));
        let found = client.get_complainant_history(of("", EMAILS[1], "")).await.expect(role).into_inner();
        assert_eq!((found.total, found.cases.len()), (1, 1), "{role}");
    }
    for role in ["channel", "department-worker", "admin"] {
        let mut client = ComplainantServiceClient::new(house.channel_as("tenant-a", "ann", &[role]));
        let refusal = client.get_complainant_history(of("", EMAILS[1], "")).await.expect_err(role);
        assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::PermissionDenied, "ROLE_REQUIRED"));
    }
    house.done().await;
}
