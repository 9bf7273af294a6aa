//! Recalls that are called off, and cases that end before their recall.

use proto::redress::resolution::v1::{
    CancelRecallRequest, OpenRecallRequest, RecallClosed, RecallCounts, RecallState, RemedyKind, TaskState,
};
use tonic::Code;

use crate::recalls::{
    add, adding, calling_off, cancel, client, close_case, closing, counts, measure, open_cases, opened,
    opening,
};
use crate::repeated;
use crate::world::{World, failure, refused, task_id};

#[tokio::test]
async fn a_recall_outlives_its_cases_and_is_called_off_while_some_tasks_are_held() {
    let world = World::open().await;
    let cases = open_cases(&world, 3).await;
    let recall = opened(&world).await;
    add(&world, &recall, &cases).await;
    let held = world.poll("service").await;
    world.complete(&held[0]).await.unwrap();
    world.client("worker").fail_task(failure(&held[1], "NO_ADDRESS", false)).await.unwrap();
    close_case(&world, cases[0]).await;
    let expected = RecallCounts { waiting: 3, held: 1, done: 1, attention: 1, ..RecallCounts::default() };
    assert_eq!(counts(&world, &recall).await, (expected, 16), "a closed case takes nothing back");

    let mut boss = client(&world, "boss");
    let change = |other: &mut CancelRecallRequest| other.reason.push('!');
    let cancelled = repeated!(boss, cancel_recall, calling_off(&recall), change).recall.unwrap();
    assert_eq!(
        (cancelled.state(), cancelled.end_reason.as_str()),
        (RecallState::Cancelled, "it was another lot")
    );
    let expected = RecallCounts { held: 1, done: 1, cancelled: 4, ..RecallCounts::default() };
    assert_eq!(counts(&world, &recall).await.0, expected, "what was done stays done");
    let asked = world.task(task_id(&held[2])).await;
    assert_eq!((asked.state(), asked.cancel_requested), (TaskState::Leased, true));
    world.client("worker").fail_task(failure(&held[2], "CANCELLED", false)).await.unwrap();
    assert_eq!(counts(&world, &recall).await.0.cancelled, 5);
    assert!(world.poll("warehouse").await.is_empty());

    let late = boss.add_recall_cases(adding(&recall, &cases)).await;
    refused(late, Code::FailedPrecondition, "INVALID_RECALL_STATE");
    refused(boss.close_recall(closing(&recall)).await, Code::FailedPrecondition, "INVALID_RECALL_STATE");
    assert_eq!(cancel(&world, &recall).await.unwrap(), cancelled, "called off again, it stays as it ended");
    let told = world.house.published::<RecallClosed>("resolution").await;
    assert_eq!((told.len(), told[0].cancelled, told[0].ender.as_str()), (1, true, "boss"));
    world.house.done().await;
}

#[tokio::test]
async fn what_comes_to_need_attention_after_the_call_off_is_cancelled_by_another() {
    let world = World::open().await;
    let cases = open_cases(&world, 1).await;
    let recall = opened(&world).await;
    add(&world, &recall, &cases).await;
    let held = world.take("service").await;
    cancel(&world, &recall).await.unwrap();
    world.client("worker").fail_task(failure(&held, "NO_ADDRESS", false)).await.unwrap();
    assert_eq!(counts(&world, &recall).await.0.attention, 1);
    cancel(&world, &recall).await.unwrap();
    let expected = RecallCounts { cancelled: 2, ..RecallCounts::default() };
    assert_eq!(counts(&world, &recall).await, (expected, 0));
    world.house.done().await;
}

#[tokio::test]
async fn more_tasks_than_one_transaction_takes_are_all_called_off() {
    let world = World::open().await;
    let departments = ["service", "outlet", "audit"];
    let measures = departments.map(|department| measure(department, RemedyKind::RecallNotice)).to_vec();
    let request = OpenRecallRequest { measures, ..opening() };
    let recall = client(&world, "boss").open_recall(request).await.unwrap().into_inner().recall.unwrap();
    let cases = open_cases(&world, 200).await;
    for cases in cases.chunks(100) {
        add(&world, &recall, cases).await;
    }
    assert_eq!(counts(&world, &recall).await.0.waiting, 600);
    cancel(&world, &recall).await.unwrap();
    for _ in 0..200 {
        if counts(&world, &recall).await.0.waiting == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let expected = RecallCounts { cancelled: 600, ..RecallCounts::default() };
    assert_eq!(counts(&world, &recall).await, (expected, 0));
    world.house.done().await;
}
