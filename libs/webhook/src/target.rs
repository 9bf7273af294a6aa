//! Where a message goes: a URL, read once.

use std::str::FromStr;

use http::Uri;
use http::uri::Scheme;

/// Longest URL.
pub const MAX_URL: usize = 2_000;

/// A URL that messages may be sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    uri: Uri,
}

/// Why a text is no such URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTarget {
    /// It is too long.
    #[error("must have at most {MAX_URL} characters")]
    TooLong,
    /// It is no URL with a host, or has another scheme.
    #[error("must begin with https:// or http:// and name a host")]
    NoUrl,
    /// It has a user and password in it.
    #[error("must not name a user")]
    User,
    /// It ends with a fragment, which no server is sent.
    #[error("must not have a fragment")]
    Fragment,
}

impl Target {
    /// The URL.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Its host, a name or an address without brackets.
    pub fn host(&self) -> &str {
        let host = self.uri.host().unwrap_or_default();
        host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
    }

    /// Its port, the scheme's own where it names none.
    pub fn port(&self) -> u16 {
        self.uri.port_u16().unwrap_or(if self.is_tls() { 443 } else { 80 })
    }

    /// Whether the way there is encrypted.
    pub fn is_tls(&self) -> bool {
        self.uri.scheme() == Some(&Scheme::HTTPS)
    }

    /// Host and port, as the request names them.
    pub(crate) fn authority(&self) -> &str {
        self.uri.authority().map(http::uri::Authority::as_str).unwrap_or_default()
    }

    /// What follows the host.
    pub(crate) fn path(&self) -> &str {
        self.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str)
    }
}

impl FromStr for Target {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Self, InvalidTarget> {
        if text.len() > MAX_URL {
            return Err(InvalidTarget::TooLong);
        }
        if text.contains('#') {
            return Err(InvalidTarget::Fragment);
        }
        let uri: Uri = text.parse().map_err(|_| InvalidTarget::NoUrl)?;
        let known = uri.scheme().is_some_and(|scheme| *scheme == Scheme::HTTPS || *scheme == Scheme::HTTP);
        let authority = uri.authority().filter(|authority| known && !authority.host().is_empty());
        let authority = authority.ok_or(InvalidTarget::NoUrl)?;
        if authority.as_str().contains('@') {
            return Err(InvalidTarget::User);
        }
        Ok(Self { uri })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_plain_url_of_the_web() {
        let target: Target = "https://pay.example.com/hooks?a=b".parse().unwrap();
        assert_eq!((target.host(), target.port(), target.is_tls()), ("pay.example.com", 443, true));
        assert_eq!((target.authority(), target.path()), ("pay.example.com", "/hooks?a=b"));
        let target: Target = "http://[::1]:8080".parse().unwrap();
        assert_eq!((target.host(), target.port(), target.is_tls()), ("::1", 8080, false));
        assert_eq!(target.path(), "/");
        for (text, why) in [
            ("", InvalidTarget::NoUrl),
            ("/hooks", InvalidTarget::NoUrl),
            ("ftp://example.com", InvalidTarget::NoUrl),
            ("example.com:443", InvalidTarget::NoUrl),
            ("https://", InvalidTarget::NoUrl),
            ("https://a b", InvalidTarget::NoUrl),
            ("https://user:secret@example.com", InvalidTarget::User),
            ("https://example.com/#top", InvalidTarget::Fragment),
            (&format!("https://example.com/{}", "x".repeat(MAX_URL)), InvalidTarget::TooLong),
        ] {
            assert_eq!(text.parse::<Target>(), Err(why), "{text}");
        }
    }
}
