//! Signatures as GitHub, Meta and many others make them: HMAC-SHA-256 of the body, in the header
//! `X-Hub-Signature-256`. They say nothing of when, so whoever has one can send it again.
//!
//! Before it delivers, Meta asks whether it is to, with a token that it was given (`hub.verify_token`,
//! as in WebSub): [`verify_token`] makes one of the secret.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Header with the signature.
pub const HUB_SIGNATURE: &str = "x-hub-signature-256";
/// What a signature begins with.
const PREFIX: &str = "sha256=";
/// What the key of tokens is made of, beside the secret: a token tells nothing of a signature.
const TOKENS: &[u8] = b"redress.webhook.verify_token.1";

/// The signature of a body, as its header has it.
pub fn sign(secret: &[u8], body: &[u8]) -> String {
    PREFIX.to_owned() + &digits(mac(secret, body))
}

/// Whether a body was signed by who has one of some secrets. Takes as long for a wrong
/// signature as for a right one.
pub fn verify<'a>(secrets: impl IntoIterator<Item = &'a [u8]>, body: &[u8], header: &str) -> bool {
    // What is no code is held against the secrets all the same.
    let code = header.strip_prefix(PREFIX).and_then(decoded).unwrap_or_default();
    let matches = |secret: &&[u8]| mac(secret, body).verify_slice(&code).is_ok();
    secrets.into_iter().filter(matches).count() > 0
}

/// What another system is given to ask with whether it is to deliver to a webhook: 64 hexadecimal
/// digits, made of the secret and of which webhook it is.
pub fn verify_token(secret: &[u8], webhook: &str) -> String {
    digits(token(secret, webhook))
}

/// Whether a token was made so, with one of some secrets. Takes as long for a wrong one as for a
/// right one.
pub fn is_verify_token<'a>(secrets: impl IntoIterator<Item = &'a [u8]>, webhook: &str, given: &str) -> bool {
    let code = decoded(given).unwrap_or_default();
    let matches = |secret: &&[u8]| token(secret, webhook).verify_slice(&code).is_ok();
    secrets.into_iter().filter(matches).count() > 0
}

fn token(secret: &[u8], webhook: &str) -> Hmac<Sha256> {
    mac(&mac(secret, TOKENS).finalize().into_bytes(), webhook.as_bytes())
}

fn digits(mac: Hmac<Sha256>) -> String {
    mac.finalize().into_bytes().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn mac(secret: &[u8], body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("any length");
    mac.update(body);
    mac
}

/// The bytes of hexadecimal digits.
fn decoded(digits: &str) -> Option<Vec<u8>> {
    let is_hex = digits.len().is_multiple_of(2) && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let pair = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    if is_hex { (0..digits.len()).step_by(2).map(pair).collect() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_of_the_documentation_of_github() {
        let (secret, body) = (b"It's a Secret to Everybody", b"Hello, World!");
        let known = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        assert_eq!(sign(secret, body), known);
        assert!(verify([secret.as_slice()], body, known));
        assert!(verify([b"other".as_slice(), secret], body, known), "while a secret is changed");
        assert!(!verify([b"other".as_slice()], body, known));
        assert!(!verify([secret.as_slice()], b"Hello, World", known));
        assert!(!verify([], body, known));
        for wrong in ["", "sha256=", &known[7..], &known[..70], "sha1=757107ea", "sha256=zz", "sha256=é0"] {
            assert!(!verify([secret.as_slice()], body, wrong), "{wrong}");
        }
    }
    #[test]
    fn a_token_is_good_for_its_webhook_and_its_secret_alone() {
        let (secret, other) = (b"It's a Secret to Everybody".as_slice(), b"other".as_slice());
        let token = verify_token(secret, "acme/page");
        assert_eq!(token.len(), 64);
        assert!(is_verify_token([secret], "acme/page", &token));
        assert!(is_verify_token([secret], "acme/page", &token.to_uppercase()));
        assert!(is_verify_token([other, secret], "acme/page", &token), "while a secret is changed");
        assert!(!is_verify_token([other], "acme/page", &token));
        assert!(!is_verify_token([secret], "acme/pages", &token));
        assert!(!is_verify_token([], "acme/page", &token));
        for wrong in ["", &token[1..], &token[2..], &format!("{token}00"), "é0"] {
            assert!(!is_verify_token([secret], "acme/page", wrong), "{wrong}");
        }
        // Whoever has it cannot sign with it.
        assert!(!verify([secret], b"acme/page", &format!("sha256={token}")));
        assert!(!verify([secret], TOKENS, &format!("sha256={token}")));
    }
}
