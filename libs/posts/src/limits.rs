//! How much is looked at.

/// Most bytes of a body.
pub const MAX_BODY: usize = 256 << 10;
/// Most values of a body, those within others included.
pub const MAX_VALUES: usize = 20_000;
/// Most posts of a body.
pub const MAX_ITEMS: usize = 100;
/// Longest JSONPath, in characters.
pub const MAX_PATH: usize = 300;
/// Most segments of a path, those of its filters included: each visits a value once at most.
pub const MAX_SEGMENTS: usize = 16;
/// Most rules of a mapping.
pub const MAX_RULES: usize = 50;
/// Most words of all its rules.
pub const MAX_WORDS: usize = 500;
/// Longest word, in characters.
pub const MAX_WORD: usize = 100;
/// Longest name of a rule, in characters.
pub const MAX_RULE_NAME: usize = 100;
/// Most thresholds of a kind.
pub const MAX_THRESHOLDS: usize = 10;
/// Most templates of a mapping.
pub const MAX_TEMPLATES: usize = 50;
/// Longest template, in characters.
pub const MAX_TEMPLATE: usize = 2_000;

/// Longest text of a post that is kept, in characters.
pub const MAX_TEXT: usize = 20_000;
/// Longest title.
pub const MAX_TITLE: usize = 300;
/// Longest name or number.
pub const MAX_NAME: usize = 200;
/// Longest address of a page.
pub const MAX_URI: usize = 2_000;
/// Longest e-mail address.
pub const MAX_EMAIL: usize = 320;
/// Longest telephone number.
pub const MAX_PHONE: usize = 40;
/// Longest tag of a language.
pub const MAX_LANGUAGE: usize = 35;
/// Most addresses of evidence.
pub const MAX_EVIDENCE: usize = 20;
