//! Dates and times, as people write them.

use proptest::prelude::*;
use tables::moment::{InvalidFormats, NotATime, Times};

fn times(formats: Option<&[&str]>, zone: &str, pivot: Option<i16>) -> Result<Times, InvalidFormats> {
    let formats = formats.map(|formats| formats.iter().map(ToString::to_string).collect());
    Times::new(formats, calendar::zones::get(zone).unwrap(), pivot)
}

fn read(formats: Option<&[&str]>, text: &str) -> Result<String, NotATime> {
    times(formats, "Asia/Shanghai", None).unwrap().moment(text).map(|time| time.to_string())
}

#[test]
fn times_are_read_as_people_write_them() {
    let cases = [
        ("2026/1/5 8:03", "2026-01-05T00:03:00Z"),
        ("2026-01-05 08:03:09", "2026-01-05T00:03:09Z"),
        ("2026-01-05 08:03:09.250", "2026-01-05T00:03:09.25Z"),
        ("2026/1/5", "2026-01-04T16:00:00Z"),
        ("2026.1.5", "2026-01-04T16:00:00Z"),
        ("2026.01.05 08:03", "2026-01-05T00:03:00Z"),
        ("05.01.2026", "2026-01-04T16:00:00Z"),
        ("5.1.2026", "2026-01-04T16:00:00Z"),
        ("05.01.2026 8:03", "2026-01-05T00:03:00Z"),
        ("31.12.2025 23:59:59", "2025-12-31T15:59:59Z"),
        ("2026年1月5日", "2026-01-04T16:00:00Z"),
        ("2026年1月5日 8:03", "2026-01-05T00:03:00Z"),
        ("2026年01月05日08:03:09", "2026-01-05T00:03:09Z"),
        ("2026年1月5日 上午8:03", "2026-01-05T00:03:00Z"),
        ("2026年1月5日 下午3点05分", "2026-01-05T07:05:00Z"),
        ("2026年1月5日下午3点", "2026-01-05T07:00:00Z"),
        ("2026年1月5日 下午3点半", "2026-01-05T07:30:00Z"),
        ("2026年1月5日 15时05分20秒", "2026-01-05T07:05:20Z"),
        ("2026年1月5日 下午 15:05", "2026-01-05T07:05:00Z"),
        ("2026/1/5 上午12:10", "2026-01-04T16:10:00Z"),
        ("2026/1/5 下午12:10", "2026-01-05T04:10:00Z"),
        ("2026/1/5 中午12:10", "2026-01-05T04:10:00Z"),
        ("2026/1/5 凌晨3:10", "2026-01-04T19:10:00Z"),
        ("2026/1/5 晚上8:10", "2026-01-05T12:10:00Z"),
        ("2026/1/5 3:05 PM", "2026-01-05T07:05:00Z"),
        ("2026/1/5 12:05 am", "2026-01-04T16:05:00Z"),
        ("2026/1/5 3:05 p.m.", "2026-01-05T07:05:00Z"),
        ("２０２６／１／５　８：０３", "2026-01-05T00:03:00Z"),
        ("2026-01-05T08:03:00Z", "2026-01-05T08:03:00Z"),
        ("2026-01-05T08:03:00+08:00", "2026-01-05T00:03:00Z"),
        ("2026-01-05T08:03:00", "2026-01-05T00:03:00Z"),
        ("2026/1/31 24:00", "2026-01-31T16:00:00Z"),
        ("2026/1/5 24:00:00", "2026-01-05T16:00:00Z"),
        ("2024-02-29", "2024-02-28T16:00:00Z"),
    ];
    for (text, told) in cases {
        assert_eq!(read(None, text).as_deref(), Ok(told), "{text}");
    }
}

#[test]
fn what_is_no_time_or_two_is_refused_by_name() {
    use NotATime::{DayOrMonth, NoSuch, Other, Serial, ShortYear};
    let cases = [
        ("05/01/2026", DayOrMonth),
        ("5-1-2026 8:03", DayOrMonth),
        ("13/01/2026", DayOrMonth),
        ("26/1/5", ShortYear),
        ("22-04-15", ShortYear),
        ("05.01.26", ShortYear),
        ("42059.4832", Serial),
        ("46027", Serial),
        ("2026/13/5", NoSuch),
        ("2026-02-29", NoSuch),
        ("31.11.2026", NoSuch),
        ("2026/1/5 24:01", NoSuch),
        ("2026/1/5 25:00", NoSuch),
        ("2026/1/5 上午13:00", NoSuch),
        ("2026/1/5 晚上12:00", NoSuch),
        ("soon", Other),
        ("", Other),
        ("yesterday 8:03", Other),
        ("20260105", Other),
        ("7", Other),
    ];
    for (text, why) in cases {
        assert_eq!(read(None, text), Err(why), "{text:?}");
    }
}

#[test]
fn formats_of_a_mapping_are_tried_in_their_order() {
    let us: Option<&[&str]> = Some(&["%m/%d/%Y %I:%M %p", "%m/%d/%Y"]);
    assert_eq!(read(us, "05/01/2026").as_deref(), Ok("2026-04-30T16:00:00Z"));
    assert_eq!(read(us, "05/01/2026 3:05 PM").as_deref(), Ok("2026-05-01T07:05:00Z"));
    assert_eq!(read(us, "2026-01-05T08:03:00Z").as_deref(), Ok("2026-01-05T08:03:00Z"), "RFC 3339 besides");
    assert_eq!(read(us, "2026/1/5"), Err(NotATime::Other));
    let serials: Option<&[&str]> = Some(&["serial-1900", "%Y/%m/%d %H:%M"]);
    let cases = [
        ("42059.4832", Ok("2015-02-24T03:35:48Z")),
        ("42059", Ok("2015-02-23T16:00:00Z")),
        ("2015/2/24 11:35", Ok("2015-02-24T03:35:00Z")),
        ("60", Err(NotATime::Other)),
        ("-1", Err(NotATime::Other)),
        ("2958466", Err(NotATime::Other)),
        ("NaN", Err(NotATime::Other)),
    ];
    for (text, told) in cases {
        assert_eq!(read(serials, text).as_deref(), told.as_ref().copied(), "{text}");
    }
    let later = read(Some(&["serial-1904"]), "40597.4832");
    assert_eq!(later.as_deref(), Ok("2015-02-24T03:35:48Z"));
}

#[test]
fn years_of_two_digits_need_a_pivot() {
    let format: Option<&[&str]> = Some(&["%d-%b-%y"]);
    assert_eq!(times(format, "UTC", None).unwrap_err(), InvalidFormats::NoPivot("%d-%b-%y".to_owned()));
    let told = |pivot, text: &str| {
        times(format, "UTC", Some(pivot)).unwrap().moment(text).map(|time| time.to_string())
    };
    assert_eq!(told(1970, "22-Apr-15").as_deref(), Ok("2015-04-22T00:00:00Z"));
    assert_eq!(told(1970, "22-Apr-70").as_deref(), Ok("1970-04-22T00:00:00Z"));
    assert_eq!(told(1970, "22-Apr-69").as_deref(), Ok("2069-04-22T00:00:00Z"));
    assert_eq!(told(1930, "22-Apr-29").as_deref(), Ok("2029-04-22T00:00:00Z"));
    assert_eq!(told(1930, "22-Apr-30").as_deref(), Ok("1930-04-22T00:00:00Z"));
    assert_eq!(told(1900, "29-Feb-00"), Err(NotATime::Other), "1900 had none");
    assert_eq!(times(None, "UTC", Some(1800)).unwrap_err(), InvalidFormats::Pivot);
    assert_eq!(times(Some(&[]), "UTC", None).unwrap_err(), InvalidFormats::None);
    assert!(matches!(times(Some(&["daily"]), "UTC", None), Err(InvalidFormats::NotAFormat(_))));
}

/// 29 March 2026, 02:00: clocks go to 03:00. 25 October, 03:00: back to 02:00.
#[test]
fn a_time_that_clocks_skip_or_repeat_is_taken_by_rule() {
    let berlin = times(None, "Europe/Berlin", None).unwrap();
    let told = |text: &str| berlin.moment(text).unwrap().to_string();
    assert_eq!(told("2026-03-29 01:59"), "2026-03-29T00:59:00Z");
    assert_eq!(told("2026-03-29 02:30"), "2026-03-29T01:30:00Z", "skipped: as 03:30");
    assert_eq!(told("2026-03-29 03:30"), "2026-03-29T01:30:00Z");
    assert_eq!(told("2026-10-25 02:30"), "2026-10-25T00:30:00Z", "twice: the first");
    assert_eq!(told("2026-10-25 03:30"), "2026-10-25T02:30:00Z");
}

proptest! {
    /// A day is the same in each way of writing it.
    #[test]
    fn a_day_is_the_same_however_it_is_written(
        year in 1901_i16..2100, month in 1_i8..=12, day in 1_i8..=28, hour in 0_i8..24, minute in 0_i8..60,
    ) {
        let right = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:00Z");
        let utc = times(None, "UTC", None).unwrap();
        let half = if hour < 12 { "上午" } else { "下午" };
        let twelve = if hour % 12 == 0 { 12 } else { hour % 12 };
        let written = [
            format!("{year}-{month}-{day} {hour}:{minute:02}"),
            format!("{year}/{month:02}/{day:02} {hour:02}:{minute:02}:00"),
            format!("{day}.{month}.{year} {hour}:{minute:02}"),
            format!("{year}年{month}月{day}日 {hour}时{minute:02}分"),
            format!("{year}年{month}月{day}日{half}{twelve}:{minute:02}"),
            right.clone(),
        ];
        for text in written {
            prop_assert_eq!(utc.moment(&text).map(|time| time.to_string()), Ok(right.clone()), "{}", text);
        }
    }

    /// No text makes it panic.
    #[test]
    fn any_text_is_read_or_refused(text in "[-0-9/.: 年月日点时分上下午APM]{0,30}") {
        let _ = times(None, "Europe/Dublin", None).unwrap().moment(&text);
    }
}
