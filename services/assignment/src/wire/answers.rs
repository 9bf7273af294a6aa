//! Domain values as callers see them.

use proto::redress::assignment::v1 as wire;
use proto::timestamp;

use crate::assignment::{Assignment, Escalation};
use crate::roster::{Department, DepartmentProfile};

/// A department.
pub(crate) fn department(department: Department) -> wire::Department {
    let Department { profile: DepartmentProfile { id, display_name, categories }, version } = department;
    wire::Department { department_id: id, version, display_name, categories }
}

/// An assignment.
pub(crate) fn assignment(case: Assignment) -> wire::Assignment {
    let agent_id = case.agent().unwrap_or_default().to_owned();
    let rank = case.place().rank;
    let Assignment {
        case_id,
        version,
        cycle,
        state,
        department,
        previous_agent: _,
        origin: _,
        familiar_agent: _,
        priority,
        is_bulk: _,
        category,
        enqueued,
        explanation,
        transfers,
        passed,
        path: _,
        escalation,
        escalates_now: _,
        escalated_to: _,
        accept_by,
        unassignable,
        traceparent: _,
        suspended: _, // RELEASED says enough
        heard: _,
    } = case;
    wire::Assignment {
        case_id: case_id.to_string(),
        version,
        cycle,
        state: state.stage().number().into(),
        department_id: department.unwrap_or_default(),
        agent_id,
        priority: priority.number().into(),
        category,
        enqueue_time: Some(timestamp(enqueued)),
        explanation,
        transfers,
        rank_time: Some(timestamp(rank)),
        accept_by_time: accept_by.map(timestamp),
        passed_agent_ids: passed,
        escalation: escalation.map_or(wire::Escalation::Unspecified, self::escalation).into(),
        unassignable_time: unassignable.map(timestamp),
    }
}

/// Why a case went one level up.
pub(crate) fn escalation(escalation: Escalation) -> wire::Escalation {
    match escalation {
        Escalation::PingPong => wire::Escalation::PingPong,
        Escalation::Rework => wire::Escalation::Rework,
    }
}
