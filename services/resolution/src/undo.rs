//! What is known of undoing a step: by it people decide whether they try once more or write
//! it off. Pure.

use jiff::Timestamp;
use kernel::{CaseId, Money, PlanId, TaskId};

use crate::ledger::{Account, Books, Entry, Movement};
use crate::task::Task;

/// Most entries, and most failures, that are shown.
pub const MAX_SHOWN: i64 = 100;

/// The step whose undoing is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoneStep {
    /// Its case.
    pub case_id: CaseId,
    /// Its plan.
    pub plan_id: PlanId,
    /// Its name.
    pub step_id: String,
}

/// A try to undo a step that did not do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoFailure {
    /// The task.
    pub task_id: TaskId,
    /// Whose it was.
    pub department_id: String,
    /// Who tried; empty where nobody did.
    pub worker: String,
    /// Which hand-out of the task it was.
    pub attempt: i32,
    /// When it was told.
    pub failed_at: Timestamp,
    /// What went wrong.
    pub error: String,
}

impl UndoFailure {
    /// Of tasks that are found to have failed now, those that undo something.
    pub fn of<'a>(tasks: impl IntoIterator<Item = &'a Task>, now: Timestamp) -> Vec<Self> {
        let undoing = tasks.into_iter().filter(|task| task.is_compensation());
        undoing
            .map(|task| Self {
                task_id: task.task_id,
                department_id: task.department_id.clone(),
                worker: task.worker.clone(),
                attempt: task.attempt,
                failed_at: now,
                error: task.last_error.clone(),
            })
            .collect()
    }
}

impl Task {
    /// The step that it undoes; none where it undoes none.
    pub fn undoes(&self) -> Option<UndoneStep> {
        let plan_id = self.plan_id.filter(|_| self.is_compensation())?;
        Some(UndoneStep { case_id: self.case_id, plan_id, step_id: self.step_id.clone() })
    }
}

/// What is known of undoing a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoRecord {
    /// The currency of the sums; none for kinds without one.
    pub currency: Option<String>,
    /// What was booked of the step.
    pub books: Books,
    /// Customer number of whom it was paid to; empty where none is known.
    pub customer_id: String,
    /// What was moved, collected again and written off, the oldest first.
    pub entries: Vec<Entry>,
    /// What went wrong so far, the oldest first.
    pub failures: Vec<UndoFailure>,
}

impl UndoRecord {
    /// What was moved, collected again and written off, and what is still out; none for kinds
    /// without a sum.
    pub fn sums(&self) -> Option<[Money; 4]> {
        let currency = self.currency.as_ref()?;
        let moved =
            [Movement::Executed, Movement::Reversed, Movement::WrittenOff].map(|one| self.books.sum(one));
        let [paid, collected, written_off] = moved;
        let outstanding = self.books.balance(Account::Executed);
        Some(
            [paid, collected, written_off, outstanding]
                .map(|minor| Money { minor, currency: currency.clone() }),
        )
    }
}
