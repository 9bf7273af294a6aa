//! `redress problem task …`: what departments are asked about problems.

use clap::{Args, Subcommand};
use proto::redress::feedback::v1::{
    ListProblemTasksRequest, ProblemTaskKind, ProblemTaskState, RequestProblemTaskRequest,
};
use show::{self, text, words};

use super::{Client, seen};
use crate::cli::connection::{Caller, Page};

#[derive(Args)]
pub(super) struct Tasks {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Asks a department about a problem: it gets a task in one of the problem's cases
    Request {
        /// Id of the problem
        problem: String,
        /// What it is asked: stock (to see to its stock), recall (whether there must be one)
        #[arg(value_parser = words::read::<ProblemTaskKind>)]
        kind: ProblemTaskKind,
        /// The department, e.g. `warehouse`
        #[arg(long)]
        department: String,
        /// What it should know, beside the problem's title
        #[arg(long, default_value = "")]
        text: String,
    },
    /// Lists what departments are asked, newest first, and what they answer
    List {
        /// Only about this problem
        #[arg(long, default_value = "")]
        problem: String,
        /// Only those in this state: waiting, requested, answered, given-up, refused
        #[arg(long, value_parser = words::read::<ProblemTaskState>)]
        state: Option<ProblemTaskState>,
        #[command(flatten)]
        page: Page,
    },
}

impl Tasks {
    pub(super) async fn run(self, problems: &mut Client, caller: &Caller) -> anyhow::Result<()> {
        match self.verb {
            Verb::Request { problem: problem_id, kind, department: department_id, text: instructions } => {
                let expected_version = seen(problems, &problem_id).await?;
                let request = RequestProblemTaskRequest {
                    request_id: caller.request_id(),
                    problem_id,
                    expected_version,
                    kind: kind.into(),
                    department_id,
                    instructions,
                };
                let answer = problems.request_problem_task(request).await?.into_inner();
                show::answer(caller.json, &answer.task.unwrap_or_default(), text::problem_task)
            }
            Verb::List { problem: problem_id, state, page } => {
                let request = ListProblemTasksRequest {
                    problem_id,
                    state: state.unwrap_or_default().into(),
                    page_size: page.limit,
                    page_token: page.page,
                };
                let answer = problems.list_problem_tasks(request).await?.into_inner();
                show::answer(caller.json, &answer, text::problem_tasks)
            }
        }
    }
}
