//! `redress task …`: what departments have to do.

mod held;
mod proposals;
mod queues;
mod supervision;

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};
use held::HeldVerb;
use proposals::ProposalVerb;
use proto::google::r#type::Money;
use proto::redress::resolution::v1::{
    GetTaskRequest, ListTasksRequest, RequeueTaskRequest, SettleTaskRequest, TaskOrder, TaskResult, TaskState,
};
use queues::QueueVerb;
use show::{lines, text, words};
use supervision::SupervisionVerb;

use super::connection::{Connection, Page};
use super::submit::read_text;

#[derive(Args)]
pub(crate) struct Tasks {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Lists tasks, newest first; of a case, or of a department
    #[command(group = ArgGroup::new("whose").args(["case", "department"]).required(true).multiple(true))]
    List {
        /// Only this case's
        #[arg(long, default_value = "")]
        case: String,
        /// Only this department's
        #[arg(long, default_value = "")]
        department: String,
        /// Only those in this state, e.g. `needs-attention`; goes with --department
        #[arg(long, value_parser = words::read::<TaskState>)]
        state: Option<TaskState>,
        /// In another order: `oldest`, or `least-slack`, the least time left first; goes with
        /// --department
        #[arg(long, value_parser = words::read::<TaskOrder>)]
        order: Option<TaskOrder>,
        /// Only those that were handed back twice or more; goes with --department
        #[arg(long)]
        looping: bool,
        #[command(flatten)]
        page: Page,
    },
    /// Shows a task
    Get {
        /// Id of the task
        task: String,
    },
    /// Says for its department what came of a task whose outcome is unknown
    Settle {
        /// Id of the task
        task: String,
        /// It was done; without, it was not
        #[arg(long)]
        done: bool,
        /// The department's own number for what it did
        #[arg(long, default_value = "", requires = "done")]
        reference: String,
        /// The sum moved, e.g. `CNY 199.90`
        #[arg(long, value_parser = lines::read_money, requires = "done")]
        amount: Option<Money>,
        /// What came of a type of your own, as JSON; `-` for standard input
        #[arg(long, value_name = "FILE", requires = "done")]
        output: Option<PathBuf>,
        /// How the department knows
        #[arg(long)]
        reason: String,
    },
    #[command(flatten)]
    Held(HeldVerb),
    /// Shows what was proposed about a task, and reports that came too late
    History {
        /// Id of the task
        task: String,
    },
    #[command(flatten)]
    Proposal(ProposalVerb),
    #[command(flatten)]
    Queue(QueueVerb),
    #[command(flatten)]
    Supervision(SupervisionVerb),
    /// Hands a task that needs attention out again; to another department, as a new task
    Requeue {
        /// Id of the task
        task: String,
        /// Why it should succeed now
        #[arg(long)]
        reason: String,
        /// The department to give it to, if another
        #[arg(long, default_value = "")]
        department: String,
    },
}

impl Tasks {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let mut resolution = caller.resolution();
        match self.verb {
            Verb::List { case, department, state, order, looping, page } => {
                let request = ListTasksRequest {
                    page_size: page.limit,
                    page_token: page.page,
                    case_id: case,
                    department_id: department,
                    state: state.unwrap_or_default().into(),
                    order: order.unwrap_or_default().into(),
                    looping,
                };
                show::answer(caller.json, &resolution.list_tasks(request).await?.into_inner(), text::tasks)
            }
            Verb::Get { task } => {
                let answer = resolution.get_task(GetTaskRequest { task_id: task }).await?.into_inner();
                show::answer(caller.json, &answer.task.unwrap_or_default(), text::task)
            }
            Verb::Settle { task, done, reference, amount, output, reason } => {
                let output = output.map(|file| read_text(&file)).transpose()?.unwrap_or_default();
                let result = TaskResult { reference, amount, output, ..TaskResult::default() };
                let request = SettleTaskRequest {
                    request_id: caller.request_id(),
                    task_id: task,
                    done,
                    result: done.then_some(result),
                    reason,
                };
                let answer = resolution.settle_task(request).await?.into_inner();
                show::answer(caller.json, &answer.task.unwrap_or_default(), text::task)
            }
            Verb::History { task } => {
                let answer = resolution.get_task(GetTaskRequest { task_id: task }).await?.into_inner();
                show::answer(caller.json, &answer, text::task_history)
            }
            Verb::Held(verb) => verb.run(&caller).await,
            Verb::Proposal(verb) => verb.run(&caller).await,
            Verb::Queue(verb) => verb.run(&caller).await,
            Verb::Supervision(verb) => verb.run(&caller).await,
            Verb::Requeue { task, reason, department } => {
                let request = RequeueTaskRequest {
                    request_id: caller.request_id(),
                    task_id: task,
                    department_id: department,
                    reason,
                };
                let answer = resolution.requeue_task(request).await?.into_inner();
                show::answer(caller.json, &answer.task.unwrap_or_default(), text::task)
            }
        }
    }
}
