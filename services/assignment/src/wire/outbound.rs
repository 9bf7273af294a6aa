//! Domain → contract: outbound events.

use proto::redress::assignment::v1::{
    AgentChanged, CaseAccepted, CaseAssigned, CaseQueued, DepartmentCreated,
};

use crate::assignment::Assignment;
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
