//! A feed that cannot be followed: for how long, and when to say so.

use std::time::Duration;

use tokio::time::Instant;

/// How often one that lasts is said again.
const SAY_AGAIN: Duration = Duration::from_secs(30);

/// The silence of one feed.
#[derive(Debug)]
pub(super) struct Silence {
    /// When the feed was heard, or another replica had it.
    heard: Instant,
    said: Option<Instant>,
}

impl Silence {
    pub(super) fn new() -> Self {
        Self { heard: Instant::now(), said: None }
    }

    /// The feed was heard.
    pub(super) fn end(&mut self, now: Instant) {
        self.heard = now;
    }

    pub(super) fn lasts(&self, now: Instant) -> Duration {
        now.duration_since(self.heard)
    }

    /// Whether a failure is to be said: the first, and then now and then, so that a
    /// feed that comes and goes does not fill the log.
    pub(super) fn is_worth_saying(&mut self, now: Instant) -> bool {
        let is_due = self.said.is_none_or(|said| now.duration_since(said) >= SAY_AGAIN);
        if is_due {
            self.said = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_at_once_and_then_now_and_then() {
        let mut silence = Silence::new();
        let start = silence.heard;
        let said: Vec<u64> =
            (0..70).filter(|s| silence.is_worth_saying(start + Duration::from_secs(*s))).collect();
        assert_eq!(said, [0, 30, 60]);
        assert_eq!(silence.lasts(start + Duration::from_secs(70)), Duration::from_secs(70));
        silence.end(start + Duration::from_secs(65));
        assert_eq!(silence.lasts(start + Duration::from_secs(70)), Duration::from_secs(5));
    }
}
