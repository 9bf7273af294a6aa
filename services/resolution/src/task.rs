//! A department's task: who holds it, how often it may be tried, how it ends.
//!
//! Tasks are handed out by one statement of the store, many at a time; everything
//! else that can happen to a task is here. A holder proves itself by the lease
//! token. The token outlives the lease: the last holder may report late until
//! somebody else is handed the task, which gives it another token.

#[cfg(test)]
pub(crate) mod tests;

mod origin;

use std::time::Duration;

use jiff::Timestamp;
use kernel::{CaseId, Money, PlanId, RecallId, TaskId};
use uuid::Uuid;

use crate::refusal::Refusal;
use crate::remedy::{Flaw, Inquiry, Remedy};
use crate::remedy_type::RemedyTypes;

pub use crate::state::TaskState;
pub use origin::{OfProblem, TaskOrigin};

/// How often a task is handed out before people look into it.
pub const MAX_ATTEMPTS: i32 = 5;
/// Most requests on a case that are open at once.
pub const MAX_INVESTIGATIONS: i64 = 50;
/// Back-off after the first failure; doubles with each further one.
pub const FIRST_BACK_OFF: Duration = Duration::from_secs(1);
/// Longest back-off.
pub const MAX_BACK_OFF: Duration = Duration::from_mins(5);
/// How often a step is handed back before it is escalated.
pub const MAX_REJECTIONS: i32 = 3;
/// Code by which a worker answers a cancel request: it was not done.
pub const CANCELLED_CODE: &str = "CANCELLED";

/// A step of a plan, or the undoing of one, as its department carries it out; or what else
/// it is asked to do for a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Identity, and the department's idempotency key.
    pub task_id: TaskId,
    /// Counts the changes.
    pub version: i64,
    /// The plan it belongs to; none where it is no remedy, or belongs to a recall.
    pub plan_id: Option<PlanId>,
    /// The step of the plan; empty without one.
    pub step_id: String,
    /// The case it helps.
    pub case_id: CaseId,
    /// The cycle of the case.
    pub cycle: i32,
    /// Who carries it out.
    pub department_id: String,
    /// What is done.
    pub remedy: Remedy,
    /// The task that it undoes; none when it does a step.
    pub compensates: Option<TaskId>,
    /// How urgent the case is: 1 (most) to 4.
    pub priority: i16,
    /// By when it should be done.
    pub due_time: Option<Timestamp>,
    /// Whether that is when its case is due, whatever moves it: nobody gave it a time of its own.
    pub due_with_case: bool,
    /// Where it stands.
    pub state: TaskState,
    /// How often it was handed out.
    pub attempt: i32,
    /// How often it may be.
    pub max_attempts: i32,
    /// Who holds or held it last.
    pub worker: String,
    /// From when it may be handed out (again).
    pub visible_at: Timestamp,
    /// Whether its plan was cancelled while a worker held it.
    pub cancel_requested: bool,
    /// What the last holder noted for the next.
    pub checkpoint: Vec<u8>,
    /// Why it last failed or was rejected.
    pub last_error: String,
    /// How its department knows what came of it, where that was unknown; empty otherwise.
    pub settle_reason: String,
    /// What came of it, once completed.
    pub result: Option<TaskResult>,
    /// Proof of holding it, until somebody else does or the holder gives it up.
    pub lease_token: Option<Uuid>,
    /// Who requeued it last, and why.
    pub requeued: Option<Requeued>,
    /// How often its step was handed back.
    pub rejections: i32,
    /// Until when its present attempt may go on; none before the first.
    pub attempt_until: Option<Timestamp>,
    /// How far it was told that it is overdue: 0 not, 1 that it is, n + 1 to the nth rung of
    /// the ladder.
    pub overdue_step: i16,
    /// When it was first handed to a worker.
    pub first_leased_at: Option<Timestamp>,
    /// The task its step went on as.
    pub given_to: Option<TaskId>,
    /// What an investigation asks for.
    pub inquiry: Option<Inquiry>,
    /// Who asked for it, where it belongs to no plan; empty otherwise.
    pub requester: String,
    /// The recall it belongs to.
    pub recall_id: Option<RecallId>,
    /// What it asks about a problem.
    pub of_problem: Option<OfProblem>,
    /// Trace of the case.
    pub traceparent: String,
    /// When it was created.
    pub created_at: Timestamp,
}

/// What came of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskResult {
    /// The department's own number for what it did.
    pub reference: String,
    /// The sum moved.
    pub amount: Option<Money>,
    /// Remark; what an investigation found, what a department answers about a problem.
    pub remark: String,
    /// References to evidence that an investigation found.
    pub evidence: Vec<String>,
    /// What came of a type of the tenant's own, a JSON object; empty otherwise.
    pub output: String,
}

/// A failed attempt, as its worker tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Machine-readable code.
    pub code: String,
    /// What went wrong.
    pub message: String,
    /// Whether another attempt may succeed.
    pub retryable: bool,
    /// Whether it may have been done all the same.
    pub outcome_unknown: bool,
}

/// What a department says of a task whose outcome was unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// What came of it; none if it was not done.
    pub result: Option<TaskResult>,
    /// How the department knows.
    pub reason: String,
}

/// A report that a task was done by somebody who did not hold it any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedReport {
    /// The task.
    pub task_id: TaskId,
    /// The department whose task it was.
    pub department_id: String,
    /// Who reported it.
    pub reporter: String,
    /// What they say came of it.
    pub result: TaskResult,
    /// When they first said so.
    pub reported_at: Timestamp,
}

/// Who requeued a task, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requeued {
    /// Their subject.
    pub by: String,
    /// Why it should succeed now.
    pub reason: String,
}

/// What a worker hears who gave a sign of life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeartbeatStatus {
    /// Until when it is held now.
    pub until: Timestamp,
    /// Whether the work is to be cancelled.
    pub cancel_requested: bool,
    /// Whether no more of it is handed out for now.
    pub pause_requested: bool,
}

impl Task {
    /// Whether it undoes an earlier one.
    pub fn is_compensation(&self) -> bool {
        self.compensates.is_some()
    }

    /// Refuses who does not hold it.
    pub fn held_under(&self, token: Uuid) -> Result<(), Refusal> {
        if self.lease_token == Some(token) { Ok(()) } else { Err(Refusal::LeaseLost) }
    }

    /// As [`Self::held_under`]; what went on as another task is held by nobody.
    pub(crate) fn must_be_held_under(&self, token: Uuid) -> Result<(), Refusal> {
        if self.state == TaskState::Reassigned { Err(Refusal::LeaseLost) } else { self.held_under(token) }
    }

    /// What is wrong with a result, as fields of it. `types` has the version of its type, where
    /// it is of one of the tenant's own.
    pub fn flaws(&self, result: &TaskResult, types: &RemedyTypes) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        let kind = self.remedy.kind;
        if (kind.needs_amount() || kind.needs_goods()) && result.reference.trim().is_empty() {
            flaws.push(Flaw::new("reference", "is required for this kind"));
        }
        let wrong = match (&self.remedy.amount, &result.amount) {
            (None, Some(_)) => Some("is not for this kind".to_owned()),
            (Some(_), None) => Some("is required for this kind".to_owned()),
            (Some(_), Some(moved)) if moved.minor <= 0 => Some("must be more than zero".to_owned()),
            (Some(approved), Some(moved)) if moved.currency != approved.currency => {
                Some(format!("must be in {}", approved.currency))
            }
            (Some(approved), Some(moved)) if moved.minor > approved.minor => {
                Some(format!("must not be above {approved}"))
            }
            _ => None,
        };
        flaws.extend(wrong.map(|what| Flaw::new("amount", what)));
        flaws.extend(self.flaws_of_findings(result));
        flaws.extend(self.flaws_of_answer(result));
        flaws.extend(types.flaws_of_output(&self.remedy, self.is_compensation(), &result.output));
        flaws
    }

    /// Its holder did it. The result has been checked for [`Self::flaws`].
    pub fn complete(&mut self, token: Uuid, result: TaskResult) -> Result<(), Refusal> {
        self.must_be_held_under(token)?;
        self.move_to(TaskState::Completed);
        self.result = Some(result);
        Ok(())
    }

    /// Its holder failed: it is tried again after a back-off while that may help,
    /// ends if it was to be cancelled and was not done, and else needs attention. One
    /// that may have been done waits for its department's word. `jitter` is drawn from
    /// `0.0..1.0`.
    pub fn fail(
        &mut self,
        token: Uuid,
        failure: Failure,
        now: Timestamp,
        jitter: f64,
    ) -> Result<(), Refusal> {
        self.must_be_held_under(token)?;
        let Failure { code, message, retryable, outcome_unknown } = failure;
        if outcome_unknown {
            self.move_to(TaskState::OutcomeUnknown);
        } else if self.cancel_requested && code == CANCELLED_CODE {
            self.move_to(TaskState::Cancelled);
        } else if retryable && self.attempt < self.max_attempts {
            self.visible_at = kernel::time::micros(now + back_off(self.attempt, jitter));
            self.move_to(TaskState::Ready);
        } else {
            self.move_to(TaskState::NeedsAttention);
        }
        self.last_error = if message.is_empty() { code } else { format!("{code}: {message}") };
        Ok(())
    }

    /// Its department hands it back.
    pub fn reject(&mut self, token: Uuid, reason: String) -> Result<(), Refusal> {
        self.must_be_held_under(token)?;
        self.move_to(TaskState::NeedsAttention);
        self.rejections += 1;
        self.last_error = reason;
        Ok(())
    }

    /// What should have brought it to its holder has reached nobody: it may be handed out
    /// again, and that was no attempt.
    pub fn release(&mut self, token: Uuid, now: Timestamp) -> Result<(), Refusal> {
        self.must_be_held_under(token)?;
        self.move_to(TaskState::Ready);
        self.attempt = (self.attempt - 1).max(0);
        self.visible_at = now;
        Ok(())
    }

    /// Whether its step was handed back so often that a supervisor must find another way.
    pub fn is_escalated(&self) -> bool {
        self.rejections >= MAX_REJECTIONS
    }

    /// Refuses what cannot be done about a task that has ended.
    pub fn must_be_open(&self) -> Result<(), Refusal> {
        if self.state.is_open() { Ok(()) } else { Err(Refusal::InvalidTaskState(self.state)) }
    }

    /// Two people give it more time.
    pub fn extend(&mut self, due_time: Timestamp) -> Result<(), Refusal> {
        self.must_be_open()?;
        self.version += 1;
        self.due_time = Some(due_time);
        self.due_with_case = false;
        self.overdue_step = 0;
        Ok(())
    }

    /// Two people say that it was done: who holds it is not heard any more. The result
    /// has been checked for [`Self::flaws`].
    pub fn complete_without_lease(&mut self, result: TaskResult) -> Result<(), Refusal> {
        self.must_be_open()?;
        self.move_to(TaskState::Completed);
        self.result = Some(result);
        Ok(())
    }

    /// Refuses to give up what does not undo a step, or may still be undone as things are.
    pub fn may_be_written_off(&self) -> Result<(), Refusal> {
        match self.state {
            _ if !self.is_compensation() => Err(Refusal::NotACompensation),
            TaskState::NeedsAttention => Ok(()),
            state => Err(Refusal::InvalidTaskState(state)),
        }
    }

    /// Two people give up what it was to undo: who held it last is not heard any more.
    pub fn write_off(&mut self) -> Result<(), Refusal> {
        self.may_be_written_off()?;
        self.move_to(TaskState::WrittenOff);
        Ok(())
    }

    /// Its last holder did it although its step went on as another task, which nobody was
    /// handed yet: that one is cancelled. The result has been checked for [`Self::flaws`].
    pub fn complete_reassigned(
        &mut self,
        token: Uuid,
        result: TaskResult,
        next: &mut Self,
    ) -> Result<(), Refusal> {
        self.held_under(token)?;
        let untouched = next.state == TaskState::Ready && next.worker.is_empty();
        if self.state != TaskState::Reassigned || !untouched {
            return Err(Refusal::LeaseLost);
        }
        self.move_to(TaskState::Completed);
        self.result = Some(result);
        next.move_to(TaskState::Cancelled);
        Ok(())
    }

    /// Its department says what came of it. What was not done is handed out again with
    /// fresh attempts, unless its plan is cancelled. A result has been checked for
    /// [`Self::flaws`].
    pub fn settle(&mut self, settlement: Settlement, now: Timestamp) -> Result<(), Refusal> {
        if self.state != TaskState::OutcomeUnknown {
            return Err(Refusal::InvalidTaskState(self.state));
        }
        let Settlement { result, reason } = settlement;
        self.settle_reason.clone_from(&reason);
        if result.is_some() {
            self.move_to(TaskState::Completed);
            self.result = result;
            return Ok(());
        }
        // Why it was not done after all.
        self.last_error = reason;
        if self.cancel_requested {
            self.move_to(TaskState::Cancelled);
        } else {
            self.attempt = 0;
            self.visible_at = now;
            self.move_to(TaskState::Ready);
        }
        Ok(())
    }

    /// What is left of its sum once it is completed; none where nothing is.
    pub fn rest(&self) -> Option<Money> {
        let (wanted, moved) = (self.remedy.amount.as_ref()?, self.result.as_ref()?.amount.as_ref()?);
        let rest = Money { minor: wanted.minor - moved.minor, currency: wanted.currency.clone() };
        (rest.minor > 0).then_some(rest)
    }

    /// People looked into it, or have goods for it: its department is handed it again, with fresh attempts. Who
    /// reports late on the last attempt is still heard until it is.
    pub fn requeue(&mut self, requeued: Requeued, now: Timestamp) -> Result<(), Refusal> {
        if !matches!(self.state, TaskState::NeedsAttention | TaskState::AwaitingStock) {
            return Err(Refusal::InvalidTaskState(self.state));
        }
        self.version += 1;
        self.state = TaskState::Ready;
        self.attempt = 0;
        self.visible_at = now;
        self.requeued = Some(requeued);
        Ok(())
    }

    /// Its step goes on as a task of another department: with a key of its own, because
    /// two departments that know one key may both pay under it.
    pub fn give_to(
        &mut self,
        (task_id, department_id): (TaskId, String),
        requeued: Requeued,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        if !matches!(self.state, TaskState::Ready | TaskState::NeedsAttention | TaskState::AwaitingStock) {
            return Err(Refusal::InvalidTaskState(self.state));
        }
        let next = Self {
            task_id,
            version: 1,
            department_id,
            state: TaskState::Ready,
            attempt: 0,
            worker: String::new(),
            visible_at: now,
            attempt_until: None,
            overdue_step: 0,
            first_leased_at: None,
            last_error: String::new(),
            lease_token: None,
            requeued: Some(requeued.clone()),
            created_at: now,
            ..self.clone()
        };
        self.version += 1;
        self.state = TaskState::Reassigned;
        self.given_to = Some(task_id);
        self.requeued = Some(requeued);
        Ok(next)
    }

    /// Its plan is cancelled: it ends if nobody may be at work on it, else its
    /// holder is asked to stop. What undoes another is never cancelled, and what may
    /// have been done not before its department has said that it was not.
    pub fn cancel(&mut self) {
        let asked = self.cancel_requested && self.state != TaskState::NeedsAttention;
        if self.is_compensation() || asked {
            return;
        }
        match self.state {
            TaskState::Ready | TaskState::NeedsAttention | TaskState::AwaitingStock => {
                self.move_to(TaskState::Cancelled);
            }
            TaskState::Leased | TaskState::OutcomeUnknown => {
                self.version += 1;
                self.cancel_requested = true;
            }
            TaskState::Completed | TaskState::Cancelled | TaskState::Reassigned | TaskState::WrittenOff => {}
        }
    }

    /// Leaves it to whoever is next, or to nobody: the token is void.
    fn move_to(&mut self, state: TaskState) {
        self.version += 1;
        self.state = state;
        self.lease_token = None;
    }
}

/// How long to wait before the next attempt: doubling, capped, and half of it by
/// chance, so that what failed together is not tried together again.
pub fn back_off(attempt: i32, jitter: f64) -> Duration {
    let full = kernel::time::doubled(FIRST_BACK_OFF, MAX_BACK_OFF, attempt.saturating_sub(1));
    full.mul_f64(0.5 + 0.5 * jitter.clamp(0.0, 1.0))
}
