//! Texts that are in force once another person than their authors says so, revision by
//! revision: articles, training cases. Pure.

use jiff::Timestamp;
use kernel::person;
use uuid::Uuid;

use crate::refusal::Refusal;
pub(crate) use crate::reviewed::{ReviewState, ReviewedKind};

/// Most revisions of one.
pub(crate) const MAX_REVISIONS: i32 = 200;

/// One revision of its text; never changes but for who published it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Revision<C> {
    /// Its number, from 1.
    pub(crate) number: i32,
    /// What it says.
    pub(crate) content: C,
    /// Who wrote it.
    pub(crate) author: String,
    /// When.
    pub(crate) revise_time: Timestamp,
    /// Who published it, and when; none while nobody has.
    pub(crate) published: Option<(String, Timestamp)>,
}

/// One as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reviewed {
    /// What it is.
    pub(crate) kind: ReviewedKind,
    /// Its id.
    pub(crate) id: Uuid,
    /// Counts what people do to it.
    pub(crate) version: i64,
    /// Where its latest revision stands.
    pub(crate) state: ReviewState,
    /// Number of its latest revision.
    pub(crate) latest: i32,
    /// Number of the revision in force; none where there is none.
    pub(crate) in_force: Option<i32>,
    /// Who took it out of use and why; none while nobody has.
    pub(crate) retired: Option<(String, String)>,
}

impl Reviewed {
    /// A new one, with its first revision a draft.
    pub(crate) fn new(kind: ReviewedKind, id: Uuid) -> Self {
        Self { kind, id, version: 1, state: ReviewState::Draft, latest: 1, in_force: None, retired: None }
    }

    /// Takes the next revision in; answers its number.
    pub(crate) fn edit(&mut self) -> Result<i32, Refusal> {
        if self.state == ReviewState::Retired {
            return Err(self.refused());
        }
        if self.latest >= MAX_REVISIONS {
            return Err(Refusal::TooManyRevisions);
        }
        self.latest += 1;
        self.change(ReviewState::Draft);
        Ok(self.latest)
    }

    /// Hands the latest revision in.
    pub(crate) fn submit(&mut self) -> Result<(), Refusal> {
        if self.state != ReviewState::Draft {
            return Err(self.refused());
        }
        self.change(ReviewState::InReview);
        Ok(())
    }

    /// Puts the latest revision in force; `authors` are those of what has not been in force
    /// before.
    pub(crate) fn publish(&mut self, reviewer: &str, authors: &[String]) -> Result<(), Refusal> {
        if self.state != ReviewState::InReview {
            return Err(self.refused());
        }
        if authors.iter().any(|author| person::is_same(author, reviewer)) {
            return Err(Refusal::ReviewerIsAuthor(self.kind));
        }
        self.in_force = Some(self.latest);
        self.change(ReviewState::Published);
        Ok(())
    }

    /// Takes it out of use.
    pub(crate) fn retire(&mut self, retirer: &str, reason: String) -> Result<(), Refusal> {
        if self.state == ReviewState::Retired {
            return Err(self.refused());
        }
        self.in_force = None;
        self.retired = Some((retirer.to_owned(), reason));
        self.change(ReviewState::Retired);
        Ok(())
    }

    fn change(&mut self, state: ReviewState) {
        self.state = state;
        self.version += 1;
    }

    fn refused(&self) -> Refusal {
        Refusal::InvalidReviewState(self.kind, self.state)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn article() -> Reviewed {
        Reviewed::new(ReviewedKind::Article, Uuid::from_u128(1))
    }

    #[test]
    fn who_wrote_since_the_one_in_force_does_not_publish() {
        let mut one = article();
        one.submit().unwrap();
        let authors = ["Ann".to_owned(), "bo".to_owned()];
        for author in [" ann ", "BO"] {
            let refused = Refusal::ReviewerIsAuthor(ReviewedKind::Article);
            assert_eq!(one.publish(author, &authors), Err(refused));
        }
        assert_eq!((one.state, one.in_force), (ReviewState::InReview, None));
        one.publish("cy", &authors).unwrap();
        assert_eq!((one.state, one.in_force, one.version), (ReviewState::Published, Some(1), 3));
    }

    #[test]
    fn a_revision_is_in_force_until_the_next_one_is() {
        let mut one = article();
        one.submit().unwrap();
        one.publish("cy", &[]).unwrap();
        assert_eq!(one.edit(), Ok(2));
        assert_eq!((one.state, one.latest, one.in_force), (ReviewState::Draft, 2, Some(1)));
        one.submit().unwrap();
        one.publish("cy", &[]).unwrap();
        assert_eq!(one.in_force, Some(2));
        one.retire("cy", "it is wrong".to_owned()).unwrap();
        assert_eq!(one.in_force, None);
        let retired = Refusal::InvalidReviewState(ReviewedKind::Article, ReviewState::Retired);
        assert_eq!(one.edit(), Err(retired));
        assert!(one.retire("cy", String::new()).is_err() && one.submit().is_err());
    }

    proptest! {
        /// Whatever is tried: what is refused changes nothing, and what is in force was
        /// published by another.
        #[test]
        fn no_order_of_moves_puts_in_force_what_nobody_reviewed(moves in prop::collection::vec(0..4_u8, 0..30)) {
            let mut one = article();
            let mut reviewed = Vec::new();
            for step in moves {
                let before = one.clone();
                let done = match step {
                    0 => one.edit().map(drop),
                    1 => one.submit(),
                    2 => one.publish("reviewer", &["author".to_owned()]).map(|()| reviewed.push(one.latest)),
                    _ => one.retire("reviewer", "x".to_owned()),
                };
                if done.is_ok() {
                    prop_assert_eq!(one.version, before.version + 1);
                } else {
                    prop_assert_eq!(&one, &before);
                }
                prop_assert!(one.in_force.is_none_or(|number| reviewed.last() == Some(&number)));
                let is_published = one.state == ReviewState::Published;
                prop_assert!(!is_published || one.in_force == Some(one.latest));
                prop_assert!(one.state != ReviewState::Retired || one.in_force.is_none());
            }
        }
    }
}
