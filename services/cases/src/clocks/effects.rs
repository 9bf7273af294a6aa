//! What a fact does to the clocks of its case. Pure.

use calendar::{Kind, Starts};
use vocabulary::NoticeKind;

use super::answered;
use super::tellings::kept_by;
use crate::external_event::ANONYMOUS;
use crate::timeline::{
    Contact, Course, Fact, Grading, Handling, Remedy, Ruling, Together, Urgency, Visibility,
};

/// Whether a fact may concern the clocks of a case that is open already.
pub(crate) fn concerns(fact: &Fact) -> bool {
    let changes = matches!(
        fact,
        Fact::Course(Course::Reopened { .. })
            | Fact::Together(Together::Merged { .. } | Together::Unmerged { .. })
    ) || is_graded_anew(fact);
    starts(fact).is_some()
        || changes
        || ends_all(fact)
        || !met_by(fact).is_empty()
        || matches!(fact, Fact::Contact(Contact::NoticeBounced { .. }))
        || is_unreachable(fact)
        || answered::answers(fact)
}

/// Whether a case is found to be another than it was held to be: triaged again, of
/// another category, or one of very many. That time runs out for it makes it no other.
pub(super) fn is_graded_anew(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::Grading(Grading::Retriaged { .. } | Grading::Categorised { .. })
            | Fact::Urgency(Urgency::PrioritySet { .. })
            | Fact::Together(Together::GroupAlarm { .. })
    )
}

/// The promises that are kept with a fact.
pub(super) fn met_by(fact: &Fact) -> &'static [Kind] {
    match fact {
        Fact::Contact(contact) => met_by_contact(contact),
        Fact::Handling(handling) => match handling {
            Handling::Accepted => &[Kind::Accept, Kind::Object],
            Handling::Note(note) if note.visibility == Visibility::Public => {
                &[Kind::FirstResponse, Kind::Update]
            }
            Handling::Findings { .. } => &[Kind::Stage],
            Handling::Note(_)
            | Handling::Queued { .. }
            | Handling::Unassignable { .. }
            | Handling::Assigned { .. }
            | Handling::Information(_)
            | Handling::Spoken(_)
            // Its stage is over when its handler says what was found.
            | Handling::Investigation(_)
            | Handling::Recalled { .. } => &[],
        },
        Fact::Ruling(ruling) => match ruling {
            Ruling::Resolved { .. } | Ruling::SharedOutcome(_) => {
                &[Kind::FirstResponse, Kind::Stage, Kind::Decide, Kind::Update, Kind::Remedy, Kind::Review]
            }
            Ruling::Decided { .. }
            | Ruling::CorrectionAsked { .. }
            | Ruling::CorrectionRefused { .. }
            | Ruling::Corrected { .. } => &[],
        },
        Fact::Grading(_)
        | Fact::Remedy(_)
        | Fact::Course(_)
        | Fact::Timing(_)
        | Fact::Urgency(_)
        | Fact::Together(_) => &[],
    }
}

fn met_by_contact(contact: &Contact) -> &'static [Kind] {
    match contact {
        Contact::Notice { kind, failure: None, .. } | Contact::NoticeRecorded { kind, .. } => kept_by(*kind),
        // Who answers an outcome has been told of it.
        Contact::Answered { .. } => kept_by(NoticeKind::Outcome),
        Contact::Notice { failure: Some(_), .. } | Contact::NoticeBounced { .. } => &[],
    }
}

/// What is counted from a fact on.
pub(super) fn starts(fact: &Fact) -> Option<Starts> {
    match fact {
        Fact::Handling(handling) => matches!(handling, Handling::Accepted).then_some(Starts::Acceptance),
        Fact::Ruling(ruling) => {
            let decides = matches!(ruling, Ruling::Decided { .. } | Ruling::Corrected { .. });
            decides.then_some(Starts::Decision)
        }
        Fact::Remedy(remedy) => matches!(remedy, Remedy::PlanApproved { .. }).then_some(Starts::Approval),
        Fact::Course(course) => matches!(course, Course::Reopened { .. }).then_some(Starts::ReviewRequest),
        Fact::Contact(contact) => {
            let acknowledged =
                matches!(contact, Contact::Notice { kind: NoticeKind::Acknowledgement, failure: None, .. });
            // Nobody can be told: what counts from then on counts from now.
            (acknowledged || is_unreachable(fact)).then_some(Starts::Acknowledgement)
        }
        Fact::Grading(_) | Fact::Timing(_) | Fact::Urgency(_) | Fact::Together(_) => None,
    }
}

/// Whether nothing is owed any more.
pub(super) fn ends_all(fact: &Fact) -> bool {
    matches!(fact, Fact::Course(Course::Closed { .. } | Course::Withdrawn { .. } | Course::OutOfScope { .. }))
}

/// Whether nobody is known who could be told: the receipt code is all they have, and
/// want. Somebody without an e-mail address is told by letter, or by a call: that is
/// owed until it is recorded.
pub(super) fn is_unreachable(fact: &Fact) -> bool {
    let Fact::Contact(Contact::Notice { kind: NoticeKind::Acknowledgement, failure: Some(why), .. }) = fact
    else {
        return false;
    };
    why == ANONYMOUS
}
