//! The words of dates: 年月日, 上午 and 下午, 点 and 分, AM and PM.

use crate::narrow;

/// Which half of the day an hour is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HalfDay {
    /// 上午, AM: 12 is midnight.
    Before,
    /// 下午, PM: 12 is noon.
    After,
    /// 中午: from 11 to 1.
    Noon,
    /// 凌晨, 早上: hours from 0 to 11; 12 is midnight.
    Early,
    /// 晚上: from 5; nobody can say which midnight 12 is.
    Evening,
}

/// Words by half; longer ones first.
const HALVES: [(&str, HalfDay); 15] = [
    ("上午", HalfDay::Before),
    ("下午", HalfDay::After),
    ("中午", HalfDay::Noon),
    ("凌晨", HalfDay::Early),
    ("清晨", HalfDay::Early),
    ("早上", HalfDay::Early),
    ("傍晚", HalfDay::Evening),
    ("晚上", HalfDay::Evening),
    ("晚间", HalfDay::Evening),
    ("a.m.", HalfDay::Before),
    ("p.m.", HalfDay::After),
    ("A.M.", HalfDay::Before),
    ("P.M.", HalfDay::After),
    ("AM", HalfDay::Before),
    ("PM", HalfDay::After),
];

impl HalfDay {
    /// The hour of the day that an hour of this half is; none where it cannot be.
    pub(super) fn hour(self, hour: i8) -> Option<i8> {
        match (self, hour) {
            (Self::Before | Self::Early, 12) => Some(0),
            (Self::Before | Self::Early, 0..=11)
            | (Self::Noon, 11..=13)
            | (Self::After, 12..=23)
            | (Self::Evening, 17..=23) => Some(hour),
            (Self::After, 1..=11) | (Self::Noon, 1) | (Self::Evening, 5..=11) => Some(hour + 12),
            _ => None,
        }
    }
}

/// A time in digits, dashes and colons, `2026-1-5 3:05`, and the half of the day it names.
pub(super) fn plain(text: &str) -> (String, Option<HalfDay>) {
    let mut text = narrow(text);
    let mut half = None;
    let upper = text.to_ascii_uppercase();
    if let Some((word, found)) = HALVES.iter().find(|(word, _)| upper.contains(&word.to_ascii_uppercase())) {
        let place = upper.find(&word.to_ascii_uppercase()).unwrap_or(0);
        text.replace_range(place..place + word.len(), " ");
        half = Some(*found);
    }
    let is_chinese = text.contains(['年', '月']);
    if is_chinese {
        text = text.replace(['年', '月'], "-").replace(['日', '号', '號'], " ");
    }
    text = text.replace("点半", ":30").replace("點半", ":30");
    for (word, mark) in [("点整", ":00"), ("點整", ":00")] {
        text = text.replace(word, mark);
    }
    if text.contains(['点', '點', '时', '時']) {
        text = text.replace(['点', '點', '时', '時'], ":").replace(['分'], ":").replace(['秒'], "");
    }
    let words: Vec<String> =
        text.split_whitespace().map(|word| word.trim_end_matches('-').to_owned()).collect();
    let joined = rejoined(&words);
    (joined, half)
}

/// The day, a space, and the time of the day: without blanks within either, and with
/// minutes even where only the hour is said.
fn rejoined(words: &[String]) -> String {
    let Some((day, times)) = words.split_first() else { return String::new() };
    let time = times.concat();
    if time.is_empty() {
        return day.clone();
    }
    let time = match time.strip_suffix(':') {
        Some(hour) if !hour.contains(':') => format!("{hour}:00"),
        Some(minutes) => minutes.to_owned(),
        None => time,
    };
    format!("{day} {time}")
}
