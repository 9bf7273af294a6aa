//! Call-backs, and who is called.

use proto::redress::feedback::v1::{
    CallBack, CallBackAttempt, CallBackCause, CallBackDraw, CallBackOutcome, CallBackPhone, CallBackPolicy,
    CallBackState, CountCallBacksResponse, ListCallBacksResponse,
};

use super::{more, none_of};
use crate::lines::time;
use crate::table::{Table, facts};
use crate::words::word;

/// A page of call-backs.
pub fn call_backs(list: &ListCallBacksResponse) -> String {
    if list.call_backs.is_empty() {
        return none_of("call-backs", &list.next_page_token);
    }
    let mut table =
        Table::new(["call-back", "case", "cycle", "state", "due", "zone", "why", "tried", "name", "phone"]);
    for one in &list.call_backs {
        table.row([
            one.call_back_id.clone(),
            one.case_id.clone(),
            one.cycle.to_string(),
            word::<CallBackState>(one.state),
            time(one.due_time.as_ref()),
            one.time_zone.clone(),
            causes(one),
            one.attempts.len().to_string(),
            one.display_name.clone(),
            one.phone.clone(),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

fn causes(call_back: &CallBack) -> String {
    call_back.causes.iter().map(|cause| word::<CallBackCause>(*cause)).collect::<Vec<_>>().join(", ")
}

/// One call-back, how it was drawn, and each attempt.
pub fn call_back(one: &CallBack) -> String {
    let head = facts(&[
        ("call-back", one.call_back_id.clone()),
        ("case", one.case_id.clone()),
        ("cycle", one.cycle.to_string()),
        ("state", word::<CallBackState>(one.state)),
        ("why", causes(one)),
        ("drawn", one.draw.as_ref().map(draw).unwrap_or_default()),
        ("due", time(one.due_time.as_ref())),
        ("zone", one.time_zone.clone()),
        ("name", one.display_name.clone()),
        ("phone", phone(one)),
        ("language", one.language.clone()),
        ("not before", time(one.prefer_start_time.as_ref())),
        ("asked for by", one.requester.clone()),
        ("about", one.note.clone()),
        ("ended", time(one.end_time.as_ref())),
    ]);
    if one.attempts.is_empty() {
        return head;
    }
    let mut table =
        Table::new(["tried", "when", "by", "came of it", "satisfied", "disputed", "what was said"]);
    for attempt in &one.attempts {
        table.row([
            attempt.number.to_string(),
            time(attempt.attempt_time.as_ref()),
            attempt.caller.clone(),
            word::<CallBackOutcome>(attempt.outcome),
            satisfied(attempt).to_owned(),
            if attempt.disputed { "yes" } else { "no" }.to_owned(),
            attempt.note.clone(),
        ]);
    }
    format!("{head}\n{}", table.render())
}

/// The number to call, which it is, and until when.
fn phone(one: &CallBack) -> String {
    let until = one.phone_expire_time.as_ref().map(|until| format!(" until {}", time(Some(until))));
    match CallBackPhone::try_from(one.phone_kind) {
        Ok(CallBackPhone::Masked) => format!("{} (masked{})", one.phone, until.unwrap_or_default()),
        Ok(CallBackPhone::Requested) => format!("{} (as they asked)", one.phone),
        _ => one.phone.clone(),
    }
}

fn satisfied(attempt: &CallBackAttempt) -> &'static str {
    match attempt.satisfied {
        Some(true) => "yes",
        Some(false) => "no",
        None => "–",
    }
}

fn draw(draw: &CallBackDraw) -> String {
    let CallBackDraw { month, stratum, owed_before, drawn_before, ticket, percent, chance } = draw;
    format!(
        "{month}, stratum {stratum}, {percent} %: ticket {ticket:.6} is less than {chance:.6} \
         (owed {owed_before} hundredths, drawn {drawn_before})"
    )
}

/// What came of the call-backs of a time.
pub fn call_back_count(count: &CountCallBacksResponse) -> String {
    let share = count.reached_share.map_or_else(String::new, |share| format!("{:.1} %", share * 100.0));
    facts(&[
        ("owed", count.owed.to_string()),
        ("due", count.due.to_string()),
        ("reached", count.reached.to_string()),
        ("refused", count.refused.to_string()),
        ("not reached", count.not_reached.to_string()),
        ("satisfied", count.satisfied.to_string()),
        ("share reached", share),
    ])
}

/// A version of who is called back.
pub fn call_back_policy(policy: &CallBackPolicy) -> String {
    let yes = |holds: bool| if holds { "yes" } else { "no" }.to_owned();
    let urgent = match policy.priority_up_to {
        0 => "none".to_owned(),
        least => format!("P1 to P{least}"),
    };
    facts(&[
        ("version", policy.version.to_string()),
        ("urgent", urgent),
        ("vulnerable", yes(policy.vulnerable)),
        ("about staff", yes(policy.about_staff)),
        ("dissatisfied", yes(policy.dissatisfied)),
        ("sample", format!("{} %", policy.sample_percent)),
        ("seed", policy.seed.clone()),
        ("within", format!("{} working hours", policy.within_working_hours)),
        ("again after", format!("{} working hours", policy.retry_working_hours)),
        ("announced", if policy.announced { "yes" } else { "no" }.to_owned()),
        ("attempts", policy.max_attempts.to_string()),
        ("note", policy.note.clone()),
        ("made", time(policy.create_time.as_ref())),
        ("by", policy.creator.clone()),
        ("in force since", time(policy.activate_time.as_ref())),
        ("put so by", policy.activator.clone()),
    ])
}
