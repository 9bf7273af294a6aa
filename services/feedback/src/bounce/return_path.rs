//! The address that what comes back of a notice's mail is sent to: it names the mail, and is
//! signed, so that nobody can make one up for the notice of somebody else.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use kernel::NoticeId;
use sha2::Sha256;
use uuid::Uuid;

use super::Sent;

/// Fewest characters of a key.
const MIN_KEY: usize = 32;
/// Base32 (RFC 4648) in lower case: mail servers may change the case of an address.
const SYMBOLS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// Bytes of a notice's id, of the number of its sending, and of the signature.
const PARTS: (usize, usize, usize) = (16, 1, 10);
const BYTES: usize = PARTS.0 + PARTS.1 + PARTS.2;
/// Characters of what stands between `+` and `@`.
const TOKEN: usize = (BYTES * 8).div_ceil(5);
/// Most characters of an address before `@` (RFC 5321, 4.5.3.1.1).
const MAX_LOCAL: usize = 64;

/// Makes and reads the return addresses of mails.
#[derive(Clone)]
pub struct ReturnPath {
    local: String,
    domain: String,
    /// The first signs; the others are still read.
    keys: Vec<Vec<u8>>,
}

/// What an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The return address of a mail.
    Ours(Sent),
    /// Made as one, and not signed by us.
    Forged,
    /// Another address.
    Other,
}

impl fmt::Debug for ReturnPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReturnPath({}+…@{})", self.local, self.domain)
    }
}

impl ReturnPath {
    /// Return addresses at a mailbox, signed with the first of these keys, which a comma
    /// parts. None where it is no address that one more name fits in, or a key is short.
    pub fn new(mailbox: &str, keys: &str) -> Option<Self> {
        let address: lettre::Address = mailbox.parse().ok()?;
        let (local, domain) = (address.user(), address.domain());
        let keys: Vec<Vec<u8>> = keys.split(',').map(|key| key.trim().as_bytes().to_vec()).collect();
        let is_fit = local.len() + 1 + TOKEN <= MAX_LOCAL && !local.contains(['+', '"']);
        (is_fit && keys.iter().all(|key| key.len() >= MIN_KEY)).then(|| Self {
            local: local.to_ascii_lowercase(),
            domain: domain.to_ascii_lowercase(),
            keys,
        })
    }

    /// The address that what comes back of a mail is sent to; none of one that was sent more
    /// often than is allowed.
    pub fn address(&self, sent: Sent) -> Option<String> {
        let mut token = named(sent)?;
        let signature = signature(self.keys.first()?, &token);
        token.extend(signature);
        Some(format!("{}+{}@{}", self.local, encode(&token), self.domain))
    }

    /// What an address is.
    pub fn read(&self, address: &str) -> Reading {
        let Some((local, domain)) = address.trim().rsplit_once('@') else { return Reading::Other };
        let Some((mailbox, token)) = local.split_once('+') else { return Reading::Other };
        if !mailbox.eq_ignore_ascii_case(&self.local) || !domain.eq_ignore_ascii_case(&self.domain) {
            return Reading::Other;
        }
        self.verified(token).map_or(Reading::Forged, Reading::Ours)
    }

    fn verified(&self, token: &str) -> Option<Sent> {
        let bytes = decode(token)?;
        let (named, signed) = bytes.split_at_checked(PARTS.0 + PARTS.1)?;
        // All are tried, whichever fits: how long it takes tells nothing.
        let fits = self.keys.iter().filter(|key| verifies(key, named, signed)).count() > 0;
        let (id, sending) = named.split_at_checked(PARTS.0)?;
        let notice = NoticeId(Uuid::from_slice(id).ok()?);
        fits.then(|| Sent { notice, sending: sending.first().copied().unwrap_or(0).into() })
    }
}

fn named(sent: Sent) -> Option<Vec<u8>> {
    let mut named = sent.notice.0.as_bytes().to_vec();
    named.push(u8::try_from(sent.sending).ok()?);
    Some(named)
}

fn mac(key: &[u8], named: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(b"return path");
    mac.update(named);
    Some(mac)
}

fn signature(key: &[u8], named: &[u8]) -> Vec<u8> {
    let full = mac(key, named).map(|mac| mac.finalize().into_bytes().to_vec()).unwrap_or_default();
    full.into_iter().take(PARTS.2).collect()
}

fn verifies(key: &[u8], named: &[u8], signed: &[u8]) -> bool {
    signed.len() == PARTS.2 && mac(key, named).is_some_and(|mac| mac.verify_truncated_left(signed).is_ok())
}

fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(TOKEN);
    let (mut held, mut bits) = (0_u32, 0);
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(SYMBOLS[(held >> bits & 31) as usize]));
        }
    }
    if bits > 0 {
        text.push(char::from(SYMBOLS[(held << (5 - bits) & 31) as usize]));
    }
    text
}

/// The bytes of a token; none of what [`encode`] has not made.
fn decode(token: &str) -> Option<Vec<u8>> {
    if token.len() != TOKEN {
        return None;
    }
    let mut bytes = Vec::with_capacity(BYTES);
    let (mut held, mut bits) = (0_u32, 0);
    for symbol in token.bytes() {
        let value = SYMBOLS.iter().position(|known| *known == symbol.to_ascii_lowercase())?;
        held = held << 5 | u32::try_from(value).ok()?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits & 255).ok()?);
        }
    }
    (encode(&bytes).eq_ignore_ascii_case(token)).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";
    const OTHER: &str = "fedcba9876543210fedcba9876543210";

    fn path(keys: &str) -> ReturnPath {
        ReturnPath::new("Bounces@Example.org", keys).unwrap()
    }

    fn sent(id: u128, sending: i32) -> Sent {
        Sent { notice: NoticeId(Uuid::from_u128(id)), sending }
    }

    proptest! {
        #[test]
        fn an_address_reads_back_in_any_case_and_is_short_enough(id in any::<u128>(), sending in 1..=255_i32) {
            let address = path(KEY).address(sent(id, sending)).unwrap();
            prop_assert!(address.split_once('@').unwrap().0.len() <= MAX_LOCAL, "{}", address);
            prop_assert!(address.parse::<lettre::Address>().is_ok(), "{}", address);
            for address in [address.clone(), address.to_ascii_uppercase(), format!(" {address} ")] {
                prop_assert_eq!(path(KEY).read(&address), Reading::Ours(sent(id, sending)));
            }
        }

        #[test]
        fn whatever_is_changed_in_it_is_found_out(id in any::<u128>(), place in 0..TOKEN, other in 1..32_usize) {
            let address = path(KEY).address(sent(id, 1)).unwrap();
            let mut bytes = address.into_bytes();
            let place = "bounces+".len() + place;
            let known = SYMBOLS.iter().position(|symbol| *symbol == bytes[place]).unwrap();
            bytes[place] = SYMBOLS[(known + other) % 32];
            prop_assert_eq!(path(KEY).read(&String::from_utf8(bytes).unwrap()), Reading::Forged);
        }

        #[test]
        fn any_text_can_be_read(text in any::<String>(), token in "[a-z2-7+@]{0,60}") {
            prop_assert_eq!(path(KEY).read(&text), Reading::Other);
            let read = path(KEY).read(&format!("bounces+{token}@example.org"));
            prop_assert!(!matches!(read, Reading::Ours(_)));
        }
    }

    #[test]
    fn a_key_that_was_changed_is_still_read_and_a_strange_one_is_not() {
        let before = path(KEY).address(sent(7, 2)).unwrap();
        assert_eq!(path(&format!("{OTHER},{KEY}")).read(&before), Reading::Ours(sent(7, 2)));
        assert_eq!(path(OTHER).read(&before), Reading::Forged);
        assert_ne!(path(&format!("{OTHER}, {KEY}")).address(sent(7, 2)), Some(before));
    }

    #[test]
    fn a_mailbox_without_room_or_a_short_key_is_refused() {
        for (mailbox, keys) in [
            ("nobody", KEY),
            ("bounces+x@example.org", KEY),
            ("a-mailbox-with-a-name-too-long@example.org", KEY),
            ("bounces@example.org", "short"),
            ("bounces@example.org", ""),
            ("bounces@example.org", "0123456789abcdef0123456789abcdef,"),
        ] {
            assert!(ReturnPath::new(mailbox, keys).is_none(), "{mailbox} {keys}");
        }
    }

    #[test]
    fn other_mailboxes_are_no_return_addresses() {
        let token = path(KEY).address(sent(1, 1)).unwrap();
        for address in ["bounces@example.org", "ada+x@example.org", "", &token.replace(".org", ".com")] {
            assert_eq!(path(KEY).read(address), Reading::Other, "{address}");
        }
    }
}
