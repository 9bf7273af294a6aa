//! Complaints that are as unlike each other as real ones: about a kilobyte each, of
//! words nobody says, some of them said more often.

use std::sync::LazyLock;

/// What words are made of.
const SYLLABLES: [&str; 64] = [
    "ba", "be", "bi", "bo", "bu", "cha", "che", "cho", "da", "de", "di", "do", "du", "fa", "fe", "fi", "fo",
    "ga", "ge", "go", "gra", "ha", "he", "hi", "ho", "ja", "jo", "ka", "ke", "ki", "ko", "ku", "la", "le",
    "li", "lo", "ma", "me", "mi", "mo", "na", "ne", "no", "nu", "pa", "pe", "pi", "po", "ra", "re", "ri",
    "ro", "sa", "sche", "si", "so", "sta", "ta", "te", "ti", "to", "va", "wen", "zi",
];
/// Every word of two syllables, each with a space before it.
static WORDS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let words = SYLLABLES.iter().flat_map(|first| SYLLABLES.map(|last| format!(" {first}{last}")));
    words.collect()
});
/// Bytes of the longest of them.
const LONGEST_WORD: usize = 9;
/// Words of a subject.
const SUBJECT: usize = 6;
/// Words of a description: about a kilobyte.
const DESCRIPTION: usize = 180;

/// Subject and description; another seed, other words.
pub(crate) fn complaint(seed: u64) -> (String, String) {
    let mut dice = Dice(seed);
    (dice.words(SUBJECT), dice.words(DESCRIPTION))
}

struct Dice(u64);

impl Dice {
    /// Words out of four thousand, those of earlier syllables more often than later ones.
    /// Made in place: the clients' own work is no part of what is measured.
    fn words(&mut self, count: usize) -> String {
        let mut text = String::with_capacity(count * LONGEST_WORD);
        for _ in 0..count {
            text.push_str(self.word());
        }
        text.remove(0);
        text
    }

    fn word(&mut self) -> &'static str {
        // The finisher of splitmix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let bits = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let bits = bits ^ (bits >> 27);
        let early = |bits: u64| (bits & 63).min(bits >> 6 & 63);
        &WORDS[usize::try_from(early(bits) << 6 | early(bits >> 12)).unwrap_or(0)]
    }
}
