//! What complainants are owed in writing: what for, and what it has to say.

use jiff::Timestamp;
use kernel::CaseId;

use crate::open_case::Stage;
use crate::response::Ruling;
use crate::survey::Invitation;

kernel::numbered! {
    /// What a notice is for.
    Kind {
        /// We have it, this is how to follow it.
        Acknowledgement = 1,
        /// This is the outcome; is it accepted, how satisfied are you?
        Outcome = 2,
        /// This is where else to turn.
        Recourse = 3,
        /// It takes longer: until when, and why.
        Extension = 4,
        /// There is no answer yet: why, and when there is news.
        Holding = 5,
        /// How did you find it?
        Survey = 6,
        /// Goods are lacking: when the remedy goes on.
        Shortage = 7,
        /// The time to answer the outcome ends.
        ClosingSoon = 8,
        /// It is still being worked on: how far it is.
        Progress = 9,
        /// It was withdrawn, as you asked; if you did not, tell us.
        Withdrawal = 10,
        /// We shall call you: between when and when.
        CallBackPlanned = 11,
        /// We called and did not reach you: what you can do.
        CallBackMissed = 12,
    }
}

impl Kind {
    /// Whether what it says may not be so any more by the time it is sent.
    pub const fn may_be_out_of_date(self) -> bool {
        matches!(self, Self::ClosingSoon | Self::Progress | Self::CallBackPlanned | Self::CallBackMissed)
    }

    /// Whether it tells of a case that is still open, other than that we have it.
    pub const fn tells_of_progress(self) -> bool {
        matches!(self, Self::Extension | Self::Holding | Self::Shortage)
    }
}

/// What a notice has to say, and why now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    /// The case it is about.
    pub case_id: CaseId,
    /// The cycle it belongs to.
    pub cycle: i32,
    /// What it has to say.
    pub word: Word,
    /// IANA name of the zone its times are told in; empty when unknown.
    pub zone: String,
    /// Trace context of what made it owed.
    pub traceparent: String,
}

/// What a notice has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// We have your complaint.
    Acknowledgement,
    /// This is what we decided.
    Outcome(Ruling),
    /// This is where else to turn.
    Recourse,
    /// It takes longer.
    Extension(Delay),
    /// There is no answer yet.
    Holding(Holding),
    /// How did you find it?
    Survey(Invitation),
    /// Goods are lacking.
    Shortage(Lacking),
    /// The time to answer the outcome ends.
    ClosingSoon(Closing),
    /// It is still being worked on.
    Progress(ProgressUpdate),
    /// It was withdrawn.
    Withdrawal,
    /// We shall call you.
    CallBackPlanned(Planned),
    /// We called and did not reach you.
    CallBackMissed(Missed),
}

/// When somebody is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Tells one promise of the cycle from another: the same one is told once.
    pub number: i32,
    /// From when on; none from now on.
    pub from: Option<Timestamp>,
    /// By when.
    pub until: Timestamp,
}

/// A call that reached nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    /// Tells one attempt of the cycle from another.
    pub number: i32,
    /// When they were called.
    pub tried: Timestamp,
    /// By when they are called again; none where they are not.
    pub again: Option<Timestamp>,
}

/// News of a case that is still open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgressUpdate {
    /// Which of the cycle, from 1.
    pub number: i32,
    /// How far it is.
    pub stage: Stage,
    /// Within how many days there is news again.
    pub days: i16,
}

/// When the time to answer an outcome ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// Which correction of its decision it is about; 0 for the decision itself.
    pub number: i32,
    /// Until when an answer is taken.
    pub until: Timestamp,
}

/// Goods that are lacking for a remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lacking {
    /// Which delay of the case: its place in the timeline.
    pub number: i32,
    /// The article.
    pub article: String,
    /// When it is expected.
    pub expected: Timestamp,
}

/// A holding reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// Which of the case: its place in the timeline.
    pub number: i32,
    /// What the handler has to say.
    pub text: String,
    /// Why it takes longer.
    pub reason: String,
    /// When the complainant hears again; none where that was not promised.
    pub next: Option<Timestamp>,
    /// By when the answer is promised; none while nobody can say.
    pub due: Option<Timestamp>,
}

/// More time was granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delay {
    /// Which extension of the case, from 1.
    pub number: i32,
    /// By when the answer is promised now; none while nobody can say.
    pub due: Option<Timestamp>,
    /// Why, in words for the complainant.
    pub reason: String,
}

impl Word {
    /// What a notice that says this is for.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Acknowledgement => Kind::Acknowledgement,
            Self::Outcome(_) => Kind::Outcome,
            Self::Recourse => Kind::Recourse,
            Self::Extension(_) => Kind::Extension,
            Self::Holding(_) => Kind::Holding,
            Self::Survey(_) => Kind::Survey,
            Self::Shortage(_) => Kind::Shortage,
            Self::ClosingSoon(_) => Kind::ClosingSoon,
            Self::Progress(_) => Kind::Progress,
            Self::Withdrawal => Kind::Withdrawal,
            Self::CallBackPlanned(_) => Kind::CallBackPlanned,
            Self::CallBackMissed(_) => Kind::CallBackMissed,
        }
    }

    /// Which of several of its kind in a cycle.
    pub fn number(&self) -> i32 {
        match self {
            Self::Extension(delay) => delay.number,
            Self::Holding(holding) => holding.number,
            Self::Shortage(lacking) => lacking.number,
            Self::ClosingSoon(closing) => closing.number,
            Self::Progress(update) => update.number,
            Self::CallBackPlanned(planned) => planned.number,
            Self::CallBackMissed(missed) => missed.number,
            Self::Outcome(ruling) => ruling.correction,
            Self::Survey(invitation) => invitation.reminder.into(),
            Self::Acknowledgement | Self::Recourse | Self::Withdrawal => 0,
        }
    }
}
