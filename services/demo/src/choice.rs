//! What the players decide. Pure: the same complaint has the same fate.

mod remedy;

use proto::redress::cases::v1::Outcome;
use proto::redress::intake::v1::Complaint;
use proto::redress::resolution::v1::Step;
use sha2::{Digest as _, Sha256};

use super::words;

/// How a complaint ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Its complainant answers.
    Answered,
    /// Its complainant says so on the telephone; an agent closes it.
    ClosedByStaff,
    /// Its complainant withdraws while it is looked into.
    Withdrawn,
    /// It is somebody else's matter.
    Declined,
}

/// What was decided in a cycle.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ruling {
    pub(super) outcome: Outcome,
    pub(super) reasons: &'static str,
    /// What is done; nothing where the complaint is not upheld.
    pub(super) steps: Vec<Step>,
}

/// Everything that will be decided about one complaint.
#[derive(Clone, Debug)]
pub(super) struct Script {
    pub(super) fate: Fate,
    pub(super) first: Ruling,
    /// The first outcome is disputed: this is the second.
    pub(super) second: Option<Ruling>,
    /// The first plan is sent back once.
    pub(super) sent_back: bool,
    /// For whatever else is left to chance.
    pub(super) roll: u64,
}

/// Writes a complaint's script.
pub(super) fn script(complaint: &Complaint) -> Script {
    let mut dice = Dice::of(complaint);
    let fate = match dice.percent() {
        0..3 => Fate::Withdrawn,
        3..7 => Fate::Declined,
        7..13 => Fate::ClosedByStaff,
        _ => Fate::Answered,
    };
    let (outcome, chance) = match dice.percent() {
        0..70 => (Outcome::Upheld, 6),
        70..86 => (Outcome::PartlyUpheld, 40),
        _ => (Outcome::NotUpheld, 50),
    };
    let disputed = fate == Fate::Answered && dice.percent() < chance;
    Script {
        fate,
        first: first(complaint, outcome),
        second: disputed.then(|| second(complaint, outcome)),
        sent_back: dice.percent() < 5,
        roll: dice.next(),
    }
}

fn first(complaint: &Complaint, outcome: Outcome) -> Ruling {
    let language = &complaint.language;
    let (reasons, steps) = match outcome {
        Outcome::NotUpheld => (words::not_upheld(language), Vec::new()),
        Outcome::PartlyUpheld => (words::partly(language), remedy::in_part(complaint)),
        _ => (words::upheld(language), remedy::in_full(complaint)),
    };
    Ruling { outcome, reasons, steps }
}

fn second(complaint: &Complaint, before: Outcome) -> Ruling {
    let reasons = words::second_look(&complaint.language);
    Ruling { outcome: Outcome::Upheld, reasons, steps: remedy::on_second_look(complaint, before) }
}

/// Chance that repeats itself.
struct Dice(Vec<u8>);

impl Dice {
    fn of(complaint: &Complaint) -> Self {
        let mut digest = Sha256::new();
        digest.update(&complaint.subject);
        digest.update(&complaint.description);
        Self(digest.finalize().to_vec())
    }

    fn next(&mut self) -> u64 {
        let number = self.0.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte));
        self.0 = Sha256::digest(&self.0).to_vec();
        number
    }

    fn percent(&mut self) -> u64 {
        self.next() % 100
    }
}

#[cfg(test)]
mod tests {
    use proto::redress::resolution::v1::RemedyKind;

    use super::*;
    use crate::complaints;

    #[test]
    fn the_sample_shows_everything() {
        let scripts: Vec<Script> = complaints(false).unwrap().iter().map(script).collect();
        for fate in [Fate::Answered, Fate::ClosedByStaff, Fate::Withdrawn, Fate::Declined] {
            assert!(scripts.iter().any(|script| script.fate == fate), "{fate:?}");
        }
        for outcome in [Outcome::Upheld, Outcome::PartlyUpheld, Outcome::NotUpheld] {
            assert!(scripts.iter().any(|script| script.first.outcome == outcome), "{outcome:?}");
        }
        assert!(scripts.iter().any(|script| script.second.is_some()));
        assert!(scripts.iter().any(|script| script.sent_back && !script.first.steps.is_empty()));
        let has = |script: &Script, kind| script.first.steps.iter().any(|step| step.kind() == kind);
        assert!(
            scripts.iter().any(|script| has(script, RemedyKind::Refund) && has(script, RemedyKind::Exchange))
        );
    }
}
