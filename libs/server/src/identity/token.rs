//! The caller a bearer token (JWT) names.

use std::time::Duration;

use fault::Fault;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Validation, decode, decode_header};
use kernel::{Caller, Clock as _, SystemClock};
use serde::Deserialize;

use super::keys::Keys;
use super::{PlatformTenants, proven, unauthenticated};
use crate::settings::IdentitySettings;

/// How far clocks may differ, in seconds.
const LEEWAY: u64 = 30;

/// Checks tokens against the keys of their issuer.
pub(crate) struct Tokens {
    keys: Keys,
    issuer: Option<String>,
    audience: Option<String>,
}

/// What a token says, beside what [`Validation`] checks.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    tenant: String,
    #[serde(default)]
    roles: Vec<String>,
    /// When it expires, in seconds since 1970.
    exp: f64,
}

impl Tokens {
    pub(super) async fn open(jwks: &str, settings: &IdentitySettings) -> anyhow::Result<Self> {
        let keys = Keys::open(jwks).await?;
        Ok(Self { keys, issuer: settings.jwt_issuer.clone(), audience: settings.jwt_audience.clone() })
    }

    pub(super) async fn refresh(&self) {
        self.keys.refresh().await;
    }

    /// The caller, and how long the token holds.
    pub(super) async fn caller(
        &self,
        token: &str,
        platform: &PlatformTenants,
    ) -> Result<(Caller, Duration), Fault> {
        let header = decode_header(token).map_err(refused)?;
        let key = self.keys.find(header.kid.as_deref()).await?;
        // The algorithms come with the key: a token cannot choose a weaker one.
        let validation = self.validation(&key.validation);
        let Claims { sub, tenant, roles, exp } =
            decode::<Claims>(token, &key.decoding, &validation).map_err(refused)?.claims;
        Ok((proven(&tenant, &sub, &roles, platform)?, left(exp)))
    }

    fn validation(&self, of_key: &Validation) -> Validation {
        let mut validation = of_key.clone();
        let mut required = vec!["exp", "sub"];
        if let Some(issuer) = &self.issuer {
            validation.set_issuer(&[issuer]);
            required.push("iss");
        }
        match &self.audience {
            Some(audience) => {
                validation.set_audience(&[audience]);
                required.push("aud");
            }
            None => validation.validate_aud = false,
        }
        validation.set_required_spec_claims(&required);
        validation.validate_nbf = true;
        validation.leeway = LEEWAY;
        validation
    }
}

/// How long a token is still taken for good.
fn left(expires: f64) -> Duration {
    let now = SystemClock.now().as_duration().as_secs_f64();
    let left = expires + Duration::from_secs(LEEWAY).as_secs_f64() - now;
    Duration::try_from_secs_f64(left.max(0.0)).unwrap_or(Duration::MAX)
}

fn refused(error: jsonwebtoken::errors::Error) -> Fault {
    let sentence = match error.kind() {
        ErrorKind::ExpiredSignature => "the token has expired",
        ErrorKind::ImmatureSignature => "the token does not hold yet",
        ErrorKind::InvalidIssuer => "the token is of another issuer",
        ErrorKind::InvalidAudience => "the token is for another audience",
        ErrorKind::InvalidSignature => "the token's signature is wrong",
        ErrorKind::InvalidAlgorithm => "the token's algorithm is not the one of its key",
        _ => "the token cannot be accepted",
    };
    unauthenticated(sentence).because(error)
}
