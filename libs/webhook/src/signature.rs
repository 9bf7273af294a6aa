//! Signatures after Standard Webhooks, version 1: HMAC-SHA-256 over `id.timestamp.body`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Header with the id of the message: the same each time it is sent.
pub const ID: &str = "webhook-id";
/// Header with the moment it was sent, in seconds since 1970.
pub const TIMESTAMP: &str = "webhook-timestamp";
/// Header with its signatures, separated by spaces.
pub const SIGNATURE: &str = "webhook-signature";

/// Shortest secret.
pub const MIN_SECRET_BYTES: usize = 24;
/// Longest secret.
pub const MAX_SECRET_BYTES: usize = 64;
/// How far the moment a message was sent may be from the receiver's clock.
pub const TOLERANCE: Duration = Duration::from_mins(5);

/// What every secret begins with, as text.
const PREFIX: &str = "whsec_";
/// The version of signatures made here.
const VERSION: &str = "v1,";
/// Secrets are read with their padding or without it.
const SECRET_BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What messages are signed with. It shows in no log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

/// A text that is no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be whsec_ and 24 to 64 bytes in base64")]
pub struct InvalidSecret;

/// A message as it is signed.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Its id, without a dot.
    pub id: &'a str,
    /// The moment it is sent, in seconds since 1970.
    pub timestamp: i64,
    /// Its body.
    pub body: &'a [u8],
}

/// Why a message is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unverified {
    /// It was sent too long ago, or will be.
    #[error("the message is too old, or of the future")]
    OutOfTime,
    /// None of its signatures is made with one of the secrets.
    #[error("no signature matches")]
    NoMatch,
}

impl Secret {
    /// A secret of some bytes.
    ///
    /// # Errors
    ///
    /// Fails if they are too few or too many.
    pub fn new(bytes: Vec<u8>) -> Result<Self, InvalidSecret> {
        if (MIN_SECRET_BYTES..=MAX_SECRET_BYTES).contains(&bytes.len()) {
            Ok(Self(bytes))
        } else {
            Err(InvalidSecret)
        }
    }

    /// Its bytes, for who keeps it.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// As text, for who gives it to the receiver.
    pub fn text(&self) -> String {
        format!("{PREFIX}{}", BASE64_STANDARD.encode(&self.0))
    }

    /// The signature of a message: `v1,` and the code in base64.
    pub fn sign(&self, message: &Message<'_>) -> String {
        format!("{VERSION}{}", BASE64_STANDARD.encode(self.mac(message).finalize().into_bytes()))
    }

    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    fn mac(&self, message: &Message<'_>) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("any length");
        mac.update(format!("{}.{}.", message.id, message.timestamp).as_bytes());
        mac.update(message.body);
        mac
    }
}

impl FromStr for Secret {
    type Err = InvalidSecret;

    fn from_str(text: &str) -> Result<Self, InvalidSecret> {
        let code = text.strip_prefix(PREFIX).ok_or(InvalidSecret)?;
        Self::new(SECRET_BASE64.decode(code).map_err(|_| InvalidSecret)?)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// The signatures of a message under each of some secrets, as its header has them.
pub fn signatures<'a>(secrets: impl IntoIterator<Item = &'a Secret>, message: &Message<'_>) -> String {
    let each: Vec<String> = secrets.into_iter().map(|secret| secret.sign(message)).collect();
    each.join(" ")
}

/// Whether a message was sent by who has one of some secrets, not long before `now`, in
/// seconds since 1970. Signatures of other versions are passed over. Takes as long for a
/// wrong signature as for a right one.
///
/// # Errors
///
/// Fails if it was sent further from `now` than [`TOLERANCE`], or no signature matches.
pub fn verify<'a>(
    secrets: impl IntoIterator<Item = &'a Secret>,
    message: &Message<'_>,
    header: &str,
    now: i64,
) -> Result<(), Unverified> {
    if message.timestamp.abs_diff(now) > TOLERANCE.as_secs() {
        return Err(Unverified::OutOfTime);
    }
    let codes: Vec<Vec<u8>> =
        header.split(' ').filter_map(|one| BASE64_STANDARD.decode(one.strip_prefix(VERSION)?).ok()).collect();
    let matches = |secret: &Secret| codes.iter().any(|code| secret.mac(message).verify_slice(code).is_ok());
    if secrets.into_iter().any(matches) { Ok(()) } else { Err(Unverified::NoMatch) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    /// Made with the official libraries, `standardwebhooks` 1.1.0 from PyPI and 1.1.1 from
    /// npm, which agree; `.ci/signed` holds them against this one at each run of CI.
    const KNOWN: [(&str, i64, &str, &str); 3] = [
        (
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
        (
            "01890000-0000-7000-8000-000000000001",
            1_796_000_000,
            r#"{"instructions":"退款未到 ☕"}"#,
            "v1,xHgvq6Tz7opHYHLIMmuaVwZPRXf1NqkTrU1RfntRYv8=",
        ),
        ("a", 1, "", "v1,PSRSUeDIET2rOqW2tXRRNPtaDHUhM5hP9vypna1/Ouo="),
    ];

    #[test]
    fn signatures_are_those_of_the_official_libraries() -> Result<(), InvalidSecret> {
        let secret: Secret = TEXT.parse()?;
        for (id, timestamp, body, expected) in KNOWN {
            let message = Message { id, timestamp, body: body.as_bytes() };
            assert_eq!(secret.sign(&message), expected);
            assert_eq!(verify([&secret], &message, expected, timestamp), Ok(()));
        }
        Ok(())
    }

    #[test]
    fn a_secret_is_read_with_its_padding_or_without_and_shows_nowhere() {
        let secret = Secret::new(vec![7; 25]).unwrap();
        let text = secret.text();
        assert!(text.ends_with('='));
        assert_eq!(text.parse(), Ok(secret.clone()));
        assert_eq!(text.trim_end_matches('=').parse(), Ok(secret.clone()));
        assert_eq!(format!("{secret:?}"), "(secret)");
        let short = format!("whsec_{}", BASE64_STANDARD.encode([1; 23]));
        let long = format!("whsec_{}", BASE64_STANDARD.encode([1; 65]));
        for wrong in ["", "whsec_", "whsec_***", &TEXT[6..], &short, &long] {
            assert_eq!(wrong.parse::<Secret>(), Err(InvalidSecret), "{wrong}");
        }
    }

    #[test]
    fn while_a_secret_is_changed_a_receiver_with_either_believes() {
        let (old, new) = (Secret::new(vec![1; 24]).unwrap(), Secret::new(vec![2; 24]).unwrap());
        let other = Secret::new(vec![3; 24]).unwrap();
        let message = Message { id: "a", timestamp: 1_000, body: b"{}" };
        let header = format!("v1a,AAAA v1,!! {}", signatures([&new, &old], &message));
        for secret in [&old, &new] {
            assert_eq!(verify([secret], &message, &header, 1_300), Ok(()));
        }
        assert_eq!(verify([&other], &message, &header, 1_000), Err(Unverified::NoMatch));
        assert_eq!(verify([&old], &message, "", 1_000), Err(Unverified::NoMatch));
        assert_eq!(verify([&old], &message, &header, 1_301), Err(Unverified::OutOfTime));
        assert_eq!(verify([&old], &message, &header, 699), Err(Unverified::OutOfTime));
    }

    proptest! {
        #[test]
        fn nothing_of_a_message_can_be_changed(
            body in prop::collection::vec(any::<u8>(), 0..200),
            timestamp in 0..2_000_000_000_i64,
            at in any::<prop::sample::Index>(),
        ) {
            let secret = Secret::new(vec![9; 32]).unwrap();
            let message = Message { id: "m-1", timestamp, body: &body };
            let header = secret.sign(&message);
            prop_assert_eq!(verify([&secret], &message, &header, timestamp), Ok(()));
            let mut other = body.clone();
            other.push(0);
            let place = at.index(other.len());
            other[place] ^= 1;
            let changed = [
                Message { id: "m-2", ..message },
                Message { timestamp: timestamp + 1, ..message },
                Message { body: &other, ..message },
            ];
            for message in changed {
                prop_assert_eq!(verify([&secret], &message, &header, timestamp), Err(Unverified::NoMatch));
            }
        }
    }
}
