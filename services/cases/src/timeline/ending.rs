//! What a timeline tells of a case's end.

use vocabulary::CloseReason;

use super::{Kind, closed};

/// What the timeline of a closed case tells of its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ending {
    /// What departments did about it, oldest first.
    pub(crate) remedies: Vec<String>,
    /// Whether the complainant accepted the outcome.
    pub(crate) accepted: bool,
    /// Whether they accepted it, or did not dispute it in time.
    pub(crate) satisfied: bool,
}

impl Ending {
    /// The kinds of entries that tell of it.
    pub(crate) const KINDS: [Kind; 2] = [Kind::TaskCompleted, Kind::Closed];

    /// How a timeline tells that a case ended disputed, when it could not be reopened again.
    pub(crate) fn disputed() -> String {
        closed(CloseReason::ReopenLimit)
    }

    /// Takes in an entry of one of these kinds, in the order of the timeline.
    pub(crate) fn take_in(&mut self, kind: Kind, text: String) {
        match kind {
            Kind::Closed => {
                self.accepted = text == closed(CloseReason::Accepted);
                self.satisfied = self.accepted || text == closed(CloseReason::WindowPassed);
            }
            _ => self.remedies.push(text),
        }
    }
}
