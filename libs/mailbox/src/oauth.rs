//! Tokens instead of passwords (OAuth 2.0, RFC 6749), as Microsoft 365 and Google want
//! them for mailboxes.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;
use webhook::{Failure, Post, Reply, Sender, Target};

use crate::arrival::said;

/// Longest that asking for a token may take.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How long before its end a token is not used any more.
const MARGIN: Duration = Duration::from_mins(1);
/// How long a token is used whose end is not told.
const UNTOLD_LIFE: Duration = Duration::from_mins(5);
/// Longest that one is used, whatever is told.
const MAX_LIFE: Duration = Duration::from_hours(24);
/// Longest token, in bytes.
pub const MAX_TOKEN: usize = 8 * 1024;

/// Where tokens come from.
pub trait Token: Send + Sync {
    /// A token that is good now.
    fn token(&self) -> BoxFuture<'_, Result<String, Error>>;

    /// A server did not take this one: the next is to be another.
    fn refused(&self, token: &str) {
        let _ = token;
    }
}

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The server was not reached, or did not answer whole and in time.
    #[error("the token server cannot be asked: {0}")]
    Unreachable(Failure),
    /// It refuses: the client, its secret or what it may do is wrong.
    #[error("the token server refuses: {0}")]
    Refused(String),
    /// It cannot answer now.
    #[error("the token server cannot answer now: {0}")]
    TryLater(String),
    /// It answers what is no token.
    #[error("the token server answers what is no token")]
    NoToken,
    /// The address of the server is not `https://`.
    #[error("tokens are asked for over https only")]
    Insecure,
}

impl Error {
    /// Whether it stays so until somebody changes something.
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Insecure)
    }
}

/// What a token is given for.
#[derive(Clone)]
pub enum Grant {
    /// The client's own right (RFC 6749, 4.4): a service that reads a mailbox nobody is
    /// logged in to.
    ClientCredentials,
    /// A right that somebody gave once (RFC 6749, 6).
    RefreshToken(String),
}

/// Who asks for tokens, and where.
#[derive(Clone)]
pub struct Client {
    /// The server's token endpoint.
    pub endpoint: Target,
    /// The client's name.
    pub client_id: String,
    /// Its secret; empty for a client that has none.
    pub client_secret: String,
    /// What the token is to be good for, e.g. `https://outlook.office365.com/.default`;
    /// empty where the server knows.
    pub scope: String,
    /// What it is given for.
    pub grant: Grant,
}

/// Shows no secret.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("endpoint", &self.endpoint)
            .field("client_id", &self.client_id)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

/// Gets tokens from a server, and keeps each until shortly before it ends.
pub struct Tokens {
    client: Client,
    sender: Sender,
    now: Mutex<Now>,
    /// Whoever comes while a token is asked for waits for that one.
    asking: tokio::sync::Mutex<()>,
}

/// What is known now.
struct Now {
    /// A token and until when it is used.
    token: Option<(String, Instant)>,
    /// Servers may give another with each token.
    refresh: Option<String>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("client", &self.client).finish_non_exhaustive()
    }
}

impl Tokens {
    /// Tokens for a client. The sender says which addresses may be connected to, and whom
    /// is trusted.
    ///
    /// # Errors
    ///
    /// Fails if the server's address is not `https://`.
    pub fn new(client: Client, sender: Sender) -> Result<Self, Error> {
        if !client.endpoint.is_tls() {
            return Err(Error::Insecure);
        }
        let refresh = match &client.grant {
            Grant::ClientCredentials => None,
            Grant::RefreshToken(token) => Some(token.clone()),
        };
        let now = Mutex::new(Now { token: None, refresh });
        Ok(Self { client, sender, now, asking: tokio::sync::Mutex::new(()) })
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn held(&self) -> Option<String> {
        let now = self.now();
        let (token, until) = now.token.as_ref()?;
        (Instant::now() < *until).then(|| token.clone())
    }

    async fn get(&self) -> Result<String, Error> {
        let _asking = self.asking.lock().await;
        if let Some(token) = self.held() {
            return Ok(token);
        }
        let asked = Instant::now();
        let reply = self.sender.post(&self.client.endpoint, self.question()).await;
        let answer = read(&reply.map_err(Error::Unreachable)?)?;
        let life = answer.life().map_or(UNTOLD_LIFE, Duration::from_secs).min(MAX_LIFE);
        let mut now = self.now();
        // One that ends sooner is good for now only.
        now.token = Some((answer.access_token.clone(), asked + life.saturating_sub(MARGIN)));
        if now.refresh.is_some() && answer.refresh_token.is_some() {
            now.refresh = answer.refresh_token;
        }
        Ok(answer.access_token)
    }

    fn question(&self) -> Post {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("client_id", &self.client.client_id);
        for (name, value) in [("client_secret", &self.client.client_secret), ("scope", &self.client.scope)] {
            if !value.is_empty() {
                form.append_pair(name, value);
            }
        }
        match &self.now().refresh {
            None => form.append_pair("grant_type", "client_credentials"),
            Some(token) => {
                form.append_pair("grant_type", "refresh_token").append_pair("refresh_token", token)
            }
        };
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        Post { headers, body: form.finish().into(), timeout: TIMEOUT }
    }
}

impl Token for Tokens {
    fn token(&self) -> BoxFuture<'_, Result<String, Error>> {
        Box::pin(async {
            match self.held() {
                Some(token) => Ok(token),
                None => self.get().await,
            }
        })
    }

    fn refused(&self, token: &str) {
        let mut now = self.now();
        if now.token.as_ref().is_some_and(|(held, _)| held == token) {
            now.token = None;
        }
    }
}

/// A token (RFC 6749, 5.1).
#[derive(Deserialize)]
struct Answer {
    access_token: String,
    /// In seconds: a number, which some servers write as a text.
    #[serde(default)]
    expires_in: Value,
    #[serde(default)]
    refresh_token: Option<String>,
}

impl Answer {
    fn life(&self) -> Option<u64> {
        self.expires_in.as_u64().or_else(|| self.expires_in.as_str()?.parse().ok())
    }
}

/// Refusals that pass.
const PASSING: [&str; 3] = ["temporarily_unavailable", "server_error", "slow_down"];

/// A refusal (RFC 6749, 5.2).
#[derive(Deserialize)]
struct Refusal {
    error: String,
}

fn read(reply: &Reply) -> Result<Answer, Error> {
    match reply.status {
        200 => {}
        400 | 401 => {
            let refusal: Result<Refusal, _> = serde_json::from_slice(&reply.body);
            // Its description may repeat what was sent.
            let error = refusal.map_or_else(|_| reply.status.to_string(), |refusal| said(&refusal.error));
            let is_passing = PASSING.contains(&error.as_str());
            return Err(if is_passing { Error::TryLater(error) } else { Error::Refused(error) });
        }
        status => return Err(Error::TryLater(status.to_string())),
    }
    let answer: Answer = serde_json::from_slice(&reply.body).map_err(|_| Error::NoToken)?;
    let is_token =
        !answer.access_token.is_empty() && answer.access_token.bytes().all(|byte| byte.is_ascii_graphic());
    if is_token && answer.access_token.len() <= MAX_TOKEN { Ok(answer) } else { Err(Error::NoToken) }
}
