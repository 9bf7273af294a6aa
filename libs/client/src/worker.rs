//! The kit a department carries out its tasks with.
//!
//! [`Worker::run`] polls, hands each task to the handler, keeps its lease alive
//! meanwhile, and reports what came of it. What the network loses is repeated under
//! the same `request_id`: a lost poll gets the same leases again, a lost report has
//! one effect.
//!
//! The kit works at least once: a worker that dies is replaced, and its task handed
//! out again. The handler makes that exactly once by using the task's id as the
//! idempotency key of what it does; [`Ledger`] does so for whatever its own database keeps.

mod hold;
mod ledger;
mod report;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use proto::redress::resolution::v1::resolution_service_client::ResolutionServiceClient;
use proto::redress::resolution::v1::stock_service_client::StockServiceClient;
use proto::redress::resolution::v1::{Lease, PollTasksRequest, RemedyKind, Task, TaskResult};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Status};
use tracing::Instrument as _;

use crate::{Calls, Client, trace};
pub use ledger::{Doing, Ledger};

/// Most tasks one poll may ask for.
const BATCH_MAX: usize = 100;
/// Room for the way to the server and back, on top of a long poll's wait.
const POLL_SLACK: Duration = Duration::from_secs(10);
/// Pause after a poll or report that got no answer within its deadline.
const PAUSE: Duration = Duration::from_secs(1);

/// A worker of one department.
#[derive(Clone, Debug)]
pub struct Worker {
    /// Whose tasks it carries out.
    pub department: String,
    /// Its name, for people to recognise.
    pub name: String,
    /// Most tasks at once.
    pub concurrency: usize,
    /// How long a task is held without a sign of life. A heartbeat goes out every
    /// third of it.
    pub lease: Duration,
    /// How long a poll waits for the first task, and so the longest that stopping
    /// takes while idle.
    pub wait: Duration,
}

impl Worker {
    /// A worker with the usual patience.
    pub fn new(department: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            department: department.into(),
            name: name.into(),
            concurrency: 8,
            lease: Duration::from_mins(1),
            wait: Duration::from_secs(5),
        }
    }
}

/// A task at hand.
#[derive(Debug)]
pub struct Work {
    /// What is to be done. Its `task_id` is the idempotency key for doing it.
    pub task: Task,
    /// Cancelled when the result is no longer wanted: the plan was cancelled, or the
    /// task is somebody else's by now. A handler that has not begun, or can still go
    /// back, answers [`Failure::cancelled`]; one that has done it answers as usual.
    pub cancelled: CancellationToken,
    note: watch::Sender<Vec<u8>>,
}

impl Work {
    /// Leaves a note for the next holder, in case this one does not finish; it is in
    /// the task's `checkpoint` then.
    pub fn checkpoint(&self, note: impl Into<Vec<u8>>) {
        self.note.send_replace(note.into());
    }
}

/// Why a task was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It did not work; the server decides when it is tried again.
    Retryable {
        /// Machine-readable code, `UPPER_SNAKE`.
        code: String,
        /// What went wrong.
        message: String,
    },
    /// It cannot work; people must look into it.
    Final {
        /// Machine-readable code, `UPPER_SNAKE`.
        code: String,
        /// What went wrong.
        message: String,
    },
    /// It may have been done: the answer was lost on the way. It is not tried again
    /// before the department has settled it.
    Unknown {
        /// Machine-readable code, `UPPER_SNAKE`.
        code: String,
        /// What went wrong.
        message: String,
    },
    /// It is not this department's to do; people must look into it.
    Rejected {
        /// Why.
        reason: String,
    },
    /// The department lacks the goods or parts for it: it is handed out again when they are
    /// expected, and this attempt does not count.
    OutOfStock {
        /// The article; empty for the task's own.
        sku: String,
        /// When it is expected, within 180 days.
        expected: prost_types::Timestamp,
    },
}

impl Failure {
    /// It was not done, because it is no longer wanted.
    pub fn cancelled() -> Self {
        Self::Final { code: "CANCELLED".to_owned(), message: "stopped as asked".to_owned() }
    }
}

impl Worker {
    /// Works until told to stop, then finishes what it holds.
    ///
    /// # Errors
    ///
    /// Fails with what the server says if it refuses to hand out tasks to this worker at all.
    pub async fn run<H, F>(self, client: &Client, handler: H, stop: CancellationToken) -> Result<(), Status>
    where
        H: Fn(Work) -> F + Send + Sync + 'static,
        F: Future<Output = Result<TaskResult, Failure>> + Send + 'static,
    {
        let bench = Arc::new(Bench {
            service: ResolutionServiceClient::new(client.calls()),
            stock: StockServiceClient::new(client.calls()),
            client: client.clone(),
            hands: Arc::new(Semaphore::new(self.concurrency.max(1))),
            worker: self,
            stop,
        });
        let handler = Arc::new(handler);
        let mut tasks = JoinSet::new();
        let mut outcome = Ok(());
        while let Some(hands) = bench.free_hands().await {
            match bench.poll(hands.len()).await {
                Ok(leases) => {
                    for (lease, hand) in leases.into_iter().zip(hands) {
                        tasks.spawn(carry_out(bench.clone(), handler.clone(), lease, hand));
                    }
                }
                Err(refused) => {
                    outcome = Err(refused);
                    break;
                }
            }
            while tasks.try_join_next().is_some() {}
        }
        while tasks.join_next().await.is_some() {}
        outcome
    }
}

/// Where a worker works.
struct Bench {
    worker: Worker,
    client: Client,
    service: ResolutionServiceClient<Calls>,
    stock: StockServiceClient<Calls>,
    hands: Arc<Semaphore>,
    stop: CancellationToken,
}

impl Bench {
    /// Waits until at least one more task can be taken; none when told to stop.
    async fn free_hands(&self) -> Option<Vec<OwnedSemaphorePermit>> {
        let first = tokio::select! {
            biased;
            () = self.stop.cancelled() => return None,
            hand = self.hands.clone().acquire_owned() => hand.ok()?,
        };
        let mut hands = vec![first];
        while hands.len() < BATCH_MAX
            && let Ok(hand) = self.hands.clone().try_acquire_owned()
        {
            hands.push(hand);
        }
        Some(hands)
    }

    /// Asks for tasks until there is an answer, always with the same words: so a
    /// lost answer strands nothing.
    async fn poll(&self, hands: usize) -> Result<Vec<Lease>, Status> {
        let message = PollTasksRequest {
            request_id: self.client.request_id(),
            department_id: self.worker.department.clone(),
            worker: self.worker.name.clone(),
            max_tasks: i32::try_from(hands).unwrap_or(1),
            wait_duration: prost_types::Duration::try_from(self.worker.wait).ok(),
            lease_duration: prost_types::Duration::try_from(self.worker.lease).ok(),
        };
        loop {
            let mut request = Request::new(message.clone());
            request.set_timeout(self.worker.wait + POLL_SLACK);
            let mut service = self.service.clone();
            let answer = tokio::select! {
                answer = service.poll_tasks(request) => answer,
                () = self.overdue() => return Ok(Vec::new()),
            };
            match answer {
                Ok(answer) => return Ok(answer.into_inner().leases),
                // Services hear of a new department a moment later, and it may be
                // created after its worker was started.
                Err(status) if status.code() == Code::NotFound => {
                    let department = &self.worker.department;
                    tracing::warn!(%department, "there is no such department; asking again");
                    self.pause().await;
                }
                Err(status) if is_answered(&status) => return Err(status),
                Err(status) => {
                    tracing::warn!(rpc.code = %status.code(), "no answer to a poll; trying again");
                    self.pause().await;
                }
            }
        }
    }

    /// Ends some time after the stop: for a poll that the server should have
    /// answered by then.
    async fn overdue(&self) {
        self.stop.cancelled().await;
        tokio::time::sleep(self.worker.wait + PAUSE).await;
    }

    async fn pause(&self) {
        tokio::time::sleep(PAUSE).await;
    }
}

/// How a panic of the handler is told: what moves money or goods, or is of a type that moves
/// value, may have moved them.
fn panicked(kind: RemedyKind, moves_value: bool) -> Failure {
    let (code, message) = ("WORKER_PANICKED".to_owned(), "the handler panicked".to_owned());
    match kind {
        _ if moves_value => Failure::Unknown { code, message },
        RemedyKind::Refund
        | RemedyKind::Compensation
        | RemedyKind::FeeWaiver
        | RemedyKind::Exchange
        | RemedyKind::Redelivery => Failure::Unknown { code, message },
        _ => Failure::Retryable { code, message },
    }
}

/// Whether the server has answered, if only to refuse: it would say the same again.
fn is_answered(status: &Status) -> bool {
    !matches!(
        status.code(),
        Code::Unavailable
            | Code::DeadlineExceeded
            | Code::ResourceExhausted
            | Code::Aborted
            | Code::Cancelled
            | Code::Unknown
            | Code::Internal
    )
}

/// Carries out one task, in the trace its complaint came in.
async fn carry_out<H, F>(bench: Arc<Bench>, handler: Arc<H>, lease: Lease, hand: OwnedSemaphorePermit)
where
    H: Fn(Work) -> F + Send + Sync + 'static,
    F: Future<Output = Result<TaskResult, Failure>> + Send + 'static,
{
    let Lease { task: Some(task), lease_token, traceparent, expire_time: _ } = lease else { return };
    let span = tracing::info_span!("task", task.id = task.task_id, otel.kind = "consumer");
    trace::adopt(&span, &traceparent);
    let held = hold::Held { task_id: task.task_id.clone(), lease_token, traceparent };
    async move {
        let cancelled = CancellationToken::new();
        if task.cancel_requested {
            cancelled.cancel();
        }
        let (note, notes) = watch::channel(Vec::new());
        let (kind, moves_value) = (task.kind(), task.moves_value);
        let work = Work { task, cancelled: cancelled.clone(), note };
        // A task of its own: a panic in the handler fails this one alone.
        let mut handling = tokio::spawn(handler(work).in_current_span());
        let outcome = tokio::select! {
            outcome = &mut handling => outcome,
            never = bench.hold(&held, notes, cancelled) => match never {},
        };
        let outcome = outcome.unwrap_or_else(|_| Err(panicked(kind, moves_value)));
        bench.report(&held, outcome).await;
        drop(hand);
    }
    .instrument(span)
    .await;
}
