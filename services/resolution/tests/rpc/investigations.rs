//! What departments are asked on a case: under the rules of tasks, and no longer than the
//! case is open.

use proto::redress::assignment::v1::CaseAssigned;
use proto::redress::cases::v1::{CaseClosed, CaseOpened, CaseWithdrawn, CloseReason, Priority};
use proto::redress::resolution::v1::investigation_service_client::InvestigationServiceClient;
use proto::redress::resolution::v1::{
    CancelInvestigationRequest, CompleteTaskRequest, Delivery, DeliveryState, Inquiry,
    InvestigationCancelled, InvestigationCompleted, InvestigationRequested, Lease, ListInvestigationsRequest,
    RejectTaskRequest, RemedyKind, RequestInvestigationRequest, RequeueTaskRequest, Step, Task,
    TaskCompleted, TaskNeedsAttention, TaskResult, TaskState,
};
use testkit::{CallerChannel, eventually, request_id};
use tonic::Code;
use uuid::Uuid;

use crate::push::{deliveries, pushing, reached, task_is};
use crate::reached::answer as answering;
use crate::repeated;
use crate::world::{LEASE, World, apology, failure, invalid, poll, proposal, refused, task_id};

type Client = InvestigationServiceClient<CallerChannel>;

fn client(world: &World, subject: &str) -> Client {
    Client::new(world.house.channel_as("development", subject, &["agent"]))
}

/// A case that is looked into by `ann`, about `mallory`.
async fn open_case(world: &World) -> Uuid {
    let case = Uuid::try_parse(&request_id()).unwrap();
    let opened = CaseOpened {
        case_id: case.to_string(),
        cycle: 1,
        priority: Priority::P2.into(),
        recused_subjects: vec!["mallory".to_owned()],
        ..CaseOpened::default()
    };
    world.house.tell("cases", case, &opened).await;
    let assigned = CaseAssigned {
        case_id: case.to_string(),
        cycle: 1,
        agent_id: "ann".to_owned(),
        ..CaseAssigned::default()
    };
    world.house.tell("assignment", case, &assigned).await;
    world.house.settled().await;
    case
}

fn question(case: Uuid, inquiry: Inquiry) -> RequestInvestigationRequest {
    RequestInvestigationRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        department_id: "warehouse".to_owned(),
        inquiry: inquiry.into(),
        question: "Who packed parcel 7?".to_owned(),
        due_time: None,
    }
}

pub(crate) async fn asked(world: &World, case: Uuid, inquiry: Inquiry) -> Task {
    let answer = client(world, "ann").request_investigation(question(case, inquiry)).await;
    answer.unwrap().into_inner().task.unwrap()
}

fn answer(lease: &Lease, remark: &str, evidence: &[&str]) -> CompleteTaskRequest {
    let evidence = evidence.iter().map(|&one| one.to_owned()).collect();
    CompleteTaskRequest {
        request_id: request_id(),
        task_id: task_id(lease).to_owned(),
        lease_token: lease.lease_token.clone(),
        result: Some(TaskResult { remark: remark.to_owned(), evidence, ..TaskResult::default() }),
    }
}

fn cancellation(task_id: &str) -> CancelInvestigationRequest {
    let reason = "we know by now".to_owned();
    CancelInvestigationRequest { request_id: request_id(), task_id: task_id.to_owned(), reason }
}

async fn listed(world: &World, case: Uuid, open_only: bool) -> Vec<String> {
    let request = ListInvestigationsRequest {
        case_id: case.to_string(),
        open_only,
        ..ListInvestigationsRequest::default()
    };
    let list = client(world, "ann").list_investigations(request).await.unwrap().into_inner();
    list.tasks.into_iter().map(|task| task.task_id).collect()
}

#[tokio::test]
async fn a_department_is_asked_and_its_answer_is_told_once() {
    let world = World::identified().await;
    let case = open_case(&world).await;
    let mut ann = client(&world, "Ann");
    let request = question(case, Inquiry::Evidence);
    let change = |other: &mut RequestInvestigationRequest| other.question.push('!');
    let task = repeated!(ann, request_investigation, request, change).task.unwrap();
    assert_eq!((task.kind(), task.inquiry()), (RemedyKind::Investigation, Inquiry::Evidence));
    assert_eq!((task.plan_id.as_str(), task.step_id.as_str(), task.requester.as_str()), ("", "", "Ann"));
    assert_eq!((task.case_id.clone(), task.priority()), (case.to_string(), Priority::P2));
    let requested = world.house.published::<InvestigationRequested>("resolution").await;
    assert_eq!(requested.len(), 1);
    assert_eq!(
        (requested[0].question.as_str(), requested[0].requester.as_str()),
        ("Who packed parcel 7?", "Ann")
    );
    assert_eq!(listed(&world, case, true).await, [task.task_id.as_str()]);

    let lease = world.take("warehouse").await;
    assert_eq!(lease.task.as_ref().unwrap().instructions, "Who packed parcel 7?");
    let mut worker = world.client("worker");
    let empty = worker.complete_task(answer(&lease, " ", &[])).await;
    invalid(empty, "INVALID_RESULT", &["result.remark", "result.evidence"]);
    let many: Vec<&str> = std::iter::repeat_n("x", 21).collect();
    invalid(worker.complete_task(answer(&lease, "x", &many)).await, "INVALID_RESULT", &["result.evidence"]);
    let blank = worker.complete_task(answer(&lease, "x", &[""])).await;
    invalid(blank, "INVALID_RESULT", &["result.evidence[0]"]);
    let request = answer(&lease, "Li packed it", &["CAM-7", "https://example.org/7.jpg"]);
    let change = |other: &mut CompleteTaskRequest| other.lease_token.push('0');
    let done = repeated!(worker, complete_task, request, change).task.unwrap();
    assert_eq!(done.state(), TaskState::Completed);
    assert_eq!(world.task(&task.task_id).await, done, "as it is kept");
    let told = world.house.published::<InvestigationCompleted>("resolution").await;
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].findings.as_str(), told[0].cycle), ("Li packed it", 1));
    assert_eq!(told[0].evidence, ["CAM-7", "https://example.org/7.jpg"]);
    assert_eq!(world.published::<TaskCompleted>().await, 0, "it is no step of a plan");
    assert_eq!((listed(&world, case, true).await.len(), listed(&world, case, false).await.len()), (0, 1));
    world.house.done().await;
}

#[tokio::test]
async fn a_request_that_is_wrong_or_not_theirs_leaves_nothing() {
    let world = World::identified().await;
    let case = open_case(&world).await;
    let mut ann = client(&world, "ann");
    let bad = ann.request_investigation(RequestInvestigationRequest::default()).await;
    invalid(bad, "INVALID_INVESTIGATION", &["request_id", "case_id", "department_id", "inquiry", "question"]);
    let past = Some(prost_types::Timestamp { seconds: 1, nanos: 0 });
    let late = RequestInvestigationRequest { due_time: past, ..question(case, Inquiry::Statement) };
    invalid(ann.request_investigation(late).await, "INVALID_INVESTIGATION", &["due_time"]);
    let nowhere = RequestInvestigationRequest {
        department_id: "nowhere".to_owned(),
        ..question(case, Inquiry::Statement)
    };
    refused(ann.request_investigation(nowhere).await, Code::NotFound, "DEPARTMENT_NOT_FOUND");
    let unknown = question(Uuid::from_u128(7), Inquiry::Statement);
    refused(ann.request_investigation(unknown).await, Code::NotFound, "CASE_NOT_FOUND");
    let ask =
        async |mut client: Client| client.request_investigation(question(case, Inquiry::Statement)).await;
    refused(ask(client(&world, "bob")).await, Code::PermissionDenied, "NOT_THE_HANDLER");
    let boss = |subject| Client::new(world.house.channel_as("development", subject, &["supervisor"]));
    refused(ask(boss("Mallory")).await, Code::PermissionDenied, "CALLER_RECUSED");
    let worker = Client::new(world.house.channel_as("development", "ann", &["department-worker"]));
    refused(ask(worker).await, Code::PermissionDenied, "ROLE_REQUIRED");
    let theirs = Client::new(world.house.channel_as("other", "boss", &["supervisor"]));
    refused(ask(theirs).await, Code::NotFound, "CASE_NOT_FOUND");
    assert!(listed(&world, case, false).await.is_empty());
    assert_eq!(world.published::<InvestigationRequested>().await, 0);

    let task = asked(&world, case, Inquiry::Statement).await;
    let bad = ann.cancel_investigation(CancelInvestigationRequest::default()).await;
    invalid(bad, "INVALID_REASON", &["request_id", "task_id", "reason"]);
    let unknown = ann.cancel_investigation(cancellation(&request_id())).await;
    refused(unknown, Code::NotFound, "TASK_NOT_FOUND");
    let bob = client(&world, "bob").cancel_investigation(cancellation(&task.task_id)).await;
    refused(bob, Code::PermissionDenied, "NOT_THE_HANDLER");
    let about = boss("mallory").cancel_investigation(cancellation(&task.task_id)).await;
    refused(about, Code::PermissionDenied, "CALLER_RECUSED");
    let mut other = Client::new(world.house.channel_as("other", "boss", &["supervisor"]));
    let theirs = other.cancel_investigation(cancellation(&task.task_id)).await;
    refused(theirs, Code::NotFound, "TASK_NOT_FOUND");
    let theirs =
        ListInvestigationsRequest { case_id: case.to_string(), ..ListInvestigationsRequest::default() };
    assert!(other.list_investigations(theirs).await.unwrap().into_inner().tasks.is_empty());
    let bad = ListInvestigationsRequest { page_size: -1, ..ListInvestigationsRequest::default() };
    invalid(ann.list_investigations(bad).await, "INVALID_REQUEST", &["page_size", "case_id"]);
    assert_eq!(world.task(&task.task_id).await.state(), TaskState::Ready);
    world.house.done().await;
}

#[tokio::test]
async fn a_step_of_a_plan_is_no_request_and_a_request_no_step() {
    let world = World::open().await;
    let case = world.decided_case().await;
    let step = Step { kind: RemedyKind::Investigation.into(), ..apology("a") };
    let planned = world.handler().propose_plan(proposal(case, vec![step])).await;
    invalid(planned, "INVALID_PLAN", &["steps[0].kind"]);
    let plan = world.approved_for(case, vec![apology("a")]).await;
    let cancelled = client(&world, "boss").cancel_investigation(cancellation(&plan.steps[0].task_id)).await;
    refused(cancelled, Code::NotFound, "TASK_NOT_FOUND");
    let lease = world.take("service").await;
    let shown = world.client("worker").complete_task(answer(&lease, "sent", &["CAM-7"])).await;
    invalid(shown, "INVALID_RESULT", &["result.evidence"]);
    world.house.done().await;
}

#[tokio::test]
async fn what_is_taken_back_ends_and_who_holds_it_is_told_to_stop() {
    let world = World::open().await;
    let case = open_case(&world).await;
    let waiting = asked(&world, case, Inquiry::Statement).await;
    let mut ann = client(&world, "ann");
    let request = cancellation(&waiting.task_id);
    let change = |other: &mut CancelInvestigationRequest| other.reason.push('!');
    let ended = repeated!(ann, cancel_investigation, request, change).task.unwrap();
    assert_eq!(ended.state(), TaskState::Cancelled);
    let again = ann.cancel_investigation(cancellation(&waiting.task_id)).await;
    refused(again, Code::FailedPrecondition, "INVALID_TASK_STATE");

    for stops in [true, false] {
        asked(&world, case, Inquiry::Statement).await;
        let lease = world.take("warehouse").await;
        let told = ann.cancel_investigation(cancellation(task_id(&lease))).await.unwrap().into_inner();
        let told = told.task.unwrap();
        assert_eq!((told.state(), told.cancel_requested), (TaskState::Leased, true));
        let mut worker = world.client("worker");
        if stops {
            worker.fail_task(failure(&lease, "CANCELLED", false)).await.unwrap();
            assert_eq!(world.task(task_id(&lease)).await.state(), TaskState::Cancelled);
        } else {
            worker.complete_task(answer(&lease, "Li did", &[])).await.unwrap();
        }
    }
    assert_eq!(world.published::<InvestigationCompleted>().await, 1, "what was found is heard");
    let cancelled = world.house.published::<InvestigationCancelled>("resolution").await;
    assert_eq!(cancelled.len(), 3);
    assert!(cancelled.iter().all(|told| told.reason == "we know by now"));
    world.house.done().await;
}

#[tokio::test]
async fn a_department_that_questions_are_brought_to_is_told_when_they_are_taken_back() {
    let world = pushing().await;
    let server = reached(&world, "warehouse", answering(200, r#"{"stopped": true}"#)).await;
    let case = open_case(&world).await;
    let brought = async |count: usize| {
        let task = asked(&world, case, Inquiry::Statement).await;
        server.heard(count).await;
        // Time stands still here: which delivery is the newest is not told by their ids.
        let is_taken = |one: &Delivery| one.task_id == task.task_id && one.state() == DeliveryState::Taken;
        eventually(async || deliveries(&world, "warehouse").await.iter().any(is_taken)).await;
        task.task_id
    };
    let told = async |count: usize, task_id: String| {
        let last = server.heard(count).await.pop().unwrap();
        assert_eq!((last.kind(), last.task_id()), ("task.cancelled", task_id.clone()));
        task_is(&world, &task_id, TaskState::Cancelled).await;
    };
    let by_hand = brought(1).await;
    client(&world, "ann").cancel_investigation(cancellation(&by_hand)).await.unwrap();
    told(2, by_hand).await;
    let with_its_case = brought(3).await;
    let close = CaseClosed { case_id: case.to_string(), cycle: 1, reason: CloseReason::Staff.into() };
    world.house.tell("cases", case, &close).await;
    told(4, with_its_case).await;
    world.house.done().await;
}

#[tokio::test]
async fn what_is_open_when_its_case_ends_is_cancelled_once() {
    let world = World::open().await;
    let (closed, withdrawn) = (open_case(&world).await, open_case(&world).await);
    let held = asked(&world, closed, Inquiry::Statement).await;
    let lease = world.take("warehouse").await;
    let (first, second) =
        (asked(&world, closed, Inquiry::Statement).await, asked(&world, withdrawn, Inquiry::Evidence).await);
    let close = CaseClosed { case_id: closed.to_string(), cycle: 1, reason: CloseReason::Staff.into() };
    let withdraw = CaseWithdrawn {
        case_id: withdrawn.to_string(),
        cycle: 1,
        reason: "found it".to_owned(),
        ..CaseWithdrawn::default()
    };
    let events = [
        world.house.tell("cases", closed, &close).await,
        world.house.tell("cases", withdrawn, &withdraw).await,
    ];
    world.house.settled().await;
    for event in events {
        world.house.tell_raw("cases", event.clone()).await;
        let position = world.house.fake("cases").head() + 1;
        world.house.tell_raw("cases", proto::redress::event::v1::Event { position, ..event }).await;
        world.house.settled().await;
    }
    for task in [&first, &second] {
        assert_eq!(world.task(&task.task_id).await.state(), TaskState::Cancelled);
    }
    let asked_to_stop = world.task(&held.task_id).await;
    assert_eq!((asked_to_stop.state(), asked_to_stop.cancel_requested), (TaskState::Leased, true));
    let cancelled = world.house.published::<InvestigationCancelled>("resolution").await;
    assert_eq!(cancelled.len(), 3, "told twice, done once");
    for case in [closed, withdrawn] {
        let late = client(&world, "ann").request_investigation(question(case, Inquiry::Statement)).await;
        refused(late, Code::FailedPrecondition, "CASE_ENDED");
    }
    world.client("worker").complete_task(answer(&lease, "Li did", &[])).await.unwrap();
    assert_eq!(world.published::<InvestigationCompleted>().await, 1, "evidence is heard however late");
    world.house.done().await;
}

#[tokio::test]
async fn a_lost_worker_is_tried_again_and_nothing_is_of_unknown_outcome() {
    let world = World::open().await;
    let case = open_case(&world).await;
    let task = asked(&world, case, Inquiry::Statement).await;
    for attempt in 1..=5 {
        let lease = world.take("warehouse").await;
        assert_eq!(lease.task.unwrap().attempt, attempt);
        world.house.advance(LEASE);
    }
    assert!(world.poll("warehouse").await.is_empty());
    let waiting = world.task(&task.task_id).await;
    assert_eq!(waiting.state(), TaskState::NeedsAttention);
    let told = world.house.published::<TaskNeedsAttention>("resolution").await;
    assert_eq!((told.len(), told[0].plan_id.as_str(), told[0].outcome_unknown), (1, "", false));

    // To another department it goes with a key of its own, and is handed back there.
    let request = RequeueTaskRequest {
        request_id: request_id(),
        task_id: task.task_id.clone(),
        department_id: "outlet".to_owned(),
        reason: "they packed it".to_owned(),
    };
    let given = world.client("boss").requeue_task(request).await.unwrap().into_inner().task.unwrap();
    assert_eq!((given.inquiry(), given.requester.as_str()), (Inquiry::Statement, "ann"));
    assert_eq!(world.task(&task.task_id).await.given_to_task_id, given.task_id);
    let lease = world.take("outlet").await;
    let request = RejectTaskRequest {
        request_id: request_id(),
        task_id: given.task_id.clone(),
        lease_token: lease.lease_token.clone(),
        reason: "we pack nothing".to_owned(),
    };
    world.client("worker").reject_task(request).await.unwrap();
    assert_eq!(listed(&world, case, true).await, [given.task_id.as_str()]);
    let cancelled = client(&world, "ann").cancel_investigation(cancellation(&given.task_id)).await;
    assert_eq!(cancelled.unwrap().into_inner().task.unwrap().state(), TaskState::Cancelled);
    world.house.done().await;
}

#[tokio::test]
async fn a_case_has_fifty_open_requests_at_most_and_lists_them_page_by_page() {
    let world = World::open().await;
    let case = open_case(&world).await;
    for _ in 0..50 {
        asked(&world, case, Inquiry::Statement).await;
    }
    let mut ann = client(&world, "ann");
    let beyond = ann.request_investigation(question(case, Inquiry::Statement)).await;
    refused(beyond, Code::ResourceExhausted, "TOO_MANY_INVESTIGATIONS");
    let lease =
        world.client("worker").poll_tasks(poll("warehouse")).await.unwrap().into_inner().leases.remove(0);
    world.client("worker").complete_task(answer(&lease, "Li did", &[])).await.unwrap();
    asked(&world, case, Inquiry::Statement).await;
    let request = ListInvestigationsRequest {
        case_id: case.to_string(),
        open_only: true,
        page_size: 40,
        page_token: String::new(),
    };
    let first = ann.list_investigations(request.clone()).await.unwrap().into_inner();
    let next = ListInvestigationsRequest { page_token: first.next_page_token.clone(), ..request };
    let second = ann.list_investigations(next.clone()).await.unwrap().into_inner();
    assert_eq!((first.tasks.len(), second.tasks.len(), second.next_page_token.as_str()), (40, 10, ""));
    let other = ListInvestigationsRequest { open_only: false, ..next };
    invalid(ann.list_investigations(other).await, "INVALID_REQUEST", &["page_token"]);
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_ask_while_the_case_closes_and_nothing_stays_open() {
    let world = World::open().await;
    let replica = world.house.replica(&[resolution::SERVICE]).await;
    for _ in 0..5 {
        let case = open_case(&world).await;
        let asking = (0..12).map(|number| {
            let mut client = if number % 2 == 0 {
                Client::new(replica.channel())
            } else {
                Client::new(world.house.channel_as("development", "ann", &["supervisor"]))
            };
            tokio::spawn(
                async move { client.request_investigation(question(case, Inquiry::Statement)).await },
            )
        });
        let asking: Vec<_> = asking.collect();
        let close = CaseClosed { case_id: case.to_string(), cycle: 1, reason: CloseReason::Staff.into() };
        world.house.tell("cases", case, &close).await;
        let mut stored = 0;
        for one in asking {
            match one.await.unwrap() {
                Ok(_) => stored += 1,
                Err(status) => assert_eq!(testkit::reason(&status), "CASE_ENDED"),
            }
        }
        world.house.settled().await;
        assert_eq!(listed(&world, case, false).await.len(), stored);
        assert!(listed(&world, case, true).await.is_empty(), "what was stored before is cancelled");
    }
    replica.done().await;
    world.house.done().await;
}
