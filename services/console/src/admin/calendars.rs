//! Calendars: their hours, holidays and single days, a line each; looked at over a year, tried on
//! every open clock.

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use proto::redress::cases::v1::calendar_service_client::CalendarServiceClient;
use proto::redress::cases::v1::{
    Calendar, CalendarContent, CalendarDay, CalendarDayKind, CalendarSummary, CreateCalendarRequest,
    GetCalendarRequest, HolidayRule, ListCalendarsRequest, Observance, UpdateCalendarRequest, WorkingWeek,
};
use serde::Deserialize;

use super::direct::{Direct, EditQuery, STAND, VERSION, only_new};
use super::input::{Input, InputKind, Placed, all_wrong, items, line_of_item, place_in, wrong_line};
use super::policies::moved_trial;
use super::trial::Trial;
use super::year::{self, DayCell, Month};
use super::{Admin, ROWS, encoded};
use crate::form::Posted;
use crate::page::{Frame, html};
use crate::problem::{Problem, Violation};
use crate::words::Words;

/// Between the parts of a line.
const BAR: char = '|';
/// The first year that is drawn, and the last: those that are counted by.
const YEARS: std::ops::RangeInclusive<i16> = 1970..=2149;
/// The fields of a week.
const WEEK: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

pub(super) struct Calendars;

#[derive(Template)]
#[template(path = "admin/calendars.html")]
struct ListPage {
    f: Frame,
    calendars: Vec<CalendarSummary>,
}

pub(super) async fn list(admin: Admin) -> Result<Response, Problem> {
    let request = ListCalendarsRequest { page_size: ROWS, page_token: String::new() };
    let mut service = CalendarServiceClient::new(admin.client.calls());
    let calendars = service.list_calendars(request).await?.into_inner().calendars;
    Ok(html(&ListPage { f: Frame::new(&admin.visitor, admin.words().calendars(), "admin"), calendars }))
}

/// Which year, and which version.
#[derive(Default, Deserialize)]
pub(super) struct Shown {
    #[serde(default)]
    year: Option<i16>,
    #[serde(default)]
    version: Option<i64>,
}

#[derive(Template)]
#[template(path = "admin/calendar.html")]
struct YearPage {
    f: Frame,
    version: i64,
    content: CalendarContent,
    year: i16,
    months: Vec<Month>,
    /// Holidays and days that are made up for.
    special: Vec<DayCell>,
    edit: String,
}

impl YearPage {
    fn at(&self, year: i16) -> String {
        format!("?year={year}&version={}", self.version)
    }
}

pub(super) async fn show(
    admin: Admin,
    Path(name): Path<String>,
    Query(shown): Query<Shown>,
) -> Result<Response, Problem> {
    let Calendar { name, version, content, .. } = get(&admin, &name, shown.version).await?;
    let content = content.unwrap_or_default();
    let today = admin.visitor.app.clock.now().to_zoned(admin.visitor.zone.clone()).date();
    let year = shown.year.filter(|year| YEARS.contains(year)).unwrap_or_else(|| today.year());
    let months = server::aside(true, || {
        year::calendar(&content).map(|calendar| year::months(&calendar, &content, year)).unwrap_or_default()
    });
    let all = months.iter().flat_map(|month| &month.weeks).flatten().flatten();
    let is_special = |day: &&DayCell| matches!(day.is, year::Is::Holiday | year::Is::MakeUp);
    let special = all.filter(is_special).cloned().collect();
    Ok(html(&YearPage {
        f: Frame::new(&admin.visitor, format!("{name} · {year}"), "admin"),
        edit: admin.path(&format!("/admin/calendars/edit?id={}", encoded(&name))),
        version,
        content,
        year,
        months,
        special,
    }))
}

async fn get(admin: &Admin, name: &str, version: Option<i64>) -> Result<Calendar, Problem> {
    let request = GetCalendarRequest { name: name.to_owned(), version };
    let answer = CalendarServiceClient::new(admin.client.calls()).get_calendar(request).await?;
    answer.into_inner().calendar.ok_or_else(|| Problem::broken("a calendar is missing from its answer"))
}

fn observance(rule: &HolidayRule) -> &'static str {
    match rule.observance() {
        Observance::Next => "next",
        Observance::Nearest => "nearest",
        Observance::Never | Observance::Unspecified => "",
    }
}

/// `12-25 | Christmas Day | next | 1990-2030`, what is at the end left out.
fn rule_line(rule: &HolidayRule) -> String {
    let year = |year: Option<i32>| year.map(|year| year.to_string()).unwrap_or_default();
    let years = match (rule.since_year, rule.until_year) {
        (None, None) => String::new(),
        (since, until) => format!("{}-{}", year(since), year(until)),
    };
    let line = format!("{} {BAR} {} {BAR} {} {BAR} {years}", rule.on, rule.name, observance(rule));
    line.trim_end_matches([BAR, ' ']).to_owned()
}

fn day_line(day: &CalendarDay) -> String {
    let kind = if day.kind() == CalendarDayKind::Workday { "workday" } else { "holiday" };
    format!("{} {kind} {}", day.date, day.name).trim_end().to_owned()
}

/// Holidays that come back, a line each; what is wrong with them.
fn rules(text: &str, wrong: &mut Vec<Violation>) -> Vec<HolidayRule> {
    let read = |(place, (_, line)): (usize, (usize, &str))| {
        let mut parts = line.split(BAR).map(str::trim);
        let mut next = || parts.next().unwrap_or_default();
        let (on, name, observed, years) = (next(), next(), next(), next());
        let observance = match observed {
            "" | "never" => Observance::Never,
            "next" => Observance::Next,
            "nearest" => Observance::Nearest,
            _ => {
                wrong.push(wrong_line("holidays", place, "its third part must be next, nearest or empty"));
                Observance::Never
            }
        };
        let (since, until) = years.split_once('-').unwrap_or((years, ""));
        let mut year = |text: &str| {
            let year = text.trim().parse().ok();
            if !text.trim().is_empty() && year.is_none() {
                wrong.push(wrong_line("holidays", place, "its fourth part must be years such as 1990-2030"));
            }
            year
        };
        HolidayRule {
            name: name.to_owned(),
            on: on.to_owned(),
            observance: observance.into(),
            since_year: year(since),
            until_year: year(until),
        }
    };
    items(text).enumerate().map(read).collect()
}

/// Single days, a line each; what is wrong with them.
fn days(text: &str, wrong: &mut Vec<Violation>) -> Vec<CalendarDay> {
    let read = |(place, (_, line)): (usize, (usize, &str))| {
        let mut parts = line.splitn(3, char::is_whitespace).map(str::trim);
        let (date, kind, name) = (
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default(),
        );
        let kind = match kind {
            "holiday" | "休" => CalendarDayKind::Holiday,
            "workday" | "班" => CalendarDayKind::Workday,
            _ => {
                wrong.push(wrong_line(
                    "days",
                    place,
                    "must be a day, then holiday or workday, then its name",
                ));
                CalendarDayKind::Unspecified
            }
        };
        CalendarDay { date: date.to_owned(), kind: kind.into(), name: name.to_owned() }
    };
    items(text).enumerate().map(read).collect()
}

/// What was written, as the contract has it.
fn content(posted: &Posted) -> Result<CalendarContent, Problem> {
    let text = |name: &str| posted.text(name);
    let shifts = |name: &str| -> Vec<String> {
        text(name).split([' ', ',', '，']).filter(|one| !one.is_empty()).map(str::to_owned).collect()
    };
    let [monday, tuesday, wednesday, thursday, friday, saturday, sunday] = WEEK.map(shifts);
    let mut wrong = Vec::new();
    let content = CalendarContent {
        title: text("title").to_owned(),
        time_zone: text("time_zone").to_owned(),
        hours: Some(WorkingWeek { monday, tuesday, wednesday, thursday, friday, saturday, sunday }),
        make_up_hours: shifts("make_up_hours"),
        known_until: text("known_until").to_owned(),
        holidays: rules(text("holidays"), &mut wrong),
        days: days(text("days"), &mut wrong),
        source: text("source").to_owned(),
    };
    if wrong.is_empty() { Ok(content) } else { Err(all_wrong(wrong)) }
}

impl Direct for Calendars {
    const KEY: &'static str = "calendars";

    fn title(t: Words) -> &'static str {
        t.calendars()
    }

    fn about(t: Words) -> &'static str {
        t.calendars_edit()
    }

    fn list_path() -> &'static str {
        "/admin/calendars"
    }

    fn inputs(t: Words, is_new: bool) -> Vec<Input> {
        let name = Input::new("name", t.calendar_name(), InputKind::Line(60)).saying(t.calendar_name_help());
        let mut inputs = vec![
            only_new(name.required(), is_new),
            Input::hidden(VERSION),
            Input::new("title", t.title_word(), InputKind::Line(200)),
            Input::new("time_zone", t.time_zone(), InputKind::Line(100))
                .saying(t.time_zone_help())
                .required(),
        ];
        let weekdays = t.weekdays();
        inputs.extend(
            WEEK.into_iter()
                .zip(weekdays)
                .map(|(name, label)| Input::new(name, t.hours_on(label), InputKind::Line(200))),
        );
        inputs.extend([
            Input::new("make_up_hours", t.make_up_hours(), InputKind::Line(200))
                .saying(t.make_up_hours_help()),
            Input::new("known_until", t.known_until(), InputKind::Line(10)).saying(t.known_until_help()),
            Input::new("days", t.single_days(), InputKind::Code { rows: 16, max: 300_000 })
                .saying(t.single_days_help()),
            Input::new("holidays", t.holiday_rules(), InputKind::Code { rows: 10, max: 30_000 })
                .saying(t.holiday_rules_help()),
            Input::new("source", t.source_word(), InputKind::Text { rows: 3, max: 1_000 }),
        ]);
        inputs
    }

    fn place(path: &str, inputs: &[Input]) -> Option<Placed> {
        let value = |name: &str| inputs.iter().find(|input| input.name == name).map_or("", |one| &one.value);
        for list in ["days", "holidays"] {
            if let Some(place) = place_in(path, list) {
                return Some(Placed { input: list, line: line_of_item(value(list), place) });
            }
        }
        let rest = path.strip_prefix("content.").unwrap_or(path);
        let rest = rest.strip_prefix("hours.").unwrap_or(rest);
        let known =
            ["name", "title", "time_zone", "make_up_hours", "known_until", "source", "days", "holidays"];
        let known = known.into_iter().chain(WEEK);
        let name = rest.split('[').next().unwrap_or_default();
        let name = if name == "zone" { "time_zone" } else { name };
        let name = if name == "hours" { "monday" } else { name };
        known.into_iter().find(|one| *one == name).map(|input| Placed { input, line: None })
    }

    async fn begin(admin: &Admin, asked: &EditQuery) -> Result<Vec<(&'static str, String)>, Problem> {
        if asked.id.is_empty() {
            let mut values: Vec<(&'static str, String)> =
                WEEK[..5].iter().map(|day| (*day, "09:00-12:00 13:00-18:00".to_owned())).collect();
            values.push(("time_zone", "Asia/Shanghai".to_owned()));
            return Ok(values);
        }
        let calendar = get(admin, &asked.id, None).await?;
        let content = calendar.content.unwrap_or_default();
        let week = content.hours.unwrap_or_default();
        let week = [
            week.monday,
            week.tuesday,
            week.wednesday,
            week.thursday,
            week.friday,
            week.saturday,
            week.sunday,
        ];
        let lines = |lines: Vec<String>| lines.join("\n");
        let mut values = vec![
            ("name", calendar.name),
            (VERSION, calendar.version.to_string()),
            ("title", content.title),
            ("time_zone", content.time_zone),
            ("make_up_hours", content.make_up_hours.join(" ")),
            ("known_until", content.known_until),
            ("days", lines(content.days.iter().map(day_line).collect())),
            ("holidays", lines(content.holidays.iter().map(rule_line).collect())),
            ("source", content.source),
        ];
        values.extend(WEEK.into_iter().zip(week.map(|shifts| shifts.join(" "))));
        Ok(values)
    }

    async fn trial(admin: &Admin, posted: &Posted) -> Result<Trial, Problem> {
        let t = admin.words();
        let content = content(posted)?;
        let name = posted.text("name").to_owned();
        if posted.text("is_new") == "yes" {
            let is_whole = server::aside(true, || year::calendar(&content).is_some());
            let said = if is_whole { t.calendar_new() } else { t.calendar_flawed() };
            return Ok(Trial { said: vec![said.to_owned()], ..Trial::default() });
        }
        let now = get(admin, &name, None).await?.version;
        let request = UpdateCalendarRequest {
            request_id: crate::form::request_id(),
            expected_version: None,
            name,
            content: Some(content),
            validate_only: true,
        };
        let mut service = CalendarServiceClient::new(admin.client.calls());
        let tried = service.update_calendar(request).await?.into_inner();
        let mut said = vec![t.calendars_trial().to_owned()];
        if posted.text(VERSION) != now.to_string() {
            said.push(t.changed_since(now));
        }
        Ok(Trial { stand: now.to_string(), ..moved_trial(admin, &tried.moved, tried.moved_count, said) })
    }

    async fn apply(admin: &Admin, posted: &Posted) -> Result<String, Problem> {
        let (request_id, name) = (posted.request_id(), posted.text("name").to_owned());
        let content = Some(content(posted)?);
        let path = format!("/admin/calendars/show/{}", encoded(&name));
        let mut service = CalendarServiceClient::new(admin.client.calls());
        if posted.text("is_new") == "yes" {
            service.create_calendar(CreateCalendarRequest { request_id, name, content }).await?;
        } else {
            let expected_version = posted.number(STAND);
            let request =
                UpdateCalendarRequest { request_id, expected_version, name, content, validate_only: false };
            service.update_calendar(request).await?;
        }
        Ok(path)
    }

    fn id(posted: &Posted) -> String {
        posted.text("name").to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_rules_read_as_they_are_written() {
        let mut wrong = Vec::new();
        let text = "2026-10-01 holiday 国庆节\n# made up for\n2026-10-10 workday 国庆节 调休\n2026-10-11 班";
        let read = days(text, &mut wrong);
        assert_eq!(read[1].name, "国庆节 调休");
        assert_eq!((read[2].kind(), read[2].name.as_str()), (CalendarDayKind::Workday, ""));
        let again: Vec<String> = read.iter().map(day_line).collect();
        assert_eq!(days(&again.join("\n"), &mut wrong), read);
        let rules_text =
            "12-25 | Christmas Day | next\n3rd monday of january | King | | 1986-\n01-01 | New Year";
        let read = rules(rules_text, &mut wrong);
        assert_eq!(
            (read[0].observance(), read[1].since_year, read[2].until_year),
            (Observance::Next, Some(1986), None)
        );
        let again: Vec<String> = read.iter().map(rule_line).collect();
        assert_eq!(rules(&again.join("\n"), &mut wrong), read);
        assert!(wrong.is_empty(), "{wrong:?}");
        days("nonsense", &mut wrong);
        rules("12-25 | X | sometimes | a-b", &mut wrong);
        let fields: Vec<&str> = wrong.iter().map(|one| one.field.as_str()).collect();
        assert_eq!(fields, ["days[0]", "holidays[0]", "holidays[0]", "holidays[0]"]);
    }
}
