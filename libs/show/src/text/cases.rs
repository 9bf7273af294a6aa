//! Cases, their timelines, the public progress.

use std::fmt::Write as _;

use proto::redress::cases::v1::{
    Case, CaseReopening, CaseState, CorrectionState, CountCasesResponse, DecisionCorrection,
    FacetCasesResponse, FacetCount, GetCaseResponse, GetTimelineResponse, Level, ListCasesResponse, Outcome,
    TimelineEntry, TimelineKind, TrackComplaintResponse, WithdrawComplaintResponse,
};
use proto::redress::intake::v1::{Channel, Matter};

use super::{more, none_of};
use crate::lines::{clock, day, millis, money, time};
use crate::table::{Table, facts};
use crate::words::{priority, word};
use crate::wrap::wrap;

/// One case, everything there is.
pub fn case(case: &Case) -> String {
    facts(&[
        ("case", case.case_id.clone()),
        ("version", case.version.to_string()),
        ("state", word::<CaseState>(case.state)),
        ("merged into", case.merged_into_case_id.clone()),
        ("cycle", format!("{} (level {})", case.cycle, case.tier)),
        ("priority", urgency(case)),
        ("complexity", word::<Level>(case.complexity)),
        ("category", case.category.clone()),
        ("why", case.triage_reasons.join("\n")),
        ("matter", word::<Matter>(case.matter)),
        ("channel", word::<Channel>(case.channel)),
        ("subject", case.subject.clone()),
        ("language", case.language.clone()),
        ("customer", case.customer_id.clone()),
        ("region", case.region.clone()),
        ("sum sought", money(case.amount_sought.as_ref())),
        ("department", case.department_id.clone()),
        ("agent", case.agent_id.clone()),
        ("findings", case.findings.clone()),
        ("root cause", case.root_cause.clone()),
        ("outcome", word::<Outcome>(case.outcome)),
        ("reasons", case.decision_reasons.clone()),
        ("received", time(case.receive_time.as_ref())),
        ("opened", time(case.open_time.as_ref())),
        ("due", time(case.due_time.as_ref())),
        ("resolved", time(case.resolve_time.as_ref())),
        ("closed", time(case.close_time.as_ref())),
        ("reopening", case.reopening.as_ref().map(reopening).unwrap_or_default()),
        ("trace", case.trace_id.clone()),
    ])
}

/// Until when and how often a case may be reopened, and who said so.
fn reopening(one: &CaseReopening) -> String {
    let until = match one.until_time.as_ref() {
        Some(until) => format!("until {}", time(Some(until))),
        None => "at any time".to_owned(),
    };
    let left = if one.left == 0 { "no more".to_owned() } else { format!("{} more", one.left) };
    let limits = one.limits.map(super::clocks::reopened);
    let limits = limits.map_or_else(String::new, |limits| format!(": {limits}"));
    let policy = match one.policy_version {
        0 => "the shipped policy".to_owned(),
        version => format!("policy {version}"),
    };
    format!("{until}, {left} ({policy}{limits})")
}

/// How urgent a case is; of one that was reopened, why that is more than triage says.
fn urgency(case: &Case) -> String {
    let urgent = priority(case.priority);
    if case.cycle > 1 { format!("{urgent} (a level up with each reopening)") } else { urgent }
}

/// A correction of a decision.
pub fn correction(correction: &DecisionCorrection) -> String {
    facts(&[
        ("correction", correction.correction_id.clone()),
        ("case", correction.case_id.clone()),
        ("state", word::<CorrectionState>(correction.state)),
        ("outcome", word::<Outcome>(correction.outcome)),
        ("reasons", correction.reasons.clone()),
        ("remedy due", if correction.remedy_due { "yes" } else { "no" }.to_owned()),
        ("why", correction.reason.clone()),
        ("asked by", correction.proposer.clone()),
        ("asked", time(correction.propose_time.as_ref())),
        ("decided by", correction.decider.clone()),
        ("decided", time(correction.decide_time.as_ref())),
        ("refused", correction.refusal.clone()),
    ])
}

/// A page of cases.
pub fn cases(list: &ListCasesResponse) -> String {
    if list.cases.is_empty() {
        return none_of("cases", &list.next_page_token);
    }
    let mut table = Table::new(["case", "state", "pri", "due", "agent", "subject"]);
    for case in &list.cases {
        table.row([
            case.case_id.clone(),
            word::<CaseState>(case.state),
            priority(case.priority),
            time(case.due_time.as_ref()),
            case.agent_id.clone(),
            case.subject.clone(),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

/// How many cases there are, and how long they took.
pub fn count(counted: &CountCasesResponse) -> String {
    let span = |median: Option<i64>, p99: Option<i64>| match median.zip(p99) {
        Some((median, p99)) => format!("median {}, p99 {}", millis(median), millis(p99)),
        None => String::new(),
    };
    let head = facts(&[
        ("cases", counted.total.to_string()),
        ("until assigned", span(counted.assign_ms_p50, counted.assign_ms_p99)),
        ("until resolved", span(counted.resolve_ms_p50, counted.resolve_ms_p99)),
    ]);
    let mut table = Table::new(["count", "state", "pri", "channel", "category"]);
    for count in &counted.counts {
        table.row([
            count.count.to_string(),
            word::<CaseState>(count.state),
            priority(count.priority),
            word::<Channel>(count.channel),
            count.category.clone(),
        ]);
    }
    format!("{head}\n{}", table.render())
}

/// Cases counted by some fields, a table for each.
pub fn facets(counted: &FacetCasesResponse) -> String {
    let bound = if counted.exact { "" } else { ", the newest; there may be more" };
    let mut text = format!("{} cases{bound}\n", counted.total);
    for facet in &counted.facets {
        let mut table = Table::new(["count", &facet.field]);
        for FacetCount { value, count } in &facet.counts {
            table.row([count.to_string(), if value.is_empty() { "-".to_owned() } else { value.clone() }]);
        }
        let _ = write!(text, "\n{}", table.render());
        if facet.more_values {
            text.push_str("and more, less frequent\n");
        }
    }
    text
}

/// A page of a timeline.
pub fn timeline(page: &GetTimelineResponse) -> String {
    entries(&page.entries, crate::table::width()) + &more(&page.next_page_token)
}

/// Width of a time and a kind, and of the same with the gap behind them.
const HEAD: usize = 35;
const TIME_AND_KIND: usize = HEAD + 2;
/// Narrowest that texts get.
const TEXT_MIN: usize = 30;

/// Entries of a timeline within a width: texts are wrapped, not cut.
pub fn entries(entries: &[TimelineEntry], width: Option<usize>) -> String {
    let room = width.map(|width| width.saturating_sub(TIME_AND_KIND).max(TEXT_MIN));
    let (mut text, mut today) = (String::new(), String::new());
    // Where there is one, it needs no name.
    let mut cycle = i32::from(entries.iter().all(|entry| entry.cycle <= 1));
    for entry in entries {
        if entry.cycle.max(1) != cycle {
            cycle = entry.cycle.max(1);
            let _ = writeln!(text, "cycle {cycle}");
        }
        let of = day(entry.time.as_ref());
        if of != today {
            let _ = writeln!(text, "{of}");
            today = of;
        }
        line_up(&mut text, entry, room);
    }
    text
}

/// One entry: its time and kind beside its text; a long kind stands on a line of its own.
fn line_up(text: &mut String, entry: &TimelineEntry, room: Option<usize>) {
    let mut head = format!("{}  {:<14}", clock(entry.time.as_ref()), word::<TimelineKind>(entry.kind));
    if head.len() > HEAD {
        let _ = writeln!(text, "{head}");
        head.clear();
    }
    for line in wrap(&told(entry), room) {
        let _ = writeln!(text, "{head:<HEAD$}  {line}");
        head.clear();
    }
}

/// What happened, and by whom where it was a person.
fn told(entry: &TimelineEntry) -> String {
    let is_person = !entry.actor.is_empty() && !entry.actor.starts_with('<');
    if is_person { format!("{} ({})", entry.text, entry.actor) } else { entry.text.clone() }
}

/// One case, and what was tried in the cycles before its last.
pub fn case_in_full(answer: &GetCaseResponse) -> String {
    let mut text = case(&answer.case.clone().unwrap_or_default());
    for earlier in &answer.earlier_cycles {
        let _ = write!(text, "\ntried in cycle {}\n", earlier.cycle);
        for entry in &earlier.entries {
            line_up(&mut text, entry, None);
        }
    }
    text
}

/// What became of a complaint that its complainant withdrew.
pub fn withdrawn(answer: &WithdrawComplaintResponse) -> String {
    facts(&[("state", word::<CaseState>(answer.state)), ("withdrawn", time(answer.withdraw_time.as_ref()))])
}

/// What the public may know of a complaint.
pub fn progress(progress: &TrackComplaintResponse) -> String {
    let head = facts(&[
        ("state", word::<CaseState>(progress.state)),
        ("cycle", progress.cycle.to_string()),
        ("received", time(progress.receive_time.as_ref())),
        ("outcome", word::<Outcome>(progress.outcome)),
    ]);
    let mut table = Table::new(["time", "what", ""]);
    for entry in &progress.entries {
        table.row([time(entry.time.as_ref()), word::<TimelineKind>(entry.kind), entry.text.clone()]);
    }
    format!("{head}\n{}", table.render())
}

#[cfg(test)]
mod tests {
    use proto::redress::cases::v1::ReopeningLimits;

    use super::*;

    #[test]
    fn a_case_says_until_when_and_how_often_it_may_be_reopened_and_by_which_policy() {
        let limits = Some(ReopeningLimits { window_days: 60, maximum: 1 });
        let until_time = Some(prost_types::Timestamp { seconds: 1_796_990_400, nanos: 0 });
        let until = time(until_time.as_ref());
        let one = CaseReopening { policy_version: 0, limits, until_time, left: 1 };
        assert_eq!(
            reopening(&one),
            format!(
                "until {until}, 1 more (the shipped policy: within 60 days of the resolution, 1 time at most)"
            )
        );
        let none = CaseReopening { policy_version: 4, limits: None, until_time: None, left: 0 };
        assert_eq!(reopening(&none), "at any time, no more (policy 4)");
    }
}
