//! Articles: what is known about a matter, revision by revision, and how often it helped.
//! Pure.

pub(crate) mod suggestion;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use kernel::{CaseId, person};
use uuid::Uuid;

use crate::refusal::Refusal;

/// Most articles of a tenant that are not retired.
pub(crate) const MAX_ARTICLES: i64 = 2_000;
/// Most revisions of an article.
pub(crate) const MAX_REVISIONS: i32 = 200;
/// Longest title.
pub(crate) const MAX_TITLE: usize = 200;
/// Longest text.
pub(crate) const MAX_BODY: usize = 20_000;
/// Most categories, and most products, of an article.
pub(crate) const MAX_APPLIES: usize = 20;
/// Longest name of a category or product.
pub(crate) const MAX_NAME: usize = 200;
/// Most cases an article says it grew from.
pub(crate) const MAX_SOURCES: usize = 50;
/// Most words by which an article is found: those that stand first in it.
const MAX_WORDS: usize = 500;

kernel::numbered! {
    /// Where the latest revision of an article stands.
    ArticleState {
        /// Written.
        Draft = 1,
        /// Handed in.
        InReview = 2,
        /// In force.
        Published = 3,
        /// Out of use.
        Retired = 4,
    }
}

/// What somebody writes into a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Content {
    /// What it is about, in one line.
    pub(crate) title: String,
    /// The text.
    pub(crate) body: String,
    /// Its language, a BCP 47 tag.
    pub(crate) language: String,
    /// Categories it applies to.
    pub(crate) categories: Vec<String>,
    /// Products it applies to.
    pub(crate) products: Vec<String>,
    /// Cases it grew from.
    pub(crate) sources: Vec<CaseId>,
    /// Last day on which it need not be looked at again.
    pub(crate) review_date: Option<Date>,
}

/// A word by which an article is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ArticleWord {
    /// The word, as the search knows it.
    pub(crate) word: String,
    /// Whether the title has it.
    pub(crate) in_title: bool,
}

impl Content {
    /// The words by which it is found, the title's first.
    pub(crate) fn words(&self) -> Vec<ArticleWord> {
        let title = filter::keywords::keywords(&self.title, MAX_WORDS);
        let both = filter::keywords::keywords(&format!("{}\n{}", self.title, self.body), MAX_WORDS);
        let of = |(place, word)| ArticleWord { word, in_title: place < title.len() };
        both.into_iter().enumerate().map(of).collect()
    }
}

/// One revision of the text; never changes but for who published it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Revision {
    /// Its number, from 1.
    pub(crate) number: i32,
    /// What it says.
    pub(crate) content: Content,
    /// Who wrote it.
    pub(crate) author: String,
    /// When.
    pub(crate) revise_time: Timestamp,
    /// Who published it, and when; none while nobody has.
    pub(crate) published: Option<(String, Timestamp)>,
}

/// An article as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Article {
    /// Its id.
    pub(crate) id: Uuid,
    /// Counts what people do to it.
    pub(crate) version: i64,
    /// Where its latest revision stands.
    pub(crate) state: ArticleState,
    /// Number of its latest revision.
    pub(crate) latest: i32,
    /// Number of the revision in force; none where there is none.
    pub(crate) in_force: Option<i32>,
    /// Who took it out of use and why; none while nobody has.
    pub(crate) retired: Option<(String, String)>,
}

impl Article {
    /// A new one, with its first revision a draft.
    pub(crate) fn new(id: Uuid) -> Self {
        Self { id, version: 1, state: ArticleState::Draft, latest: 1, in_force: None, retired: None }
    }

    /// Takes the next revision in; answers its number.
    pub(crate) fn edit(&mut self) -> Result<i32, Refusal> {
        if self.state == ArticleState::Retired {
            return Err(self.refused());
        }
        if self.latest >= MAX_REVISIONS {
            return Err(Refusal::TooManyRevisions);
        }
        self.latest += 1;
        self.change(ArticleState::Draft);
        Ok(self.latest)
    }

    /// Hands the latest revision in.
    pub(crate) fn submit(&mut self) -> Result<(), Refusal> {
        if self.state != ArticleState::Draft {
            return Err(self.refused());
        }
        self.change(ArticleState::InReview);
        Ok(())
    }

    /// Puts the latest revision in force; `authors` are those of what has not been in force
    /// before.
    pub(crate) fn publish(&mut self, reviewer: &str, authors: &[String]) -> Result<(), Refusal> {
        if self.state != ArticleState::InReview {
            return Err(self.refused());
        }
        if authors.iter().any(|author| person::is_same(author, reviewer)) {
            return Err(Refusal::ArticleReviewerIsAuthor);
        }
        self.in_force = Some(self.latest);
        self.change(ArticleState::Published);
        Ok(())
    }

    /// Takes it out of use.
    pub(crate) fn retire(&mut self, retirer: &str, reason: String) -> Result<(), Refusal> {
        if self.state == ArticleState::Retired {
            return Err(self.refused());
        }
        self.in_force = None;
        self.retired = Some((retirer.to_owned(), reason));
        self.change(ArticleState::Retired);
        Ok(())
    }

    fn change(&mut self, state: ArticleState) {
        self.state = state;
        self.version += 1;
    }

    fn refused(&self) -> Refusal {
        let state = match self.state {
            ArticleState::Draft => "a draft",
            ArticleState::InReview => "in review",
            ArticleState::Published => "published",
            ArticleState::Retired => "retired",
        };
        Refusal::InvalidArticleState(state)
    }
}

/// Whether a text that need not be looked at again until a day is due for it.
pub(crate) fn is_review_due(review_date: Option<Date>, now: Timestamp) -> bool {
    review_date.is_some_and(|last| today(now) > last)
}

/// The day it is, in UTC.
pub(crate) fn today(now: Timestamp) -> Date {
    now.to_zoned(TimeZone::UTC).date()
}

/// What came of the uses of an article.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usefulness {
    /// Uses that were recorded.
    pub(crate) uses: i64,
    /// Of them, the useful ones.
    pub(crate) useful: i64,
    /// Cases it was used in.
    pub(crate) cases: i64,
    /// Of them, those disputed or reopened afterwards.
    pub(crate) disputed: i64,
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn article() -> Article {
        Article::new(Uuid::from_u128(1))
    }

    #[test]
    fn who_wrote_since_the_one_in_force_does_not_publish() {
        let mut one = article();
        one.submit().unwrap();
        let authors = ["Ann".to_owned(), "bo".to_owned()];
        for author in [" ann ", "BO"] {
            assert_eq!(one.publish(author, &authors), Err(Refusal::ArticleReviewerIsAuthor));
        }
        assert_eq!((one.state, one.in_force), (ArticleState::InReview, None));
        one.publish("cy", &authors).unwrap();
        assert_eq!((one.state, one.in_force, one.version), (ArticleState::Published, Some(1), 3));
    }

    #[test]
    fn a_revision_is_in_force_until_the_next_one_is() {
        let mut one = article();
        one.submit().unwrap();
        one.publish("cy", &[]).unwrap();
        assert_eq!(one.edit(), Ok(2));
        assert_eq!((one.state, one.latest, one.in_force), (ArticleState::Draft, 2, Some(1)));
        one.submit().unwrap();
        one.publish("cy", &[]).unwrap();
        assert_eq!(one.in_force, Some(2));
        one.retire("cy", "it is wrong".to_owned()).unwrap();
        assert_eq!(one.in_force, None);
        assert_eq!(one.edit(), Err(Refusal::InvalidArticleState("retired")));
        assert!(one.retire("cy", String::new()).is_err() && one.submit().is_err());
    }

    #[test]
    fn it_is_due_the_day_after() {
        let now = "2026-11-29T23:59:59Z".parse().unwrap();
        let due = |day| is_review_due(Some(date(2026, 11, day)), now);
        assert_eq!((due(28), due(29), is_review_due(None, now)), (true, false, false));
    }

    #[test]
    fn the_words_of_the_title_come_first_and_once() {
        let content = Content {
            title: "Refund of a kettle".to_owned(),
            body: "A kettle that broke is refunded.".to_owned(),
            language: "en".to_owned(),
            categories: vec![],
            products: vec![],
            sources: vec![],
            review_date: None,
        };
        let words: Vec<_> = content.words().into_iter().map(|one| (one.word, one.in_title)).collect();
        let expected = [("refund", true), ("kettle", true), ("broke", false), ("refunded", false)];
        assert_eq!(words, expected.map(|(word, in_title)| (word.to_owned(), in_title)));
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
                let is_published = one.state == ArticleState::Published;
                prop_assert!(!is_published || one.in_force == Some(one.latest));
                prop_assert!(one.state != ArticleState::Retired || one.in_force.is_none());
            }
        }
    }
}
