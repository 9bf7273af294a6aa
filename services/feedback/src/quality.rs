//! Reviews of how closed cases were handled: what they look at, and what raters say.
//!
//! ```text
//! a closed cycle is drawn ─▶ OPEN ─ one rating, another's ─▶ COMPLETED
//! ```

use jiff::Timestamp;
use kernel::{CaseId, person};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::refusal::Refusal;
use crate::sample::Draw;

pub mod agreement;
pub mod scorecard;

/// Most criteria of a policy.
pub const MAX_CRITERIA: usize = 20;
/// Most classes of a criterion.
pub const MAX_CLASSES: usize = 10;
/// Longest id of a criterion.
pub const MAX_CRITERION_ID: usize = 50;
/// Longest question.
pub const MAX_QUESTION: usize = 300;
/// Longest name of a class.
pub const MAX_CLASS: usize = 100;
/// How much a criterion may count.
pub const WEIGHTS: std::ops::RangeInclusive<i32> = 1..=100;
/// Longest note of a rater.
pub const MAX_NOTE: usize = 10_000;

/// What a review looks at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Criterion {
    /// What it is called in ratings.
    pub id: String,
    /// What is asked.
    pub question: String,
    /// The answers there are, the worst first.
    pub classes: Vec<String>,
    /// How much it counts.
    pub weight: i32,
}

/// Which closed cases are reviewed, and by what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Of a hundred closed cases of each handler, how many are drawn.
    pub sample_percent: i16,
    /// What the sample is drawn with.
    pub seed: String,
    /// What is looked at.
    pub criteria: Vec<Criterion>,
}

impl Policy {
    /// What is looked at where a tenant has settled nothing: what ISO 10002:2018, 8.5, asks
    /// handling to be reviewed for.
    pub fn shipped() -> Self {
        let criterion = |id: &str, question: &str, weight| Criterion {
            id: id.to_owned(),
            question: question.to_owned(),
            classes: ["not met", "partly met", "met"].map(str::to_owned).to_vec(),
            weight,
        };
        Self {
            sample_percent: 5,
            seed: "shipped".to_owned(),
            criteria: vec![
                criterion("completeness", "Was every point of the complaint looked into and answered?", 3),
                criterion("fairness", "Does the decision follow from what was found, for both sides?", 3),
                criterion("redress", "Does what was done put right what was found?", 2),
                criterion("clarity", "Is the answer in plain words that the complainant understands?", 1),
                criterion("courtesy", "Was the complainant treated with courtesy and kept informed?", 1),
            ],
        }
    }

    /// What classes come to, 0–100. They are one for each criterion.
    pub fn score(&self, classes: &[i16]) -> f64 {
        let best =
            |criterion: &Criterion| f64::from(u32::try_from(criterion.classes.len()).unwrap_or(2)) - 1.0;
        let rated = self.criteria.iter().zip(classes);
        let reached: f64 =
            rated.map(|(one, class)| f64::from(one.weight) * f64::from(*class) / best(one)).sum();
        let all: f64 = self.criteria.iter().map(|one| f64::from(one.weight)).sum();
        100.0 * reached / all
    }
}

kernel::numbered! {
    /// Where a review stands.
    State {
        /// One or two ratings are missing.
        Open = 1,
        /// Two have rated.
        Completed = 2,
    }
}

/// What a rater says of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rating {
    /// Subject of the rater.
    pub rater: String,
    /// Place of the class of each criterion.
    pub classes: Vec<i16>,
    /// What else they say.
    pub note: String,
    /// When.
    pub at: Timestamp,
}

/// A review.
#[derive(Clone, Debug, PartialEq)]
pub struct Review {
    /// Identity.
    pub id: Uuid,
    /// The case.
    pub case_id: CaseId,
    /// The cycle that was closed.
    pub cycle: i32,
    /// Who handled it; empty when unknown.
    pub agent: String,
    /// Version of the policy it was drawn by.
    pub policy: i64,
    /// How it came into the sample.
    pub draw: Draw,
    /// When it was drawn.
    pub created: Timestamp,
    /// When the second rating came, and the score.
    pub completed: Option<(Timestamp, f64)>,
    /// The ratings, in the order in which they came.
    pub ratings: Vec<Rating>,
}

impl Review {
    /// Where it stands.
    pub fn state(&self) -> State {
        if self.completed.is_some() { State::Completed } else { State::Open }
    }

    /// Takes a rating. Who has handled the case is given, as far as known.
    ///
    /// # Errors
    ///
    /// It is completed, or the rater has rated it or handled the case.
    pub fn rate(&mut self, rating: Rating, policy: &Policy, handlers: &[String]) -> Result<(), Refusal> {
        let is_rater = |other: &str| person::is_same(other, &rating.rater);
        if self.completed.is_some() {
            return Err(Refusal::QualityReviewCompleted);
        }
        if self.ratings.iter().any(|known| is_rater(&known.rater)) {
            return Err(Refusal::QualityReviewRated);
        }
        if is_rater(&self.agent) || handlers.iter().any(|handler| is_rater(handler)) {
            return Err(Refusal::OwnQualityReview);
        }
        let at = rating.at;
        self.ratings.push(rating);
        if let [one, other] = self.ratings.as_slice() {
            let score = f64::midpoint(policy.score(&one.classes), policy.score(&other.classes));
            self.completed = Some((at, score));
        }
        Ok(())
    }

    /// The ratings that somebody sees: all once it is completed, before their own.
    pub fn seen_by(&self, subject: &str) -> Vec<Rating> {
        let is_seen = |rating: &&Rating| self.completed.is_some() || person::is_same(&rating.rater, subject);
        self.ratings.iter().filter(is_seen).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn review() -> Review {
        let draw = Draw {
            month: "2026-11".to_owned(),
            stratum: "quality/ann".to_owned(),
            owed_before: 0,
            drawn_before: 0,
            ticket: 0.01,
            percent: 5,
        };
        Review {
            id: Uuid::nil(),
            case_id: CaseId(Uuid::nil()),
            cycle: 1,
            agent: "ann".to_owned(),
            policy: 0,
            draw,
            created: Timestamp::UNIX_EPOCH,
            completed: None,
            ratings: Vec::new(),
        }
    }

    fn rating(rater: &str, classes: [i16; 5]) -> Rating {
        let (rater, classes) = (rater.to_owned(), classes.to_vec());
        Rating { rater, classes, note: String::new(), at: Timestamp::UNIX_EPOCH }
    }

    #[test]
    fn two_others_rate_it_and_none_sees_the_other_before() {
        let (mut review, policy) = (review(), Policy::shipped());
        let mut rate = |rater: &str, handlers: &[&str], classes| {
            let handlers: Vec<String> = handlers.iter().map(|&name| name.to_owned()).collect();
            let outcome = review.rate(rating(rater, classes), &policy, &handlers);
            (outcome, review.clone())
        };
        assert_eq!(rate("Ann", &[], [2; 5]).0, Err(Refusal::OwnQualityReview));
        assert_eq!(rate("bo", &["Bo"], [2; 5]).0, Err(Refusal::OwnQualityReview));
        let (first, open) = rate("su", &["bo"], [2; 5]);
        assert_eq!((first, open.state()), (Ok(()), State::Open));
        assert_eq!((open.seen_by("SU").len(), open.seen_by("wu").len()), (1, 0));
        assert_eq!(rate("SU ", &[], [2; 5]).0, Err(Refusal::QualityReviewRated));
        let (second, completed) = rate("wu", &[], [0; 5]);
        assert_eq!((second, completed.state()), (Ok(()), State::Completed));
        assert_eq!(completed.completed.map(|(_, score)| score), Some(50.0));
        assert_eq!(completed.seen_by("anybody").len(), 2);
        assert_eq!(rate("xi", &[], [2; 5]).0, Err(Refusal::QualityReviewCompleted));
    }

    #[test]
    fn a_score_weighs_classes_from_the_worst_to_the_best() {
        let policy = Policy::shipped();
        assert_eq!(policy.score(&[0; 5]).to_string(), "0");
        assert_eq!(policy.score(&[2; 5]).to_string(), "100");
        // Of ten parts, three are half reached and two are whole.
        assert!((policy.score(&[1, 0, 2, 0, 0]) - 35.0).abs() < 1e-12);
    }
}
