//! Signatures as GitHub, Meta and many others make them: HMAC-SHA-256 of the body, in the header
//! `X-Hub-Signature-256`. They say nothing of when, so whoever has one can send it again.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Header with the signature.
pub const HUB_SIGNATURE: &str = "x-hub-signature-256";
/// What a signature begins with.
const PREFIX: &str = "sha256=";

/// The signature of a body, as its header has it.
pub fn sign(secret: &[u8], body: &[u8]) -> String {
    let code = mac(secret, body).finalize().into_bytes();
    code.iter().fold(PREFIX.to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

/// Whether a body was signed by who has one of some secrets. Takes as long for a wrong
/// signature as for a right one.
pub fn verify<'a>(secrets: impl IntoIterator<Item = &'a [u8]>, body: &[u8], header: &str) -> bool {
    // What is no code is held against the secrets all the same.
    let code = header.strip_prefix(PREFIX).and_then(decoded).unwrap_or_default();
    let matches = |secret: &&[u8]| mac(secret, body).verify_slice(&code).is_ok();
    secrets.into_iter().filter(matches).count() > 0
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
}
