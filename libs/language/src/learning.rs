//! Learns a linear model from labelled texts: one support vector machine per class
//! against the others (squared hinge loss, L2), by dual coordinate descent: exact,
//! without a step size to tune, and the same texts give the same model.

use crate::evaluation::Evaluation;
use crate::model::{Model, likelihoods};
use crate::terms::{Terms, Vector};

/// How much a mistake costs against a simpler model.
const COST: f32 = 0.5;
/// How much more a text of a rare class counts: by this power of how rare it is. At
/// 0 rare classes are lost, at 1 they outvote the others.
const FAVOUR: f32 = 0.75;
/// Passes over the texts at most; most classes need fewer.
const PASSES: usize = 30;
/// A pass in which no text was further from its optimum than this is the last.
const TOLERANCE: f32 = 0.1;
/// Terms a model knows at most.
const MOST_TERMS: usize = 130_000;
/// Weights a model has at most: 16 MB as kept.
const MOST_WEIGHTS: usize = 8_000_000;
/// One text of a class in so many is held out.
const HELD_OUT: usize = 5;
/// Decides which are held out and in which order texts are visited.
const SEED: u64 = 0x5eed;

/// A text and what it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Example<'a> {
    /// What it is about.
    pub class: &'a str,
    /// The text.
    pub text: &'a str,
}

/// Why there is no model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooLittle {
    /// Nothing to tell apart.
    #[error("there must be texts of two classes at least")]
    OneClass,
    /// Nothing to tell them by.
    #[error("no word occurs in two texts")]
    NothingInCommon,
}

/// Learns from four fifths of the texts, and evaluates and calibrates on the fifth
/// that was held out.
///
/// # Errors
///
/// Fails as [`learn`] does, for the texts that are not held out.
pub fn train(examples: &[Example<'_>]) -> Result<(Model, Evaluation), TooLittle> {
    let (seen, held_out) = split(examples);
    let mut model = learn(&seen)?;
    model.calibrate(&held_out);
    let evaluation = Evaluation::of(&model, &held_out);
    Ok((model, evaluation))
}

/// Parts texts into those to learn from and those held out, class by class; a
/// class of one text is only learnt from.
pub fn split<'a>(examples: &[Example<'a>]) -> (Vec<Example<'a>>, Vec<Example<'a>>) {
    let mut shuffled = examples.to_vec();
    shuffled.sort_by_key(|example| example.class);
    let mut random = Random(SEED);
    let (mut seen, mut held_out) = (Vec::new(), Vec::new());
    for class in shuffled.chunk_by_mut(|a, b| a.class == b.class) {
        random.shuffle(class);
        let held = if class.len() < 2 { 0 } else { class.len().div_ceil(HELD_OUT) };
        let (out, rest) = class.split_at(held);
        held_out.extend_from_slice(out);
        seen.extend_from_slice(rest);
    }
    (seen, held_out)
}

/// Learns from all of the texts.
///
/// # Errors
///
/// Fails if the texts are of fewer than two classes, or have no word in common.
pub fn learn(examples: &[Example<'_>]) -> Result<Model, TooLittle> {
    let mut names: Vec<String> = examples.iter().map(|example| example.class.to_owned()).collect();
    names.sort_unstable();
    names.dedup();
    if names.len() < 2 {
        return Err(TooLittle::OneClass);
    }
    let most = MOST_TERMS.min(MOST_WEIGHTS / names.len());
    let terms = Terms::of(examples.iter().map(|example| example.text), most);
    if terms.hashes.is_empty() {
        return Err(TooLittle::NothingInCommon);
    }
    let vectors: Vec<Vector> = examples.iter().map(|example| terms.vector(example.text)).collect();
    let learnt: Vec<(Vec<f32>, f32)> = names
        .iter()
        .map(|name| {
            let of_class: Vec<bool> = examples.iter().map(|example| example.class == name).collect();
            Machine::new(terms.hashes.len(), &of_class, names.len()).learn(&vectors, &of_class)
        })
        .collect();
    Ok(Model::new(names, terms, &learnt))
}

impl Model {
    /// Finds the temperature under which held-out texts were likeliest. Right
    /// answers count a little less than certain, so that a few texts that are all
    /// right make no model sure of everything.
    fn calibrate(&mut self, held_out: &[Example<'_>]) {
        let scored: Vec<(Vec<f32>, usize)> = held_out
            .iter()
            .filter_map(|example| {
                let right = self.classes().position(|class| class == example.class)?;
                Some((self.scores(example.text)?, right))
            })
            .collect();
        if scored.is_empty() {
            return;
        }
        let (texts, classes) = (number(scored.len()), number(self.classes.len()));
        let certain = (texts + 1.0) / (texts + 2.0);
        let loss = |temperature: f32| -> f32 {
            let of_text = |(scores, right): &(Vec<f32>, usize)| {
                let likelihoods = likelihoods(scores, temperature);
                let log = |likelihood: f32| likelihood.max(1e-12).ln();
                let all: f32 = likelihoods.iter().map(|likelihood| log(*likelihood)).sum();
                let hit = log(likelihoods[*right]);
                -certain * hit - (1.0 - certain) / (classes - 1.0) * (all - hit)
            };
            scored.iter().map(of_text).sum()
        };
        let temperatures = (-24_i16..=8).map(|step| f32::from(step) / 4.0).map(f32::exp2);
        let best = temperatures.min_by(|a, b| loss(*a).total_cmp(&loss(*b)));
        self.temperature = best.unwrap_or(1.0);
    }
}

/// The learning of one class.
struct Machine {
    weights: Vec<f32>,
    bias: f32,
    /// How much each text holds the boundary up; zero for most.
    support: Vec<f32>,
    /// What keeps the support of a text of the class, and of another, small.
    damping: (f32, f32),
    random: Random,
}

impl Machine {
    /// A rare class counts more, so that it is not lost.
    fn new(terms: usize, of_class: &[bool], classes: usize) -> Self {
        let own = of_class.iter().filter(|own| **own).count();
        let rarity = number(of_class.len()) / (number(classes) * number(own.max(1)));
        Self {
            weights: vec![0.0; terms],
            bias: 0.0,
            support: vec![0.0; of_class.len()],
            damping: (0.5 / (COST * rarity.powf(FAVOUR)), 0.5 / COST),
            random: Random(SEED),
        }
    }

    fn learn(mut self, vectors: &[Vector], of_class: &[bool]) -> (Vec<f32>, f32) {
        let mut order: Vec<usize> = (0..vectors.len()).collect();
        for _ in 0..PASSES {
            self.random.shuffle(&mut order);
            let mut furthest = 0.0_f32;
            for &text in &order {
                furthest = furthest.max(self.visit(text, &vectors[text], of_class[text]));
            }
            if furthest < TOLERANCE {
                break;
            }
        }
        (self.weights, self.bias)
    }

    /// Brings the support of one text to its optimum, the others as they are;
    /// answers how far from it it was.
    fn visit(&mut self, text: usize, vector: &Vector, own: bool) -> f32 {
        let (side, damping) = if own { (1.0, self.damping.0) } else { (-1.0, self.damping.1) };
        let support = self.support[text];
        let score: f32 =
            vector.iter().map(|(term, weight)| self.weights[*term as usize] * weight).sum::<f32>()
                + self.bias;
        let slope = side * score - 1.0 + damping * support;
        let distance = if support > 0.0 { slope.abs() } else { (-slope).max(0.0) };
        if distance > 0.0 {
            // A vector has length 1, and the bias is one more term.
            let length = if vector.is_empty() { 1.0 } else { 2.0 };
            self.support[text] = (support - slope / (length + damping)).max(0.0);
            let step = side * (self.support[text] - support);
            for (term, weight) in vector {
                self.weights[*term as usize] += step * weight;
            }
            self.bias += step;
        }
        distance
    }
}

/// SplitMix64: enough to shuffle by.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let bound = u64::try_from(last).unwrap_or(u64::MAX).saturating_add(1);
            let other = usize::try_from(self.next() % bound).unwrap_or(last);
            items.swap(last, other);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of texts and classes are far below 2^24")]
fn number(count: usize) -> f32 {
    count as f32
}

#[cfg(test)]
mod tests;
