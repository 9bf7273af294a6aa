//! People as they are named: by the subject they sign in as, by their name, by what a
//! complainant wrote of them.

/// A name as names are compared: whatever the letter case and the spaces.
pub fn folded(name: &str) -> String {
    let words: Vec<&str> = name.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

/// Whether two names are of one person; nobody is the same as nobody.
pub fn is_same(one: &str, other: &str) -> bool {
    let one = folded(one);
    !one.is_empty() && one == folded(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_in_case_and_spaces_are_one_person() {
        assert!(is_same(" Ann  LEE ", "ann lee"));
        assert!(is_same("ÄNNE", "änne"));
        assert!(is_same("王\u{3000}芳", "王 芳"));
        assert!(!is_same("ann", "ann lee"));
        assert!(!is_same("", " "));
    }
}
