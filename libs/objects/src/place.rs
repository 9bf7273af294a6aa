//! Where objects lie, read once.

use std::fmt;

use rusty_s3::UrlStyle;
use url::Url;

/// The region where nothing names one: what stores that are not Amazon's mostly expect.
const REGION: &str = "us-east-1";
/// Longest prefix.
const MAX_PREFIX: usize = 200;

/// Where objects lie.
#[derive(Clone, Debug)]
pub struct Place {
    pub(crate) bucket: rusty_s3::Bucket,
    /// What all keys begin with: empty, or ends with a slash.
    pub(crate) prefix: String,
}

/// Who puts them there.
#[derive(Clone)]
pub struct Credentials(pub(crate) rusty_s3::Credentials);

impl Credentials {
    /// A key, its secret, and the token of a session where they are of one.
    pub fn new(key: &str, secret: &str, token: Option<&str>) -> Self {
        Self(match token {
            Some(token) => rusty_s3::Credentials::new_with_token(key, secret, token),
            None => rusty_s3::Credentials::new(key, secret),
        })
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(credentials)")
    }
}

/// Why a text is no such place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPlace {
    /// It does not name a bucket.
    #[error("must have the form s3://bucket or s3://bucket/prefix, the bucket's name in lower case")]
    Bucket,
    /// Its prefix would not be the beginning of a key.
    #[error(
        "its prefix has letters, digits, dashes, underscores, dots and slashes, at most {MAX_PREFIX}, and no empty part"
    )]
    Prefix,
    /// The endpoint is no address of a server.
    #[error("its endpoint must be an http:// or https:// address")]
    Endpoint,
}

impl Place {
    /// Reads `s3://bucket/prefix`. Without an endpoint it is Amazon's, in the region; with one,
    /// the bucket is in its path, as other stores have it.
    ///
    /// # Errors
    ///
    /// Fails if the text is none of this form, or the endpoint no address.
    pub fn parse(text: &str, endpoint: Option<&str>, region: Option<&str>) -> Result<Self, InvalidPlace> {
        let rest = text.strip_prefix("s3://").ok_or(InvalidPlace::Bucket)?;
        let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let fits = (3..=63).contains(&name.len());
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
        if !fits || !name.chars().all(is_plain) || name.starts_with(['-', '.']) {
            return Err(InvalidPlace::Bucket);
        }
        let region = region.filter(|region| !region.is_empty()).unwrap_or(REGION);
        let amazon = format!("https://s3.{region}.amazonaws.com");
        let endpoint = endpoint.filter(|endpoint| !endpoint.is_empty());
        // In the host, a dot of the name would be outside of Amazon's certificate.
        let style =
            if endpoint.is_none() && !name.contains('.') { UrlStyle::VirtualHost } else { UrlStyle::Path };
        let url: Url = endpoint.unwrap_or(&amazon).parse().map_err(|_| InvalidPlace::Endpoint)?;
        let bucket = rusty_s3::Bucket::new(url, style, name.to_owned(), region.to_owned());
        Ok(Self { bucket: bucket.map_err(|_| InvalidPlace::Endpoint)?, prefix: prefix_of(prefix)? })
    }
}

fn prefix_of(text: &str) -> Result<String, InvalidPlace> {
    if text.is_empty() {
        return Ok(String::new());
    }
    let text = text.strip_suffix('/').unwrap_or(text);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    // A part of dots would be resolved, as in a file system.
    let is_part = |part: &str| !part.is_empty() && part != "." && part != "..";
    if text.len() > MAX_PREFIX || !text.chars().all(is_plain) || !text.split('/').all(is_part) {
        return Err(InvalidPlace::Prefix);
    }
    Ok(format!("{text}/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, endpoint: Option<&str>) -> Result<String, InvalidPlace> {
        let place = Place::parse(text, endpoint, Some("eu-west-1"))?;
        Ok(place.bucket.object_url(&format!("{}a", place.prefix)).to_string())
    }

    #[test]
    fn a_bucket_is_amazons_or_an_endpoints() {
        for (text, endpoint, url) in [
            ("s3://files", None, "https://files.s3.eu-west-1.amazonaws.com/a"),
            ("s3://our.files", None, "https://s3.eu-west-1.amazonaws.com/our.files/a"),
            ("s3://files/", Some("http://minio:9000"), "http://minio:9000/files/a"),
            ("s3://files/b/c/", Some("https://s.example.org/s3"), "https://s.example.org/s3/files/b/c/a"),
            ("s3://files/b", Some(""), "https://files.s3.eu-west-1.amazonaws.com/b/a"),
        ] {
            assert_eq!(read(text, endpoint), Ok(url.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for text in ["", "files", "s3://", "s3://ab", "s3://Files", "s3://-ab", "s3://a_b", "https://files"] {
            assert_eq!(read(text, None), Err(InvalidPlace::Bucket), "{text}");
        }
        for text in ["s3://files/../a", "s3://files/a//b", "s3://files//", "s3://files/a?b", "s3://files/./a"]
        {
            assert_eq!(read(text, None), Err(InvalidPlace::Prefix), "{text}");
        }
        for endpoint in ["minio:9000", "ftp://minio", "http://"] {
            assert_eq!(read("s3://files", Some(endpoint)), Err(InvalidPlace::Endpoint), "{endpoint}");
        }
    }

    #[test]
    fn nobody_reads_credentials_in_a_log() {
        let written = format!("{:?}", Credentials::new("key", "secret", Some("token")));
        assert_eq!(written, "(credentials)");
    }
}
