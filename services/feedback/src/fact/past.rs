//! What was so before: figures of the past are told as they would have been told then.

use std::collections::BTreeMap;

use jiff::Timestamp;
use kernel::CaseId;

use super::Ending;

/// That a case ended, or was opened again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndingFact {
    /// When.
    pub at: Timestamp,
    /// How it ended; none where it was opened again.
    pub ending: Option<Ending>,
}

/// That a cycle had an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutcomeFact {
    /// From when on.
    pub at: Timestamp,
    /// Its number.
    pub outcome: i16,
}

/// That a complainant gave scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScoreFact {
    /// When.
    pub at: Timestamp,
    /// Satisfaction with the handling, 1–5.
    pub handling: Option<i16>,
    /// Satisfaction with the outcome.
    pub satisfaction: Option<i16>,
}

/// What was so before, each with its rank: what is so now is what has the highest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// How cases ended, and were opened again.
    pub endings: BTreeMap<(CaseId, i64), EndingFact>,
    /// What was decided of cycles, by correction.
    pub outcomes: BTreeMap<(CaseId, i32, i32), OutcomeFact>,
    /// What scores were given of cycles.
    pub scores: BTreeMap<(CaseId, i32, i64), ScoreFact>,
}

impl Past {
    /// Whether there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        let Self { endings, outcomes, scores } = self;
        endings.is_empty() && outcomes.is_empty() && scores.is_empty()
    }

    /// Adds how a case ended, or that it was opened again; each event tells it once.
    pub fn ending(&mut self, case: CaseId, rank: i64, told: EndingFact) {
        self.endings.entry((case, rank)).or_insert(told);
    }

    /// Adds the outcome of a cycle; told again, it was so from the earlier time on.
    pub fn outcome(&mut self, case: CaseId, cycle: i32, correction: i32, told: OutcomeFact) {
        let known = self.outcomes.entry((case, cycle, correction)).or_insert(told);
        if told.at < known.at {
            *known = told;
        }
    }

    /// Adds scores; of those of one rank the first hold.
    pub fn score(&mut self, case: CaseId, cycle: i32, rank: i64, told: ScoreFact) {
        let known = self.scores.entry((case, cycle, rank)).or_insert(told);
        if told.at < known.at {
            *known = told;
        }
    }
}
