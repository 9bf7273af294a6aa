//! Tasks of a case that belong to no plan. Pure.

use jiff::Timestamp;
use kernel::TaskId;

use crate::case::CaseView;
use crate::remedy::Remedy;
use crate::task::{MAX_ATTEMPTS, Task, TaskState};

/// A new task of a case, for a department.
pub fn new(
    task_id: TaskId,
    case: &CaseView,
    (department_id, remedy): (String, Remedy),
    now: Timestamp,
) -> Task {
    Task {
        task_id,
        version: 1,
        plan_id: None,
        step_id: String::new(),
        case_id: case.case_id,
        cycle: case.cycle,
        department_id,
        remedy,
        compensates: None,
        priority: case.priority,
        due_time: None,
        state: TaskState::Ready,
        attempt: 0,
        max_attempts: MAX_ATTEMPTS,
        worker: String::new(),
        visible_at: now,
        cancel_requested: false,
        checkpoint: Vec::new(),
        last_error: String::new(),
        result: None,
        lease_token: None,
        requeued: None,
        rejections: 0,
        attempt_until: None,
        given_to: None,
        inquiry: None,
        requester: String::new(),
        overdue_step: 0,
        first_leased_at: None,
        traceparent: case.traceparent.clone(),
        created_at: now,
    }
}
