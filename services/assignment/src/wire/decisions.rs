//! Decisions and the policy behind them, as callers see them.

use jiff::Timestamp;
use prost::Message as _;
use proto::redress::assignment::v1 as wire;
use proto::timestamp;

use crate::assignment::Assignment;
use crate::routing::{Barrier, Candidate, Decision, EarlierHandler, RoutingPolicy, Terms, Weights};

/// A decision as it is kept.
pub(crate) fn taken_apart(case: &Assignment, decision: &Decision, now: Timestamp) -> Vec<u8> {
    let counts = Barrier::ALL.into_iter().zip(decision.barriers).filter(|(_, count)| *count > 0);
    let count = |(kind, count)| wire::BarrierCount {
        barrier: barrier(kind).into(),
        agents: i32::try_from(count).unwrap_or(i32::MAX),
    };
    wire::RoutingDecision {
        case_id: case.case_id.to_string(),
        cycle: case.cycle,
        decide_time: Some(timestamp(now)),
        department_id: case.department.clone().unwrap_or_default(),
        agent_id: decision.agent.clone().unwrap_or_default(),
        policy_version: decision.policy,
        weights: Some(weights(decision.weights)),
        candidates: decision.candidates.iter().map(candidate).collect(),
        considered: i32::try_from(decision.considered).unwrap_or(i32::MAX),
        eligible: i32::try_from(decision.eligible).unwrap_or(i32::MAX),
        barriers: counts.map(count).collect(),
        explanation: decision.explanation.clone(),
    }
    .encode_to_vec()
}

fn candidate(candidate: &Candidate) -> wire::Candidate {
    let Candidate { agent, barrier: kept, score, terms, load, capacity } = candidate;
    let Terms { load: room, skill, language, region, affinity, waiting, team } = *terms;
    wire::Candidate {
        agent_id: agent.clone(),
        barrier: kept.map_or(wire::Barrier::Unspecified, barrier).into(),
        score: *score,
        terms: Some(wire::ScoreTerms { load: room, skill, language, region, affinity, waiting, team }),
        load: *load,
        capacity: *capacity,
    }
}

fn barrier(barrier: Barrier) -> wire::Barrier {
    match barrier {
        Barrier::Recused => wire::Barrier::Recused,
        Barrier::Conflict => wire::Barrier::Conflict,
        Barrier::EarlierHandler => wire::Barrier::EarlierHandler,
        Barrier::Passed => wire::Barrier::Passed,
        Barrier::Away => wire::Barrier::Away,
        Barrier::OffShift => wire::Barrier::OffShift,
        Barrier::Absent => wire::Barrier::Absent,
        Barrier::Leaving => wire::Barrier::Leaving,
        Barrier::Full => wire::Barrier::Full,
    }
}

/// Weights.
pub(crate) fn weights(weights: Weights) -> wire::RoutingWeights {
    let Weights { load, skill, language, region, affinity, waiting, team } = weights;
    wire::RoutingWeights { load, skill, language, region, affinity, waiting, team }
}

/// A policy.
pub(crate) fn routing_policy(policy: RoutingPolicy) -> wire::RoutingPolicy {
    let RoutingPolicy { version, weights, earlier_handler, accept_seconds, note, created, is_active } =
        policy;
    let earlier_handler = match earlier_handler {
        EarlierHandler::Avoided => wire::EarlierHandler::Avoided,
        EarlierHandler::Recused => wire::EarlierHandler::Recused,
    };
    wire::RoutingPolicy {
        version,
        weights: Some(self::weights(weights)),
        earlier_handler: earlier_handler.into(),
        accept_seconds,
        note,
        create_time: created.map(timestamp),
        active: is_active,
    }
}
