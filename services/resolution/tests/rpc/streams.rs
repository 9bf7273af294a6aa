//! Tasks handed out as they come, as many at once as a worker has credits.

use std::time::Duration;

use proto::redress::resolution::v1::{Lease, StreamTasksRequest, StreamTasksResponse};
use testkit::request_id;
use tonic::{Code, Streaming};

use crate::world::{LEASE, World, failure, invalid, poll, refund, refused, task_id};

fn streaming(credits: i32) -> StreamTasksRequest {
    StreamTasksRequest {
        request_id: request_id(),
        department_id: "finance".to_owned(),
        worker: "worker-1".to_owned(),
        credits,
        lease_duration: None,
    }
}

async fn open(world: &World, request: &StreamTasksRequest) -> Streaming<StreamTasksResponse> {
    world.client("worker").stream_tasks(request.clone()).await.unwrap().into_inner()
}

async fn next(stream: &mut Streaming<StreamTasksResponse>) -> Lease {
    // A task comes.
    let message = tokio::time::timeout(Duration::from_secs(10), stream.message()).await.unwrap();
    message.unwrap().unwrap().lease.unwrap()
}

/// Whether nothing comes for a while.
async fn is_silent(stream: &mut Streaming<StreamTasksResponse>) -> bool {
    tokio::time::timeout(Duration::from_millis(1_200), stream.message()).await.is_err()
}

#[tokio::test]
async fn a_stream_holds_no_more_than_its_credits_and_gets_them_back() {
    let world = World::open().await;
    let mut stream = open(&world, &streaming(2)).await;
    world.approved((0..5).map(|n| refund(&format!("s{n}"))).collect()).await;
    let (first, second) = (next(&mut stream).await, next(&mut stream).await);
    assert!(is_silent(&mut stream).await, "both credits are used");
    world.complete(&first).await.unwrap();
    let third = next(&mut stream).await;
    world.client("worker").fail_task(failure(&second, "BROKEN", false)).await.unwrap();
    let fourth = next(&mut stream).await;
    assert!(is_silent(&mut stream).await);
    let mut seen: Vec<_> = [&first, &second, &third, &fourth].map(task_id).to_vec();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 4, "each is handed out once");
    // A lease that ended gives its credit back as well.
    world.house.advance(LEASE);
    let fifth = next(&mut stream).await;
    assert!([&third, &fourth, &fifth].iter().all(|lease| !lease.lease_token.is_empty()));
    world.house.done().await;
}

#[tokio::test]
async fn a_lost_stream_strands_nothing_and_goes_on_with_what_it_held() {
    let world = World::open().await;
    world.approved(vec![refund("a"), refund("b"), refund("c")]).await;
    let request = streaming(2);
    let mut stream = open(&world, &request).await;
    let (first, second) = (next(&mut stream).await, next(&mut stream).await);
    drop(stream);
    let mut again = open(&world, &request).await;
    let replayed = [next(&mut again).await, next(&mut again).await];
    assert_eq!(replayed, [first.clone(), second.clone()], "the same tasks under the same tokens");
    assert!(is_silent(&mut again).await);
    drop(again);
    let other = StreamTasksRequest { credits: 3, ..request };
    let reused = world.client("worker").stream_tasks(other).await;
    refused(reused.map(drop), Code::AlreadyExists, "IDEMPOTENCY_KEY_REUSED");
    // Nobody begins it again: others are handed what it held when the leases end.
    world.complete(&first).await.unwrap();
    assert_eq!(world.poll("finance").await.len(), 1);
    world.house.advance(LEASE);
    let taken = world.poll("finance").await;
    assert!(taken.iter().any(|lease| task_id(lease) == task_id(&second)));
    refused(world.complete(&second).await, Code::FailedPrecondition, "LEASE_LOST");
    world.house.done().await;
}

#[tokio::test]
async fn streams_and_polls_beside_each_other_never_hand_out_the_same_task() {
    let world = World::open().await;
    let mut streams = [open(&world, &streaming(10)).await, open(&world, &streaming(10)).await];
    for _ in 0..4 {
        world.approved((0..5).map(|n| refund(&format!("s{n}"))).collect()).await;
    }
    let mut leases: Vec<Lease> =
        world.client("worker").poll_tasks(poll("finance")).await.unwrap().into_inner().leases;
    for stream in &mut streams {
        while let Ok(message) = tokio::time::timeout(Duration::from_millis(1_200), stream.message()).await {
            leases.push(message.unwrap().unwrap().lease.unwrap());
        }
    }
    let mut tasks: Vec<_> = leases.iter().map(task_id).collect();
    tasks.sort_unstable();
    tasks.dedup();
    assert_eq!((tasks.len(), leases.len()), (20, 20));
    world.house.done().await;
}

#[tokio::test]
async fn a_stream_needs_a_department_of_its_tenant_that_it_serves() {
    let world = World::identified().await;
    let mut worker = world.client("worker");
    let fields = ["request_id", "department_id", "worker", "credits"];
    invalid(worker.stream_tasks(StreamTasksRequest::default()).await.map(drop), "INVALID_STREAM", &fields);
    invalid(worker.stream_tasks(streaming(101)).await.map(drop), "INVALID_STREAM", &["credits"]);
    let nowhere = StreamTasksRequest { department_id: "nowhere".to_owned(), ..streaming(1) };
    refused(worker.stream_tasks(nowhere).await.map(drop), Code::NotFound, "DEPARTMENT_NOT_FOUND");
    let mut other = world.client_as("sam", &["department-worker:warehouse"]);
    refused(other.stream_tasks(streaming(1)).await.map(drop), Code::PermissionDenied, "ROLE_REQUIRED");
    let channel = world.house.channel_as("other", "worker", &["department-worker"]);
    let theirs = crate::world::Client::new(channel).stream_tasks(streaming(1)).await;
    refused(theirs.map(drop), Code::NotFound, "DEPARTMENT_NOT_FOUND");
    world.house.done().await;
}
