//! What came of a type of the tenant's own is held against its result schema, whoever says
//! so, and however.

use proto::redress::resolution::v1::deliver_task_response::Outcome;
use proto::redress::resolution::v1::{
    CompleteTaskRequest, DeliveryState, GetTaskRequest, Lease, Plan, PlanState, ProposeTaskCompletionRequest,
    RemedyType, RequeueTaskRequest, SettleTaskRequest, Step, Task, TaskResult, TaskState,
};
use testkit::{eventually, request_id};
use tonic::Code;

use crate::proposals::{approval, client as proposing, finished};
use crate::push::{deliveries, endpoints, pushing, setting, task_is};
use crate::push_grpc::{open, with};
use crate::reached::{Department, answer};
use crate::remedy_types::{CODE, FIFTY, card, gift_card, refused_for, set};
use crate::world::{LEASE, World, completion, failure, refused, settlement, task_id, unknown_outcome};

/// What fits the schema of its input, and not that of its result.
const BAD: &str = r#"{"code": "ab", "until": "soon"}"#;
/// What is told of it.
const FIELDS: [&str; 2] = ["result.output.code", "result.output.until"];

/// A world with a gift card that its outlet was handed.
async fn handed_out(world: &World) -> (Plan, Lease) {
    set(world, gift_card()).await;
    let plan = world.approved(vec![card("gift", FIFTY)]).await;
    (plan, world.take("outlet").await)
}

fn result(output: &str) -> TaskResult {
    TaskResult { output: output.to_owned(), ..TaskResult::default() }
}

fn report(lease: &Lease, output: &str) -> CompleteTaskRequest {
    CompleteTaskRequest { result: Some(result(output)), ..completion(lease) }
}

/// Its step goes on in the service department.
fn elsewhere(lease: &Lease) -> RequeueTaskRequest {
    RequeueTaskRequest {
        request_id: request_id(),
        task_id: task_id(lease).to_owned(),
        department_id: "service".to_owned(),
        reason: "the outlet is closed".to_owned(),
    }
}

fn output(task: &Task) -> &str {
    task.result.as_ref().map_or("", |result| result.output.as_str())
}

#[tokio::test]
async fn a_late_report_is_held_against_the_schema() {
    let world = World::open().await;
    let (plan, lease) = handed_out(&world).await;
    world.house.advance(LEASE * 2);
    let mut worker = world.client("worker");
    refused_for(worker.complete_task(report(&lease, BAD)).await, "INVALID_RESULT", &FIELDS);
    let done = worker.complete_task(report(&lease, CODE)).await.unwrap().into_inner().task.unwrap();
    assert_eq!(output(&done), CODE);
    assert_eq!(world.plan(&plan).await.state(), PlanState::Completed);
    world.house.done().await;
}

#[tokio::test]
async fn a_task_that_went_on_elsewhere_is_held_against_the_same_schema() {
    let world = World::open().await;
    let (plan, lease) = handed_out(&world).await;
    world.house.advance(LEASE * 2);
    let mut worker = world.client("worker");
    worker.fail_task(failure(&lease, "BROKEN", false)).await.unwrap();
    let next = world.client("boss").requeue_task(elsewhere(&lease)).await.unwrap().into_inner().task.unwrap();
    assert_eq!((next.input.as_str(), next.remedy_type_version, next.moves_value), (FIFTY, 1, true));
    refused(worker.complete_task(report(&lease, CODE)).await, Code::FailedPrecondition, "LEASE_LOST");
    let held = world.take("service").await;
    refused_for(worker.complete_task(report(&held, BAD)).await, "INVALID_RESULT", &FIELDS);
    worker.complete_task(report(&held, CODE)).await.unwrap();
    assert_eq!(world.plan(&plan).await.state(), PlanState::Completed);
    world.house.done().await;
}

#[tokio::test]
async fn what_the_last_holder_says_of_a_task_that_went_on_elsewhere_is_held_against_the_schema() {
    let world = World::open().await;
    set(&world, RemedyType { moves_value: false, ..gift_card() }).await;
    let plan = world.approved(vec![card("gift", FIFTY)]).await;
    let mut last = None;
    for _ in 0..resolution::task::MAX_ATTEMPTS {
        last = Some(world.take("outlet").await);
        world.house.advance(LEASE * 2);
    }
    assert!(world.poll("outlet").await.is_empty());
    let lease = last.unwrap();
    let next = world.client("boss").requeue_task(elsewhere(&lease)).await.unwrap().into_inner().task.unwrap();
    assert_eq!(world.task(task_id(&lease)).await.state(), TaskState::Reassigned);
    let mut worker = world.client("worker");
    refused_for(worker.complete_task(report(&lease, BAD)).await, "INVALID_RESULT", &FIELDS);
    let done = worker.complete_task(report(&lease, CODE)).await.unwrap().into_inner().task.unwrap();
    assert_eq!((done.state(), output(&done)), (TaskState::Completed, CODE));
    assert_eq!(world.task(&next.task_id).await.state(), TaskState::Cancelled);
    assert_eq!(world.plan(&plan).await.state(), PlanState::Completed);
    world.house.done().await;
}

#[tokio::test]
async fn a_report_that_comes_too_late_is_kept_with_its_output() {
    let world = World::open().await;
    let (_, lease) = handed_out(&world).await;
    world.house.advance(LEASE * 2);
    world.take("outlet").await;
    let mut worker = world.client("worker");
    for said in [CODE, BAD, CODE] {
        refused(worker.complete_task(report(&lease, said)).await, Code::FailedPrecondition, "LEASE_LOST");
    }
    let request = GetTaskRequest { task_id: task_id(&lease).to_owned() };
    let kept = world.handler().get_task(request).await.unwrap().into_inner().refused_reports;
    let mut kept: Vec<String> = kept.into_iter().map(|one| one.result.unwrap().output).collect();
    kept.sort_unstable();
    assert_eq!(kept, [CODE, BAD], "each once");
    world.house.done().await;
}

#[tokio::test]
async fn what_a_department_settles_is_held_against_the_schema() {
    let world = World::open().await;
    let (plan, lease) = handed_out(&world).await;
    let mut worker = world.client("worker");
    worker.fail_task(unknown_outcome(&lease)).await.unwrap();
    let settled = |said: &str| SettleTaskRequest {
        result: Some(result(said)),
        ..settlement(lease.task.as_ref().unwrap(), true)
    };
    refused_for(worker.settle_task(settled(BAD)).await, "INVALID_RESULT", &FIELDS);
    refused_for(worker.settle_task(settled("")).await, "INVALID_RESULT", &["result.output"]);
    let done = worker.settle_task(settled(CODE)).await.unwrap().into_inner().task.unwrap();
    assert_eq!((done.state(), output(&done)), (TaskState::Completed, CODE));
    assert_eq!(world.plan(&plan).await.state(), PlanState::Completed);
    world.house.done().await;
}

#[tokio::test]
async fn what_two_people_say_was_done_is_held_against_the_schema() {
    let world = World::open().await;
    let (plan, lease) = handed_out(&world).await;
    let task = lease.task.clone().unwrap();
    let said = |said: &str| ProposeTaskCompletionRequest { result: Some(result(said)), ..finished(&task) };
    let mut ann = proposing(&world, "ann");
    refused_for(ann.propose_task_completion(said(BAD)).await, "INVALID_RESULT", &FIELDS);
    refused_for(ann.propose_task_completion(said("")).await, "INVALID_RESULT", &["result.output"]);
    let asked = ann.propose_task_completion(said(CODE)).await.unwrap().into_inner().proposal.unwrap();
    assert_eq!(asked.result.clone().unwrap().output, CODE);
    let done = proposing(&world, "boss").approve_task_proposal(approval(&asked)).await.unwrap().into_inner();
    assert_eq!(output(done.task.as_ref().unwrap()), CODE);
    assert_eq!(output(&world.task(&task.task_id).await), CODE);
    assert_eq!(world.plan(&plan).await.state(), PlanState::Completed);
    world.house.done().await;
}

fn said_by_webhook(output: &str) -> String {
    serde_json::json!({ "done": { "output": output } }).to_string()
}

#[tokio::test]
async fn the_answer_to_a_webhook_is_held_against_the_schema() {
    let world = pushing().await;
    set(&world, gift_card()).await;
    let server = Department::open(answer(200, "")).await;
    server.then(answer(200, &said_by_webhook(BAD)));
    server.then(answer(200, &said_by_webhook(CODE)));
    endpoints(&world, "boss").set_endpoint(setting("outlet", &server.url)).await.unwrap();
    world.approved(vec![card("gift", FIFTY)]).await;
    let received = server.heard(1).await.remove(0);
    let told = &received.body["data"]["lease"]["task"];
    assert_eq!((told["input"].as_str(), told["remedyType"].as_str()), (Some(FIFTY), Some("gift-card")));
    eventually(async || {
        deliveries(&world, "outlet").await.first().is_some_and(|one| one.state() == DeliveryState::Taken)
    })
    .await;
    assert_eq!(world.task(&received.task_id()).await.state(), TaskState::Leased);
    let reason = deliveries(&world, "outlet").await[0].tries[0].reason.clone();
    assert!(FIELDS.iter().all(|field| reason.contains(field)), "{reason}");
    // Whoever took it may still report, under the same schema.
    let plan = world.approved(vec![card("gift", FIFTY)]).await;
    let received = server.heard(2).await.remove(1);
    let done = task_is(&world, &received.task_id(), TaskState::Completed).await;
    assert_eq!(output(&done), CODE);
    eventually(async || world.plan(&plan).await.state() == PlanState::Completed).await;
    world.house.done().await;
}

#[tokio::test]
async fn the_answer_to_a_call_is_held_against_the_schema() {
    let world = pushing().await;
    set(&world, gift_card()).await;
    let (bank, serving) = open(&world).await;
    let done = |said: &str| Ok(with(Outcome::Done(result(said))));
    bank.will(vec![done(BAD), done(CODE)]);
    let of_finance = || Step { department_id: "finance".to_owned(), ..card("gift", FIFTY) };
    let plan = world.approved(vec![of_finance()]).await;
    eventually(async || {
        deliveries(&world, "finance").await.first().is_some_and(|one| one.state() == DeliveryState::Taken)
    })
    .await;
    let reason = deliveries(&world, "finance").await[0].tries[0].reason.clone();
    assert!(FIELDS.iter().all(|field| reason.contains(field)), "{reason}");
    assert_eq!(world.plan(&plan).await.state(), PlanState::Executing);
    let lease = bank.asked()[0].lease.clone().unwrap();
    assert_eq!(lease.task.as_ref().unwrap().input, FIFTY);
    let next = world.approved(vec![of_finance()]).await;
    eventually(async || world.plan(&next).await.state() == PlanState::Completed).await;
    world.client("bank").complete_task(report(&lease, CODE)).await.unwrap();
    assert_eq!(world.plan(&plan).await.state(), PlanState::Completed);
    serving.abort();
    world.house.done().await;
}
