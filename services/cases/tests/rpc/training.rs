//! Training cases: picked, made of closed cases without those they are about, reviewed by
//! another, exported.

use proto::redress::assignment::v1::AgentChanged;
use proto::redress::cases::v1::training_service_client::TrainingServiceClient;
use proto::redress::cases::v1::{
    AddNoteRequest, CaseChallenge, CaseState, CreateTrainingCaseRequest, EditTrainingCaseRequest,
    ExportTrainingCasesRequest, ExportedTrainingCase, GetTrainingCaseRequest, ListTrainingCasesRequest,
    PersonalDetail, PersonalDetailKind, PickTrainingCasesRequest, PickTrainingCasesResponse,
    PublishTrainingCaseRequest, ReopenCaseRequest, RetireTrainingCaseRequest, SubmitTrainingCaseRequest,
    TrainingCase, TrainingCaseState, TrainingContent, TrainingPick, TrainingStep, Visibility,
};
use proto::redress::feedback::v1::Response;
use proto::redress::intake::v1::{Complainant, Complaint, Respondent};
use testkit::{CallerChannel, House, reason, request_id, violations};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::scene::{Scene, complaint};

type Client = TrainingServiceClient<CallerChannel>;

fn of(scene: &Scene, subject: &str) -> Client {
    TrainingServiceClient::new(scene.house.channel_as("development", subject, &[]))
}

fn refused<T: std::fmt::Debug>(answer: Result<T, Status>) -> (Code, String) {
    let refusal = answer.expect_err("it must be refused");
    (refusal.code(), reason(&refusal))
}

fn of_miller() -> Complaint {
    Complaint {
        subject: "Kettle of Joan Miller broken".to_owned(),
        description: "I am Joan Miller, order A-17. Call 13800138000 or write to joan@example.org.\n\
                      我的地址：北京市朝阳区建国路88号3栋201室。Since 2020-01-01 nothing happened."
            .to_owned(),
        complainant: Some(Complainant { customer_id: "C-77".to_owned(), ..Complainant::default() }),
        respondent: Some(Respondent {
            staff: "mallory".to_owned(),
            order_ref: "A-17".to_owned(),
            ..Respondent::default()
        }),
        ..complaint()
    }
}

/// Handled by bob, disputed, handled again, accepted.
async fn closed(scene: &Scene, complaint: Complaint) -> Uuid {
    let case = scene.register(complaint).await;
    scene.assign(case, 1).await;
    scene.decide(case, false).await;
    scene.respond(case, 1, Response::Disputed, "").await;
    scene.assign(case, 2).await;
    scene.decide(case, false).await;
    scene.respond(case, 2, Response::Accepted, "").await;
    assert_eq!(scene.case(case).await.state(), CaseState::Closed);
    case
}

/// Handled by bob, and accepted.
async fn plain(scene: &Scene) -> Uuid {
    let case = scene.resolved().await;
    scene.respond(case, 1, Response::Accepted, "").await;
    case
}

fn joan() -> PersonalDetail {
    PersonalDetail { kind: PersonalDetailKind::Name.into(), value: "Joan Miller".to_owned() }
}

async fn create(client: &mut Client, case: Uuid) -> Result<TrainingCase, Status> {
    let (request_id, case_id) = (request_id(), case.to_string());
    let request = CreateTrainingCaseRequest { request_id, case_id, details: vec![joan()] };
    Ok(client.create_training_case(request).await?.into_inner().training_case.expect("a training case"))
}

async fn edit(
    client: &mut Client,
    seen: &TrainingCase,
    content: TrainingContent,
) -> Result<TrainingCase, Status> {
    let request = EditTrainingCaseRequest {
        request_id: request_id(),
        training_case_id: seen.training_case_id.clone(),
        expected_version: seen.version,
        content: Some(content),
    };
    Ok(client.edit_training_case(request).await?.into_inner().training_case.expect("a training case"))
}

async fn submit(client: &mut Client, seen: &TrainingCase) -> Result<TrainingCase, Status> {
    let (training_case_id, expected_version) = (seen.training_case_id.clone(), seen.version);
    let request = SubmitTrainingCaseRequest { request_id: request_id(), training_case_id, expected_version };
    Ok(client.submit_training_case(request).await?.into_inner().training_case.expect("a training case"))
}

async fn publish(client: &mut Client, seen: &TrainingCase) -> Result<TrainingCase, Status> {
    let (training_case_id, expected_version) = (seen.training_case_id.clone(), seen.version);
    let request = PublishTrainingCaseRequest { request_id: request_id(), training_case_id, expected_version };
    Ok(client.publish_training_case(request).await?.into_inner().training_case.expect("a training case"))
}

async fn retire(client: &mut Client, seen: &TrainingCase) -> Result<TrainingCase, Status> {
    let request = RetireTrainingCaseRequest {
        request_id: request_id(),
        training_case_id: seen.training_case_id.clone(),
        expected_version: seen.version,
        reason: "it is wrong".to_owned(),
    };
    Ok(client.retire_training_case(request).await?.into_inner().training_case.expect("a training case"))
}

async fn exported(client: &mut Client, request: ExportTrainingCasesRequest) -> Vec<ExportedTrainingCase> {
    let mut messages = client.export_training_cases(request).await.expect("they are sent").into_inner();
    let mut all = Vec::new();
    while let Some(message) = messages.message().await.expect("the next") {
        all.push(message.training_case.expect("a training case"));
    }
    all
}

fn content(made: &TrainingCase) -> TrainingContent {
    made.content.clone().expect("texts")
}

#[tokio::test]
async fn a_training_case_tells_what_happened_and_not_to_whom() {
    let scene = Scene::open().await;
    let mut ann = of(&scene, "ann");
    let case = scene.register(of_miller()).await;
    let early = create(&mut ann, case).await;
    assert_eq!(refused(early), (Code::FailedPrecondition, "INVALID_CASE_STATE".to_owned()));
    scene.assign(case, 1).await;
    let mut note = AddNoteRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        text: "Only for few: the neighbour did it.".to_owned(),
        visibility: Visibility::Restricted.into(),
    };
    scene.cases.clone().add_note(note.clone()).await.expect("a note");
    note = AddNoteRequest {
        request_id: request_id(),
        text: "Ms Miller of a17 told bob that mallory lied, see 0190a5c4-7d00-7000-8000-0123456789ab."
            .to_owned(),
        visibility: Visibility::Internal.into(),
        ..note
    };
    scene.cases.clone().add_note(note).await.expect("a note");
    scene.decide(case, false).await;
    scene.respond(case, 1, Response::Accepted, "").await;

    let made = create(&mut ann, case).await.expect("it is made");
    let told = content(&made);
    assert_eq!(told.title, "Kettle of [NAME 1] broken");
    assert_eq!(
        told.description,
        "I am [NAME 1], order [ORDER 1]. Call [PHONE 1] or write to [EMAIL 1].\n\
         我的地址：[ADDRESS 1]。Since [DATE 1] nothing happened."
    );
    let texts: Vec<&str> = told.steps.iter().map(|step| step.text.as_str()).collect();
    let noted = "Ms [NAME 1] of [ORDER 1] told [NAME 2] that [NAME 3] lied, see [NUMBER 1].";
    assert!(texts.contains(&noted), "{texts:?}");
    assert!(texts.iter().any(|text| text.starts_with("assigned to [NAME 2] of logistics")), "{texts:?}");
    assert!(!texts.iter().any(|text| text.contains("neighbour")), "what is restricted is not told");
    assert_eq!(told.decision_reasons, "the carrier dropped it");
    assert_eq!((made.state(), made.author.as_str()), (TrainingCaseState::Draft, "ann"));
    assert_eq!(made.source_case_id, case.to_string());
    let all = format!("{told:?}");
    for detail in ["Miller", "Joan", "joan@", "A-17", "a17", "138", "建国路", "bob", "mallory", "C-77"] {
        assert!(!all.contains(detail), "{detail}: {all}");
    }
    let again = create(&mut ann, case).await;
    assert_eq!(refused(again), (Code::FailedPrecondition, "CASE_USED_FOR_TRAINING".to_owned()));
    scene.house.done().await;
}

#[tokio::test]
async fn whom_the_case_is_about_makes_no_training_case_of_it_and_a_repeated_request_makes_one() {
    let scene = Scene::open().await;
    let case = plain(&scene).await;
    let own = create(&mut of(&scene, "mallory"), case).await;
    assert_eq!(refused(own), (Code::PermissionDenied, "CALLER_RECUSED".to_owned()));
    let mut ann = of(&scene, "ann");
    let (request_id, case_id) = (request_id(), case.to_string());
    let request = CreateTrainingCaseRequest { request_id, case_id, details: vec![] };
    let first = ann.create_training_case(request.clone()).await.expect("it is made").into_inner();
    assert_eq!(ann.create_training_case(request).await.expect("the same answer").into_inner(), first);
    let unknown = create(&mut ann, Uuid::nil()).await;
    assert_eq!(refused(unknown), (Code::NotFound, "CASE_NOT_FOUND".to_owned()));
    scene.house.done().await;
}

#[tokio::test]
async fn another_person_publishes_it_and_nobody_knows_its_case_from_then_on() {
    let scene = Scene::open().await;
    let (mut ann, mut bo) = (of(&scene, "ann"), of(&scene, "bo"));
    let case = closed(&scene, of_miller()).await;
    let draft = create(&mut ann, case).await.expect("it is made");
    assert_eq!(draft.challenges, [CaseChallenge::Reopened, CaseChallenge::Disputed].map(i32::from));
    let taught = TrainingContent { lesson: "Look at the carrier first.".to_owned(), ..content(&draft) };
    let edited = edit(&mut ann, &draft, taught.clone()).await.expect("it is edited");
    let early = publish(&mut bo, &edited).await;
    assert_eq!(refused(early), (Code::FailedPrecondition, "INVALID_TRAINING_CASE_STATE".to_owned()));
    let submitted = submit(&mut ann, &edited).await.expect("it is handed in");
    assert_eq!(submitted.source_case_id, case.to_string(), "who reviews it compares them");
    let own = publish(&mut ann, &submitted).await;
    assert_eq!(refused(own), (Code::PermissionDenied, "TRAINING_CASE_REVIEWER_IS_AUTHOR".to_owned()));
    assert!(exported(&mut bo, ExportTrainingCasesRequest::default()).await.is_empty());
    let published = publish(&mut bo, &submitted).await.expect("by another");
    assert_eq!((published.published_revision, published.reviewer.as_str()), (2, "bo"));
    assert_eq!(published.source_case_id, "");

    let all = exported(&mut ann, ExportTrainingCasesRequest::default()).await;
    assert_eq!((all.len(), all[0].content.as_ref()), (1, Some(&taught)));
    assert!(!format!("{all:?}").contains(&case.to_string()), "{all:?}");
    let mut of_zh = ExportTrainingCasesRequest { language: "zh".to_owned(), ..Default::default() };
    assert!(exported(&mut ann, of_zh.clone()).await.is_empty());
    of_zh.language = "en-GB".to_owned();
    assert_eq!(exported(&mut ann, of_zh).await.len(), 1);
    let rows: i64 =
        sqlx::query_scalar("SELECT count(*) FROM cases.training_source WHERE training_case_id IS NOT NULL")
            .fetch_one(&mut scene.house.owner().await)
            .await
            .expect("they are counted");
    assert_eq!(rows, 0, "no row joins them");
    let again = create(&mut ann, case).await;
    assert_eq!(refused(again), (Code::FailedPrecondition, "CASE_USED_FOR_TRAINING".to_owned()));

    // The next revision goes the same way; until then the one in force is told.
    let next = edit(&mut ann, &published, content(&draft)).await.expect("again");
    assert_eq!((next.state(), next.published_revision, next.revision), (TrainingCaseState::Draft, 2, 3));
    assert_eq!(exported(&mut ann, ExportTrainingCasesRequest::default()).await[0].revision, 2);
    let request = GetTrainingCaseRequest { training_case_id: next.training_case_id.clone(), revision: 2 };
    let read = ann.get_training_case(request).await.expect("it is kept").into_inner().training_case;
    assert_eq!(read.expect("a training case").content, Some(taught));
    let retired = retire(&mut bo, &next).await.expect("it is taken out of use");
    assert_eq!((retired.state(), retired.retirer.as_str()), (TrainingCaseState::Retired, "bo"));
    assert!(exported(&mut ann, ExportTrainingCasesRequest::default()).await.is_empty());
    let over = edit(&mut ann, &retired, content(&draft)).await;
    assert_eq!(refused(over), (Code::FailedPrecondition, "INVALID_TRAINING_CASE_STATE".to_owned()));
    assert_eq!(refused(publish(&mut bo, &next).await), (Code::Aborted, "VERSION_MISMATCH".to_owned()));
    scene.house.done().await;
}

#[tokio::test]
async fn a_draft_that_is_retired_leaves_its_case_free() {
    let scene = Scene::open().await;
    let case = plain(&scene).await;
    let draft = create(&mut of(&scene, "ann"), case).await.expect("it is made");
    let retired = retire(&mut of(&scene, "bo"), &draft).await.expect("it is taken out of use");
    assert_eq!(retired.source_case_id, "");
    create(&mut of(&scene, "ann"), case).await.expect("another is made");
    scene.house.done().await;
}

#[tokio::test]
async fn an_edit_that_tells_who_somebody_is_is_refused_by_kind_and_place_and_not_repeated() {
    let scene = Scene::open().await;
    let mut ann = of(&scene, "ann");
    let case = closed(&scene, of_miller()).await;
    let draft = create(&mut ann, case).await.expect("it is made");
    let said = |refusal: &Status| -> Vec<String> {
        let told = refusal.get_details_bad_request().expect("each is told").field_violations;
        told.into_iter().map(|one| format!("{}: {}", one.field, one.description)).collect()
    };
    let mut wrong = content(&draft);
    wrong.findings = "Fine.\nCall 13900139000 on 2026-11-05".to_owned();
    wrong.steps[0].text = "王小明先生来电".to_owned();
    let refusal = edit(&mut ann, &draft, wrong).await.expect_err("it must be refused");
    assert_eq!(
        (refusal.code(), reason(&refusal)),
        (Code::InvalidArgument, "INVALID_TRAINING_CASE".to_owned())
    );
    assert_eq!(
        said(&refusal),
        [
            "content.findings: must not have a telephone number: see line 2, character 6",
            "content.findings: must not have a date: see line 2, character 21",
            "content.steps[0].text: must not have the name of a person: see line 1, character 1",
        ]
    );
    assert!(!format!("{refusal:?}").contains("13900139000"));
    // What only the case lets know: who handled it, and its order.
    let wrong = TrainingContent { lesson: "bob sent A-17".to_owned(), ..content(&draft) };
    let refusal = edit(&mut ann, &draft, wrong).await.expect_err("it must be refused");
    assert_eq!(
        said(&refusal),
        [
            "content.lesson: must not have the name of a person: see line 1, character 1",
            "content.lesson: must not have the number of an order: see line 1, character 10",
        ]
    );
    let step = TrainingStep { cycle: 0, ..TrainingStep::default() };
    let wrong = TrainingContent { title: String::new(), steps: vec![step], ..content(&draft) };
    let refusal = edit(&mut ann, &draft, wrong).await.expect_err("it must be refused");
    let steps = ["cycle", "kind", "text"].map(|field| format!("content.steps[0].{field}"));
    assert_eq!(violations(&refusal), [&["content.title".to_owned()], &steps[..]].concat());
    scene.house.done().await;
}

#[tokio::test]
async fn whoever_of_the_staff_is_only_mentioned_is_not_told() {
    let scene = Scene::open().await;
    let mut ann = of(&scene, "ann");
    let named = AgentChanged {
        agent_id: "zhao.min".to_owned(),
        version: 1,
        display_name: "Zhao Min".to_owned(),
        department_id: "logistics".to_owned(),
    };
    scene.house.tell("assignment", scene.new_id(), &named).await;
    scene.house.settled().await;
    let case = scene.register(of_miller()).await;
    scene.assign(case, 1).await;
    let note = AddNoteRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        text: "bob 16/20, zhao.min 20/24: Zhao Min has less room".to_owned(),
        visibility: Visibility::Internal.into(),
    };
    scene.cases.clone().add_note(note).await.expect("a note");
    scene.decide(case, false).await;
    scene.respond(case, 1, Response::Accepted, "").await;
    let told = content(&create(&mut ann, case).await.expect("it is made"));
    let noted = "[NAME 2] 16/20, [NAME 3] 20/24: [NAME 3] has less room";
    assert!(told.steps.iter().any(|step| step.text == noted), "{:?}", told.steps);
    scene.house.done().await;
}

#[tokio::test]
async fn what_is_known_of_the_case_by_then_is_not_published() {
    let scene = Scene::open().await;
    let mut ann = of(&scene, "ann");
    let case = plain(&scene).await;
    let draft = create(&mut ann, case).await.expect("it is made");
    let taught = TrainingContent { lesson: "Ask as Robinson did.".to_owned(), ..content(&draft) };
    let edited = edit(&mut ann, &draft, taught).await.expect("nobody is known by that name");
    let submitted = submit(&mut ann, &edited).await.expect("it is handed in");
    let named = AgentChanged {
        agent_id: "bob".to_owned(),
        version: 1,
        display_name: "Bob Robinson".to_owned(),
        department_id: "logistics".to_owned(),
    };
    scene.house.tell("assignment", scene.new_id(), &named).await;
    scene.house.settled().await;
    let refusal = publish(&mut of(&scene, "bo"), &submitted).await.expect_err("it must be refused");
    assert_eq!(
        (reason(&refusal), violations(&refusal)),
        ("INVALID_TRAINING_CASE".to_owned(), vec!["content.lesson".to_owned()])
    );
    scene.house.done().await;
}

async fn picked(scene: &Scene, seed: &str, most: i32) -> PickTrainingCasesResponse {
    let today = scene.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let request = PickTrainingCasesRequest {
        start_date: today.to_string(),
        end_date: today.tomorrow().expect("there is one").to_string(),
        max_results: most,
        seed: seed.to_owned(),
        ..PickTrainingCasesRequest::default()
    };
    of(scene, "ann").pick_training_cases(request).await.expect("they are picked").into_inner()
}

#[tokio::test]
async fn hard_cases_are_picked_first_then_ordinary_ones_and_none_twice() {
    let scene = Scene::timed().await;
    let (first, second) = (plain(&scene).await, plain(&scene).await);
    scene.resolved().await;
    let hard = closed(&scene, complaint()).await;
    let found = picked(&scene, "x", 0).await;
    let hard_id = hard.to_string();
    let is_hard = |pick: &&TrainingPick| pick.case_id == hard_id;
    assert_eq!((found.case_count, found.picks.len()), (3, 3));
    // It is more urgent since it was reopened: the first of its own stratum, or of the one of all.
    let why = found.picks.iter().find(is_hard).expect("it is picked");
    assert_eq!((why.round, why.drawn_from_count), (1, 1));
    assert_eq!(why.challenges, [CaseChallenge::Reopened, CaseChallenge::Disputed].map(i32::from));
    let others: Vec<_> = found.picks.iter().filter(|pick| !is_hard(pick)).collect();
    assert!(others.iter().all(|pick| pick.drawn_from_count == 2 && pick.challenges.is_empty()), "{others:?}");
    assert!(others[0].round < others[1].round, "{others:?}");
    assert_eq!(picked(&scene, "x", 0).await, found, "whoever has the seed draws the same");
    assert_eq!(picked(&scene, "x", 2).await.picks[..], found.picks[..2]);
    let seeds = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let mut drawn = std::collections::BTreeSet::new();
    for seed in seeds {
        let picks = picked(&scene, seed, 3).await.picks;
        drawn.extend(picks.iter().find(|pick| !is_hard(pick)).map(|pick| pick.case_id.clone()));
    }
    assert_eq!(drawn, [first, second].map(|case| case.to_string()).into(), "by lot");
    create(&mut of(&scene, "ann"), hard).await.expect("it is made");
    assert_eq!(picked(&scene, "x", 0).await.case_count, 2, "it is a training case now");
    scene.house.done().await;
}

#[tokio::test]
async fn lists_are_of_a_state_a_category_a_language_and_of_what_was_hard() {
    let scene = Scene::open().await;
    let mut ann = of(&scene, "ann");
    let one = create(&mut ann, plain(&scene).await).await.expect("it is made");
    let other = create(&mut ann, closed(&scene, complaint()).await).await.expect("it is made");
    let by = async |request: ListTrainingCasesRequest| -> Vec<String> {
        let listed = of(&scene, "ann").list_training_cases(request).await.expect("they are listed");
        listed.into_inner().training_cases.into_iter().map(|one| one.training_case_id).collect()
    };
    let all = ListTrainingCasesRequest::default();
    let newest_first = [other.training_case_id.clone(), one.training_case_id.clone()];
    assert_eq!(by(all.clone()).await, newest_first);
    assert_eq!(by(ListTrainingCasesRequest { language: "en".to_owned(), ..all.clone() }).await, newest_first);
    assert!(by(ListTrainingCasesRequest { in_force: true, ..all.clone() }).await.is_empty());
    let request = ListTrainingCasesRequest { challenge: CaseChallenge::Disputed.into(), ..all.clone() };
    assert_eq!(by(request).await, newest_first[..1]);
    let request = ListTrainingCasesRequest { category: one.category.clone(), ..all.clone() };
    assert_eq!(by(request).await, newest_first);
    let request = ListTrainingCasesRequest { category: "nothing".to_owned(), ..all.clone() };
    assert!(by(request).await.is_empty());
    submit(&mut ann, &one).await.expect("it is handed in");
    let request = ListTrainingCasesRequest { state: TrainingCaseState::InReview.into(), ..all.clone() };
    assert_eq!(by(request).await, newest_first[1..]);
    let page = ListTrainingCasesRequest { page_size: 1, ..all };
    let first = ann.list_training_cases(page.clone()).await.expect("a page").into_inner();
    assert_eq!(first.training_cases[0].content.as_ref().expect("a title").description, "");
    let rest = ListTrainingCasesRequest { page_token: first.next_page_token, ..page };
    assert_eq!(by(rest).await, newest_first[1..]);
    scene.house.done().await;
}

#[tokio::test]
async fn another_tenant_sees_no_training_case_and_an_agent_publishes_none() {
    let house = House::builder(&[cases::SERVICE]).identified().open().await;
    let of = |tenant: &str, role: &str| TrainingServiceClient::new(house.channel_as(tenant, role, &[role]));
    let request = PublishTrainingCaseRequest {
        request_id: request_id(),
        training_case_id: Uuid::nil().to_string(),
        expected_version: 1,
    };
    for role in ["reader", "agent", "admin"] {
        let refusal = refused(of("acme", role).publish_training_case(request.clone()).await);
        assert_eq!(refusal, (Code::PermissionDenied, "ROLE_REQUIRED".to_owned()), "{role}");
    }
    house.done().await;
}

#[tokio::test]
async fn a_case_that_was_taken_up_again_makes_none() {
    let scene = Scene::open().await;
    let case = plain(&scene).await;
    let request = ReopenCaseRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        expected_version: None,
        reason: "it broke again".to_owned(),
    };
    scene.cases.clone().reopen_case(request).await.expect("it is taken up again");
    let open = create(&mut of(&scene, "ann"), case).await;
    assert_eq!(refused(open), (Code::FailedPrecondition, "INVALID_CASE_STATE".to_owned()));
    scene.house.done().await;
}
