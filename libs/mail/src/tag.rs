//! How an answer finds its case: by a token that the suite has signed, in the address that is
//! answered to or in a message id that is referred to. The subject, which anybody can write,
//! is not asked.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use uuid::Uuid;

use crate::Mail;

/// Fewest bytes of a secret.
pub const MIN_SECRET: usize = 16;
/// Characters of a token: fewer than are left of an address before `@` for any mailbox of
/// up to twenty.
pub const TOKEN: usize = 1 + (BYTES * 8).div_ceil(5);
/// Most tokens that are looked at in a mail: each costs a signature.
pub const MAX_CANDIDATES: usize = 50;

/// What a token begins with: how the rest is made.
const VERSION: u8 = b'c';
/// What is signed begins with it, so that no other signature of this secret is one.
const PURPOSE: &[u8] = b"complaint of a mail, c";
/// Base32 (RFC 4648) in lower case: mail servers may change the case of an address.
const SYMBOLS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// Bytes of an id, and of its signature: 80 bits.
const ID: usize = 16;
const SIGNATURE: usize = 10;
const BYTES: usize = ID + SIGNATURE;
/// Most octets of an address before `@` (RFC 5321, 4.5.3.1.1).
const MAX_LOCAL: usize = 64;
/// What stands behind a token in a message id.
const THREAD: &str = ".case@redress";

/// Makes tokens, and reads those it has made.
#[derive(Clone)]
pub struct TagKey(Hmac<Sha256>);

impl fmt::Debug for TagKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TagKey(…)")
    }
}

impl TagKey {
    /// Of a secret; none if it is shorter than [`MIN_SECRET`] bytes.
    pub fn new(secret: &[u8]) -> Option<Self> {
        if secret.len() < MIN_SECRET {
            return None;
        }
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
        mac.update(PURPOSE);
        Some(Self(mac))
    }

    /// The token of a complaint: [`TOKEN`] lower-case letters and digits, always the same.
    pub fn token(&self, complaint_id: Uuid) -> String {
        let id = complaint_id.as_bytes();
        let signature = self.mac(id).finalize().into_bytes();
        let bytes: Vec<u8> = id.iter().chain(signature.iter().take(SIGNATURE)).copied().collect();
        encode(&bytes)
    }

    /// The complaint of a token in any case of letters; none of one that this key has not
    /// made. How long it takes does not tell how much of it was right.
    pub fn complaint(&self, token: &str) -> Option<Uuid> {
        let bytes = decode(token)?;
        let (id, signature) = bytes.split_at_checked(ID)?;
        let is_ours = signature.len() == SIGNATURE && self.mac(id).verify_truncated_left(signature).is_ok();
        is_ours.then(|| Uuid::from_slice(id).ok()).flatten()
    }

    fn mac(&self, id: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(id);
        mac
    }
}

fn encode(bytes: &[u8]) -> String {
    let mut token = String::with_capacity(TOKEN);
    token.push(char::from(VERSION));
    let (mut held, mut bits) = (0_u32, 0);
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            token.push(symbol(held >> bits));
        }
    }
    if bits > 0 {
        token.push(symbol(held << (5 - bits)));
    }
    token
}

fn symbol(bits: u32) -> char {
    SYMBOLS.get((bits & 31) as usize).copied().map_or('a', char::from)
}

/// The bytes of a token; none of what [`encode`] has not made.
fn decode(token: &str) -> Option<Vec<u8>> {
    let (version, symbols) = token.as_bytes().split_first()?;
    if token.len() != TOKEN || version.to_ascii_lowercase() != VERSION {
        return None;
    }
    let mut bytes = Vec::with_capacity(BYTES);
    let (mut held, mut bits) = (0_u32, 0);
    for symbol in symbols {
        let value = SYMBOLS.iter().position(|known| *known == symbol.to_ascii_lowercase())?;
        held = held << 5 | u32::try_from(value).ok()?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits & 255).ok()?);
        }
    }
    encode(&bytes).eq_ignore_ascii_case(token).then_some(bytes)
}

/// The address with a token: `complaints@shop.example` becomes
/// `complaints+TOKEN@shop.example`. None if it is no address, or becomes longer than mail
/// servers take.
pub fn tagged(address: &str, token: &str) -> Option<String> {
    let (local, domain) = address.trim().rsplit_once('@')?;
    let is_fit = !local.is_empty()
        && !domain.is_empty()
        && !local.starts_with('"')
        && !token.is_empty()
        && local.len() + 1 + token.len() <= MAX_LOCAL;
    is_fit.then(|| format!("{local}+{token}@{domain}"))
}

/// What stands behind the last `+` of an address before `@`; whether it is a token,
/// [`TagKey::complaint`] tells.
pub fn token_of_address(address: &str) -> Option<&str> {
    let (local, _) = address.trim().rsplit_once('@')?;
    let (_, token) = local.rsplit_once('+')?;
    is_plain(token).then_some(token)
}

/// The message id that every notice of a case refers to, without brackets: programs show
/// what refers to the same as one conversation, and an answer carries it back.
pub fn thread_id(token: &str) -> String {
    format!("{token}{THREAD}")
}

/// The token of a message id that [`thread_id`] has made, with brackets or without.
pub fn token_of_message_id(id: &str) -> Option<&str> {
    let id = id.trim().trim_start_matches('<').trim_end_matches('>');
    let at = id.len().checked_sub(THREAD.len())?;
    let (token, thread) = id.split_at_checked(at)?;
    (thread.eq_ignore_ascii_case(THREAD) && is_plain(token)).then_some(token)
}

fn is_plain(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// What may be tokens in a mail, the most telling first: of the addresses it was sent and
/// delivered to, of the mail it answers, of those it refers to from the newest on. At most
/// [`MAX_CANDIDATES`]; none is verified.
pub fn case_tokens(mail: &Mail) -> impl Iterator<Item = &str> {
    let named = mail.to.iter().chain(&mail.cc).map(|mailbox| mailbox.address.as_str());
    let addresses = named.chain(mail.delivered_to.iter().map(String::as_str));
    let ids = mail.in_reply_to.iter().chain(mail.references.iter().rev());
    addresses
        .filter_map(token_of_address)
        .chain(ids.filter_map(|id| token_of_message_id(id)))
        .take(MAX_CANDIDATES)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::limits::Limits;

    const SECRET: &[u8] = b"0123456789abcdef";

    fn key() -> TagKey {
        TagKey::new(SECRET).unwrap()
    }

    proptest! {
        #[test]
        fn a_token_reads_back_in_any_case(id in any::<u128>()) {
            let id = Uuid::from_u128(id);
            let token = key().token(id);
            prop_assert_eq!(token.len(), TOKEN);
            prop_assert!(token.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()), "{}", token);
            prop_assert_eq!(key().complaint(&token), Some(id));
            prop_assert_eq!(key().complaint(&token.to_ascii_uppercase()), Some(id));
            let address = tagged("Complaints@shop.example", &token).unwrap();
            prop_assert_eq!(token_of_address(&address), Some(token.as_str()));
            let thread = thread_id(&token);
            prop_assert_eq!(token_of_message_id(&thread), Some(token.as_str()));
            prop_assert!(crate::is_own(&thread));
        }

        #[test]
        fn any_changed_character_is_refused(id in any::<u128>(), place in 0..TOKEN, other in any::<char>()) {
            let token = key().token(Uuid::from_u128(id));
            let mut characters: Vec<char> = token.chars().collect();
            prop_assume!(characters[place] != other.to_ascii_lowercase());
            characters[place] = other;
            prop_assert_eq!(key().complaint(&characters.iter().collect::<String>()), None);
        }

        #[test]
        fn any_changed_symbol_is_refused(id in any::<u128>(), place in 1..TOKEN, other in 1..32_usize) {
            let mut token = key().token(Uuid::from_u128(id)).into_bytes();
            let known = SYMBOLS.iter().position(|symbol| *symbol == token[place]).unwrap();
            token[place] = SYMBOLS[(known + other) % 32];
            prop_assert_eq!(key().complaint(&String::from_utf8(token).unwrap()), None);
        }

        #[test]
        fn any_text_can_be_read(text in any::<String>()) {
            prop_assert_eq!(key().complaint(&text), None);
            let _ = (token_of_address(&text), token_of_message_id(&text), tagged(&text, &text));
        }
    }

    #[test]
    fn a_key_is_long_and_another_key_is_another() {
        assert!(TagKey::new(&SECRET[1..]).is_none());
        let token = key().token(Uuid::from_u128(7));
        assert_eq!(TagKey::new(b"fedcba9876543210").unwrap().complaint(&token), None);
        assert_eq!(format!("{:?}", key()), "TagKey(…)");
    }

    #[test]
    fn a_token_is_put_into_an_address_that_it_fits_in() {
        let token = key().token(Uuid::from_u128(7));
        assert_eq!(token.len(), 43);
        assert_eq!(tagged("a@b.example", "xyz").as_deref(), Some("a+xyz@b.example"));
        assert_eq!(tagged("a+b@b.example", "xyz").as_deref(), Some("a+b+xyz@b.example"));
        let fits = format!("{}@b.example", "a".repeat(20));
        assert_eq!(tagged(&fits, &token).unwrap().find('@'), Some(64));
        assert_eq!(tagged(&format!("a{fits}"), &token), None);
        assert_eq!(
            (tagged("nobody", "xyz"), tagged("@b.example", "xyz"), tagged("a@", "xyz")),
            (None, None, None)
        );
        assert_eq!(token_of_address("a+b+xyz@b.example"), Some("xyz"));
        assert_eq!((token_of_address("a@b+xyz.example"), token_of_address("a+@b.example")), (None, None));
        assert_eq!(token_of_message_id("<xyz.CASE@Redress>"), Some("xyz"));
        assert_eq!((token_of_message_id("xyz@redress"), token_of_message_id(".case@redress")), (None, None));
    }

    #[test]
    fn tokens_of_a_mail_come_in_the_order_of_what_they_tell() {
        let raw = "To: <s+a1@example.com>, <s@example.com>\nCc: s+b2@example.com\nDelivered-To: s+c3@example.com\n\
                   In-Reply-To: <d4.case@redress>\nReferences: <f6.case@redress> <x@example.com> <e5.case@redress>\n\nhello";
        let mail = crate::read(raw.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(case_tokens(&mail).collect::<Vec<&str>>(), ["a1", "b2", "c3", "d4", "e5", "f6"]);
        let many: Vec<String> = (0..90).map(|n| format!("s+t{n}@example.com")).collect();
        let many = many.join(", ");
        let mail = crate::read(format!("To: {many}\n\nhello").as_bytes(), &Limits::default()).unwrap();
        assert_eq!(case_tokens(&mail).count(), MAX_CANDIDATES);
    }
}
