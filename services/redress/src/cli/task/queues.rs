//! What waits for a department, and pauses.

use clap::Subcommand;
use proto::redress::resolution::v1::{
    GetDepartmentQueueRequest, PauseDepartmentRequest, RemedyKind, ResumeDepartmentRequest,
};
use show::{text, words};

use crate::cli::connection::Caller;

#[derive(Subcommand)]
pub(super) enum QueueVerb {
    /// Shows what waits for a department, and whether a worker asks for it
    Queue {
        /// Name of the department
        department: String,
    },
    /// Hands a department no more tasks, or none of one kind
    Pause {
        /// Name of the department
        department: String,
        /// Only tasks of this kind, e.g. `refund`
        #[arg(long, value_parser = words::read::<RemedyKind>)]
        kind: Option<RemedyKind>,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Hands a department out again what a pause kept back
    Resume {
        /// Name of the department
        department: String,
        /// The kind it was paused for
        #[arg(long, value_parser = words::read::<RemedyKind>)]
        kind: Option<RemedyKind>,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

impl QueueVerb {
    pub(super) async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        match self {
            QueueVerb::Queue { department } => {
                let request = GetDepartmentQueueRequest { department_id: department };
                let answer = caller.departments().get_department_queue(request).await?.into_inner();
                show::answer(caller.json, &answer.queue.unwrap_or_default(), text::department_queue)
            }
            QueueVerb::Pause { department, kind, reason } => {
                let request = PauseDepartmentRequest {
                    request_id: caller.request_id(),
                    department_id: department,
                    kind: kind.unwrap_or_default().into(),
                    reason,
                };
                let answer = caller.departments().pause_department(request).await?.into_inner();
                show::answer(caller.json, &answer.pause.unwrap_or_default(), text::pause)
            }
            QueueVerb::Resume { department, kind, reason } => {
                let request = ResumeDepartmentRequest {
                    request_id: caller.request_id(),
                    department_id: department,
                    kind: kind.unwrap_or_default().into(),
                    reason,
                };
                let answer = caller.departments().resume_department(request).await?.into_inner();
                show::answer(caller.json, &answer.pause.unwrap_or_default(), text::pause)
            }
        }
    }
}
