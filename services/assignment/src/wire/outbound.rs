//! Domain → contract: outbound events.

use proto::redress::assignment::v1::{
    AgentChanged, AgentRemoved, AssignmentEscalated, CaseAccepted, CaseAssigned, CaseQueued,
    CaseUnassignable, DepartmentCreated,
};

use super::escalation;
use crate::assignment::{Assignment, Escalation};
use crate::roster::{Agent, Department};

/// What others know of an agent.
pub(crate) fn agent_changed(agent: &Agent) -> AgentChanged {
    AgentChanged {
        agent_id: agent.profile.id.clone(),
        version: agent.version,
        display_name: agent.profile.display_name.clone(),
        department_id: agent.profile.department.clone(),
    }
}

/// An agent is no more.
pub(crate) fn agent_removed(agent: &Agent) -> AgentRemoved {
    AgentRemoved { agent_id: agent.profile.id.clone(), version: agent.version + 1 }
}

/// A handler was found.
pub(crate) fn case_assigned(case: &Assignment) -> CaseAssigned {
    CaseAssigned {
        case_id: case.case_id.to_string(),
        cycle: case.cycle,
        department_id: case.department.clone().unwrap_or_default(),
        agent_id: case.agent().unwrap_or_default().to_owned(),
        explanation: case.explanation.clone(),
    }
}

/// A department was created.
pub(crate) fn department_created(department: &Department) -> DepartmentCreated {
    DepartmentCreated { department_id: department.profile.id.clone() }
}

/// Nobody is free.
pub(crate) fn case_queued(case: &Assignment) -> CaseQueued {
    CaseQueued {
        case_id: case.case_id.to_string(),
        cycle: case.cycle,
        department_id: case.department.clone().unwrap_or_default(),
        explanation: case.explanation.clone(),
    }
}

/// The handler accepted, or somebody for them.
pub(crate) fn case_accepted(case: &Assignment, by: &str) -> CaseAccepted {
    CaseAccepted {
        case_id: case.case_id.to_string(),
        cycle: case.cycle,
        agent_id: case.agent().unwrap_or_default().to_owned(),
        accepter: by.to_owned(),
    }
}

/// A case went one level up: to its agent, where it has one by that.
pub(crate) fn escalated(case: &Assignment, reason: Escalation) -> AssignmentEscalated {
    AssignmentEscalated {
        case_id: case.case_id.to_string(),
        cycle: case.cycle,
        reason: escalation(reason).into(),
        supervisor_id: case.escalated_to.clone().unwrap_or_default(),
        explanation: case.explanation.clone(),
    }
}

/// Nobody can take a case as things stand.
pub(crate) fn unassignable(case: &Assignment) -> CaseUnassignable {
    CaseUnassignable {
        case_id: case.case_id.to_string(),
        cycle: case.cycle,
        department_id: case.department.clone().unwrap_or_default(),
        explanation: case.explanation.clone(),
    }
}
