//! Who a test calls as: signed tokens, and lines that show them.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};

/// The first key pair of RFC 8032, section 7.1: known to the whole world, and
/// therefore good for tests only. Ed25519 in PKCS #8, with the public key.
const SECRET: [u8; 83] = *b"\x30\x51\x02\x01\x01\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20\
    \x9d\x61\xb1\x9d\xef\xfd\x5a\x60\xba\x84\x4a\xf4\x92\xec\x2c\xc4\
    \x44\x49\xc5\x69\x7b\x32\x69\x19\x70\x3b\xac\x03\x1c\xae\x7f\x60\
    \x81\x21\x00\
    \xd7\x5a\x98\x01\x82\xb1\x0a\xb7\xd5\x4b\xfe\xd3\xc9\x64\x07\x3a\
    \x0e\xe1\x72\xf3\xda\xa6\x23\x25\xaf\x02\x1a\x68\xf7\x07\x51\x1a";
/// Where the public key begins in it.
const PUBLIC: usize = 51;
const KEY_ID: &str = "testkit";
/// Tokens are good until the year 2100, whatever the test's clock says.
const EXPIRES: u64 = 4_102_444_800;

/// A channel on which a caller shows who they are.
pub type CallerChannel = InterceptedService<Channel, Badge>;

/// What a caller shows with each call.
#[derive(Clone, Debug, Default)]
pub struct Badge(Option<(&'static str, MetadataValue<Ascii>)>);

impl Badge {
    /// The development caller.
    pub fn none() -> Self {
        Self::default()
    }

    /// A development caller with a name.
    pub fn named(subject: &str) -> Self {
        Self::of("redress-subject", subject)
    }

    /// A token's bearer.
    pub fn bearer(token: &str) -> Self {
        Self::of("authorization", &format!("Bearer {token}"))
    }

    fn of(header: &'static str, value: &str) -> Self {
        Self(Some((header, value.parse().expect("a header's value"))))
    }
}

impl Interceptor for Badge {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some((header, value)) = &self.0 {
            request.metadata_mut().insert(*header, value.clone());
        }
        Ok(request)
    }
}

/// A token that the key set of [`jwks`] vouches for.
pub fn token(tenant: &str, subject: &str, roles: &[&str]) -> String {
    token_until(tenant, subject, roles, EXPIRES)
}

/// Such a token that expires at a moment, in seconds since 1970.
pub fn token_until(tenant: &str, subject: &str, roles: &[&str], expires: u64) -> String {
    signed(&json!({ "tenant": tenant, "sub": subject, "roles": roles, "exp": expires }))
}

/// Any claims, signed with the key of [`jwks`]: what else an identity provider vouches for.
pub fn signed(claims: &Value) -> String {
    let header = Header { kid: Some(KEY_ID.to_owned()), ..Header::new(Algorithm::EdDSA) };
    encode(&header, claims, &EncodingKey::from_ed_der(&SECRET)).expect("the test key signs")
}

/// The key set tests sign with.
pub fn jwks() -> String {
    let public = BASE64_URL_SAFE_NO_PAD.encode(&SECRET[PUBLIC..]);
    let key = json!({
        "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": KEY_ID, "x": public
    });
    json!({ "keys": [key] }).to_string()
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::jwk::JwkSet;
    use jsonwebtoken::{DecodingKey, Validation, decode};

    use super::*;

    #[test]
    fn the_key_set_vouches_for_the_tokens() {
        let keys: JwkSet = serde_json::from_str(&jwks()).unwrap();
        let key = DecodingKey::from_jwk(keys.find(KEY_ID).unwrap()).unwrap();
        let token = token("tenant-b", "alice", &["agent"]);
        let claims = decode::<Value>(&token, &key, &Validation::new(Algorithm::EdDSA)).unwrap().claims;
        assert_eq!(claims["tenant"], "tenant-b");
        assert_eq!(claims["sub"], "alice");
        assert_eq!(claims["roles"], json!(["agent"]));
    }
}
