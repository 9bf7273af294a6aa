//! What departments take for what they are asked to do.

use jiff::Timestamp;
use kernel::CaseId;

use super::earlier;

/// What is known of a task of a department; what is none was not told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskFact {
    /// The case.
    pub case_id: CaseId,
    /// The department that did it, or was in charge when it was overdue: who did it holds.
    pub department: Option<super::Ranked<String>>,
    /// When it became a task of the department.
    pub created: Option<Timestamp>,
    /// When it was reported done.
    pub done: Option<Timestamp>,
    /// By when it was due.
    pub due: Option<Timestamp>,
    /// When its first due time passed before it was done.
    pub overdue: Option<Timestamp>,
}

impl TaskFact {
    /// Takes in what is told besides.
    pub(super) fn merge(&mut self, told: Self) {
        let Self { case_id: _, department, created, done, due, overdue } = told;
        super::highest(&mut self.department, department);
        self.created = earlier(self.created, created);
        self.done = earlier(self.done, done);
        self.due = earlier(self.due, due);
        self.overdue = earlier(self.overdue, overdue);
    }
}
