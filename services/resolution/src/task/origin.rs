//! How a task begins.

use jiff::Timestamp;
use kernel::{CaseId, TaskId};
use uuid::Uuid;

use super::{MAX_ATTEMPTS, Task, TaskState};
use crate::remedy::{Hint, Remedy};

/// The case that a task is for, as the task keeps it.
#[derive(Clone, Copy, Debug)]
pub struct TaskOrigin<'a> {
    /// The case.
    pub case_id: CaseId,
    /// Its cycle.
    pub cycle: i32,
    /// How urgent it is: 1 (most) to 4.
    pub priority: i16,
    /// Its trace.
    pub traceparent: &'a str,
}

/// What a task asks, and about which problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfProblem {
    /// The problem.
    pub problem_id: Uuid,
    /// The id it was asked for by: the task's own, or, where it was given to another
    /// department, that of the first.
    pub first_task_id: TaskId,
    /// What is asked.
    pub hint: Hint,
}

impl Task {
    /// A new task for a department, which may be handed out at once. It belongs to no plan,
    /// unless it is given one.
    pub fn new(
        task_id: TaskId,
        origin: TaskOrigin<'_>,
        (department_id, remedy): (String, Remedy),
        now: Timestamp,
    ) -> Self {
        Self {
            task_id,
            version: 1,
            plan_id: None,
            step_id: String::new(),
            case_id: origin.case_id,
            cycle: origin.cycle,
            department_id,
            remedy,
            compensates: None,
            priority: origin.priority,
            due_time: None,
            due_with_case: true,
            state: TaskState::Ready,
            attempt: 0,
            max_attempts: MAX_ATTEMPTS,
            worker: String::new(),
            visible_at: now,
            cancel_requested: false,
            checkpoint: Vec::new(),
            last_error: String::new(),
            settle_reason: String::new(),
            result: None,
            lease_token: None,
            requeued: None,
            rejections: 0,
            attempt_until: None,
            given_to: None,
            inquiry: None,
            requester: String::new(),
            recall_id: None,
            of_problem: None,
            overdue_step: 0,
            first_leased_at: None,
            traceparent: origin.traceparent.to_owned(),
            created_at: now,
        }
    }
}
