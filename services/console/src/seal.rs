//! Sealing: what browsers keep for us and can neither read nor change.

use anyhow::{Context as _, anyhow};
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::hmac;
use aws_lc_rs::rand;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

/// What the keys are for, so that no two uses share one.
const SALT: &[u8] = b"redress console";
const KEY_LENGTH: usize = 32;
/// Random bytes of an identifier: nobody guesses it.
const ID_LENGTH: usize = 16;

/// What one secret gives.
struct Keys {
    sealing: RandomizedNonceKey,
    signing: hmac::Key,
}

impl Keys {
    fn of(secret: &[u8]) -> anyhow::Result<Self> {
        let sealing = RandomizedNonceKey::new(&AES_256_GCM, &derived(secret, b"seal")?);
        let sealing = sealing.ok().context("the key that sessions are sealed with cannot be used")?;
        Ok(Self { sealing, signing: hmac::Key::new(hmac::HMAC_SHA256, &derived(secret, b"sign")?) })
    }
}

fn derived(secret: &[u8], purpose: &[u8]) -> anyhow::Result<[u8; KEY_LENGTH]> {
    let mut key = [0; KEY_LENGTH];
    let extracted = Salt::new(HKDF_SHA256, SALT).extract(secret);
    let filled = extracted.expand(&[purpose], HKDF_SHA256).and_then(|expanded| expanded.fill(&mut key));
    filled.map_err(|_| anyhow!("no key can be derived"))?;
    Ok(key)
}

/// Seals and opens; the first key seals, each of them opens.
pub(crate) struct Seals(Vec<Keys>);

impl Seals {
    /// With the keys that are set, or one that ends with the process.
    pub(crate) fn of(secrets: &[&str]) -> anyhow::Result<Self> {
        if secrets.is_empty() {
            return Ok(Self(vec![Keys::of(&random::<KEY_LENGTH>()?)?]));
        }
        let keys = secrets.iter().map(|secret| Keys::of(secret.as_bytes()));
        Ok(Self(keys.collect::<anyhow::Result<_>>()?))
    }

    /// Seals a text for one purpose.
    pub(crate) fn seal(&self, purpose: &str, text: &[u8]) -> Option<String> {
        let key = self.0.first()?;
        let mut sealed = text.to_vec();
        let nonce = key.sealing.seal_in_place_append_tag(Aad::from(purpose), &mut sealed).ok()?;
        let whole = [nonce.as_ref().as_slice(), &sealed].concat();
        Some(BASE64_URL_SAFE_NO_PAD.encode(whole))
    }

    /// What was sealed for this purpose; none if it was not, or not by us.
    pub(crate) fn open(&self, purpose: &str, sealed: &str) -> Option<Vec<u8>> {
        let whole = BASE64_URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, sealed) = whole.split_at_checked(NONCE_LEN)?;
        self.0.iter().find_map(|key| {
            let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
            let mut text = sealed.to_vec();
            let opened = key.sealing.open_in_place(nonce, Aad::from(purpose), &mut text).ok()?;
            Some(opened.to_vec())
        })
    }

    /// Signs a text.
    pub(crate) fn sign(&self, text: &[u8]) -> Option<Vec<u8>> {
        Some(hmac::sign(&self.0.first()?.signing, text).as_ref().to_vec())
    }

    /// Whether a text was signed by us; takes as long whether it was or not.
    pub(crate) fn is_signed(&self, text: &[u8], signature: &[u8]) -> bool {
        self.0.iter().any(|key| hmac::verify(&key.signing, text, signature).is_ok())
    }
}

fn random<const LENGTH: usize>() -> anyhow::Result<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    rand::fill(&mut bytes).map_err(|_| anyhow!("the system has no random numbers"))?;
    Ok(bytes)
}

/// An identifier that nobody guesses.
pub(crate) fn random_id() -> anyhow::Result<String> {
    Ok(BASE64_URL_SAFE_NO_PAD.encode(random::<ID_LENGTH>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "an old key of thirty-two letters and more";
    const NEW: &str = "a new key of thirty-two letters and more.";

    #[test]
    fn what_is_sealed_is_opened_for_its_purpose_only() {
        let seals = Seals::of(&[OLD]).unwrap();
        let sealed = seals.seal("session", "安娜".as_bytes()).unwrap();
        assert_eq!(seals.open("session", &sealed).unwrap(), "安娜".as_bytes());
        assert_eq!(seals.open("sign-in", &sealed), None);
        assert_ne!(seals.seal("session", "安娜".as_bytes()).unwrap(), sealed, "no two are alike");
        let mut changed = sealed.into_bytes();
        changed[20] = if changed[20] == b'A' { b'B' } else { b'A' };
        assert_eq!(seals.open("session", std::str::from_utf8(&changed).unwrap()), None);
        for odd in ["", "A", "not base64!", "AAAAAAAAAAAAAAAA"] {
            assert_eq!(seals.open("session", odd), None, "{odd}");
        }
    }

    #[test]
    fn a_key_is_changed_without_ending_sessions() {
        let sealed = Seals::of(&[OLD]).unwrap().seal("session", b"ann").unwrap();
        let both = Seals::of(&[NEW, OLD]).unwrap();
        assert_eq!(both.open("session", &sealed).unwrap(), b"ann");
        let anew = both.seal("session", b"ann").unwrap();
        let only = Seals::of(&[NEW]).unwrap();
        assert_eq!(
            (only.open("session", &sealed), only.open("session", &anew).unwrap()),
            (None, b"ann".to_vec())
        );
        let signature = Seals::of(&[OLD]).unwrap().sign(b"text").unwrap();
        assert!(both.is_signed(b"text", &signature) && !only.is_signed(b"text", &signature));
    }

    #[test]
    fn without_a_key_each_process_has_one_of_its_own() {
        let (one, other) = (Seals::of(&[]).unwrap(), Seals::of(&[]).unwrap());
        assert_eq!(other.open("session", &one.seal("session", b"ann").unwrap()), None);
        assert_ne!(random_id().unwrap(), random_id().unwrap());
    }
}
