//! Cuts a filter into tokens.

use super::Problem;
use super::syntax::{Operator, Value};

/// A piece of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// `(`
    Open,
    /// `)`
    Close,
    /// `AND`
    And,
    /// `OR`
    Or,
    /// `NOT`, or `-` before what it belongs to
    Not,
    /// A comparison.
    Operator(Operator),
    /// A word or a text in quotation marks.
    Value(Value),
}

/// The tokens of a filter, each with its place, and what is none.
pub(super) fn scan(text: &str) -> (Vec<(usize, Token)>, Vec<Problem>) {
    let mut scanner = Scanner { rest: text, at: 1, tokens: Vec::new(), problems: Vec::new() };
    while scanner.next() {}
    (scanner.tokens, scanner.problems)
}

struct Scanner<'a> {
    rest: &'a str,
    at: usize,
    tokens: Vec<(usize, Token)>,
    problems: Vec<Problem>,
}

impl Scanner<'_> {
    /// Takes one token; false at the end.
    fn next(&mut self) -> bool {
        let gap = self.rest.len() - self.rest.trim_start().len();
        self.skip(gap);
        let Some(first) = self.rest.chars().next() else {
            return false;
        };
        let at = self.at;
        let operator = Operator::ALL.into_iter().find(|operator| self.rest.starts_with(operator.sign()));
        if let Some(operator) = operator {
            self.skip(operator.sign().len());
            self.tokens.push((at, Token::Operator(operator)));
            return true;
        }
        match first {
            '(' => self.sign(Token::Open),
            ')' => self.sign(Token::Close),
            '-' if !self.is_argument() => self.sign(Token::Not),
            '"' | '\'' => self.quoted(first),
            _ => self.word(),
        }
        true
    }

    /// Whether a value to compare with stands here: it may look like a time.
    fn is_argument(&self) -> bool {
        matches!(self.tokens.last(), Some((_, Token::Operator(_))))
    }

    fn skip(&mut self, bytes: usize) {
        let (skipped, rest) = self.rest.split_at(bytes);
        self.at += skipped.chars().count();
        self.rest = rest;
    }

    fn sign(&mut self, token: Token) {
        self.tokens.push((self.at, token));
        self.skip(1);
    }

    fn quoted(&mut self, mark: char) {
        let at = self.at;
        let mut text = String::new();
        let mut characters = self.rest.char_indices().skip(1);
        while let Some((place, c)) = characters.next() {
            if c == mark {
                self.skip(place + 1);
                self.tokens.push((at, Token::Value(Value { at, text, quoted: true })));
                return;
            }
            match c {
                '\\' => text.extend(characters.next().map(|(_, escaped)| escaped)),
                c => text.push(c),
            }
        }
        self.problems.push(Problem::new(at, format!("the text that begins here does not end with {mark}")));
        self.skip(self.rest.len());
    }

    fn word(&mut self) {
        let (at, argument) = (self.at, self.is_argument());
        let ends = |c: char| {
            c.is_whitespace()
                || matches!(c, '(' | ')' | '"' | '\'' | '=' | '<' | '>' | '!')
                || c == ':' && !argument
        };
        // A stray sign is a word too: it will be no field and no value.
        let length =
            self.rest.char_indices().skip(1).find(|(_, c)| ends(*c)).map_or(self.rest.len(), |(at, _)| at);
        let text = self.rest[..length].to_owned();
        self.skip(length);
        let token = match text.as_str() {
            "AND" => Token::And,
            "OR" => Token::Or,
            "NOT" => Token::Not,
            _ => Token::Value(Value { at, text, quoted: false }),
        };
        self.tokens.push((at, token));
    }
}
