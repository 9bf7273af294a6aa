//! Calendars that are there without being made.
//!
//! | name | what | sure? |
//! |---|---|---|
//! | `cn` | mainland China with make-up days (调休) | 2004 to 25 December 2026 as announced (crate `chinese_holiday`); from 2027 the statutory days only, until the year's announcement is imported |
//! | `uk` | England and Wales, bank holidays | by rule from 1978, special days listed to 2023 |
//! | `us-federal` | United States, federal holidays | by rule from 1986 |
//! | `eu-target` | the days the euro's settlement system is closed | by rule from 2002 |
//! | `au` | Australia, days common to most states | state days are missing: plausible, not sure |
//! | `in` | India, the three national days | gazetted and bank holidays vary by year and state: plausible, not sure |
//! | `always` | every hour of every day, UTC | – |
//!
//! Working hours are an ordinary office's, for every one of them our own choice.

use std::sync::OnceLock;

use chinese_holiday::{Ymd, chinese_holiday};
use jiff::civil::{Date, date};

use crate::calendar::Calendar;
use crate::draft::{DayDraft, DayKind, Draft};

struct Builtin {
    name: &'static str,
    text: &'static str,
    calendar: OnceLock<Option<Calendar>>,
}

impl Builtin {
    const fn new(name: &'static str, text: &'static str) -> Self {
        Self { name, text, calendar: OnceLock::new() }
    }
}

static ALL: [Builtin; 7] = [
    Builtin::new("cn", include_str!("../calendars/cn.toml")),
    Builtin::new("uk", include_str!("../calendars/uk.toml")),
    Builtin::new("us-federal", include_str!("../calendars/us-federal.toml")),
    Builtin::new("eu-target", include_str!("../calendars/eu-target.toml")),
    Builtin::new("au", include_str!("../calendars/au.toml")),
    Builtin::new("in", include_str!("../calendars/in.toml")),
    Builtin::new("always", include_str!("../calendars/always.toml")),
];

/// The days the announcements in `chinese_holiday` speak of.
const ANNOUNCED: (Date, Date) = (date(2004, 1, 1), date(2026, 12, 25));

/// Their names.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|builtin| builtin.name)
}

/// A calendar by name; made when it is first asked for.
pub fn get(name: &str) -> Option<&'static Calendar> {
    let builtin = ALL.iter().find(|builtin| builtin.name == name)?;
    builtin.calendar.get_or_init(|| draft(name)?.accepted().ok()).as_ref()
}

/// How a calendar would be written, to be edited and kept under another name.
pub fn draft(name: &str) -> Option<Draft> {
    let builtin = ALL.iter().find(|builtin| builtin.name == name)?;
    let mut draft = Draft::from_toml(builtin.text).ok()?;
    if name == "cn" {
        // What the file says itself corrects the announcements as they were kept.
        let corrected: Vec<String> = draft.days.iter().map(|day| day.date.clone()).collect();
        draft.days.extend(announced().filter(|day| !corrected.contains(&day.date)));
    }
    Some(draft)
}

/// Days off in the week and worked weekends, as the State Council announced them.
fn announced() -> impl Iterator<Item = DayDraft> {
    let (first, last) = ANNOUNCED;
    first.series(jiff::Span::new().days(1)).take_while(move |date| *date <= last).filter_map(|date| {
        let ymd = (
            u16::try_from(date.year()).ok()?,
            u8::try_from(date.month()).ok()?,
            u8::try_from(date.day()).ok()?,
        );
        let found = chinese_holiday(Ymd::from(ymd));
        let weekday = date.weekday().to_monday_zero_offset() < 5;
        let kind = if found.is_holiday() { DayKind::Holiday } else { DayKind::Workday };
        let usual = if weekday { DayKind::Workday } else { DayKind::Holiday };
        // A weekend within a holiday is part of it: a last day there is rolled forward.
        let kind_name = format!("{found:?}");
        let listed = kind != usual || (found.is_holiday() && !kind_name.starts_with("Normal"));
        listed.then(|| DayDraft { date: date.to_string(), kind, name: name(&kind_name) })
    })
}

/// `SpringFestivalWorkday` in words; the crate has no others.
fn name(kind: &str) -> String {
    let (festival, what) = match (kind.strip_suffix("Holiday"), kind.strip_suffix("Workday")) {
        (Some(festival), _) => (festival, ""),
        (None, Some(festival)) => (festival, " (make-up day)"),
        (None, None) => (kind, ""),
    };
    let festival = match festival {
        "NewYearsDay" => "New Year's Day 元旦",
        "SpringFestival" => "Spring Festival 春节",
        "ChingMingFestival" => "Tomb-sweeping Day 清明",
        "InternationalWorkersDay" => "Labour Day 劳动节",
        "DragonBoatFestival" => "Dragon Boat Festival 端午",
        "MidAutumnFestival" => "Mid-autumn Festival 中秋",
        "NationalDay" => "National Day 国庆",
        _ => "Special day",
    };
    format!("{festival}{what}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_builtin_calendar_is_sound() {
        for name in names() {
            let checked = draft(name).map(|draft| draft.check().map(|_| ()));
            assert_eq!(checked, Some(Ok(())), "{name}");
            assert!(get(name).is_some(), "{name}");
        }
        assert!(get("mars").is_none());
    }
}
