//! Actions about problems: how they are asked for, and how they read.

use fault::{Check, Fault};
use jiff::Timestamp;
use jiff::civil::Date;
use kernel::page::Page;
use proto::redress::feedback::v1 as wire;
use proto::timestamp;
use uuid::Uuid;

use super::{INVALID_REQUEST, read_key, time_key};
use crate::improvement::effect::Compared;
use crate::improvement::{Action, Filter, Kind, MAX_OWNER, MAX_TEXT, MAX_TITLE, State};

/// Reason of an action that cannot be.
const INVALID_IMPROVEMENT_ACTION: &str = "INVALID_IMPROVEMENT_ACTION";

/// What can be told of the effect of an action.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Effect {
    /// It is not done.
    NotDone,
    /// Nothing says what to count.
    NoSeries,
    /// What came before and after.
    Compared(Compared),
}

/// Who sees to an action, and by which day.
#[derive(Clone, Debug)]
pub(crate) struct Assigned {
    pub(crate) owner: String,
    pub(crate) due: Date,
}

/// An action that is to be created.
#[derive(Clone, Debug)]
pub(crate) struct CreatedAction {
    pub(crate) problem: Uuid,
    pub(crate) kind: Kind,
    pub(crate) title: String,
    pub(crate) assigned: Assigned,
}

fn assigned(check: &mut Check, owner: &str, due_date: &str) -> Assigned {
    let owner = check.required("owner", owner.trim().to_owned(), MAX_OWNER);
    let due = due_date.parse::<Date>().ok().filter(|due| due.year() > 1970 && due.year() < 9999);
    check.ensure(due.is_some(), "due_date", "must be a day, as `2026-11-29`");
    Assigned { owner, due: due.unwrap_or_default() }
}

pub(crate) fn created_action(request: wire::CreateImprovementActionRequest) -> Result<CreatedAction, Fault> {
    let wire::CreateImprovementActionRequest { request_id, problem_id, kind, title, owner, due_date } =
        request;
    let mut check = Check::new();
    check.request_id(request_id);
    let problem = check.id("problem_id", &problem_id);
    let kind = Kind::of(kind);
    check.ensure(kind.is_some(), "kind", "must be CORRECTIVE or PREVENTIVE");
    let title = check.required("title", title, MAX_TITLE);
    let assigned = assigned(&mut check, &owner, &due_date);
    check.done(INVALID_IMPROVEMENT_ACTION)?;
    Ok(CreatedAction { problem, kind: kind.unwrap_or(Kind::Corrective), title, assigned })
}

/// An action that somebody does something to, who has seen a version of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SeenAction {
    pub(crate) id: Uuid,
    pub(crate) version: i64,
}

fn seen(check: &mut Check, id: &str, version: i64) -> SeenAction {
    let id = check.id("action_id", id);
    check.ensure(version > 0, "expected_version", "must be positive");
    SeenAction { id, version }
}

pub(crate) fn updated_action(
    request: wire::UpdateImprovementActionRequest,
) -> Result<(SeenAction, Assigned), Fault> {
    let wire::UpdateImprovementActionRequest { request_id, action_id, expected_version, owner, due_date } =
        request;
    let mut check = Check::new();
    check.request_id(request_id);
    let seen = seen(&mut check, &action_id, expected_version);
    let assigned = assigned(&mut check, &owner, &due_date);
    check.done(INVALID_IMPROVEMENT_ACTION)?;
    Ok((seen, assigned))
}

pub(crate) fn completed_action(
    request: wire::CompleteImprovementActionRequest,
) -> Result<(SeenAction, String), Fault> {
    let wire::CompleteImprovementActionRequest { request_id, action_id, expected_version, note } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let seen = seen(&mut check, &action_id, expected_version);
    let note = check.required("note", note, MAX_TEXT);
    check.done(INVALID_IMPROVEMENT_ACTION)?;
    Ok((seen, note))
}

pub(crate) fn assessed_action(
    request: wire::AssessImprovementActionRequest,
) -> Result<(SeenAction, bool, String), Fault> {
    let wire::AssessImprovementActionRequest { request_id, action_id, expected_version, effective, finding } =
        request;
    let mut check = Check::new();
    check.request_id(request_id);
    let seen = seen(&mut check, &action_id, expected_version);
    let finding = check.required("finding", finding, MAX_TEXT);
    check.done(INVALID_IMPROVEMENT_ACTION)?;
    Ok((seen, effective, finding))
}

pub(crate) fn action_of(request: wire::GetImprovementActionRequest) -> Result<Uuid, Fault> {
    let wire::GetImprovementActionRequest { action_id } = request;
    let mut check = Check::new();
    let id = check.id("action_id", &action_id);
    check.done(INVALID_REQUEST)?;
    Ok(id)
}

/// Which actions to list, from where on.
#[derive(Clone, Debug)]
pub(crate) struct ActionListQuery {
    pub(crate) filter: Filter,
    pub(crate) page: Page,
    pub(crate) after: Option<(Timestamp, Uuid)>,
}

pub(crate) fn actions_of(
    request: wire::ListImprovementActionsRequest,
    now: Timestamp,
) -> Result<ActionListQuery, Fault> {
    let wire::ListImprovementActionsRequest { page_size, page_token, problem_id, state, overdue } = request;
    let mut check = Check::new();
    let filters = format!("problem={problem_id} state={state} overdue={overdue}");
    let page = check.page(page_size, &page_token, &filters);
    let problem = check.optional_id("problem_id", &problem_id);
    let by_state = State::of(state);
    check.ensure(state == 0 || by_state.is_some(), "state", "is not a state of an action");
    let after = page.after.as_deref().map(read_key);
    check.ensure(after != Some(None), "page_token", "is not of this list");
    check.done(INVALID_REQUEST)?;
    let filter = Filter { problem, state: by_state, overdue_at: overdue.then_some(now) };
    Ok(ActionListQuery { filter, page, after: after.flatten() })
}

/// Where an action stands in the list.
pub(crate) fn action_key(action: &Action) -> String {
    time_key(action.created, action.id)
}

/// An effect, as it is told. Takes its time: its interval is computed.
pub(crate) fn effect(effect: Effect) -> wire::ImprovementEffect {
    use wire::ImprovementEffectState as State;
    let of = |state: State| wire::ImprovementEffect { state: state.into(), ..Default::default() };
    let compared = match effect {
        Effect::NotDone => return of(State::NotDone),
        Effect::NoSeries => return of(State::NoSeries),
        Effect::Compared(compared) => compared,
    };
    let (days, ratio) = (i32::try_from(compared.days).unwrap_or(i32::MAX), compared.ratio());
    let state = if ratio.is_some() { State::Measured } else { State::NotEnoughData };
    let (before_rate, after_rate) = compared.rates();
    wire::ImprovementEffect {
        state: state.into(),
        days,
        before_count: compared.before,
        after_count: compared.after,
        before_rate,
        after_rate,
        ratio: ratio.and_then(|ratio| ratio.ratio),
        ratio_lower: ratio.map(|ratio| ratio.lower),
        ratio_upper: ratio.and_then(|ratio| ratio.upper),
    }
}

/// An action, as it is told, without its effect.
pub(crate) fn action(action: Action, now: Timestamp) -> wire::ImprovementAction {
    let (state, overdue) = (action.state(), action.is_overdue(now));
    let Action { id, version, problem, kind, title, owner, due, overdue_told: _, created, creator, .. } =
        action;
    let (done_time, done_by, done_note) =
        action.done.map_or_else(Default::default, |word| (Some(timestamp(word.at)), word.by, word.text));
    let (assess_time, assessor, finding) = action
        .assessed
        .map_or_else(Default::default, |(word, _)| (Some(timestamp(word.at)), word.by, word.text));
    wire::ImprovementAction {
        action_id: id.to_string(),
        version,
        problem_id: problem.to_string(),
        kind: kind.number().into(),
        title,
        owner,
        due_date: due.day.to_string(),
        state: state.number().into(),
        overdue,
        create_time: Some(timestamp(created)),
        creator,
        done_time,
        done_by,
        done_note,
        assess_time,
        assessor,
        finding,
        effect: None,
    }
}

/// What is told when the day of an action passes.
pub(crate) fn improvement_overdue(action: &Action) -> wire::ImprovementOverdue {
    wire::ImprovementOverdue {
        action_id: action.id.to_string(),
        problem_id: action.problem.to_string(),
        title: action.title.clone(),
        owner: action.owner.clone(),
        due_date: action.due.day.to_string(),
    }
}
