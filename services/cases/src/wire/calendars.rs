//! Contract ⇄ domain of calendars.

use calendar::{DayDraft, DayKind, Draft, Flaw, HolidayDraft, Hours, MAX_DAYS, MAX_RULES, Observed, builtin};
use fault::{Check, Fault};
use kernel::page::Page;
use proto::redress::cases::v1::{
    Calendar, CalendarChanged, CalendarContent, CalendarDay, CalendarDayKind, CalendarSummary, ClockRecount,
    CreateCalendarRequest, GetCalendarRequest, HolidayRule, ImportHolidaysRequest, ListCalendarsRequest,
    MovedDeadline, Observance, UpdateCalendarRequest, UpdateTimeZonesRequest, WorkingWeek,
};
use proto::timestamp;

use crate::calendars::{Edition, Listed};
use crate::clocks::policy_activation::Progress;
use crate::clocks::recalculation::{Found, Moved};
use crate::promise::number;

/// An edit of a calendar, as it is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Edit {
    /// Which calendar.
    pub(crate) name: String,
    /// The version seen; none skips the check.
    pub(crate) version: Option<i64>,
    /// Only to be tried.
    pub(crate) dry_run: bool,
    /// What is to change.
    pub(crate) change: Change,
}

/// What is to change of a calendar.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// All it says.
    All(Box<Draft>),
    /// Single days, and until when days are known, unless empty.
    Days(Vec<DayDraft>, String),
}

/// Reads a new calendar.
pub(crate) fn create(request: CreateCalendarRequest) -> Result<(String, Draft), Fault> {
    let CreateCalendarRequest { request_id, name, content } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let name = check.slug("name", name);
    let draft = draft(&mut check, content);
    check.done("INVALID_CALENDAR")?;
    Ok((name, draft))
}

/// Reads an edit that replaces all a calendar says.
pub(crate) fn update(request: UpdateCalendarRequest) -> Result<Edit, Fault> {
    let UpdateCalendarRequest { request_id, expected_version, name, content, validate_only } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let name = check.slug("name", name);
    let draft = draft(&mut check, content);
    check.done("INVALID_CALENDAR")?;
    Ok(Edit { name, version: expected_version, dry_run: validate_only, change: Change::All(Box::new(draft)) })
}

/// Reads an edit that adds or replaces single days.
pub(crate) fn import(request: ImportHolidaysRequest) -> Result<Edit, Fault> {
    let ImportHolidaysRequest { request_id, expected_version, name, days, known_until, validate_only } =
        request;
    let mut check = Check::new();
    check.request_id(request_id);
    let name = check.slug("name", name);
    let days = check.some("days", days, MAX_DAYS);
    let days = read_days(&mut check, "days", days);
    // Found sound by themselves, they are sound in any calendar.
    let alone = Draft { days, known_until, ..builtin::draft("always").unwrap_or_default() };
    note(&mut check, "", alone.check().err());
    check.done("INVALID_CALENDAR")?;
    let change = Change::Days(alone.days, alone.known_until);
    Ok(Edit { name, version: expected_version, dry_run: validate_only, change })
}

/// Reads which calendar is wanted, and which version of it.
pub(crate) fn get(request: GetCalendarRequest) -> Result<(String, Option<i64>), Fault> {
    let GetCalendarRequest { name, version } = request;
    let mut check = Check::new();
    let name = check.slug("name", name);
    check.done("INVALID_CALENDAR_NAME")?;
    Ok((name, version))
}

/// Reads which part of the list is wanted.
pub(crate) fn list(request: ListCalendarsRequest) -> Result<Page, Fault> {
    let ListCalendarsRequest { page_size, page_token } = request;
    let mut check = Check::new();
    let page = check.page(page_size, &page_token, "calendars");
    check.done("INVALID_LIST")?;
    Ok(page)
}

/// What is wrong with a calendar, told by fields of its content.
pub(crate) fn unsound(flaws: Vec<Flaw>) -> Fault {
    let mut check = Check::new();
    note(&mut check, "content.", Some(flaws));
    check
        .done("INVALID_CALENDAR")
        .err()
        .unwrap_or_else(|| Fault::internal("a calendar unsound without a flaw"))
}

fn draft(check: &mut Check, content: Option<CalendarContent>) -> Draft {
    let Some(content) = content else {
        check.fail("content", "is required");
        return Draft::default();
    };
    let CalendarContent { title, time_zone, hours, make_up_hours, known_until, holidays, days, source } =
        content;
    let holidays = check.list("content.holidays", holidays, MAX_RULES);
    let days = check.list("content.days", days, MAX_DAYS);
    let draft = Draft {
        title,
        zone: time_zone,
        hours: week(hours.unwrap_or_default()),
        make_up_hours,
        known_until,
        holidays: holidays.into_iter().enumerate().map(|(index, rule)| holiday(check, index, rule)).collect(),
        days: read_days(check, "content.days", days),
        source,
    };
    note(check, "content.", draft.check().err());
    draft
}

/// Notes flaws; the contract calls some fields by longer names than people write.
fn note(check: &mut Check, prefix: &str, flaws: Option<Vec<Flaw>>) {
    for Flaw { field, problem } in flaws.into_iter().flatten() {
        let field = match field.as_str() {
            "zone" => "time_zone".to_owned(),
            rule if rule.starts_with("holidays[") => {
                rule.replace("].since", "].since_year").replace("].until", "].until_year")
            }
            _ => field,
        };
        check.fail(&format!("{prefix}{field}"), problem);
    }
}

fn week(hours: WorkingWeek) -> Hours {
    let WorkingWeek { monday, tuesday, wednesday, thursday, friday, saturday, sunday } = hours;
    Hours { monday, tuesday, wednesday, thursday, friday, saturday, sunday }
}

fn holiday(check: &mut Check, index: usize, rule: HolidayRule) -> HolidayDraft {
    let observance = rule.observance();
    check.ensure(
        i32::from(observance) == rule.observance,
        &format!("content.holidays[{index}].observance"),
        "is not a known observance",
    );
    let HolidayRule { name, on, observance: _, since_year, until_year } = rule;
    // What is no year of ours is no year of any calendar: the check says so.
    let year = |year: Option<i32>| year.map(|year| i16::try_from(year).unwrap_or(i16::MIN));
    let observed = match observance {
        Observance::Next => Observed::Next,
        Observance::Nearest => Observed::Nearest,
        Observance::Never | Observance::Unspecified => Observed::Never,
    };
    HolidayDraft { name, on, observed, since: year(since_year), until: year(until_year) }
}

fn read_days(check: &mut Check, field: &str, days: Vec<CalendarDay>) -> Vec<DayDraft> {
    let day = |(index, day): (usize, CalendarDay)| {
        let CalendarDay { date, kind, name } = day;
        let kind = match CalendarDayKind::try_from(kind) {
            Ok(CalendarDayKind::Holiday) => DayKind::Holiday,
            Ok(CalendarDayKind::Workday) => DayKind::Workday,
            _ => {
                check.fail(&format!("{field}[{index}].kind"), "is not a known kind of day");
                DayKind::Holiday
            }
        };
        DayDraft { date, kind, name }
    };
    days.into_iter().enumerate().map(day).collect()
}

/// A calendar as callers see it.
pub(crate) fn calendar(edition: Edition, progress: Option<&Progress>) -> Calendar {
    let Edition { name, version, effective, draft } = edition;
    Calendar {
        name,
        version,
        effective_time: effective.map(timestamp),
        content: Some(content(draft)),
        recount: progress.map(recount),
    }
}

/// How far a change has reached the open clocks, as callers see it.
pub(crate) fn recount(progress: &Progress) -> ClockRecount {
    ClockRecount {
        begin_time: Some(timestamp(progress.begin)),
        case_count: progress.cases,
        finish_time: progress.finish.map(timestamp),
    }
}

/// A calendar in a list as callers see it.
pub(crate) fn summary(listed: Listed, progress: Option<&Progress>) -> CalendarSummary {
    let Listed { name, version, effective, title, zone, known_until } = listed;
    CalendarSummary {
        name,
        version,
        effective_time: effective.map(timestamp),
        title,
        time_zone: zone,
        known_until,
        recount: progress.map(recount),
    }
}

/// Longest name of a release of the time zones.
const MAX_RELEASE: usize = 32;

/// Reads which time zones are to be put in force, and whether only to try it.
pub(crate) fn zones(request: UpdateTimeZonesRequest) -> Result<(String, bool), Fault> {
    let UpdateTimeZonesRequest { request_id, expected_release, validate_only } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let release = check.text("expected_release", expected_release, MAX_RELEASE);
    check.done("INVALID_TIME_ZONES")?;
    Ok((release, validate_only))
}

/// Due times an edit moves as callers see them, as many as are told, and how many
/// there are.
pub(crate) fn moved(found: &Found) -> (Vec<MovedDeadline>, i64) {
    let deadline = |moved: &Moved| MovedDeadline {
        case_id: moved.case.to_string(),
        cycle: moved.cycle,
        kind: number(moved.kind).into(),
        before_time: moved.before.map(timestamp),
        after_time: moved.after.map(timestamp),
    };
    (found.moved.iter().map(deadline).collect(), i64::try_from(found.count).unwrap_or(i64::MAX))
}

fn content(draft: Draft) -> CalendarContent {
    let Draft { title, zone, hours, make_up_hours, known_until, holidays, days, source } = draft;
    let Hours { monday, tuesday, wednesday, thursday, friday, saturday, sunday } = hours;
    CalendarContent {
        title,
        time_zone: zone,
        hours: Some(WorkingWeek { monday, tuesday, wednesday, thursday, friday, saturday, sunday }),
        make_up_hours,
        known_until,
        holidays: holidays.into_iter().map(rule).collect(),
        days: days.into_iter().map(day).collect(),
        source,
    }
}

fn rule(holiday: HolidayDraft) -> HolidayRule {
    let HolidayDraft { name, on, observed, since, until } = holiday;
    let observance = match observed {
        Observed::Never => Observance::Never,
        Observed::Next => Observance::Next,
        Observed::Nearest => Observance::Nearest,
    };
    let year = |year: Option<i16>| year.map(i32::from);
    HolidayRule { name, on, observance: observance.into(), since_year: year(since), until_year: year(until) }
}

fn day(day: DayDraft) -> CalendarDay {
    let DayDraft { date, kind, name } = day;
    let kind = match kind {
        DayKind::Holiday => CalendarDayKind::Holiday,
        DayKind::Workday => CalendarDayKind::Workday,
    };
    CalendarDay { date, kind: kind.into(), name }
}

/// A version of a calendar as others are told of it.
pub(crate) fn changed(edition: &Edition) -> Result<CalendarChanged, Fault> {
    let content = serde_json::to_string(&edition.draft).map_err(Fault::internal)?;
    Ok(CalendarChanged { name: edition.name.clone(), version: edition.version, content })
}
