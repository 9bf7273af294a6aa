//! What was asked of the complainant has come: the time that waited for it runs on.

use calendar::{Reason, State};

use super::Clocks;
use crate::case::{CASES, Case, Occasion};
use crate::timeline::{Fact, Handling, Information, Timing, Together};

/// Whether it is what the complainant was asked for, as far as can be told: what they
/// add answers.
pub(super) fn answers(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::Handling(Handling::Information(Information { by_complainant: true, .. }))
            | Fact::Together(Together::Informed { by_complainant: true, .. })
    )
}

impl Clocks {
    /// Lets the clocks run on that waited for the complainant, if they have answered.
    pub(crate) fn take_answer(&mut self, case: &mut Case) {
        let Some(answer) = case.journal.iter().find(|noted| answers(&noted.fact)).cloned() else { return };
        let mut facts = Vec::new();
        for clock in &mut self.0 {
            let waits =
                matches!(clock.clock.state, State::Paused { reason: Reason::AwaitingComplainant, .. });
            if waits && clock.clock.resume(answer.time).is_ok() {
                clock.changed = true;
                let reason = "the complainant answered".to_owned();
                facts.push(Fact::Timing(Timing::Resumed { kind: clock.clock.kind, reason }));
            }
        }
        if !facts.is_empty() {
            let at = Occasion { now: answer.time, actor: CASES, traceparent: &answer.traceparent };
            self.settle(case, facts, &at);
        }
    }
}
