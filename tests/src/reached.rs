//! A department that does not poll: its tasks are brought to it over gRPC.
//!
//! It answers as such departments do in the worst of times: not at all, or after it has
//! done what it was asked to and the answer is lost; it takes a task and reports later, or
//! answers that it is done. What failed once does not fail again, or back-offs would last
//! longer than the tests. What keeps its goods right is its ledger, as for one that polls.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use client::Client;
use kernel::{Ids as _, RandomIds};
use proto::redress::resolution::v1::deliver_task_response::Outcome;
use proto::redress::resolution::v1::department_worker_server::{DepartmentWorker, DepartmentWorkerServer};
use proto::redress::resolution::v1::endpoint_service_client::EndpointServiceClient;
use proto::redress::resolution::v1::resolution_service_client::ResolutionServiceClient;
use proto::redress::resolution::v1::{
    CancelTaskRequest, CancelTaskResponse, CompleteTaskRequest, DeliverTaskRequest, DeliverTaskResponse,
    EndpointKind, Lease, SetEndpointRequest, TaskResult,
};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Code, Request, Response, Status};

use crate::department::Ledger;

/// Networks the services must let it be in.
pub const NETWORKS: (&str, &str) = ("REDRESS_ENDPOINT_NETWORKS", "127.0.0.0/8");
/// How long the services wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(2);
/// How long a task it took is its own without a report: the least that is allowed.
const HOLD: Duration = Duration::from_mins(1);
/// How long it may take until its department is known everywhere.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(50);
/// Of so many deliveries one is refused, and the answer to one is lost.
const TURNS: usize = 5;

/// A department at work, until dropped.
pub struct ReachedDepartment {
    brought: Arc<AtomicUsize>,
    serving: JoinHandle<Result<(), tonic::transport::Error>>,
}

impl ReachedDepartment {
    /// Opens it, and has the tasks of a department brought to it.
    pub async fn open(client: &Client, department: &str, ledger: &Ledger) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let brought = Arc::<AtomicUsize>::default();
        let department_server = DepartmentServer {
            client: client.clone(),
            ledger: ledger.clone(),
            brought: brought.clone(),
            seen: Arc::default(),
        };
        let server = Server::builder().add_service(DepartmentWorkerServer::new(department_server));
        let serving = tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        let this = Self { brought, serving };
        tokio::time::timeout(PATIENCE, set_endpoint(client, department, &url)).await??;
        Ok(this)
    }

    /// How often a task was brought to it.
    pub fn brought(&self) -> usize {
        self.brought.load(Ordering::Relaxed)
    }
}

impl Drop for ReachedDepartment {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn set_endpoint(client: &Client, department: &str, url: &str) -> Result<()> {
    let mut endpoints = EndpointServiceClient::new(client.calls_at("resolution"));
    let request = SetEndpointRequest {
        request_id: format!("endpoint-{department}"),
        department_id: department.to_owned(),
        kind: EndpointKind::Grpc.into(),
        url: url.to_owned(),
        timeout_duration: Some(prost_types::Duration { seconds: TIMEOUT.as_secs().try_into()?, nanos: 0 }),
        hold_duration: Some(prost_types::Duration { seconds: HOLD.as_secs().try_into()?, nanos: 0 }),
        ..SetEndpointRequest::default()
    };
    loop {
        match endpoints.set_endpoint(request.clone()).await {
            Ok(_) => return Ok(()),
            Err(status) if status.code() == Code::NotFound => tokio::time::sleep(LOOK).await,
            Err(status) => return Err(status.into()),
        }
    }
}

#[derive(Clone)]
struct DepartmentServer {
    client: Client,
    ledger: Ledger,
    brought: Arc<AtomicUsize>,
    /// Deliveries that were made to it.
    seen: Arc<Mutex<HashSet<String>>>,
}

impl DepartmentServer {
    /// Reports a task that was taken. Nobody hears whether that worked: what is not reported
    /// is brought again.
    async fn report(client: Client, task_id: String, lease_token: String, result: TaskResult) {
        let request = CompleteTaskRequest {
            request_id: RandomIds.token().to_string(),
            task_id,
            lease_token,
            result: Some(result),
        };
        let _ = ResolutionServiceClient::new(client.calls()).complete_task(request).await;
    }
}

#[tonic::async_trait]
impl DepartmentWorker for DepartmentServer {
    async fn deliver_task(
        &self,
        request: Request<DeliverTaskRequest>,
    ) -> Result<Response<DeliverTaskResponse>, Status> {
        let lost = || Status::unavailable("nobody is there");
        let DeliverTaskRequest { delivery_id, lease, .. } = request.into_inner();
        let Lease { task, lease_token, .. } = lease.ok_or_else(lost)?;
        let task = task.ok_or_else(lost)?;
        let turn = self.brought.fetch_add(1, Ordering::Relaxed) % TURNS;
        let is_new = self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(delivery_id);
        let turn = if is_new { turn } else { turn.max(2) };
        if turn == 0 {
            return Err(lost());
        }
        let reference = self.ledger.carry_out(&task).map_err(|_| lost())?;
        let result = TaskResult { reference, amount: task.amount.clone(), ..TaskResult::default() };
        match turn {
            1 => Err(Status::unknown("the answer is lost")),
            2 => {
                tokio::spawn(Self::report(self.client.clone(), task.task_id, lease_token, result));
                Ok(Response::new(DeliverTaskResponse { outcome: None }))
            }
            _ => Ok(Response::new(DeliverTaskResponse { outcome: Some(Outcome::Done(result)) })),
        }
    }

    /// It has stopped nothing: what it was brought it has done.
    async fn cancel_task(
        &self,
        _: Request<CancelTaskRequest>,
    ) -> Result<Response<CancelTaskResponse>, Status> {
        Ok(Response::new(CancelTaskResponse { stopped: false }))
    }
}
