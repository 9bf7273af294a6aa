//! Calendars, and the due times an edit moves.

use proto::redress::cases::v1::{
    Calendar, CalendarDayKind, CalendarSummary, ClockKind, ClockRecount, ListCalendarsResponse,
    MovedDeadline, Observance, UpdateTimeZonesResponse,
};

use super::{more, none_of};
use crate::lines::time;
use crate::table::{Table, facts, one_line};
use crate::words::word;

/// One calendar: its week, its rules, its single days of late.
pub fn calendar(calendar: &Calendar) -> String {
    let content = calendar.content.clone().unwrap_or_default();
    let hours = content.hours.unwrap_or_default();
    let head = facts(&[
        ("calendar", calendar.name.clone()),
        ("version", version(calendar.version)),
        ("since", time(calendar.effective_time.as_ref())),
        ("has reached", recount(calendar.recount.as_ref())),
        ("what", content.title),
        ("zone", content.time_zone),
        ("known until", content.known_until),
        ("monday", hours.monday.join(", ")),
        ("tuesday", hours.tuesday.join(", ")),
        ("wednesday", hours.wednesday.join(", ")),
        ("thursday", hours.thursday.join(", ")),
        ("friday", hours.friday.join(", ")),
        ("saturday", hours.saturday.join(", ")),
        ("sunday", hours.sunday.join(", ")),
        ("make-up days", content.make_up_hours.join(", ")),
        ("single days", content.days.len().to_string()),
        ("source", content.source),
    ]);
    let mut rules = Table::new(["holiday", "on", "on a day off"]);
    for rule in &content.holidays {
        rules.row([rule.name.clone(), rule.on.clone(), word::<Observance>(rule.observance)]);
    }
    let mut days = Table::new(["day", "is", "name"]);
    let mut latest: Vec<_> = content.days.iter().collect();
    latest.sort_by(|one, other| other.date.cmp(&one.date));
    for day in latest.into_iter().take(SHOWN_DAYS) {
        days.row([day.date.clone(), word::<CalendarDayKind>(day.kind), day.name.clone()]);
    }
    let rules = if content.holidays.is_empty() { String::new() } else { format!("\n{}", rules.render()) };
    let days = if content.days.is_empty() { String::new() } else { format!("\n{}", days.render()) };
    head + &rules + &days
}

/// How many single days are shown, the latest first.
const SHOWN_DAYS: usize = 20;

/// One calendar in short.
pub fn calendar_in_short(calendar: &CalendarSummary) -> String {
    facts(&[
        ("calendar", calendar.name.clone()),
        ("version", version(calendar.version)),
        ("since", time(calendar.effective_time.as_ref())),
        ("has reached", recount(calendar.recount.as_ref())),
        ("what", calendar.title.clone()),
        ("zone", calendar.time_zone.clone()),
        ("known until", calendar.known_until.clone()),
    ])
}

/// A page of calendars.
pub fn calendars(list: &ListCalendarsResponse) -> String {
    if list.calendars.is_empty() {
        return none_of("calendars", &list.next_page_token);
    }
    let mut table = Table::new(["calendar", "version", "zone", "known until", "what"]);
    for calendar in &list.calendars {
        table.row([
            calendar.name.clone(),
            version(calendar.version),
            calendar.time_zone.clone(),
            calendar.known_until.clone(),
            calendar.title.clone(),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

/// What an edit made of a calendar, and which due times it moves.
pub fn moved(
    calendar: Option<&CalendarSummary>,
    moved: &[MovedDeadline],
    count: i64,
    partial: bool,
) -> String {
    let head = calendar.map(calendar_in_short).unwrap_or_default();
    let mut table = Table::new(["case", "cycle", "promise", "due before", "due after"]);
    for deadline in moved {
        table.row([
            deadline.case_id.clone(),
            deadline.cycle.to_string(),
            word::<ClockKind>(deadline.kind),
            time(deadline.before_time.as_ref()),
            time(deadline.after_time.as_ref()),
        ]);
    }
    let rows = if moved.is_empty() { String::new() } else { format!("\n{}", table.render()) };
    let most = if partial { " of those that could be looked at; a dry run tells all" } else { "" };
    format!("{head}{rows}{count} due times move{most}\n")
}

/// How far a change has reached the open clocks.
pub fn recount(recount: Option<&ClockRecount>) -> String {
    let Some(recount) = recount else { return String::new() };
    match &recount.finish_time {
        Some(_) => format!("all, by {}", time(recount.finish_time.as_ref())),
        None => format!("{} cases so far", recount.case_count),
    }
}

/// Time zones that were put in force, or would be, and the due times they move.
pub fn zones(answer: &UpdateTimeZonesResponse) -> String {
    format!("time zones of {}\n", one_line(&answer.release))
        + &moved(None, &answer.moved, answer.moved_count, false)
}

fn version(version: i64) -> String {
    if version == 0 { "built in".to_owned() } else { version.to_string() }
}
