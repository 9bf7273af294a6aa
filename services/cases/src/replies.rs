//! Replies to answered cases: what a complainant says of one waits until somebody sees to it.

use jiff::Timestamp;
use vocabulary::{CloseReason, State};

use crate::case::Case;
use crate::timeline::{Course, Fact, Handling, Information, Noted, Ruling, Together};

/// What became of a case's reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// The complainant said more of what was answered.
    Came(Timestamp),
    /// Somebody has seen to it.
    Seen,
}

/// What the journal of a case tells of a reply; none where it tells nothing.
pub(crate) fn of(case: &Case) -> Option<Reply> {
    let is_answered = matches!(case.state, State::Resolved | State::Closed);
    case.journal.iter().rev().find_map(|noted| told(noted, is_answered))
}

fn told(noted: &Noted, is_answered: bool) -> Option<Reply> {
    let came = || is_answered.then_some(Reply::Came(noted.time));
    match &noted.fact {
        Fact::Handling(Handling::Information(Information { by_complainant: true, .. }))
        | Fact::Together(Together::Informed { by_complainant: true, .. }) => came(),
        Fact::Handling(handling) => {
            (is_answered && matches!(handling, Handling::Note(_))).then_some(Reply::Seen)
        }
        Fact::Course(course) => match course {
            Course::Reopened { .. } | Course::Closed { reason: CloseReason::Staff, .. } => Some(Reply::Seen),
            Course::Closed { .. } | Course::Withdrawn { .. } | Course::OutOfScope { .. } => None,
        },
        Fact::Ruling(ruling) => matches!(ruling, Ruling::Corrected { .. }).then_some(Reply::Seen),
        Fact::Grading(_)
        | Fact::Remedy(_)
        | Fact::Contact(_)
        | Fact::Timing(_)
        | Fact::Urgency(_)
        | Fact::Together(_) => None,
    }
}
