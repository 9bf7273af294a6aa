//! What events say of who is surveyed and called back.

use fault::{Check, Fault};
use kernel::CaseId;
use proto::redress::cases::v1 as cases;
use proto::redress::intake::v1 as intake;

use super::INVALID_EVENT;
use crate::profile::{Origin, Progress};
use crate::survey::Standing;

/// What a complaint says of itself.
pub(crate) fn origin(event: &intake::ComplaintRegistered) -> Result<Origin, Fault> {
    let complaint = event.complaint.clone().unwrap_or_default();
    let complainant = complaint.complainant.unwrap_or_default();
    let staff = complaint.respondent.unwrap_or_default().staff;
    Ok(Origin {
        case_id: case_of(&complaint.complaint_id)?,
        channel: i16::try_from(complaint.channel).unwrap_or(0),
        vulnerable: complainant.vulnerabilities.iter().any(|told| !told.trim().is_empty()),
        about_staff: !staff.trim().is_empty(),
        phone: complainant.phone.trim().to_owned(),
    })
}

pub(crate) fn case_of(case_id: &str) -> Result<CaseId, Fault> {
    let mut check = Check::new();
    let case_id = check.id("case_id", case_id);
    check.done(INVALID_EVENT)?;
    Ok(case_id)
}

pub(crate) fn opened_progress(event: &cases::CaseOpened) -> Result<(CaseId, Progress), Fault> {
    Ok((case_of(&event.case_id)?, urgent(event.priority)))
}

/// A case that goes on is asked about again.
pub(crate) fn reopened_progress(event: &cases::CaseReopened) -> Result<(CaseId, Progress), Fault> {
    let progress = Progress { standing: Some(Standing::Open), ..urgent(event.priority) };
    Ok((case_of(&event.case_id)?, progress))
}

pub(crate) fn decided_progress(event: &cases::CaseDecided) -> Result<(CaseId, Progress), Fault> {
    let progress = Progress { recused: Some(event.recused_subjects.clone()), ..urgent(event.priority) };
    Ok((case_of(&event.case_id)?, progress))
}

pub(crate) fn corrected_progress(event: &cases::DecisionCorrected) -> Result<(CaseId, Progress), Fault> {
    let progress = Progress { recused: Some(event.recused_subjects.clone()), ..urgent(event.priority) };
    Ok((case_of(&event.case_id)?, progress))
}

fn urgent(priority: i32) -> Progress {
    let priority = i16::try_from(priority).ok().filter(|priority| *priority > 0);
    Progress { priority, ..Progress::default() }
}

/// Whether a case was closed because nobody answered its outcome.
pub(crate) fn is_auto_closed(event: &cases::CaseClosed) -> bool {
    event.reason() == cases::CloseReason::WindowPassed
}
