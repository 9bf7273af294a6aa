//! The token every form carries, so that nobody else's page can send it in a person's name.
//!
//! It is signed over the session's id and a number that is new on each page: within an answer
//! that is compressed nothing secret stands twice alike.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::seal::{Seals, random_id};

/// Between the number and its signature.
const DOT: char = '.';
/// Before what is signed: a token is good for nothing else.
const PURPOSE: &str = "form";

/// A token for the forms of a session.
pub(crate) fn new(seals: &Seals, session: &str) -> Option<String> {
    let number = random_id().ok()?;
    let signature = seals.sign(text(session, &number).as_bytes())?;
    Some(format!("{number}{DOT}{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
}

/// Whether a token is of this session.
pub(crate) fn is_of(seals: &Seals, session: &str, token: &str) -> bool {
    let Some((number, signature)) = token.split_once(DOT) else { return false };
    let Ok(signature) = BASE64_URL_SAFE_NO_PAD.decode(signature) else { return false };
    seals.is_signed(text(session, number).as_bytes(), &signature)
}

fn text(session: &str, number: &str) -> String {
    format!("{PURPOSE} {session} {number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_its_session_only() {
        let seals = Seals::of(&[]).unwrap();
        let token = new(&seals, "one").unwrap();
        assert!(is_of(&seals, "one", &token));
        assert!(!is_of(&seals, "other", &token));
        assert!(!is_of(&Seals::of(&[]).unwrap(), "one", &token));
        for odd in ["", ".", "a.b", &token[1..], &token[..token.len() - 2]] {
            assert!(!is_of(&seals, "one", odd), "{odd}");
        }
        assert_ne!(new(&seals, "one").unwrap(), token);
    }
}
