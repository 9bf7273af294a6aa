//! Whole lifecycles by real clients: submit → assigned → accepted → decided → plan
//! approved → refund and exchange carried out by department workers → resolved →
//! accepted by the complainant → closed.
//!
//! Clients hear of progress from the event feed, as an integrating system would,
//! and present consistency tokens where one service must have heard of another.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use futures::future::{join_all, try_join_all};
use proto::google::r#type::Money;
use proto::redress::assignment::v1::AcceptCaseRequest;
use proto::redress::assignment::v1::assignment_service_client::AssignmentServiceClient;
use proto::redress::cases::v1::case_service_client::CaseServiceClient;
use proto::redress::cases::v1::{DecideCaseRequest, Outcome};
use proto::redress::event::v1::event_feed_client::EventFeedClient;
use proto::redress::event::v1::{Event, SubscribeRequest};
use proto::redress::feedback::v1::feedback_service_client::FeedbackServiceClient;
use proto::redress::feedback::v1::{RespondToOutcomeRequest, Response as Answer};
use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use proto::redress::resolution::v1::resolution_service_client::ResolutionServiceClient;
use proto::redress::resolution::v1::{
    ApprovePlanRequest, CompleteTaskRequest, Goods, Lease, PollTasksRequest, ProposePlanRequest, RemedyKind,
    Step, TaskResult,
};
use tokio::sync::oneshot;
use tokio::time::Instant;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;
use tonic::{Request, Response};

use crate::run::{Run, histogram, micros};
use crate::submit::submission;
use crate::suite::Suite;

/// How long a case may take for one step.
const PATIENCE: Duration = Duration::from_mins(1);
const TOKEN: &str = "redress-consistency-token";
/// Connections the clients share.
const CONNECTIONS: usize = 4;
const WORKERS_PER_DEPARTMENT: usize = 2;
const TASKS_A_POLL: i32 = 50;

/// Keeps so many lifecycles under way for so long; those begun are finished.
pub(crate) async fn run(suite: &Suite, in_flight: usize, length: Duration) -> Result<Run> {
    let clients = Clients::open(suite).await?;
    let over = Arc::new(AtomicBool::new(false));
    let workers = ["finance", "warehouse"]
        .into_iter()
        .flat_map(|department| (0..WORKERS_PER_DEPARTMENT).map(move |number| (department, number)));
    let workers: Vec<_> = workers
        .map(|(department, number)| {
            tokio::spawn(work(
                suite.channel.clone(),
                department,
                format!("{department}-{number}"),
                over.clone(),
            ))
        })
        .collect();
    let before = suite.cpu()?;
    let started = Instant::now();
    let end = started + length;
    let loops = (0..in_flight).map(|place| {
        let clients = clients[place % CONNECTIONS].clone();
        tokio::spawn(async move {
            let mut latency = histogram()?;
            let mut number = place as u64;
            while Instant::now() < end {
                let begun = Instant::now();
                clients.one(number).await?;
                latency.saturating_record(micros(begun.elapsed()));
                number += 1_000;
            }
            anyhow::Ok(latency)
        })
    });
    let latencies = try_join_all(loops).await?.into_iter().collect::<Result<Vec<_>>>()?;
    let run = Run::of(suite, before, started, latencies)?;
    over.store(true, Ordering::Relaxed);
    for worker in join_all(workers).await {
        worker.context("a worker panicked")??;
    }
    Ok(run)
}

/// Waits for what happens to a case.
#[derive(Clone)]
struct AwaitedEvents(Arc<Mutex<HashMap<String, Awaited>>>);

enum Awaited {
    Event(Box<Event>),
    Waiting(oneshot::Sender<Event>),
}

impl AwaitedEvents {
    async fn follow(channel: &Channel, source: &str, kind: &str) -> Result<Self> {
        let awaited = Self(Arc::default());
        let request = SubscribeRequest {
            source: source.to_owned(),
            types: vec![kind.to_owned()],
            ..SubscribeRequest::default()
        };
        let mut stream = EventFeedClient::new(channel.clone()).subscribe(request).await?.into_inner();
        let reader = awaited.clone();
        tokio::spawn(async move {
            while let Ok(Some(batch)) = stream.message().await {
                for event in batch.events {
                    reader.take(event);
                }
            }
        });
        Ok(awaited)
    }

    fn take(&self, event: Event) {
        let mut cases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match cases.remove(&event.subject) {
            Some(Awaited::Waiting(waiting)) => {
                let _ = waiting.send(event);
            }
            _ => {
                cases.insert(event.subject.clone(), Awaited::Event(Box::new(event)));
            }
        }
    }

    async fn of(&self, case: &str) -> Result<Event> {
        let waiting = {
            let mut cases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(Awaited::Event(event)) = cases.remove(case) {
                return Ok(*event);
            }
            let (sender, waiting) = oneshot::channel();
            cases.insert(case.to_owned(), Awaited::Waiting(sender));
            waiting
        };
        Ok(tokio::time::timeout(PATIENCE, waiting).await.context("a case is stuck")??)
    }
}

/// The people and systems around one case.
#[derive(Clone)]
pub(crate) struct Clients {
    channel: Channel,
    assigned: AwaitedEvents,
    resolved: AwaitedEvents,
    closed: AwaitedEvents,
}

pub(crate) type Token = Option<MetadataValue<Ascii>>;

fn token<T>(response: &Response<T>) -> Token {
    response.metadata().get(TOKEN).cloned()
}

fn seen(event: &Event) -> Token {
    format!("{}:{}", event.source, event.position).parse().ok()
}

fn after<T>(token: Token, subject: &'static str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    if let Some(token) = token {
        request.metadata_mut().insert(TOKEN, token);
    }
    request.metadata_mut().insert("redress-subject", MetadataValue::from_static(subject));
    request
}

impl Clients {
    /// Some that share the suite's events, each with a connection of its own.
    pub(crate) async fn open(suite: &Suite) -> Result<Vec<Self>> {
        let follow = async |source, kind| AwaitedEvents::follow(&suite.channel, source, kind).await;
        let assigned = follow("assignment", "redress.assignment.v1.CaseAssigned").await?;
        let resolved = follow("cases", "redress.cases.v1.CaseResolved").await?;
        let closed = follow("cases", "redress.cases.v1.CaseClosed").await?;
        let channels = suite.connect(CONNECTIONS).await?.into_iter();
        let client = |channel| Self {
            channel,
            assigned: assigned.clone(),
            resolved: resolved.clone(),
            closed: closed.clone(),
        };
        Ok(channels.map(client).collect())
    }

    async fn one(&self, number: u64) -> Result<()> {
        let (case_id, decided) = self.decided(number).await?;
        self.remedy(&case_id, decided, vec![refund("refund", 199), exchange()]).await?;

        let resolved = self.resolved.of(&case_id).await?;
        let respond = RespondToOutcomeRequest {
            request_id: format!("respond-{case_id}"),
            case_id: case_id.clone(),
            cycle: 0,
            response: Answer::Accepted.into(),
            comment: String::new(),
            satisfaction: None,
            ..RespondToOutcomeRequest::default()
        };
        let mut feedback = FeedbackServiceClient::new(self.channel.clone());
        feedback.respond_to_outcome(after(seen(&resolved), "complainant", respond)).await?;
        self.closed.of(&case_id).await?;
        Ok(())
    }

    /// A case for which a remedy is due, and from when on it is known.
    pub(crate) async fn decided(&self, number: u64) -> Result<(String, Token)> {
        let mut intake = IntakeServiceClient::new(self.channel.clone());
        let case_id = intake.submit_complaint(submission(number)).await?.into_inner().complaint_id;

        let event = self.assigned.of(&case_id).await?;
        let agent_id = agent(&event)?;
        let mut assignment = AssignmentServiceClient::new(self.channel.clone());
        let accept = AcceptCaseRequest {
            request_id: format!("accept-{case_id}"),
            case_id: case_id.clone(),
            expected_version: None,
            agent_id,
        };
        let accepted = assignment.accept_case(accept).await?;

        let mut cases = CaseServiceClient::new(self.channel.clone());
        let decide = DecideCaseRequest {
            request_id: format!("decide-{case_id}"),
            case_id: case_id.clone(),
            expected_version: None,
            outcome: Outcome::Upheld.into(),
            reasons: "The damage happened in transit; we pay and send anew.".to_owned(),
            remedy_due: true,
            ground: String::new(),
        };
        let decided = cases.decide_case(after(token(&accepted), "agent", decide)).await?;
        Ok((case_id, token(&decided)))
    }

    /// Has a plan of some steps proposed and approved.
    pub(crate) async fn remedy(&self, case_id: &str, decided: Token, steps: Vec<Step>) -> Result<()> {
        let mut resolution = ResolutionServiceClient::new(self.channel.clone());
        let propose = ProposePlanRequest {
            request_id: format!("propose-{case_id}"),
            case_id: case_id.to_owned(),
            steps,
        };
        let proposed = resolution.propose_plan(after(decided, "agent", propose)).await?.into_inner();
        let plan_id = proposed.plan.context("a plan")?.plan_id;
        let approve = ApprovePlanRequest {
            request_id: format!("approve-{case_id}"),
            plan_id,
            expected_version: None,
            on_behalf_of: String::new(),
        };
        resolution.approve_plan(after(None, "supervisor", approve)).await?;
        Ok(())
    }
}

/// A step that pays so many yuan.
pub(crate) fn refund(step_id: &str, yuan: i64) -> Step {
    Step {
        step_id: step_id.to_owned(),
        kind: RemedyKind::Refund.into(),
        department_id: "finance".to_owned(),
        amount: Some(Money { currency_code: "CNY".to_owned(), units: yuan, nanos: 0 }),
        ..Step::default()
    }
}

fn exchange() -> Step {
    Step {
        step_id: "exchange".to_owned(),
        kind: RemedyKind::Exchange.into(),
        department_id: "warehouse".to_owned(),
        goods: Some(Goods { sku: "CUP-6".to_owned(), quantity: 1 }),
        ..Step::default()
    }
}

fn agent(event: &Event) -> Result<String> {
    let payload = event.payload.as_ref().context("an event has a payload")?;
    let assigned: proto::redress::assignment::v1::CaseAssigned =
        prost::Message::decode(payload.value.as_slice())?;
    Ok(assigned.agent_id)
}

/// A department's worker: polls, and reports each task done.
async fn work(channel: Channel, department: &'static str, name: String, over: Arc<AtomicBool>) -> Result<()> {
    let mut client = ResolutionServiceClient::new(channel);
    let mut polls = 0_u64;
    while !over.load(Ordering::Relaxed) {
        polls += 1;
        let poll = PollTasksRequest {
            request_id: format!("{name}-{polls}"),
            department_id: department.to_owned(),
            worker: name.clone(),
            max_tasks: TASKS_A_POLL,
            wait_duration: Some(prost_types::Duration { seconds: 1, nanos: 0 }),
            lease_duration: None,
        };
        let leases = client.poll_tasks(poll).await?.into_inner().leases;
        try_join_all(leases.into_iter().map(|lease| complete(client.clone(), lease))).await?;
    }
    Ok(())
}

async fn complete(mut client: ResolutionServiceClient<Channel>, lease: Lease) -> Result<()> {
    let task = lease.task.context("a lease has a task")?;
    let request = CompleteTaskRequest {
        request_id: format!("complete-{}", task.task_id),
        lease_token: lease.lease_token,
        result: Some(TaskResult {
            reference: format!("REF-{}", task.task_id),
            amount: task.amount,
            ..TaskResult::default()
        }),
        task_id: task.task_id,
    };
    client.complete_task(request).await?;
    Ok(())
}
