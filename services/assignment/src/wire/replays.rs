//! Replays, asked for and told.

use std::collections::BTreeMap;

use fault::{Check, Fault};
use jiff::{SignedDuration, Timestamp};
use kernel::page::Page;
use prost_types::Duration;
use proto::redress::assignment::v1 as wire;
use proto::timestamp;

use super::policies::weights_in;
use super::requests::department_id_in;
use crate::routing::{PastCase, Replayed, Weights};

/// What `ReplayRouting` asks for.
#[derive(Debug)]
pub(crate) struct Replay {
    /// The department.
    pub(crate) department: String,
    /// The version to apply.
    pub(crate) version: i32,
    /// Weights in the place of that version's.
    pub(crate) weights: Option<Weights>,
    /// Cycles that began from the first moment on and before the second.
    pub(crate) window: (Option<Timestamp>, Option<Timestamp>),
    /// The page.
    pub(crate) page: Page,
    /// How many cycles come before it.
    pub(crate) after: usize,
}

/// Reads a `ReplayRouting` request.
pub(crate) fn replay(request: wire::ReplayRoutingRequest) -> Result<Replay, Fault> {
    let filters = wire::ReplayRoutingRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let wire::ReplayRoutingRequest {
        department_id,
        version,
        weights,
        start_time,
        end_time,
        page_size,
        page_token,
    } = request;
    let mut check = Check::new();
    let department = department_id_in(&mut check, "department_id", department_id);
    check.ensure(version >= 0, "version", "must not be negative");
    let weights = weights.map(|weights| weights_in(&mut check, "weights", weights));
    let window = (check.time("start_time", start_time), check.time("end_time", end_time));
    let page = check.page(page_size, &page_token, &format!("{filters:?}"));
    let after = page.after.as_ref().map_or(Some(0), |after| after.parse().ok());
    check.ensure(after.is_some(), "page_token", "must be a next_page_token of this replay");
    check.done("INVALID_REPLAY")?;
    Ok(Replay { department, version, weights, window, page, after: after.unwrap_or_default() })
}

/// What a replay came to: the page of it that is asked for, and the sums of all.
pub(crate) fn replayed(
    cases: &[PastCase],
    outcomes: &[Replayed],
    (page, after): (&Page, usize),
    partial: bool,
) -> wire::ReplayRoutingResponse {
    let both = || cases.iter().zip(outcomes);
    let changed = both().filter(|(case, outcome)| case.agent != outcome.agent).count();
    let shown = both().enumerate().skip(after).take(usize::try_from(page.limit()).unwrap_or(0));
    let shown = shown.map(|(at, (case, outcome))| ((at + 1).to_string(), row(case, outcome)));
    let (assignments, next_page_token) = server::page(page, shown);
    wire::ReplayRoutingResponse {
        assignments,
        next_page_token,
        examined: count(cases.len()),
        partial,
        changed: count(changed),
        spread: spread(cases, outcomes),
        waited: Some(times(cases.iter().filter_map(PastCase::waited))),
        replayed_waited: Some(times(outcomes.iter().filter_map(|outcome| outcome.waited))),
    }
}

fn row(case: &PastCase, outcome: &Replayed) -> wire::ReplayedAssignment {
    wire::ReplayedAssignment {
        case_id: case.case_id.to_string(),
        cycle: case.cycle,
        enqueue_time: Some(timestamp(case.enqueued)),
        agent_id: case.agent.clone().unwrap_or_default(),
        replayed_agent_id: outcome.agent.clone().unwrap_or_default(),
        waited: case.waited().map(duration),
        replayed_waited: outcome.waited.map(duration),
    }
}

fn spread(cases: &[PastCase], outcomes: &[Replayed]) -> Vec<wire::AgentSpread> {
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for agent in cases.iter().filter_map(|case| case.agent.as_deref()) {
        counts.entry(agent).or_default().0 += 1;
    }
    for agent in outcomes.iter().filter_map(|outcome| outcome.agent.as_deref()) {
        counts.entry(agent).or_default().1 += 1;
    }
    let spread = |(agent, (had, replayed)): (&str, (usize, usize))| wire::AgentSpread {
        agent_id: agent.to_owned(),
        assignments: count(had),
        replayed_assignments: count(replayed),
    };
    counts.into_iter().map(spread).collect()
}

fn times(waited: impl Iterator<Item = SignedDuration>) -> wire::WaitingTimes {
    let (mut assigned, mut sum, mut longest) = (0_i32, SignedDuration::ZERO, SignedDuration::ZERO);
    for waited in waited {
        assigned += 1;
        sum = sum.saturating_add(waited);
        longest = longest.max(waited);
    }
    let average = if assigned > 0 { sum / assigned } else { sum };
    wire::WaitingTimes { assigned, average: Some(duration(average)), longest: Some(duration(longest)) }
}

fn duration(time: SignedDuration) -> Duration {
    Duration { seconds: time.as_secs(), nanos: time.subsec_nanos() }
}

fn count(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
