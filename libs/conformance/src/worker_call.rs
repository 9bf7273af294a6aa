//! What a worker said, as it said it.

use std::time::Duration;

use prost::Message as _;
use proto::redress::resolution::v1::{
    CompleteTaskRequest, FailTaskRequest, HeartbeatRequest, PollTasksRequest, RejectTaskRequest,
    StreamTasksRequest, TaskResult,
};
use tokio::time::Instant;

/// Code by which a worker says that it did not do what is no longer wanted.
const CANCELLED: &str = "CANCELLED";

/// Something the worker said, and when.
#[derive(Clone, Debug)]
pub(crate) struct WorkerCall {
    pub(crate) at: Instant,
    pub(crate) what: What,
}

/// What it said.
#[derive(Clone, Debug)]
pub(crate) enum What {
    Ask(Ask),
    Beat(HeartbeatRequest),
    Report(Report),
}

/// How it asked for tasks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Ask {
    Poll(PollTasksRequest),
    Stream(StreamTasksRequest),
}

impl Ask {
    pub(crate) fn request_id(&self) -> &str {
        match self {
            Self::Poll(poll) => &poll.request_id,
            Self::Stream(stream) => &stream.request_id,
        }
    }

    pub(crate) fn worker(&self) -> &str {
        match self {
            Self::Poll(poll) => &poll.worker,
            Self::Stream(stream) => &stream.worker,
        }
    }

    /// How long it wants to hold what it is handed, where it says.
    pub(crate) fn lease(&self) -> Option<Duration> {
        let lease = match self {
            Self::Poll(poll) => &poll.lease_duration,
            Self::Stream(stream) => &stream.lease_duration,
        };
        lease.and_then(|lease| Duration::try_from(lease).ok())
    }

    /// What it has that the contract does not allow.
    pub(crate) fn flaws(&self, department_id: &str) -> Vec<String> {
        let (department, lease) = match self {
            Self::Poll(poll) => (&poll.department_id, poll.lease_duration),
            Self::Stream(stream) => (&stream.department_id, stream.lease_duration),
        };
        let seconds = |duration: prost_types::Duration| Duration::try_from(duration).unwrap_or(Duration::MAX);
        let words = |text: &str, most: usize| !text.trim().is_empty() && text.chars().count() <= most;
        let lease_range = Duration::from_secs(1)..=Duration::from_hours(1);
        let mut flaws = Vec::new();
        let mut ensure = |holds: bool, what: String| {
            if !holds {
                flaws.push(what);
            }
        };
        ensure(words(self.request_id(), 100), "request_id is missing or above 100 characters".to_owned());
        ensure(words(self.worker(), 200), "worker is missing or above 200 characters".to_owned());
        ensure(department == department_id, format!("department_id is {department:?}"));
        match self {
            Self::Poll(poll) => {
                let wait = poll.wait_duration.map(seconds);
                ensure((0..=100).contains(&poll.max_tasks), format!("max_tasks is {}", poll.max_tasks));
                let waits = wait.is_none_or(|wait| wait <= Duration::from_mins(1));
                ensure(waits, "wait_duration is not 0–60 s".to_owned());
            }
            Self::Stream(stream) => {
                ensure((1..=100).contains(&stream.credits), format!("credits is {}", stream.credits));
            }
        }
        let holds = lease.map(seconds).is_none_or(|lease| lease_range.contains(&lease));
        ensure(holds, "lease_duration is not 1 s–1 h".to_owned());
        flaws
    }
}

/// What came of a task, as its worker tells it.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) request_id: String,
    pub(crate) task_id: String,
    pub(crate) token: String,
    pub(crate) outcome: Outcome,
    /// The rpc and its request as they came: what is told again is told in the same words.
    pub(crate) words: (&'static str, Vec<u8>),
}

/// What came of a task.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Done(TaskResult),
    Failed { code: String, retryable: bool, unknown: bool },
    Rejected(String),
}

impl Report {
    pub(crate) fn completed(request: CompleteTaskRequest) -> Self {
        let words = ("CompleteTask", request.encode_to_vec());
        let CompleteTaskRequest { request_id, task_id, lease_token: token, result } = request;
        let outcome = Outcome::Done(result.unwrap_or_default());
        Self { request_id, task_id, token, outcome, words }
    }

    pub(crate) fn failed(request: FailTaskRequest) -> Self {
        let words = ("FailTask", request.encode_to_vec());
        let FailTaskRequest { request_id, task_id, lease_token: token, code, .. } = request;
        let outcome =
            Outcome::Failed { code, retryable: request.retryable, unknown: request.outcome_unknown };
        Self { request_id, task_id, token, outcome, words }
    }

    pub(crate) fn rejected(request: RejectTaskRequest) -> Self {
        let words = ("RejectTask", request.encode_to_vec());
        let RejectTaskRequest { request_id, task_id, lease_token: token, reason } = request;
        Self { request_id, task_id, token, outcome: Outcome::Rejected(reason), words }
    }

    /// The result, where it was done.
    pub(crate) fn result(&self) -> Result<&TaskResult, String> {
        match &self.outcome {
            Outcome::Done(result) => Ok(result),
            _ => Err(format!("it was to be done, and the worker reports: {}", self.in_words())),
        }
    }

    /// Whether it says that the task was not done because it is no longer wanted.
    pub(crate) fn is_cancelled(&self) -> bool {
        matches!(&self.outcome, Outcome::Failed { code, retryable: false, unknown: false } if code == CANCELLED)
    }

    /// What it says, for people.
    pub(crate) fn in_words(&self) -> String {
        match &self.outcome {
            Outcome::Done(result) => format!("done, reference {:?}", result.reference),
            Outcome::Failed { code, retryable, unknown } => {
                let how = match (retryable, unknown) {
                    (true, _) => "retryable",
                    (false, true) => "outcome unknown",
                    (false, false) => "for good",
                };
                format!("failed with code {code:?}, {how}")
            }
            Outcome::Rejected(reason) => format!("rejected: {reason:?}"),
        }
    }
}
