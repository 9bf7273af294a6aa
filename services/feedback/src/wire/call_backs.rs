//! Call-backs: who is called, what came of it, and how they are shown.

use std::collections::HashMap;

use fault::{Check, Fault};
use jiff::{SignedDuration, Timestamp};
use kernel::CaseId;
use kernel::page::Page;
use proto::redress::feedback::v1 as wire;
use proto::timestamp;
use uuid::Uuid;

use super::surveys::within;
use super::{INVALID_REQUEST, read_key, time_key};
use crate::call_back::CallBackFilter;
use crate::call_back::{
    Attempt, CallBack, Count, Dialled, LEAST_URGENT, MAX_ATTEMPTS, MAX_SEED, MAX_WORKING_HOURS, Outcome,
    Policy, State, Wish,
};
use crate::notice::Contact;
use crate::profile::Profile;
use crate::response::MAX_COMMENT;
use crate::revision::{MAX_NOTE, Revision};
use crate::sample::Draw;
use crate::working_hours;

/// Reason of an attempt that is malformed.
const INVALID_ATTEMPT: &str = "INVALID_ATTEMPT";
/// Reason of a request for a call that is malformed.
const INVALID_CALL_BACK_REQUEST: &str = "INVALID_CALL_BACK_REQUEST";
/// Longest number.
const MAX_PHONE: usize = 40;
/// Longest note of what somebody wants to talk about.
const MAX_WISH: usize = 2_000;
/// How far a clock may be ahead of ours.
const MAX_SKEW: SignedDuration = SignedDuration::from_mins(5);
/// How far ahead somebody may wish to be called.
const MAX_AHEAD: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Longest time within which somebody may wish to be called.
const MAX_WINDOW: SignedDuration = SignedDuration::from_hours(14 * 24);
/// Longest time that is counted.
const MAX_PERIOD: SignedDuration = SignedDuration::from_hours(400 * 24);

/// A policy somebody wants, and why; a seed is drawn where none is named.
pub(crate) fn made_policy(
    request: wire::CreateCallBackPolicyRequest,
    seed_drawn: &str,
) -> Result<(Policy, String), Fault> {
    let wire::CreateCallBackPolicyRequest { request_id, policy } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    check.ensure(policy.is_some(), "policy", "is required");
    let given = policy.is_some();
    let wire::CallBackPolicy {
        priority_up_to,
        vulnerable,
        about_staff,
        dissatisfied,
        sample_percent,
        seed,
        within_working_hours,
        retry_working_hours,
        max_attempts,
        announced,
        note,
        version: _,
        create_time: _,
        creator: _,
        activate_time: _,
        activator: _,
    } = policy.unwrap_or_default();
    if given {
        let mut bounds = |field: &str, number: i32, least: i32, most: i32| {
            within(&mut check, &format!("policy.{field}"), number, least..=most);
        };
        bounds("priority_up_to", priority_up_to, 0, LEAST_URGENT);
        bounds("sample_percent", sample_percent, 0, 100);
        bounds("within_working_hours", within_working_hours, 1, MAX_WORKING_HOURS);
        bounds("retry_working_hours", retry_working_hours, 1, MAX_WORKING_HOURS);
        bounds("max_attempts", max_attempts, 1, MAX_ATTEMPTS);
    }
    let seed = check.text("policy.seed", seed, MAX_SEED);
    let note = check.text("policy.note", note, MAX_NOTE);
    check.done("INVALID_CALL_BACK_POLICY")?;
    let policy = Policy {
        priority_up_to: i16::try_from(priority_up_to).map_err(Fault::internal)?,
        vulnerable,
        about_staff,
        dissatisfied,
        sample_percent: i16::try_from(sample_percent).map_err(Fault::internal)?,
        seed: if seed.is_empty() { seed_drawn.to_owned() } else { seed },
        within_working_hours,
        retry_working_hours,
        max_attempts,
        announced,
    };
    Ok((policy, note))
}

pub(crate) fn policy_version(request: wire::ActivateCallBackPolicyRequest) -> Result<i64, Fault> {
    let wire::ActivateCallBackPolicyRequest { request_id, version } = request;
    super::surveys::activated(wire::ActivateQuestionnaireRequest { request_id, version })
}

pub(crate) fn policy(revision: Revision<Policy>) -> wire::CallBackPolicy {
    let Revision { version, content, note, created, activated } = revision;
    let Policy {
        priority_up_to,
        vulnerable,
        about_staff,
        dissatisfied,
        sample_percent,
        seed,
        within_working_hours,
        retry_working_hours,
        max_attempts,
        announced,
    } = content;
    let (create_time, creator) = created.map_or((None, String::new()), |(at, by)| (Some(timestamp(at)), by));
    let (activate_time, activator) =
        activated.map_or((None, String::new()), |(at, by)| (Some(timestamp(at)), by));
    wire::CallBackPolicy {
        version,
        priority_up_to: priority_up_to.into(),
        vulnerable,
        about_staff,
        dissatisfied,
        sample_percent: sample_percent.into(),
        seed,
        within_working_hours,
        retry_working_hours,
        max_attempts,
        announced,
        note,
        create_time,
        creator,
        activate_time,
        activator,
    }
}

/// An attempt somebody wants recorded.
#[derive(Clone, Debug)]
pub(crate) struct Attempted {
    pub(crate) id: Uuid,
    pub(crate) outcome: Outcome,
    pub(crate) satisfied: Option<bool>,
    pub(crate) note: String,
}

impl Attempted {
    /// Checks that it says whether they are satisfied, where that was to be asked.
    pub(crate) fn check_asked(&self, call_back: &CallBack) -> Result<(), Fault> {
        let is_open = self.outcome == Outcome::Reached && self.satisfied.is_none();
        let mut check = Check::new();
        check.ensure(
            !is_open || call_back.is_only_requested(),
            "satisfied",
            "is required of who was reached, unless they only asked to be called",
        );
        check.done(INVALID_ATTEMPT)
    }

    /// The attempt, as it is recorded.
    pub(crate) fn attempt(self, number: i32, caller: String, at: Timestamp) -> Attempt {
        let Self { id: _, outcome, satisfied, note } = self;
        Attempt { number, at, caller, outcome, satisfied, note, disputed: false }
    }
}

pub(crate) fn attempt(request: wire::RecordCallBackAttemptRequest) -> Result<Attempted, Fault> {
    let wire::RecordCallBackAttemptRequest { request_id, call_back_id, outcome, satisfied, note } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let id = check.id("call_back_id", &call_back_id);
    let outcome = Outcome::of(outcome);
    check.ensure(outcome.is_some(), "outcome", "must be REACHED, NOT_REACHED or REFUSED");
    let reached = outcome == Some(Outcome::Reached);
    if outcome.is_some() {
        check.ensure(reached || satisfied.is_none(), "satisfied", "is said of who was reached only");
    }
    let note = match satisfied {
        Some(false) => check.required("note", note, MAX_COMMENT),
        _ => check.text("note", note, MAX_COMMENT),
    };
    check.done(INVALID_ATTEMPT)?;
    Ok(Attempted { id, outcome: outcome.unwrap_or(Outcome::NotReached), satisfied, note })
}

/// A call that somebody asks for.
#[derive(Clone, Debug)]
pub(crate) struct WantedCall {
    pub(crate) case_id: CaseId,
    /// Between which times; none for as soon as may be.
    pub(crate) window: Option<(Timestamp, Timestamp)>,
    /// At which number; empty for the one that is known.
    pub(crate) phone: String,
    /// What about.
    pub(crate) note: String,
}

const START: &str = "prefer_start_time";
const END: &str = "prefer_end_time";

/// Reads a call that somebody asks for; what depends on the time it is now is checked by
/// [`WantedCall::due`].
pub(crate) fn call_wanted(request: wire::RequestCallBackRequest) -> Result<WantedCall, Fault> {
    let wire::RequestCallBackRequest { request_id, case_id, prefer_start_time, prefer_end_time, phone, note } =
        request;
    let mut check = Check::new();
    check.request_id(request_id);
    let case_id = check.id("case_id", &case_id);
    check.ensure(prefer_start_time.is_some() || prefer_end_time.is_none(), START, "is required with its end");
    check.ensure(prefer_end_time.is_some() || prefer_start_time.is_none(), END, "is required with its start");
    let start = check.time(START, prefer_start_time);
    let window = start.zip(check.time(END, prefer_end_time));
    if let Some((start, end)) = window {
        let long = end.duration_since(start);
        check.ensure(long.is_positive(), END, "must be after prefer_start_time");
        check.ensure(long <= MAX_WINDOW, END, "must be at most 14 days after prefer_start_time");
    }
    let phone = check.text("phone", phone.trim().to_owned(), MAX_PHONE);
    let note = check.text("note", note, MAX_WISH);
    check.done(INVALID_CALL_BACK_REQUEST)?;
    Ok(WantedCall { case_id, window, phone, note })
}

impl WantedCall {
    /// From when on and by when they are called who prefer a time: the last moment of it that
    /// is worked in a zone. None where they prefer none.
    pub(crate) fn due(&self, zone: &str, now: Timestamp) -> Result<Option<(Timestamp, Timestamp)>, Fault> {
        let Some((start, end)) = self.window else { return Ok(None) };
        let mut check = Check::new();
        let ahead = start.duration_since(now);
        check.ensure(ahead >= -MAX_SKEW, START, "must not be in the past");
        check.ensure(ahead <= MAX_AHEAD, START, "must be within 30 days");
        let start = start.max(now);
        let last = working_hours::last_within(zone, start, end);
        check.ensure(last.is_some(), END, "leaves no working moment in the zone of the case");
        check.done(INVALID_CALL_BACK_REQUEST)?;
        Ok(last.map(|last| (start, last)))
    }
}

/// Which call-backs to list, from where on.
#[derive(Clone, Debug)]
pub(crate) struct CallBackListQuery {
    pub(crate) filter: CallBackFilter,
    pub(crate) page: Page,
    pub(crate) after: Option<(Timestamp, Uuid)>,
}

pub(crate) fn call_backs_of(request: wire::ListCallBacksRequest) -> Result<CallBackListQuery, Fault> {
    let wire::ListCallBacksRequest { page_size, page_token, case_id, state } = request;
    let mut check = Check::new();
    let page = check.page(page_size, &page_token, &format!("case={case_id} state={state}"));
    let case_id = check.optional_id("case_id", &case_id);
    let by_state = State::of(state);
    check.ensure(state == 0 || by_state.is_some(), "state", "is not a state of a call-back");
    check.ensure(case_id.is_none() || state == 0, "state", "cannot be combined with case_id");
    let after = page.after.as_deref().map(read_key);
    check.ensure(after != Some(None), "page_token", "is not of this list");
    check.done(INVALID_REQUEST)?;
    let filter = match (case_id, by_state) {
        (Some(case_id), _) => CallBackFilter::Case(case_id),
        (None, Some(State::Due)) => CallBackFilter::Due,
        (None, Some(state)) => CallBackFilter::State(state),
        (None, None) => CallBackFilter::All,
    };
    Ok(CallBackListQuery { filter, page, after: after.flatten() })
}

/// Where a call-back stands in the lists.
pub(crate) fn call_back_key(call_back: &CallBack) -> String {
    let due = call_back.due.unwrap_or(call_back.created);
    time_key(due, call_back.id)
}

/// The time that is counted.
pub(crate) fn period(request: wire::CountCallBacksRequest) -> Result<(Timestamp, Timestamp), Fault> {
    let wire::CountCallBacksRequest { start_time, end_time } = request;
    let mut check = Check::new();
    check.ensure(start_time.is_some(), "start_time", "is required");
    check.ensure(end_time.is_some(), "end_time", "is required");
    let start = check.time("start_time", start_time);
    let end = check.time("end_time", end_time);
    if let (Some(start), Some(end)) = (start, end) {
        let long = end.duration_since(start);
        check.ensure(long.is_positive(), "end_time", "must be after start_time");
        check.ensure(long <= MAX_PERIOD, "end_time", "must be at most 400 days after start_time");
    }
    check.done(INVALID_REQUEST)?;
    Ok((start.unwrap_or_default(), end.unwrap_or_default()))
}

pub(crate) fn counted(count: Count) -> wire::CountCallBacksResponse {
    let reached_share = count.reached_share();
    let Count { owed, due, reached, refused, not_reached, satisfied } = count;
    wire::CountCallBacksResponse { owed, due, reached, refused, not_reached, satisfied, reached_share }
}

/// A call-back, and whom to call.
pub(crate) fn call_back(
    call_back: CallBack,
    contacts: &HashMap<CaseId, Contact>,
    profiles: &HashMap<CaseId, Profile>,
    now: Timestamp,
) -> wire::CallBack {
    let contact = contacts.get(&call_back.case_id);
    let (display_name, language) =
        contact.map_or_else(Default::default, |contact| (contact.name.clone(), contact.language.clone()));
    let profile = profiles.get(&call_back.case_id).cloned().unwrap_or_default();
    let Dialled { phone, kind, until } = call_back.wish.dialled(&profile, now);
    let CallBack {
        id,
        case_id,
        cycle,
        state,
        causes,
        policy,
        draw,
        zone,
        created,
        due,
        ended,
        wish,
        attempts,
    } = call_back;
    let Wish { phone: _, not_before, requester, note } = wish;
    wire::CallBack {
        call_back_id: id.to_string(),
        case_id: case_id.to_string(),
        cycle,
        state: state.number().into(),
        causes: causes.into_iter().map(|cause| cause.number().into()).collect(),
        policy_version: policy,
        draw: draw.map(shown_draw),
        create_time: Some(timestamp(created)),
        due_time: due.map(timestamp),
        time_zone: zone,
        end_time: ended.map(timestamp),
        display_name,
        phone,
        language,
        attempts: attempts.into_iter().map(shown_attempt).collect(),
        phone_kind: kind.map_or(0, |kind| kind.number().into()),
        phone_expire_time: until.map(timestamp),
        prefer_start_time: not_before.map(timestamp),
        requester,
        note,
    }
}

fn shown_draw(draw: Draw) -> wire::CallBackDraw {
    let chance = draw.chance();
    let Draw { month, stratum, owed_before, drawn_before, ticket, percent } = draw;
    wire::CallBackDraw { month, stratum, owed_before, drawn_before, ticket, percent: percent.into(), chance }
}

fn shown_attempt(attempt: Attempt) -> wire::CallBackAttempt {
    let Attempt { number, at, caller, outcome, satisfied, note, disputed } = attempt;
    wire::CallBackAttempt {
        number,
        attempt_time: Some(timestamp(at)),
        caller,
        outcome: outcome.number().into(),
        satisfied,
        note,
        disputed,
    }
}

pub(crate) fn opened(call_back: &CallBack) -> wire::CallBackOpened {
    wire::CallBackOpened {
        case_id: call_back.case_id.to_string(),
        cycle: call_back.cycle,
        call_back_id: call_back.id.to_string(),
        causes: call_back.causes.iter().map(|cause| cause.number().into()).collect(),
        due_time: call_back.due.map(timestamp),
    }
}

pub(crate) fn attempted(call_back: &CallBack, attempt: &Attempt) -> wire::CallBackAttempted {
    wire::CallBackAttempted {
        case_id: call_back.case_id.to_string(),
        cycle: call_back.cycle,
        call_back_id: call_back.id.to_string(),
        number: attempt.number,
        outcome: attempt.outcome.number().into(),
        satisfied: attempt.satisfied,
        ended: call_back.ended.is_some(),
    }
}
