//! What became of a file.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::json;

use super::progress::per_second;
use crate::import::{Counts, Layout};

/// What became of all rows of a file.
pub(super) struct Summary<'a> {
    pub(super) counts: &'a Counts,
    pub(super) layout: &'a Layout,
    /// Rows sent by this run: an earlier one may have sent others.
    pub(super) here: u64,
    pub(super) took: Duration,
    /// Whether an earlier run sent them all.
    pub(super) was_complete: bool,
}

impl Summary<'_> {
    pub(super) fn text(&self) -> String {
        let Counts { registered, known, reasons, quotes, .. } = self.counts;
        let (rows, took) = (self.counts.rows(), self.took.as_secs_f64());
        let rate = per_second(self.here, self.took);
        let all = if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") };
        let mut text = if self.was_complete {
            format!("{all}, all of them done before\n")
        } else if self.here < rows {
            format!("{all}, {} of them now, in {took:.1} s ({rate:.0} a second)\n", self.here)
        } else {
            format!("{all} in {took:.1} s ({rate:.0} a second)\n")
        };
        let mut counts = vec![("registered".to_owned(), *registered)];
        if *known > 0 {
            counts.push(("registered before".to_owned(), *known));
        }
        counts.extend(reasons.iter().map(|(reason, count)| (format!("refused, {reason}"), *count)));
        let width = counts.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
        let _ = writeln!(text, "  {:<width$}  {}", "read as", read_as(self.layout));
        for (name, count) in counts {
            let _ = writeln!(text, "  {name:<width$}  {count:>7}");
        }
        for quote in quotes {
            let _ = writeln!(text, "    {quote}");
        }
        text
    }

    pub(super) fn json(&self) -> String {
        let Counts { registered, known, refused, reasons, .. } = self.counts;
        let mut told = written(self.layout);
        if let Some(told) = told.as_object_mut() {
            let rate = per_second(self.here, self.took).round();
            let more = json!({
                "rows": self.counts.rows(), "registered": registered, "registeredBefore": known,
                "refused": refused, "reasons": reasons, "rowsNow": self.here, "rowsPerSecond": rate,
            });
            told.extend(more.as_object().cloned().unwrap_or_default());
        }
        told.to_string()
    }
}

/// How a file is written, in words: `GB18030 (so read, 编号 is a heading), separated by ;`.
pub(super) fn read_as(layout: &Layout) -> String {
    let mut text = match (&layout.encoding, &layout.sheet) {
        (Some((encoding, why)), _) => format!("{} ({why})", encoding.name()),
        (None, Some(sheet)) => format!("sheet {sheet}"),
        (None, None) => String::new(),
    };
    match layout.separator {
        None => {}
        Some(b'\t') => text.push_str(", separated by tabs"),
        Some(separator) => {
            let _ = write!(text, ", separated by {}", char::from(separator));
        }
    }
    text
}

/// The same for programs.
pub(super) fn written(layout: &Layout) -> serde_json::Value {
    json!({
        "encoding": layout.encoding.as_ref().map(|(encoding, _)| encoding.name()),
        "encodingBy": layout.encoding.as_ref().map(|(_, why)| why),
        "separator": layout.separator.map(char::from),
        "sheet": layout.sheet,
    })
}
