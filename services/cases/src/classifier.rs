//! Classifiers: what is learnt from, what comes of it. Pure.

use std::collections::HashMap;

use jiff::Timestamp;
use language::{Confusion, Example, Model, Sure, TooLittle};

/// Texts a classifier learns from at most, the newest.
const MOST_TEXTS: usize = 20_000;
/// What those texts have in all at most, in bytes; learning takes some ten times as
/// much memory.
const MOST_BYTES: usize = 16_000_000;
/// Categories a classifier tells apart at most, those with the most texts.
const MOST_CATEGORIES: usize = 200;
/// Texts a category must have to be learnt.
const FEWEST_TEXTS: usize = 5;
/// Confidence from which a category needs no confirmation, where none is named.
pub(crate) const USUAL_THRESHOLD: f64 = 0.6;

/// A classifier in use.
#[derive(Debug)]
pub(crate) struct Classifier {
    /// Which it is.
    pub(crate) version: i64,
    /// Confidence from which a category needs no confirmation.
    pub(crate) threshold: f64,
    /// What it has learnt.
    pub(crate) model: Model,
}

/// A text whose category is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lesson {
    /// What it is about.
    pub(crate) category: String,
    /// The text.
    pub(crate) text: String,
}

/// What is to be learnt from, within limits.
#[derive(Debug, Default)]
pub(crate) struct Lessons {
    lessons: Vec<Lesson>,
    bytes: usize,
}

/// What was learnt, and how good it is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Learnt {
    /// The model.
    pub(crate) model: Model,
    /// Confidence from which a category needs no confirmation.
    pub(crate) threshold: f64,
    /// How good it is.
    pub(crate) figures: Figures,
}

/// How good a classifier is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Figures {
    /// How many texts it has learnt from.
    pub(crate) learnt: usize,
    /// How many words, pairs and pieces it knows.
    pub(crate) terms: usize,
    /// How many texts were held out.
    pub(crate) held_out: usize,
    /// Mean F1 of the categories.
    pub(crate) macro_f1: f64,
    /// Share of the texts held out that it had right.
    pub(crate) accuracy: f64,
    /// How far its confidence was from that share.
    pub(crate) calibration_error: f64,
    /// What the threshold gives.
    pub(crate) sure: Sure,
    /// Which categories were taken for which; without categories in a list.
    pub(crate) confusion: Confusion,
}

impl Lessons {
    /// Takes a lesson in; false when there are enough.
    pub(crate) fn take(&mut self, lesson: Lesson) -> bool {
        self.bytes = self.bytes.saturating_add(lesson.text.len());
        if self.lessons.len() >= MOST_TEXTS || self.bytes > MOST_BYTES {
            return false;
        }
        self.lessons.push(lesson);
        true
    }

    /// Learns; takes seconds to a minute.
    pub(crate) fn learn(&self, threshold: f64) -> Result<Learnt, TooLittle> {
        let taught = self.taught();
        let of_taught = self.lessons.iter().filter(|lesson| taught.contains(&lesson.category.as_str()));
        let examples: Vec<Example<'_>> =
            of_taught.map(|Lesson { category, text }| Example { class: category, text }).collect();
        let (model, found) = language::train(&examples)?;
        let held_out = usize::try_from(found.confusion.texts()).unwrap_or(usize::MAX);
        let figures = Figures {
            learnt: examples.len().saturating_sub(held_out),
            terms: model.terms(),
            held_out,
            macro_f1: found.confusion.macro_f1(),
            accuracy: found.confusion.accuracy(),
            calibration_error: found.calibration_error(),
            sure: found.sure(threshold),
            confusion: found.confusion,
        };
        Ok(Learnt { model, threshold, figures })
    }

    /// The categories with enough texts, as many as are allowed.
    fn taught(&self) -> Vec<&str> {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for lesson in &self.lessons {
            *counts.entry(&lesson.category).or_default() += 1;
        }
        let mut taught: Vec<(&str, usize)> =
            counts.into_iter().filter(|(_, texts)| *texts >= FEWEST_TEXTS).collect();
        taught.sort_unstable_by_key(|(category, texts)| (std::cmp::Reverse(*texts), *category));
        taught.truncate(MOST_CATEGORIES);
        taught.into_iter().map(|(category, _)| category).collect()
    }
}

/// A classifier as it is kept, without its model.
#[derive(Clone, Debug)]
pub(crate) struct KeptClassifier {
    /// Its version.
    pub(crate) version: i64,
    /// Whether complaints are classified by it.
    pub(crate) active: bool,
    /// Who had it trained.
    pub(crate) trainer: String,
    /// When.
    pub(crate) train_time: Timestamp,
    /// When it was last activated.
    pub(crate) activate_time: Option<Timestamp>,
    /// Confidence from which a category needs no confirmation.
    pub(crate) threshold: f64,
    /// How good it is.
    pub(crate) figures: Figures,
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Lessons of two categories, and too few of a third.
    pub(crate) fn lessons() -> Lessons {
        let texts = [
            (
                "delivery",
                [
                    "late parcel",
                    "lost parcel courier",
                    "courier late",
                    "parcel never came",
                    "courier lost it",
                ],
            ),
            (
                "billing",
                [
                    "wrong invoice",
                    "invoice charged twice",
                    "charged a fee",
                    "fee on invoice",
                    "charged wrong",
                ],
            ),
        ];
        let mut lessons = Lessons::default();
        for (category, texts) in texts {
            for text in texts {
                let lesson = Lesson { category: category.to_owned(), text: text.to_owned() };
                assert!(lessons.take(lesson));
            }
        }
        let lonely = Lesson { category: "staff".to_owned(), text: "rude courier".to_owned() };
        assert!(lessons.take(lonely));
        lessons
    }

    pub(crate) fn classifier(lessons: &Lessons, threshold: f64) -> Classifier {
        let Learnt { model, threshold, .. } = lessons.learn(threshold).expect("enough to learn from");
        Classifier { version: 1, threshold, model }
    }

    #[test]
    fn rare_categories_are_left_out() {
        let Learnt { model, figures, .. } = lessons().learn(0.5).expect("enough to learn from");
        assert_eq!(model.classes().collect::<Vec<_>>(), ["billing", "delivery"]);
        assert_eq!((figures.learnt, figures.held_out), (8, 2));
        assert_eq!(figures.confusion.classes, ["billing", "delivery"]);
        assert_eq!(figures.confusion.texts(), 2);
    }

    #[test]
    fn one_category_teaches_nothing() {
        let mut one = lessons();
        one.lessons.retain(|lesson| lesson.category != "billing");
        assert_eq!(one.learn(0.5), Err(TooLittle::OneClass));
        assert_eq!(Lessons::default().learn(0.5), Err(TooLittle::OneClass));
    }

    proptest! {
        #[test]
        fn no_more_is_taken_in_than_the_limits_allow(kilobytes in 1_usize..40) {
            let mut lessons = Lessons::default();
            let lesson = Lesson { category: "a".to_owned(), text: "x".repeat(kilobytes * 1_000) };
            while lessons.take(lesson.clone()) {}
            let bytes = lessons.lessons.len() * kilobytes * 1_000;
            prop_assert!(lessons.lessons.len() <= MOST_TEXTS && bytes <= MOST_BYTES);
            let full = bytes + kilobytes * 1_000 > MOST_BYTES || lessons.lessons.len() == MOST_TEXTS;
            prop_assert!(full);
        }
    }
}
