//! What is answered in public.

use crate::keywords::is_syllable;

/// What stands for the account that is answered.
pub const AUTHOR: &str = "{author}";
/// What stands for the case.
pub const REFERENCE: &str = "{reference}";

/// The texts of a template for an account and a case.
pub fn rendered(template: &str, author: &str, reference: &str) -> String {
    // The account last: what it calls itself is not looked through.
    template.replace(REFERENCE, reference).replace(AUTHOR, author)
}

/// A brace of a template that is of no placeholder; none where there is none.
pub fn stray_brace(template: &str) -> Option<char> {
    let rest = template.replace(AUTHOR, "").replace(REFERENCE, "");
    rest.chars().find(|c| matches!(c, '{' | '}'))
}

/// How long networks say that a text is: a Chinese character counts two.
pub fn length(text: &str) -> usize {
    text.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum()
}

/// Characters as wide as Chinese ones: these, their punctuation, and full-width letters.
fn is_wide(c: char) -> bool {
    is_syllable(c) || matches!(c, '\u{3000}'..='\u{303f}' | '\u{ff01}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}')
}
