//! What is done about problems, and whether it has helped.

use jiff::Timestamp;
use jiff::civil::Date;
use kernel::person;
use uuid::Uuid;

use crate::refusal::Refusal;

pub mod effect;

/// Most actions of a problem.
pub const MAX_ACTIONS: i64 = 100;
/// Longest title.
pub const MAX_TITLE: usize = 1_000;
/// Longest subject of an owner.
pub const MAX_OWNER: usize = 200;
/// Longest note or finding.
pub const MAX_TEXT: usize = 10_000;

kernel::numbered! {
    /// What an action is for.
    Kind {
        /// It takes the cause of a problem away that there is.
        Corrective = 1,
        /// It keeps the like from happening elsewhere.
        Preventive = 2,
    }
}

kernel::numbered! {
    /// Where an action stands.
    State {
        /// It is to be done.
        Open = 1,
        /// Somebody has said that it is done.
        Done = 2,
        /// Somebody else has found that it works. Final.
        Verified = 3,
        /// Somebody else has found that it does not. Final.
        Ineffective = 4,
    }
}

/// Who said something about an action, when, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// When.
    pub at: Timestamp,
    /// Subject of who did.
    pub by: String,
    /// What they said.
    pub text: String,
}

/// By when an action is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The day.
    pub day: Date,
    /// When it ends.
    pub at: Timestamp,
}

/// An action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// Identity.
    pub id: Uuid,
    /// Counts the changes.
    pub version: i64,
    /// The problem.
    pub problem: Uuid,
    /// What it is for.
    pub kind: Kind,
    /// What is done.
    pub title: String,
    /// Subject of who sees to it.
    pub owner: String,
    /// By when.
    pub due: Due,
    /// Whether it was told that it is overdue.
    pub overdue_told: bool,
    /// When it was created.
    pub created: Timestamp,
    /// Subject of who created it.
    pub creator: String,
    /// Who said that it is done.
    pub done: Option<Word>,
    /// Who assessed it, and whether it works.
    pub assessed: Option<(Word, bool)>,
}

/// Which actions to list; all that is said must hold.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// Only those of this problem.
    pub problem: Option<Uuid>,
    /// Only those in this state.
    pub state: Option<State>,
    /// Only those that are overdue at this time.
    pub overdue_at: Option<Timestamp>,
}

impl Action {
    /// Where it stands.
    pub fn state(&self) -> State {
        match (&self.done, &self.assessed) {
            (None, _) => State::Open,
            (Some(_), None) => State::Done,
            (Some(_), Some((_, true))) => State::Verified,
            (Some(_), Some((_, false))) => State::Ineffective,
        }
    }

    /// Whether it is open and its day has passed.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.done.is_none() && self.due.at <= now
    }

    fn must_be_open(&mut self) -> Result<(), Refusal> {
        if self.done.is_some() {
            return Err(Refusal::ImprovementActionDone);
        }
        self.version += 1;
        Ok(())
    }

    /// Gives it to somebody, by a day; where that is another, it is told anew when it passes.
    ///
    /// # Errors
    ///
    /// It is done.
    pub fn assign(&mut self, owner: String, due: Due) -> Result<(), Refusal> {
        self.must_be_open()?;
        self.overdue_told &= self.due == due;
        (self.owner, self.due) = (owner, due);
        Ok(())
    }

    /// Says that it is done.
    ///
    /// # Errors
    ///
    /// It is done already.
    pub fn complete(&mut self, done: Word) -> Result<(), Refusal> {
        self.must_be_open()?;
        self.done = Some(done);
        Ok(())
    }

    /// Says whether it works, which nobody says of their own.
    ///
    /// # Errors
    ///
    /// It is not done, or assessed already, or the assessor's own.
    pub fn assess(&mut self, word: Word, is_effective: bool) -> Result<(), Refusal> {
        let Some(done) = self.done.as_ref().filter(|_| self.assessed.is_none()) else {
            return Err(Refusal::ImprovementActionNotDone);
        };
        if person::is_same(&word.by, &self.owner) || person::is_same(&word.by, &done.by) {
            return Err(Refusal::OwnImprovementAction);
        }
        self.version += 1;
        self.assessed = Some((word, is_effective));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn word(by: &str) -> Word {
        Word { at: Timestamp::UNIX_EPOCH, by: by.to_owned(), text: "x".to_owned() }
    }

    fn action() -> Action {
        Action {
            id: Uuid::nil(),
            version: 1,
            problem: Uuid::nil(),
            kind: Kind::Corrective,
            title: "x".to_owned(),
            owner: "ann".to_owned(),
            due: Due { day: date(1970, 1, 1), at: Timestamp::constant(86_400, 0) },
            overdue_told: true,
            created: Timestamp::UNIX_EPOCH,
            creator: "su".to_owned(),
            done: None,
            assessed: None,
        }
    }

    #[test]
    fn an_action_is_done_once_and_assessed_once_by_somebody_else() {
        let mut action = action();
        assert_eq!(action.assess(word("su"), true), Err(Refusal::ImprovementActionNotDone));
        assert_eq!(action.complete(word("bo")), Ok(()));
        assert_eq!(action.complete(word("bo")), Err(Refusal::ImprovementActionDone));
        for own in ["ann", "bo", "ANN", " Bo"] {
            assert_eq!(action.assess(word(own), true), Err(Refusal::OwnImprovementAction), "{own}");
        }
        assert_eq!((action.state(), action.version), (State::Done, 2));
        assert_eq!(action.assess(word("su"), false), Ok(()));
        assert_eq!((action.state(), action.version), (State::Ineffective, 3));
        assert_eq!(action.assess(word("su"), true), Err(Refusal::ImprovementActionNotDone));
    }

    #[test]
    fn an_action_is_overdue_when_its_day_has_ended_and_told_anew_of_another_day() {
        let mut action = action();
        assert!(!action.is_overdue(Timestamp::constant(86_399, 0)));
        assert!(action.is_overdue(Timestamp::constant(86_400, 0)));
        assert_eq!(action.assign("bo".to_owned(), action.due), Ok(()));
        assert!(action.overdue_told);
        let due = Due { day: date(1970, 1, 2), at: Timestamp::constant(2 * 86_400, 0) };
        assert_eq!(action.assign("bo".to_owned(), due), Ok(()));
        assert!(!action.overdue_told && action.version == 3);
        assert_eq!(action.complete(word("bo")), Ok(()));
        assert!(!action.is_overdue(Timestamp::MAX), "what is done is not");
        assert_eq!(action.assign("bo".to_owned(), due), Err(Refusal::ImprovementActionDone));
    }
}
