//! What departments are asked about problems.

use proto::redress::feedback::v1::{
    ListProblemTasksResponse, ProblemTask, ProblemTaskKind, ProblemTaskState, SignalHint,
};

use super::signals::series;
use super::{more, none_of};
use crate::lines::time;
use crate::table::{Table, facts, one_line};
use crate::words::word;

/// One task, and what came of it.
pub fn problem_task(task: &ProblemTask) -> String {
    facts(&[
        ("task", task.task_id.clone()),
        ("problem", task.problem_id.clone()),
        ("asks for", word::<ProblemTaskKind>(task.kind)),
        ("department", task.department_id.clone()),
        ("instructions", task.instructions.clone()),
        ("state", word::<ProblemTaskState>(task.state)),
        ("asked by", asked_by(task)),
        ("at", time(task.create_time.as_ref())),
        ("went out", time(task.request_time.as_ref())),
        ("in case", task.case_id.clone()),
        ("answered by", task.answer_department_id.clone()),
        ("at", time(task.answer_time.as_ref())),
        ("reference", task.reference.clone()),
        ("answer", task.answer.clone()),
    ])
}

fn asked_by(task: &ProblemTask) -> String {
    if task.requester.is_empty() { "a hint".to_owned() } else { task.requester.clone() }
}

/// A page of tasks.
pub fn problem_tasks(list: &ListProblemTasksResponse) -> String {
    if list.tasks.is_empty() {
        return none_of("tasks", &list.next_page_token);
    }
    rows(&list.tasks) + &more(&list.next_page_token)
}

/// Tasks, a line each.
pub(super) fn rows(tasks: &[ProblemTask]) -> String {
    let mut table = Table::new([
        "task",
        "problem",
        "asks for",
        "department",
        "state",
        "asked",
        "by",
        "answered",
        "answer",
    ]);
    for task in tasks {
        table.row([
            task.task_id.clone(),
            task.problem_id.clone(),
            word::<ProblemTaskKind>(task.kind),
            task.department_id.clone(),
            word::<ProblemTaskState>(task.state),
            time(task.create_time.as_ref()),
            asked_by(task),
            time(task.answer_time.as_ref()),
            one_line(&task.answer),
        ]);
    }
    table.render()
}

/// Hints, a line each.
pub(super) fn hints(hints: &[SignalHint]) -> String {
    let mut table = Table::new(["hint", "department", "signals of", "instructions"]);
    for hint in hints {
        table.row([
            word::<ProblemTaskKind>(hint.kind),
            hint.department_id.clone(),
            hint.series.as_ref().map_or_else(|| "all".to_owned(), series),
            one_line(&hint.instructions),
        ]);
    }
    table.render()
}

#[cfg(test)]
mod tests {
    use proto::redress::feedback::v1::{Problem, SignalSettings};

    use super::*;
    use crate::text;

    #[test]
    fn a_problem_and_a_list_show_who_asked_whom_and_the_answer() {
        let task = ProblemTask {
            kind: ProblemTaskKind::Stock.into(),
            department_id: "warehouse".to_owned(),
            state: ProblemTaskState::GivenUp.into(),
            answer: "not ours\nat all".to_owned(),
            ..ProblemTask::default()
        };
        let one = problem_task(&task);
        assert!(one.contains("a hint") && one.contains("given up"), "{one}");
        let list = ListProblemTasksResponse { tasks: vec![task.clone()], ..Default::default() };
        let problem = Problem { tasks: vec![task], ..Problem::default() };
        for shown in [problem_tasks(&list), text::problem(&problem)] {
            let line = shown.lines().find(|line| line.contains("warehouse")).unwrap();
            assert!(line.contains("stock") && line.contains("not ours at all"), "{line}");
        }
        assert!(problem_tasks(&ListProblemTasksResponse::default()).contains("no tasks"));
        assert!(!text::problem(&Problem::default()).contains("department"));
    }

    #[test]
    fn settings_show_their_hints() {
        let hint = SignalHint {
            kind: ProblemTaskKind::Recall.into(),
            department_id: "quality".to_owned(),
            ..Default::default()
        };
        let shown = text::signal_settings(&SignalSettings { hints: vec![hint], ..Default::default() });
        let line = shown.lines().find(|line| line.contains("quality")).unwrap();
        assert!(line.contains("recall") && line.contains("all"), "{shown}");
        assert!(!text::signal_settings(&SignalSettings::default()).contains("hint"));
    }
}
