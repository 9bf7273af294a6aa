//! Tasks that are brought by a call of the service that a department implements.

use std::sync::{Arc, Mutex};

use proto::redress::resolution::v1::deliver_task_response::Outcome;
use proto::redress::resolution::v1::department_worker_server::{DepartmentWorker, DepartmentWorkerServer};
use proto::redress::resolution::v1::{
    CancelTaskRequest, CancelTaskResponse, DeliverTaskRequest, DeliverTaskResponse, DeliveryFailure,
    DeliveryState, EndpointKind, PlanState, SetEndpointRequest, TaskResult, TaskState,
};
use testkit::eventually;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

use crate::push::{deliveries, endpoints, pushing, setting};
use crate::world::{World, refund};

const TOKEN: &str = "a-token-of-the-bank";

/// A department: what it was asked, with the token it was shown, and what it answers next.
#[derive(Clone, Default)]
pub(crate) struct Bank {
    asked: Arc<Mutex<Vec<(String, DeliverTaskRequest)>>>,
    cancelled: Arc<Mutex<Vec<CancelTaskRequest>>>,
    answers: Arc<Mutex<Vec<Result<DeliverTaskResponse, Status>>>>,
}

impl Bank {
    pub(crate) fn asked(&self) -> Vec<DeliverTaskRequest> {
        self.asked.lock().unwrap().iter().map(|(_, request)| request.clone()).collect()
    }

    pub(crate) fn will(&self, answers: Vec<Result<DeliverTaskResponse, Status>>) {
        *self.answers.lock().unwrap() = answers;
    }
}

#[tonic::async_trait]
impl DepartmentWorker for Bank {
    async fn deliver_task(
        &self,
        request: Request<DeliverTaskRequest>,
    ) -> Result<Response<DeliverTaskResponse>, Status> {
        let shown = request.metadata().get("authorization").and_then(|shown| shown.to_str().ok());
        let shown = shown.unwrap_or_default().to_owned();
        self.asked.lock().unwrap().push((shown, request.into_inner()));
        let mut answers = self.answers.lock().unwrap();
        if answers.is_empty() {
            Ok(Response::new(DeliverTaskResponse::default()))
        } else {
            answers.remove(0).map(Response::new)
        }
    }

    async fn cancel_task(
        &self,
        request: Request<CancelTaskRequest>,
    ) -> Result<Response<CancelTaskResponse>, Status> {
        self.cancelled.lock().unwrap().push(request.into_inner());
        Ok(Response::new(CancelTaskResponse { stopped: true }))
    }
}

pub(crate) async fn open(world: &World) -> (Bank, JoinHandle<()>) {
    let bank = Bank::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = Server::builder().add_service(DepartmentWorkerServer::new(bank.clone()));
    let serving = tokio::spawn(async move {
        server.serve_with_incoming(TcpListenerStream::new(listener)).await.unwrap();
    });
    let request = SetEndpointRequest {
        kind: EndpointKind::Grpc.into(),
        secret: TOKEN.to_owned(),
        ..setting("finance", &url)
    };
    endpoints(world, "boss").set_endpoint(request).await.unwrap();
    (bank, serving)
}

pub(crate) fn with(outcome: Outcome) -> DeliverTaskResponse {
    DeliverTaskResponse { outcome: Some(outcome) }
}

async fn states(world: &World) -> Vec<DeliveryState> {
    deliveries(world, "finance").await.iter().map(proto::redress::resolution::v1::Delivery::state).collect()
}

#[tokio::test]
async fn a_department_is_called_with_the_lease_and_its_token() {
    let world = pushing().await;
    let (bank, serving) = open(&world).await;
    let done = |reference: &str, request: &DeliverTaskRequest| TaskResult {
        reference: reference.to_owned(),
        amount: request.lease.as_ref().unwrap().task.as_ref().unwrap().amount.clone(),
        remark: String::new(),
        evidence: Vec::new(),
        output: String::new(),
    };
    let plan = world.approved(vec![refund("a")]).await;
    eventually(async || states(&world).await == [DeliveryState::Taken]).await;
    let (shown, asked) = bank.asked.lock().unwrap()[0].clone();
    assert_eq!(shown, format!("Bearer {TOKEN}"));
    let lease = asked.lease.clone().unwrap();
    let found = world.task(&lease.task.as_ref().unwrap().task_id).await;
    assert_eq!((found.state(), found.worker.as_str()), (TaskState::Leased, "gRPC endpoint"));
    assert_eq!((found.visible_time, asked.tenant_id.as_str()), (lease.expire_time, "development"));
    world.cancel(&plan).await;
    eventually(async || world.plan(&plan).await.state() == PlanState::Cancelled).await;
    assert_eq!(bank.cancelled.lock().unwrap()[0].lease_token, lease.lease_token);

    bank.will(vec![Ok(with(Outcome::Done(done("P-1", &asked))))]);
    let plan = world.approved(vec![refund("b")]).await;
    eventually(async || world.plan(&plan).await.state() == PlanState::Completed).await;
    serving.abort();
    world.house.done().await;
}

#[tokio::test]
async fn a_status_is_no_answer_and_a_failure_is_one() {
    let world = pushing().await;
    let (bank, serving) = open(&world).await;
    let failed = DeliveryFailure {
        code: "no code".to_owned(),
        message: "the account is closed".to_owned(),
        retryable: false,
        outcome_unknown: false,
    };
    bank.will(vec![
        Err(Status::unavailable("later")),
        Err(Status::resource_exhausted("too many")),
        Ok(with(Outcome::Failed(failed))),
    ]);
    world.approved(vec![refund("a")]).await;
    for count in 1..=2 {
        eventually(async || {
            let found = deliveries(&world, "finance").await;
            let latest = found.first().and_then(|one| one.tries.first());
            latest.is_some_and(|latest| latest.number >= count && latest.duration.is_some())
        })
        .await;
        world.house.advance(std::time::Duration::from_mins(1));
    }
    eventually(async || states(&world).await == [DeliveryState::Failed]).await;
    let delivery = deliveries(&world, "finance").await.remove(0);
    let seen: Vec<_> =
        delivery.tries.iter().rev().map(|one| (one.status.as_str(), one.excerpt.as_str())).collect();
    assert_eq!(seen, [("UNAVAILABLE", "later"), ("RESOURCE_EXHAUSTED", "too many"), ("OK", "")]);
    let asked = bank.asked();
    assert!(asked.iter().all(|one| one.delivery_id == delivery.delivery_id));
    let task = world.task(&delivery.task_id).await;
    assert_eq!((task.state(), task.attempt), (TaskState::NeedsAttention, 1));
    assert_eq!(task.last_error, "FAILED: the account is closed");
    serving.abort();
    world.house.done().await;
}

#[tokio::test]
async fn a_server_that_is_not_there_or_does_not_implement_it_is_tried_again() {
    let world = pushing().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let request = SetEndpointRequest {
        kind: EndpointKind::Grpc.into(),
        secret: String::new(),
        ..setting("finance", &url)
    };
    endpoints(&world, "boss").set_endpoint(request).await.unwrap();
    // Whoever listens there speaks something else, and then nobody does.
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        drop(stream);
    });
    world.approved(vec![refund("a")]).await;
    eventually(async || serving.is_finished()).await;
    for count in 1..=2 {
        eventually(async || {
            let found = deliveries(&world, "finance").await;
            let latest = found.first().and_then(|one| one.tries.first());
            latest.is_some_and(|latest| latest.number >= count && latest.duration.is_some())
        })
        .await;
        world.house.advance(std::time::Duration::from_mins(1));
    }
    let delivery = deliveries(&world, "finance").await.remove(0);
    assert_eq!(delivery.state(), DeliveryState::Pending);
    assert_eq!(
        delivery.tries.iter().find(|one| one.number == 2).unwrap().reason,
        "the host cannot be reached"
    );
    world.house.done().await;
}
