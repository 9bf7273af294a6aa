//! What something would change before it is put in force; and the proof that this was shown:
//! what is put in force without it is refused.

use sha2::{Digest as _, Sha256};

use super::Admin;
use crate::problem::Problem;

/// What proofs are sealed for.
const PURPOSE: &str = "trial";
/// The field of a proof.
pub(super) const PROOF: &str = "proof";
/// How long a proof is good, in seconds: things change meanwhile.
const GOOD_FOR: i64 = 3_600;

/// A cell of the table of a trial.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) text: String,
    /// Where it leads.
    pub(super) path: Option<String>,
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), path: None }
    }
}

/// What something would change.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Trial {
    /// In sentences.
    pub(super) said: Vec<String>,
    /// Counts, each with what it counts.
    pub(super) facts: Vec<(String, String)>,
    /// What the table is of, its columns and its rows.
    pub(super) columns: Vec<&'static str>,
    pub(super) rows: Vec<Vec<Cell>>,
    /// Why it cannot be put in force as it is.
    pub(super) blocked: Vec<String>,
    /// What of it is as it was when it was tried: where that has changed it is tried anew.
    pub(super) stand: String,
}

/// A row of changes: before and after, where they differ.
pub(super) fn arrow(before: &str, after: &str) -> String {
    if before == after { before.to_owned() } else { format!("{before} → {after}") }
}

/// The digest of texts, each told from the next.
pub(super) fn digest<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hasher = Sha256::new();
    for text in texts {
        hasher.update(text.len().to_be_bytes());
        hasher.update(text.as_bytes());
    }
    hasher.finalize().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// A proof that who looks has seen what `what` would change.
pub(super) fn proof(admin: &Admin, what: &str) -> Result<String, Problem> {
    let app = &admin.visitor.app;
    let text = format!("{} {} {what}", app.now(), admin.visitor.session.id);
    app.seals.seal(PURPOSE, text.as_bytes()).ok_or_else(|| Problem::broken("nothing can be sealed"))
}

/// Refuses what was not tried by who sends it, or too long ago.
pub(super) fn check(admin: &Admin, proof: &str, what: &str) -> Result<(), Problem> {
    let app = &admin.visitor.app;
    let opened = app.seals.open(PURPOSE, proof).and_then(|text| String::from_utf8(text).ok());
    let is_good = opened.is_some_and(|text| {
        let Some((time, rest)) = text.split_once(' ') else { return false };
        let age = time.parse::<i64>().map_or(i64::MAX, |time| app.now() - time);
        age <= GOOD_FOR && rest == format!("{} {what}", admin.visitor.session.id)
    });
    if is_good { Ok(()) } else { Err(Problem::own(tonic::Code::FailedPrecondition, "TRY_IT_FIRST")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_told_apart() {
        assert_eq!(digest(["a", "b"]), digest(["a", "b"]));
        assert_ne!(digest(["ab", ""]), digest(["a", "b"]));
        assert_eq!((arrow("a", "a"), arrow("a", "b")), ("a".to_owned(), "a → b".to_owned()));
    }
}
