//! A worker made of nothing but the contract, with a fault of the test's choosing.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kernel::{Ids as _, RandomIds};
use proto::redress::resolution::v1::resolution_service_client::ResolutionServiceClient;
use proto::redress::resolution::v1::{
    CompleteTaskRequest, FailTaskRequest, HeartbeatRequest, Lease, PollTasksRequest, StreamTasksRequest,
    Task, TaskResult,
};
use tokio::task::JoinSet;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

/// What a worker does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Nothing,
    /// Has no name.
    Nameless,
    /// Reports no payment reference.
    NoReference,
    /// Reports more than was approved.
    PaysTooMuch,
    /// Asks anew where the answer to a poll was lost, or a stream was cut.
    NewPollId,
    /// Reports anew where the answer to a report was lost.
    NewReportId,
    /// Reports anew where an answer is slow.
    Impatient,
    /// Does not know what it has paid.
    PaysTwice,
    /// Looks whether it has paid, and pays a moment later.
    LooksThenPays,
    /// Keeps the token it was given first.
    OldToken,
    /// Goes on reporting under a token that is lost.
    Nags,
    /// Pays what is no longer wanted.
    IgnoresCancel,
    /// Says that it did not do what it did.
    DeniesDone,
    /// Sends no heartbeats.
    Silent,
    /// Ends when its connection breaks.
    GivesUp,
    /// Asks without a pause.
    Storms,
    /// Pays twice and tells one reference.
    PaysTwiceInSecret,
    /// Has a second stream beside its first.
    TwoStreams,
    /// Does one task after the other, and gives signs of life for that at hand only.
    BeatsOne,
}

/// How a worker asks for tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asks {
    ByPoll,
    ByStream,
}

/// The worker.
#[derive(Clone)]
pub(crate) struct Worker {
    fault: Fault,
    service: ResolutionServiceClient<Channel>,
    /// What it paid: tasks and references.
    books: Arc<Mutex<Vec<(String, String)>>>,
    /// The first token of each task.
    tokens: Arc<Mutex<HashMap<String, String>>>,
    /// The one task at hand, of a worker that does one after the other.
    at_hand: Arc<tokio::sync::Mutex<()>>,
}

/// How long it holds a task without a sign of life.
const LEASE: Duration = Duration::from_secs(1);

fn new_id() -> String {
    RandomIds.token().to_string()
}

impl Worker {
    pub(crate) fn new(address: SocketAddr, fault: Fault) -> Self {
        let channel = Endpoint::from_shared(format!("http://{address}")).expect("an address").connect_lazy();
        let service = ResolutionServiceClient::new(channel);
        Self { fault, service, books: Arc::default(), tokens: Arc::default(), at_hand: Arc::default() }
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    /// Its books: a line for each payment.
    pub(crate) fn books(&self) -> String {
        let books = self.books.lock().expect("lock");
        let lines: Vec<String> =
            books.iter().map(|(task, reference)| format!("{task} {reference}")).collect();
        lines.join("\n")
    }

    /// Works until it is dropped, or gives up.
    pub(crate) async fn run(self, asks: Asks) {
        match asks {
            Asks::ByPoll => self.run_by_poll().await,
            Asks::ByStream if self.is(Fault::TwoStreams) => {
                tokio::join!(self.clone().run_by_stream(), self.run_by_stream());
            }
            Asks::ByStream => self.run_by_stream().await,
        }
    }

    async fn run_by_stream(self) {
        let mut request = StreamTasksRequest {
            request_id: new_id(),
            department_id: "finance".into(),
            worker: self.name(),
            credits: 4,
            lease_duration: prost_types::Duration::try_from(LEASE).ok(),
        };
        let mut tasks = JoinSet::new();
        loop {
            if let Ok(answer) = self.service.clone().stream_tasks(request.clone()).await {
                let mut stream = answer.into_inner();
                while let Ok(Some(answer)) = stream.message().await {
                    tasks.spawn(self.clone().carry_out(answer.lease.expect("a lease")));
                }
            }
            match self.fault {
                Fault::GivesUp => return,
                Fault::NewPollId => request.request_id = new_id(),
                _ => {}
            }
            self.pause().await;
        }
    }

    fn name(&self) -> String {
        if self.is(Fault::Nameless) { String::new() } else { "honest".into() }
    }

    async fn pause(&self) {
        let pause = if self.is(Fault::Storms) { 5 } else { 100 };
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }

    async fn run_by_poll(self) {
        let mut tasks = JoinSet::new();
        while let Some(leases) = self.poll().await {
            for lease in leases {
                tasks.spawn(self.clone().carry_out(lease));
            }
        }
    }

    async fn poll(&self) -> Option<Vec<Lease>> {
        let seconds = |seconds| Some(prost_types::Duration { seconds, nanos: 0 });
        let mut poll = PollTasksRequest {
            request_id: new_id(),
            department_id: "finance".into(),
            worker: self.name(),
            max_tasks: 4,
            wait_duration: seconds(1),
            lease_duration: seconds(1),
        };
        loop {
            match self.service.clone().poll_tasks(poll.clone()).await {
                Ok(answer) => return Some(answer.into_inner().leases),
                Err(_) if self.is(Fault::GivesUp) => return None,
                Err(_) if self.is(Fault::NewPollId) => poll.request_id = new_id(),
                Err(_) => {}
            }
            self.pause().await;
        }
    }

    async fn carry_out(self, lease: Lease) {
        let at_hand = self.at_hand.clone();
        let _at_hand = if self.is(Fault::BeatsOne) { Some(at_hand.lock().await) } else { None };
        let task = lease.task.expect("a task");
        let first = self
            .tokens
            .lock()
            .expect("lock")
            .entry(task.task_id.clone())
            .or_insert(lease.lease_token.clone())
            .clone();
        let token = if self.is(Fault::OldToken) { first } else { lease.lease_token };
        let has = self.reference(&task).is_some() && !self.is(Fault::DeniesDone);
        if task.cancel_requested && !has && !self.is(Fault::IgnoresCancel) {
            return self.cancelled(&task, &token).await;
        }
        let reference = self.pay(&task).await;
        self.dawdle(&task, &token).await;
        let mut amount = task.amount.clone().expect("a sum");
        if self.is(Fault::PaysTooMuch) {
            amount.units += 1;
        }
        let reference = if self.is(Fault::NoReference) { String::new() } else { reference };
        let result = Some(TaskResult {
            reference,
            amount: Some(amount),
            remark: String::new(),
            evidence: Vec::new(),
            output: String::new(),
        });
        let request =
            CompleteTaskRequest { request_id: new_id(), task_id: task.task_id, lease_token: token, result };
        self.tell(request).await;
    }

    /// Takes longer than its lease, with signs of life or without.
    async fn dawdle(&self, task: &Task, token: &str) {
        let beats = match self.fault {
            Fault::Silent => 0,
            Fault::BeatsOne => 8,
            _ => 3,
        };
        for _ in 0..beats {
            tokio::time::sleep(LEASE / 10).await;
            let beat = HeartbeatRequest {
                task_id: task.task_id.clone(),
                lease_token: token.to_owned(),
                lease_duration: prost_types::Duration::try_from(LEASE).ok(),
                checkpoint: Vec::new(),
            };
            let _ = self.service.clone().heartbeat(beat).await;
        }
        if self.is(Fault::Silent) {
            tokio::time::sleep(LEASE * 3 / 2).await;
        }
    }

    fn reference(&self, task: &Task) -> Option<String> {
        let books = self.books.lock().expect("lock");
        books.iter().find(|(paid, _)| *paid == task.task_id).map(|(_, reference)| reference.clone())
    }

    async fn pay(&self, task: &Task) -> String {
        if self.is(Fault::LooksThenPays) {
            if let Some(reference) = self.reference(task) {
                return reference;
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        let mut books = self.books.lock().expect("lock");
        let paid =
            books.iter().find(|(paid, _)| *paid == task.task_id).map(|(_, reference)| reference.clone());
        let new = format!("PAY-{}", books.len() + 1);
        match paid {
            Some(reference) if self.is(Fault::PaysTwiceInSecret) => {
                books.push((task.task_id.clone(), reference.clone()));
                reference
            }
            Some(reference) if !self.is(Fault::PaysTwice) && !self.is(Fault::LooksThenPays) => reference,
            _ => {
                books.push((task.task_id.clone(), new.clone()));
                new
            }
        }
    }

    async fn cancelled(&self, task: &Task, token: &str) {
        let request = FailTaskRequest {
            request_id: new_id(),
            task_id: task.task_id.clone(),
            lease_token: token.to_owned(),
            code: "CANCELLED".into(),
            ..FailTaskRequest::default()
        };
        let _ = self.service.clone().fail_task(request).await;
    }

    /// Reports until there is an answer.
    async fn tell(&self, mut message: CompleteTaskRequest) {
        let mut nagged = 0;
        loop {
            let mut request = Request::new(message.clone());
            if self.is(Fault::Impatient) {
                request.set_timeout(Duration::from_secs(1));
            }
            match self.service.clone().complete_task(request).await {
                Ok(_) => return,
                Err(status) if is_refusal(&status) => {
                    nagged += 1;
                    if !self.is(Fault::Nags) || nagged > 3 {
                        return;
                    }
                    message.request_id = new_id();
                }
                Err(_) if self.is(Fault::NewReportId) || self.is(Fault::Impatient) => {
                    message.request_id = new_id();
                }
                Err(_) => {}
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

fn is_refusal(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::FailedPrecondition | Code::NotFound | Code::AlreadyExists | Code::InvalidArgument
    )
}
