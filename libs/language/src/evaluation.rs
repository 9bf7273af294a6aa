//! How good a model is: what it said of texts it had not seen, against what they
//! are about.

#![expect(clippy::cast_precision_loss, reason = "counts of texts are far below 2^52")]

use crate::learning::Example;
use crate::model::Model;

/// What a model said of texts whose class is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Which classes were taken for which.
    pub confusion: Confusion,
    /// Confidence of each verdict, and whether it was right.
    verdicts: Vec<(f32, bool)>,
}

/// Which classes were taken for which.
#[derive(Clone, Debug, PartialEq)]
pub struct Confusion {
    /// The classes, in order: of the model, and of the texts.
    pub classes: Vec<String>,
    /// How many texts of the class of the row were said to be of the class of the
    /// column.
    pub counts: Vec<Vec<u32>>,
}

/// How well one class is told from the others.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassFigures {
    /// The class.
    pub class: String,
    /// Share of the texts said to be of the class that are.
    pub precision: f64,
    /// Share of the texts of the class that were said to be.
    pub recall: f64,
    /// Their harmonic mean.
    pub f1: f64,
    /// How many texts of the class there were.
    pub texts: u32,
}

/// What a threshold on the confidence gives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sure {
    /// Share of the texts at or above it.
    pub share: f64,
    /// Share of those that were right; 0 when there are none.
    pub right: f64,
}

impl Evaluation {
    /// Lets a model classify texts whose class is known.
    pub fn of(model: &Model, examples: &[Example<'_>]) -> Self {
        let named = model.classes().chain(examples.iter().map(|example| example.class));
        let mut classes: Vec<String> = named.map(str::to_owned).collect();
        classes.sort_unstable();
        classes.dedup();
        let mut counts = vec![vec![0; classes.len()]; classes.len()];
        let mut verdicts = Vec::with_capacity(examples.len());
        let place = |name: &str| classes.partition_point(|class| class.as_str() < name);
        for example in examples {
            let verdict = model.classify(example.text);
            counts[place(example.class)][place(verdict.class)] += 1;
            verdicts.push((verdict.confidence, verdict.class == example.class));
        }
        Self { confusion: Confusion { classes, counts }, verdicts }
    }

    /// What a threshold on the confidence would give.
    pub fn sure(&self, threshold: f64) -> Sure {
        let is_sure = |verdict: &&(f32, bool)| f64::from(verdict.0) >= threshold;
        let sure: Vec<bool> = self.verdicts.iter().filter(is_sure).map(|verdict| verdict.1).collect();
        let right = sure.iter().filter(|right| **right).count();
        Sure {
            share: ratio(sure.len() as f64, self.verdicts.len() as f64),
            right: ratio(right as f64, sure.len() as f64),
        }
    }

    /// How far confidence is from the share of right verdicts, over ten bands of
    /// confidence: 0 where a confidence of 0.8 is right eight times in ten.
    pub fn calibration_error(&self) -> f64 {
        let error = |band: u8| {
            let within = |(confidence, _): &&(f32, bool)| {
                let from = f32::from(band) / 10.0;
                *confidence >= from && (*confidence < from + 0.1 || band == 9)
            };
            let of_band: Vec<&(f32, bool)> = self.verdicts.iter().filter(within).collect();
            let confidence: f64 = of_band.iter().map(|verdict| f64::from(verdict.0)).sum();
            let right = of_band.iter().filter(|verdict| verdict.1).count() as f64;
            (confidence - right).abs()
        };
        ratio((0..10).map(error).sum(), self.verdicts.len() as f64)
    }
}

impl Confusion {
    /// How many texts there were.
    pub fn texts(&self) -> u32 {
        self.counts.iter().flatten().sum()
    }

    /// Share of the texts that were said to be of their class.
    pub fn accuracy(&self) -> f64 {
        let right: u32 = self.counts.iter().enumerate().map(|(place, row)| row[place]).sum();
        ratio(f64::from(right), f64::from(self.texts()))
    }

    /// The mean of the classes' F1: a rare class counts as much as a common one.
    pub fn macro_f1(&self) -> f64 {
        let sum: f64 = self.of_classes().iter().map(|class| class.f1).sum();
        ratio(sum, self.classes.len() as f64)
    }

    /// How well each class is told from the others.
    pub fn of_classes(&self) -> Vec<ClassFigures> {
        let figures = |(place, class): (usize, &String)| {
            let hits = f64::from(self.counts[place][place]);
            let texts: u32 = self.counts[place].iter().sum();
            let said: u32 = self.counts.iter().map(|row| row[place]).sum();
            ClassFigures {
                class: class.clone(),
                precision: ratio(hits, f64::from(said)),
                recall: ratio(hits, f64::from(texts)),
                f1: ratio(2.0 * hits, f64::from(said) + f64::from(texts)),
                texts,
            }
        };
        self.classes.iter().enumerate().map(figures).collect()
    }
}

/// A share; nothing of nothing is 0.
fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confusion(counts: Vec<Vec<u32>>) -> Confusion {
        let classes = ["a", "b", "c"].iter().take(counts.len()).map(|name| (*name).to_owned()).collect();
        Confusion { classes, counts }
    }

    fn evaluation(verdicts: Vec<(f32, bool)>) -> Evaluation {
        Evaluation { confusion: confusion(Vec::new()), verdicts }
    }

    #[test]
    fn figures_as_computed_by_hand() {
        let found = confusion(vec![vec![3, 1, 0], vec![1, 2, 0], vec![1, 0, 0]]);
        let figures = found.of_classes();
        assert!((figures[0].precision - 0.6).abs() < 1e-9 && (figures[0].recall - 0.75).abs() < 1e-9);
        assert!((figures[0].f1 - 6.0 / 9.0).abs() < 1e-9);
        assert!((figures[1].f1 - 4.0 / 6.0).abs() < 1e-9);
        assert_eq!(
            (figures[2].precision, figures[2].recall, figures[2].f1, figures[2].texts),
            (0.0, 0.0, 0.0, 1)
        );
        assert!((found.accuracy() - 5.0 / 8.0).abs() < 1e-9);
        assert!((found.macro_f1() - (6.0 / 9.0 + 4.0 / 6.0) / 3.0).abs() < 1e-9);
    }

    #[test]
    fn a_threshold_leaves_the_sure_ones() {
        let verdicts = vec![(0.9, true), (0.75, true), (0.75, false), (0.3, false)];
        let found = evaluation(verdicts);
        assert_eq!(found.sure(0.75), Sure { share: 0.75, right: 2.0 / 3.0 });
        assert_eq!(found.sure(0.95), Sure { share: 0.0, right: 0.0 });
    }

    #[test]
    fn confidence_that_keeps_its_word_has_no_error() {
        let honest: Vec<(f32, bool)> = (0..4).map(|text| (0.75, text > 0)).collect();
        assert!(evaluation(honest).calibration_error() < 1e-6);
        let boastful = vec![(1.0, false); 4];
        assert!((evaluation(boastful).calibration_error() - 1.0).abs() < 1e-6);
    }
}
