//! The ways this service says no.

use std::fmt;

use fault::Kind;

/// A request that is understood and refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The department's id is taken.
    DepartmentExists,
    /// No such department.
    DepartmentNotFound,
    /// The agent's id is taken.
    AgentExists,
    /// No such agent.
    AgentNotFound,
    /// An agent who holds cases cannot change department.
    AgentHoldsCases,
    /// No such case, or none that wanted a handler.
    AssignmentNotFound,
    /// The case has a handler, or needs none any more.
    NotWaiting,
    /// The case is not this agent's to accept.
    NotAssignedToAgent,
    /// The case's cycle is over.
    AssignmentReleased,
    /// The agent holds as many cases as they can, or nobody has room.
    NoCapacity,
    /// The agent is whom the case is about.
    AgentRecused,
    /// The caller is whom the case is about.
    CallerRecused,
    /// The caller is neither the agent meant nor a supervisor.
    NotTheHandler,
    /// The agent leaves and is given nothing any more.
    AgentLeaving,
    /// The agent stands above others.
    AgentSupervises,
    /// No such version of the routing policy.
    RoutingPolicyNotFound,
    /// No more versions of the routing policy can be made.
    TooManyPolicies,
}

impl fault::Refusal for Refusal {
    fn kind(&self) -> Kind {
        match self {
            Self::DepartmentExists | Self::AgentExists => Kind::Exists,
            Self::DepartmentNotFound
            | Self::AgentNotFound
            | Self::AssignmentNotFound
            | Self::RoutingPolicyNotFound => Kind::NotFound,
            Self::AgentHoldsCases
            | Self::NotWaiting
            | Self::NotAssignedToAgent
            | Self::AssignmentReleased
            | Self::AgentLeaving
            | Self::AgentSupervises
            | Self::AgentRecused => Kind::Precondition,
            Self::CallerRecused | Self::NotTheHandler => Kind::Forbidden,
            Self::NoCapacity | Self::TooManyPolicies => Kind::Exhausted,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::DepartmentExists => "DEPARTMENT_EXISTS",
            Self::DepartmentNotFound => "DEPARTMENT_NOT_FOUND",
            Self::AgentExists => "AGENT_EXISTS",
            Self::AgentNotFound => "AGENT_NOT_FOUND",
            Self::AgentHoldsCases => "AGENT_HOLDS_CASES",
            Self::AssignmentNotFound => "ASSIGNMENT_NOT_FOUND",
            Self::NotWaiting => "NOT_WAITING",
            Self::NotAssignedToAgent => "NOT_ASSIGNED_TO_AGENT",
            Self::AssignmentReleased => "ASSIGNMENT_RELEASED",
            Self::NoCapacity => "NO_CAPACITY",
            Self::AgentRecused => "AGENT_RECUSED",
            Self::CallerRecused => "CALLER_RECUSED",
            Self::NotTheHandler => "NOT_THE_HANDLER",
            Self::AgentLeaving => "AGENT_LEAVING",
            Self::AgentSupervises => "AGENT_SUPERVISES",
            Self::RoutingPolicyNotFound => "ROUTING_POLICY_NOT_FOUND",
            Self::TooManyPolicies => "TOO_MANY_POLICIES",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DepartmentExists => "a department with this id exists already",
            Self::DepartmentNotFound => "there is no such department",
            Self::AgentExists => "an agent with this id exists already",
            Self::AgentNotFound => "there is no such agent",
            Self::AgentHoldsCases => {
                "an agent who holds cases cannot change department, nor be removed; hand their cases over first"
            }
            Self::AssignmentNotFound => "there is no such case here",
            Self::NotWaiting => "the case does not wait for a handler",
            Self::NotAssignedToAgent => "the case is not assigned to this agent",
            Self::AssignmentReleased => "the case's cycle is over; nobody handles it",
            Self::NoCapacity => "no capacity is left; try again when a case is done",
            Self::AgentRecused => {
                "the agent is whom the case is about, or in conflict, and must not handle it"
            }
            Self::CallerRecused => "the complaint is about you; somebody else must do this",
            Self::NotTheHandler => "this is for the agent in charge, or a supervisor",
            Self::AgentSupervises => "the agent stands above others; give them another supervisor first",
            Self::AgentLeaving => "the agent leaves and is given nothing any more",
            Self::RoutingPolicyNotFound => "there is no such version of the routing policy",
            Self::TooManyPolicies => "no more versions of the routing policy can be made",
        })
    }
}
