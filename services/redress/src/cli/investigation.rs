//! `redress investigation …`: what departments are asked on a case.

use clap::{Args, Subcommand};
use jiff::Timestamp;
use proto::redress::resolution::v1::{
    CancelInvestigationRequest, Inquiry, ListInvestigationsRequest, RequestInvestigationRequest,
};
use show::{text, words};

use super::connection::{Connection, Page};

#[derive(Args)]
pub(crate) struct Investigations {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Asks a department for evidence or a statement on a case
    Request {
        /// Id of the case
        case: String,
        /// The question
        question: String,
        /// Who is asked
        #[arg(long)]
        department: String,
        /// What is asked for: `evidence` or `statement`
        #[arg(long = "for", value_parser = words::read::<Inquiry>)]
        inquiry: Inquiry,
        /// By when, e.g. `2026-12-01T09:00:00+08:00`; without, with the case
        #[arg(long, value_parser = crate::cli::moment::read)]
        due: Option<Timestamp>,
    },
    /// Takes a request back
    Cancel {
        /// Id of the task
        task: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Lists what departments were asked on a case, newest first
    List {
        /// Id of the case
        case: String,
        /// Only what is still open
        #[arg(long)]
        open: bool,
        #[command(flatten)]
        page: Page,
    },
}

impl Investigations {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let mut investigations = caller.investigations();
        match self.verb {
            Verb::Request { case, question, department, inquiry, due } => {
                let request = RequestInvestigationRequest {
                    request_id: caller.request_id(),
                    case_id: case,
                    department_id: department,
                    inquiry: inquiry.into(),
                    question,
                    due_time: due.map(proto::timestamp),
                };
                let answer = investigations.request_investigation(request).await?.into_inner();
                show::answer(caller.json, &answer.task.unwrap_or_default(), text::task)
            }
            Verb::Cancel { task, reason } => {
                let request =
                    CancelInvestigationRequest { request_id: caller.request_id(), task_id: task, reason };
                let answer = investigations.cancel_investigation(request).await?.into_inner();
                show::answer(caller.json, &answer.task.unwrap_or_default(), text::task)
            }
            Verb::List { case, open, page } => {
                let request = ListInvestigationsRequest {
                    case_id: case,
                    open_only: open,
                    page_size: page.limit,
                    page_token: page.page,
                };
                let answer = investigations.list_investigations(request).await?.into_inner();
                show::answer(caller.json, &answer, text::investigations)
            }
        }
    }
}
