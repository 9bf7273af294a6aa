//! Charts as SVG, for pages and reports: no scripts and no styles of their own. Colours go by
//! class, so that the page decides them, and there are patterns beside colours, so that nobody
//! needs to tell those apart. A table with the same numbers belongs beside each.
//!
//! Classes of what is drawn: lines `l`, bars `b`, each with its series `s0` to `s3`; intervals
//! `w`, tracks `track`, fields of a map `h` with their shade `h0` to `h5`; texts `label`,
//! `value` and `tick`, lines of a grid `grid`.
#![warn(clippy::missing_errors_doc)]
#![warn(missing_docs)]

mod svg;

use std::borrow::Cow;

use tables::csv::is_lawful;

pub use svg::{chart, legend};

/// A bar of a row: from where to where, and an interval about its end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// How long.
    pub size: f64,
    /// From where on it is drawn: another's length where they are stacked.
    pub from: f64,
    /// Its interval.
    pub interval: Option<(f64, f64)>,
    /// Which of the series it is of.
    pub series: usize,
}

/// A row of bars.
#[derive(Clone, Debug, PartialEq)]
pub struct BarRow {
    /// What they are of.
    pub label: String,
    /// What they come to, written out.
    pub value: String,
    /// The bars; those stacked share a line.
    pub bars: Vec<Bar>,
}

/// A chart.
#[derive(Clone, Debug, PartialEq)]
pub enum Chart {
    /// How something went.
    Lines {
        /// What the places are called.
        labels: Vec<String>,
        /// Each series and its values.
        series: Vec<(String, Vec<Option<f64>>)>,
    },
    /// How much there is of each.
    Bars {
        /// What the series are called; empty of one.
        series: Vec<String>,
        /// The rows.
        rows: Vec<BarRow>,
        /// What a full line is; none is the longest bar.
        whole: Option<f64>,
        /// Whether the bars of a row share a line.
        stacked: bool,
    },
    /// How much there is at each crossing of two things.
    Heat(HeatMap),
}

/// Numbers at the crossings of rows and columns: weekdays and hours, say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeatMap {
    /// What the columns are called.
    pub columns: Vec<String>,
    /// What each row is called, and its numbers, as many as there are columns.
    pub rows: Vec<(String, Vec<i64>)>,
}

impl HeatMap {
    /// The greatest of its numbers; 0 where there is none.
    pub fn most(&self) -> i64 {
        self.rows.iter().flat_map(|(_, values)| values).copied().max().unwrap_or_default().max(0)
    }
}

/// A text as it may stand in a page or a chart, whatever is in it.
pub fn escaped(text: &str) -> Cow<'_, str> {
    let is_plain = |letter: char| !matches!(letter, '&' | '<' | '>' | '"' | '\'') && is_lawful(letter);
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            letter if is_lawful(letter) => safe.push(letter),
            _ => safe.push('\u{fffd}'),
        }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(rows: &[&[i64]]) -> Chart {
        let columns = (0..rows.first().map_or(0, |row| row.len())).map(|hour| format!("{hour}")).collect();
        let rows = rows.iter().map(|row| ("<b>".to_owned(), row.to_vec())).collect();
        Chart::Heat(HeatMap { columns, rows })
    }

    #[test]
    fn a_map_shades_what_is_most_darkest() {
        let drawn = chart(&map(&[&[0, 1, 10], &[5, 9, 2]]), "c", "t", "d");
        let shades: Vec<&str> =
            drawn.split("class=\"h h").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(shades, ["0", "1", "5", "3", "5", "1"]);
        assert!(drawn.contains("&lt;b&gt;") && !drawn.contains("<b>"));
        assert_eq!(legend(&map(&[&[0, 10]])).matches("<li>").count(), 6);
        assert_eq!(legend(&map(&[&[0, 2]])).matches("<li>").count(), 3, "no shade that nothing has");
        assert_eq!(legend(&map(&[&[0]])).matches("<li>").count(), 1);
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        for empty in [map(&[]), Chart::Bars { series: vec![], rows: vec![], whole: None, stacked: false }] {
            let drawn = chart(&empty, "c", "t", "d");
            assert!(drawn.starts_with("<svg ") && drawn.ends_with("</svg>"), "{drawn}");
            assert!(!drawn.contains("NaN") && !drawn.contains("inf"), "{drawn}");
        }
    }
}
