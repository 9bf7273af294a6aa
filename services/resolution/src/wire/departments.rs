//! Departments' queues: what is asked about them, how they are shown, and what is told.

use fault::{Check, Fault};
use jiff::Timestamp;
use proto::redress::resolution::v1;
use proto::timestamp;

use super::{INVALID_REQUEST, MAX_REASON};
use crate::department::{Pause, Queue};
use crate::remedy::RemedyKind;

/// A pause begins or ends.
pub(crate) struct Turn {
    pub(crate) department_id: String,
    pub(crate) kind: Option<RemedyKind>,
    pub(crate) reason: String,
}

pub(crate) fn reading(request: v1::GetDepartmentQueueRequest) -> Result<String, Fault> {
    let v1::GetDepartmentQueueRequest { department_id } = request;
    let mut check = Check::new();
    let department_id = check.slug("department_id", department_id);
    check.done(INVALID_REQUEST)?;
    Ok(department_id)
}

pub(crate) fn pausing(request: v1::PauseDepartmentRequest) -> Result<Turn, Fault> {
    let v1::PauseDepartmentRequest { request_id, department_id, kind, reason } = request;
    turn(request_id, department_id, kind, reason)
}

pub(crate) fn resuming(request: v1::ResumeDepartmentRequest) -> Result<Turn, Fault> {
    let v1::ResumeDepartmentRequest { request_id, department_id, kind, reason } = request;
    turn(request_id, department_id, kind, reason)
}

fn turn(request_id: String, department_id: String, kind: i32, reason: String) -> Result<Turn, Fault> {
    let mut check = Check::new();
    check.request_id(request_id);
    let department_id = check.slug("department_id", department_id);
    let known = i16::try_from(kind).ok().and_then(RemedyKind::of);
    check.ensure(kind == 0 || known.is_some(), "kind", "is not known");
    let reason = check.required("reason", reason, MAX_REASON);
    check.done("INVALID_PAUSE")?;
    Ok(Turn { department_id, kind: known, reason })
}

fn number(kind: Option<RemedyKind>) -> i32 {
    kind.map_or(0, |kind| i32::from(kind.number()))
}

/// A pause as it is shown.
pub(crate) fn pause(pause: &Pause) -> v1::DepartmentPause {
    let resumed = pause.resumed.clone();
    v1::DepartmentPause {
        department_id: pause.department_id.clone(),
        kind: number(pause.kind),
        reason: pause.reason.clone(),
        pauser: pause.by.clone(),
        pause_time: Some(timestamp(pause.at)),
        resume_time: resumed.as_ref().map(|resumed| timestamp(resumed.at)),
        resumer: resumed.as_ref().map(|resumed| resumed.by.clone()).unwrap_or_default(),
        resume_reason: resumed.map(|resumed| resumed.reason).unwrap_or_default(),
    }
}

/// A queue as it is shown.
pub(crate) fn queue(queue: &Queue) -> v1::DepartmentQueue {
    v1::DepartmentQueue {
        department_id: queue.department_id.clone(),
        ready: queue.ready,
        leased: queue.leased,
        needs_attention: queue.needs_attention,
        outcome_unknown: queue.outcome_unknown,
        awaiting_stock: queue.awaiting_stock,
        poll_time: queue.polled_at.map(timestamp),
        unattended_since_time: queue.unattended_since.map(timestamp),
        pauses: queue.pauses.iter().map(pause).collect(),
    }
}

pub(crate) fn unattended(department_id: &str, since: Timestamp) -> v1::DepartmentUnattended {
    v1::DepartmentUnattended { department_id: department_id.to_owned(), since_time: Some(timestamp(since)) }
}

pub(crate) fn attended(department_id: &str, since: Timestamp) -> v1::DepartmentAttended {
    v1::DepartmentAttended { department_id: department_id.to_owned(), since_time: Some(timestamp(since)) }
}

pub(crate) fn paused(pause: &Pause) -> v1::DepartmentPaused {
    v1::DepartmentPaused {
        department_id: pause.department_id.clone(),
        kind: number(pause.kind),
        pauser: pause.by.clone(),
        reason: pause.reason.clone(),
    }
}

pub(crate) fn resumed(pause: &Pause) -> v1::DepartmentResumed {
    let resumed = pause.resumed.clone();
    v1::DepartmentResumed {
        department_id: pause.department_id.clone(),
        kind: number(pause.kind),
        resumer: resumed.as_ref().map(|resumed| resumed.by.clone()).unwrap_or_default(),
        reason: resumed.map(|resumed| resumed.reason).unwrap_or_default(),
    }
}
