//! The keys tokens are signed with: a JSON Web Key Set in a file or behind a URL,
//! read again when a token names a key that is not known.

use std::path::PathBuf;
use std::str::FromStr as _;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use fault::{Fault, Kind};
use http::{Request, Uri};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use tokio::sync::Mutex;

use super::unauthenticated;

/// Unknown keys cause no more than one reading in this time: anyone can name one.
const REFRESH_PAUSE: Duration = Duration::from_secs(10);
/// Longest wait for the key set.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
/// Largest key set.
const MAX_KEY_SET: usize = 1024 * 1024;
/// When a caller may come back while there are no keys at all.
const RETRY: Duration = Duration::from_secs(5);

/// One key, and what it may have signed with.
pub(super) struct Key {
    id: Option<String>,
    pub(super) decoding: DecodingKey,
    pub(super) validation: Validation,
}

/// The keys known now.
pub(super) struct Keys {
    origin: Origin,
    known: RwLock<Vec<Arc<Key>>>,
    /// When they were last asked for because of an unknown key.
    asked: Mutex<Option<Instant>>,
}

enum Origin {
    File(PathBuf),
    Url(Uri, Box<Client<HttpsConnector<HttpConnector>, Empty<Bytes>>>),
}

impl Keys {
    /// Reads the keys. A file must be there; the server behind a URL may come up
    /// later.
    pub(super) async fn open(jwks: &str) -> anyhow::Result<Self> {
        let origin = Origin::of(jwks)?;
        let read = origin.read().await;
        let known = match (&origin, read) {
            (_, Ok(keys)) => keys,
            (Origin::File(_), Err(error)) => {
                return Err(error.context(format!("REDRESS_JWKS must name a key set, unlike {jwks}")));
            }
            (Origin::Url(..), Err(error)) => {
                tracing::warn!(error = format!("{error:#}"), "no keys yet to check tokens with");
                Vec::new()
            }
        };
        Ok(Self { origin, known: RwLock::new(known), asked: Mutex::default() })
    }

    /// The key a token names; if it is not known, after asking for it.
    pub(super) async fn find(&self, id: Option<&str>) -> Result<Arc<Key>, Fault> {
        if let Some(key) = self.look_up(id) {
            return Ok(key);
        }
        // The lock lets one ask and the others wait for its answer.
        let mut asked = self.asked.lock().await;
        if asked.is_none_or(|asked| asked.elapsed() >= REFRESH_PAUSE) {
            self.refresh().await;
            *asked = Some(Instant::now());
        }
        drop(asked);
        self.look_up(id).ok_or_else(|| self.unknown())
    }

    /// Reads the keys again; keeps those there are if that fails.
    pub(super) async fn refresh(&self) {
        match self.origin.read().await {
            Ok(keys) => *self.known.write().unwrap_or_else(PoisonError::into_inner) = keys,
            Err(error) => {
                tracing::warn!(
                    error = format!("{error:#}"),
                    "the keys tokens are checked with cannot be read"
                );
            }
        }
    }

    fn look_up(&self, id: Option<&str>) -> Option<Arc<Key>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        match (id, known.as_slice()) {
            (Some(id), keys) => keys.iter().find(|key| key.id.as_deref() == Some(id)).cloned(),
            // A token that names no key can only mean the only one.
            (None, [only]) => Some(Arc::clone(only)),
            (None, _) => None,
        }
    }

    fn unknown(&self) -> Fault {
        if self.known.read().unwrap_or_else(PoisonError::into_inner).is_empty() {
            let sentence = "callers cannot be verified just now; try again";
            return Fault::new(Kind::Unavailable, "KEYS_UNAVAILABLE", sentence).retry_after(RETRY);
        }
        unauthenticated("the token is signed with a key that is not known")
    }
}

impl Origin {
    fn of(jwks: &str) -> anyhow::Result<Self> {
        if !jwks.starts_with("http://") && !jwks.starts_with("https://") {
            return Ok(Self::File(jwks.into()));
        }
        let uri = jwks.parse().with_context(|| format!("REDRESS_JWKS is no valid URL: {jwks}"))?;
        let connector =
            HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().build();
        Ok(Self::Url(uri, Box::new(Client::builder(TokioExecutor::new()).build(connector))))
    }

    async fn read(&self) -> anyhow::Result<Vec<Arc<Key>>> {
        match self {
            Self::File(path) => parse(&tokio::fs::read(path).await?),
            Self::Url(uri, client) => {
                let fetched = tokio::time::timeout(FETCH_TIMEOUT, fetch(client, uri));
                parse(&fetched.await.context("the key set did not come in time")??)
            }
        }
    }
}

async fn fetch(
    client: &Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    uri: &Uri,
) -> anyhow::Result<Bytes> {
    let request = Request::get(uri).header(http::header::ACCEPT, "application/json").body(Empty::new())?;
    let response = client.request(request).await?;
    ensure!(response.status().is_success(), "{uri} answered {}", response.status());
    match Limited::new(response.into_body(), MAX_KEY_SET).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) => bail!("the key set cannot be read: {error}"),
    }
}

fn parse(json: &[u8]) -> anyhow::Result<Vec<Arc<Key>>> {
    let set: JwkSet = serde_json::from_slice(json).context("it is not a JSON Web Key Set")?;
    let keys: Vec<_> = set.keys.iter().filter_map(usable).map(Arc::new).collect();
    ensure!(!keys.is_empty(), "it holds no key that tokens can be signed with");
    Ok(keys)
}

/// A key for signatures; none if it is for something else or of an unknown kind.
fn usable(jwk: &Jwk) -> Option<Key> {
    if jwk.common.public_key_use.as_ref().is_some_and(|purpose| *purpose != PublicKeyUse::Signature) {
        return None;
    }
    let decoding = DecodingKey::from_jwk(jwk).ok()?;
    let validation = match jwk.common.key_algorithm {
        Some(algorithm) => Validation::new(Algorithm::from_str(&algorithm.to_string()).ok()?),
        None => Validation::new_for_family(decoding.family()),
    };
    Some(Key { id: jwk.common.key_id.clone(), decoding, validation })
}
