//! Asks departments about problems: what hints ask for when signals are raised, what people
//! ask, and what waits until a problem has a case; and keeps what they answer.

use std::collections::HashMap;

use fault::Fault;
use kernel::Caller;
use pg::Tx;
use uuid::Uuid;

use crate::problem::Problem;
use crate::problem_task::{MAX_TASKS, ProblemTask, State, TaskUpdate, hinted};
use crate::refusal::Refusal;
use crate::signal::Series;
use crate::signal::hint::{Hint, Kind};
use crate::{store, wire};

/// Notes what hints ask for: signals of series were raised for open problems, none of which
/// is closed meanwhile. Nobody is asked before [`ask_waiting`].
pub(crate) async fn note_hints(tx: &mut Tx, hints: &[Hint], raised: &[(Uuid, Series)]) -> Result<(), Fault> {
    let applies = |(_, series): &&(Uuid, Series)| hints.iter().any(|hint| hint.applies_to(series));
    let hinted_at: Vec<&(Uuid, Series)> = raised.iter().filter(applies).collect();
    if hinted_at.is_empty() {
        return Ok(());
    }
    let problems: Vec<Uuid> = hinted_at.iter().map(|(problem, _)| *problem).collect();
    let mut known: HashMap<Uuid, Vec<ProblemTask>> = HashMap::new();
    for task in store::tasks_of_problems(tx, &problems).await? {
        known.entry(task.problem).or_default().push(task);
    }
    let (now, mut noted) = (tx.now(), Vec::new());
    for (problem, series) in hinted_at {
        let known = known.entry(*problem).or_default();
        let made = hinted(hints, (*problem, series), known, now, || tx.new_id());
        known.extend(made.iter().cloned());
        noted.extend(made);
    }
    store::save_problem_tasks(tx, &noted).await
}

/// Asks the departments whose tasks wait for a case, of those of these problems that are open
/// and have one by now.
pub(crate) async fn ask_waiting(tx: &mut Tx, problems: &[Uuid]) -> Result<(), Fault> {
    let waiting = store::lock_waiting_tasks(tx, problems).await?;
    if waiting.is_empty() {
        return Ok(());
    }
    let of: Vec<Uuid> = waiting.iter().map(|task| task.problem).collect();
    let cases = store::newest_cases(tx, &of).await?;
    let known = store::problems_among(tx, &of).await?;
    let known: HashMap<Uuid, Problem> = known.into_iter().map(|problem| (problem.id, problem)).collect();
    let (now, mut asked) = (tx.now(), Vec::new());
    for mut task in waiting {
        let problem = known.get(&task.problem).filter(|problem| problem.closing.is_none());
        let (Some(problem), Some(case)) = (problem, cases.get(&task.problem)) else { continue };
        if task.request(*case, now) {
            tell(tx, problem, &task);
            asked.push(task);
        }
    }
    store::save_problem_tasks(tx, &asked).await
}

/// Somebody asks a department about a problem, which is locked and open.
pub(crate) async fn ask(
    tx: &mut Tx,
    problem: &Problem,
    (kind, department_id, instructions): (Kind, String, String),
    caller: &Caller,
) -> Result<ProblemTask, Fault> {
    if store::tasks_of_problems(tx, &[problem.id]).await?.len() >= MAX_TASKS {
        return Err(Refusal::TooManyProblemTasks.into());
    }
    let case = store::newest_cases(tx, &[problem.id]).await?.remove(&problem.id);
    let case = case.ok_or(Refusal::ProblemWithoutCases)?;
    let task = ProblemTask {
        id: tx.new_id(),
        problem: problem.id,
        kind,
        department_id,
        instructions,
        requester: caller.subject.to_string(),
        created: tx.now(),
        requested: Some((tx.now(), case)),
        state: State::Requested,
        answer: None,
    };
    tell(tx, problem, &task);
    store::save_problem_tasks(tx, std::slice::from_ref(&task)).await?;
    Ok(task)
}

fn tell(tx: &mut Tx, problem: &Problem, task: &ProblemTask) {
    if let Some((_, case)) = task.requested {
        tx.emit(problem.id, &wire::problem_task_requested(problem, task, case));
    }
}

/// A problem, which is locked, is closed: what waits for a case of it is asked no more.
pub(crate) async fn problem_closed(tx: &mut Tx, problem: Uuid) -> Result<(), Fault> {
    let mut waiting = store::lock_waiting_tasks(tx, &[problem]).await?;
    let now = tx.now();
    for task in &mut waiting {
        task.problem_closed(now);
    }
    store::save_problem_tasks(tx, &waiting).await
}

/// Keeps what was told of tasks, in its order.
pub(crate) async fn hear(tx: &mut Tx, told: Vec<TaskUpdate>) -> Result<(), Fault> {
    let ids: Vec<Uuid> = told.iter().map(|heard| heard.task_id).collect();
    let known = store::lock_problem_tasks(tx, &ids).await?;
    let mut known: HashMap<Uuid, (ProblemTask, bool)> =
        known.into_iter().map(|task| (task.id, (task, false))).collect();
    for heard in told {
        if let Some((task, has_changed)) = known.get_mut(&heard.task_id) {
            *has_changed |= task.hear(heard);
        }
    }
    let changed = known.into_values().filter(|(_, has_changed)| *has_changed);
    let mut changed: Vec<ProblemTask> = changed.map(|(task, _)| task).collect();
    changed.sort_unstable_by_key(|task| task.id);
    store::save_problem_tasks(tx, &changed).await
}
