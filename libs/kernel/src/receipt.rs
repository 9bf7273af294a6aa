//! The code a complainant keeps: 100 secret bits in Crockford's base32 and a
//! check character that catches every single slip of the pen.
//!
//! A code is derived from a secret key and the complaint's id, so the answer to
//! a repeated submission is the same code although only its hash is stored.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use uuid::Uuid;

const SYMBOLS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Crockford's check symbols: the 32, and five that stand only there.
const CHECK_SYMBOLS: &[u8; 37] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U";
/// Secret characters: 20 × 5 bits.
const SECRET_LENGTH: usize = 20;
const GROUP: usize = 5;

/// The key codes are derived from.
#[derive(Clone)]
pub struct ReceiptKey(Vec<u8>);

impl ReceiptKey {
    /// Fewest bytes of a key.
    pub const MIN_LENGTH: usize = 16;

    /// Takes a key; none if it is too short to be secret.
    pub fn new(key: &[u8]) -> Option<Self> {
        (key.len() >= Self::MIN_LENGTH).then(|| Self(key.to_vec()))
    }

    /// Signs a message for a purpose; for another purpose it is another signature.
    pub fn sign(&self, purpose: &str, message: &[u8]) -> [u8; SIGNATURE_LENGTH] {
        self.signing(purpose, message).finalize().into_bytes().into()
    }

    /// Whether this key has signed a message for a purpose; takes as long if not.
    pub fn has_signed(&self, purpose: &str, message: &[u8], signature: &[u8]) -> bool {
        self.signing(purpose, message).verify_slice(signature).is_ok()
    }

    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    fn signing(&self, purpose: &str, message: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("any length");
        // Nothing that a receipt code is derived from begins so.
        mac.update(b"signed for ");
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(message);
        mac
    }
}

/// Bytes of a signature.
pub const SIGNATURE_LENGTH: usize = 32;

impl fmt::Debug for ReceiptKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReceiptKey(secret)")
    }
}

/// A receipt code in its normal form: upper case, no separators, check character
/// last.
#[derive(Clone, PartialEq, Eq)]
pub struct ReceiptCode(String);

impl ReceiptCode {
    /// The code of a complaint.
    #[expect(clippy::missing_panics_doc, clippy::expect_used, reason = "HMAC takes keys of any length")]
    pub fn derive(key: &ReceiptKey, complaint: Uuid) -> Self {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key.0).expect("any length");
        mac.update(b"receipt code");
        mac.update(complaint.as_bytes());
        let digest = mac.finalize().into_bytes();
        let bits = digest.iter().take(16).fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
        let mut code: String = (0..SECRET_LENGTH)
            .map(|place| char::from(SYMBOLS[(bits >> (place * 5) & 31) as usize]))
            .collect();
        code.push(check(&code));
        Self(code)
    }

    /// Reads a code as people write it: any letter case, `O` for `0`, `I` and `L`
    /// for `1`, spaces and dashes anywhere. None if it cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        let code: String = text
            .chars()
            .filter(|c| !matches!(c, ' ' | '-'))
            .map(|c| match c.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                c => c,
            })
            .collect();
        let (secret, last) = code.split_at_checked(SECRET_LENGTH)?;
        let known = secret.bytes().all(|b| SYMBOLS.contains(&b));
        (known && last == check(secret).to_string()).then_some(Self(code))
    }

    /// What is stored and looked up in its stead.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

/// In groups of five, as it is printed on letters.
impl fmt::Display for ReceiptCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, symbol) in self.0.chars().enumerate() {
            if place > 0 && place % GROUP == 0 {
                f.write_str("-")?;
            }
            write!(f, "{symbol}")?;
        }
        Ok(())
    }
}

/// A code is a secret: logs get none of it.
impl fmt::Debug for ReceiptCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReceiptCode(secret)")
    }
}

/// The number the symbols spell, modulo 37, as a check symbol.
fn check(secret: &str) -> char {
    let modulus = CHECK_SYMBOLS.len();
    let value = secret.bytes().fold(0, |value, symbol| {
        let digit = SYMBOLS.iter().position(|known| *known == symbol).unwrap_or(0);
        (value * 32 + digit) % modulus
    });
    char::from(CHECK_SYMBOLS[value])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn code(complaint: u128) -> ReceiptCode {
        ReceiptCode::derive(&ReceiptKey(vec![7; 32]), Uuid::from_u128(complaint))
    }

    proptest! {
        #[test]
        fn a_receipt_code_however_typed_reads_back(complaint in any::<u128>()) {
            let code = code(complaint);
            prop_assert_eq!(ReceiptCode::parse(&code.to_string()), Some(code.clone()));
            let sloppy = code.to_string().to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
            prop_assert_eq!(ReceiptCode::parse(&sloppy), Some(code));
        }

        #[test]
        fn every_single_slip_is_caught(complaint in any::<u128>(), place in 0..SECRET_LENGTH, slip in 1..32_usize) {
            let mut symbols: Vec<u8> = code(complaint).0.into_bytes();
            let digit = SYMBOLS.iter().position(|known| *known == symbols[place]).unwrap_or(0);
            symbols[place] = SYMBOLS[(digit + slip) % 32];
            prop_assert_eq!(ReceiptCode::parse(&String::from_utf8_lossy(&symbols)), None);
        }

        #[test]
        fn what_people_type_never_panics(text in "\\PC{0,60}") {
            let _ = ReceiptCode::parse(&text);
        }
    }

    #[test]
    fn another_key_gives_another_code() {
        let other = ReceiptCode::derive(&ReceiptKey(vec![8; 32]), Uuid::from_u128(1));
        assert_ne!(other, code(1));
        assert_ne!(other.hash(), code(1).hash());
        assert!(ReceiptKey::new(b"short").is_none());
    }
}
