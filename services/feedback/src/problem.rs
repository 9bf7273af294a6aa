//! Problems: what many complaints have in common, and its root cause.

use jiff::Timestamp;
use uuid::Uuid;

use crate::refusal::Refusal;
use crate::revision::Revision;
use crate::root_cause::RootCauses;
use crate::signal::Series;

/// Longest title.
pub const MAX_TITLE: usize = 200;
/// Longest description or conclusion.
pub const MAX_TEXT: usize = 10_000;
/// Most cases of a problem.
pub const MAX_CASES: i64 = 10_000;
/// Most cases that are linked or taken out at once.
pub const MAX_CASES_AT_ONCE: usize = 100;
/// Most signals of a problem that are told of.
pub const MAX_SIGNALS: usize = 100;

kernel::numbered! {
    /// Where a problem stands.
    State {
        /// Cases are linked, its root cause is looked for.
        Open = 1,
        /// Final.
        Closed = 2,
    }
}

/// A root cause that was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Its path.
    pub path: String,
    /// Version of the taxonomy that it is of.
    pub version: i64,
}

/// Who has closed a problem, when, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// When.
    pub at: Timestamp,
    /// Subject of who did.
    pub by: String,
    /// What came of it.
    pub conclusion: String,
}

/// A problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Identity.
    pub id: Uuid,
    /// Counts what people do to it.
    pub version: i64,
    /// What it is, in one line.
    pub title: String,
    /// What is known of it.
    pub description: String,
    /// The series whose signals join it.
    pub series: Option<Series>,
    /// Its root cause, once it is named.
    pub cause: Option<Cause>,
    /// When it was opened.
    pub opened: Timestamp,
    /// Subject of who opened it; empty where a signal did.
    pub opener: String,
    /// How it was closed; none while it is open.
    pub closing: Option<Closing>,
}

impl Problem {
    /// What a signal of a series opens.
    pub fn of_signal(id: Uuid, series: Series, now: Timestamp) -> Self {
        let mut title = format!("More complaints than usual: {}", series.words());
        if title.chars().count() > MAX_TITLE {
            title = title.chars().take(MAX_TITLE - 1).collect::<String>() + "…";
        }
        Self {
            id,
            version: 1,
            title,
            description: String::new(),
            series: Some(series),
            cause: None,
            opened: now,
            opener: String::new(),
            closing: None,
        }
    }

    /// Where it stands.
    pub fn state(&self) -> State {
        if self.closing.is_some() { State::Closed } else { State::Open }
    }

    /// Somebody does something to it, which only an open one takes.
    ///
    /// # Errors
    ///
    /// It is closed.
    pub fn touch(&mut self) -> Result<(), Refusal> {
        if self.closing.is_some() {
            return Err(Refusal::ProblemClosed);
        }
        self.version += 1;
        Ok(())
    }

    /// Names its root cause.
    ///
    /// # Errors
    ///
    /// It is closed, or the taxonomy has no such cause.
    pub fn name_cause(&mut self, path: String, causes: &Revision<RootCauses>) -> Result<(), Refusal> {
        self.touch()?;
        if !causes.content.has(&path) {
            return Err(Refusal::RootCauseNotFound);
        }
        self.cause = Some(Cause { path, version: causes.version });
        Ok(())
    }

    /// Closes it.
    ///
    /// # Errors
    ///
    /// It is closed.
    pub fn close(&mut self, closing: Closing) -> Result<(), Refusal> {
        self.touch()?;
        self.closing = Some(closing);
        Ok(())
    }
}

/// A case of a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProblemCase {
    /// The case.
    pub case_id: kernel::CaseId,
    /// When it was linked.
    pub linked: Timestamp,
    /// Subject of who linked it; empty where a signal did.
    pub linker: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem() -> Problem {
        let series = Series { category: Some("d".repeat(500)), ..Series::default() };
        Problem::of_signal(Uuid::nil(), series, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_signal_names_its_problem_within_the_bounds_of_a_title() {
        assert_eq!(problem().title.chars().count(), MAX_TITLE);
        let all = Problem::of_signal(Uuid::nil(), Series::default(), Timestamp::UNIX_EPOCH);
        assert_eq!(all.title, "More complaints than usual: all complaints");
    }

    #[test]
    fn a_closed_problem_takes_nothing_more() {
        let causes = Revision::shipped(RootCauses::shipped());
        let mut problem = problem();
        assert_eq!(problem.name_cause("nobody".to_owned(), &causes), Err(Refusal::RootCauseNotFound));
        assert_eq!(problem.name_cause("process/handover".to_owned(), &causes), Ok(()));
        let closing =
            Closing { at: Timestamp::UNIX_EPOCH, by: "su".to_owned(), conclusion: "done".to_owned() };
        assert_eq!(problem.close(closing.clone()), Ok(()));
        assert_eq!(problem.state(), State::Closed);
        let before = problem.clone();
        assert_eq!(problem.close(closing), Err(Refusal::ProblemClosed));
        assert_eq!(problem.touch(), Err(Refusal::ProblemClosed));
        assert_eq!(problem.name_cause("people".to_owned(), &causes), Err(Refusal::ProblemClosed));
        assert_eq!(problem, before);
    }
}
