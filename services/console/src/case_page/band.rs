//! How a due time is counted, drawn over calendar days: what counts, what does not and why, where
//! it stands now. Pure.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use proto::redress::cases::v1::{ExplainDeadlineResponse, IntervalKind};

use crate::moment::timestamp;

/// How wide the drawing is, in its own units.
pub(super) const WIDTH: f64 = 640.0;
/// Most days with a label.
const LABELS: i64 = 9;
/// Longest time that is drawn day by day.
const DAYS_MAX: i64 = 400;
/// Narrowest piece that can be seen.
const PIECE_MIN: f64 = 0.6;
const DAY_SECONDS: i64 = 86_400;

/// A piece of the band.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Piece {
    pub(super) x: f64,
    pub(super) width: f64,
    /// How it is drawn: `counts`, `off`, `holiday`, `paused`.
    pub(super) class: &'static str,
    /// What it is, as the contract numbers it.
    pub(super) kind: i32,
    /// The name of a holiday, say.
    pub(super) note: String,
}

/// A day's beginning.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub(super) x: f64,
    /// `11-30`; empty where there is no room.
    pub(super) label: String,
}

/// The drawing.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Band {
    pub(super) pieces: Vec<Piece>,
    pub(super) ticks: Vec<Tick>,
    /// Where it is due.
    pub(super) due: f64,
    /// Where now is; none before it began.
    pub(super) now: Option<f64>,
    /// The kinds that are in it, for the legend, each with how it is drawn.
    pub(super) legend: Vec<(&'static str, i32)>,
}

fn class(kind: IntervalKind) -> &'static str {
    match kind {
        IntervalKind::Counts | IntervalKind::Settled => "counts",
        IntervalKind::Holiday => "holiday",
        IntervalKind::Paused => "paused",
        _ => "off",
    }
}

/// Draws a deadline; none where nothing is due.
pub(super) fn band(deadline: &ExplainDeadlineResponse, now: Timestamp) -> Option<Band> {
    let clock = deadline.clock.as_ref()?;
    let due = timestamp(clock.due_time.as_ref()?)?;
    let first = deadline.intervals.first().and_then(|interval| timestamp(interval.from_time.as_ref()?));
    let start = first.or_else(|| timestamp(clock.start_time.as_ref()?))?;
    // What is overdue is drawn up to now, as far as that says anything.
    let longest = start.as_second().saturating_add(DAYS_MAX * DAY_SECONDS);
    let end = due.as_second().max(now.as_second()).min(longest.max(due.as_second()));
    let length = (end - start.as_second()).max(1);
    let x = |time: Timestamp| -> f64 {
        let into = (time.as_second() - start.as_second()).clamp(0, length);
        WIDTH * precise(into) / precise(length)
    };
    let mut legend = Vec::<(&'static str, i32)>::new();
    let mut pieces = Vec::new();
    for interval in &deadline.intervals {
        let ends = interval
            .from_time
            .as_ref()
            .and_then(timestamp)
            .zip(interval.until_time.as_ref().and_then(timestamp));
        let Some((from, until)) = ends else { continue };
        let class = class(interval.kind());
        if !legend.iter().any(|(_, kind)| *kind == interval.kind) {
            legend.push((class, interval.kind));
        }
        let width = (x(until) - x(from)).max(PIECE_MIN);
        pieces.push(Piece { x: x(from), width, class, kind: interval.kind, note: interval.note.clone() });
    }
    let zone = calendar::zones::get(&deadline.time_zone).unwrap_or(TimeZone::UTC);
    let end = Timestamp::from_second(end).ok()?;
    let ticks =
        ticks(start, end, &zone).into_iter().map(|(time, label)| Tick { x: x(time), label }).collect();
    let now = (now >= start).then(|| x(now));
    Some(Band { pieces, ticks, due: x(due), now, legend })
}

/// Seconds of a few years are exact as floats.
fn precise(seconds: i64) -> f64 {
    f64::from(i32::try_from(seconds).unwrap_or(i32::MAX))
}

/// The beginnings of days within a time, some of them with their date.
fn ticks(start: Timestamp, end: Timestamp, zone: &TimeZone) -> Vec<(Timestamp, String)> {
    let days = (end.as_second() - start.as_second()) / DAY_SECONDS + 1;
    let step = (days / LABELS).max(1);
    let mut ticks = Vec::new();
    let Ok(mut day) = start.to_zoned(zone.clone()).start_of_day() else { return ticks };
    let mut count = 0;
    while day.timestamp() <= end && count <= DAYS_MAX {
        if day.timestamp() >= start {
            let label = if count % step == 0 { day.strftime("%m-%d").to_string() } else { String::new() };
            ticks.push((day.timestamp(), label));
            count += 1;
        }
        match day.checked_add(1.day()) {
            Ok(next) => day = next,
            Err(_) => break,
        }
    }
    ticks
}

#[cfg(test)]
mod tests {
    use proto::redress::cases::v1::{CaseClock, Interval};

    use super::*;

    fn time(text: &str) -> Option<prost_types::Timestamp> {
        let time = text.parse::<Timestamp>().ok()?;
        Some(prost_types::Timestamp { seconds: time.as_second(), nanos: 0 })
    }

    fn interval(from: &str, until: &str, kind: IntervalKind) -> Interval {
        Interval { from_time: time(from), until_time: time(until), kind: kind.into(), ..Interval::default() }
    }

    /// Friday noon to Tuesday noon over a weekend.
    fn deadline() -> ExplainDeadlineResponse {
        let (start, due) = ("2026-11-27T12:00:00Z", "2026-12-01T12:00:00Z");
        ExplainDeadlineResponse {
            clock: Some(CaseClock { start_time: time(start), due_time: time(due), ..CaseClock::default() }),
            time_zone: "UTC".into(),
            intervals: vec![
                interval(start, "2026-11-28T00:00:00Z", IntervalKind::Counts),
                interval("2026-11-28T00:00:00Z", "2026-11-30T00:00:00Z", IntervalKind::Weekend),
                interval("2026-11-30T00:00:00Z", due, IntervalKind::Counts),
            ],
            ..ExplainDeadlineResponse::default()
        }
    }

    #[test]
    fn a_band_has_its_days_where_they_are() {
        let band = band(&deadline(), "2026-11-29T12:00:00Z".parse().unwrap()).unwrap();
        let x: Vec<f64> = band.pieces.iter().map(|piece| piece.x.round()).collect();
        assert_eq!(x, [0.0, 80.0, 400.0]);
        assert_eq!(
            band.pieces.iter().map(|piece| piece.class).collect::<Vec<_>>(),
            ["counts", "off", "counts"]
        );
        assert_eq!((band.due, band.now), (WIDTH, Some(320.0)));
        let labels: Vec<&str> = band.ticks.iter().map(|tick| tick.label.as_str()).collect();
        assert_eq!(labels, ["11-28", "11-29", "11-30", "12-01"]);
        assert_eq!(band.legend.len(), 2);
    }

    #[test]
    fn what_is_overdue_is_drawn_up_to_now() {
        let now = "2026-12-05T12:00:00Z".parse().unwrap();
        let late = band(&deadline(), now).unwrap();
        assert_eq!((late.due, late.now), (WIDTH / 2.0, Some(WIDTH)));
        let years_later = band(&deadline(), "2036-12-05T12:00:00Z".parse().unwrap()).unwrap();
        assert!(years_later.ticks.len() < 500 && years_later.due > 0.0);
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        assert_eq!(band(&ExplainDeadlineResponse::default(), Timestamp::UNIX_EPOCH), None);
        let before = band(&deadline(), "2026-11-01T00:00:00Z".parse().unwrap()).unwrap();
        assert_eq!(before.now, None);
    }
}
