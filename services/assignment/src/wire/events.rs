//! What cases tell us, and what we tell.

use events::Delivered;
use fault::Fault;
use kernel::CaseId;
use proto::redress::assignment::v1::{
    AgentChanged, CaseAccepted, CaseAssigned, CaseQueued, DepartmentCreated,
};
use proto::redress::cases::v1::{
    self as cases, CaseCategorised, CaseClosed, CaseDeclined, CaseMerged, CaseOpened, CasePriorityRaised,
    CaseReopened, CaseResolved, CaseRetriaged, CaseReturned, CaseUnmerged, CaseWithdrawn,
};

use crate::assignment::{Assignment, Priority, Wanted};
use crate::roster::{Agent, Department};

/// A cycle that is over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    /// The case.
    pub(crate) case_id: CaseId,
    /// The cycle.
    pub(crate) cycle: i32,
    /// How.
    pub(crate) ending: Ending,
}

/// How a cycle is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// For good.
    Over,
    /// Another case stands for it, until that is undone.
    Merged,
}

/// A cycle whose case is no longer merged into another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resumed {
    /// The case.
    pub(crate) case_id: CaseId,
    /// The cycle.
    pub(crate) cycle: i32,
}

/// Something new about a cycle that goes on.
#[derive(Clone, Debug)]
pub(crate) struct Revised {
    /// The case.
    pub(crate) case_id: CaseId,
    /// The cycle.
    pub(crate) cycle: i32,
    /// Its place in the case's timeline; 0 where that is not told.
    pub(crate) ordinal: i32,
    /// What it is.
    pub(crate) what: Revision,
}

impl Revised {
    /// What its case is about, if that is new.
    pub(crate) fn category(&self) -> Option<&str> {
        match &self.what {
            Revision::Category(category) | Revision::Triage(category, _) => Some(category),
            Revision::Priority(_) | Revision::Return(_) => None,
        }
    }
}

/// What may be new about a cycle that goes on.
#[derive(Clone, Debug)]
pub(crate) enum Revision {
    /// How urgent it is.
    Priority(Priority),
    /// What it is about.
    Category(String),
    /// Both.
    Triage(String, Priority),
    /// Somebody else is to have it, for this reason.
    Return(String),
}

/// An event about one case.
#[derive(Debug)]
pub(crate) enum CaseEvent {
    /// A cycle wants a handler.
    Wanted(Wanted),
    /// A cycle is over.
    Ended(Ended),
    /// There is something new about a cycle.
    Revised(Revised),
    /// A cycle goes on.
    Resumed(Resumed),
}

/// What others know of an agent.
pub(crate) fn agent_changed(agent: &Agent) -> AgentChanged {
    AgentChanged {
        agent_id: agent.profile.id.clone(),
        version: agent.version,
        display_name: agent.profile.display_name.clone(),
        department_id: agent.profile.department.clone(),
    }
}

/// Reads an event of the cases service; none if it is of a type not followed.
pub(crate) fn case_event(event: &Delivered) -> Result<Option<CaseEvent>, Fault> {
    let read = if event.is::<CaseOpened>() {
        CaseEvent::Wanted(opened(event)?)
    } else if event.is::<CaseReopened>() {
        CaseEvent::Wanted(reopened(event)?)
    } else if event.is::<CaseResolved>() {
        ended(event, event.read::<CaseResolved>()?.cycle)
    } else if event.is::<CaseClosed>() {
        ended(event, event.read::<CaseClosed>()?.cycle)
    } else if event.is::<CaseWithdrawn>() {
        ended(event, event.read::<CaseWithdrawn>()?.cycle)
    } else if event.is::<CaseDeclined>() {
        ended(event, event.read::<CaseDeclined>()?.cycle)
    } else if event.is::<CasePriorityRaised>() {
        let CasePriorityRaised { case_id: _, cycle, priority, reason: _, ordinal } = event.read()?;
        revised(event, cycle, ordinal, Revision::Priority(self::priority(priority)?))
    } else if event.is::<CaseRetriaged>() {
        let CaseRetriaged { case_id: _, cycle, category, priority, ordinal } = event.read()?;
        revised(event, cycle, ordinal, Revision::Triage(category, self::priority(priority)?))
    } else if event.is::<CaseCategorised>() {
        let CaseCategorised { case_id: _, cycle, category, previous_category: _, ordinal } = event.read()?;
        revised(event, cycle, ordinal, Revision::Category(category))
    } else if event.is::<CaseReturned>() {
        let CaseReturned { case_id: _, cycle, reason, ordinal } = event.read()?;
        revised(event, cycle, ordinal, Revision::Return(reason))
    } else if event.is::<CaseMerged>() {
        let cycle = event.read::<CaseMerged>()?.cycle;
        CaseEvent::Ended(Ended { case_id: CaseId(event.subject), cycle, ending: Ending::Merged })
    } else if event.is::<CaseUnmerged>() {
        let cycle = event.read::<CaseUnmerged>()?.cycle;
        CaseEvent::Resumed(Resumed { case_id: CaseId(event.subject), cycle })
    } else {
        return Ok(None);
    };
    Ok(Some(read))
}

fn ended(event: &Delivered, cycle: i32) -> CaseEvent {
    CaseEvent::Ended(Ended { case_id: CaseId(event.subject), cycle, ending: Ending::Over })
}

fn revised(event: &Delivered, cycle: i32, ordinal: i32, what: Revision) -> CaseEvent {
    CaseEvent::Revised(Revised { case_id: CaseId(event.subject), cycle, ordinal, what })
}

fn opened(event: &Delivered) -> Result<Wanted, Fault> {
    let CaseOpened {
        case_id: _, // the event's subject
        cycle,
        category,
        priority,
        channel: _,
        customer_id: _,
        receive_time: _,
        respondent_staff,
    } = event.read()?;
    Ok(Wanted {
        case_id: CaseId(event.subject),
        cycle,
        category,
        priority: self::priority(priority)?,
        respondent: Some(respondent_staff),
        previous_agent: None,
        since: event.occurred,
        traceparent: event.traceparent.clone(),
    })
}

fn reopened(event: &Delivered) -> Result<Wanted, Fault> {
    let CaseReopened { case_id: _, cycle, category, priority, tier: _, reason: _, previous_agent_id } =
        event.read()?;
    Ok(Wanted {
        case_id: CaseId(event.subject),
        cycle,
        category,
        priority: self::priority(priority)?,
        respondent: None,
        previous_agent: Some(previous_agent_id).filter(|id| !id.is_empty()),
        since: event.occurred,
        traceparent: event.traceparent.clone(),
    })
}

fn priority(number: i32) -> Result<Priority, Fault> {
    match cases::Priority::try_from(number) {
        Ok(cases::Priority::P1) => Ok(Priority::P1),
        Ok(cases::Priority::P2) => Ok(Priority::P2),
        Ok(cases::Priority::P3) => Ok(Priority::P3),
        Ok(cases::Priority::P4) => Ok(Priority::P4),
        Ok(cases::Priority::Unspecified) | Err(_) => {
            Err(Fault::internal(format!("an event has a case wanted with priority {number}")))
        }
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
