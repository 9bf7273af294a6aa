//! Aligned columns that know how wide Chinese is, and how wide the terminal.

use terminal::{Alignment, Term, measure_text_width, pad_str, truncate_str};

/// Narrowest a shortened last column gets.
const LAST_MIN: usize = 16;
const GAP: &str = "  ";

/// The width to write for; none where the reader is a program or a file.
pub fn width() -> Option<usize> {
    let terminal = Term::stdout();
    terminal.is_term().then(|| usize::from(terminal.size().1))
}

/// Rows under headings.
pub struct Table {
    headings: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub fn new<const N: usize>(headings: [&str; N]) -> Self {
        Self { headings: headings.map(one_line).into(), rows: Vec::new() }
    }

    /// Adds a row, a cell per heading.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.map(|cell| one_line(&cell)).into());
    }

    /// How it reads, for the terminal there is.
    pub fn render(&self) -> String {
        self.render_within(width())
    }

    /// How it reads in lines of at most this width: the last column is shortened.
    pub fn render_within(&self, width: Option<usize>) -> String {
        let mut widths = self.widths();
        if let (Some(width), Some(last)) = (width, widths.len().checked_sub(1)) {
            let others: usize = widths[..last].iter().map(|width| width + GAP.len()).sum();
            widths[last] = widths[last].min(width.saturating_sub(others).max(LAST_MIN));
        }
        let mut text = String::new();
        for row in std::iter::once(&self.headings).chain(&self.rows) {
            text.push_str(line(row, &widths).trim_end());
            text.push('\n');
        }
        text
    }

    fn widths(&self) -> Vec<usize> {
        let mut widths = vec![0; self.headings.len()];
        for row in std::iter::once(&self.headings).chain(&self.rows) {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(measure_text_width(cell));
            }
        }
        widths
    }
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let padded = cells.iter().zip(widths).map(|(cell, width)| {
        pad_str(&truncate_str(cell, *width, "…"), *width, Alignment::Left, None).into_owned()
    });
    padded.collect::<Vec<_>>().join(GAP)
}

/// A cell is one line, whatever people wrote.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A heading beside each value, one a line; without those that have no value.
pub fn facts(facts: &[(&str, String)]) -> String {
    let told: Vec<_> = facts.iter().filter(|(_, value)| !value.is_empty() && value != "-").collect();
    let widest = told.iter().map(|(heading, _)| measure_text_width(heading)).max().unwrap_or(0);
    let mut text = String::new();
    for (heading, value) in told {
        let indented = value.trim_end().replace('\n', &format!("\n{:widest$}  ", ""));
        text.push_str(&pad_str(heading, widest, Alignment::Left, None));
        text.push_str(GAP);
        text.push_str(&indented);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(["id", "subject"]);
        table.row(["1".into(), "燃气表没用也在走".into()]);
        table.row(["12".into(), "late\nagain".into()]);
        table
    }

    #[test]
    fn columns_are_aligned() {
        assert_eq!(table().render_within(None), "id  subject\n1   燃气表没用也在走\n12  late again\n");
    }

    #[test]
    fn the_last_column_gives_way() {
        let mut table = table();
        table.row(["3".into(), "a line that is longer than the terminal".into()]);
        for line in table.render_within(Some(24)).lines() {
            assert!(measure_text_width(line) <= 24, "{line}");
        }
    }

    #[test]
    fn facts_without_a_value_are_left_out() {
        let text = facts(&[("state", "closed".into()), ("agent", String::new()), ("why", "a\nb".into())]);
        assert_eq!(text, "state  closed\nwhy    a\n       b\n");
    }
}
