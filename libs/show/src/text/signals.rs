//! Signals, with a line of the days they are told from.

use proto::redress::feedback::v1::{
    ListSignalsResponse, Signal, SignalEnding, SignalSeries, SignalSettings, SignalState,
};

use super::kpis::sparkline;
use super::problem_tasks::hints;
use super::{more, none_of};
use crate::lines::time;
use crate::table::{Table, facts, one_line};
use crate::words::word;

/// Days before the first of a surge that are shown one by one.
const SHOWN_BEFORE: usize = 7;

/// A page of signals.
pub fn signals(list: &ListSignalsResponse) -> String {
    if list.signals.is_empty() {
        return none_of("signals", &list.next_page_token);
    }
    let mut table = Table::new(["signal", "state", "first day", "last", "complaints", "expected", "of"]);
    for one in &list.signals {
        table.row([
            one.signal_id.clone(),
            word::<SignalState>(one.state),
            one.first_date.clone(),
            one.last_date.clone(),
            one.total.to_string(),
            format!("{:.1}", one.expected_total),
            one.series.as_ref().map(series).unwrap_or_default(),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

pub(super) fn series(series: &SignalSeries) -> String {
    let parts = [("category", &series.category), ("product", &series.product), ("region", &series.region)];
    let named = parts.iter().filter(|(_, value)| !value.is_empty());
    let named: Vec<String> = named.map(|(name, value)| format!("{name} {}", one_line(value))).collect();
    if named.is_empty() { "all complaints".to_owned() } else { named.join(", ") }
}

/// One signal: its surge, its days and what people made of it.
pub fn signal(one: &Signal) -> String {
    let ending = if one.ending == 0 { String::new() } else { word::<SignalEnding>(one.ending) };
    let baseline = one.baseline.as_ref().map(|baseline| {
        format!(
            "{:.1} a day over {} days, spread {:.1} times",
            baseline.level, baseline.days, baseline.dispersion
        )
    });
    let head = facts(&[
        ("signal", one.signal_id.clone()),
        ("version", one.version.to_string()),
        ("of", one.series.as_ref().map(series).unwrap_or_default()),
        ("state", word::<SignalState>(one.state)),
        ("from", one.first_date.clone()),
        ("to", one.last_date.clone()),
        ("complaints", format!("{}, {:.1} expected", one.total, one.expected_total)),
        ("usual", baseline.unwrap_or_default()),
        ("raised", time(one.raise_time.as_ref())),
        ("over", time(one.end_time.as_ref())),
        ("because", ending),
        ("dismissed", time(one.dismiss_time.as_ref())),
        ("by", one.dismissed_by.clone()),
        ("reason", one.reason.clone()),
    ]);
    if one.days.is_empty() { head } else { format!("{head}\n{}", days(one)) }
}

/// A line of all days, and the last of them each with what was expected.
#[expect(clippy::cast_precision_loss, reason = "heights of a line")]
fn days(one: &Signal) -> String {
    let heights: Vec<Option<f64>> = one.days.iter().map(|day| Some(day.count as f64)).collect();
    let line = sparkline(&heights);
    let begun = one.days.iter().position(|day| day.date >= one.first_date).unwrap_or(one.days.len());
    let mut table = Table::new(["day", "complaints", "expected", "at most", ""]);
    for day in one.days.iter().skip(begun.saturating_sub(SHOWN_BEFORE)) {
        let above = if day.date >= one.first_date && day.count > day.bound { "above" } else { "" };
        table.row([
            day.date.clone(),
            day.count.to_string(),
            format!("{:.1}", day.expected),
            day.bound.to_string(),
            above.to_owned(),
        ]);
    }
    format!("{line}\n\n{}", table.render())
}

/// How readily signals are raised, and what departments are asked then.
pub fn signal_settings(settings: &SignalSettings) -> String {
    let head = facts(&[
        ("version", settings.version.to_string()),
        ("false alarms", format!("{} a year of each series", settings.false_alarms_per_year)),
        ("at least", format!("{} complaints on a day", settings.min_count)),
        ("over after", format!("{} quiet days", settings.quiet_days)),
        ("note", settings.note.clone()),
    ]);
    if settings.hints.is_empty() { head } else { format!("{head}\n{}", hints(&settings.hints)) }
}

#[cfg(test)]
mod tests {
    use proto::redress::feedback::v1::SignalDay;

    use super::*;

    #[test]
    fn a_signal_shows_a_line_of_its_days_and_which_were_above() {
        let day = |date: &str, count, bound| SignalDay { date: date.to_owned(), count, expected: 7.0, bound };
        let of = SignalSeries { product: "kettle".to_owned(), ..SignalSeries::default() };
        let one = Signal {
            first_date: "2026-06-23".to_owned(),
            last_date: "2026-06-23".to_owned(),
            series: Some(of),
            days: vec![
                day("2026-06-21", 0, 20),
                day("2026-06-22", 7, 20),
                day("2026-06-23", 28, 20),
                day("2026-06-24", 14, 20),
            ],
            ..Signal::default()
        };
        let text = signal(&one);
        assert!(text.contains("product kettle") && text.contains("\n▁▃█▅\n"), "{text}");
        assert_eq!(text.matches("above").count(), 1, "{text}");
        assert!(signals(&ListSignalsResponse::default()).contains("no signals"));
    }
}
