//! How deep, long and costly a condition may be: found by looking at its characters
//! once, before a parser that calls itself reads it. What is accepted does not depend on
//! the stack of a thread, nor on how the code was compiled.

use super::Wrong;

/// Deepest nesting of parentheses, brackets, braces and choices (`? :`).
pub const MAX_NESTING: usize = 24;
/// Most operators, calls and fields of a condition.
pub const MAX_OPERATORS: usize = 250;
/// Most facts of a condition, once choices and equalities are written out.
pub const MAX_FACTS: usize = 1_000;
/// Stack of the thread that reads conditions: some ten times of what the deepest that is
/// allowed takes without optimisation.
pub const PARSER_STACK: usize = 64 << 20;

/// Refuses what is too deep or too long to be read.
///
/// # Errors
///
/// It is nested too deep, has too many operators, or a doubled sign.
pub fn check(source: &str) -> Result<(), Wrong> {
    let mut scan =
        Scan { rest: source, depth: 0, choices: vec![0], operators: 0, sign: None, doubled: false };
    while scan.step() {
        if scan.depth > MAX_NESTING {
            return Err(format!("is nested deeper than {MAX_NESTING}"));
        }
        if scan.operators > MAX_OPERATORS {
            return Err(format!("has more than {MAX_OPERATORS} operators"));
        }
        if scan.doubled {
            return Err("has a doubled sign: two of ! or - are none".to_owned());
        }
    }
    Ok(())
}

struct Scan<'a> {
    rest: &'a str,
    /// Brackets and choices that are open.
    depth: usize,
    /// Choices begun within each open bracket: each lies in the one before.
    choices: Vec<usize>,
    operators: usize,
    /// The sign that a value may follow.
    sign: Option<char>,
    /// Whether such a sign follows itself: the parser (cel 0.13) takes two for one, and
    /// reads what follows twice.
    doubled: bool,
}

impl Scan<'_> {
    /// Takes one token, or a character of one; false at the end.
    fn step(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else { return false };
        if first.is_whitespace() || self.rest.starts_with("//") {
            self.gap(first);
            return true;
        }
        let before = self.sign.take();
        if first == '"' || first == '\'' {
            self.text(false);
        } else if first.is_alphanumeric() || first == '_' {
            self.word();
        } else {
            self.sign =
                Some(first).filter(|first| matches!(first, '!' | '-') && !self.rest.starts_with("!="));
            self.doubled |= self.sign.is_some() && self.sign == before;
            self.sign(first);
        }
        true
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    /// White space, or a comment up to the end of its line.
    fn gap(&mut self, first: char) {
        let comment = self.rest.find('\n').unwrap_or(self.rest.len());
        self.skip(if first == '/' { comment } else { first.len_utf8() });
    }

    /// A name, number or keyword; `r'..'` and `b'..'` are texts.
    fn word(&mut self) {
        let end = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        if word == "in" {
            self.operators += 1;
        }
        let is_prefix = matches!(word.to_ascii_lowercase().as_str(), "r" | "b" | "br");
        if is_prefix && rest.starts_with(['"', '\'']) {
            self.text(word.contains(['r', 'R']));
        }
    }

    fn text(&mut self, raw: bool) {
        let quote = if self.rest.starts_with('"') { "\"" } else { "'" };
        let triple = quote.repeat(3);
        let end = if self.rest.starts_with(&triple) { triple } else { quote.to_owned() };
        self.skip(end.len());
        while !self.rest.is_empty() && !self.rest.starts_with(&end) {
            let escapes = !raw && self.rest.starts_with('\\');
            let characters = if escapes { 2 } else { 1 };
            let bytes = self.rest.chars().take(characters).map(char::len_utf8).sum();
            self.skip(bytes);
        }
        self.skip(end.len());
    }

    fn sign(&mut self, first: char) {
        match first {
            '(' | '[' | '{' => {
                self.depth += 1;
                self.choices.push(0);
                self.operators += 1;
            }
            ')' | ']' | '}' if self.choices.len() > 1 => {
                let begun = self.choices.pop().unwrap_or_default();
                self.depth = self.depth.saturating_sub(1 + begun);
            }
            '?' => {
                self.depth += 1;
                self.operators += 1;
                if let Some(begun) = self.choices.last_mut() {
                    *begun += 1;
                }
            }
            '.' | '!' | '-' | '+' | '*' | '%' | '/' | '<' | '>' | '=' | '&' | '|' => {
                self.operators += 1;
                // Signs of two characters are one operator.
                let second = self.rest[1..].chars().next();
                if matches!(
                    (first, second),
                    ('<' | '>' | '=' | '!', Some('=')) | ('&', Some('&')) | ('|', Some('|'))
                ) {
                    self.skip(1);
                }
            }
            _ => {}
        }
        self.skip(first.len_utf8());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(depth: usize) -> String {
        format!("{}true{}", "(".repeat(depth), ")".repeat(depth))
    }

    #[test]
    fn a_condition_may_be_so_deep_and_so_long_and_no_more() {
        let chain = |count: usize| format!("surge{}", " || surge".repeat(count));
        let choices = |count: usize| format!("{}surge", "surge ? surge : ".repeat(count));
        for (most, make) in [
            (MAX_NESTING, &nested as &dyn Fn(usize) -> String),
            (MAX_OPERATORS, &chain),
            (MAX_NESTING, &choices),
            (MAX_OPERATORS, &|count| format!("surge{}", ".a".repeat(count))),
            (MAX_OPERATORS, &|count| format!("surge{}", " in surge".repeat(count))),
            (MAX_NESTING, &|count| format!("surge{}", "[surge".repeat(count))),
        ] {
            assert_eq!(check(&make(most)), Ok(()), "{}", make(most));
            assert!(check(&make(most + 1)).is_err(), "{}", make(most + 1));
        }
    }

    #[test]
    fn a_doubled_operator_in_an_expression_is_refused() {
        for doubled in ["!!surge", "! !surge", "reach > --7", "reach > - // no\n -7"] {
            assert!(check(doubled).is_err_and(|wrong| wrong.contains("doubled")), "{doubled}");
        }
        for once in ["!surge", "!(!surge)", "reach > -7", "surge != !surge", "'!!' == '--'"] {
            assert_eq!(check(once), Ok(()), "{once}");
        }
    }

    #[test]
    fn what_stands_in_texts_and_comments_is_not_counted() {
        let deep = "(".repeat(MAX_NESTING + 1);
        for source in [
            format!("text.contains('{deep}')"),
            format!("text.contains(\"\\\"{deep}\")"),
            format!("text.contains(r'\\') || text.contains('''{deep}'{deep}''')"),
            format!("text.contains(b'{deep}')"),
            format!("surge // {deep}\n|| surge"),
        ] {
            assert_eq!(check(&source), Ok(()), "{source}");
        }
        // A raw text ends at its first quote: what follows is no text.
        assert!(check(&format!("text.contains(r'\\' + {deep}')")).is_err());
        assert!(check(&format!("'' + {deep}")).is_err());
    }
}
