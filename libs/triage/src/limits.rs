//! What a rule set may cost, beside what each of its conditions may (see `predicate`).

/// Most bytes of the words of a set, word lists, categories and pieces that conditions
/// look for together.
pub(crate) const MAX_WORD_BYTES: usize = 262_144;
/// Most words of a set that end another word of it: each of them is found again wherever
/// that one stands.
pub(crate) const MAX_ENDINGS: usize = 8;
/// Steps that are spent on proving rules of a set dead; what is not proven by then is
/// believed to be alive.
pub(crate) const MAX_PROOF_STEPS: usize = 2_000_000;
