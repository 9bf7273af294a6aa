//! Keyset pages: a token says after which key the next page begins, and for
//! which filters it was given out. A checksum over both tells a token that was cut,
//! altered or made up; it keeps no secret, and a token opens nothing that its bearer may
//! not list anyway.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// Rows of a page when the caller does not say.
pub const DEFAULT_SIZE: u16 = 50;
/// Most rows of a page.
pub const MAX_SIZE: u16 = 500;

const MARK_LENGTH: usize = 8;

/// Which rows are wanted: at most `size`, after the key of the page before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Most rows to return.
    pub size: u16,
    /// Key of the last row of the page before, as the store wrote it; none for
    /// the first page.
    pub after: Option<String>,
    /// What tells the filters from others.
    filters: [u8; 32],
}

/// A page token that this service did not give out for these filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPage {
    /// `page_size` out of range.
    #[error("page_size must be 0 to {MAX_SIZE}")]
    Size,
    /// `page_token` not understood, or given out for other filters.
    #[error("page_token must be a next_page_token of a list with the same filters")]
    Token,
}

impl Page {
    /// Reads what a list request says. `filters` is any text that is the same for
    /// the same filters.
    ///
    /// # Errors
    ///
    /// Fails if the size is out of range, or if the token was not given out for these filters.
    pub fn parse(page_size: i32, page_token: &str, filters: &str) -> Result<Self, InvalidPage> {
        let size = match page_size {
            0 => DEFAULT_SIZE,
            _ => u16::try_from(page_size)
                .ok()
                .filter(|size| (1..=MAX_SIZE).contains(size))
                .ok_or(InvalidPage::Size)?,
        };
        let filters = Sha256::digest(filters.as_bytes()).into();
        let after = if page_token.is_empty() { None } else { Some(open(page_token, &filters)?) };
        Ok(Self { size, after, filters })
    }

    /// The first page of a list without filters.
    pub fn first() -> Self {
        Self { size: DEFAULT_SIZE, after: None, filters: Sha256::digest(b"").into() }
    }

    /// How many rows to fetch: one more than is shown tells whether there is a
    /// next page.
    pub fn limit(&self) -> i64 {
        i64::from(self.size) + 1
    }

    /// Cuts fetched rows to the page and names the token of the next one; empty
    /// when this is the last.
    pub fn cut<T>(&self, rows: &mut Vec<T>, key: impl Fn(&T) -> String) -> String {
        let size = usize::from(self.size);
        if rows.len() <= size {
            return String::new();
        }
        rows.truncate(size);
        rows.last().map_or_else(String::new, |last| self.token(&key(last)))
    }

    /// The token of the page that begins after a key.
    pub fn token(&self, key: &str) -> String {
        URL_SAFE_NO_PAD.encode([&mark(&self.filters, key), key.as_bytes()].concat())
    }
}

fn mark(filters: &[u8; 32], key: &str) -> [u8; MARK_LENGTH] {
    let digest = Sha256::new().chain_update(filters).chain_update(key).finalize();
    std::array::from_fn(|i| digest[i])
}

fn open(token: &str, filters: &[u8; 32]) -> Result<String, InvalidPage> {
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| InvalidPage::Token)?;
    let (told, key) = bytes.split_at_checked(MARK_LENGTH).ok_or(InvalidPage::Token)?;
    let key = std::str::from_utf8(key).map_err(|_| InvalidPage::Token)?;
    if mark(filters, key) == told { Ok(key.to_owned()) } else { Err(InvalidPage::Token) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leads_on_under_the_same_filters_only() -> Result<(), InvalidPage> {
        let page = Page::parse(2, "", "state=1")?;
        let mut rows = vec!["a", "b", "c"];
        let token = page.cut(&mut rows, |row| (*row).to_owned());
        assert_eq!(rows, ["a", "b"]);
        assert_eq!(Page::parse(2, &token, "state=1")?.after.as_deref(), Some("b"));
        assert_eq!(Page::parse(2, &token, "state=2"), Err(InvalidPage::Token));
        assert_eq!(Page::parse(2, "what?", "state=1"), Err(InvalidPage::Token));
        Ok(())
    }

    #[test]
    fn a_token_that_was_altered_or_cut_is_none() -> Result<(), InvalidPage> {
        let token = Page::parse(0, "", "state=1")?.token("2026-11-28 0193");
        assert!(Page::parse(0, &token, "state=1").is_ok());
        for at in 0..token.len() {
            let cut = &token[..at];
            assert!(at == 0 || Page::parse(0, cut, "state=1").is_err(), "{cut}");
            let other = if token.as_bytes()[at] == b'A' { "B" } else { "A" };
            let altered = [&token[..at], other, &token[at + 1..]].concat();
            assert_eq!(Page::parse(0, &altered, "state=1"), Err(InvalidPage::Token), "{altered}");
        }
        assert!(Page::parse(0, &(token + "A"), "state=1").is_err());
        Ok(())
    }

    #[test]
    fn the_last_page_has_no_token() -> Result<(), InvalidPage> {
        let mut rows = vec![1, 2];
        assert_eq!(Page::parse(2, "", "")?.cut(&mut rows, ToString::to_string), "");
        assert_eq!(Page::parse(501, "", ""), Err(InvalidPage::Size));
        assert_eq!(Page::parse(-1, "", ""), Err(InvalidPage::Size));
        Ok(())
    }
}
