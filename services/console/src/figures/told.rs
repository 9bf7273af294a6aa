//! How a figure reads.

use proto::redress::feedback::v1::{KpiFigure, KpiRow, KpiTime, KpiUnit};

use crate::money;
use crate::words::Words;

/// What stands where there is nothing to tell.
pub(super) const NOTHING: &str = "–";
/// What stands where so few are counted that nothing is told.
pub(super) const SUPPRESSED: &str = "–*";
/// The middle of many.
const MEDIAN: f64 = 0.5;

/// A number with its thousands parted.
pub(super) fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}

/// A share.
pub(super) fn share(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// A duration in the unit that reads best; of working time there are no days.
pub(super) fn duration(seconds: f64, time: KpiTime, t: Words) -> String {
    if seconds < 3_570.0 {
        t.minutes(format!("{:.0}", seconds / 60.0))
    } else if seconds < 172_800.0 || time == KpiTime::Working {
        t.hours(format!("{:.1}", seconds / 3_600.0))
    } else {
        t.days(format!("{:.1}", seconds / 86_400.0))
    }
}

/// The median of a duration, the value of anything else.
pub(super) fn value(figure: &KpiFigure, unit: KpiUnit) -> Option<f64> {
    if figure.suppressed {
        return None;
    }
    match unit {
        KpiUnit::Seconds => {
            let median = figure.percentiles.iter().find(|one| (one.percentile - MEDIAN).abs() < 1e-9);
            median.filter(|_| figure.denominator > 0).map(|one| one.value)
        }
        _ => figure.value,
    }
}

/// A figure, as people read it.
pub(super) fn figure(figure: Option<&KpiFigure>, unit: KpiUnit, time: KpiTime, t: Words) -> String {
    let Some(told) = figure else { return NOTHING.to_owned() };
    if told.suppressed {
        return SUPPRESSED.to_owned();
    }
    match (unit, value(told, unit)) {
        (KpiUnit::Count, _) => grouped(told.denominator),
        (KpiUnit::Money, _) if told.amounts.is_empty() => NOTHING.to_owned(),
        (KpiUnit::Money, _) => {
            told.amounts.iter().map(|sum| money::text(Some(sum))).collect::<Vec<_>>().join(", ")
        }
        (_, None) => NOTHING.to_owned(),
        (KpiUnit::Seconds, Some(seconds)) => duration(seconds, time, t),
        (KpiUnit::PerThousand, Some(value)) => format!("{value:.2}"),
        (_, Some(value)) => share(value),
    }
}

/// Its 95 % interval, where it is a share.
pub(super) fn interval(figure: &KpiFigure) -> Option<(f64, f64)> {
    Some((figure.lower?, figure.upper?)).filter(|_| !figure.suppressed)
}

/// Whether something of these is not told, being of too few.
pub(super) fn hides(rows: &[KpiRow]) -> bool {
    let is_hidden = |figure: &KpiFigure| figure.suppressed;
    rows.iter().any(|row| row.figure.iter().chain(&row.previous).any(is_hidden))
}

#[cfg(test)]
mod tests {
    use proto::redress::feedback::v1::KpiPercentile;

    use super::*;
    use crate::language::Language;

    #[test]
    fn figures_are_told_in_their_unit_and_small_groups_are_not() {
        let t = Words(Language::English);
        let told = |one: &KpiFigure, unit| figure(Some(one), unit, KpiTime::Wall, t);
        let rate = KpiFigure { value: Some(0.9312), denominator: 58, ..KpiFigure::default() };
        assert_eq!(told(&rate, KpiUnit::Share), "93.1 %");
        let count = KpiFigure { value: Some(1234.0), denominator: 1234, ..KpiFigure::default() };
        assert_eq!(told(&count, KpiUnit::Count), "1,234");
        let hidden = KpiFigure { suppressed: true, ..KpiFigure::default() };
        for unit in [KpiUnit::Share, KpiUnit::Count, KpiUnit::Money, KpiUnit::Seconds] {
            assert_eq!(told(&hidden, unit), SUPPRESSED);
            assert_eq!(value(&hidden, unit), None);
        }
        let percentiles = vec![KpiPercentile { percentile: 0.5, value: 7_200.0 }];
        let median = KpiFigure { value: Some(1.0), denominator: 3, percentiles, ..KpiFigure::default() };
        assert_eq!(told(&median, KpiUnit::Seconds), "2.0 h");
        assert_eq!(duration(259_200.0, KpiTime::Wall, t), "3.0 d");
        assert_eq!(duration(259_200.0, KpiTime::Working, t), "72.0 h");
        assert_eq!(figure(None, KpiUnit::Share, KpiTime::Wall, t), NOTHING);
        assert!(hides(&[KpiRow { previous: Some(hidden), ..KpiRow::default() }]));
        assert!(!hides(&[KpiRow { figure: Some(rate), ..KpiRow::default() }]));
        assert_eq!((grouped(-1_000), grouped(12)), ("-1,000".to_owned(), "12".to_owned()));
    }
}
