//! Tokens by which one attachment can be fetched for a while by whoever has them: signed, and
//! kept nowhere.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use kernel::TenantId;
use kernel::receipt::{ReceiptKey, SIGNATURE_LENGTH};
use uuid::Uuid;

use crate::refusal::Refusal;

/// What tokens are signed for.
const PURPOSE: &str = "attachment download";
/// What a token begins with: another form gets another number.
const VERSION: u8 = 1;
/// Bytes of what is signed: version, id and end.
const TOLD: usize = 1 + 16 + 8;

/// A token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// The attachment it is for.
    pub(crate) id: Uuid,
    /// When it ends, in seconds since 1970.
    pub(crate) end: i64,
}

impl Token {
    /// As callers have it: signed for a tenant.
    pub(crate) fn signed(self, key: &ReceiptKey, tenant: &TenantId) -> String {
        let told = self.told();
        let signature = key.sign(PURPOSE, &bound(&told, tenant));
        URL_SAFE_NO_PAD.encode([told.as_slice(), &signature].concat())
    }

    /// Reads a token that was signed for a tenant, and has not ended.
    pub(crate) fn read(
        text: &str,
        key: &ReceiptKey,
        tenant: &TenantId,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let token = Self::believed(text, key, tenant).ok_or(Refusal::DownloadTokenUnknown)?;
        if now.as_second() < token.end { Ok(token) } else { Err(Refusal::DownloadTokenExpired) }
    }

    fn believed(text: &str, key: &ReceiptKey, tenant: &TenantId) -> Option<Self> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (told, signature) = bytes.split_at_checked(TOLD)?;
        if !key.has_signed(PURPOSE, &bound(told, tenant), signature) {
            return None;
        }
        let (version, rest) = told.split_first()?;
        let (id, end) = rest.split_at_checked(16)?;
        let token = Self { id: Uuid::from_slice(id).ok()?, end: i64::from_be_bytes(end.try_into().ok()?) };
        (*version == VERSION).then_some(token)
    }

    fn told(self) -> Vec<u8> {
        [&[VERSION][..], self.id.as_bytes(), &self.end.to_be_bytes()].concat()
    }
}

/// Characters of a token.
const MAX_TEXT: usize = (TOLD + SIGNATURE_LENGTH).div_ceil(3) * 4;

/// What is signed: what a token tells, and for whom.
fn bound(told: &[u8], tenant: &TenantId) -> Vec<u8> {
    [told, tenant.as_str().as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> ReceiptKey {
        ReceiptKey::new(text.as_bytes()).expect("long enough")
    }

    #[test]
    fn a_token_opens_its_attachment_for_its_tenant_until_its_end() {
        let (key, other) = (key("a key for tests only"), key("another key for tests"));
        let (mine, theirs) = (TenantId::parse("acme").expect("a tenant"), TenantId::development());
        let token = Token { id: Uuid::from_u128(7), end: 100 };
        let text = token.signed(&key, &mine);
        assert!(text.len() <= MAX_TEXT, "{}", text.len());
        let at = |second| Timestamp::from_second(second).expect("a moment");
        assert_eq!(Token::read(&text, &key, &mine, at(99)), Ok(token));
        assert_eq!(Token::read(&text, &key, &mine, at(100)), Err(Refusal::DownloadTokenExpired));
        let unknown = Err(Refusal::DownloadTokenUnknown);
        assert_eq!(Token::read(&text, &key, &theirs, at(99)), unknown);
        assert_eq!(Token::read(&text, &other, &mine, at(99)), unknown);
        assert_eq!(Token::read("", &key, &mine, at(99)), unknown);
        assert_eq!(Token::read(&format!("{text}A"), &key, &mine, at(99)), unknown);
    }

    #[test]
    fn a_token_that_is_altered_anywhere_is_unknown() {
        let (key, tenant) = (key("a key for tests only"), TenantId::development());
        let text = Token { id: Uuid::from_u128(7), end: i64::MAX }.signed(&key, &tenant);
        for at in 0..text.len() {
            let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
            for wrong in [[&text[..at], other, &text[at + 1..]].concat(), text[..at].to_owned()] {
                let read = Token::read(&wrong, &key, &tenant, Timestamp::UNIX_EPOCH);
                assert_eq!(read, Err(Refusal::DownloadTokenUnknown), "{wrong}");
            }
        }
    }
}
