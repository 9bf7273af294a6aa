//! Recalls: one article, many cases, tasks to each department, and how far they are.

use std::slice;

use proto::redress::cases::v1::{CaseClosed, CaseOpened, CloseReason, Priority};
use proto::redress::resolution::v1::recall_service_client::RecallServiceClient;
use proto::redress::resolution::v1::{
    AddRecallCasesRequest, AddRecallCasesResponse, CancelRecallRequest, CloseRecallRequest, GetRecallRequest,
    GetRecallResponse, Goods, Lease, ListRecallCandidatesRequest, ListRecallCasesRequest, ListRecallsRequest,
    OpenRecallRequest, Recall, RecallCaseAdded, RecallCaseVerdict, RecallClosed, RecallCounts, RecallMeasure,
    RecallOpened, RecallState, RecallVerdict, RemedyKind, TaskCompleted,
};
use testkit::{CallerChannel, request_id};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::repeated;
use crate::world::{World, exchange, invalid, poll, refused};

type Client = RecallServiceClient<CallerChannel>;

pub(crate) fn client(world: &World, subject: &str) -> Client {
    Client::new(world.house.channel_as("development", subject, &["supervisor"]))
}

/// A case about `mallory` that is looked into.
pub(crate) async fn open_case(world: &World) -> Uuid {
    let case = Uuid::try_parse(&request_id()).unwrap();
    let opened = CaseOpened {
        case_id: case.to_string(),
        cycle: 1,
        priority: Priority::P2.into(),
        recused_subjects: vec!["mallory".to_owned()],
        ..CaseOpened::default()
    };
    world.house.tell("cases", case, &opened).await;
    case
}

pub(crate) async fn open_cases(world: &World, number: usize) -> Vec<Uuid> {
    let mut cases = Vec::with_capacity(number);
    for _ in 0..number {
        cases.push(open_case(world).await);
    }
    world.house.settled().await;
    cases
}

pub(crate) async fn close_case(world: &World, case: Uuid) {
    let close = CaseClosed { case_id: case.to_string(), cycle: 1, reason: CloseReason::Staff.into() };
    world.house.tell("cases", case, &close).await;
    world.house.settled().await;
}

pub(crate) fn measure(department: &str, kind: RemedyKind) -> RecallMeasure {
    RecallMeasure {
        department_id: department.to_owned(),
        kind: kind.into(),
        goods: None,
        instructions: "as the notice says".to_owned(),
    }
}

fn swap() -> RecallMeasure {
    let goods = Some(Goods { sku: "A-18".to_owned(), quantity: 1 });
    RecallMeasure { goods, ..measure("warehouse", RemedyKind::Exchange) }
}

pub(crate) fn opening() -> OpenRecallRequest {
    OpenRecallRequest {
        request_id: request_id(),
        sku: "A-17".to_owned(),
        lot: "L-9".to_owned(),
        reason: "the handle breaks".to_owned(),
        notice: "do not use it; we exchange it".to_owned(),
        measures: vec![measure("service", RemedyKind::RecallNotice), swap()],
    }
}

pub(crate) async fn opened(world: &World) -> Recall {
    client(world, "boss").open_recall(opening()).await.unwrap().into_inner().recall.unwrap()
}

pub(crate) fn adding(recall: &Recall, cases: &[Uuid]) -> AddRecallCasesRequest {
    AddRecallCasesRequest {
        request_id: request_id(),
        recall_id: recall.recall_id.clone(),
        expected_version: None,
        case_ids: cases.iter().map(Uuid::to_string).collect(),
    }
}

pub(crate) async fn add(world: &World, recall: &Recall, cases: &[Uuid]) -> AddRecallCasesResponse {
    client(world, "boss").add_recall_cases(adding(recall, cases)).await.unwrap().into_inner()
}

fn verdicts(answer: &AddRecallCasesResponse) -> Vec<RecallVerdict> {
    answer.verdicts.iter().map(RecallCaseVerdict::verdict).collect()
}

pub(crate) fn closing(recall: &Recall) -> CloseRecallRequest {
    CloseRecallRequest {
        request_id: request_id(),
        recall_id: recall.recall_id.clone(),
        expected_version: None,
        reason: "all have another".to_owned(),
    }
}

pub(crate) fn calling_off(recall: &Recall) -> CancelRecallRequest {
    CancelRecallRequest {
        request_id: request_id(),
        recall_id: recall.recall_id.clone(),
        expected_version: None,
        reason: "it was another lot".to_owned(),
    }
}

pub(crate) async fn cancel(world: &World, recall: &Recall) -> Result<Recall, Status> {
    let answer = client(world, "boss").cancel_recall(calling_off(recall)).await?;
    Ok(answer.into_inner().recall.unwrap())
}

async fn view(world: &World, recall: &Recall) -> GetRecallResponse {
    let request = GetRecallRequest { recall_id: recall.recall_id.clone() };
    client(world, "reader").get_recall(request).await.unwrap().into_inner()
}

/// All its tasks, and how many of a hundred are done.
pub(crate) async fn counts(world: &World, recall: &Recall) -> (RecallCounts, i32) {
    let progress = view(world, recall).await.progress.unwrap();
    (progress.counts.unwrap(), progress.done_percent)
}

async fn complete_all(world: &World, leases: &[Lease]) {
    for lease in leases {
        world.complete(lease).await.unwrap();
    }
}

fn of(waiting: i32, held: i32, done: i32) -> RecallCounts {
    RecallCounts { waiting, held, done, ..RecallCounts::default() }
}

#[tokio::test]
async fn a_recall_over_three_cases_and_two_departments_is_carried_out_and_closed() {
    let world = World::identified().await;
    let cases = open_cases(&world, 3).await;
    let mut boss = client(&world, "boss");
    let change = |other: &mut OpenRecallRequest| other.lot.push('!');
    let recall = repeated!(boss, open_recall, opening(), change).recall.unwrap();
    assert_eq!((recall.state(), recall.version, recall.case_count), (RecallState::Open, 1, 0));
    assert_eq!((recall.opener.as_str(), recall.measures.clone()), ("boss", opening().measures));
    assert_eq!(counts(&world, &recall).await, (RecallCounts::default(), 0));

    let change = |other: &mut AddRecallCasesRequest| other.case_ids.push(request_id());
    let added = repeated!(boss, add_recall_cases, adding(&recall, &cases), change);
    assert_eq!(verdicts(&added), [RecallVerdict::Added; 3]);
    let after = added.recall.unwrap();
    assert_eq!((after.version, after.case_count), (2, 3));
    assert_eq!(counts(&world, &recall).await, (of(6, 0, 0), 0), "a task to each department for each");

    let service = world.poll("service").await;
    assert_eq!(service.len(), 3);
    let task = service[0].task.clone().unwrap();
    assert_eq!((task.plan_id.as_str(), task.recall_id.as_str()), ("", recall.recall_id.as_str()));
    assert_eq!((task.kind(), task.requester.as_str()), (RemedyKind::RecallNotice, "boss"));
    complete_all(&world, &service[..2]).await;
    let progress = view(&world, &recall).await.progress.unwrap();
    let departments: Vec<_> =
        progress.departments.iter().map(|one| (one.department_id.as_str(), one.counts.unwrap())).collect();
    assert_eq!(departments, [("service", of(0, 1, 2)), ("warehouse", of(3, 0, 0))]);
    assert_eq!((progress.counts, progress.done_percent), (Some(of(3, 1, 2)), 33));
    let early = boss.close_recall(closing(&recall)).await;
    assert!(early.as_ref().unwrap_err().message().starts_with("4 of its tasks"), "{early:?}");
    refused(early, Code::FailedPrecondition, "RECALL_TASKS_OPEN");

    complete_all(&world, &service[2..]).await;
    complete_all(&world, &world.poll("warehouse").await).await;
    assert_eq!(counts(&world, &recall).await, (of(0, 0, 6), 100));
    assert_eq!(view(&world, &recall).await.recall.unwrap().state(), RecallState::Open, "people close it");
    let change = |other: &mut CloseRecallRequest| other.reason.push('!');
    let closed = repeated!(boss, close_recall, closing(&recall), change).recall.unwrap();
    assert_eq!((closed.state(), closed.ender.as_str()), (RecallState::Closed, "boss"));
    assert_eq!(view(&world, &recall).await.recall.unwrap(), closed, "as it is kept");

    let opened = world.house.published::<RecallOpened>("resolution").await;
    assert_eq!((opened.len(), opened[0].lot.as_str()), (1, "L-9"));
    let told = world.house.published::<RecallCaseAdded>("resolution").await;
    assert_eq!((told.len(), told[0].notice.as_str()), (3, "do not use it; we exchange it"), "once for each");
    let ended = world.house.published::<RecallClosed>("resolution").await;
    assert_eq!((ended.len(), ended[0].cancelled, ended[0].case_count), (1, false, 3));
    let done = world.house.published::<TaskCompleted>("resolution").await;
    assert!(done.len() == 6 && done.iter().all(|one| one.recall_id == recall.recall_id), "{done:?}");
    world.house.done().await;
}

#[tokio::test]
async fn each_case_has_its_verdict_and_one_that_cannot_be_added_stays_out() {
    let world = World::identified().await;
    let cases = open_cases(&world, 3).await;
    close_case(&world, cases[2]).await;
    let recall = opened(&world).await;
    add(&world, &recall, &cases[..1]).await;
    let unknown = Uuid::from_u128(7);
    let asked = [cases[0], cases[1], cases[1], unknown, cases[2]];
    let answer = add(&world, &recall, &asked).await;
    assert_eq!(
        verdicts(&answer),
        [
            RecallVerdict::AlreadyIn,
            RecallVerdict::Added,
            RecallVerdict::AlreadyIn,
            RecallVerdict::CaseNotFound,
            RecallVerdict::CaseEnded
        ]
    );
    let named: Vec<String> = asked.iter().map(Uuid::to_string).collect();
    assert_eq!(answer.verdicts.iter().map(|one| one.case_id.clone()).collect::<Vec<_>>(), named);
    let again = add(&world, &recall, &cases[..2]).await;
    assert_eq!(verdicts(&again), [RecallVerdict::AlreadyIn; 2]);
    assert_eq!(again.recall.unwrap().version, 3, "nothing has changed");
    assert_eq!(counts(&world, &recall).await.0.waiting, 4);

    let case = open_cases(&world, 1).await;
    let about = client(&world, "Mallory").add_recall_cases(adding(&recall, &case)).await.unwrap();
    assert_eq!(verdicts(&about.into_inner()), [RecallVerdict::CallerRecused]);
    world.house.done().await;
}

#[tokio::test]
async fn what_is_wrong_is_told_all_at_once_and_leaves_nothing() {
    let world = World::identified().await;
    let cases = open_cases(&world, 1).await;
    let mut boss = client(&world, "boss");
    let bad = boss.open_recall(OpenRecallRequest::default()).await;
    invalid(bad, "INVALID_RECALL", &["request_id", "sku", "reason", "notice", "measures"]);
    let measures = vec![
        measure("finance", RemedyKind::Refund),
        measure("audit", RemedyKind::Investigation),
        measure("warehouse", RemedyKind::Exchange),
        measure("service", RemedyKind::RecallNotice),
        measure("service", RemedyKind::RecallNotice),
        measure("No Slug", RemedyKind::Unspecified),
    ];
    let fields = [
        "measures[5].department_id",
        "measures[5].kind",
        "measures[0].kind",
        "measures[1].kind",
        "measures[2].goods",
        "measures[4]",
    ];
    let wrong = boss.open_recall(OpenRecallRequest { measures, ..opening() }).await;
    invalid(wrong, "INVALID_RECALL", &fields);
    let many = vec![measure("service", RemedyKind::Repair); 11];
    let many = boss.open_recall(OpenRecallRequest { measures: many, ..opening() }).await;
    invalid(many, "INVALID_RECALL", &["measures"]);
    let nowhere = vec![measure("nowhere", RemedyKind::Repair), measure("service", RemedyKind::Repair)];
    let nowhere = boss.open_recall(OpenRecallRequest { measures: nowhere, ..opening() }).await;
    invalid(nowhere, "INVALID_RECALL", &["measures[0].department_id"]);
    let long = OpenRecallRequest { lot: "x".repeat(201), notice: "x".repeat(2_001), ..opening() };
    invalid(boss.open_recall(long).await, "INVALID_RECALL", &["lot", "notice"]);

    let recall = opened(&world).await;
    let bad = boss.add_recall_cases(AddRecallCasesRequest::default()).await;
    invalid(bad, "INVALID_RECALL_CASES", &["request_id", "recall_id", "case_ids"]);
    let many = AddRecallCasesRequest { case_ids: vec![request_id(); 101], ..adding(&recall, &[]) };
    invalid(boss.add_recall_cases(many).await, "INVALID_RECALL_CASES", &["case_ids"]);
    let mixed = AddRecallCasesRequest {
        case_ids: vec![cases[0].to_string(), "x".to_owned()],
        ..adding(&recall, &[])
    };
    invalid(boss.add_recall_cases(mixed).await, "INVALID_RECALL_CASES", &["case_ids[1]"]);
    for bad in [
        boss.close_recall(CloseRecallRequest::default()).await.map(drop),
        boss.cancel_recall(CancelRecallRequest::default()).await.map(drop),
    ] {
        invalid(bad, "INVALID_REASON", &["request_id", "recall_id", "reason"]);
    }
    let bad = ListRecallsRequest { state: 9, page_size: -1, ..ListRecallsRequest::default() };
    invalid(boss.list_recalls(bad).await, "INVALID_REQUEST", &["page_size", "state"]);
    let bad = ListRecallCasesRequest { page_token: "x".to_owned(), ..ListRecallCasesRequest::default() };
    invalid(boss.list_recall_cases(bad).await, "INVALID_REQUEST", &["page_token", "recall_id"]);
    let bad = ListRecallCandidatesRequest { page_size: 501, ..ListRecallCandidatesRequest::default() };
    invalid(boss.list_recall_candidates(bad).await, "INVALID_REQUEST", &["page_size", "recall_id"]);

    let stale = AddRecallCasesRequest { expected_version: Some(9), ..adding(&recall, &cases) };
    refused(boss.add_recall_cases(stale).await, Code::Aborted, "VERSION_MISMATCH");
    let stale = CloseRecallRequest { expected_version: Some(9), ..closing(&recall) };
    refused(boss.close_recall(stale).await, Code::Aborted, "VERSION_MISMATCH");
    let stale = CancelRecallRequest { expected_version: Some(9), ..calling_off(&recall) };
    refused(boss.cancel_recall(stale).await, Code::Aborted, "VERSION_MISMATCH");
    assert_eq!(world.published::<RecallOpened>().await, 1, "the good one");
    assert_eq!(counts(&world, &recall).await, (RecallCounts::default(), 0));
    assert_eq!(view(&world, &recall).await.recall.unwrap(), recall);
    world.house.done().await;
}

#[tokio::test]
async fn another_tenants_recall_is_none_and_who_may_not_is_refused() {
    let world = World::identified().await;
    let cases = open_cases(&world, 1).await;
    let recall = opened(&world).await;
    add(&world, &recall, &cases).await;
    let mut theirs = Client::new(world.house.channel_as("other", "boss", &["supervisor"]));
    let get = GetRecallRequest { recall_id: recall.recall_id.clone() };
    for answer in [
        theirs.get_recall(get).await.map(drop),
        theirs.add_recall_cases(adding(&recall, &cases)).await.map(drop),
        theirs.close_recall(closing(&recall)).await.map(drop),
        theirs.cancel_recall(calling_off(&recall)).await.map(drop),
    ] {
        refused(answer, Code::NotFound, "RECALL_NOT_FOUND");
    }
    let recall_id = recall.recall_id.clone();
    let of = ListRecallCasesRequest { recall_id: recall_id.clone(), ..ListRecallCasesRequest::default() };
    assert!(theirs.list_recall_cases(of).await.unwrap().into_inner().cases.is_empty());
    let of = ListRecallCandidatesRequest { recall_id, ..ListRecallCandidatesRequest::default() };
    assert!(theirs.list_recall_candidates(of).await.unwrap().into_inner().case_ids.is_empty());
    assert!(
        theirs.list_recalls(ListRecallsRequest::default()).await.unwrap().into_inner().recalls.is_empty()
    );
    for roles in [["agent"], ["department-worker"]] {
        let mut other = Client::new(world.house.channel_as("development", "ann", &roles));
        refused(other.open_recall(opening()).await, Code::PermissionDenied, "ROLE_REQUIRED");
        let adding = other.add_recall_cases(adding(&recall, &cases)).await;
        refused(adding, Code::PermissionDenied, "ROLE_REQUIRED");
        refused(other.cancel_recall(calling_off(&recall)).await, Code::PermissionDenied, "ROLE_REQUIRED");
    }
    assert_eq!(counts(&world, &recall).await.0.waiting, 2);
    world.house.done().await;
}

#[tokio::test]
async fn recalls_and_their_cases_are_listed_page_by_page() {
    let world = World::open().await;
    let cases = open_cases(&world, 3).await;
    let first = opened(&world).await;
    let other = OpenRecallRequest { sku: "B-1".to_owned(), ..opening() };
    world.house.advance(std::time::Duration::from_secs(1));
    let second = client(&world, "boss").open_recall(other).await.unwrap().into_inner().recall.unwrap();
    let first = add(&world, &first, &cases).await.recall.unwrap();
    complete_all(&world, &world.poll("service").await[..1]).await;
    let mut reader = client(&world, "reader");
    let list = async |request: ListRecallsRequest| {
        client(&world, "reader").list_recalls(request).await.unwrap().into_inner()
    };
    let page = list(ListRecallsRequest { page_size: 1, ..ListRecallsRequest::default() }).await;
    assert_eq!(page.recalls, slice::from_ref(&second));
    let next = ListRecallsRequest {
        page_size: 1,
        page_token: page.next_page_token,
        ..ListRecallsRequest::default()
    };
    let rest = list(next.clone()).await;
    assert_eq!((rest.recalls, rest.next_page_token.as_str()), (vec![first.clone()], ""));
    let changed = ListRecallsRequest { sku: "B-1".to_owned(), ..next };
    invalid(reader.list_recalls(changed).await, "INVALID_REQUEST", &["page_token"]);
    let of = ListRecallsRequest { sku: "A-17".to_owned(), ..ListRecallsRequest::default() };
    assert_eq!(list(of).await.recalls, slice::from_ref(&first));
    cancel(&world, &second).await.unwrap();
    let open = ListRecallsRequest { state: RecallState::Open.into(), ..ListRecallsRequest::default() };
    assert_eq!(list(open).await.recalls, slice::from_ref(&first));

    let (mut listed, mut token) = (Vec::new(), String::new());
    loop {
        let request =
            ListRecallCasesRequest { recall_id: first.recall_id.clone(), page_size: 2, page_token: token };
        let page = reader.list_recall_cases(request).await.unwrap().into_inner();
        listed.extend(page.cases);
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    let mut expected: Vec<String> = cases.iter().map(Uuid::to_string).collect();
    expected.sort_unstable();
    assert_eq!(listed.iter().map(|case| case.case_id.clone()).collect::<Vec<_>>(), expected);
    assert!(listed.iter().all(|case| case.adder == "boss"));
    let done: i32 = listed.iter().map(|case| case.counts.unwrap().done).sum();
    let open: i32 = listed.iter().map(|case| case.counts.unwrap().waiting + case.counts.unwrap().held).sum();
    assert_eq!((done, open), (1, 5));
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_add_the_same_cases_at_once_and_each_is_added_once() {
    let world = World::open().await;
    let replica = world.house.replica(&[resolution::SERVICE]).await;
    let cases = open_cases(&world, 20).await;
    let recall = opened(&world).await;
    let asking = (0..8).map(|number| {
        let mut client =
            if number % 2 == 0 { Client::new(replica.channel()) } else { client(&world, "boss") };
        let mut cases = cases.clone();
        cases.rotate_left(number);
        let request = adding(&recall, &cases);
        tokio::spawn(async move { client.add_recall_cases(request).await.unwrap().into_inner() })
    });
    let mut added = 0;
    for one in asking.collect::<Vec<_>>() {
        added += verdicts(&one.await.unwrap()).iter().filter(|one| **one == RecallVerdict::Added).count();
    }
    assert_eq!(added, 20);
    assert_eq!(counts(&world, &recall).await.0.waiting, 40);
    assert_eq!(view(&world, &recall).await.recall.unwrap().case_count, 20);
    assert_eq!(world.published::<RecallCaseAdded>().await, 20);
    replica.done().await;
    world.house.done().await;
}

#[tokio::test]
async fn cases_with_the_article_in_a_plan_or_short_are_candidates_until_they_are_in_it() {
    let world = World::open().await;
    let planned = world.decided_case().await;
    world.proposed(planned, vec![exchange("a")]).await;
    let other = world.decided_case().await;
    let mut step = exchange("a");
    step.goods = Some(Goods { sku: "B-1".to_owned(), quantity: 1 });
    world.approved_for(other, vec![step]).await;
    let ended = world.decided_case().await;
    world.proposed(ended, vec![exchange("a")]).await;
    close_case(&world, ended).await;
    let recall = opened(&world).await;
    let candidates = async || {
        let request = ListRecallCandidatesRequest {
            recall_id: recall.recall_id.clone(),
            page_size: 1,
            page_token: String::new(),
        };
        let answer = client(&world, "reader").list_recall_candidates(request.clone()).await;
        let first = answer.unwrap().into_inner();
        let next = ListRecallCandidatesRequest { page_token: first.next_page_token.clone(), ..request };
        let mut all = first.case_ids;
        if !first.next_page_token.is_empty() {
            let second = client(&world, "reader").list_recall_candidates(next).await.unwrap().into_inner();
            all.extend(second.case_ids);
        }
        all
    };
    assert_eq!(candidates().await, [planned.to_string()]);
    let lease = world.take("warehouse").await;
    crate::stock::lack(&world, &lease, "A-17").await;
    let mut both = vec![planned.to_string(), other.to_string()];
    both.sort_unstable();
    assert_eq!(candidates().await, both, "what its department lacked is the article as well");
    add(&world, &recall, &[planned]).await;
    assert_eq!(candidates().await, [other.to_string()]);
    let leases = world.client("worker").poll_tasks(poll("warehouse")).await.unwrap().into_inner().leases;
    assert_eq!(leases.len(), 1, "the recall's");
    world.house.done().await;
}
