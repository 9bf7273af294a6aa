//! Calendars as files: TOML as `libs/calendar` writes its own, and CSV of days.

use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use calendar::{DayDraft, DayKind, Draft, HolidayDraft, Hours, Observed};
use proto::redress::cases::v1::{
    CalendarContent, CalendarDay, CalendarDayKind, HolidayRule, Observance, WorkingWeek,
};

use crate::cli::submit::read_text;

/// Reads a calendar from TOML. What is wrong with it the service says.
pub(super) fn content(file: &Path) -> anyhow::Result<CalendarContent> {
    let draft = Draft::from_toml(&read_text(file)?)
        .map_err(|flaw| anyhow!(flaw.problem))
        .with_context(|| format!("{}", file.display()))?;
    let Draft { title, zone, hours, make_up_hours, known_until, holidays, days, source } = draft;
    let Hours { monday, tuesday, wednesday, thursday, friday, saturday, sunday } = hours;
    Ok(CalendarContent {
        title,
        time_zone: zone,
        hours: Some(WorkingWeek { monday, tuesday, wednesday, thursday, friday, saturday, sunday }),
        make_up_hours,
        known_until,
        holidays: holidays.into_iter().map(rule).collect(),
        days: days.into_iter().map(day).collect(),
        source,
    })
}

fn rule(HolidayDraft { name, on, observed, since, until }: HolidayDraft) -> HolidayRule {
    let observance = match observed {
        Observed::Never => Observance::Never,
        Observed::Next => Observance::Next,
        Observed::Nearest => Observance::Nearest,
    };
    let (since_year, until_year) = (since.map(i32::from), until.map(i32::from));
    HolidayRule { name, on, observance: observance.into(), since_year, until_year }
}

fn day(DayDraft { date, kind, name }: DayDraft) -> CalendarDay {
    let kind = match kind {
        DayKind::Holiday => CalendarDayKind::Holiday,
        DayKind::Workday => CalendarDayKind::Workday,
    };
    CalendarDay { date, kind: kind.into(), name }
}

/// Reads days from CSV with the headings `date`, `kind` and, if days have names,
/// `name`. A worked day off may also be called `adjusted_workday`.
pub(super) fn days(file: &Path) -> anyhow::Result<Vec<CalendarDay>> {
    let text = read_text(file)?;
    read_days(text.trim_start_matches('\u{feff}')).with_context(|| format!("{}", file.display()))
}

fn read_days(text: &str) -> anyhow::Result<Vec<CalendarDay>> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let headings = reader.headers()?.clone();
    let place = |name: &str| headings.iter().position(|heading| heading == name);
    let date = place("date").context("there is no column `date`")?;
    let kind = place("kind").context("there is no column `kind`")?;
    let name = place("name");
    let mut days = Vec::new();
    for (row, record) in reader.records().enumerate() {
        let record = record?;
        let kind = match record.get(kind).unwrap_or_default() {
            "holiday" => CalendarDayKind::Holiday,
            "workday" | "adjusted_workday" => CalendarDayKind::Workday,
            other => bail!("row {}: a day is a `holiday` or a `workday`, not {other:?}", row + 1),
        };
        let text = |column: Option<usize>| {
            column.and_then(|column| record.get(column)).unwrap_or_default().to_owned()
        };
        days.push(CalendarDay { date: text(Some(date)), kind: kind.into(), name: text(name) });
    }
    Ok(days)
}

/// A calendar as TOML.
pub(super) fn written(content: CalendarContent) -> anyhow::Result<String> {
    let CalendarContent { title, time_zone, hours, make_up_hours, known_until, holidays, days, source } =
        content;
    let WorkingWeek { monday, tuesday, wednesday, thursday, friday, saturday, sunday } =
        hours.unwrap_or_default();
    let draft = Draft {
        title,
        zone: time_zone,
        hours: Hours { monday, tuesday, wednesday, thursday, friday, saturday, sunday },
        make_up_hours,
        known_until,
        holidays: holidays.into_iter().map(holiday_draft).collect(),
        days: days.into_iter().map(day_draft).collect(),
        source,
    };
    Ok(toml::to_string(&draft)?)
}

fn holiday_draft(rule: HolidayRule) -> HolidayDraft {
    let observed = match rule.observance() {
        Observance::Next => Observed::Next,
        Observance::Nearest => Observed::Nearest,
        Observance::Never | Observance::Unspecified => Observed::Never,
    };
    let HolidayRule { name, on, observance: _, since_year, until_year } = rule;
    let year = |year: Option<i32>| year.and_then(|year| i16::try_from(year).ok());
    HolidayDraft { name, on, observed, since: year(since_year), until: year(until_year) }
}

fn day_draft(day: CalendarDay) -> DayDraft {
    let worked = day.kind() == CalendarDayKind::Workday;
    let CalendarDay { date, kind: _, name } = day;
    DayDraft { date, kind: if worked { DayKind::Workday } else { DayKind::Holiday }, name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_from_columns_by_name() {
        let days =
            read_days("name,date,kind\nSpring Festival,2027-02-06,holiday\n,2027-02-14,adjusted_workday\n");
        let day = |date: &str, kind: CalendarDayKind, name: &str| CalendarDay {
            date: date.to_owned(),
            kind: kind.into(),
            name: name.to_owned(),
        };
        let expected = vec![
            day("2027-02-06", CalendarDayKind::Holiday, "Spring Festival"),
            day("2027-02-14", CalendarDayKind::Workday, ""),
        ];
        assert_eq!(days.unwrap(), expected);
        assert!(read_days("date,kind\n2027-01-01,bridge\n").is_err());
        assert!(read_days("day,kind\n").is_err());
    }
}
