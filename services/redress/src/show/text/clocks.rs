//! Clocks, the arithmetic behind them, and policies.

use proto::redress::cases::v1::{
    ActivatePolicyResponse, CaseClock, ClockExtension, ClockKind, ClockState, ExplainDeadlineResponse,
    ExtensionState, IntervalKind, ListExtensionsResponse, ListPoliciesResponse, Policy, RungAction,
};

use super::{more, none_of};
use crate::show::lines::time;
use crate::show::table::{Table, facts};
use crate::show::words::word;

/// The clocks of a case.
pub(crate) fn clocks(clocks: &[CaseClock]) -> String {
    if clocks.is_empty() {
        return none_of("clocks", "");
    }
    let mut table = Table::new(["promise", "cycle", "state", "budget", "due", "policy", "taken"]);
    for clock in clocks {
        table.row([
            word::<ClockKind>(clock.kind),
            clock.cycle.to_string(),
            state(clock),
            clock.budget.clone(),
            time(clock.due_time.as_ref()) + if clock.provisional { " (provisional)" } else { "" },
            clock.policy.clone() + mark(clock.unverified),
            clock.rungs_done.join(", "),
        ]);
    }
    table.render()
}

fn state(clock: &CaseClock) -> String {
    word::<ClockState>(clock.state) + if clock.breached { ", broken" } else { "" }
}

fn mark(unverified: bool) -> &'static str {
    if unverified { " (unverified)" } else { "" }
}

/// Why a clock is due when it is.
pub(crate) fn explained(answer: &ExplainDeadlineResponse) -> String {
    let clock = answer.clock.clone().unwrap_or_default();
    let head = facts(&[
        ("promise", word::<ClockKind>(clock.kind)),
        ("policy", clock.policy.clone() + mark(clock.unverified)),
        ("budget", clock.budget.clone()),
        ("calendar", format!("{} ({})", clock.calendar, answer.time_zone)),
        ("state", state(&clock)),
        ("started", time(clock.start_time.as_ref())),
        ("due", time(clock.due_time.as_ref())),
        ("in all", span(answer.total.as_ref())),
    ]);
    let mut table = Table::new(["from", "until", "why", "takes", "sum"]);
    for interval in &answer.intervals {
        let note = if interval.note.is_empty() { String::new() } else { format!(": {}", interval.note) };
        table.row([
            time(interval.from_time.as_ref()),
            time(interval.until_time.as_ref()),
            word::<IntervalKind>(interval.kind) + &note,
            span(interval.amount.as_ref()),
            span(interval.sum.as_ref()),
        ]);
    }
    format!("{head}\n{}", table.render())
}

/// A stretch of time, as `31:30:00`.
fn span(duration: Option<&prost_types::Duration>) -> String {
    let seconds = duration.map_or(0, |duration| duration.seconds);
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// One extension.
pub(crate) fn extension(extension: &ClockExtension) -> String {
    facts(&[
        ("extension", extension.extension_id.clone()),
        ("case", extension.case_id.clone()),
        ("promise", word::<ClockKind>(extension.kind)),
        ("state", word::<ExtensionState>(extension.state)),
        ("more", extension.amount.to_string()),
        ("reason", extension.reason.clone()),
        ("asked by", extension.requester.clone()),
        ("asked", time(extension.request_time.as_ref())),
        ("decided by", extension.approver.clone()),
        ("decided", time(extension.decide_time.as_ref())),
        ("refused for", extension.refusal.clone()),
    ])
}

/// The extensions of a case.
pub(crate) fn extensions(list: &ListExtensionsResponse) -> String {
    if list.extensions.is_empty() {
        return none_of("extensions", "");
    }
    let mut table = Table::new(["extension", "promise", "state", "more", "asked by", "decided by", "reason"]);
    for extension in &list.extensions {
        table.row([
            extension.extension_id.clone(),
            word::<ClockKind>(extension.kind),
            word::<ExtensionState>(extension.state),
            extension.amount.to_string(),
            extension.requester.clone(),
            extension.approver.clone(),
            extension.reason.clone(),
        ]);
    }
    table.render()
}

/// One policy: what is promised, and what is done as time runs out.
pub(crate) fn policy(policy: &Policy) -> String {
    let head = facts(&[
        ("policy", policy.version.to_string()),
        ("pack", policy.pack.clone() + mark(policy.unverified)),
        ("what", policy.title.clone()),
        ("source", policy.source.clone()),
        ("calendar", policy.calendar.clone()),
        ("applies", format!("{} – {}", policy.effective_from, policy.effective_until)),
        ("activated", time(policy.activate_time.as_ref())),
        ("note", policy.note.clone()),
    ]);
    let mut promises = Table::new(["promise", "within", "from", "when", "most more", "pauses for"]);
    for promise in &policy.promises {
        promises.row([
            word::<ClockKind>(promise.kind) + mark(promise.unverified),
            promise.budget.clone(),
            promise.starts.clone(),
            promise.when.clone(),
            promise.most_extension.to_string() + if promise.holding_reply { " (holding reply)" } else { "" },
            promise.pause_reasons.join(", "),
        ]);
    }
    let mut rungs = Table::new(["step", "of", "at", "does"]);
    for rung in &policy.rungs {
        let does: Vec<String> = rung.actions.iter().map(|action| word::<RungAction>(*action)).collect();
        let of = if rung.kind == 0 { "all others".to_owned() } else { word::<ClockKind>(rung.kind) };
        rungs.row([rung.name.clone(), of, rung.at.clone(), does.join(", ")]);
    }
    format!("{head}\n{}\n{}", promises.render(), rungs.render())
}

/// A page of policies.
pub(crate) fn policies(list: &ListPoliciesResponse) -> String {
    if list.policies.is_empty() {
        return none_of("policies but the shipped one", &list.next_page_token);
    }
    let mut table = Table::new(["policy", "pack", "activated", "by", "note"]);
    for policy in &list.policies {
        table.row([
            policy.version.to_string(),
            policy.pack.clone() + mark(policy.unverified),
            time(policy.activate_time.as_ref()),
            policy.activator.clone(),
            policy.note.clone(),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

/// A policy put in force, or tried, and which due times that moves.
pub(crate) fn activated(answer: &ActivatePolicyResponse) -> String {
    let head = answer.policy.as_ref().map(policy).unwrap_or_default();
    format!("{head}\n{}", super::moved(None, &answer.moved, answer.moved_count))
}
