//! Who a caller is: proven by a token, by a client certificate, or, while neither
//! is configured, taken on trust (development, loopback only).

mod certificate;
mod keys;
mod token;

use std::sync::Arc;
use std::time::Duration;

use fault::{Fault, Kind};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;
use kernel::{Caller, Role, Roles, TenantId};
use tonic::transport::server::TlsConnectInfo;

use crate::connections::Connection;
use crate::service::Stop;
use crate::settings::IdentitySettings;
use token::Tokens;

/// Header by which a caller names itself, in development only.
const SUBJECT: &str = "redress-subject";
/// Who a development caller is that names itself not.
const DEVELOPER: &str = "developer";
/// Longest subject.
const MAX_SUBJECT: usize = 200;
/// How often keys are read again, so that a withdrawn one is soon forgotten.
const KEYS_KEPT: Duration = Duration::from_mins(10);

/// How callers prove who they are.
pub(crate) enum Identity {
    /// Everyone is the development tenant's.
    Development(Caller),
    /// By token or client certificate.
    Proven {
        /// None when only certificates count.
        tokens: Option<Tokens>,
        /// The tenants whose callers may be of the suite itself.
        platform: PlatformTenants,
    },
}

/// The tenants whose callers may bear the role `platform`. Whoever issues tokens for
/// some tenant names roles as they like; of this one, which sees all tenants, they must
/// not be believed.
#[derive(Clone)]
pub(crate) struct PlatformTenants(Arc<[TenantId]>);

impl PlatformTenants {
    /// What of an identity's roles counts in a tenant.
    fn roles(&self, tenant: &TenantId, names: &[String]) -> Roles {
        let is_platforms = self.0.contains(tenant);
        let counts = |name: &&str| is_platforms || *name != Role::Platform.name();
        let roles = Roles::read(names.iter().map(String::as_str).filter(counts));
        if !is_platforms && names.iter().any(|name| name == Role::Platform.name()) {
            tracing::debug!(%tenant, "the role platform is not one of this tenant's: REDRESS_PLATFORM_TENANTS");
        }
        roles
    }
}

impl Identity {
    /// Whether nobody proves anything.
    pub(crate) fn is_development(&self) -> bool {
        matches!(self, Self::Development(_))
    }

    /// Opens the sources of identity that are configured.
    pub(crate) async fn open(settings: &IdentitySettings) -> anyhow::Result<Self> {
        if !settings.is_configured() {
            // A development caller may do everything.
            let roles = Roles::one(Role::Platform);
            let tenant = TenantId::development();
            return Ok(Self::Development(Caller { tenant, subject: DEVELOPER.into(), roles }));
        }
        let tokens = match &settings.jwks {
            Some(jwks) => Some(Tokens::open(jwks, settings).await?),
            None => None,
        };
        Ok(Self::Proven { tokens, platform: PlatformTenants(settings.platform_tenants.clone().into()) })
    }

    /// The caller behind a request, and how long what proves it holds. A token speaks
    /// for the one who sent it, a certificate for the connection: where there are both,
    /// the token counts.
    pub(crate) async fn caller(&self, request: &Parts) -> Result<(Caller, Duration), Fault> {
        let (tokens, platform) = match self {
            Self::Development(developer) => {
                return Ok((development(developer, &request.headers)?, Duration::MAX));
            }
            Self::Proven { tokens, platform } => (tokens, platform),
        };
        if let (Some(tokens), Some(bearer)) = (tokens, bearer(&request.headers)?) {
            return tokens.caller(bearer, platform).await;
        }
        let connection = request.extensions.get::<TlsConnectInfo<Connection>>();
        match connection.and_then(TlsConnectInfo::peer_certs).as_deref().and_then(|chain| chain.first()) {
            Some(certificate) => certificate::caller(certificate, platform),
            None => Err(unauthenticated("the call carries neither a token nor a client certificate")),
        }
    }

    /// Reads the keys again from time to time, until told to stop.
    pub(crate) async fn keep_fresh(self: Arc<Self>, stop: Stop) {
        let refresh = async {
            loop {
                tokio::time::sleep(KEYS_KEPT).await;
                if let Self::Proven { tokens: Some(tokens), .. } = self.as_ref() {
                    tokens.refresh().await;
                }
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = refresh => {}
        }
    }
}

fn development(developer: &Caller, headers: &HeaderMap) -> Result<Caller, Fault> {
    let Some(named) = headers.get(SUBJECT) else { return Ok(developer.clone()) };
    let subject = named
        .to_str()
        .ok()
        .filter(|subject| (1..=MAX_SUBJECT).contains(&subject.len()))
        .ok_or_else(|| unauthenticated("redress-subject must have 1 to 200 visible ASCII characters"))?;
    Ok(Caller { subject: subject.into(), ..developer.clone() })
}

fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Fault> {
    let Some(value) = headers.get(AUTHORIZATION) else { return Ok(None) };
    let text = value.to_str().ok();
    // The scheme's name is case-insensitive (RFC 9110).
    text.and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| Some(token.trim()))
        .ok_or_else(|| unauthenticated("the authorization header must have the form Bearer <token>"))
}

/// A caller from names that are proven.
fn proven(
    tenant: &str,
    subject: &str,
    roles: &[String],
    platform: &PlatformTenants,
) -> Result<Caller, Fault> {
    let tenant = TenantId::parse(tenant)
        .map_err(|error| unauthenticated("the identity names no valid tenant").because(error))?;
    if !(1..=MAX_SUBJECT).contains(&subject.len()) || subject.contains('\0') {
        return Err(unauthenticated("the identity names no valid subject"));
    }
    let roles = platform.roles(&tenant, roles);
    Ok(Caller { tenant, subject: subject.into(), roles })
}

fn unauthenticated(sentence: &'static str) -> Fault {
    Fault::new(Kind::Unauthenticated, "UNAUTHENTICATED", sentence)
}
