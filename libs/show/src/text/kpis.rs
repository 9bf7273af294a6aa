//! Figures, with bars, and lines of how they went.

use proto::redress::feedback::v1::{
    FactState, Kpi, KpiAnswer, KpiFigure, KpiRow, KpiSettings, KpiTime, KpiUnit, ListKpisResponse,
    QueryKpisResponse,
};

use crate::lines::{millis, money, time};
use crate::table::{Table, facts, one_line};
use crate::words::word;

/// Cells of the longest bar.
const BAR: f64 = 20.0;
/// Parts of a cell of a bar, none to all.
const EIGHTHS: [char; 9] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];
/// Heights of a line.
const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Parts of a window up to which each has a bar of its own; more are one line.
const BARS: usize = 40;

/// Every KPI, a line each.
pub fn kpis(list: &ListKpisResponse) -> String {
    let mut table = Table::new(["kpi", "unit", "what it says"]);
    for kpi in &list.kpis {
        table.row([kpi.name.clone(), word::<KpiUnit>(kpi.unit), kpi.description.clone()]);
    }
    table.render()
}

/// One KPI: what it means and how it is counted.
pub fn kpi(kpi: &Kpi) -> String {
    let times: Vec<String> = kpi.times.iter().map(|time| word::<KpiTime>(*time)).collect();
    facts(&[
        ("kpi", kpi.name.clone()),
        ("says", kpi.description.clone()),
        ("formula", kpi.formula.clone()),
        ("unit", word::<KpiUnit>(kpi.unit)),
        ("counted by", kpi.counted_by.clone()),
        ("times", times.join(", ")),
        ("from", kpi.sources.join(", ")),
        ("formula's origin", kpi.origin.clone()),
    ])
}

/// Answers, and how current they are.
pub fn kpi_answers(answers: &QueryKpisResponse) -> String {
    let all: Vec<String> = answers.answers.iter().map(one).collect();
    let state = answers.state.as_ref().map(fact_state).unwrap_or_default();
    format!("{}\n{state}", all.join("\n"))
}

fn one(answer: &KpiAnswer) -> String {
    let time =
        if answer.time == 0 { String::new() } else { format!(", {} time", word::<KpiTime>(answer.time)) };
    let head = format!("{} ({}{time})\n", one_line(&answer.kpi), word::<KpiUnit>(answer.unit));
    if answer.rows.is_empty() {
        return head + "nothing is counted\n";
    }
    head + &lines(answer) + &rows(answer)
}

/// How each group went, where a window is cut into more than one part.
fn lines(answer: &KpiAnswer) -> String {
    let mut groups: Vec<(&str, Vec<Option<f64>>)> = Vec::new();
    for row in &answer.rows {
        let value = row.figure.as_ref().and_then(size);
        match groups.iter_mut().find(|(name, _)| *name == row.value) {
            Some((_, values)) => values.push(value),
            None => groups.push((&row.value, vec![value])),
        }
    }
    let is_long = groups.iter().any(|(_, values)| values.len() > 1);
    if !is_long || groups.len() > BARS {
        return String::new();
    }
    let line =
        |(name, values): &(&str, Vec<Option<f64>>)| format!("{}  {}\n", sparkline(values), one_line(name));
    groups.iter().map(line).collect::<Vec<_>>().concat()
}

/// What a figure's bar shows.
fn size(figure: &KpiFigure) -> Option<f64> {
    figure.value.filter(|_| !figure.suppressed)
}

fn rows(answer: &KpiAnswer) -> String {
    let largest = answer.rows.iter().filter_map(|row| row.figure.as_ref().and_then(size)).fold(0.0, f64::max);
    let is_share = answer.unit == i32::from(KpiUnit::Share);
    let whole = if is_share { 1.0 } else { largest };
    let mut table = Table::new(["of", "", "figure", "from", "before", ""]);
    // Told apart by something, the group without it is one of them.
    let is_told_apart = answer.rows.iter().any(|row| !row.value.is_empty());
    for row in &answer.rows {
        let Some(figure) = &row.figure else { continue };
        let is_unknown = is_told_apart && row.value.is_empty();
        let bar = size(figure).map(|size| bar(size, whole)).unwrap_or_default();
        table.row([
            row.period.clone(),
            if is_unknown { "(not known)".to_owned() } else { row.value.clone() },
            told(answer.unit, figure),
            counted(answer, figure),
            before(answer.unit, row),
            bar,
        ]);
    }
    table.render()
}

/// A figure in its unit.
fn told(unit: i32, figure: &KpiFigure) -> String {
    if figure.suppressed {
        return "suppressed".to_owned();
    }
    if unit == i32::from(KpiUnit::Money) {
        let sums: Vec<String> = figure.amounts.iter().map(|sum| money(Some(sum))).collect();
        return if sums.is_empty() { "–".to_owned() } else { sums.join(", ") };
    }
    let Some(value) = figure.value else { return "–".to_owned() };
    match KpiUnit::try_from(unit) {
        Ok(KpiUnit::Share) => {
            let ends = (figure.lower.unwrap_or(value) * 100.0, figure.upper.unwrap_or(value) * 100.0);
            format!("{:.1} % ({:.1}–{:.1})", value * 100.0, ends.0, ends.1)
        }
        Ok(KpiUnit::Seconds) => {
            let of = |one: &proto::redress::feedback::v1::KpiPercentile| {
                format!("p{} {}", trimmed(one.percentile * 100.0), seconds(one.value))
            };
            let percentiles: Vec<String> = figure.percentiles.iter().map(of).collect();
            format!("{}, {}", seconds(value), percentiles.join(", ")).trim_end_matches(", ").to_owned()
        }
        Ok(KpiUnit::PerThousand) => format!("{value:.3}"),
        _ => trimmed(value),
    }
}

/// A number with as many decimals as it needs, two at most.
fn trimmed(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[expect(clippy::cast_possible_truncation, reason = "shown with one decimal")]
fn seconds(value: f64) -> String {
    millis((value * 1_000.0) as i64)
}

/// What a figure is counted from.
fn counted(answer: &KpiAnswer, figure: &KpiFigure) -> String {
    if figure.suppressed {
        return String::new();
    }
    let (numerator, denominator) = (figure.numerator, figure.denominator);
    match KpiUnit::try_from(answer.unit) {
        Ok(KpiUnit::Share | KpiUnit::PerThousand) => format!("{numerator} of {denominator}"),
        _ if answer.kpi == "backlog" => format!("{numerator} overdue"),
        _ => denominator.to_string(),
    }
}

/// What a figure is compared with, and what has changed.
fn before(unit: i32, row: &KpiRow) -> String {
    let Some(previous) = &row.previous else { return String::new() };
    let told = told(unit, previous);
    let Some(change) = row.change else { return told };
    match KpiUnit::try_from(unit) {
        Ok(KpiUnit::Share) => format!("{told}, {:+.1} points", change * 100.0),
        Ok(KpiUnit::Seconds) => {
            let sign = if change < 0.0 { "-" } else { "+" };
            format!("{told}, {sign}{}", seconds(change.abs()))
        }
        _ => format!("{told}, {}{}", if change < 0.0 { "" } else { "+" }, trimmed(change)),
    }
}

/// A bar for a value of a whole.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between none and all cells")]
fn bar(value: f64, whole: f64) -> String {
    if whole <= 0.0 || value <= 0.0 {
        return String::new();
    }
    let eighths = ((value / whole).min(1.0) * BAR * 8.0).round() as usize;
    let rest = EIGHTHS.get(eighths % 8).filter(|_| !eighths.is_multiple_of(8));
    let mut text = "█".repeat(eighths / 8);
    text.extend(rest);
    text
}

/// Values as heights, the highest as high as can be; a dot where there is none.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "one of eight heights")]
pub(super) fn sparkline(values: &[Option<f64>]) -> String {
    let highest = values.iter().flatten().copied().fold(0.0, f64::max);
    let height = |value: f64| {
        let of = if highest > 0.0 { (value.max(0.0) / highest * 7.0).round() as usize } else { 0 };
        HEIGHTS.get(of).copied().unwrap_or('█')
    };
    values.iter().map(|value| value.map_or('·', height)).collect()
}

/// How current the facts are.
pub fn fact_state(state: &FactState) -> String {
    let mut table = Table::new(["counted from", "behind by", "set aside", "rebuilt up to"]);
    for source in &state.sources {
        let lag = source.lag.as_ref().map_or_else(
            || "unknown".to_owned(),
            |lag| millis(lag.seconds.saturating_mul(1_000).saturating_add(i64::from(lag.nanos) / 1_000_000)),
        );
        let until = source.rebuild_until_position.map_or_else(String::new, |until| format!(" of {until}"));
        let rebuilt = source.rebuilt_position.map_or_else(String::new, |read| format!("{read}{until}"));
        table.row([source.source.clone(), lag, source.parked_count.to_string(), rebuilt]);
    }
    let rebuild = match (state.rebuilding, &state.rebuild_finish_time) {
        (true, _) => "the facts are being rebuilt: figures lack what has not been read again\n".to_owned(),
        (false, Some(finished)) => format!("rebuilt {}\n", time(Some(finished))),
        (false, None) => String::new(),
    };
    table.render() + &rebuild
}

/// What figures are counted by.
pub fn kpi_settings(settings: &KpiSettings) -> String {
    let head = facts(&[
        ("version", settings.version.to_string()),
        ("time zone", settings.time_zone.clone()),
        ("suppressed below", settings.min_group_size.to_string()),
        ("note", settings.note.clone()),
    ]);
    if settings.customers.is_empty() {
        return head;
    }
    let mut table = Table::new(["customers", "region"]);
    for region in &settings.customers {
        table.row([region.customers.to_string(), region.region.clone()]);
    }
    format!("{head}\n{}", table.render())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_and_lines_are_as_long_and_high_as_their_values() {
        assert_eq!(bar(1.0, 1.0).chars().count(), 20);
        assert_eq!(bar(0.5, 1.0), "█".repeat(10));
        assert_eq!(bar(0.53125, 1.0), format!("{}▋", "█".repeat(10)));
        assert_eq!(bar(0.0, 1.0), "");
        assert_eq!(sparkline(&[Some(0.0), Some(7.0), None, Some(14.0)]), "▁▅·█");
    }

    #[test]
    fn figures_read_in_their_units() {
        let figure =
            KpiFigure { value: Some(0.25), lower: Some(0.1), upper: Some(0.5), ..KpiFigure::default() };
        assert_eq!(told(KpiUnit::Share.into(), &figure), "25.0 % (10.0–50.0)");
        let figure = KpiFigure { value: Some(5_400.0), ..KpiFigure::default() };
        assert_eq!(told(KpiUnit::Seconds.into(), &figure), "90.0 min");
        assert_eq!(
            told(KpiUnit::Count.into(), &KpiFigure { value: Some(12.0), ..KpiFigure::default() }),
            "12"
        );
        assert_eq!(told(KpiUnit::Share.into(), &KpiFigure::default()), "–");
        let hidden = KpiFigure { suppressed: true, ..KpiFigure::default() };
        assert_eq!(told(KpiUnit::Share.into(), &hidden), "suppressed");
    }
}
