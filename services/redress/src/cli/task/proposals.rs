//! What one person proposes about a task and another decides.

use std::path::PathBuf;

use clap::Subcommand;
use jiff::Timestamp;
use proto::google::r#type::Money;
use proto::redress::resolution::v1::{
    ApproveTaskProposalRequest, ProposeTaskCompletionRequest, ProposeTaskWriteOffRequest,
    RefuseTaskProposalRequest, RequestTaskExtensionRequest, TaskResult,
};
use show::{lines, text};

use crate::cli::connection::Caller;
use crate::cli::submit::read_text;

#[derive(Subcommand)]
pub(super) enum ProposalVerb {
    /// Asks for more time, for its department; a second person approves
    Extend {
        /// Id of the task
        task: String,
        /// By when it shall be due, e.g. `2026-12-01T09:00:00+08:00`
        #[arg(long, value_parser = crate::cli::moment::read)]
        until: Timestamp,
        /// Why more time is needed
        #[arg(long)]
        reason: String,
    },
    /// Proposes that a task was done, whoever holds it; a second person approves
    Complete {
        /// Id of the task
        task: String,
        /// The department's own number for what it did
        #[arg(long, default_value = "")]
        reference: String,
        /// The sum moved, e.g. `CNY 199.90`
        #[arg(long, value_parser = lines::read_money)]
        amount: Option<Money>,
        /// What came of a type of your own, as JSON; `-` for standard input
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// How you know
        #[arg(long)]
        reason: String,
    },
    /// Proposes to write off what a task cannot undo; a second person approves. `task get` shows
    /// what was paid, what was tried and what went wrong
    WriteOff {
        /// Id of the task
        task: String,
        /// Why it is given up
        #[arg(long)]
        reason: String,
    },
    /// Approves what somebody else proposed about a task
    Approve {
        /// Id of the proposal
        proposal: String,
        /// What there is to remark
        #[arg(long, default_value = "")]
        remark: String,
    },
    /// Refuses what somebody else proposed about a task
    Refuse {
        /// Id of the proposal
        proposal: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

impl ProposalVerb {
    pub(super) async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        match self {
            ProposalVerb::Extend { task, until, reason } => {
                let request = RequestTaskExtensionRequest {
                    request_id: caller.request_id(),
                    task_id: task,
                    due_time: Some(proto::timestamp(until)),
                    reason,
                };
                let answer = caller.proposals().request_task_extension(request).await?.into_inner();
                show::answer(caller.json, &answer.proposal.unwrap_or_default(), text::proposal)
            }
            ProposalVerb::Complete { task, reference, amount, output, reason } => {
                let output = output.map(|file| read_text(&file)).transpose()?.unwrap_or_default();
                let request = ProposeTaskCompletionRequest {
                    request_id: caller.request_id(),
                    task_id: task,
                    result: Some(TaskResult { reference, amount, output, ..TaskResult::default() }),
                    reason,
                };
                let answer = caller.proposals().propose_task_completion(request).await?.into_inner();
                show::answer(caller.json, &answer.proposal.unwrap_or_default(), text::proposal)
            }
            ProposalVerb::WriteOff { task, reason } => {
                let request =
                    ProposeTaskWriteOffRequest { request_id: caller.request_id(), task_id: task, reason };
                let answer = caller.proposals().propose_task_write_off(request).await?.into_inner();
                show::answer(caller.json, &answer.proposal.unwrap_or_default(), text::proposal)
            }
            ProposalVerb::Approve { proposal, remark } => {
                let request = ApproveTaskProposalRequest {
                    request_id: caller.request_id(),
                    proposal_id: proposal,
                    remark,
                };
                let answer = caller.proposals().approve_task_proposal(request).await?.into_inner();
                show::answer(caller.json, &answer.proposal.unwrap_or_default(), text::proposal)
            }
            ProposalVerb::Refuse { proposal, reason } => {
                let request = RefuseTaskProposalRequest {
                    request_id: caller.request_id(),
                    proposal_id: proposal,
                    reason,
                };
                let answer = caller.proposals().refuse_task_proposal(request).await?.into_inner();
                show::answer(caller.json, &answer.proposal.unwrap_or_default(), text::proposal)
            }
        }
    }
}
