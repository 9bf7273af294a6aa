//! Processes: what each event adds to them, and how they are told.

use events::Delivered;
use fault::{Check, Fault};
use jiff::civil::Date;
use kernel::time::micros;
use kernel::{CaseId, EventId, Money};
use proto::activity::{self, ToldInLogs};
use proto::redress::feedback::v1 as wire;
use proto::timestamp;

use super::kpis::days_between;
use super::{INVALID_EVENT, INVALID_REQUEST, money};
use crate::kpi::window::MAX_DAYS;
use crate::process::{Activity, ProcessCase, ProcessEvent, Pseudonyms, Source};

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
        activity_name: activity_name(event.activity),
    }
}

/// What happened, in words.
fn activity_name(activity: Activity) -> String {
    // No event tells that a case was linked to a problem.
    let name = if activity == Activity::PROBLEM_LINKED { Some("problem linked") } else { None };
    let of_event = || activity::activity(activity.number().into()).map(|known| known.name);
    name.or_else(of_event).unwrap_or_default().to_owned()
}

/// Adds what an event tells process logs: its message says what that is. All that are followed
/// are about a case.
#[expect(clippy::needless_pass_by_value, reason = "handlers are given the payload")]
pub(crate) fn log<M: ToldInLogs>(
    log: &mut Vec<ProcessEvent>,
    event: &Delivered,
    told: M,
) -> Result<(), Fault> {
    let logged = told.logged();
    let mut check = Check::new();
    let (plan, task) = (check.optional_id("plan_id", logged.plan), check.optional_id("task_id", logged.task));
    let other_case = check.optional_id("case_id", logged.other_case);
    let amount = check.money("amount", logged.amount.cloned()).filter(|amount| amount.minor != 0);
    check.done(INVALID_EVENT)?;
    let sign = if logged.taken_back { -1 } else { 1 };
    let activity = number(logged.activity).and_then(Activity::of);
    log.push(ProcessEvent {
        case_id: CaseId(event.subject),
        event_id: EventId(event.id),
        occurred: micros(event.occurred),
        source: Source::of_payload(&event.type_name).ok_or_else(|| Fault::internal("an event of nobody"))?,
        position: event.position,
        activity: activity.ok_or_else(|| Fault::internal("an activity without a number"))?,
        cycle: logged.cycle,
        plan,
        task,
        department: some(logged.department),
        agent: some(logged.agent),
        other_case,
        problem: None,
        category: some(logged.category),
        priority: number(logged.priority),
        outcome: number(logged.outcome),
        detail: logged.detail,
        amount: amount.map(|amount| Money { minor: sign * amount.minor, ..amount }),
    });
    Ok(())
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn number(number: i32) -> Option<i16> {
    i16::try_from(number).ok().filter(|number| *number != 0)
}

#[cfg(test)]
mod tests {
    use proto::activity::ACTIVITIES;

    use super::*;

    /// The name of a number in the contract's list, in words.
    fn listed(number: i32) -> Option<String> {
        let listed = wire::ProcessActivity::try_from(number).ok()?;
        let name = listed.as_str_name().strip_prefix("PROCESS_ACTIVITY_")?;
        Some(name.replace('_', " ").to_lowercase())
    }

    #[test]
    fn activities_of_events_are_called_what_the_contract_lists() {
        for activity in ACTIVITIES {
            let listed = listed(activity.number);
            assert!(listed.is_none_or(|name| name == activity.name), "{activity:?}");
        }
        let no_event = |number: &i32| !ACTIVITIES.iter().any(|activity| activity.number == *number);
        let of_no_event: Vec<i32> = (1..48).filter(no_event).collect();
        assert_eq!(of_no_event, [i32::from(Activity::PROBLEM_LINKED.number())]);
        assert_eq!(activity_name(Activity::PROBLEM_LINKED), "problem linked");
    }

    #[test]
    fn activities_that_are_looked_for_are_called_what_they_are_looked_for_as() {
        let names = [Activity::TASK_COMPLETED, Activity::TASK_UNDONE, Activity::PUT_OFF].map(activity_name);
        assert_eq!(names, ["task completed", "task undone", "holding reply sent"]);
    }
}
