//! Articles: what is known about a matter, revision by revision, and how often it helped.
//! When a revision is in force, `review` says. Pure.

pub(crate) mod suggestion;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use kernel::CaseId;

use crate::review;

/// Most articles of a tenant that are not retired.
pub(crate) const MAX_ARTICLES: i64 = 2_000;
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

/// One revision of an article.
pub(crate) type Revision = review::Revision<Content>;

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

    use super::*;

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
}
