//! Tasks of recalls under the rules of all tasks: each thing that people do about one.

use proto::redress::resolution::v1::proposal_service_client::ProposalServiceClient;
use proto::redress::resolution::v1::{
    ApproveTaskProposalRequest, ProposeTaskCompletionRequest, RecallCounts, RequeueTaskRequest, Task,
    TaskNeedsAttention, TaskResult, TaskState,
};
use testkit::{CallerChannel, request_id};

use crate::recalls::{add, counts, open_case, opened};
use crate::world::{World, failure, settlement, task_id, unknown_outcome};

fn proposals(world: &World, subject: &str) -> ProposalServiceClient<CallerChannel> {
    ProposalServiceClient::new(world.house.channel_as("development", subject, &["supervisor"]))
}

fn requeue(task_id: &str, department: &str) -> RequeueTaskRequest {
    RequeueTaskRequest {
        request_id: request_id(),
        task_id: task_id.to_owned(),
        department_id: department.to_owned(),
        reason: "they can".to_owned(),
    }
}

async fn requeued(world: &World, task_id: &str, department: &str) -> Task {
    world.client("boss").requeue_task(requeue(task_id, department)).await.unwrap().into_inner().task.unwrap()
}

#[tokio::test]
async fn a_task_of_a_recall_is_requeued_given_on_and_stays_one() {
    let world = World::open().await;
    let case = open_case(&world).await;
    world.house.settled().await;
    let recall = opened(&world).await;
    add(&world, &recall, &[case]).await;
    let lease = world.take("service").await;
    world.client("worker").fail_task(failure(&lease, "NO_ADDRESS", false)).await.unwrap();
    let told = world.house.published::<TaskNeedsAttention>("resolution").await;
    assert_eq!((told.len(), told[0].recall_id.as_str()), (1, recall.recall_id.as_str()));
    assert_eq!(counts(&world, &recall).await.0.attention, 1);
    let again = requeued(&world, task_id(&lease), "").await;
    assert_eq!((again.state(), again.attempt), (TaskState::Ready, 0));

    let given = requeued(&world, task_id(&lease), "outlet").await;
    assert_eq!((given.recall_id.as_str(), given.plan_id.as_str()), (recall.recall_id.as_str(), ""));
    let (before, _) = counts(&world, &recall).await;
    assert_eq!(before, RecallCounts { waiting: 2, ..RecallCounts::default() }, "it is counted once");
    world.complete(&world.take("outlet").await).await.unwrap();
    let expected = RecallCounts { waiting: 1, done: 1, ..RecallCounts::default() };
    assert_eq!(counts(&world, &recall).await, (expected, 50));
    world.house.done().await;
}

#[tokio::test]
async fn a_task_of_a_recall_of_unknown_outcome_is_settled_and_one_nobody_holds_completed_by_two() {
    let world = World::open().await;
    let case = open_case(&world).await;
    world.house.settled().await;
    let recall = opened(&world).await;
    add(&world, &recall, &[case]).await;
    let lease = world.take("warehouse").await;
    world.client("worker").fail_task(unknown_outcome(&lease)).await.unwrap();
    assert_eq!(counts(&world, &recall).await.0.attention, 1, "people look into it");
    let task = world.task(task_id(&lease)).await;
    world.client("worker").settle_task(settlement(&task, true)).await.unwrap();

    let lease = world.take("service").await;
    let propose = ProposeTaskCompletionRequest {
        request_id: request_id(),
        task_id: task_id(&lease).to_owned(),
        result: Some(TaskResult { remark: "sent by letter".to_owned(), ..TaskResult::default() }),
        reason: "its worker is gone".to_owned(),
    };
    let mut ann = proposals(&world, "ann");
    let proposal = ann.propose_task_completion(propose).await.unwrap().into_inner().proposal.unwrap();
    let approve = ApproveTaskProposalRequest {
        request_id: request_id(),
        proposal_id: proposal.proposal_id,
        ..ApproveTaskProposalRequest::default()
    };
    let done = proposals(&world, "bob").approve_task_proposal(approve).await.unwrap().into_inner();
    assert_eq!(done.task.unwrap().state(), TaskState::Completed);
    let expected = RecallCounts { done: 2, ..RecallCounts::default() };
    assert_eq!(counts(&world, &recall).await, (expected, 100));
    world.house.done().await;
}

#[tokio::test]
async fn a_task_of_a_recall_waits_for_goods_and_says_so() {
    let world = World::open().await;
    let case = open_case(&world).await;
    world.house.settled().await;
    let recall = opened(&world).await;
    add(&world, &recall, &[case]).await;
    let lease = world.take("warehouse").await;
    crate::stock::lack(&world, &lease, "").await;
    let expected = RecallCounts { waiting: 1, awaiting_stock: 1, ..RecallCounts::default() };
    assert_eq!(counts(&world, &recall).await.0, expected);
    crate::recalls::cancel(&world, &recall).await.unwrap();
    assert_eq!(counts(&world, &recall).await.0.cancelled, 2);
    world.house.done().await;
}
