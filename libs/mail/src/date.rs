//! When a mail was sent, as its sender's clock and its sender's program say it.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

use crate::clean;
use crate::remark::{Remark, Remarks, said};

/// Most characters of a date.
const MAX_DATE: usize = 200;
/// Years that are believed: mail is not older, and whoever writes later is wrong.
const YEARS: std::ops::RangeInclusive<i16> = 1970..=2100;
/// Seconds of an hour.
const HOUR: i32 = 3_600;
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
/// Zones by their names, in minutes before Greenwich; those that name several are guessed.
const ZONES: [(&str, i32, bool); 38] = [
    ("z", 0, false),
    ("ut", 0, false),
    ("utc", 0, false),
    ("gmt", 0, false),
    ("wet", 0, false),
    ("west", 60, false),
    ("bst", 60, true),
    ("cet", 60, false),
    ("met", 60, false),
    ("mez", 60, false),
    ("cest", 120, false),
    ("mest", 120, false),
    ("mesz", 120, false),
    ("eet", 120, false),
    ("sast", 120, false),
    ("eest", 180, false),
    ("msk", 180, false),
    ("ist", 330, true),
    ("ict", 420, false),
    ("wib", 420, false),
    ("hkt", 480, false),
    ("sgt", 480, false),
    ("myt", 480, false),
    ("pht", 480, false),
    ("awst", 480, false),
    ("jst", 540, false),
    ("kst", 540, false),
    ("aest", 600, false),
    ("aedt", 660, false),
    ("nzst", 720, false),
    ("nzdt", 780, false),
    ("est", -300, false),
    ("edt", -240, false),
    ("cdt", -300, false),
    ("mst", -420, false),
    ("mdt", -360, false),
    ("pst", -480, false),
    ("pdt", -420, false),
];
/// China, in minutes before Greenwich.
const CHINA: i32 = 480;
/// The middle of the United States in winter.
const US_CENTRAL: i32 = -360;

/// When a mail was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SentAt {
    /// The moment.
    pub at: Timestamp,
    /// How its time zone was read.
    pub zone: Zone,
}

/// How a time zone was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// From an offset, as `+0800`.
    Offset,
    /// From a name that only one zone has, as `JST`.
    Name,
    /// From a name of several, as `CST`, or from nothing: the moment may be hours off.
    Guessed,
}

/// Reads a Date field: RFC 5322 with what is obsolete of it, the form of C's `asctime`, and
/// ISO 8601. `is_chinese` says what the mail's other marks tell.
pub(crate) fn read(field: &[u8], is_chinese: bool, remarks: &mut Remarks) -> Option<SentAt> {
    let text = clean::line(&String::from_utf8_lossy(field.get(..MAX_DATE).unwrap_or(field)));
    let read = moment(&text, is_chinese);
    match &read {
        Some((sent, name)) if sent.zone == Zone::Guessed => {
            remarks.make(Remark::DateZoneGuessed(said(name)));
        }
        None if !text.is_empty() => remarks.make(Remark::DateRefused(said(&text))),
        _ => {}
    }
    read.map(|(sent, _)| sent)
}

fn moment(text: &str, is_chinese: bool) -> Option<(SentAt, String)> {
    let plain = without_comments(text);
    let words: Vec<&str> =
        plain.split(|c: char| c.is_whitespace() || c == ',').filter(|w| !w.is_empty()).collect();
    let place = words.iter().position(|word| clock(word).is_some())?;
    let (day, mut time, attached) = if let Some((day, time, zone)) = iso(words.get(place)?) {
        (day, time, zone)
    } else {
        let (time, zone) = clock(words.get(place)?)?;
        (date(&words, place)?, time, zone)
    };
    let mut after = words.get(place + 1..).unwrap_or_default().to_vec();
    if let Some(half) = after.first().map(|word| word.to_ascii_lowercase())
        && matches!(half.as_str(), "am" | "pm")
    {
        time = half_day(time, half == "pm")?;
        after.remove(0);
    }
    // `asctime` puts the year last, or before the zone.
    after.retain(|word| !(word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit())));
    let name = if attached.is_empty() { after.join(" ") } else { attached };
    let (offset, zone) = offset(&name, is_chinese)?;
    let at = offset.to_timestamp(DateTime::from_parts(day, time)).ok()?;
    Some((SentAt { at, zone }, name))
}

fn without_comments(text: &str) -> String {
    let mut depth = 0_u32;
    let kept = text.chars().filter(|c| {
        match c {
            '(' => depth += 1,
            ')' => {
                let is_of_comment = depth > 0;
                depth = depth.saturating_sub(1);
                return !is_of_comment;
            }
            _ => {}
        }
        depth == 0
    });
    kept.collect()
}

/// `2026-01-05T10:00:00+08:00`.
fn iso(word: &str) -> Option<(Date, Time, String)> {
    let (day, rest) = word.split_once(['T', 't'])?;
    let (time, zone) = clock(rest)?;
    Some((iso_date(day)?, time, zone))
}

fn iso_date(word: &str) -> Option<Date> {
    let parts: Vec<&str> = word.split(['-', '/']).collect();
    let [year, month, day] = parts.as_slice() else { return None };
    let year = (year.len() == 4).then(|| year.parse().ok()).flatten().filter(|year| YEARS.contains(year))?;
    Date::new(year, month.parse().ok()?, day.parse().ok()?).ok()
}

/// A time of day, and what stands right behind it.
fn clock(word: &str) -> Option<(Time, String)> {
    let word =
        word.split_once(['T', 't']).filter(|(day, _)| iso_date(day).is_some()).map_or(word, |(_, time)| time);
    let end = word.find(|c: char| !c.is_ascii_digit() && c != ':' && c != '.').unwrap_or(word.len());
    let (time, zone) = word.split_at(end);
    let mark = if time.contains(':') { ':' } else { '.' };
    let parts: Vec<&str> = time.split(mark).collect();
    let number = |part: &str| -> Option<i8> {
        let part = part.split('.').next().unwrap_or_default();
        (!part.is_empty() && part.len() <= 2).then(|| part.parse().ok()).flatten()
    };
    let (hour, minute, second) = match parts.as_slice() {
        [hour, minute] if mark == ':' => (number(hour)?, number(minute)?, 0),
        // A leap second is the last one of its minute.
        [hour, minute, second] => (number(hour)?, number(minute)?, number(second)?),
        _ => return None,
    };
    let second = if second == 60 { 59 } else { second };
    Some((Time::new(hour, minute, second, 0).ok()?, zone.to_owned()))
}

fn half_day(time: Time, is_afternoon: bool) -> Option<Time> {
    let hour = match (time.hour(), is_afternoon) {
        (12, false) => 0,
        (hour @ 1..=11, true) => hour + 12,
        (hour, _) => hour,
    };
    Time::new(hour, time.minute(), time.second(), 0).ok()
}

/// The day among words of which the time is at a place: `5 Jan 2026`, `Jan 5 … 2026`,
/// `5-Jan-2026`, `2026-01-05`.
fn date(words: &[&str], place: usize) -> Option<Date> {
    let before = words.get(..place)?;
    if let Some(day) = before.last().and_then(|word| iso_date(word)) {
        return Some(day);
    }
    let parts: Vec<&str> =
        before.iter().flat_map(|word| word.split('-')).filter(|part| !part.is_empty()).collect();
    let month_at = parts.iter().position(|part| month(part).is_some())?;
    let month = month(parts.get(month_at)?)?;
    let number = |at: Option<usize>| at.and_then(|at| parts.get(at)).filter(|part| is_number(part)).copied();
    let (day, year) = if let Some(day) = number(month_at.checked_sub(1)) {
        (day, number(Some(month_at + 1))?)
    } else {
        let late = words.get(place + 1..)?.iter().find(|word| word.len() == 4 && is_number(word));
        (number(Some(month_at + 1))?, number(Some(month_at + 2)).or(late.copied())?)
    };
    let day = day.parse().ok()?;
    Date::new(full_year(year)?, month, day).ok()
}

fn is_number(part: &str) -> bool {
    !part.is_empty() && part.len() <= 4 && part.bytes().all(|byte| byte.is_ascii_digit())
}

/// RFC 5322, 4.3: years of two digits, and of three as some programs wrote them in 2000.
fn full_year(digits: &str) -> Option<i16> {
    let year: i16 = digits.parse().ok()?;
    let year = match digits.len() {
        2 if year < 50 => year + 2_000,
        2 | 3 => year + 1_900,
        _ => year,
    };
    YEARS.contains(&year).then_some(year)
}

fn month(word: &str) -> Option<i8> {
    let word = word.to_lowercase();
    let start: String = word.chars().take(3).collect();
    let at = MONTHS.iter().position(|month| *month == start)?;
    // `Mon` and `Mar` are told apart by three letters, `Sunday` is no month by any.
    word.chars().all(|c| c.is_alphabetic() || c == '.').then(|| i8::try_from(at + 1).ok()).flatten()
}

fn offset(name: &str, is_chinese: bool) -> Option<(Offset, Zone)> {
    let named = name.trim().to_ascii_lowercase();
    let first = named.split_whitespace().next().unwrap_or_default();
    let digits = ["gmt", "utc", "ut"].iter().find_map(|prefix| first.strip_prefix(prefix)).unwrap_or(first);
    if digits.starts_with(['+', '-']) {
        return Some((numeric(digits)?, Zone::Offset));
    }
    let minutes = |minutes: i32| Offset::from_seconds(minutes * 60).ok();
    let local = if is_chinese { CHINA } else { 0 };
    if first == "cst" {
        return Some((minutes(if is_chinese { CHINA } else { US_CENTRAL })?, Zone::Guessed));
    }
    let known = ZONES.iter().find(|(known, ..)| *known == first);
    match known {
        Some((_, before, false)) => Some((minutes(*before)?, Zone::Name)),
        Some((_, before, true)) => Some((minutes(*before)?, Zone::Guessed)),
        None => Some((minutes(local)?, Zone::Guessed)),
    }
}

/// `+0800`, `+08:00`, `+8`; none of what no zone on Earth has.
fn numeric(text: &str) -> Option<Offset> {
    let (sign, digits) = text.split_at_checked(1)?;
    let (hours, minutes) = match digits.split_once(':') {
        Some((hours, minutes)) => (hours, minutes),
        None if digits.len() <= 2 => (digits, "0"),
        None => digits.split_at_checked(digits.len().checked_sub(2)?)?,
    };
    let number = |part: &str| part.parse::<i32>().ok().filter(|number| (0..=59).contains(number));
    let seconds = number(hours).filter(|hours| *hours <= 14)? * HOUR + number(minutes)? * 60;
    Offset::from_seconds(if sign == "-" { -seconds } else { seconds }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, is_chinese: bool) -> Option<(String, Zone)> {
        let sent = read(text.as_bytes(), is_chinese, &mut Remarks::default())?;
        Some((sent.at.to_string(), sent.zone))
    }

    fn is_at(text: &str, expected: &str, zone: Zone) {
        assert_eq!(at(text, false), Some((expected.to_owned(), zone)), "{text}");
    }

    #[test]
    fn dates_are_read_as_they_are_sent() {
        let expected = "2026-01-05T02:00:00Z";
        for text in [
            "Mon, 05 Jan 2026 10:00:00 +0800",
            "Mon, 5 Jan 2026 10:00:00 +0800 (CST)",
            "5 Jan 2026 10:00 +0800",
            "5 Jan 26 10:00:00 +0800",
            "05-Jan-2026 10:00:00 +08:00",
            "Mon, 05 January 2026 10:00:00 GMT+08:00",
            "Mon, 05 Jan 2026 10:00:00 UTC+8",
            "Mon Jan  5 10:00:00 2026 +0800",
            "Mon Jan  5 10:00:00 +0800 2026",
            "2026-01-05T10:00:00+08:00",
            "2026-01-05 10:00:00.123 +0800",
            "Fri, 05 Jan 2026 10.00.00 +0800",
            "Mon, 05 Jan 2026 10:00:00+0800",
            "Mon, (comment) 05 Jan 126 10:00:00 +0800",
        ] {
            is_at(text, expected, Zone::Offset);
        }
        is_at("Mon, 05 Jan 2026 2:00:00 PM -0000", "2026-01-05T14:00:00Z", Zone::Offset);
        is_at("Thu, 31 Dec 1998 23:59:60 GMT", "1998-12-31T23:59:59Z", Zone::Name);
    }

    #[test]
    fn zones_are_read_by_their_names_where_only_one_has_it() {
        is_at("Mon, 05 Jan 2026 10:00:00 GMT", "2026-01-05T10:00:00Z", Zone::Name);
        is_at("Mon, 05 Jan 2026 10:00:00 JST", "2026-01-05T01:00:00Z", Zone::Name);
        is_at("Mon, 05 Jan 2026 10:00:00 EST", "2026-01-05T15:00:00Z", Zone::Name);
        is_at("Mon, 05 Jul 2026 10:00:00 MESZ", "2026-07-05T08:00:00Z", Zone::Name);
        is_at("Mon, 05 Jan 2026 10:00:00 XYZ", "2026-01-05T10:00:00Z", Zone::Guessed);
        is_at("Mon, 05 Jan 2026 10:00:00", "2026-01-05T10:00:00Z", Zone::Guessed);
    }

    #[test]
    fn cst_is_of_china_where_the_mail_is_chinese() {
        let text = "Mon, 05 Jan 2026 10:00:00 CST";
        assert_eq!(at(text, true), Some(("2026-01-05T02:00:00Z".to_owned(), Zone::Guessed)));
        assert_eq!(at(text, false), Some(("2026-01-05T16:00:00Z".to_owned(), Zone::Guessed)));
        let mut remarks = Remarks::default();
        read(text.as_bytes(), true, &mut remarks);
        assert_eq!(remarks.into_vec(), [Remark::DateZoneGuessed("CST".to_owned())]);
        assert_eq!(
            at("Mon, 05 Jan 2026 10:00:00", true),
            Some(("2026-01-05T02:00:00Z".to_owned(), Zone::Guessed))
        );
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for text in [
            "",
            "yesterday",
            "Mon, 31 Feb 2026 10:00:00 +0000",
            "Mon, 05 Jan 2026 25:61:00 +0000",
            "Mon, 05 Jan 0026 10:00:00 +0000",
            "Mon, 05 Jan 9999 10:00:00 +0000",
            "Mon, 05 Jan 1601 10:00:00 +0000",
            "Mon, 05 Foo 2026 10:00:00 +0000",
            "Mon, 05 Jan 2026 10:00:00 +9900",
        ] {
            assert_eq!(at(text, false), None, "{text}");
        }
    }
}
