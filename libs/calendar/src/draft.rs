//! A calendar as people write it, in TOML or JSON, and everything that can be
//! wrong with it, found at once.

use std::collections::BTreeMap;

use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};

use crate::calendar::{Calendar, Listed, MAX_IDLE_DAYS, Shift};
use crate::rules::{On, Rule};
use crate::zones::{self, Zones};

/// How many rules one calendar may have.
pub const MAX_RULES: usize = 100;
/// Same of listed days.
pub const MAX_DAYS: usize = 5_000;
/// How many shifts a day may have.
const MAX_SHIFTS: usize = 8;
/// The longest name of anything in a calendar, the longest title and source.
const MAX_NAME: usize = 100;
const MAX_TITLE: usize = 200;
const MAX_SOURCE: usize = 1_000;

/// A calendar as data. Unknown fields are refused, so that a misspelt one is not
/// silently without effect.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// What it is, in one line.
    #[serde(default)]
    pub title: String,
    /// IANA name of the zone its days and hours are in, as `Asia/Shanghai`.
    pub zone: String,
    /// Working hours of an ordinary week.
    pub hours: Hours,
    /// Working hours of a day that is worked although its weekday is not; when
    /// empty those of the first weekday that is worked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub make_up_hours: Vec<String>,
    /// Last day whose holidays are known; later deadlines may still move. Empty
    /// when rules settle every year.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub known_until: String,
    /// Holidays that come back by rule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<HolidayDraft>,
    /// Single days; each overrules weekday and rules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<DayDraft>,
    /// Where it was read, and what is not certain.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
}

/// Shifts of each weekday, as `09:00-12:00`; `24:00` ends a day. A weekday
/// without shifts is a day off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "seven weekdays say it themselves")]
pub struct Hours {
    pub monday: Vec<String>,
    pub tuesday: Vec<String>,
    pub wednesday: Vec<String>,
    pub thursday: Vec<String>,
    pub friday: Vec<String>,
    pub saturday: Vec<String>,
    pub sunday: Vec<String>,
}

impl Hours {
    /// Weekday names with their shifts, Monday first.
    fn week(&self) -> [(&'static str, &[String]); 7] {
        [
            ("monday", &self.monday),
            ("tuesday", &self.tuesday),
            ("wednesday", &self.wednesday),
            ("thursday", &self.thursday),
            ("friday", &self.friday),
            ("saturday", &self.saturday),
            ("sunday", &self.sunday),
        ]
    }
}

/// What becomes of a holiday that falls on a day off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Observed {
    /// Nothing: it is lost.
    #[default]
    Never,
    /// The next working day is off instead (United Kingdom).
    Next,
    /// On Saturday the Friday before, on Sunday the Monday after (United States).
    Nearest,
}

/// A holiday that comes back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HolidayDraft {
    /// What it is called.
    pub name: String,
    /// `12-25`, `3rd monday of january`, `last monday of may`, `easter -2`.
    pub on: String,
    /// What becomes of it on a day off.
    #[serde(default)]
    pub observed: Observed,
    /// First year it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<i16>,
    /// Last year it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<i16>,
}

/// Whether a listed day is off or worked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DayKind {
    /// Off, whatever its weekday.
    Holiday,
    /// Worked, whatever its weekday and the rules (调休).
    Workday,
}

/// A single day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayDraft {
    /// As `2026-10-10`.
    pub date: String,
    /// Off or worked.
    pub kind: DayKind,
    /// What it is called.
    #[serde(default)]
    pub name: String,
}

/// Something wrong with a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Where, as `holidays[2].on`.
    pub field: String,
    /// What.
    pub problem: String,
}

impl Draft {
    /// Reads a draft from TOML; says what is wrong with the writing itself.
    ///
    /// # Errors
    ///
    /// Fails if the text is no TOML, or has a field that drafts do not have.
    pub fn from_toml(text: &str) -> Result<Self, Flaw> {
        toml::from_str(text)
            .map_err(|error| Flaw { field: String::new(), problem: error.message().to_owned() })
    }

    /// The calendar it describes, or everything that is wrong with it. Looks through all
    /// years for a time without working time: takes milliseconds.
    ///
    /// # Errors
    ///
    /// Fails with every flaw that [`Self::check_in`] finds, else if it has no working time for
    /// too long.
    pub fn check(&self) -> Result<Calendar, Vec<Flaw>> {
        let calendar = self.accepted()?;
        match calendar.idle_from() {
            None => Ok(calendar),
            Some(day) => Err(vec![Flaw {
                field: "holidays".to_owned(),
                problem: format!(
                    "leave no working time from {day} on for more than {MAX_IDLE_DAYS} days in a row"
                ),
            }]),
        }
    }

    /// The calendar of a draft that was checked before.
    ///
    /// # Errors
    ///
    /// Fails with every flaw, as [`Self::check_in`] does.
    pub fn accepted(&self) -> Result<Calendar, Vec<Flaw>> {
        self.check_in(zones::pinned())
    }

    /// The same, counted by a set of time zones other than the process's own.
    ///
    /// # Errors
    ///
    /// Fails with every flaw: an unknown zone, no working hours, a text that is too long, a
    /// shift, date or rule that is none.
    pub fn check_in(&self, zones: &Zones) -> Result<Calendar, Vec<Flaw>> {
        let mut flaws = Flaws::default();
        flaws.text("title", &self.title, MAX_TITLE);
        flaws.text("source", &self.source, MAX_SOURCE);
        let zone = zones.get(&self.zone);
        flaws.unless(zone.is_some() && !self.zone.is_empty(), "zone", || {
            format!("`{}` is no zone of the IANA database {}", self.zone, zones.version())
        });
        let week = self.hours.week().map(|(name, shifts)| flaws.shifts(&format!("hours.{name}"), shifts));
        let worked = week.iter().find(|shifts| !shifts.is_empty()).cloned();
        flaws.unless(worked.is_some(), "hours", || "no weekday has working hours".to_owned());
        let make_up = flaws.shifts("make_up_hours", &self.make_up_hours);
        let make_up = if make_up.is_empty() { worked.unwrap_or_default() } else { make_up };
        let rules = flaws.rules(&self.holidays);
        let listed = flaws.days(&self.days);
        let known_until = match self.known_until.as_str() {
            "" => None,
            text => flaws.date("known_until", text),
        };
        match (zone, flaws.0.is_empty()) {
            (Some(zone), true) => Ok(Calendar::of(zone, week, make_up, rules, listed, known_until)),
            _ => Err(flaws.0),
        }
    }
}

/// Collects what is wrong, and hands out what is right.
#[derive(Default)]
struct Flaws(Vec<Flaw>);

impl Flaws {
    fn unless(&mut self, right: bool, field: &str, problem: impl FnOnce() -> String) {
        if !right {
            self.0.push(Flaw { field: field.to_owned(), problem: problem() });
        }
    }

    fn text(&mut self, field: &str, text: &str, max: usize) {
        self.unless(text.chars().count() <= max, field, || format!("is longer than {max} characters"));
        // No database keeps it.
        self.unless(!text.contains('\0'), field, || "must not contain NUL characters".to_owned());
    }

    fn name(&mut self, field: &str, name: &str, needed: bool) {
        self.unless(!needed || !name.trim().is_empty(), field, || "must be given".to_owned());
        self.text(field, name, MAX_NAME);
    }

    fn date(&mut self, field: &str, text: &str) -> Option<Date> {
        // Strictly a date: the parser would also take a whole timestamp.
        let date = text.parse::<Date>().ok().filter(|date| date.to_string() == text);
        let date = date.filter(|date| (1900..=2299).contains(&date.year()));
        self.unless(date.is_some(), field, || {
            format!("`{text}` is no date between 1900-01-01 and 2299-12-31")
        });
        date
    }

    fn shifts(&mut self, field: &str, texts: &[String]) -> Vec<Shift> {
        let mut shifts: Vec<Shift> = Vec::new();
        if texts.len() > MAX_SHIFTS {
            self.unless(false, field, || format!("has more than {MAX_SHIFTS} shifts"));
            return shifts;
        }
        for (index, text) in texts.iter().enumerate() {
            let place = format!("{field}[{index}]");
            match shift(text) {
                None => self.unless(false, &place, || {
                    format!("`{text}` is no shift like 09:00-17:30 that ends after it begins")
                }),
                Some(shift) => {
                    let follows = shifts.last().is_none_or(|before| before.until <= shift.from);
                    self.unless(follows, &place, || "begins before the shift before it ends".to_owned());
                    shifts.push(shift);
                }
            }
        }
        shifts
    }

    fn rules(&mut self, drafts: &[HolidayDraft]) -> Vec<Rule> {
        self.unless(drafts.len() <= MAX_RULES, "holidays", || format!("has more than {MAX_RULES} rules"));
        let mut rules = Vec::new();
        for (index, draft) in drafts.iter().enumerate().take(MAX_RULES) {
            let HolidayDraft { name, on, observed, since, until } = draft;
            let place = |field: &str| format!("holidays[{index}].{field}");
            self.name(&place("name"), name, true);
            let day = On::read(on);
            self.unless(day.is_some(), &place("on"), || {
                format!("`{on}` is none of `12-25`, `3rd monday of january`, `easter -2`")
            });
            let (since, until) = (since.unwrap_or(1900), until.unwrap_or(2299));
            self.unless((1900..=2299).contains(&since), &place("since"), || {
                "is not within 1900 to 2299".to_owned()
            });
            self.unless((since..=2299).contains(&until), &place("until"), || {
                "is not within its first year and 2299".to_owned()
            });
            rules.extend(day.map(|on| Rule { name: name.clone(), on, observed: *observed, since, until }));
        }
        rules
    }

    fn days(&mut self, drafts: &[DayDraft]) -> BTreeMap<Date, Listed> {
        self.unless(drafts.len() <= MAX_DAYS, "days", || format!("has more than {MAX_DAYS} days"));
        let mut days = BTreeMap::new();
        for (index, DayDraft { date, kind, name }) in drafts.iter().enumerate().take(MAX_DAYS) {
            let place = |field: &str| format!("days[{index}].{field}");
            self.name(&place("name"), name, false);
            let Some(day) = self.date(&place("date"), date) else { continue };
            let listed = Listed { worked: *kind == DayKind::Workday, name: name.clone() };
            let twice = days.insert(day, listed).is_some();
            self.unless(!twice, &place("date"), || format!("{day} is listed twice"));
        }
        days
    }
}

/// Reads `09:00-12:00`; midnight at the end of a day is `24:00`.
fn shift(text: &str) -> Option<Shift> {
    let (from, until) = text.split_once('-')?;
    let shift = Shift { from: minute(from)?, until: minute(until)? };
    (shift.from < shift.until).then_some(shift)
}

/// Minute of the day.
fn minute(text: &str) -> Option<u16> {
    if text == "24:00" {
        return Some(24 * 60);
    }
    let time = Time::strptime("%H:%M", text).ok().filter(|_| text.len() == 5)?;
    let (hour, minute) = (u16::try_from(time.hour()).ok()?, u16::try_from(time.minute()).ok()?);
    Some(hour * 60 + minute)
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::*;
    use crate::{Budget, Clock, Kind, Scale, Terms};

    #[test]
    fn everything_wrong_is_said_at_once() {
        let draft = Draft::from_toml(
            r#"
            zone = "Mars/Olympus"
            known_until = "soon"
            hours.monday = ["09:00-12:00", "11:00-13:00", "18:00-17:00", "9-5"]
            holidays = [{ name = "", on = "someday" }, { name = "x", on = "01-01", since = 2020, until = 2010 }]
            days = [
                { date = "2026-01-01", kind = "holiday" },
                { date = "2026-01-01", kind = "workday" },
                { date = "2026-02-30", kind = "holiday" },
            ]
            "#,
        )
        .unwrap();
        let fields: Vec<String> = draft.check().unwrap_err().into_iter().map(|flaw| flaw.field).collect();
        assert_eq!(
            fields,
            [
                "zone",
                "hours.monday[1]",
                "hours.monday[2]",
                "hours.monday[3]",
                "holidays[0].name",
                "holidays[0].on",
                "holidays[1].until",
                "days[1].date",
                "days[2].date",
                "known_until",
            ]
        );
    }

    #[test]
    fn a_week_without_work_is_no_calendar() {
        let draft = Draft { zone: "UTC".to_owned(), ..Draft::default() };
        assert_eq!(draft.check().unwrap_err().len(), 1);
    }

    /// Worked on Mondays, and every Monday of each month is a holiday from a year on.
    fn idle_from(year: i16) -> Draft {
        let months = [
            "january",
            "february",
            "march",
            "april",
            "may",
            "june",
            "july",
            "august",
            "september",
            "october",
            "november",
            "december",
        ];
        let each = ["1st", "2nd", "3rd", "4th", "last"].into_iter();
        let rules = each.flat_map(|nth| months.map(|month| format!("{nth} monday of {month}")));
        Draft {
            zone: "Asia/Shanghai".to_owned(),
            hours: Hours { monday: vec!["09:00-17:00".to_owned()], ..Hours::default() },
            holidays: rules
                .map(|on| HolidayDraft {
                    name: "off".to_owned(),
                    on,
                    since: Some(year),
                    ..HolidayDraft::default()
                })
                .collect(),
            ..Draft::default()
        }
    }

    #[test]
    fn a_calendar_that_is_never_worked_is_refused_whenever_that_begins() {
        for year in [1970, 2031, 2148] {
            let flaws = idle_from(year).check().unwrap_err();
            let told = (flaws.len(), flaws[0].field.as_str(), flaws[0].problem.contains("in a row"));
            assert_eq!(told, (1, "holidays", true), "{year}: {flaws:?}");
        }
        assert!(idle_from(2290).check().is_ok(), "beyond the years that are counted");
    }

    #[test]
    fn every_search_of_a_calendar_without_work_ends_at_the_horizon() {
        let calendar = idle_from(1970).accepted().unwrap();
        let start: Timestamp = "2026-11-28T08:00:00Z".parse().unwrap();
        for (budget, due) in [
            ("10 working days", Timestamp::MAX),
            ("1 working minute", Timestamp::MAX),
            ("3660 working days to close of business", Timestamp::MAX),
            ("10 years from next working day", Timestamp::MAX),
        ] {
            let terms = Terms::of(budget.parse().unwrap());
            let clock = Clock::start(Kind::Decide, terms, "own@1", start);
            let told = clock.due(&calendar).unwrap();
            assert!(told > "9999-01-01T00:00:00Z".parse().unwrap() && told <= due, "{budget}: {told}");
            assert!(clock.explain(&calendar).lines.len() < 100_000, "{budget}");
        }
        for scale in [Scale::WorkingTime, Scale::WorkingDays] {
            assert_eq!(scale.measure(&calendar, Timestamp::MIN, Timestamp::MAX), SignedDuration::ZERO);
            let back = scale.retreat(&calendar, start, SignedDuration::from_hours(1));
            assert!(back < "0001-01-01T00:00:00Z".parse().unwrap(), "{back}");
        }
    }

    #[test]
    fn a_search_takes_no_longer_than_the_years_that_are_counted() {
        // One minute a week, and ten years of minutes: 2149 comes first.
        let hours = Hours { friday: vec!["09:00-09:01".to_owned()], ..Hours::default() };
        let scant = Draft { zone: "America/New_York".to_owned(), hours, ..Draft::default() };
        let calendar = scant.check().unwrap();
        let start: Timestamp = "2026-11-28T08:00:00Z".parse().unwrap();
        let budget: Budget = "5256000 working minutes".parse().unwrap();
        assert_eq!(budget.due(&calendar, start), Timestamp::MAX);
    }

    #[test]
    fn a_misspelt_field_is_refused() {
        assert!(Draft::from_toml("zone = 'UTC'\nhours.monday = ['09:00-17:00']\nholliday = []").is_err());
    }
}
