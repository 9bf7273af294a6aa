//! How handlers are chosen, why one was, and rosters brought along.

use proto::redress::assignment::v1::{
    AgentRowState, Barrier, EarlierHandler, ImportAgentsResponse, ListRoutingPoliciesResponse,
    ListUnassignableResponse, OffboardAgentResponse, RecordAbsenceResponse, ReplayRoutingResponse,
    RoutingDecision, RoutingPolicy, RoutingWeights, WaitingTimes,
};

use super::people::agent;
use super::{more, none_of};
use crate::lines::time;
use crate::table::{Table, facts};
use crate::words::{priority, word};

/// One version of the routing policy.
pub fn routing_policy(policy: &RoutingPolicy) -> String {
    let accept = match policy.accept_seconds {
        0 => "for ever".to_owned(),
        seconds => format!("{seconds} s"),
    };
    facts(&[
        ("version", policy.version.to_string()),
        ("in force", if policy.active { "yes".into() } else { "no".into() }),
        ("weights", weights(&policy.weights.unwrap_or_default())),
        ("earlier handler", word::<EarlierHandler>(policy.earlier_handler)),
        ("to accept", accept),
        ("made", time(policy.create_time.as_ref())),
        ("note", policy.note.clone()),
    ])
}

fn weights(weights: &RoutingWeights) -> String {
    let RoutingWeights { load, skill, language, region, affinity, waiting, team } = weights;
    format!(
        "load {load}, skill {skill}, language {language}, region {region}, affinity {affinity}, waiting {waiting}, team {team}"
    )
}

/// A page of versions.
pub fn routing_policies(list: &ListRoutingPoliciesResponse) -> String {
    if list.policies.is_empty() {
        return none_of("versions of one's own", &list.next_page_token);
    }
    let mut table = Table::new(["version", "in force", "made", "weights", "note"]);
    for policy in &list.policies {
        table.row([
            policy.version.to_string(),
            if policy.active { "yes".into() } else { String::new() },
            time(policy.create_time.as_ref()),
            weights(&policy.weights.unwrap_or_default()),
            policy.note.clone(),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

/// How it was decided who has a case.
pub fn decision(decision: &RoutingDecision) -> String {
    let head = facts(&[
        ("case", decision.case_id.clone()),
        ("cycle", decision.cycle.to_string()),
        ("decided", time(decision.decide_time.as_ref())),
        ("department", decision.department_id.clone()),
        ("agent", decision.agent_id.clone()),
        (
            "policy",
            format!(
                "version {}: {}",
                decision.policy_version,
                weights(&decision.weights.unwrap_or_default())
            ),
        ),
        ("why", decision.explanation.clone()),
    ]);
    if decision.candidates.is_empty() {
        return head;
    }
    let share = |millionths: i64| {
        format!("{}.{:02}", millionths / 1_000_000, millionths.rem_euclid(1_000_000) / 10_000)
    };
    let mut table = Table::new([
        "agent", "score", "held", "load", "skill", "language", "region", "affinity", "waiting", "team",
        "why not",
    ]);
    for one in &decision.candidates {
        let terms = one.terms.unwrap_or_default();
        table.row([
            one.agent_id.clone(),
            share(one.score),
            format!("{}/{}", one.load, one.capacity),
            share(terms.load),
            share(terms.skill),
            share(terms.language),
            share(terms.region),
            share(terms.affinity),
            share(terms.waiting),
            share(terms.team),
            if one.barrier == 0 { String::new() } else { word::<Barrier>(one.barrier) },
        ]);
    }
    format!("{head}\n{}{} of {} could have it\n", table.render(), decision.eligible, decision.considered)
}

/// A page of the cases that nobody can take.
pub fn unassignable(list: &ListUnassignableResponse) -> String {
    if list.assignments.is_empty() {
        return none_of("cases that nobody can take", &list.next_page_token);
    }
    let mut table = Table::new(["case", "pri", "since", "department", "why"]);
    for case in &list.assignments {
        table.row([
            case.case_id.clone(),
            priority(case.priority),
            time(case.unassignable_time.as_ref()),
            case.department_id.clone(),
            case.explanation.clone(),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

/// What past cases would have come to.
pub fn routing_replay(replay: &ReplayRoutingResponse) -> String {
    let mut cases = Table::new(["case", "cycle", "had it", "would have", "waited", "would have waited"]);
    for one in &replay.assignments {
        cases.row([
            one.case_id.clone(),
            one.cycle.to_string(),
            one.agent_id.clone(),
            one.replayed_agent_id.clone(),
            seconds(one.waited.as_ref()),
            seconds(one.replayed_waited.as_ref()),
        ]);
    }
    let mut spread = Table::new(["agent", "had", "would have had"]);
    for one in &replay.spread {
        spread.row([one.agent_id.clone(), one.assignments.to_string(), one.replayed_assignments.to_string()]);
    }
    let rows = if replay.assignments.is_empty() { String::new() } else { cases.render() };
    let loads = if replay.spread.is_empty() { String::new() } else { format!("\n{}", spread.render()) };
    let partly = if replay.partial { ", the first of the window" } else { "" };
    format!(
        "{rows}{loads}\n{} of {} would have had another handler{partly}\nwaited: {}\nwould have waited: {}\n{}",
        replay.changed,
        replay.examined,
        times(replay.waited.as_ref()),
        times(replay.replayed_waited.as_ref()),
        more(&replay.next_page_token)
    )
}

fn seconds(time: Option<&prost_types::Duration>) -> String {
    time.map_or_else(|| "still waits".to_owned(), |time| format!("{} s", time.seconds))
}

fn times(times: Option<&WaitingTimes>) -> String {
    let times = times.copied().unwrap_or_default();
    let (average, longest) = (seconds(times.average.as_ref()), seconds(times.longest.as_ref()));
    format!("{average} on average, {longest} at most, of {}", times.assigned)
}

/// What became of the rows of a roster.
pub fn agent_verdicts(answer: &ImportAgentsResponse) -> String {
    let count = |state: AgentRowState| answer.verdicts.iter().filter(|one| one.state() == state).count();
    let mut table = Table::new(["row", "agent", "verdict", "why"]);
    let refused = answer.verdicts.iter().filter(|one| one.state() == AgentRowState::Refused);
    for one in refused.clone() {
        let violations: Vec<String> = one
            .violations
            .iter()
            .map(|violation| format!("{} {}", violation.field, violation.description))
            .collect();
        let why = if violations.is_empty() { one.message.clone() } else { violations.join("; ") };
        table.row([one.row.to_string(), one.agent_id.clone(), one.reason.clone(), why]);
    }
    let rows = if refused.count() == 0 { String::new() } else { table.render() };
    format!(
        "{rows}{} created, {} updated, {} unchanged, {} refused\n",
        count(AgentRowState::Created),
        count(AgentRowState::Updated),
        count(AgentRowState::Unchanged),
        count(AgentRowState::Refused)
    )
}

/// An agent who is absent or back.
pub fn absence(answer: &RecordAbsenceResponse) -> String {
    handed(answer.agent.as_ref().map(agent), answer.handed_over)
}

/// An agent who leaves.
pub fn offboarded(answer: &OffboardAgentResponse) -> String {
    handed(answer.agent.as_ref().map(agent), answer.handed_over)
}

fn handed(agent: Option<String>, handed_over: i32) -> String {
    format!("{}{handed_over} cases handed over\n", agent.unwrap_or_default())
}
