//! What one person proposes about a task and another decides: more time, that it was done
//! although nobody who holds it says so, or that what it should undo is given up. Pure.

use jiff::Timestamp;
use kernel::{Money, TaskId, person};
use uuid::Uuid;

use crate::refusal::Refusal;
use crate::remedy::Flaw;
use crate::task::{Task, TaskResult};

kernel::numbered! {
    /// What is proposed.
    ProposalKind {
        /// That the task is due later.
        Extension = 1,
        /// That it was done.
        Completion = 2,
        /// That what it should undo is given up.
        WriteOff = 3,
    }
}

kernel::numbered! {
    /// Where a proposal stands.
    ProposalState {
        /// Waits for a second person.
        Pending = 1,
        /// Approved, and in effect. Final.
        Approved = 2,
        /// Refused. Final.
        Refused = 3,
    }
}

/// What is proposed, with what it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proposed {
    /// That the task is due then.
    Extension(Timestamp),
    /// That this came of it.
    Completion(TaskResult),
    /// That what it should undo is given up: this sum is a loss, where there is one.
    WriteOff(Option<Money>),
}

impl Proposed {
    /// Its kind.
    pub fn kind(&self) -> ProposalKind {
        match self {
            Self::Extension(_) => ProposalKind::Extension,
            Self::Completion(_) => ProposalKind::Completion,
            Self::WriteOff(_) => ProposalKind::WriteOff,
        }
    }
}

/// A proposal about a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskProposal {
    /// Identity.
    pub proposal_id: Uuid,
    /// The task.
    pub task_id: TaskId,
    /// What is proposed.
    pub proposed: Proposed,
    /// Why.
    pub reason: String,
    /// Who proposes it.
    pub proposer: String,
    /// When.
    pub proposed_at: Timestamp,
    /// Where it stands.
    pub state: ProposalState,
    /// Who decided; empty before.
    pub decider: String,
    /// Why it was refused, or what was remarked when it was approved; empty otherwise.
    pub decision_reason: String,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
}

/// What is wrong with a time a task shall be due: as a field of the request.
pub fn flaws_of_extension(
    task: &Task,
    wanted: Timestamp,
    case_due: Option<Timestamp>,
    now: Timestamp,
) -> Vec<Flaw> {
    let what = if wanted <= now {
        "must be in the future".to_owned()
    } else if task.due_time.is_some_and(|due| wanted <= due) {
        "must be later than the task is due now".to_owned()
    } else if let Some(due) = case_due.filter(|due| wanted > *due) {
        format!("must not be later than its case is due, {due}")
    } else {
        return Vec::new();
    };
    vec![Flaw::new("due_time", what)]
}

impl TaskProposal {
    /// Somebody else approves it, and it takes effect on its task.
    pub fn approve(
        &mut self,
        (decider, remark): (&str, String),
        task: &mut Task,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.may_be_decided_by(decider)?;
        match &self.proposed {
            Proposed::Extension(due_time) => task.extend(*due_time)?,
            Proposed::Completion(result) => task.complete_without_lease(result.clone())?,
            Proposed::WriteOff(_) => task.write_off()?,
        }
        self.decide(ProposalState::Approved, (decider, remark), now);
        Ok(())
    }

    /// Somebody else refuses it, and its task stays as it is.
    pub fn refuse(&mut self, decider: &str, reason: String, now: Timestamp) -> Result<(), Refusal> {
        self.may_be_decided_by(decider)?;
        self.decide(ProposalState::Refused, (decider, reason), now);
        Ok(())
    }

    fn may_be_decided_by(&self, decider: &str) -> Result<(), Refusal> {
        if self.state != ProposalState::Pending {
            return Err(Refusal::InvalidProposalState);
        }
        if person::is_same(decider, &self.proposer) { Err(Refusal::DeciderIsProposer) } else { Ok(()) }
    }

    fn decide(&mut self, state: ProposalState, (decider, reason): (&str, String), now: Timestamp) {
        self.state = state;
        self.decision_reason = reason;
        decider.clone_into(&mut self.decider);
        self.decided_at = Some(now);
    }
}
