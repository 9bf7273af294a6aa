//! A department's tasks, as far as a worker can tell: leases, tokens and answers as
//! `ResolutionService` promises them, except where an attack says otherwise.

mod stream;

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kernel::{Clock as _, Ids as _, RandomIds, SystemClock};
use proto::redress::resolution::v1::{
    HeartbeatRequest, HeartbeatResponse, Lease, PollTasksRequest, PollTasksResponse, Task, TaskState,
};
use tokio::sync::watch;
use tokio::time::Instant;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::worker_call::{Ask, Outcome, Report, What, WorkerCall};

/// How long a lease holds when its poll does not say.
const USUAL_LEASE: Duration = Duration::from_mins(1);

/// What is done about an answer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Answer {
    /// It is given.
    #[default]
    Given,
    /// What was asked is done, and the answer lost.
    Lost,
    /// What was asked is done, and the answer lost; the task is no longer wanted by then.
    LostAndCancelled,
    /// What was asked is done, and the answer given after this time.
    Late(Duration),
    /// Nothing is done: somebody else holds the task by now.
    LeaseLost,
}

/// A task for whoever asks next.
#[derive(Clone, Debug)]
pub(crate) struct Offer {
    pub(crate) task: Task,
    /// What becomes of the answer that hands it out.
    pub(crate) answer: Answer,
}

/// A task that was handed out.
#[derive(Clone, Debug)]
pub(crate) struct Granted {
    /// The poll or stream that got it.
    pub(crate) ask: Ask,
    pub(crate) lease: Lease,
    pub(crate) at: Instant,
    /// How long the lease holds without a heartbeat.
    pub(crate) lasts: Duration,
    /// How much had been heard before.
    pub(crate) heard: usize,
    /// How many tasks were held then, this one among them.
    pub(crate) at_once: usize,
    /// Whether it is held still.
    is_held: bool,
}

#[derive(Debug, Default)]
struct State {
    offers: VecDeque<Offer>,
    /// Every hand-out, the oldest first.
    granted: Vec<Granted>,
    heard: Vec<WorkerCall>,
    /// Reports that were taken or refused, by `request_id`.
    answered: HashMap<String, (Report, Result<Task, Status>)>,
    /// What is done about the answers to the reports to come.
    report_answers: VecDeque<Answer>,
    is_overloaded: bool,
}

/// The department.
#[derive(Debug)]
pub(crate) struct Department {
    pub(crate) id: String,
    state: Mutex<State>,
    /// Told of everything that is heard or offered.
    changed: watch::Sender<()>,
}

impl Department {
    pub(crate) fn new(id: String) -> Self {
        Self { id, state: Mutex::default(), changed: watch::Sender::new(()) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self, what: What) {
        self.state().heard.push(WorkerCall { at: Instant::now(), what });
        self.changed.send_replace(());
    }

    /// Has a task handed to the next poll.
    pub(crate) fn offer(&self, offer: Offer) {
        self.state().offers.push_back(offer);
        self.changed.send_replace(());
    }

    /// What is done about the answer to the next report.
    pub(crate) fn answer_next_report(&self, answer: Answer) {
        self.state().report_answers.push_back(answer);
    }

    /// Answers nothing but that it is overloaded, or as usual again.
    pub(crate) fn overload(&self, is_overloaded: bool) {
        self.state().is_overloaded = is_overloaded;
        self.changed.send_replace(());
    }

    /// The end of an attack.
    pub(crate) fn be_calm(&self) {
        let mut state = self.state();
        state.offers.clear();
        state.report_answers.clear();
        state.is_overloaded = false;
        // What is left of it takes no credits from the next.
        let streamed = state.granted.iter_mut().filter(|granted| matches!(granted.ask, Ask::Stream(_)));
        streamed.for_each(|granted| granted.is_held = false);
    }

    /// Told whenever something changes.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Everything that was heard.
    pub(crate) fn heard(&self) -> Vec<WorkerCall> {
        self.state().heard.clone()
    }

    /// Every report that was heard.
    pub(crate) fn reports(&self) -> Vec<Report> {
        let report = |heard: &WorkerCall| match &heard.what {
            What::Report(report) => Some(report.clone()),
            What::Ask(_) | What::Beat(_) => None,
        };
        self.state().heard.iter().filter_map(report).collect()
    }

    /// The hand-outs of a task, the oldest first.
    pub(crate) fn granted(&self, task_id: &str) -> Vec<Granted> {
        let is_it = |granted: &&Granted| granted.task_id() == task_id;
        self.state().granted.iter().filter(is_it).cloned().collect()
    }

    /// `PollTasks`
    pub(crate) async fn poll(&self, poll: PollTasksRequest) -> Result<PollTasksResponse, Status> {
        let ask = Ask::Poll(poll.clone());
        self.hear(What::Ask(ask.clone()));
        let flaws = ask.flaws(&self.id);
        if !flaws.is_empty() {
            return Err(refused(Code::InvalidArgument, "INVALID_POLL", &flaws.join(", ")));
        }
        let wait = poll.wait_duration.and_then(|wait| Duration::try_from(wait).ok()).unwrap_or_default();
        let deadline = Instant::now() + wait;
        let mut changes = self.changes();
        loop {
            if let Some((leases, answer)) = self.grant(&ask, poll.max_tasks)? {
                return answer.of(PollTasksResponse { leases }).await;
            }
            // The sender lives as long as the department.
            if tokio::time::timeout_at(deadline, changes.changed()).await.is_err() {
                return Ok(PollTasksResponse::default());
            }
        }
    }

    /// What a poll gets now, if anything.
    fn grant(&self, ask: &Ask, max_tasks: i32) -> Result<Option<(Vec<Lease>, Answer)>, Status> {
        let mut state = self.state();
        let held = state.held_by(ask)?;
        if !held.is_empty() {
            return Ok(Some((held, Answer::Given)));
        }
        let most = usize::try_from(max_tasks.max(1)).unwrap_or(1);
        let (mut leases, mut answer) = (Vec::<Lease>::new(), Answer::Given);
        while leases.len() < most
            && let Some(offer) = state.offers.front()
            // Nobody is handed a task twice in one answer.
            && !leases.iter().any(|lease| is_of(lease, &offer.task.task_id))
            && let Some(offer) = state.offers.pop_front()
        {
            if leases.is_empty() {
                answer = offer.answer;
            }
            leases.push(state.hand_out(ask, offer));
        }
        Ok((!leases.is_empty()).then_some((leases, answer)))
    }

    /// `Heartbeat`
    pub(crate) fn beat(&self, beat: &HeartbeatRequest) -> Result<HeartbeatResponse, Status> {
        self.hear(What::Beat(beat.clone()));
        let mut state = self.state();
        let granted = state.holding(&beat.task_id, &beat.lease_token)?;
        let lasts = beat.lease_duration.and_then(|lasts| Duration::try_from(lasts).ok());
        let task = granted.lease.task.clone().unwrap_or_default();
        Ok(HeartbeatResponse {
            expire_time: Some(proto::timestamp(SystemClock.now() + lasts.unwrap_or(USUAL_LEASE))),
            cancel_requested: task.cancel_requested,
            pause_requested: false,
        })
    }

    /// `CompleteTask`, `FailTask`, `RejectTask`
    pub(crate) async fn report(&self, report: Report) -> Result<Task, Status> {
        // Heard and taken at once: the next attack begins as soon as it is heard.
        let (taken, answer) = self.state().take(report);
        self.changed.send_replace(());
        answer.of(taken?).await
    }
}

impl Answer {
    /// Gives an answer, or does not.
    async fn of<T>(self, answer: T) -> Result<T, Status> {
        match self {
            Self::Given | Self::LeaseLost => Ok(answer),
            Self::Lost | Self::LostAndCancelled => Err(Status::unavailable("the answer was lost")),
            Self::Late(by) => {
                tokio::time::sleep(by).await;
                Ok(answer)
            }
        }
    }
}

impl Granted {
    pub(crate) fn task_id(&self) -> &str {
        self.lease.task.as_ref().map_or("", |task| &task.task_id)
    }

    pub(crate) fn token(&self) -> &str {
        &self.lease.lease_token
    }

    /// It is held no more: its task as it is then.
    fn end(&mut self, outcome: &Outcome) -> Task {
        self.is_held = false;
        let mut task = self.lease.task.clone().unwrap_or_default();
        task.version += 1;
        let state = match outcome {
            Outcome::Done(result) => {
                task.result = Some(result.clone());
                TaskState::Completed
            }
            Outcome::Failed { unknown: true, .. } => TaskState::OutcomeUnknown,
            Outcome::Failed { .. } if task.cancel_requested => TaskState::Cancelled,
            Outcome::Failed { retryable: true, .. } => TaskState::Ready,
            Outcome::Failed { .. } | Outcome::Rejected(_) => TaskState::NeedsAttention,
        };
        task.set_state(state);
        task
    }
}

impl State {
    /// Hears a report; answers what comes of it, and what is done about that answer.
    fn take(&mut self, report: Report) -> (Result<Task, Status>, Answer) {
        self.heard.push(WorkerCall { at: Instant::now(), what: What::Report(report.clone()) });
        if self.is_overloaded {
            return (Err(Status::unavailable("overloaded")), Answer::Given);
        }
        if let Some((before, answer)) = self.answered.get(&report.request_id) {
            let answer = if before.words == report.words {
                answer.clone()
            } else {
                let what = "this request_id was used for another report";
                Err(refused(Code::AlreadyExists, "IDEMPOTENCY_KEY_REUSED", what))
            };
            return (answer, Answer::Given);
        }
        let answer = self.report_answers.pop_front().unwrap_or_default();
        let taken = match answer {
            Answer::LeaseLost => {
                if let Ok(granted) = self.holding(&report.task_id, &report.token) {
                    granted.is_held = false;
                }
                Err(lease_lost())
            }
            _ => self.holding(&report.task_id, &report.token).map(|granted| granted.end(&report.outcome)),
        };
        self.answered.insert(report.request_id.clone(), (report, taken.clone()));
        (taken, answer)
    }

    /// What a poll or stream was handed before and still holds.
    fn held_by(&self, ask: &Ask) -> Result<Vec<Lease>, Status> {
        if self.is_overloaded {
            return Err(Status::unavailable("overloaded"));
        }
        let before = self.granted.iter().filter(|granted| granted.ask.request_id() == ask.request_id());
        let before: Vec<&Granted> = before.collect();
        if before.iter().any(|granted| granted.ask != *ask) {
            let what = "this request_id was used for another poll or stream";
            return Err(refused(Code::AlreadyExists, "IDEMPOTENCY_KEY_REUSED", what));
        }
        Ok(before.iter().filter(|granted| granted.is_held).map(|granted| granted.lease.clone()).collect())
    }

    /// Hands a task out: who held it before holds it no more.
    fn hand_out(&mut self, ask: &Ask, Offer { task, answer }: Offer) -> Lease {
        let before = self.granted.iter_mut().filter(|granted| granted.task_id() == task.task_id);
        let attempt = before.fold(1, |attempt, granted| {
            granted.is_held = false;
            attempt + 1
        });
        let lasts = ask.lease().unwrap_or(USUAL_LEASE);
        let expire_time = Some(proto::timestamp(SystemClock.now() + lasts));
        let task = Task {
            attempt,
            version: i64::from(attempt),
            worker: ask.worker().to_owned(),
            state: TaskState::Leased.into(),
            visible_time: expire_time,
            cancel_requested: task.cancel_requested || matches!(answer, Answer::LostAndCancelled),
            ..task
        };
        let lease_token = RandomIds.token().to_string();
        let lease = Lease { task: Some(task), lease_token, expire_time, traceparent: String::new() };
        let held = self.granted.iter().filter(|granted| granted.is_held).count();
        self.granted.push(Granted {
            ask: ask.clone(),
            lease: lease.clone(),
            at: Instant::now(),
            lasts,
            heard: self.heard.len(),
            at_once: held + 1,
            is_held: true,
        });
        lease
    }

    /// What is held under a token.
    fn holding(&mut self, task_id: &str, token: &str) -> Result<&mut Granted, Status> {
        let of_task = self.granted.iter_mut().filter(|granted| granted.task_id() == task_id);
        let last = of_task.last();
        let last = last.ok_or_else(|| refused(Code::NotFound, "TASK_NOT_FOUND", "no task with this id"))?;
        if last.is_held && last.token() == token { Ok(last) } else { Err(lease_lost()) }
    }
}

fn is_of(lease: &Lease, task_id: &str) -> bool {
    lease.task.as_ref().is_some_and(|task| task.task_id == task_id)
}

fn lease_lost() -> Status {
    let what = "the task is not held under this token any more";
    refused(Code::FailedPrecondition, "LEASE_LOST", what)
}

/// A refusal, with its reason for programs.
fn refused(code: Code, reason: &str, what: &str) -> Status {
    Status::with_error_details(
        code,
        what,
        ErrorDetails::with_error_info(reason, "redress.dev", HashMap::new()),
    )
}
