//! Investigation requests: what is asked about them.

use fault::{Check, Fault};
use jiff::Timestamp;
use kernel::page::Page;
use kernel::{CaseId, TaskId};
use proto::redress::resolution::v1;

use super::{INVALID_REQUEST, MAX_REASON, MAX_TEXT, page_by_id};
use crate::investigation::Question;
use crate::remedy::Inquiry;

/// A case's requests, page by page.
pub(crate) struct InvestigationListQuery {
    pub(crate) case_id: CaseId,
    pub(crate) open_only: bool,
    pub(crate) page: Page,
    pub(crate) after: Option<TaskId>,
}

const INVALID_INVESTIGATION: &str = "INVALID_INVESTIGATION";

pub(crate) fn request(request: v1::RequestInvestigationRequest) -> Result<(CaseId, Question), Fault> {
    let v1::RequestInvestigationRequest { request_id, case_id, department_id, inquiry, question, due_time } =
        request;
    let mut check = Check::new();
    check.request_id(request_id);
    let case_id = check.id("case_id", &case_id);
    let department_id = check.slug("department_id", department_id);
    let inquiry = i16::try_from(inquiry).ok().and_then(Inquiry::of);
    check.ensure(inquiry.is_some(), "inquiry", "is required");
    let text = check.required("question", question, MAX_TEXT);
    let due_time = check.time("due_time", due_time);
    check.done(INVALID_INVESTIGATION)?;
    let inquiry = inquiry.unwrap_or(Inquiry::Statement);
    Ok((case_id, Question { department_id, inquiry, text, due_time }))
}

/// Refuses a question that is due already.
pub(crate) fn fitting(question: &Question, now: Timestamp) -> Result<(), Fault> {
    let mut check = Check::new();
    check.ensure(question.due_time.is_none_or(|due| due > now), "due_time", "must be in the future");
    check.done(INVALID_INVESTIGATION)
}

pub(crate) fn cancellation(request: v1::CancelInvestigationRequest) -> Result<(TaskId, String), Fault> {
    let v1::CancelInvestigationRequest { request_id, task_id, reason } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let task_id = check.id("task_id", &task_id);
    let reason = check.required("reason", reason, MAX_REASON);
    check.done("INVALID_REASON")?;
    Ok((task_id, reason))
}

pub(crate) fn listing(request: v1::ListInvestigationsRequest) -> Result<InvestigationListQuery, Fault> {
    let v1::ListInvestigationsRequest { case_id, open_only, page_size, page_token } = request;
    let mut check = Check::new();
    let filters = format!("{case_id} {open_only}");
    let (page, after) = page_by_id(&mut check, page_size, &page_token, &filters);
    let case_id = check.id("case_id", &case_id);
    check.done(INVALID_REQUEST)?;
    Ok(InvestigationListQuery { case_id, open_only, page, after: after.map(TaskId) })
}
