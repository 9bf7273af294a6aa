//! Recalls: what is wrong, whose cases they are, and how far each department is.

use proto::redress::resolution::v1::{
    AddRecallCasesResponse, GetRecallResponse, ListRecallCandidatesResponse, ListRecallCasesResponse,
    ListRecallsResponse, Recall, RecallCounts, RecallMeasure, RecallState, RecallVerdict,
};

use super::remedies::remedy;
use super::{more, none_of};
use crate::lines::time;
use crate::table::{Table, facts, one_line};
use crate::words::word;

/// A recall.
pub fn recall(recall: &Recall) -> String {
    let head = facts(&[
        ("recall", recall.recall_id.clone()),
        ("version", recall.version.to_string()),
        ("state", word::<RecallState>(recall.state)),
        ("article", one_line(&recall.sku)),
        ("lot", one_line(&recall.lot)),
        ("reason", recall.reason.clone()),
        ("notice", recall.notice.clone()),
        ("cases", recall.case_count.to_string()),
        ("opened", time(recall.open_time.as_ref())),
        ("opened by", recall.opener.clone()),
        ("ended", time(recall.end_time.as_ref())),
        ("ended by", recall.ender.clone()),
        ("ended because", recall.end_reason.clone()),
    ]);
    let mut table = Table::new(["department", "what", "instructions"]);
    for RecallMeasure { department_id, kind, goods, instructions } in &recall.measures {
        table.row([
            department_id.clone(),
            remedy((*kind, ("", 0)), "", goods.as_ref()),
            instructions.clone(),
        ]);
    }
    format!("{head}\n{}", table.render())
}

/// A recall, and how far each department is.
pub fn recall_progress(found: &GetRecallResponse) -> String {
    let text = found.recall.as_ref().map(recall).unwrap_or_default();
    let Some(progress) = &found.progress else { return text };
    let mut table =
        Table::new(["department", "waiting", "for goods", "held", "attention", "done", "cancelled"]);
    for department in &progress.departments {
        let [waiting, stock, held, attention, done, cancelled] = cells(department.counts.as_ref());
        let name = department.department_id.clone();
        table.row([name, waiting, stock, held, attention, done, cancelled]);
    }
    let [waiting, stock, held, attention, done, cancelled] = cells(progress.counts.as_ref());
    table.row(["all".to_owned(), waiting, stock, held, attention, done, cancelled]);
    format!("{text}\n{} % done\n{}", progress.done_percent, table.render())
}

fn cells(counts: Option<&RecallCounts>) -> [String; 6] {
    let RecallCounts { waiting, awaiting_stock, held, done, attention, cancelled } =
        counts.copied().unwrap_or_default();
    [waiting, awaiting_stock, held, attention, done, cancelled].map(|count| count.to_string())
}

/// A page of recalls.
pub fn recalls(list: &ListRecallsResponse) -> String {
    if list.recalls.is_empty() {
        return none_of("recalls", &list.next_page_token);
    }
    let mut table = Table::new(["recall", "state", "article", "lot", "cases", "opened", "reason"]);
    for recall in &list.recalls {
        table.row([
            recall.recall_id.clone(),
            word::<RecallState>(recall.state),
            one_line(&recall.sku),
            one_line(&recall.lot),
            recall.case_count.to_string(),
            time(recall.open_time.as_ref()),
            one_line(&recall.reason),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

/// What became of each case that was to be added.
pub fn recall_verdicts(answer: &AddRecallCasesResponse) -> String {
    let mut table = Table::new(["case", "verdict"]);
    for case in &answer.verdicts {
        table.row([case.case_id.clone(), word::<RecallVerdict>(case.verdict)]);
    }
    let cases = answer.recall.as_ref().map_or(0, |recall| recall.case_count);
    format!("{}cases in it: {cases}\n", table.render())
}

/// A page of the cases of a recall.
pub fn recall_cases(list: &ListRecallCasesResponse) -> String {
    if list.cases.is_empty() {
        return none_of("cases", &list.next_page_token);
    }
    let mut table =
        Table::new(["case", "waiting", "for goods", "held", "attention", "done", "cancelled", "added", "by"]);
    for case in &list.cases {
        let [waiting, stock, held, attention, done, cancelled] = cells(case.counts.as_ref());
        let (added, by) = (time(case.add_time.as_ref()), case.adder.clone());
        table.row([case.case_id.clone(), waiting, stock, held, attention, done, cancelled, added, by]);
    }
    table.render() + &more(&list.next_page_token)
}

/// A page of cases that may belong to a recall.
pub fn recall_candidates(list: &ListRecallCandidatesResponse) -> String {
    if list.case_ids.is_empty() {
        return none_of("candidates", &list.next_page_token);
    }
    let mut table = Table::new(["case"]);
    for case_id in &list.case_ids {
        table.row([case_id.clone()]);
    }
    table.render() + &more(&list.next_page_token)
}

#[cfg(test)]
mod tests {
    use proto::redress::resolution::v1::{RecallDepartment, RecallProgress};

    use super::*;

    #[test]
    fn a_recall_says_what_is_wrong_and_how_far_each_department_is() {
        let counts = RecallCounts { waiting: 31, done: 69, ..RecallCounts::default() };
        let department = RecallDepartment { department_id: "warehouse".into(), counts: Some(counts) };
        let recall = Recall { sku: "A-17".into(), reason: "it breaks".into(), ..Recall::default() };
        let progress =
            RecallProgress { departments: vec![department], counts: Some(counts), done_percent: 69 };
        let text = recall_progress(&GetRecallResponse { recall: Some(recall), progress: Some(progress) });
        for line in ["A-17", "it breaks", "69 % done", "warehouse", "31"] {
            assert!(text.contains(line), "{line}: {text}");
        }
    }
}
