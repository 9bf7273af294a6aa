//! What a worker reported, against its own books.

use std::collections::{BTreeMap, BTreeSet};

use crate::worker_call::{Outcome, Report};

/// Whether every task that was reported done is in one line of the books, and every other
/// in none.
pub(crate) fn compare(reports: &[Report], books: &str) -> Result<String, String> {
    let done = |report: &&Report| matches!(report.outcome, Outcome::Done(_));
    let all: BTreeSet<&str> = reports.iter().map(|report| report.task_id.as_str()).collect();
    let done: BTreeSet<&str> = reports.iter().filter(done).map(|report| report.task_id.as_str()).collect();
    let mut effects: BTreeMap<&str, usize> = BTreeMap::new();
    for line in books.lines() {
        for task in all.iter().filter(|task| line.contains(**task)) {
            *effects.entry(task).or_default() += 1;
        }
    }
    let wrong: Vec<String> = all
        .iter()
        .filter_map(|task| {
            let (wanted, found) =
                (usize::from(done.contains(task)), effects.get(task).copied().unwrap_or_default());
            (wanted != found).then(|| format!("task {task}: {found} effects instead of {wanted}"))
        })
        .collect();
    if wrong.is_empty() {
        Ok(format!("{} tasks done, each once; {} left alone", done.len(), all.len() - done.len()))
    } else {
        Err(wrong.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use proto::redress::resolution::v1::{CompleteTaskRequest, FailTaskRequest};

    use super::*;

    fn reports() -> Vec<Report> {
        let done = CompleteTaskRequest { task_id: "a".into(), ..CompleteTaskRequest::default() };
        let failed = FailTaskRequest { task_id: "b".into(), ..FailTaskRequest::default() };
        vec![Report::completed(done.clone()), Report::completed(done), Report::failed(failed)]
    }

    #[test]
    fn books_with_one_effect_for_each_task_done_are_right() {
        assert_eq!(compare(&reports(), "a 39.90\nz 1.00").unwrap(), "1 tasks done, each once; 1 left alone");
    }

    #[test]
    fn books_with_an_effect_too_many_or_too_few_are_wrong() {
        let wrong = |books| compare(&reports(), books).unwrap_err();
        assert_eq!(wrong("a\na"), "task a: 2 effects instead of 1");
        assert_eq!(wrong(""), "task a: 0 effects instead of 1");
        assert_eq!(wrong("a\nb"), "task b: 1 effects instead of 0");
    }
}
