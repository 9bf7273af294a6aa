//! Shows how far the play is: bars on a terminal, else a line now and then.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::tally::Tally;

const REDRAW: Duration = Duration::from_millis(120);
/// How often a line is written where nothing can be redrawn.
const LINE: Duration = Duration::from_secs(2);

/// Where progress is shown.
pub(super) struct Stage {
    tally: Arc<Tally>,
    total: u64,
}

impl Stage {
    pub(super) fn new(tally: Arc<Tally>, total: usize) -> Self {
        Self { tally, total: total.try_into().unwrap_or(u64::MAX) }
    }

    /// Shows progress until dropped.
    pub(super) async fn show(self) {
        if std::io::stderr().is_terminal() { self.bars().await } else { self.lines().await }
    }

    async fn bars(self) {
        let bars = MultiProgress::new();
        let registered = bars.add(bar(self.total, "registered"));
        let ended = bars.add(bar(self.total, "settled"));
        let state = bars.add(line());
        loop {
            registered.set_position(self.tally.registered.get());
            ended.set_position(self.tally.ended.get());
            state.set_message(self.in_short());
            tokio::time::sleep(REDRAW).await;
        }
    }

    async fn lines(self) {
        let begun = Instant::now();
        loop {
            tokio::time::sleep(LINE).await;
            let (registered, ended) = (self.tally.registered.get(), self.tally.ended.get());
            let line = format!(
                "  {:>3} s   registered {registered}, settled {ended} of {}; {}",
                begun.elapsed().as_secs(),
                self.total,
                self.in_short()
            );
            // Nobody reads any more: the play goes on.
            let _ = show::say(&line);
        }
    }

    fn in_short(&self) -> String {
        let tally = &self.tally;
        format!(
            "{} assigned · {} decided · {} plans · {} tasks done · {} disputes",
            tally.assigned.get(),
            tally.decided.get(),
            tally.plans.get(),
            tally.tasks.get(),
            tally.disputed.get()
        )
    }
}

fn bar(total: u64, name: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(total);
    if let Ok(style) = ProgressStyle::with_template("  {msg:<11} {bar:44.cyan/dim} {pos:>4} of {len}") {
        bar.set_style(style.progress_chars("█▌░"));
    }
    bar.with_message(name)
}

fn line() -> ProgressBar {
    let line = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("              {msg}") {
        line.set_style(style);
    }
    line
}
