//! A calendar drawn over a year: which days are worked, which are off and why, which are made up
//! for (调休). Pure.

use calendar::{Calendar, Day, DayDraft, DayKind, Draft, HolidayDraft, Hours, Observed};
use jiff::ToSpan as _;
use jiff::civil::Date;
use proto::redress::cases::v1::{
    CalendarContent, CalendarDay, CalendarDayKind, HolidayRule, Observance, WorkingWeek,
};

/// Days of a week.
const WEEK: usize = 7;

/// What a day is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Is {
    /// Worked as its weekday says.
    Worked,
    /// Worked though its weekday is not: a make-up day (调休).
    MakeUp,
    /// Off because of its weekday.
    Weekend,
    /// A holiday.
    Holiday,
}

impl Is {
    /// How it is drawn.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Worked => "worked",
            Self::MakeUp => "makeup",
            Self::Weekend => "weekend",
            Self::Holiday => "holiday",
        }
    }
}

/// A day as it is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DayCell {
    /// `2026-10-10`.
    pub(super) date: String,
    /// 10
    pub(super) number: i8,
    pub(super) is: Is,
    /// What it is called; may be empty.
    pub(super) name: String,
    /// Whether its due times may still move.
    pub(super) is_provisional: bool,
}

/// A month: its weeks, Monday first, each with its seven places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Month {
    /// From 1.
    pub(super) number: i8,
    pub(super) weeks: Vec<Vec<Option<DayCell>>>,
}

/// The calendar that a contract describes; none where it is none.
pub(super) fn calendar(content: &CalendarContent) -> Option<Calendar> {
    draft(content).check().ok()
}

fn draft(content: &CalendarContent) -> Draft {
    let week = content.hours.clone().unwrap_or_default();
    let WorkingWeek { monday, tuesday, wednesday, thursday, friday, saturday, sunday } = week;
    Draft {
        title: content.title.clone(),
        zone: content.time_zone.clone(),
        hours: Hours { monday, tuesday, wednesday, thursday, friday, saturday, sunday },
        make_up_hours: content.make_up_hours.clone(),
        known_until: content.known_until.clone(),
        holidays: content.holidays.iter().map(holiday).collect(),
        days: content.days.iter().filter_map(day).collect(),
        source: content.source.clone(),
    }
}

fn holiday(rule: &HolidayRule) -> HolidayDraft {
    let year = |year: Option<i32>| year.and_then(|year| i16::try_from(year).ok());
    HolidayDraft {
        name: rule.name.clone(),
        on: rule.on.clone(),
        observed: match rule.observance() {
            Observance::Next => Observed::Next,
            Observance::Nearest => Observed::Nearest,
            Observance::Never | Observance::Unspecified => Observed::Never,
        },
        since: year(rule.since_year),
        until: year(rule.until_year),
    }
}

fn day(day: &CalendarDay) -> Option<DayDraft> {
    let kind = match day.kind() {
        CalendarDayKind::Holiday => DayKind::Holiday,
        CalendarDayKind::Workday => DayKind::Workday,
        CalendarDayKind::Unspecified => return None,
    };
    Some(DayDraft { date: day.date.clone(), kind, name: day.name.clone() })
}

/// The months of a year.
pub(super) fn months(calendar: &Calendar, content: &CalendarContent, year: i16) -> Vec<Month> {
    (1..=12).filter_map(|month| month_of(calendar, content, year, month)).collect()
}

fn month_of(calendar: &Calendar, content: &CalendarContent, year: i16, number: i8) -> Option<Month> {
    let first = Date::new(year, number, 1).ok()?;
    let before = usize::try_from(first.weekday().to_monday_zero_offset()).ok()?;
    let mut places: Vec<Option<DayCell>> = vec![None; before];
    for place in 0..first.days_in_month() {
        let date = first.checked_add(i64::from(place).days()).ok()?;
        places.push(Some(cell(calendar, content, date)));
    }
    while !places.len().is_multiple_of(WEEK) {
        places.push(None);
    }
    Some(Month { number, weeks: places.chunks(WEEK).map(<[_]>::to_vec).collect() })
}

fn cell(calendar: &Calendar, content: &CalendarContent, date: Date) -> DayCell {
    let text = date.to_string();
    let is_made_up =
        || content.days.iter().any(|day| day.date == text && day.kind() == CalendarDayKind::Workday);
    let (is, name) = match calendar.day(date) {
        Day::Worked(name) if is_made_up() => (Is::MakeUp, name),
        Day::Worked(name) => (Is::Worked, name),
        Day::Weekend => (Is::Weekend, String::new()),
        Day::Holiday(name) => (Is::Holiday, name),
    };
    let is_provisional = calendar.known_until().is_some_and(|known| date > known);
    DayCell { date: text, number: date.day(), is, name, is_provisional }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content() -> CalendarContent {
        let nine_to_five = vec!["09:00-17:00".to_owned()];
        let week = WorkingWeek {
            monday: nine_to_five.clone(),
            tuesday: nine_to_five.clone(),
            wednesday: nine_to_five.clone(),
            thursday: nine_to_five.clone(),
            friday: nine_to_five,
            ..WorkingWeek::default()
        };
        let day = |date: &str, kind: CalendarDayKind, name: &str| CalendarDay {
            date: date.into(),
            kind: kind.into(),
            name: name.into(),
        };
        CalendarContent {
            time_zone: "Asia/Shanghai".into(),
            hours: Some(week),
            known_until: "2026-10-20".into(),
            days: vec![
                day("2026-10-01", CalendarDayKind::Holiday, "国庆节"),
                day("2026-10-10", CalendarDayKind::Workday, "国庆节调休"),
            ],
            ..CalendarContent::default()
        }
    }

    #[test]
    fn a_year_has_its_days_where_they_are() {
        let content = content();
        let months = months(&calendar(&content).unwrap(), &content, 2026);
        assert_eq!(months.len(), 12);
        let october = &months[9];
        // The first is a Thursday.
        assert_eq!(october.weeks[0].iter().filter(|day| day.is_none()).count(), 3);
        let all: Vec<&DayCell> = october.weeks.iter().flatten().flatten().collect();
        assert_eq!(all.len(), 31);
        assert_eq!((all[0].is, all[0].name.as_str()), (Is::Holiday, "国庆节"));
        assert_eq!((all[9].is, all[9].date.as_str()), (Is::MakeUp, "2026-10-10"));
        assert_eq!((all[10].is, all[11].is), (Is::Weekend, Is::Worked));
        assert_eq!((all[19].is_provisional, all[20].is_provisional), (false, true));
        assert!(calendar(&CalendarContent::default()).is_none());
    }
}
