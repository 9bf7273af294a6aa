//! Proposals about tasks: what is asked, and how they are shown.

use fault::{Check, Fault};
use jiff::Timestamp;
use kernel::TaskId;
use proto::redress::resolution::v1;
use proto::timestamp;
use uuid::Uuid;

use super::tasks::{INVALID_RESULT, read_result, result};
use super::{INVALID_REQUEST, MAX_REASON, money, note};
use crate::proposal::{Proposed, TaskProposal, flaws_of_extension};
use crate::remedy_type::RemedyTypes;
use crate::task::Task;

/// Reason of an extension that cannot be asked for.
const INVALID_PROPOSAL: &str = "INVALID_PROPOSAL";
/// Reason of a write-off or a refusal without one.
const INVALID_REASON: &str = "INVALID_REASON";

/// Something is proposed about a task.
pub(crate) struct ProposalRequest {
    pub(crate) task_id: TaskId,
    pub(crate) proposed: Wanted,
    pub(crate) reason: String,
}

/// What is proposed, as far as a request says it.
pub(crate) enum Wanted {
    /// This, whatever the task is.
    Whole(Proposed),
    /// That what the task should undo is given up, whatever that comes to.
    WriteOff,
}

impl Wanted {
    /// What is proposed about a task.
    pub(crate) fn of(self, task: &Task) -> Proposed {
        match self {
            Self::Whole(proposed) => proposed,
            Self::WriteOff => Proposed::WriteOff(task.remedy.amount.clone()),
        }
    }
}

pub(crate) fn extension(request: v1::RequestTaskExtensionRequest) -> Result<ProposalRequest, Fault> {
    let v1::RequestTaskExtensionRequest { request_id, task_id, due_time, reason } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let task_id = check.id("task_id", &task_id);
    check.ensure(due_time.is_some(), "due_time", "is required");
    let due_time = check.time("due_time", due_time).unwrap_or_default();
    let reason = check.required("reason", reason, MAX_REASON);
    check.done(INVALID_PROPOSAL)?;
    Ok(ProposalRequest { task_id, proposed: Wanted::Whole(Proposed::Extension(due_time)), reason })
}

pub(crate) fn completion(request: v1::ProposeTaskCompletionRequest) -> Result<ProposalRequest, Fault> {
    let v1::ProposeTaskCompletionRequest { request_id, task_id, result, reason } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let task_id = check.id("task_id", &task_id);
    let result = read_result(&mut check, result.unwrap_or_default());
    let reason = check.required("reason", reason, MAX_REASON);
    check.done(INVALID_RESULT)?;
    Ok(ProposalRequest { task_id, proposed: Wanted::Whole(Proposed::Completion(result)), reason })
}

pub(crate) fn write_off(request: v1::ProposeTaskWriteOffRequest) -> Result<ProposalRequest, Fault> {
    let v1::ProposeTaskWriteOffRequest { request_id, task_id, reason } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let task_id = check.id("task_id", &task_id);
    let reason = check.required("reason", reason, MAX_REASON);
    check.done(INVALID_REASON)?;
    Ok(ProposalRequest { task_id, proposed: Wanted::WriteOff, reason })
}

/// Refuses what does not fit its task.
pub(crate) fn fitting(
    (task, types): (&Task, &RemedyTypes),
    proposed: &Proposed,
    case_due: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), Fault> {
    match proposed {
        Proposed::Completion(result) => super::tasks::fitting(task, result, types),
        Proposed::Extension(due_time) => {
            let mut check = Check::new();
            note(&mut check, "", flaws_of_extension(task, *due_time, case_due, now));
            check.done(INVALID_PROPOSAL)
        }
        Proposed::WriteOff(_) => Ok(()),
    }
}

pub(crate) fn approval(request: v1::ApproveTaskProposalRequest) -> Result<(Uuid, String), Fault> {
    let v1::ApproveTaskProposalRequest { request_id, proposal_id, remark } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let proposal_id = check.id("proposal_id", &proposal_id);
    let remark = check.text("remark", remark, MAX_REASON);
    check.done(INVALID_REQUEST)?;
    Ok((proposal_id, remark))
}

pub(crate) fn refusal(request: v1::RefuseTaskProposalRequest) -> Result<(Uuid, String), Fault> {
    let v1::RefuseTaskProposalRequest { request_id, proposal_id, reason } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let proposal_id = check.id("proposal_id", &proposal_id);
    let reason = check.required("reason", reason, MAX_REASON);
    check.done(INVALID_REASON)?;
    Ok((proposal_id, reason))
}

/// A proposal as it is shown.
pub(crate) fn proposal(proposal: &TaskProposal) -> v1::TaskProposal {
    let (due_time, done, amount) = match &proposal.proposed {
        Proposed::Extension(due_time) => (Some(timestamp(*due_time)), None, None),
        Proposed::Completion(done) => (None, Some(result(done)), None),
        Proposed::WriteOff(given_up) => (None, None, given_up.as_ref().map(money)),
    };
    v1::TaskProposal {
        proposal_id: proposal.proposal_id.to_string(),
        task_id: proposal.task_id.to_string(),
        kind: i32::from(proposal.proposed.kind().number()),
        due_time,
        result: done,
        reason: proposal.reason.clone(),
        proposer: proposal.proposer.clone(),
        propose_time: Some(timestamp(proposal.proposed_at)),
        state: i32::from(proposal.state.number()),
        decider: proposal.decider.clone(),
        decision_reason: proposal.decision_reason.clone(),
        decide_time: proposal.decided_at.map(timestamp),
        amount,
    }
}
