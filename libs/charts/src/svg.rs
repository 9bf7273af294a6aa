//! How charts are drawn.

use std::fmt::Write as _;

use crate::{Bar, BarRow, Chart, HeatMap, escaped};

/// How wide a chart is, in its own units; about as many as a phone has.
const WIDTH: f64 = 420.0;
/// How high lines are drawn.
const HEIGHT: f64 = 190.0;
/// Room for what stands beside the lines.
const LEFT: f64 = 38.0;
/// Room below the lines.
const BELOW: f64 = 24.0;
/// Height of the words of a row of bars.
const LABEL: f64 = 17.0;
/// Height of a bar.
const BAR: f64 = 11.0;
/// Room between rows.
const GAP: f64 = 9.0;
/// Widest label, in letters of Latin width.
const LABEL_WIDTH: usize = 40;
/// Most labels below lines.
const PLACES: usize = 7;
/// Shades of a map, beside none.
const SHADES: i64 = 5;
/// Height of a field of a map.
const CELL: f64 = 24.0;
/// A chart of a single value has one step.
const NOTHING: f64 = 1e-9;

/// A chart with its title and description, for those who do not see it.
pub fn chart(chart: &Chart, id: &str, title: &str, description: &str) -> String {
    let (height, drawn) = match chart {
        Chart::Lines { labels, series } => (HEIGHT + BELOW + 8.0, lines(labels, series)),
        Chart::Bars { series: _, rows, whole, stacked } => bars(rows, *whole, *stacked),
        Chart::Heat(map) => heat(map),
    };
    format!(
        "<svg viewBox=\"0 0 {WIDTH:.0} {height:.0}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\" \
         xmlns=\"http://www.w3.org/2000/svg\"><title id=\"{id}-t\">{}</title><desc id=\"{id}-d\">{}</desc>{drawn}</svg>",
        escaped(title),
        escaped(description),
    )
}

/// The names of a chart's series, with how each is drawn.
pub fn legend(chart: &Chart) -> String {
    let (names, lines): (Vec<&String>, bool) = match chart {
        Chart::Lines { series, .. } => (series.iter().map(|(name, _)| name).collect(), true),
        Chart::Bars { series, .. } => (series.iter().collect(), false),
        Chart::Heat(map) => return shades(map),
    };
    if names.len() < 2 {
        return String::new();
    }
    let item = |(place, name): (usize, &&String)| {
        let sign = if lines {
            format!("<line class=\"l s{place}\" x1=\"1\" x2=\"27\" y1=\"6\" y2=\"6\"/>")
        } else {
            format!("<rect class=\"b s{place}\" x=\"1\" width=\"26\" y=\"1\" height=\"10\"/>")
        };
        format!(
            "<li><svg viewBox=\"0 0 28 12\" aria-hidden=\"true\" xmlns=\"http://www.w3.org/2000/svg\">{sign}</svg>{}</li>",
            escaped(name)
        )
    };
    let items: String = names.iter().enumerate().map(item).collect();
    format!("<ul class=\"legend\">{items}</ul>")
}

/// A number that is round, and not smaller.
fn round_up(most: f64) -> f64 {
    if most <= 4.0 {
        return 4.0;
    }
    let scale = 10_f64.powf(most.log10().floor());
    [1.0, 2.0, 4.0, 8.0, 10.0].into_iter().map(|step| step * scale).find(|step| *step >= most).unwrap_or(most)
}

#[expect(clippy::cast_precision_loss, reason = "a place among some hundred")]
fn place_of(place: usize, places: usize) -> f64 {
    let room = WIDTH - LEFT - 10.0;
    if places < 2 { LEFT + room / 2.0 } else { LEFT + room * place as f64 / (places - 1) as f64 }
}

fn lines(labels: &[String], series: &[(String, Vec<Option<f64>>)]) -> String {
    let most = series.iter().flat_map(|(_, values)| values.iter().flatten()).fold(0.0, |a: f64, b| a.max(*b));
    let top = round_up(most);
    let y = |value: f64| 8.0 + (HEIGHT - 8.0) * (1.0 - value / top.max(NOTHING));
    let mut drawn = String::new();
    for step in 0..=4 {
        let value = top * f64::from(step) / 4.0;
        let at = y(value);
        let _ = write!(
            drawn,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.0}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
             <text class=\"tick\" x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{value:.0}</text>",
            WIDTH - 10.0,
            LEFT - 5.0,
            at + 4.0,
        );
    }
    let every = labels.len().div_ceil(PLACES).max(1);
    for (place, label) in labels.iter().enumerate().filter(|(place, _)| place % every == 0) {
        let short = label.get(5..).filter(|_| label.len() == 10).unwrap_or(label);
        let x = place_of(place, labels.len());
        let _ = write!(
            drawn,
            "<text class=\"tick\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"{}\">{}</text>",
            HEIGHT + 17.0,
            if x > WIDTH - 30.0 { "end" } else { "middle" },
            escaped(short)
        );
    }
    // What is asked for is drawn last, above the others.
    for (number, (_, values)) in series.iter().enumerate().rev() {
        drawn += &line(number, values, labels.len(), y);
    }
    drawn
}

/// One line; broken where there is no value.
fn line(number: usize, values: &[Option<f64>], places: usize, y: impl Fn(f64) -> f64) -> String {
    let (mut path, mut is_down, mut alone) = (String::new(), false, String::new());
    for (place, value) in values.iter().enumerate() {
        let Some(value) = value else {
            is_down = false;
            continue;
        };
        let (x, y) = (place_of(place, places), y(*value));
        let _ = write!(path, "{}{x:.1} {y:.1}", if is_down { "L" } else { "M" });
        is_down = true;
        let known =
            |place: Option<usize>| place.and_then(|place| values.get(place)).is_some_and(Option::is_some);
        if !known(place.checked_sub(1)) && !known(Some(place + 1)) {
            let _ = write!(alone, "<circle class=\"b s{number}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>");
        }
    }
    format!("<path class=\"l s{number}\" d=\"{path}\"/>{alone}")
}

fn bars(rows: &[BarRow], whole: Option<f64>, stacked: bool) -> (f64, String) {
    let end = |bar: &Bar| bar.from + bar.size;
    let longest = rows.iter().flat_map(|row| row.bars.iter().map(end)).fold(0.0, f64::max);
    let whole = whole.unwrap_or(longest).max(NOTHING);
    let x = |size: f64| WIDTH * (size / whole).clamp(0.0, 1.0);
    let (mut y, mut drawn) = (0.0, String::new());
    for row in rows {
        let _ = write!(
            drawn,
            "<text class=\"label\" x=\"0\" y=\"{at:.1}\">{}</text>\
             <text class=\"value\" x=\"{WIDTH}\" y=\"{at:.1}\" text-anchor=\"end\">{}</text>",
            escaped(&shortened(&row.label)),
            escaped(&row.value),
            at = y + LABEL - 5.0,
        );
        y += LABEL;
        let _ =
            write!(drawn, "<rect class=\"track\" x=\"0\" y=\"{y:.1}\" width=\"{WIDTH}\" height=\"{BAR}\"/>");
        for (place, bar) in row.bars.iter().enumerate() {
            if place > 0 && !stacked {
                y += BAR + 2.0;
                let track = format!(
                    "<rect class=\"track\" x=\"0\" y=\"{y:.1}\" width=\"{WIDTH}\" height=\"{BAR}\"/>"
                );
                drawn += &track;
            }
            let (from, to) = (x(bar.from), x(end(bar)));
            let _ = write!(
                drawn,
                "<rect class=\"b s{}\" x=\"{from:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{BAR}\"/>",
                bar.series,
                (to - from).max(0.0),
            );
            if let Some((lower, upper)) = bar.interval {
                drawn += &whisker(x(lower), x(upper), y);
            }
        }
        y += BAR + GAP;
    }
    (y.max(1.0), drawn)
}

/// Which shade a value has: 0 for nothing, then evenly up to the greatest.
fn shade(value: i64, most: i64) -> i64 {
    if value <= 0 || most <= 0 { 0 } else { (value * SHADES + most - 1) / most }
}

#[expect(clippy::cast_precision_loss, reason = "a place among a few dozen")]
fn heat(map: &HeatMap) -> (f64, String) {
    let most = map.most();
    let room = WIDTH - LEFT;
    let (wide, mut drawn) = (room / map.columns.len().max(1) as f64, String::new());
    let every = map.columns.len().div_ceil(PLACES + 1).max(1);
    for (place, name) in map.columns.iter().enumerate().filter(|(place, _)| place % every == 0) {
        let x = LEFT + wide * (place as f64 + 0.5);
        let _ = write!(
            drawn,
            "<text class=\"tick\" x=\"{x:.1}\" y=\"12\" text-anchor=\"middle\">{}</text>",
            escaped(name)
        );
    }
    for (row, (name, values)) in map.rows.iter().enumerate() {
        let y = LABEL + CELL * row as f64;
        let _ = write!(
            drawn,
            "<text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 5.0,
            y + CELL / 2.0 + 4.0,
            escaped(name)
        );
        for (place, value) in values.iter().enumerate() {
            let _ = write!(
                drawn,
                "<rect class=\"h h{}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>",
                shade(*value, most),
                LEFT + wide * place as f64 + 0.5,
                y + 0.5,
                (wide - 1.0).max(0.5),
                CELL - 1.0,
            );
        }
    }
    (LABEL + CELL * map.rows.len().max(1) as f64 + 2.0, drawn)
}

/// What the shades of a map mean.
fn shades(map: &HeatMap) -> String {
    let most = map.most();
    let item = |shade: i64| {
        let from = if shade == 0 { 0 } else { (shade - 1) * most / SHADES + 1 };
        let to = shade * most / SHADES;
        let told = if from >= to { from.to_string() } else { format!("{from}–{to}") };
        format!(
            "<li><svg viewBox=\"0 0 28 12\" aria-hidden=\"true\" xmlns=\"http://www.w3.org/2000/svg\">\
             <rect class=\"h h{shade}\" x=\"1\" width=\"26\" y=\"1\" height=\"10\"/></svg>{told}</li>"
        )
    };
    let has = |shade: &i64| *shade == 0 || shade * most / SHADES > (shade - 1) * most / SHADES;
    let items: String = (0..=SHADES).filter(has).map(item).collect();
    format!("<ul class=\"legend\">{items}</ul>")
}

/// An interval, with its two ends.
fn whisker(from: f64, to: f64, y: f64) -> String {
    let (top, bottom, middle) = (y + 1.0, y + BAR - 1.0, y + BAR / 2.0);
    let (from, to) = (from.clamp(1.0, WIDTH - 1.0), to.clamp(1.0, WIDTH - 1.0));
    format!(
        "<path class=\"w\" d=\"M{from:.1} {top:.1}L{from:.1} {bottom:.1}M{to:.1} {top:.1}L{to:.1} {bottom:.1}\
         M{from:.1} {middle:.1}L{to:.1} {middle:.1}\"/>"
    )
}

/// A label that fits; the table beside it has it whole.
fn shortened(label: &str) -> String {
    let width = |letter: char| if u32::from(letter) < 0x1100 { 1 } else { 2 };
    if label.chars().map(width).sum::<usize>() <= LABEL_WIDTH {
        return label.to_owned();
    }
    let mut room = LABEL_WIDTH - 1;
    let fits = |letter: &char| {
        let fits = width(*letter) <= room;
        room = room.saturating_sub(width(*letter));
        fits
    };
    label.chars().take_while(fits).chain(['…']).collect()
}
