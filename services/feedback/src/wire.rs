//! Contract and domain, turned into each other; nothing else.

mod call_backs;
mod event_subscriptions;
mod facts;
mod improvement;
mod inbound;
mod kpis;
mod notices;
mod problem_tasks;
mod problems;
mod process;
mod quality;
mod reports;
mod returns;
mod routing;
mod signals;
mod supervision;
mod surveys;
mod templates;

use fault::{Check, Fault};
use jiff::Timestamp;
use kernel::page::Page;
use kernel::{CaseId, Money, NoticeId};
use proto::google::r#type::Money as WireMoney;
use proto::redress::cases::v1 as cases;
use proto::redress::feedback::v1 as wire;
use proto::redress::intake::v1 as intake;
use proto::timestamp;
use server::CaseReference;
use uuid::Uuid;

use crate::notice::{Contact, Delay, Filter, Holding, Lacking, State};
use crate::response::{Answer, Cycle, MAX_COMMENT, MAX_SCORE, Outcome, Over, Ruling, Satisfaction, Verdict};

pub(crate) use call_backs::{
    Attempted, CallBackListQuery, WantedCall, attempt, attempted, call_back, call_back_key, call_backs_of,
    call_wanted, counted, made_policy, opened, period, policy, policy_version,
};
pub(crate) use event_subscriptions::{
    CreatedSubscription, created_subscription, deleted_subscription, event_subscription, paused_subscription,
    replayed_subscription, resumed_subscription, rotated_secret, subscription_key, updated_subscription,
};
pub(crate) use facts::{
    count_assigned, count_bounce, count_breached, count_call, count_categorised, count_closed,
    count_corrected, count_declined, count_escalated, count_merged, count_notice, count_opened,
    count_overdue, count_paused, count_queued, count_raised, count_registered, count_reopened,
    count_resolved, count_response, count_resumed, count_retriaged, count_survey, count_task, count_tossed,
    count_unmerged, count_withdrawn, count_written_off,
};
pub(crate) use improvement::{
    ActionListQuery, Assigned, CreatedAction, Effect, SeenAction, action, action_key, action_of, actions_of,
    assessed_action, completed_action, created_action, effect, improvement_overdue, updated_action,
};
pub(crate) use inbound::{
    case_of, corrected_progress, decided_progress, is_auto_closed, opened_progress, origin, reopened_progress,
};
pub(crate) use kpis::{
    SourceState, answer, described, fact_state, kpi_settings, queries, rebuild, wanted_settings,
};
pub(crate) use notices::{
    Resent, Returned, bounced, contact_view, corrected, correction, delivery_report, notice, record, resend,
    returned, settled,
};

pub(crate) use problem_tasks::{
    AskedDepartment, ProblemTaskQuery, problem_task, problem_task_answered, problem_task_refused,
    problem_task_requested, problem_tasks_of, requested_task,
};
pub(crate) use problems::{
    OpenedProblem, ProblemCaseQuery, ProblemListQuery, Seen, closed_problem, linked_cases, named_cause,
    opened_problem, problem, problem_case, problem_cases_of, problem_closed, problem_key, problem_of,
    problem_opened, problems_of, root_causes, unlinked_cases, wanted_causes,
};
pub(crate) use process::{exported_days, log, process_case, process_event};
pub(crate) use quality::{
    Rated, ReviewListQuery, Reviewed, ScorecardQuery, agreement, agreement_of, classes, quality_policy,
    quality_review, rated, review_of, reviews_of, scorecard, scorecards_of, wanted_quality_policy,
};
pub(crate) use reports::{
    Download, ReportListQuery, created_report, download, report, report_file, report_key, report_schedules,
    reports_of, wanted_report_schedules,
};
pub(crate) use returns::{
    AskedReturn, MappingKey, WantedMapping, checked_return, exported_return, mapping_of, refuse_incomplete,
    return_check, return_file, return_mapping, wanted_return_mapping,
};
pub(crate) use routing::{made_routing, notice_routing};
pub(crate) use signals::{
    Dismissed, SignalListQuery, dismissed, signal, signal_ended, signal_key, signal_of, signal_raised,
    signal_settings, signal_with_days, signals_of, wanted_signal_settings,
};
pub(crate) use supervision::{
    SupervisedQuery, overview_of, received_key, supervised, supervised_of, supervision_overview,
};
pub(crate) use surveys::{
    SurveyListQuery, activated, answered, created, put_in_force, questionnaire, submitted, survey,
    survey_questions, surveys_of, version_of,
};

pub(crate) use templates::{
    TemplateKey, TemplateVersionRef, Trial, Wanted, all_written, failures, is_in_another, made_template,
    previewed, put_template, quiet_hours, quieted, still_sound, stopped, template, template_key, template_of,
    templates_of,
};

/// Reason of a request to read or list that is malformed.
const INVALID_REQUEST: &str = "INVALID_REQUEST";
/// Reason of an event of another service that cannot be understood.
const INVALID_EVENT: &str = "INVALID_EVENT";

/// Where something stands in a list by time.
fn time_key(time: Timestamp, id: Uuid) -> String {
    format!("{} {id}", time.as_microsecond())
}

/// Reads it back.
fn read_key(key: &str) -> Option<(Timestamp, Uuid)> {
    let (time, id) = key.split_once(' ')?;
    Some((Timestamp::from_microsecond(time.parse().ok()?).ok()?, id.parse().ok()?))
}

/// A sum, as it is told.
fn money(sum: Money) -> WireMoney {
    let (units, nanos) = sum.units_and_nanos();
    WireMoney { currency_code: sum.currency, units, nanos }
}

/// An answer to the outcome of a cycle; of the latest where none is named.
#[derive(Clone, Debug)]
pub(crate) struct Respond {
    pub(crate) case_id: CaseId,
    pub(crate) cycle: Option<i32>,
    pub(crate) answer: Answer,
}

/// Which notices to list, from where on.
#[derive(Clone, Debug)]
pub(crate) struct NoticeListQuery {
    pub(crate) filter: Filter,
    pub(crate) page: Page,
    pub(crate) after: Option<NoticeId>,
}

/// Reads an answer, and by what its case is named: nil until its receipt code was looked up.
pub(crate) fn respond(request: wire::RespondToOutcomeRequest) -> Result<(CaseReference, Respond), Fault> {
    let wire::RespondToOutcomeRequest {
        request_id,
        case_id,
        cycle,
        response,
        comment,
        satisfaction,
        receipt_code,
        end_user,
    } = request;
    let wire::Satisfaction { handling, outcome } = satisfaction.unwrap_or_default();
    let mut check = Check::new();
    check.request_id(request_id);
    let reference = CaseReference::read(&mut check, "case_id", &case_id, &receipt_code, end_user);
    check.ensure(cycle >= 0, "cycle", "must not be negative");
    let verdict = Verdict::of(response);
    check.ensure(verdict.is_some(), "response", "must be ACCEPTED or DISPUTED");
    let comment = match verdict {
        Some(Verdict::Disputed) => check.required("comment", comment, MAX_COMMENT),
        _ => check.text("comment", comment, MAX_COMMENT),
    };
    let satisfaction = Satisfaction {
        handling: score(&mut check, "satisfaction.handling", handling),
        outcome: score(&mut check, "satisfaction.outcome", outcome),
    };
    check.done("INVALID_RESPONSE")?;
    let verdict = verdict.unwrap_or(Verdict::Accepted);
    let answer = Answer { verdict, comment, satisfaction };
    let cycle = (cycle > 0).then_some(cycle);
    Ok((reference, Respond { case_id: CaseId(Uuid::nil()), cycle, answer }))
}

/// Leaves the id of the case out of an answer to who has its receipt code alone.
pub(crate) fn leave_out_case(answer: &mut wire::RespondToOutcomeResponse) {
    if let Some(feedback) = &mut answer.feedback {
        feedback.case_id.clear();
    }
}

fn score(check: &mut Check, field: &str, score: i32) -> i16 {
    match i16::try_from(score) {
        Ok(score) if (0..=MAX_SCORE).contains(&score) => score,
        _ => {
            check.fail(field, format!("must be 0 to {MAX_SCORE}"));
            0
        }
    }
}

pub(crate) fn feedback_of(request: wire::GetFeedbackRequest) -> Result<CaseId, Fault> {
    let wire::GetFeedbackRequest { case_id } = request;
    let mut check = Check::new();
    let case_id = check.id("case_id", &case_id);
    check.done(INVALID_REQUEST)?;
    Ok(case_id)
}

pub(crate) fn contact_of(request: wire::GetContactRequest) -> Result<CaseId, Fault> {
    let wire::GetContactRequest { case_id } = request;
    let mut check = Check::new();
    let case_id = check.id("case_id", &case_id);
    check.done(INVALID_REQUEST)?;
    Ok(case_id)
}

pub(crate) fn listing(request: wire::ListNoticesRequest) -> Result<NoticeListQuery, Fault> {
    let wire::ListNoticesRequest { page_size, page_token, case_id, state, needs_person } = request;
    let mut check = Check::new();
    let filters = format!("case={case_id} state={state} needs_person={needs_person}");
    let page = check.page(page_size, &page_token, &filters);
    let case_id = check.optional_id("case_id", &case_id);
    let by_state = State::of(state);
    check.ensure(state == 0 || by_state.is_some(), "state", "is not a state of a notice");
    check.ensure(case_id.is_none() || state == 0, "state", "cannot be combined with case_id");
    let alone = case_id.is_none() && state == 0;
    check.ensure(!needs_person || alone, "needs_person", "cannot be combined with case_id or state");
    let after = page.after.as_deref().and_then(|key| check.optional_id("page_token", key));
    check.done(INVALID_REQUEST)?;
    let filter = match (case_id, by_state) {
        (Some(case_id), _) => Filter::Case(case_id),
        (None, Some(state)) => Filter::State(state),
        (None, None) if needs_person => Filter::NeedsPerson,
        (None, None) => Filter::All,
    };
    Ok(NoticeListQuery { filter, page, after })
}

/// Whether a complaint ended before it was brought here.
pub(crate) fn is_history(event: &intake::ComplaintRegistered) -> bool {
    event.complaint.as_ref().is_some_and(|complaint| complaint.history.is_some())
}

/// Whom to write to about a complaint: its representative where they gave an
/// address, else its complainant.
pub(crate) fn contact(event: intake::ComplaintRegistered, traceparent: &str) -> Result<Contact, Fault> {
    let complaint = event.complaint.unwrap_or_default();
    let anonymous = is_anonymous(&complaint);
    let complainant = complaint.complainant.unwrap_or_default();
    // Of a representative no number is known; the complainant's own is not theirs.
    let (recipient, phone, name) = match complaint.representative {
        Some(by) if !by.email.trim().is_empty() => (by.email, String::new(), by.display_name),
        _ => (complainant.email, complainant.phone, complainant.display_name),
    };
    let mut check = Check::new();
    let case_id = check.id("complaint.complaint_id", &complaint.complaint_id);
    check.done(INVALID_EVENT)?;
    Ok(Contact {
        case_id,
        recipient: recipient.trim().to_owned(),
        phone: phone.trim().to_owned(),
        channel: i16::try_from(complaint.channel).unwrap_or(0),
        name,
        language: complaint.language,
        subject: complaint.subject,
        traceparent: traceparent.to_owned(),
        anonymous,
        automatic: complaint.automatic,
        mail_token: event.mail_token,
        version: 1,
    })
}

/// Whether nobody is known who could be told: not even by letter, or by a call.
fn is_anonymous(complaint: &intake::Complaint) -> bool {
    let is_nobody = |who: &intake::Complainant| {
        let known = [&who.customer_id, &who.display_name, &who.email, &who.phone];
        known.iter().all(|text| text.trim().is_empty())
    };
    complaint.representative.is_none() && complaint.complainant.as_ref().is_none_or(is_nobody)
}

/// The outcome of a cycle, which its complainant is owed, and the zone of its times.
pub(crate) fn resolved(event: cases::CaseResolved) -> Result<(CaseId, i32, Ruling, String), Fault> {
    let mut check = Check::new();
    let case_id = check.id("case_id", &event.case_id);
    let outcome = Outcome::of(event.outcome);
    check.ensure(outcome.is_some(), "outcome", "is not an outcome");
    let respond_until = check.time("respond_until_time", event.respond_until_time);
    check.ensure(respond_until.is_some(), "respond_until_time", "is required");
    check.done(INVALID_EVENT)?;
    let ruling = Ruling {
        outcome: outcome.unwrap_or(Outcome::NotUpheld),
        reasons: event.reasons,
        respond_until: respond_until.unwrap_or_default(),
        correction: event.correction,
    };
    Ok((case_id, event.cycle, ruling, event.time_zone))
}

/// More time was granted, and the zone of its times; none where the complainant need
/// not be told.
pub(crate) fn extended(
    event: cases::ExtensionGranted,
) -> Result<Option<(CaseId, i32, Delay, String)>, Fault> {
    let cases::ExtensionGranted { case_id, cycle, kind: _, due_time, reason, notice_due, number, time_zone } =
        event;
    let mut check = Check::new();
    let case_id = check.id("case_id", &case_id);
    let due = check.time("due_time", due_time);
    check.done(INVALID_EVENT)?;
    Ok(notice_due.then_some((case_id, cycle, Delay { number, due, reason }, time_zone)))
}

/// A holding reply, which the complainant is owed, and the zone of its times.
pub(crate) fn held(event: cases::HoldingReplySent) -> Result<(CaseId, i32, Holding, String), Fault> {
    let cases::HoldingReplySent {
        case_id,
        cycle,
        ordinal,
        text,
        reason,
        next_update_time,
        due_time,
        time_zone,
    } = event;
    let mut check = Check::new();
    let case_id = check.id("case_id", &case_id);
    let next = check.time("next_update_time", next_update_time);
    let due = check.time("due_time", due_time);
    check.done(INVALID_EVENT)?;
    Ok((case_id, cycle, Holding { number: ordinal, text, reason, next, due }, time_zone))
}

/// Goods are lacking for a remedy, which the complainant is told, and the zone of its times.
pub(crate) fn delayed(event: cases::RemedyDelayed) -> Result<(CaseId, i32, Lacking, String), Fault> {
    let cases::RemedyDelayed { case_id, cycle, ordinal, sku, expect_time, time_zone } = event;
    let mut check = Check::new();
    let case_id = check.id("case_id", &case_id);
    let expected = check.time("expect_time", expect_time);
    check.ensure(expected.is_some(), "expect_time", "is required");
    check.done(INVALID_EVENT)?;
    let expected = expected.unwrap_or_default();
    Ok((case_id, cycle, Lacking { number: ordinal, article: sku, expected }, time_zone))
}

pub(crate) fn reopened(event: &cases::CaseReopened) -> Result<Over, Fault> {
    // The cycle it names is the new one: the ones before take no answer.
    over(&event.case_id, event.cycle.saturating_sub(1))
}

/// The outcome of a cycle that is corrected takes no answer any more.
pub(crate) fn superseded(event: &cases::DecisionCorrected) -> Result<Over, Fault> {
    over(&event.case_id, event.cycle)
}

pub(crate) fn closed(event: &cases::CaseClosed) -> Result<Over, Fault> {
    over(&event.case_id, event.cycle)
}

/// Whether the complainant disputed for the last time and must be told where
/// else to turn.
pub(crate) fn needs_recourse(event: &cases::CaseClosed) -> bool {
    event.reason() == cases::CloseReason::ReopenLimit
}

/// Whether the complainant may still answer, though the case is closed: staff do not
/// take back the time that was promised for it.
pub(crate) fn may_still_be_answered(event: &cases::CaseClosed) -> bool {
    event.reason() == cases::CloseReason::Staff
}

pub(crate) fn withdrawn(event: &cases::CaseWithdrawn) -> Result<Over, Fault> {
    over(&event.case_id, event.cycle)
}

/// Whether the complainant is told that their complaint was withdrawn: they, or who said
/// that they are they, did so without staff.
pub(crate) fn needs_confirmation(event: &cases::CaseWithdrawn) -> bool {
    matches!(event.source(), cases::WithdrawalSource::Channel | cases::WithdrawalSource::ReceiptCode)
}

pub(crate) fn declined(event: &cases::CaseDeclined) -> Result<Over, Fault> {
    over(&event.case_id, event.cycle)
}

fn over(case_id: &str, cycle: i32) -> Result<Over, Fault> {
    let mut check = Check::new();
    let case_id = check.id("case_id", case_id);
    check.done(INVALID_EVENT)?;
    Ok(Over { case_id, cycle })
}

pub(crate) fn feedback(cycle: Cycle, now: Timestamp) -> wire::Feedback {
    let open = cycle.is_open(now);
    let Cycle { case_id, cycle, outcome, respond_until, correction: _, awaited: _, answer } = cycle;
    let mut feedback = wire::Feedback {
        case_id: case_id.to_string(),
        cycle,
        outcome: outcome.number().into(),
        respond_until_time: Some(timestamp(respond_until)),
        open,
        ..Default::default()
    };
    if let Some((answer, at)) = answer {
        feedback.response = answer.verdict.number().into();
        feedback.comment = answer.comment;
        feedback.satisfaction = Some(satisfaction(answer.satisfaction));
        feedback.response_time = Some(timestamp(at));
    }
    feedback
}

pub(crate) fn received(cycle: &Cycle, answer: &Answer) -> wire::FeedbackReceived {
    let Answer { verdict, comment, satisfaction: scores } = answer;
    wire::FeedbackReceived {
        case_id: cycle.case_id.to_string(),
        cycle: cycle.cycle,
        response: verdict.number().into(),
        comment: comment.clone(),
        satisfaction: Some(satisfaction(*scores)),
    }
}

fn satisfaction(scores: Satisfaction) -> wire::Satisfaction {
    let Satisfaction { handling, outcome } = scores;
    wire::Satisfaction { handling: handling.into(), outcome: outcome.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice::{Kind, Means};

    #[test]
    fn our_numbers_are_the_contracts() {
        testkit::same_numbers! {
            Kind, wire::NoticeKind;
            State, wire::NoticeState;
            Means, wire::NoticeMeans;
            Outcome, cases::Outcome;
            Verdict, wire::Response;
            crate::survey::State, wire::SurveyState;
            crate::call_back::Cause, wire::CallBackCause;
            crate::call_back::State, wire::CallBackState;
            crate::call_back::PhoneKind, wire::CallBackPhone;
            crate::call_back::Outcome, wire::CallBackOutcome;
            crate::kpi::Dimension, wire::KpiDimension;
            crate::kpi::Time, wire::KpiTime;
            crate::kpi::Unit, wire::KpiUnit;
            crate::kpi::Period, wire::KpiPeriod;
            crate::kpi::Comparison, wire::KpiComparison;
            crate::problem::State, wire::ProblemState;
            crate::quality::State, wire::QualityReviewState;
            crate::improvement::Kind, wire::ImprovementKind;
            crate::improvement::State, wire::ImprovementState;
            crate::signal::State, wire::SignalState;
            crate::signal::Ending, wire::SignalEnding;
            crate::report::Length, wire::ReportLength;
            crate::report::Format, wire::ReportFormat;
            crate::report::State, wire::ReportState;
            crate::returns::Regime, wire::ReturnRegime;
            crate::returns::Format, wire::ReturnFormat;
            crate::supervision::Reason, wire::SupervisionReason;
        }
    }

    #[test]
    fn a_representative_with_an_address_is_written_to() {
        let registered = |by: &str| intake::ComplaintRegistered {
            complaint: Some(intake::Complaint {
                complaint_id: Uuid::nil().to_string(),
                complainant: Some(intake::Complainant {
                    display_name: "Ada".into(),
                    email: "ada@example.org".into(),
                    ..Default::default()
                }),
                representative: Some(intake::Representative {
                    display_name: "Bo".into(),
                    email: by.into(),
                    ..Default::default()
                }),
                ..Default::default()
            }),
            ..Default::default()
        };
        let of = |by: &str| contact(registered(by), "").map(|to| (to.recipient, to.name)).unwrap();
        assert_eq!(of("bo@example.org"), ("bo@example.org".to_owned(), "Bo".to_owned()));
        assert_eq!(of(" "), ("ada@example.org".to_owned(), "Ada".to_owned()));
    }
}
