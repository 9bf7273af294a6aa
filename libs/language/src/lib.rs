//! What a text is about and how it is meant, in Chinese and English. Pure: no
//! I/O, no clock, no randomness that is not seeded.
//!
//! A lib, and not rooms of `cases`, which alone uses it: it knows nothing of
//! cases, only texts and labels; it brings a dictionary that takes long to
//! compile; and its measurements on large sets run without a database.
//!
//! In reading order: `emotion` reads anger and threats off a text by a lexicon, `mood` off
//! the turns of a conversation;
//! `personal` finds what tells who somebody is by its form alone, `identifying` by the
//! words around it as well, and `anonymous` puts placeholders there;
//! `tokens` cuts a text into what counts, `terms` weighs it, `learning` finds the
//! weights of a linear model in labelled texts, `model` predicts with it, `bytes`
//! keeps it, `evaluation` says how good it is.
#![warn(clippy::missing_errors_doc)]

mod anonymous;
mod bytes;
mod emotion;
mod evaluation;
mod identifying;
mod learning;
mod model;
mod mood;
mod personal;
mod terms;
mod tokens;

pub use anonymous::{Anonymiser, Party};
pub use bytes::Unreadable;
pub use emotion::{Emotion, Level, Threat, emotion};
pub use evaluation::{ClassFigures, Confusion, Evaluation, Sure};
pub use identifying::IdentifyingKind;
pub use learning::{Example, TooLittle, learn, split, train};
pub use model::{Model, Verdict};
pub use mood::{MAX_MOOD_BYTES, MAX_MOOD_TURNS, Mood, Trend, mood, trend};
pub use personal::{Detail, DetailKind, personal_details};

/// Loads the dictionary, which takes hundreds of milliseconds: whoever is asked for the
/// first Chinese text afterwards does not wait for it.
pub fn prepare() {
    tokens::load();
}

/// The beginning of a text, no longer than this many bytes, cut between characters.
fn beginning(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::beginning;

    proptest! {
        #[test]
        fn a_long_text_is_cut_between_characters(bytes in 0_usize..12) {
            let cut = beginning("a差b好c", bytes);
            prop_assert!(cut.len() <= bytes && cut.len() + 3 > bytes.min(9));
        }
    }
}
