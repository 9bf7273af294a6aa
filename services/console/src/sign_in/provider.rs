//! The identity provider: OpenID Connect, authorization code with PKCE.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bytes::Bytes;
use futures::future::BoxFuture;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreErrorResponseType, CoreTokenResponse};
use openidconnect::{
    AsyncHttpClient, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, HttpRequest, HttpResponse, IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge,
    PkceCodeVerifier, ProviderMetadataWithLogout, RedirectUrl, RefreshToken, RequestTokenError, Scope,
    StandardErrorResponse, TokenResponse as _,
};
use serde::{Deserialize, Serialize};
use server::Settings;
use sha2::{Digest as _, Sha256};
use tokio::sync::{Mutex, OnceCell};
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::session::{Person, Tokens};

/// Longest wait for the provider.
const PATIENCE: Duration = Duration::from_secs(8);
/// Largest answer of it.
const ANSWER_MAX: usize = 1024 * 1024;
/// How long what it says of itself is believed: its keys change.
const KNOWN_FOR: Duration = Duration::from_mins(10);
/// How long a renewal is shared: pages that load at once all come with the same token, and it
/// may be good for one renewal only.
const SHARED_FOR: Duration = Duration::from_mins(1);
/// How long a token is good for whose provider does not say.
const USUAL_SECONDS: i64 = 300;

/// A client of the provider, as its own description makes one.
type OidcClient = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;
/// A request for tokens.
type TokenRequest<'a> = BoxFuture<
    'a,
    Result<CoreTokenResponse, RequestTokenError<Failed, StandardErrorResponse<CoreErrorResponseType>>>,
>;
/// What became of a renewal.
type Renewal = Arc<OnceCell<Result<Tokens, Refused>>>;

/// Why tokens are not renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The provider has ended the session.
    Ended,
    /// It does not answer.
    Away,
}

/// What a browser keeps of somebody who has been sent to the provider.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Attempt {
    pub(crate) state: String,
    nonce: String,
    verifier: String,
    /// Where to go afterwards.
    pub(crate) back: String,
    /// When it began, in seconds since 1970.
    pub(crate) begun: i64,
}

/// The identity provider.
pub(crate) struct Provider {
    issuer: IssuerUrl,
    client_id: ClientId,
    secret: Option<ClientSecret>,
    scopes: Vec<String>,
    callback: RedirectUrl,
    /// Where people come back to who signed out.
    home: String,
    http: Http,
    known: Mutex<Option<(Instant, Arc<ProviderMetadataWithLogout>)>>,
    renewals: Mutex<HashMap<[u8; 32], (Instant, Renewal)>>,
}

/// A request that failed before there was an answer.
#[derive(Debug, thiserror::Error)]
#[error("the identity provider does not answer: {0}")]
pub(crate) struct Failed(String);

/// How it is asked.
struct Http(HttpClient<HttpsConnector<HttpConnector>, Full<Bytes>>);

impl Http {
    async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, Failed> {
        let answer = self.0.request(request.map(Full::from)).await;
        let (parts, body) = answer.map_err(|error| Failed(error.to_string()))?.into_parts();
        let body = Limited::new(body, ANSWER_MAX).collect().await;
        let body = body.map_err(|error| Failed(error.to_string()))?;
        Ok(http::Response::from_parts(parts, body.to_bytes().to_vec()))
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = Failed;
    type Future = BoxFuture<'c, Result<HttpResponse, Failed>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let asked = tokio::time::timeout(PATIENCE, self.ask(request)).await;
            asked.unwrap_or_else(|late| Err(Failed(late.to_string())))
        })
    }
}

impl Provider {
    /// As it is set; it is not asked before somebody signs in.
    pub(crate) async fn open(settings: &Settings, at: &str) -> anyhow::Result<Option<Self>> {
        let console = &settings.console;
        let Some(issuer) = &console.oidc_issuer else { return Ok(None) };
        let authority = match &console.oidc_ca {
            Some(path) => Some(tokio::fs::read(path).await.context("REDRESS_CONSOLE_OIDC_CA")?),
            None => None,
        };
        let issuer_url = url::Url::parse(issuer).context("REDRESS_CONSOLE_OIDC_ISSUER is no URL")?;
        let local = matches!(issuer_url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        if issuer_url.scheme() != "https" && !local {
            bail!("REDRESS_CONSOLE_OIDC_ISSUER must begin with https:// unless it is on this machine");
        }
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls(authority.as_deref())?)
            .https_or_http()
            .enable_http1()
            .build();
        Ok(Some(Self {
            issuer: IssuerUrl::new(issuer.clone())?,
            client_id: ClientId::new(console.oidc_client_id.clone()),
            secret: console
                .oidc_client_secret
                .as_ref()
                .map(|secret| ClientSecret::new(secret.expose().to_owned())),
            scopes: console.oidc_scopes.iter().filter(|scope| *scope != "openid").cloned().collect(),
            callback: RedirectUrl::new(format!("{at}/sign-in/callback"))?,
            home: format!("{at}/sign-in"),
            http: Http(HttpClient::builder(TokioExecutor::new()).build(connector)),
            known: Mutex::default(),
            renewals: Mutex::default(),
        }))
    }

    /// Its origin: pages may send people there.
    pub(crate) fn origin(&self) -> String {
        self.issuer.url().origin().ascii_serialization()
    }

    /// What the provider says of itself.
    fn metadata(&self) -> BoxFuture<'_, anyhow::Result<Arc<ProviderMetadataWithLogout>>> {
        Box::pin(self.metadata_now())
    }

    async fn metadata_now(&self) -> anyhow::Result<Arc<ProviderMetadataWithLogout>> {
        let mut known = self.known.lock().await;
        if let Some((asked, metadata)) = known.as_ref()
            && asked.elapsed() < KNOWN_FOR
        {
            return Ok(Arc::clone(metadata));
        }
        let metadata = ProviderMetadataWithLogout::discover_async(self.issuer.clone(), &self.http).await;
        let metadata = Arc::new(metadata.context("the identity provider does not say who it is")?);
        *known = Some((Instant::now(), Arc::clone(&metadata)));
        Ok(metadata)
    }

    fn client(&self, metadata: &ProviderMetadataWithLogout) -> OidcClient {
        let (id, secret) = (self.client_id.clone(), self.secret.clone());
        CoreClient::from_provider_metadata(metadata.clone(), id, secret)
            .set_redirect_uri(self.callback.clone())
    }

    /// Where to send somebody, and what to keep until they come back.
    pub(crate) async fn begin(&self, back: &str, now: i64) -> anyhow::Result<(String, Attempt)> {
        let metadata = self.metadata().await?;
        let client = self.client(&metadata);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let mut request = client.authorize_url(flow, CsrfToken::new_random, Nonce::new_random);
        for scope in &self.scopes {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        let (url, state, nonce) = request.set_pkce_challenge(challenge).url();
        let attempt = Attempt {
            state: state.into_secret(),
            nonce: nonce.secret().clone(),
            verifier: verifier.into_secret(),
            back: back.to_owned(),
            begun: now,
        };
        Ok((url.into(), attempt))
    }

    /// Who came back with a code.
    pub(crate) async fn finish(&self, attempt: &Attempt, code: String, now: i64) -> anyhow::Result<Person> {
        let metadata = self.metadata().await?;
        let client = self.client(&metadata);
        let asked: TokenRequest<'_> = Box::pin(
            client
                .exchange_code(AuthorizationCode::new(code))?
                .set_pkce_verifier(PkceCodeVerifier::new(attempt.verifier.clone()))
                .request_async(&self.http),
        );
        let answer = asked.await.context("the identity provider does not take the code")?;
        let identity = answer.id_token().context("the identity provider gives no identity token")?;
        let claims = identity
            .claims(&client.id_token_verifier(), &Nonce::new(attempt.nonce.clone()))
            .context("the identity token is not to be believed")?;
        let name = claims.name().and_then(|names| names.get(None)).map(|name| name.as_str().to_owned());
        let short = claims.preferred_username().map(|name| name.as_str().to_owned());
        let tokens = tokens(&answer, None, now);
        let access =
            Claims::of(&tokens.access).context("the access token is no JWT, so no service believes it")?;
        let name = name.or(short).unwrap_or_else(|| access.sub.clone());
        Ok(Person { subject: access.sub, name, roles: access.roles, tokens: Some(tokens) })
    }

    /// The next tokens. Pages that come with the same one share what it is renewed to.
    pub(crate) async fn renew(&self, old: &Tokens, refresh: &str, now: i64) -> Result<Tokens, Refused> {
        let key: [u8; 32] = Sha256::digest(refresh.as_bytes()).into();
        let renewal = {
            let mut renewals = self.renewals.lock().await;
            renewals.retain(|_, (begun, _)| begun.elapsed() < SHARED_FOR);
            Arc::clone(&renewals.entry(key).or_insert_with(|| (Instant::now(), Renewal::default())).1)
        };
        let renewed = renewal.get_or_init(|| self.renew_once(old, refresh, now)).await.clone();
        if renewed == Err(Refused::Away) {
            self.renewals.lock().await.remove(&key);
        }
        renewed
    }

    async fn renew_once(&self, old: &Tokens, refresh: &str, now: i64) -> Result<Tokens, Refused> {
        let away = |error: anyhow::Error| {
            tracing::warn!(error = format!("{error:#}"), "a session cannot be renewed now");
            Refused::Away
        };
        let metadata = self.metadata().await.map_err(away)?;
        let client = self.client(&metadata);
        let token = RefreshToken::new(refresh.to_owned());
        let request = client.exchange_refresh_token(&token).map_err(|error| away(error.into()))?;
        let asked: TokenRequest<'_> = Box::pin(request.request_async(&self.http));
        match asked.await {
            Ok(answer) => Ok(tokens(&answer, Some(old), now)),
            Err(RequestTokenError::ServerResponse(refusal)) => {
                tracing::info!(%refusal, "the identity provider has ended a session");
                Err(Refused::Ended)
            }
            Err(error) => Err(away(error.into())),
        }
    }

    /// Where somebody signs out at the provider too; none where it has no such place.
    pub(crate) async fn end(&self, tokens: &Tokens) -> Option<String> {
        let metadata = self.metadata().await.ok()?;
        let mut url = metadata.additional_metadata().end_session_endpoint.as_ref()?.url().clone();
        let mut query = url.query_pairs_mut();
        query.append_pair("client_id", &self.client_id).append_pair("post_logout_redirect_uri", &self.home);
        if let Some(identity) = &tokens.identity {
            query.append_pair("id_token_hint", identity);
        }
        drop(query);
        Some(url.into())
    }
}

/// What of an answer is kept; what it leaves out stays as it was.
fn tokens(answer: &CoreTokenResponse, old: Option<&Tokens>, now: i64) -> Tokens {
    let access = answer.access_token().secret().clone();
    let lasts = answer.expires_in().and_then(|lasts| i64::try_from(lasts.as_secs()).ok());
    let told = Claims::of(&access).and_then(|claims| claims.exp);
    let expires = lasts.map(|lasts| now + lasts).or(told).unwrap_or(now + USUAL_SECONDS);
    let kept = |of: fn(&Tokens) -> &Option<String>| old.and_then(|old| of(old).clone());
    Tokens {
        refresh: answer
            .refresh_token()
            .map(|token| token.secret().clone())
            .or_else(|| kept(|old| &old.refresh)),
        identity: answer.id_token().map(ToString::to_string).or_else(|| kept(|old| &old.identity)),
        access,
        expires,
    }
}

/// What an access token says. It is the services that check it: here it only says what to show.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    exp: Option<i64>,
}

impl Claims {
    fn of(token: &str) -> Option<Self> {
        let body = token.split('.').nth(1)?;
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(body).ok()?).ok()
    }
}

/// The authorities of the web, and one more.
fn tls(authority: Option<&[u8]>) -> anyhow::Result<ClientConfig> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for certificate in authority.into_iter().flat_map(CertificateDer::pem_slice_iter) {
        roots.add(certificate.context("REDRESS_CONSOLE_OIDC_CA is no PEM")?)?;
    }
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
