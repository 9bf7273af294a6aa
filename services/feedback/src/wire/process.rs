//! Processes: what each event adds to them, and how they are told.
#![expect(clippy::needless_pass_by_value, reason = "handlers are given the payload")]

use events::Delivered;
use fault::{Check, Fault};
use jiff::civil::Date;
use kernel::time::micros;
use kernel::{CaseId, EventId, Money};
use proto::redress::assignment::v1 as assignment;
use proto::redress::cases::v1 as cases;
use proto::redress::feedback::v1 as wire;
use proto::redress::intake::v1 as intake;
use proto::redress::resolution::v1 as resolution;
use proto::timestamp;

use super::kpis::days_between;
use super::{INVALID_EVENT, INVALID_REQUEST, money};
use crate::kpi::window::MAX_DAYS;
use crate::process::{Activity, ProcessCase, ProcessEvent, Pseudonyms, Source};

type Taken = Result<(), Fault>;
type Log = Vec<ProcessEvent>;

/// The days of receipt that a log is of.
pub(crate) fn exported_days(request: wire::ExportProcessLogRequest) -> Result<(Date, Date), Fault> {
    let wire::ExportProcessLogRequest { start_date, end_date } = request;
    let mut check = Check::new();
    let days = days_between(&mut check, "", (&start_date, &end_date), MAX_DAYS);
    check.done(INVALID_REQUEST)?;
    days.ok_or_else(|| Fault::internal("days that were checked are none"))
}

/// A case as it is told.
pub(crate) fn process_case(case: &ProcessCase, names: &Pseudonyms) -> wire::ProcessCase {
    wire::ProcessCase {
        case_id: case.case_id.to_string(),
        complainant: case.complainant.as_deref().map(|known| names.complainant(known)).unwrap_or_default(),
        channel: case.channel.into(),
        category: case.category.clone().unwrap_or_default(),
        priority: case.priority.unwrap_or(0).into(),
        outcome: case.outcome.unwrap_or(0).into(),
    }
}

/// An event as it is told.
pub(crate) fn process_event(event: ProcessEvent, names: &Pseudonyms) -> wire::ProcessEvent {
    let agent = event.agent.as_deref().map(|subject| names.agent(subject)).unwrap_or_default();
    let amount = event.amount.map(money);
    wire::ProcessEvent {
        event_id: event.event_id.to_string(),
        case_id: event.case_id.to_string(),
        activity: event.activity.number().into(),
        occur_time: Some(timestamp(event.occurred)),
        cycle: event.cycle,
        plan_id: event.plan.map(|id| id.to_string()).unwrap_or_default(),
        task_id: event.task.map(|id| id.to_string()).unwrap_or_default(),
        department_id: event.department.unwrap_or_default(),
        agent,
        other_case_id: event.other_case.map(|id| id.to_string()).unwrap_or_default(),
        problem_id: event.problem.map(|id| id.to_string()).unwrap_or_default(),
        category: event.category.unwrap_or_default(),
        priority: event.priority.unwrap_or(0).into(),
        outcome: event.outcome.unwrap_or(0).into(),
        detail: event.detail.unwrap_or_default(),
        amount,
    }
}

fn id<T: From<uuid::Uuid>>(field: &str, text: &str) -> Result<Option<T>, Fault> {
    let mut check = Check::new();
    let id = check.optional_id(field, text);
    check.done(INVALID_EVENT)?;
    Ok(id)
}

fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

fn number(number: i32) -> Option<i16> {
    i16::try_from(number).ok().filter(|number| *number != 0)
}

/// A value of an enum as a word: `CLOCK_KIND_FIRST_RESPONSE` is `first response`; none of
/// what is not specified.
fn word(name: &str, prefix: &str) -> Option<String> {
    let word = name.strip_prefix(prefix).unwrap_or(name);
    (word != "UNSPECIFIED").then(|| word.replace('_', " ").to_lowercase())
}

/// What every event has: all that are followed are about a case.
fn of(event: &Delivered, activity: Activity, cycle: i32) -> Result<ProcessEvent, Fault> {
    let source = Source::of_payload(&event.type_name).ok_or_else(|| Fault::internal("an event of nobody"))?;
    Ok(ProcessEvent {
        case_id: CaseId(event.subject),
        event_id: EventId(event.id),
        occurred: micros(event.occurred),
        source,
        position: event.position,
        activity,
        cycle,
        plan: None,
        task: None,
        department: None,
        agent: None,
        other_case: None,
        problem: None,
        category: None,
        priority: None,
        outcome: None,
        detail: None,
        amount: None,
    })
}

/// A complaint was registered.
pub(crate) fn log_registered(log: &mut Log, event: &Delivered, _: intake::ComplaintRegistered) -> Taken {
    log.push(of(event, Activity::ComplaintRegistered, 1)?);
    Ok(())
}

/// Something was added to it.
pub(crate) fn log_added(log: &mut Log, event: &Delivered, told: intake::InformationAdded) -> Taken {
    let detail = word(told.source().as_str_name(), "INFORMATION_SOURCE_");
    log.push(ProcessEvent { detail, ..of(event, Activity::InformationAdded, 0)? });
    Ok(())
}

fn graded(of: ProcessEvent, category: String, priority: i32) -> ProcessEvent {
    ProcessEvent { category: some(category), priority: number(priority), ..of }
}

/// It was opened.
pub(crate) fn log_opened(log: &mut Log, event: &Delivered, told: cases::CaseOpened) -> Taken {
    let of = of(event, Activity::CaseOpened, told.cycle)?;
    log.push(graded(of, told.category, told.priority));
    Ok(())
}

/// It was given another category or priority.
pub(crate) fn log_retriaged(log: &mut Log, event: &Delivered, told: cases::CaseRetriaged) -> Taken {
    let of = of(event, Activity::CaseRetriaged, told.cycle)?;
    log.push(graded(of, told.category, told.priority));
    Ok(())
}

/// Its category was confirmed or changed.
pub(crate) fn log_categorised(log: &mut Log, event: &Delivered, told: cases::CaseCategorised) -> Taken {
    let of = of(event, Activity::CaseCategorised, told.cycle)?;
    log.push(graded(of, told.category, 0));
    Ok(())
}

/// It became more urgent.
pub(crate) fn log_raised(log: &mut Log, event: &Delivered, told: cases::CasePriorityRaised) -> Taken {
    let of = of(event, Activity::PriorityRaised, told.cycle)?;
    log.push(graded(of, String::new(), told.priority));
    Ok(())
}

/// It was reopened.
pub(crate) fn log_reopened(log: &mut Log, event: &Delivered, told: cases::CaseReopened) -> Taken {
    let of = of(event, Activity::CaseReopened, told.cycle)?;
    log.push(graded(of, told.category, told.priority));
    Ok(())
}

fn ruled(of: ProcessEvent, outcome: i32) -> ProcessEvent {
    ProcessEvent { outcome: number(outcome), ..of }
}

/// Its outcome was decided.
pub(crate) fn log_decided(log: &mut Log, event: &Delivered, told: cases::CaseDecided) -> Taken {
    log.push(ruled(of(event, Activity::CaseDecided, told.cycle)?, told.outcome));
    Ok(())
}

/// The decision was replaced.
pub(crate) fn log_corrected(log: &mut Log, event: &Delivered, told: cases::DecisionCorrected) -> Taken {
    log.push(ruled(of(event, Activity::DecisionCorrected, told.cycle)?, told.outcome));
    Ok(())
}

/// Its outcome took effect.
pub(crate) fn log_resolved(log: &mut Log, event: &Delivered, told: cases::CaseResolved) -> Taken {
    log.push(ruled(of(event, Activity::CaseResolved, told.cycle)?, told.outcome));
    Ok(())
}

/// It was closed.
pub(crate) fn log_closed(log: &mut Log, event: &Delivered, told: cases::CaseClosed) -> Taken {
    let detail = word(told.reason().as_str_name(), "CLOSE_REASON_");
    log.push(ProcessEvent { detail, ..of(event, Activity::CaseClosed, told.cycle)? });
    Ok(())
}

/// Its complainant withdrew.
pub(crate) fn log_withdrawn(log: &mut Log, event: &Delivered, told: cases::CaseWithdrawn) -> Taken {
    log.push(of(event, Activity::CaseWithdrawn, told.cycle)?);
    Ok(())
}

/// It is another organisation's matter.
pub(crate) fn log_declined(log: &mut Log, event: &Delivered, told: cases::CaseDeclined) -> Taken {
    log.push(of(event, Activity::CaseDeclined, told.cycle)?);
    Ok(())
}

/// It was merged into another.
pub(crate) fn log_merged(log: &mut Log, event: &Delivered, told: cases::CaseMerged) -> Taken {
    let other_case = id("into_case_id", &told.into_case_id)?;
    log.push(ProcessEvent { other_case, ..of(event, Activity::CaseMerged, told.cycle)? });
    Ok(())
}

/// That was undone.
pub(crate) fn log_unmerged(log: &mut Log, event: &Delivered, told: cases::CaseUnmerged) -> Taken {
    let other_case = id("from_case_id", &told.from_case_id)?;
    log.push(ProcessEvent { other_case, ..of(event, Activity::CaseUnmerged, told.cycle)? });
    Ok(())
}

/// It went one level up: its time ran out.
pub(crate) fn log_escalated(log: &mut Log, event: &Delivered, told: cases::CaseEscalated) -> Taken {
    log.push(of(event, Activity::CaseEscalated, told.cycle)?);
    Ok(())
}

fn clock(of: ProcessEvent, kind: cases::ClockKind) -> ProcessEvent {
    ProcessEvent { detail: word(kind.as_str_name(), "CLOCK_KIND_"), ..of }
}

/// A promise was broken.
pub(crate) fn log_breached(log: &mut Log, event: &Delivered, told: cases::ClockBreached) -> Taken {
    log.push(clock(of(event, Activity::ClockBreached, told.cycle)?, told.kind()));
    Ok(())
}

/// A clock stands still.
pub(crate) fn log_paused(log: &mut Log, event: &Delivered, told: cases::ClockPaused) -> Taken {
    log.push(clock(of(event, Activity::ClockPaused, told.cycle)?, told.kind()));
    Ok(())
}

/// A clock runs on.
pub(crate) fn log_resumed(log: &mut Log, event: &Delivered, told: cases::ClockResumed) -> Taken {
    log.push(clock(of(event, Activity::ClockResumed, told.cycle)?, told.kind()));
    Ok(())
}

/// A promise was extended.
pub(crate) fn log_extended(log: &mut Log, event: &Delivered, told: cases::ExtensionGranted) -> Taken {
    log.push(clock(of(event, Activity::ExtensionGranted, told.cycle)?, told.kind()));
    Ok(())
}

/// The complainant was told that it takes longer.
pub(crate) fn log_held(log: &mut Log, event: &Delivered, told: cases::HoldingReplySent) -> Taken {
    log.push(of(event, Activity::HoldingReplySent, told.cycle)?);
    Ok(())
}

/// It waits for a handler.
pub(crate) fn log_queued(log: &mut Log, event: &Delivered, told: assignment::CaseQueued) -> Taken {
    let department = some(told.department_id);
    log.push(ProcessEvent { department, ..of(event, Activity::CaseQueued, told.cycle)? });
    Ok(())
}

/// A handler was found.
pub(crate) fn log_assigned(log: &mut Log, event: &Delivered, told: assignment::CaseAssigned) -> Taken {
    let (department, agent) = (some(told.department_id), some(told.agent_id));
    let of = of(event, Activity::CaseAssigned, told.cycle)?;
    log.push(ProcessEvent { department, agent, ..of });
    Ok(())
}

/// The handler accepted.
pub(crate) fn log_accepted(log: &mut Log, event: &Delivered, told: assignment::CaseAccepted) -> Taken {
    let agent = some(told.agent_id);
    log.push(ProcessEvent { agent, ..of(event, Activity::CaseAccepted, told.cycle)? });
    Ok(())
}

/// It went one level up: it went to and fro.
pub(crate) fn log_tossed(log: &mut Log, event: &Delivered, told: assignment::AssignmentEscalated) -> Taken {
    let detail = word(told.reason().as_str_name(), "ESCALATION_");
    let of = of(event, Activity::AssignmentEscalated, told.cycle)?;
    log.push(ProcessEvent { detail, agent: some(told.supervisor_id), ..of });
    Ok(())
}

/// A plan was proposed.
pub(crate) fn log_proposed(log: &mut Log, event: &Delivered, told: resolution::PlanProposed) -> Taken {
    let of = of(event, Activity::PlanProposed, told.cycle)?;
    plan(log, of, &told.plan_id, told.proposer, None)
}

/// A plan was approved.
pub(crate) fn log_approved(log: &mut Log, event: &Delivered, told: resolution::PlanApproved) -> Taken {
    let detail = told.automatic.then(|| "automatic".to_owned());
    let of = of(event, Activity::PlanApproved, told.cycle)?;
    plan(log, of, &told.plan_id, told.approver, detail)
}

/// A plan was rejected.
pub(crate) fn log_rejected(log: &mut Log, event: &Delivered, told: resolution::PlanRejected) -> Taken {
    let of = of(event, Activity::PlanRejected, told.cycle)?;
    plan(log, of, &told.plan_id, told.approver, None)
}

/// A plan was revised.
pub(crate) fn log_revised(log: &mut Log, event: &Delivered, told: resolution::PlanRevised) -> Taken {
    let of = of(event, Activity::PlanRevised, told.cycle)?;
    plan(log, of, &told.plan_id, told.reviser, None)
}

/// A plan is done.
pub(crate) fn log_completed(log: &mut Log, event: &Delivered, told: resolution::PlanCompleted) -> Taken {
    let of = of(event, Activity::PlanCompleted, told.cycle)?;
    plan(log, of, &told.plan_id, String::new(), None)
}

/// A plan was cancelled.
pub(crate) fn log_cancelled(log: &mut Log, event: &Delivered, told: resolution::PlanCancelled) -> Taken {
    let of = of(event, Activity::PlanCancelled, told.cycle)?;
    plan(log, of, &told.plan_id, String::new(), None)
}

fn plan(log: &mut Log, of: ProcessEvent, plan: &str, agent: String, detail: Option<String>) -> Taken {
    let plan = id("plan_id", plan)?;
    log.push(ProcessEvent { plan, agent: some(agent), detail, ..of });
    Ok(())
}

fn task(log: &mut Log, of: ProcessEvent, (plan, task): (&str, &str), department: String) -> Taken {
    let (plan, task) = (id("plan_id", plan)?, id("task_id", task)?);
    log.push(ProcessEvent { plan, task, department: some(department), ..of });
    Ok(())
}

fn remedy(kind: resolution::RemedyKind) -> Option<String> {
    word(kind.as_str_name(), "REMEDY_KIND_")
}

/// A department carried out a step, or undid one.
pub(crate) fn log_done(log: &mut Log, event: &Delivered, told: resolution::TaskCompleted) -> Taken {
    let mut check = Check::new();
    let amount = check.money("amount", told.amount.clone()).filter(|amount| amount.minor != 0);
    check.done(INVALID_EVENT)?;
    let (activity, sign) =
        if told.compensation { (Activity::TaskUndone, -1) } else { (Activity::TaskCompleted, 1) };
    let amount = amount.map(|amount| Money { minor: sign * amount.minor, ..amount });
    let of = ProcessEvent { detail: remedy(told.kind()), amount, ..of(event, activity, told.cycle)? };
    task(log, of, (&told.plan_id, &told.task_id), told.department_id)
}

/// A department could not carry out a step.
pub(crate) fn log_stuck(log: &mut Log, event: &Delivered, told: resolution::TaskNeedsAttention) -> Taken {
    let of = of(event, Activity::TaskNeedsAttention, told.cycle)?;
    task(log, of, (&told.plan_id, &told.task_id), told.department_id)
}

/// What a department could not undo was written off.
pub(crate) fn log_written_off(log: &mut Log, event: &Delivered, told: resolution::TaskWrittenOff) -> Taken {
    let of = of(event, Activity::TaskWrittenOff, told.cycle)?;
    let of = ProcessEvent { detail: remedy(told.kind()), agent: some(told.approver), ..of };
    task(log, of, (&told.plan_id, &told.task_id), told.department_id)
}

/// A task has passed its due time.
pub(crate) fn log_overdue(log: &mut Log, event: &Delivered, told: resolution::TaskOverdue) -> Taken {
    let of = of(event, Activity::TaskOverdue, told.cycle)?;
    let of = ProcessEvent { detail: remedy(told.kind()), ..of };
    task(log, of, (&told.plan_id, &told.task_id), told.department_id)
}

/// A department lacks what a step needs.
pub(crate) fn log_short(log: &mut Log, event: &Delivered, told: resolution::ShortageReported) -> Taken {
    let of = of(event, Activity::ShortageReported, told.cycle)?;
    let of = ProcessEvent { detail: remedy(told.kind()), ..of };
    task(log, of, (&told.plan_id, &told.task_id), told.department_id)
}

/// A department was asked something.
pub(crate) fn log_asked(log: &mut Log, event: &Delivered, told: resolution::InvestigationRequested) -> Taken {
    let of = ProcessEvent {
        detail: word(told.inquiry().as_str_name(), "INQUIRY_"),
        agent: some(told.requester),
        ..of(event, Activity::InvestigationRequested, told.cycle)?
    };
    task(log, of, ("", &told.task_id), told.department_id)
}

/// A department answered.
pub(crate) fn log_found(log: &mut Log, event: &Delivered, told: resolution::InvestigationCompleted) -> Taken {
    let of = of(event, Activity::InvestigationCompleted, told.cycle)?;
    task(log, of, ("", &told.task_id), told.department_id)
}

/// A question is not wanted any more.
pub(crate) fn log_dropped(
    log: &mut Log,
    event: &Delivered,
    told: resolution::InvestigationCancelled,
) -> Taken {
    let of = of(event, Activity::InvestigationCancelled, told.cycle)?;
    task(log, of, ("", &told.task_id), told.department_id)
}

/// A notice was delivered, or was not.
pub(crate) fn log_notice(log: &mut Log, event: &Delivered, told: wire::NoticeSettled) -> Taken {
    let activity = match told.state() {
        wire::NoticeState::Delivered => Activity::NoticeDelivered,
        _ => Activity::NoticeUndelivered,
    };
    let detail = word(told.kind().as_str_name(), "NOTICE_KIND_");
    log.push(ProcessEvent { detail, ..of(event, activity, told.cycle)? });
    Ok(())
}

/// A notice that had been delivered came back.
pub(crate) fn log_bounce(log: &mut Log, event: &Delivered, told: wire::NoticeBounced) -> Taken {
    let detail = word(told.kind().as_str_name(), "NOTICE_KIND_");
    log.push(ProcessEvent { detail, ..of(event, Activity::NoticeBounced, told.cycle)? });
    Ok(())
}

/// The complainant answered the outcome.
pub(crate) fn log_response(log: &mut Log, event: &Delivered, told: wire::FeedbackReceived) -> Taken {
    let detail = word(told.response().as_str_name(), "RESPONSE_");
    log.push(ProcessEvent { detail, ..of(event, Activity::ResponseReceived, told.cycle)? });
    Ok(())
}

/// The survey of a cycle was answered.
pub(crate) fn log_survey(log: &mut Log, event: &Delivered, told: wire::SurveyAnswered) -> Taken {
    log.push(of(event, Activity::SurveyAnswered, told.cycle)?);
    Ok(())
}

/// It was tried to call a complainant back.
pub(crate) fn log_call(log: &mut Log, event: &Delivered, told: wire::CallBackAttempted) -> Taken {
    let detail = word(told.outcome().as_str_name(), "CALL_BACK_OUTCOME_");
    log.push(ProcessEvent { detail, ..of(event, Activity::CallBackAttempted, told.cycle)? });
    Ok(())
}
