//! Weighs the tokens of texts: which count, and how much.

#![expect(clippy::cast_precision_loss, reason = "counts of texts and words are far below 2^24")]

use std::collections::HashMap;

use crate::tokens;

/// In how many texts a token must occur to count.
const MIN_TEXTS: u32 = 2;

/// A text as the terms that occur in it and what they weigh; of length 1.
pub(crate) type Vector = Vec<(u32, f32)>;

/// The tokens that count, in the order of their hashes, and how telling each is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Terms {
    pub(crate) hashes: Vec<u32>,
    pub(crate) rarity: Vec<f32>,
}

impl Terms {
    /// The tokens of texts that occur in more than one, at most so many: those that
    /// occur most often.
    pub(crate) fn of<'a>(texts: impl ExactSizeIterator<Item = &'a str>, most: usize) -> Self {
        let total = texts.len();
        let mut occurring: HashMap<u32, u32> = HashMap::new();
        for text in texts {
            for (hash, _) in tokens::counted(text) {
                *occurring.entry(hash).or_default() += 1;
            }
        }
        let mut terms: Vec<(u32, u32)> =
            occurring.into_iter().filter(|(_, texts)| *texts >= MIN_TEXTS).collect();
        // Ties by hash: the same texts give the same terms.
        terms.sort_unstable_by_key(|(hash, texts)| (std::cmp::Reverse(*texts), *hash));
        terms.truncate(most);
        terms.sort_unstable();
        let rarity = |texts: u32| ((1.0 + total as f32) / (1.0 + texts as f32)).ln() + 1.0;
        Self {
            hashes: terms.iter().map(|(hash, _)| *hash).collect(),
            rarity: terms.iter().map(|(_, texts)| rarity(*texts)).collect(),
        }
    }

    /// A text as a vector: damped counts times rarity.
    pub(crate) fn vector(&self, text: &str) -> Vector {
        let mut vector = Vector::new();
        for (hash, count) in tokens::counted(text) {
            if let Ok(term) = self.hashes.binary_search(&hash) {
                // The number of terms is limited far below this.
                let place = u32::try_from(term).unwrap_or(u32::MAX);
                vector.push((place, (1.0 + (count as f32).ln()) * self.rarity[term]));
            }
        }
        let length = vector.iter().map(|(_, weight)| weight * weight).sum::<f32>().sqrt();
        if length > 0.0 {
            for (_, weight) in &mut vector {
                *weight /= length;
            }
        }
        vector
    }
}
