//! Clocks, the arithmetic behind them, and policies.

use proto::redress::cases::v1::{
    ActivatePolicyResponse, CaseClock, ClockExtension, ClockKind, ClockState, ExplainDeadlineResponse,
    ExtensionState, IntervalKind, ListExtensionsResponse, ListPoliciesResponse, Policy, PolicyGround,
    PolicyLimits, PolicyPackVersion, PolicyPromise, ReopeningLimits, RungAction,
};

use super::{more, none_of};
use crate::lines::time;
use crate::table::{Table, facts, one_line};
use crate::words::word;

/// The clocks of a case.
pub fn clocks(clocks: &[CaseClock]) -> String {
    if clocks.is_empty() {
        return none_of("clocks", "");
    }
    let mut table = Table::new(["promise", "cycle", "state", "budget", "due", "policy", "taken"]);
    for clock in clocks {
        table.row([
            word::<ClockKind>(clock.kind),
            clock.cycle.to_string(),
            state(clock),
            budget(&clock.budget),
            time(clock.due_time.as_ref()) + if clock.provisional { " (provisional)" } else { "" },
            clock.policy.clone() + mark(clock.unverified),
            clock.rungs_done.join(", "),
        ]);
    }
    table.render()
}

/// A budget in words; many minutes, as a promise to be heard of again by a moment has, in hours.
fn budget(words: &str) -> String {
    let minutes = words.strip_suffix(" minutes").and_then(|amount| amount.parse::<u32>().ok());
    match minutes.filter(|minutes| *minutes >= 120) {
        None => words.to_owned(),
        Some(minutes) if minutes % 60 == 0 => format!("{} hours", minutes / 60),
        Some(minutes) => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

fn state(clock: &CaseClock) -> String {
    word::<ClockState>(clock.state) + if clock.breached { ", broken" } else { "" }
}

fn mark(unverified: bool) -> &'static str {
    if unverified { " (unverified)" } else { "" }
}

/// Why a clock is due when it is.
pub fn explained(answer: &ExplainDeadlineResponse) -> String {
    let clock = answer.clock.clone().unwrap_or_default();
    let head = facts(&[
        ("promise", word::<ClockKind>(clock.kind)),
        ("policy", clock.policy.clone() + mark(clock.unverified)),
        ("budget", budget(&clock.budget)),
        ("calendar", format!("{} ({})", clock.calendar, answer.time_zone)),
        ("state", state(&clock)),
        ("started", time(clock.start_time.as_ref())),
        ("due", time(clock.due_time.as_ref())),
        ("in all", span(answer.total.as_ref())),
        ("begun by", answer.begun_by.clone()),
        ("limit", limit(answer)),
        ("days", days(answer)),
        ("rolled forward", rolled(answer)),
        ("reopened", answer.reopened.clone()),
        ("time zones", releases(answer)),
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

/// The release of the time zones, and what is still to be put in force.
fn releases(answer: &ExplainDeadlineResponse) -> String {
    let (release, own) = (&answer.time_zone_release, &answer.counted_by_release);
    if release == own {
        return release.clone();
    }
    let release = if release.is_empty() { "an unknown release" } else { release };
    format!("due by {release}; laid out by {own}, which is still to be put in force")
}

/// The limit that holds, and the other where two stand beside each other.
fn limit(answer: &ExplainDeadlineResponse) -> String {
    if answer.beside.is_empty() {
        return answer.budget.clone();
    }
    let due = time(answer.beside_due_time.as_ref());
    format!("{}, earlier than {} ({due})", answer.budget, answer.beside)
}

/// The first and the last day that count.
fn days(answer: &ExplainDeadlineResponse) -> String {
    if answer.first_day.is_empty() {
        return String::new();
    }
    let shortened = if answer.shortened_month { ", the last of a shorter month" } else { "" };
    format!("{} to {}{shortened}", answer.first_day, answer.last_day)
}

/// The last day before and after it was rolled forward.
fn rolled(answer: &ExplainDeadlineResponse) -> String {
    if answer.rolled_from.is_empty() {
        return String::new();
    }
    format!("from {} to {}", answer.rolled_from, answer.rolled_to)
}

/// A stretch of time, as `31:30:00`.
fn span(duration: Option<&prost_types::Duration>) -> String {
    let seconds = duration.map_or(0, |duration| duration.seconds);
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// One extension.
pub fn extension(extension: &ClockExtension) -> String {
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
pub fn extensions(list: &ListExtensionsResponse) -> String {
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
pub fn policy(policy: &Policy) -> String {
    let head = facts(&[
        ("policy", policy.version.to_string()),
        ("pack", policy.pack.clone() + mark(policy.unverified)),
        ("what", policy.title.clone()),
        ("source", policy.source.clone()),
        ("calendar", policy.calendar.clone()),
        ("applies", format!("{} – {}", policy.effective_from, policy.effective_until)),
        ("reopened", policy.reopening.map(reopened).unwrap_or_default()),
        ("activated", time(policy.activate_time.as_ref())),
        ("has reached", super::recount(policy.recount.as_ref())),
        ("note", policy.note.clone()),
    ]);
    let mut promises =
        Table::new(["promise", "within", "from", "when", "most more", "pauses for", "reopened"]);
    for promise in &policy.promises {
        promises.row([
            word::<ClockKind>(promise.kind) + mark(promise.unverified),
            within(promise),
            promise.starts.clone(),
            promise.when.clone(),
            promise.most_extension.to_string() + &more_for(promise),
            promise.pause_reasons.join(", "),
            promise.reopened.clone(),
        ]);
    }
    let mut rungs = Table::new(["step", "of", "at", "does"]);
    for rung in &policy.rungs {
        let does: Vec<String> = rung.actions.iter().map(|action| word::<RungAction>(*action)).collect();
        let of = if rung.kind == 0 { "all others".to_owned() } else { word::<ClockKind>(rung.kind) };
        rungs.row([rung.name.clone(), of, rung.at.clone(), does.join(", ")]);
    }
    format!("{head}\n{}\n{}{}", promises.render(), rungs.render(), to_know(policy))
}

/// How long and how often a case may be reopened.
pub(super) fn reopened(limits: ReopeningLimits) -> String {
    let days = if limits.window_days == 1 { "day" } else { "days" };
    let times = if limits.maximum == 1 { "time" } else { "times" };
    format!("within {} {days} of the resolution, {} {times} at most", limits.window_days, limits.maximum)
}

/// The limit of a promise, with the one beside it.
fn within(promise: &PolicyPromise) -> String {
    let beside = if promise.beside.is_empty() { String::new() } else { format!(" or {}", promise.beside) };
    promise.budget.clone() + &beside
}

/// What gives a promise more time.
fn more_for(promise: &PolicyPromise) -> String {
    let dated = if promise.names_date { ", with the time of the answer" } else { "" };
    match (promise.holding_reply, promise.causes.is_empty()) {
        (false, _) => String::new(),
        (true, true) => format!(" (holding reply{dated})"),
        (true, false) => format!(" (holding reply for {}{dated})", promise.causes.join(" or ")),
    }
}

/// What no clock keeps: for people to know.
fn to_know(policy: &Policy) -> String {
    let mut blocks: Vec<String> = Vec::new();
    let mut list = |head: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            let lines: Vec<String> = lines.iter().map(|line| one_line(line)).collect();
            blocks.push(format!("\n{head}\n  {}\n", lines.join("\n  ")));
        }
    };
    let notes = policy.promises.iter().filter(|promise| !promise.note.is_empty());
    list("notes", notes.map(|one| format!("{}: {}", word::<ClockKind>(one.kind), one.note)).collect());
    list("duties", policy.duties.iter().map(|duty| duty.text.clone() + mark(duty.unverified)).collect());
    list("limits", policy.limits.as_ref().map(limits).unwrap_or_default());
    let grounds = |grounds: &[PolicyGround]| {
        grounds.iter().map(|ground| format!("{}: {}", ground.code, ground.text)).collect::<Vec<_>>()
    };
    list("grounds of refusal", grounds(&policy.refusal_grounds));
    list("grounds of ending", grounds(&policy.ending_grounds));
    list("hints, never grounds", grounds(&policy.hints));
    let version = |version: &PolicyPackVersion| {
        format!("{}: {} – {}", version.pack, version.effective_from, version.effective_until)
    };
    list("by day of receipt", policy.versions.iter().map(version).collect());
    blocks.concat()
}

fn limits(limits: &PolicyLimits) -> Vec<String> {
    let mut lines = Vec::new();
    let mut when = |there: bool, line: String| lines.extend(there.then_some(line));
    when(limits.group_alarm > 0, format!("a group of {} or more is major", limits.group_alarm));
    when(limits.representatives > 0, format!("at most {} speak for a group", limits.representatives));
    when(!limits.oldest.is_empty(), format!("matters older than {} are refused", limits.oldest));
    when(limits.reports_apart, "complaints and reports of a violation are kept apart".to_owned());
    when(limits.withdrawn_same_day, "a withdrawn complaint is ended the same day".to_owned());
    let early = &limits.early_settlement;
    when(!early.is_empty(), format!("settled within {early} a lighter answer is enough"));
    lines
}

/// A page of policies.
pub fn policies(list: &ListPoliciesResponse) -> String {
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
pub fn activated(answer: &ActivatePolicyResponse) -> String {
    let head = answer.policy.as_ref().map(policy).unwrap_or_default();
    let moved = super::moved(None, &answer.moved, answer.moved_count, answer.moved_is_partial);
    format!("{head}\n{moved}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_minutes_are_told_in_hours() {
        for (words, shown) in [
            ("1608 minutes", "26 h 48 min"),
            ("180 minutes", "3 hours"),
            ("119 minutes", "119 minutes"),
            ("240 working minutes", "240 working minutes"),
            ("15 working days", "15 working days"),
            ("3000 minutes from same day", "3000 minutes from same day"),
        ] {
            assert_eq!(budget(words), shown);
        }
    }
}
