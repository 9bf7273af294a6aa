//! What is read off the text of a complaint when its case is opened: how it is meant,
//! and what it is about where the channel does not say. Pure.

use jiff::Timestamp;
use kernel::CaseId;
use language::{Emotion, Level, Threat};
use triage::Named;

use crate::classifier::Classifier;
use crate::conversation::{Turn, TurnMood};

/// Bytes of text that take about a millisecond to be read, triaged, sketched and indexed.
pub(crate) const HEAVY_BYTES: usize = 16_384;

/// What was read off a text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reading {
    /// How it is meant.
    pub(crate) emotion: Emotion,
    /// What the classifier took it for; none when none was asked.
    pub(crate) guess: Option<Guess>,
    /// How angry each of the customer's turns is, where a chat is told by turns.
    pub(crate) moods: Vec<TurnMood>,
}

/// What a classifier took a text for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Guess {
    /// Version of the classifier.
    pub(crate) classifier: i64,
    /// The category.
    pub(crate) category: String,
    /// How likely that is right.
    pub(crate) confidence: f64,
    /// Whether that is enough to need no confirmation.
    pub(crate) sure: bool,
    /// Why the case is of this category, in words.
    pub(crate) why: String,
}

impl Reading {
    /// Reads a complaint; with a classifier, also what it is about.
    pub(crate) fn of(subject: &str, description: &str, classifier: Option<&Classifier>) -> Self {
        let text = text(subject, description);
        let guess = classifier.map(|classifier| Guess::of(classifier, &text));
        Self { emotion: language::emotion(&text), guess, moods: Vec::new() }
    }

    /// The same with the customer's turns: the angriest counts as the complaint's, where it
    /// is angrier than the text.
    pub(crate) fn along(mut self, turns: &[Turn]) -> Self {
        let mood = language::mood(turns.iter().map(|turn| turn.text.as_str()));
        self.emotion.level = mood.worst().unwrap_or_default().max(self.emotion.level);
        let read = turns.iter().zip(&mood.levels);
        self.moods = read.map(|(turn, level)| TurnMood { place: turn.place, level: *level }).collect();
        self.emotion.threats.extend(mood.threats);
        self.emotion.threats.sort_unstable();
        self.emotion.threats.dedup();
        self
    }

    /// What triage is told the complaint is about.
    pub(crate) fn named(&self) -> Option<Named<'_>> {
        let Guess { category, why, .. } = self.guess.as_ref()?;
        Some(Named { category, why, by_person: false })
    }

    /// Whether a person is to confirm the category.
    pub(crate) fn is_unconfirmed(&self) -> bool {
        self.guess.as_ref().is_some_and(|guess| !guess.sure)
    }
}

impl Guess {
    fn of(classifier: &Classifier, text: &str) -> Self {
        let verdict = classifier.model.classify(text);
        let confidence = f64::from(verdict.confidence);
        let sure = confidence >= classifier.threshold;
        Self {
            classifier: classifier.version,
            category: verdict.class.to_owned(),
            confidence,
            sure,
            why: why(classifier.version, confidence, sure),
        }
    }
}

/// Why a case is of the category a classifier took it for.
pub(crate) fn why(classifier: i64, confidence: f64, sure: bool) -> String {
    let percent = confidence * 100.0;
    let open = if sure { "" } else { ", a person is to confirm it" };
    format!("classifier {classifier} is {percent:.0} % sure{open}")
}

/// The text of a complaint, as it is read and learnt from. A line ends a clause.
pub(crate) fn text(subject: &str, description: &str) -> String {
    format!("{subject}\n{description}")
}

/// What was read off the text of a case, as it is kept, and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct KeptReading {
    /// The case.
    pub(crate) case: CaseId,
    /// Its category now.
    pub(crate) category: String,
    /// One line, in the complainant's words.
    pub(crate) subject: String,
    /// How angry it is; none for a case opened before texts were read.
    pub(crate) level: Option<Level>,
    /// What it threatens.
    pub(crate) threats: Vec<Threat>,
    /// Version of the classifier that was asked, what it took the case for, and how
    /// likely that is right.
    pub(crate) guess: Option<(i64, String, f64)>,
    /// Whether a person is to confirm the category.
    pub(crate) unconfirmed: bool,
    /// Who confirmed or corrected it last, and when.
    pub(crate) confirmed: Option<(String, Timestamp)>,
}

/// Levels of emotion by their stored number, from 0; the contract's is one more.
pub(crate) const LEVELS: [Level; 5] =
    [Level::Calm, Level::Displeased, Level::Annoyed, Level::Angry, Level::Furious];
/// Threats by the bit that stands for each in what is stored.
pub(crate) const THREATS: [(Threat, i16); 4] =
    [(Threat::Regulator, 1), (Threat::Media, 2), (Threat::Court, 4), (Threat::Leaving, 8)];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classifier::tests::{classifier, lessons};

    #[test]
    fn below_the_threshold_a_person_confirms() {
        let certain = classifier(&lessons(), 0.01);
        let reading = Reading::of("parcel", "the courier lost my parcel", Some(&certain));
        assert!(!reading.is_unconfirmed());
        let named = reading.named().expect("a classifier was asked");
        assert_eq!((named.category, named.by_person), ("delivery", false));
        let doubtful = classifier(&lessons(), 1.0);
        let reading = Reading::of("parcel", "the courier lost my parcel", Some(&doubtful));
        assert!(reading.is_unconfirmed());
        assert!(reading.named().expect("still the best there is").why.contains("a person is to confirm"));
    }

    #[test]
    fn the_angriest_turn_counts_as_the_complaints() {
        let turn = |place, text: &str| Turn { place, text: text.to_owned() };
        let turns = [turn(0, "hello"), turn(4, "this is outrageous, I will call my lawyer!!!")];
        let reading = Reading::of("parcel", "it is late", None).along(&turns);
        let places: Vec<i32> = reading.moods.iter().map(|mood| mood.place).collect();
        assert_eq!((places, reading.moods[0].level), (vec![0, 4], Level::Calm));
        assert_eq!(reading.emotion.level, reading.moods[1].level);
        assert_eq!(reading.emotion.threats, [Threat::Court]);
        let calm = Reading::of("Outrageous!!!", "I will call my lawyer", None);
        assert_eq!(calm.clone().along(&[turn(0, "thank you")]).emotion.level, calm.emotion.level);
    }

    #[test]
    fn without_a_classifier_only_the_emotion_is_read() {
        let reading = Reading::of("Outrageous", "I will call my lawyer", None);
        assert_eq!((reading.named().is_none(), reading.is_unconfirmed()), (true, false));
        assert!(reading.emotion.threatens_escalation());
        assert!(reading.emotion.level > Level::Calm);
    }
}
