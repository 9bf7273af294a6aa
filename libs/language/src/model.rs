//! A linear model: for every class a weight of every term. It says what a text is
//! about, and how sure that is.

use crate::terms::Terms;

/// A text's class by a model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict<'a> {
    /// The class.
    pub class: &'a str,
    /// How likely it is the right one, from 0 to 1; as calibrated on texts the
    /// model had not seen.
    pub confidence: f32,
}

/// A model that was learnt.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub(crate) classes: Vec<Class>,
    pub(crate) terms: Terms,
    /// For every term the weights of all classes, one after the other, in units of
    /// the class.
    pub(crate) weights: Vec<i16>,
    /// What scores are divided by to become likelihoods.
    pub(crate) temperature: f32,
}

/// A class of a model.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Class {
    pub(crate) name: String,
    /// What a text without a word scores.
    pub(crate) bias: f32,
    /// What a weight of 1 is worth.
    pub(crate) unit: f32,
}

impl Model {
    /// A model with the weights of every class over the terms, brought to 16 bits,
    /// class after class in the order of their names.
    pub(crate) fn new(names: Vec<String>, terms: Terms, learnt: &[(Vec<f32>, f32)]) -> Self {
        let class = |(name, (weights, bias)): (String, &(Vec<f32>, f32))| {
            let most = weights.iter().fold(f32::MIN_POSITIVE, |most, weight| most.max(weight.abs()));
            Class { name, bias: *bias, unit: most / f32::from(i16::MAX) }
        };
        let classes: Vec<Class> = names.into_iter().zip(learnt).map(class).collect();
        let mut weights = Vec::with_capacity(terms.hashes.len() * classes.len());
        for term in 0..terms.hashes.len() {
            for (class, (of_class, _)) in classes.iter().zip(learnt) {
                weights.push(small(of_class[term] / class.unit));
            }
        }
        Self { classes, terms, weights, temperature: 1.0 }
    }

    /// What it can say a text is about, in order.
    pub fn classes(&self) -> impl ExactSizeIterator<Item = &str> {
        self.classes.iter().map(|class| class.name.as_str())
    }

    /// How many words, pairs and pieces it knows.
    pub fn terms(&self) -> usize {
        self.terms.hashes.len()
    }

    /// What a text is most likely about. In a text without a single term it knows
    /// it has no confidence.
    pub fn classify(&self, text: &str) -> Verdict<'_> {
        self.ranking(text).into_iter().next().unwrap_or(Verdict { class: "", confidence: 0.0 })
    }

    /// What a text may be about, the likeliest first.
    pub fn ranking(&self, text: &str) -> Vec<Verdict<'_>> {
        let scores = self.scores(text);
        let likelihoods = match &scores {
            Some(scores) => likelihoods(scores, self.temperature),
            None => vec![0.0; self.classes.len()],
        };
        let mut ranking: Vec<Verdict<'_>> = self
            .classes()
            .zip(likelihoods)
            .map(|(class, confidence)| Verdict { class, confidence })
            .collect();
        ranking.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
        ranking
    }

    /// The score of each class; none for a text without a term that is known.
    pub(crate) fn scores(&self, text: &str) -> Option<Vec<f32>> {
        let vector = self.terms.vector(text);
        if vector.is_empty() {
            return None;
        }
        let count = self.classes.len();
        let mut scores = vec![0.0; count];
        for (term, weight) in vector {
            let term = term as usize;
            let weights = &self.weights[term * count..(term + 1) * count];
            for (score, class_weight) in scores.iter_mut().zip(weights) {
                *score += f32::from(*class_weight) * weight;
            }
        }
        for (score, class) in scores.iter_mut().zip(&self.classes) {
            *score = *score * class.unit + class.bias;
        }
        Some(scores)
    }
}

/// Scores as likelihoods that sum to 1.
pub(crate) fn likelihoods(scores: &[f32], temperature: f32) -> Vec<f32> {
    let most = scores.iter().copied().fold(f32::MIN, f32::max);
    let shares: Vec<f32> = scores.iter().map(|score| ((score - most) / temperature).exp()).collect();
    let sum: f32 = shares.iter().sum();
    shares.into_iter().map(|share| share / sum).collect()
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a weight is at most its class's largest, which is i16::MAX"
)]
fn small(weight: f32) -> i16 {
    weight.round() as i16
}
