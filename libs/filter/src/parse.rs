//! Reads a filter into what it says.
//!
//! ```text
//! expression  = sequence {"AND" sequence}
//! sequence    = factor {factor}             each of them, as with AND
//! factor      = term {"OR" term}            OR binds tighter than AND
//! term        = ["NOT" | "-"] simple
//! simple      = "(" expression ")" | value [operator value]
//! ```
//!
//! After a fault the reader goes on behind the next AND or OR.

use super::Problem;
use super::scan::{Token, scan};
use super::syntax::{Expression, Operator, Value};

/// Deepest nesting.
const MAX_DEPTH: usize = 32;

/// What a filter says, as far as it can be read, and what is wrong with it. An
/// empty filter says nothing.
pub(super) fn parse(text: &str) -> (Option<Expression>, Vec<Problem>) {
    let (tokens, problems) = scan(text);
    let mut parser =
        Parser { tokens: tokens.into_iter().peekable(), end: text.chars().count() + 1, depth: 0, problems };
    if parser.tokens.peek().is_none() {
        return (None, parser.problems);
    }
    let mut expression = parser.expression();
    while let Some((at, _)) = parser.tokens.next_if(|(_, token)| *token == Token::Close) {
        parser.fault(at, "this parenthesis closes nothing");
        let rest = parser.tokens.peek().is_some().then(|| parser.expression()).flatten();
        expression = several(expression.into_iter().chain(rest).collect(), Expression::All);
    }
    (expression, parser.problems)
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<(usize, Token)>>,
    /// Where the filter ends.
    end: usize,
    depth: usize,
    problems: Vec<Problem>,
}

/// One part as it is, several in a list.
fn several(mut parts: Vec<Expression>, list: fn(Vec<Expression>) -> Expression) -> Option<Expression> {
    if parts.len() > 1 { Some(list(parts)) } else { parts.pop() }
}

impl Parser {
    fn fault(&mut self, at: usize, text: impl Into<String>) {
        self.problems.push(Problem::new(at, text));
    }

    fn takes(&mut self, wanted: &Token) -> bool {
        self.tokens.next_if(|(_, token)| token == wanted).is_some()
    }

    fn expression(&mut self) -> Option<Expression> {
        let mut parts: Vec<Expression> = self.sequence().into_iter().collect();
        while self.takes(&Token::And) {
            parts.extend(self.sequence());
        }
        several(parts, Expression::All)
    }

    fn sequence(&mut self) -> Option<Expression> {
        let mut parts: Vec<Expression> = self.factor().into_iter().collect();
        while self.tokens.peek().is_some_and(|(_, token)| !matches!(token, Token::And | Token::Close)) {
            parts.extend(self.factor());
        }
        several(parts, Expression::All)
    }

    fn factor(&mut self) -> Option<Expression> {
        let mut parts: Vec<Expression> = self.term().into_iter().collect();
        while self.takes(&Token::Or) {
            parts.extend(self.term());
        }
        several(parts, Expression::Any)
    }

    fn term(&mut self) -> Option<Expression> {
        if self.takes(&Token::Not) {
            return self.simple().map(|part| Expression::Not(Box::new(part)));
        }
        self.simple()
    }

    fn simple(&mut self) -> Option<Expression> {
        match self.tokens.next() {
            Some((at, Token::Open)) => self.group(at),
            Some((_, Token::Value(value))) => match self.operator() {
                Some((at, operator)) => self.restriction(value, at, operator),
                None => Some(Expression::Words(value)),
            },
            Some((at, token)) => {
                self.fault(at, "a field or a word is expected here");
                if !matches!(token, Token::And | Token::Or) {
                    self.go_on();
                }
                None
            }
            None => {
                self.fault(self.end, "a field or a word is expected here");
                None
            }
        }
    }

    fn operator(&mut self) -> Option<(usize, Operator)> {
        match self.tokens.peek() {
            Some(&(at, Token::Operator(operator))) => {
                self.tokens.next();
                Some((at, operator))
            }
            _ => None,
        }
    }

    fn group(&mut self, at: usize) -> Option<Expression> {
        if self.depth == MAX_DEPTH {
            self.fault(at, format!("parentheses may be nested {MAX_DEPTH} deep"));
            self.tokens.by_ref().for_each(drop);
            return None;
        }
        self.depth += 1;
        let inner = self.expression();
        self.depth -= 1;
        if !self.takes(&Token::Close) {
            self.fault(at, "this parenthesis is not closed");
        }
        inner
    }

    fn restriction(&mut self, field: Value, at: usize, operator: Operator) -> Option<Expression> {
        if let Some((_, Token::Value(value))) =
            self.tokens.next_if(|(_, token)| matches!(token, Token::Value(_)))
        {
            return Some(Expression::Restriction { field, operator, value });
        }
        self.fault(at, "one value is expected behind this sign");
        self.go_on();
        None
    }

    /// Leaves out what cannot be understood behind a fault, groups as a whole.
    fn go_on(&mut self) {
        let mut depth = 0_usize;
        let goes_on = |token: &Token| matches!(token, Token::And | Token::Or | Token::Close);
        while let Some((_, token)) = self.tokens.next_if(|(_, token)| depth > 0 || !goes_on(token)) {
            match token {
                Token::Open => depth += 1,
                Token::Close => depth -= 1,
                _ => {}
            }
        }
    }
}
