//! What somebody does who takes a task into their own hands: for departments whose people have
//! no system of their own.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use proto::google::r#type::Money;
use proto::redress::resolution::v1::{
    CompleteTaskRequest, FailTaskRequest, Lease, PollTasksRequest, PollTasksResponse, RejectTaskRequest,
    TaskResult,
};
use show::table::facts;
use show::{lines, text};

use crate::cli::connection::Caller;
use crate::cli::submit::read_text;

/// How long a person may take over a task, in minutes, unless they say.
const MINUTES: u16 = 30;
/// Longest that a lease may hold.
const MAX_MINUTES: i64 = 60;

/// Proof of holding a task.
#[derive(Args)]
pub(super) struct Held {
    /// Id of the task
    task: String,
    /// Proof of holding it, as `task take` shows it
    #[arg(long)]
    lease_token: String,
}

#[derive(Subcommand)]
pub(super) enum HeldVerb {
    /// Takes the most urgent task that waits for a department, and shows what proves that
    Take {
        /// Name of the department
        department: String,
        /// For how many minutes nobody else is given it; 1 to 60
        #[arg(long, default_value_t = MINUTES, value_parser = clap::value_parser!(u16).range(1..=MAX_MINUTES))]
        minutes: u16,
    },
    /// Says what was done for a task
    Done {
        #[command(flatten)]
        held: Held,
        /// The department's own number for what it did
        #[arg(long, default_value = "")]
        reference: String,
        /// The sum moved, e.g. `CNY 199.90`
        #[arg(long, value_parser = lines::read_money)]
        amount: Option<Money>,
        /// What came of a type of your own, as JSON; `-` for standard input
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Says that a task could not be done
    Fail {
        #[command(flatten)]
        held: Held,
        /// What went wrong, for programs, e.g. `ACCOUNT_CLOSED`
        #[arg(long)]
        code: String,
        /// The same for people
        #[arg(long, default_value = "")]
        message: String,
        /// Another attempt may succeed
        #[arg(long, conflicts_with = "unknown")]
        retryable: bool,
        /// It may have been done after all: nobody tries again before that is settled
        #[arg(long)]
        unknown: bool,
    },
    /// Hands a task back: it is not this department's, or not to be done
    Reject {
        #[command(flatten)]
        held: Held,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

impl HeldVerb {
    pub(super) async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        let mut resolution = caller.resolution();
        let request_id = caller.request_id();
        let task = match self {
            Self::Take { department, minutes } => return take(caller, department, minutes).await,
            Self::Done { held, reference, amount, output } => {
                let output = output.map(|file| read_text(&file)).transpose()?.unwrap_or_default();
                let Held { task, lease_token } = held;
                let result = Some(TaskResult { reference, amount, output, ..TaskResult::default() });
                let request = CompleteTaskRequest { request_id, task_id: task, lease_token, result };
                resolution.complete_task(request).await?.into_inner().task
            }
            Self::Fail { held, code, message, retryable, unknown } => {
                let Held { task, lease_token } = held;
                let request = FailTaskRequest {
                    request_id,
                    task_id: task,
                    lease_token,
                    code,
                    message,
                    retryable,
                    outcome_unknown: unknown,
                };
                resolution.fail_task(request).await?.into_inner().task
            }
            Self::Reject { held, reason } => {
                let Held { task, lease_token } = held;
                let request = RejectTaskRequest { request_id, task_id: task, lease_token, reason };
                resolution.reject_task(request).await?.into_inner().task
            }
        };
        show::answer(caller.json, &task.unwrap_or_default(), text::task)
    }
}

async fn take(caller: &Caller, department_id: String, minutes: u16) -> anyhow::Result<()> {
    let request = PollTasksRequest {
        request_id: caller.request_id(),
        department_id,
        worker: caller.subject.clone().unwrap_or_else(|| "command line".to_owned()),
        max_tasks: 1,
        wait_duration: None,
        lease_duration: Some(prost_types::Duration { seconds: i64::from(minutes) * 60, nanos: 0 }),
    };
    let answer = caller.resolution().poll_tasks(request).await?.into_inner();
    show::answer(caller.json, &answer, taken)
}

/// What was taken, and what proves it.
fn taken(answer: &PollTasksResponse) -> String {
    let shown = |lease: &Lease| {
        let task = lease.task.as_ref().map(text::task).unwrap_or_default();
        let held = facts(&[
            ("lease token", lease.lease_token.clone()),
            ("yours until", lines::time(lease.expire_time.as_ref())),
        ]);
        task + &held
    };
    answer.leases.first().map_or_else(|| "nothing waits\n".to_owned(), shown)
}
