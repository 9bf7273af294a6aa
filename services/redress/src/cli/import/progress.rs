//! How far an import is, on a terminal.

use std::io::Read;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::import::{Counts, Layout};

/// How it reads where bytes are counted.
const OF_BYTES: &str = "  {bar:40} {percent:>3} %  {msg}  {elapsed}, {eta} left";
/// How it reads where nobody knows how much there is.
const ENDLESS: &str = "  {spinner} {msg}  {elapsed}";

/// A bar that counts bytes, or the rows of a sheet.
#[derive(Clone)]
pub(super) struct Progress {
    bar: ProgressBar,
    begun: Instant,
    counts_rows: bool,
}

impl Progress {
    /// A bar of so many bytes, where that is known.
    pub(super) fn new(bytes: Option<u64>) -> Self {
        let bar = ProgressBar::with_draw_target(bytes, ProgressDrawTarget::stderr());
        let template = if bytes.is_some() { OF_BYTES } else { ENDLESS };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, begun: Instant::now(), counts_rows: false }
    }

    /// Counts the bytes that are read.
    pub(super) fn watch(&self, bytes: Box<dyn Read + Send>) -> Box<dyn Read + Send> {
        Box::new(self.bar.wrap_read(bytes))
    }

    /// Counts rows, where the file says how many there are.
    pub(super) fn of(&mut self, layout: &Layout) {
        if let Some(rows) = layout.rows {
            self.counts_rows = true;
            self.bar.set_length(rows);
            if let Ok(style) = ProgressStyle::with_template(OF_BYTES) {
                self.bar.set_style(style);
            }
        }
    }

    /// What became of the rows so far; the first of them were done before.
    pub(super) fn tell(&self, counts: &Counts, before: u64) {
        let here = counts.rows().saturating_sub(before);
        let rate = per_second(here, self.begun.elapsed());
        self.bar.set_message(format!(
            "{} rows, {rate:.0} a second; {} refused",
            counts.rows(),
            counts.refused
        ));
        if self.counts_rows {
            self.bar.set_position(counts.rows());
        }
    }

    /// Rows looked at, of which so many have problems.
    pub(super) fn looked_at(&self, rows: u64, wrong: u64) {
        let rate = per_second(rows, self.begun.elapsed());
        self.bar.set_message(format!("{rows} rows, {rate:.0} a second; {wrong} with problems"));
        if self.counts_rows {
            self.bar.set_position(rows);
        }
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// So many in so long, as a rate.
#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
pub(super) fn per_second(count: u64, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64().max(1e-3)
}
