//! What departments are asked about problems: how it is heard, and how the answer is told.

use fault::{Check, Fault};
use kernel::TaskId;
use proto::redress::feedback::v1 as feedback;
use proto::redress::resolution::v1;

use crate::problem_hint::HintRequest;
use crate::remedy::Hint;
use crate::task::{OfProblem, Task};

/// Why there is no task of a department that there is not.
const DEPARTMENT_NOT_FOUND: &str = "DEPARTMENT_NOT_FOUND";

/// What a department is to be asked; none of a kind that is not known here.
pub(crate) fn requested(
    event: feedback::ProblemTaskRequested,
    traceparent: &str,
) -> Result<Option<HintRequest>, Fault> {
    let feedback::ProblemTaskRequested {
        task_id,
        problem_id,
        kind,
        department_id,
        case_id,
        cycle,
        title,
        instructions,
        requester,
    } = event;
    let Some(hint) = Hint::of(kind) else { return Ok(None) };
    let mut check = Check::new();
    let first_task_id: TaskId = check.id("task_id", &task_id);
    let problem_id = check.id("problem_id", &problem_id);
    let case_id = check.id("case_id", &case_id);
    check.done("INVALID_EVENT")?;
    let (of, traceparent) = (OfProblem { problem_id, first_task_id, hint }, traceparent.to_owned());
    Ok(Some(HintRequest { of, department_id, case_id, cycle, title, instructions, requester, traceparent }))
}

/// There is no such department.
pub(crate) fn refused(request: &HintRequest) -> v1::ProblemTaskRefused {
    v1::ProblemTaskRefused {
        task_id: request.of.first_task_id.to_string(),
        problem_id: request.of.problem_id.to_string(),
        department_id: request.department_id.clone(),
        reason: DEPARTMENT_NOT_FOUND.to_owned(),
    }
}

/// A department has done it.
pub(crate) fn answered(task: &Task) -> v1::ProblemTaskAnswered {
    let result = task.result.clone().unwrap_or_default();
    let of = task.of_problem;
    v1::ProblemTaskAnswered {
        task_id: of.map_or(task.task_id, |of| of.first_task_id).to_string(),
        problem_id: problem_id(task),
        case_id: task.case_id.to_string(),
        cycle: task.cycle,
        department_id: task.department_id.clone(),
        outcome: v1::ProblemTaskOutcome::Done.into(),
        reference: result.reference,
        answer: result.remark,
    }
}

/// A department gave up.
pub(crate) fn given_up(task: &Task, of: OfProblem) -> v1::ProblemTaskAnswered {
    v1::ProblemTaskAnswered {
        task_id: of.first_task_id.to_string(),
        outcome: v1::ProblemTaskOutcome::GivenUp.into(),
        reference: String::new(),
        answer: task.last_error.clone(),
        ..answered(task)
    }
}

/// The problem a task asks about, as it is told; empty where it asks about none.
pub(crate) fn problem_id(task: &Task) -> String {
    task.of_problem.map(|of| of.problem_id.to_string()).unwrap_or_default()
}
