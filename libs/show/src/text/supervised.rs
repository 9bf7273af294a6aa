//! The view of those who supervise: who sits on what, and why.

use proto::redress::feedback::v1::{
    GetSupervisionOverviewResponse, HolderSupervision, ListSupervisedCasesResponse, SupervisedCase,
    SupervisionCounts, SupervisionReason,
};

use super::{fact_state, more, none_of};
use crate::lines::{money, time};
use crate::table::{Table, one_line};
use crate::words::{priority, word};

/// Who has open cases, and all of them together.
pub fn supervision_overview(answer: &GetSupervisionOverviewResponse) -> String {
    let mut table = Table::new([
        "handler",
        "department",
        "open",
        "resolved",
        "overdue",
        "escalated",
        "reworked",
        "disputed",
        "money",
        "oldest",
        "overdue since",
    ]);
    for one in &answer.holders {
        table.row(holder(one));
    }
    let untold = usize::try_from(answer.holder_count).unwrap_or(0).saturating_sub(answer.holders.len());
    if untold > 0 {
        table.row(row(&format!("and {untold} more"), "", [(); 7].map(|()| "…".to_owned()), ["", ""]));
    }
    table.row(row("all", "", counts(answer.totals.as_ref()), ["", ""]));
    table.render() + &answer.state.as_ref().map(fact_state).unwrap_or_default()
}

fn holder(one: &HolderSupervision) -> [String; 11] {
    let agent = if one.agent_id.is_empty() { "(waiting)" } else { &one.agent_id };
    let times = [&one.oldest_receive_time, &one.oldest_breach_time].map(|at| time(at.as_ref()));
    row(agent, &one.department_id, counts(one.counts.as_ref()), times.each_ref().map(String::as_str))
}

fn row(agent: &str, department: &str, counts: [String; 7], times: [&str; 2]) -> [String; 11] {
    let [open, resolved, overdue, escalated, reworked, disputed, money] = counts;
    let [oldest, since] = times.map(str::to_owned);
    let (agent, department) = (one_line(agent), one_line(department));
    [agent, department, open, resolved, overdue, escalated, reworked, disputed, money, oldest, since]
}

fn counts(counts: Option<&SupervisionCounts>) -> [String; 7] {
    let counts = counts.copied().unwrap_or_default();
    [
        counts.open_count,
        counts.resolved_count,
        counts.overdue_count,
        counts.escalated_count,
        counts.reworked_count,
        counts.disputed_count,
        counts.money_over_limit_count,
    ]
    .map(|count| count.to_string())
}

/// A page of cases that are looked at.
pub fn supervised_cases(list: &ListSupervisedCasesResponse) -> String {
    if list.cases.is_empty() {
        return none_of("cases to look at", &list.next_page_token);
    }
    let mut table = Table::new([
        "case",
        "cycle",
        "why",
        "handler",
        "department",
        "priority",
        "received",
        "overdue since",
        "asked for",
        "paid",
    ]);
    for one in &list.cases {
        table.row([
            one.case_id.clone(),
            one.cycle.to_string(),
            reasons(one),
            if one.agent_id.is_empty() { "(waiting)".to_owned() } else { one_line(&one.agent_id) },
            one_line(&one.department_id),
            priority(one.priority),
            time(one.receive_time.as_ref()),
            time(one.breach_time.as_ref()),
            money(one.amount_sought.as_ref()),
            one.amounts_paid.iter().map(|sum| money(Some(sum))).collect::<Vec<_>>().join(", "),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

fn reasons(one: &SupervisedCase) -> String {
    one.reasons.iter().map(|reason| word::<SupervisionReason>(*reason)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_not_told_is_counted() {
        let holder = HolderSupervision {
            agent_id: "ann".into(),
            department_id: "service".into(),
            counts: Some(SupervisionCounts { open_count: 3, overdue_count: 2, ..Default::default() }),
            ..HolderSupervision::default()
        };
        let waiting = HolderSupervision { agent_id: String::new(), ..holder.clone() };
        let answer = GetSupervisionOverviewResponse {
            totals: Some(SupervisionCounts { open_count: 9, ..Default::default() }),
            holders: vec![holder, waiting],
            holder_count: 5,
            state: None,
        };
        let shown = supervision_overview(&answer);
        for part in ["ann", "(waiting)", "and 3 more", "9"] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        let all = GetSupervisionOverviewResponse { holder_count: 2, ..answer };
        assert!(!supervision_overview(&all).contains("more"));
    }

    #[test]
    fn a_case_is_shown_with_each_reason_it_is_looked_at_for() {
        let one = SupervisedCase {
            case_id: "c".into(),
            reasons: vec![SupervisionReason::Overdue.into(), SupervisionReason::MoneyOverLimit.into()],
            ..SupervisedCase::default()
        };
        let list = ListSupervisedCasesResponse { cases: vec![one], ..Default::default() };
        let shown = supervised_cases(&list);
        assert!(shown.contains("overdue, money over limit") && shown.contains("(waiting)"), "{shown}");
    }
}
