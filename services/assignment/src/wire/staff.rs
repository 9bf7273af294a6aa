//! Requests about whole rosters, and about agents who are absent or leave.

use fault::{Check, Fault};
use jiff::Timestamp;
use proto::redress::assignment::v1 as wire;

use super::agents::{Described, described};
use super::requests::{INVALID_REQUEST, MAX_REASON};

/// Most agents in one import.
const MAX_ROWS: usize = 500;
const INVALID_ABSENCE: &str = "INVALID_ABSENCE";

/// A row of an import: the agent it names, and how they shall be or what is wrong with it.
pub(crate) struct Row {
    /// The agent it names, well-formed or not.
    pub(crate) agent: String,
    /// How they shall be.
    pub(crate) described: Result<Described, Fault>,
}

/// What `ImportAgents` asks for.
pub(crate) fn import(request: wire::ImportAgentsRequest) -> Result<Vec<Row>, Fault> {
    let wire::ImportAgentsRequest { request_id, agents } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let agents = check.some("agents", agents, MAX_ROWS);
    check.done("INVALID_IMPORT")?;
    let row = |agent: wire::Agent| {
        let mut check = Check::new();
        let named = agent.agent_id.clone();
        let described = described(&mut check, Some(agent));
        Row { agent: named, described: check.done("INVALID_AGENT").map(|()| described) }
    };
    Ok(agents.into_iter().map(row).collect())
}

/// How a row came out well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// They are new.
    Created,
    /// They are described anew.
    Updated,
    /// They stood just so already.
    Unchanged,
}

/// The verdict on a row.
pub(crate) fn verdict(row: usize, agent: String, outcome: Result<(Taken, i64), Fault>) -> wire::AgentVerdict {
    let row = i32::try_from(row).unwrap_or(i32::MAX);
    match outcome {
        Ok((taken, version)) => {
            let state = match taken {
                Taken::Created => wire::AgentRowState::Created,
                Taken::Updated => wire::AgentRowState::Updated,
                Taken::Unchanged => wire::AgentRowState::Unchanged,
            };
            wire::AgentVerdict { row, agent_id: agent, state: state.into(), version, ..Default::default() }
        }
        Err(fault) => {
            let violation = |violation: &fault::Violation| wire::RowViolation {
                field: violation.field.clone(),
                description: violation.description.clone(),
            };
            wire::AgentVerdict {
                row,
                agent_id: agent,
                state: wire::AgentRowState::Refused.into(),
                version: 0,
                reason: fault.reason().to_owned(),
                message: fault.message().to_owned(),
                violations: fault.violations().iter().map(violation).collect(),
            }
        }
    }
}

/// What `RecordAbsence` asks for.
#[derive(Debug)]
pub(crate) struct Absence {
    /// The agent.
    pub(crate) agent: String,
    /// Until when; none where they are back.
    pub(crate) until: Option<Timestamp>,
    /// Whether what they hold goes to others.
    pub(crate) hand_over: bool,
    /// Why.
    pub(crate) reason: String,
}

/// Reads a `RecordAbsence` request.
pub(crate) fn absence(request: wire::RecordAbsenceRequest) -> Result<Absence, Fault> {
    let wire::RecordAbsenceRequest { request_id, agent_id, until_time, hand_over, reason } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let agent = check.slug("agent_id", agent_id);
    let is_back = until_time.is_none();
    let until = check.time("until_time", until_time);
    check.ensure(!(hand_over && is_back), "hand_over", "is only for who is absent");
    let reason = if hand_over {
        check.required("reason", reason, MAX_REASON)
    } else {
        check.text("reason", reason, MAX_REASON)
    };
    check.done(INVALID_ABSENCE)?;
    Ok(Absence { agent, until, hand_over, reason })
}

/// An absence that is over before it begins.
pub(crate) fn absence_is_past() -> Fault {
    let mut check = Check::new();
    check.fail("until_time", "must be in the future");
    check.done(INVALID_ABSENCE).err().unwrap_or_else(|| Fault::internal("nothing is wrong with an absence"))
}

/// Who is to leave, or to be removed.
#[derive(Debug)]
pub(crate) struct Leaver {
    /// The agent.
    pub(crate) agent: String,
    /// The version the caller has seen.
    pub(crate) expected_version: Option<i64>,
    /// Why; empty where it is not asked.
    pub(crate) reason: String,
}

/// Reads an `OffboardAgent` request.
pub(crate) fn offboard(request: wire::OffboardAgentRequest) -> Result<Leaver, Fault> {
    let wire::OffboardAgentRequest { request_id, expected_version, agent_id, reason } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let agent = check.slug("agent_id", agent_id);
    let reason = check.required("reason", reason, MAX_REASON);
    check.done(INVALID_REQUEST)?;
    Ok(Leaver { agent, expected_version, reason })
}

/// Reads a `RemoveAgent` request.
pub(crate) fn remove(request: wire::RemoveAgentRequest) -> Result<Leaver, Fault> {
    let wire::RemoveAgentRequest { request_id, expected_version, agent_id } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let agent = check.slug("agent_id", agent_id);
    check.done(INVALID_REQUEST)?;
    Ok(Leaver { agent, expected_version, reason: String::new() })
}
