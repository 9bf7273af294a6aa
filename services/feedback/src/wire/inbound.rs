//! What events say of who is surveyed and called back.

use fault::{Check, Fault};
use jiff::Timestamp;
use kernel::CaseId;
use proto::redress::cases::v1 as cases;
use proto::redress::intake::v1 as intake;
use proto::redress::intake::v1::complaint::ChannelDetail;

use super::INVALID_EVENT;
use crate::profile::{Origin, Progress};
use crate::survey::SurveyEligibility;

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
        masked_phone: masked_phone(complaint.channel_detail.as_ref()),
        receipt_hash: event.receipt_hash.clone(),
    })
}

/// The number of an intermediary by which a caller is reached, and until when.
fn masked_phone(detail: Option<&ChannelDetail>) -> Option<(String, Timestamp)> {
    let Some(ChannelDetail::Phone(call)) = detail else { return None };
    let until = call.masked_number_expire_time?;
    let until = Timestamp::new(until.seconds, until.nanos).ok().map(kernel::time::micros)?;
    Some((call.masked_number.trim().to_owned(), until)).filter(|(number, _)| !number.is_empty())
}

pub(crate) fn case_of(case_id: &str) -> Result<CaseId, Fault> {
    let mut check = Check::new();
    let case_id = check.id("case_id", case_id);
    check.done(INVALID_EVENT)?;
    Ok(case_id)
}

pub(crate) fn opened_progress(event: &cases::CaseOpened) -> Result<(CaseId, Progress), Fault> {
    let progress = Progress {
        recused: Some(event.recused_subjects.clone()),
        time_zone: Some(event.time_zone.clone()),
        ..urgent(event.priority)
    };
    Ok((case_of(&event.case_id)?, progress))
}

/// A case that goes on is asked about again.
pub(crate) fn reopened_progress(event: &cases::CaseReopened) -> Result<(CaseId, Progress), Fault> {
    let progress = Progress { standing: Some(SurveyEligibility::Open), ..urgent(event.priority) };
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
