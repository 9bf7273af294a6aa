//! What departments are asked about problems: how it is asked for, told, heard and read.

use fault::{Check, Fault};
use jiff::Timestamp;
use kernel::page::Page;
use proto::redress::feedback::v1 as wire;
use proto::redress::resolution::v1 as resolution;
use proto::timestamp;
use uuid::Uuid;

use super::problems::{Seen, read_series, seen};
use super::signals::series;
use super::{INVALID_EVENT, INVALID_REQUEST};
use crate::problem::Problem;
use crate::problem_task::{ProblemTask, State, TaskAnswer, TaskCase, TaskUpdate};
use crate::signal::hint::{Hint, Kind, MAX_HINTS, MAX_INSTRUCTIONS};

/// What a department is asked: what, which one, and what it should know.
pub(crate) type AskedDepartment = (Kind, String, String);

pub(crate) fn requested_task(
    request: wire::RequestProblemTaskRequest,
) -> Result<(Seen, AskedDepartment), Fault> {
    let wire::RequestProblemTaskRequest {
        request_id,
        problem_id,
        expected_version,
        kind,
        department_id,
        instructions,
    } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let seen = seen(&mut check, &problem_id, expected_version);
    let kind = read_kind(&mut check, "kind", kind);
    let department_id = check.slug("department_id", department_id);
    let instructions = check.text("instructions", instructions, MAX_INSTRUCTIONS);
    check.done("INVALID_PROBLEM_TASK")?;
    Ok((seen, (kind, department_id, instructions)))
}

fn read_kind(check: &mut Check, field: &str, kind: i32) -> Kind {
    let read = Kind::of(kind);
    check.ensure(read.is_some(), field, "must be STOCK or RECALL");
    read.unwrap_or(Kind::Stock)
}

/// Which tasks to list, from where on.
#[derive(Clone, Debug)]
pub(crate) struct ProblemTaskQuery {
    pub(crate) problem: Option<Uuid>,
    pub(crate) state: Option<State>,
    pub(crate) page: Page,
    pub(crate) after: Option<Uuid>,
}

pub(crate) fn problem_tasks_of(request: wire::ListProblemTasksRequest) -> Result<ProblemTaskQuery, Fault> {
    let wire::ListProblemTasksRequest { problem_id, state, page_size, page_token } = request;
    let mut check = Check::new();
    let problem = check.optional_id("problem_id", &problem_id);
    let by_state = State::of(state);
    check.ensure(state == 0 || by_state.is_some(), "state", "is not a state of such a task");
    let page = check.page(page_size, &page_token, &format!("problem={problem_id} state={state}"));
    let after = page.after.as_deref().map(|key| key.parse().ok());
    check.ensure(after != Some(None), "page_token", "is not of this list");
    check.done(INVALID_REQUEST)?;
    Ok(ProblemTaskQuery { problem, state: by_state, page, after: after.flatten() })
}

/// A task, as it is told.
pub(crate) fn problem_task(task: ProblemTask) -> wire::ProblemTask {
    let ProblemTask {
        id,
        problem,
        kind,
        department_id,
        instructions,
        requester,
        created,
        requested,
        state,
        answer,
    } = task;
    let case = requested.map(|(_, case)| case);
    let answer_time = answer.as_ref().map(|answer| timestamp(answer.at));
    let said = |read: fn(TaskAnswer) -> String| answer.clone().map(read).unwrap_or_default();
    wire::ProblemTask {
        task_id: id.to_string(),
        problem_id: problem.to_string(),
        kind: kind.number().into(),
        department_id,
        instructions,
        state: state.number().into(),
        requester,
        create_time: Some(timestamp(created)),
        request_time: requested.map(|(at, _)| timestamp(at)),
        case_id: case.map(|case| case.case_id.to_string()).unwrap_or_default(),
        cycle: case.map_or(0, |case| case.cycle),
        answer_department_id: said(|answer| answer.department_id),
        reference: said(|answer| answer.reference),
        answer: said(|answer| answer.text),
        answer_time,
    }
}

/// What is told when a department is asked in a case of a problem.
pub(crate) fn problem_task_requested(
    problem: &Problem,
    task: &ProblemTask,
    case: TaskCase,
) -> wire::ProblemTaskRequested {
    wire::ProblemTaskRequested {
        task_id: task.id.to_string(),
        problem_id: task.problem.to_string(),
        kind: task.kind.number().into(),
        department_id: task.department_id.clone(),
        case_id: case.case_id.to_string(),
        cycle: case.cycle,
        title: problem.title.clone(),
        instructions: task.instructions.clone(),
        requester: task.requester.clone(),
    }
}

fn task_of(task_id: &str) -> Result<Uuid, Fault> {
    let mut check = Check::new();
    let id = check.id("task_id", task_id);
    check.done(INVALID_EVENT)?;
    Ok(id)
}

/// What a department answered, or that it gave up; none where it says neither.
pub(crate) fn problem_task_answered(
    event: resolution::ProblemTaskAnswered,
    at: Timestamp,
) -> Result<Option<TaskUpdate>, Fault> {
    let state = match event.outcome() {
        resolution::ProblemTaskOutcome::Done => State::Answered,
        resolution::ProblemTaskOutcome::GivenUp => State::GivenUp,
        resolution::ProblemTaskOutcome::Unspecified => return Ok(None),
    };
    let task_id = task_of(&event.task_id)?;
    let (department_id, reference, text) = (event.department_id, event.reference, event.answer);
    Ok(Some(TaskUpdate { task_id, state, answer: TaskAnswer { department_id, reference, text, at } }))
}

/// A department could not be asked.
pub(crate) fn problem_task_refused(
    event: resolution::ProblemTaskRefused,
    at: Timestamp,
) -> Result<TaskUpdate, Fault> {
    let task_id = task_of(&event.task_id)?;
    let (department_id, reference) = (String::new(), String::new());
    let answer = TaskAnswer { department_id, reference, text: event.reason, at };
    Ok(TaskUpdate { task_id, state: State::Refused, answer })
}

/// The hints somebody wants, each once.
pub(super) fn read_hints(check: &mut Check, hints: Vec<wire::SignalHint>) -> Vec<Hint> {
    let hints = check.list("settings.hints", hints, MAX_HINTS);
    let mut read: Vec<Hint> = Vec::new();
    for (place, hint) in hints.into_iter().enumerate() {
        let wire::SignalHint { kind, department_id, series, instructions } = hint;
        let at = |field: &str| format!("settings.hints[{place}].{field}");
        let kind = read_kind(check, &at("kind"), kind);
        let department_id = check.slug(&at("department_id"), department_id);
        let series = read_series(check, &at("series"), series.unwrap_or_default());
        let instructions = check.text(&at("instructions"), instructions, MAX_INSTRUCTIONS);
        let hint = Hint { kind, department_id, series, instructions };
        let is_same = |other: &Hint| {
            (other.kind, &other.department_id, &other.series) == (kind, &hint.department_id, &hint.series)
        };
        check.ensure(!read.iter().any(is_same), &format!("settings.hints[{place}]"), "is there already");
        read.push(hint);
    }
    read
}

/// A hint, as it is told.
pub(super) fn hint(hint: Hint) -> wire::SignalHint {
    let Hint { kind, department_id, series: of, instructions } = hint;
    let of = Some(series(&of)).filter(|of| *of != wire::SignalSeries::default());
    wire::SignalHint { kind: kind.number().into(), department_id, series: of, instructions }
}
