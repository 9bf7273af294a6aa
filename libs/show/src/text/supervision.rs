//! How departments stand, and by which ladder what is overdue is supervised.

use proto::redress::resolution::v1::{DepartmentBoard, Supervision, SupervisionLevel, SupervisionStep};

use super::department_queue;
use crate::lines::{millis, time};
use crate::table::{Table, facts};
use crate::words::word;

/// How a department stands.
pub fn department_board(board: &DepartmentBoard) -> String {
    let mut text = board.queue.as_ref().map(department_queue).unwrap_or_default();
    text += "\n";
    text += &facts(&[
        ("overdue", board.overdue.to_string()),
        ("handed back twice or more", board.looping.to_string()),
        ("cannot undo", board.not_undone.to_string()),
        ("oldest task", time(board.oldest_create_time.as_ref())),
        ("due first", time(board.least_due_time.as_ref())),
    ]);
    if board.supervision_counts.is_empty() {
        return text;
    }
    let mut table = Table::new(["overdue, told at last", "tasks"]);
    for told in &board.supervision_counts {
        let level = if told.level == 0 { "nobody".to_owned() } else { word::<SupervisionLevel>(told.level) };
        table.row([level, told.count.to_string()]);
    }
    format!("{text}\n{}", table.render())
}

/// By which ladder overdue tasks are supervised, and by whom.
pub fn supervision(supervision: &Supervision) -> String {
    let version = match supervision.version {
        0 => "0, as shipped".to_owned(),
        version => version.to_string(),
    };
    let mut text = facts(&[("version", version)]);
    let mut table = Table::new(["rung", "told", "after the due time"]);
    for (number, rung) in supervision.rungs.iter().enumerate() {
        let after = rung.after_duration.map_or(0, |after| after.seconds.saturating_mul(1_000));
        let after = if after == 0 { "at once".to_owned() } else { millis(after) };
        table.row([(number + 1).to_string(), word::<SupervisionLevel>(rung.level), after]);
    }
    text = match supervision.rungs.len() {
        0 => format!("{text}nobody is told\n"),
        _ => format!("{text}\n{}", table.render()),
    };
    let mut table = Table::new(["department", "supervisor", "head"]);
    for named in &supervision.departments {
        table.row([named.department_id.clone(), named.supervisor_id.clone(), named.head_id.clone()]);
    }
    if supervision.departments.is_empty() { text } else { format!("{text}\n{}", table.render()) }
}

/// The rungs a task has climbed.
pub(super) fn steps(steps: &[SupervisionStep]) -> String {
    let mut table = Table::new(["overdue: told", "whom", "subject", "rung", "due"]);
    for step in steps {
        let when = time(step.step_time.as_ref());
        table.row([
            if step.skipped { format!("{when} (passed over)") } else { when },
            word::<SupervisionLevel>(step.level),
            step.recipient.clone(),
            step.rung.to_string(),
            time(step.due_time.as_ref()),
        ]);
    }
    table.render()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_board_says_what_waits_what_is_overdue_and_who_was_told() {
        use proto::redress::resolution::v1::{DepartmentQueue, SupervisionCount};
        let queue =
            DepartmentQueue { department_id: "finance".into(), ready: 7, ..DepartmentQueue::default() };
        let count = |level: SupervisionLevel, count| SupervisionCount { level: level.into(), count };
        let board = DepartmentBoard {
            queue: Some(queue),
            overdue: 3,
            looping: 2,
            supervision_counts: vec![
                count(SupervisionLevel::Unspecified, 1),
                count(SupervisionLevel::Head, 2),
            ],
            ..DepartmentBoard::default()
        };
        let text = department_board(&board);
        for line in ["finance", "overdue", "handed back twice or more", "nobody", "head"] {
            assert!(text.contains(line), "{line}: {text}");
        }
    }
}
