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
const VERSION: u8 = 2;
/// Bytes of what is signed before the tenant's name: version, id and end.
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
        let told = [&[VERSION][..], self.id.as_bytes(), &self.end.to_be_bytes(), tenant.as_str().as_bytes()]
            .concat();
        let signature = key.sign(PURPOSE, &told);
        URL_SAFE_NO_PAD.encode([told.as_slice(), &signature].concat())
    }

    /// Reads a token that was signed for a tenant, and has not ended.
    pub(crate) fn read(
        text: &str,
        key: &ReceiptKey,
        tenant: &TenantId,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let (token, of) = Self::believed(text, key).ok_or(Refusal::DownloadTokenUnknown)?;
        if of == *tenant { token.in_time(now) } else { Err(Refusal::DownloadTokenUnknown) }
    }

    /// Reads the token of a link, which itself says whose tenant's it is, and has not ended.
    pub(crate) fn of_link(text: &str, key: &ReceiptKey, now: Timestamp) -> Result<(Self, TenantId), Refusal> {
        let (token, tenant) = Self::believed(text, key).ok_or(Refusal::DownloadTokenUnknown)?;
        Ok((token.in_time(now)?, tenant))
    }

    fn in_time(self, now: Timestamp) -> Result<Self, Refusal> {
        if now.as_second() < self.end { Ok(self) } else { Err(Refusal::DownloadTokenExpired) }
    }

    fn believed(text: &str, key: &ReceiptKey) -> Option<(Self, TenantId)> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (told, signature) = bytes.split_at_checked(bytes.len().checked_sub(SIGNATURE_LENGTH)?)?;
        if !key.has_signed(PURPOSE, told, signature) {
            return None;
        }
        let (version, rest) = told.split_first()?;
        let (id, rest) = rest.split_first_chunk()?;
        let (end, tenant) = rest.split_first_chunk()?;
        let tenant = TenantId::parse(std::str::from_utf8(tenant).ok()?).ok()?;
        let token = Self { id: Uuid::from_bytes(*id), end: i64::from_be_bytes(*end) };
        (*version == VERSION).then_some((token, tenant))
    }
}

/// Most characters of a token.
const MAX_TEXT: usize = (TOLD + TenantId::MAX_LENGTH + SIGNATURE_LENGTH).div_ceil(3) * 4;

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
        assert_eq!(Token::of_link(&text, &key, at(99)), Ok((token, mine.clone())));
        assert_eq!(Token::of_link(&text, &key, at(100)), Err(Refusal::DownloadTokenExpired));
        assert_eq!(Token::of_link(&text, &other, at(99)), Err(Refusal::DownloadTokenUnknown));
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
