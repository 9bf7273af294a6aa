//! What every page works with.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use client::{Client, ClientOptions, Endpoints};
use http::HeaderValue;
use kernel::Clock;
use server::Settings;
use tonic::Status;

use crate::assets::Assets;
use crate::guest::Allowances;
use crate::seal::Seals;
use crate::session::Person;
use crate::sign_in::Provider;

/// How long a call of a page may take, tries again included: a person waits.
const DEADLINE: Duration = Duration::from_secs(8);

/// What every page works with; its copies are the same.
#[derive(Clone)]
pub(crate) struct App(Arc<Inner>);

/// See [`App`].
pub(crate) struct Inner {
    client: Client,
    /// Path all pages are below; empty, or without a slash at its end.
    pub(crate) base: String,
    /// Its address as browsers see it, `https://desk.example.org`, where it is set.
    pub(crate) url: Option<String>,
    /// Whether browsers reach it over TLS.
    pub(crate) is_secure: bool,
    /// Whether people choose whom to be.
    pub(crate) is_development: bool,
    /// Longest a session lasts.
    pub(crate) session: Duration,
    pub(crate) seals: Seals,
    pub(crate) assets: Assets,
    pub(crate) clock: Arc<dyn Clock>,
    /// What pages may do, as browsers are told.
    pub(crate) policy: HeaderValue,
    /// Where people sign in; none where they choose whom to be.
    pub(crate) provider: Option<Provider>,
    /// What strangers do, by address.
    pub(crate) guests: Allowances,
    /// How many proxies tell who called them.
    pub(crate) proxies: u8,
    /// The file of the token that complainants' pages call with.
    channel_token: Option<PathBuf>,
}

impl Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl App {
    /// Puts it together.
    pub(crate) async fn open(
        settings: &Settings,
        services: Endpoints,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let console = &settings.console;
        let ca = match &settings.peers.ca {
            Some(path) => Some(tokio::fs::read(path).await.context("REDRESS_PEER_CA")?),
            None => None,
        };
        let local = http::Uri::from_static("http://127.0.0.1");
        let options =
            ClientOptions { endpoints: services, ca, deadline: DEADLINE, ..ClientOptions::at(local) };
        let is_secure = console.is_secure(&settings.identity);
        let url = console.url.as_ref().map(|url| url.to_string().trim_end_matches('/').to_owned());
        let at = format!("{}{}", url.as_deref().unwrap_or_default(), console.base_path);
        let provider = Provider::open(settings, &at).await?;
        let policy = crate::headers::policy(provider.as_ref().map(Provider::origin).as_deref())?;
        Ok(Self(Arc::new(Inner {
            client: Client::lazy(options).context("the services' addresses cannot be used")?,
            base: console.base_path.clone(),
            url,
            is_secure,
            is_development: console.is_development(),
            session: Duration::from_secs(u64::from(console.session_hours) * 3600),
            seals: Seals::of(&console.keys())?,
            assets: Assets::new(),
            clock,
            policy,
            provider,
            guests: Allowances::new(),
            proxies: console.proxies,
            channel_token: console.token_file.clone(),
        })))
    }

    /// A path of this site, below the base path.
    pub(crate) fn path(&self, path: &str) -> String {
        // The home of a site below a path is that path, without a slash.
        if path == "/" && !self.base.is_empty() { self.base.clone() } else { format!("{}{path}", self.base) }
    }

    /// Whether complainants' pages are served.
    pub(crate) fn serves_complainants(&self) -> bool {
        self.is_development || self.channel_token.is_some()
    }

    /// Seconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now().as_second()
    }

    /// The services, called on by this person with their own rights.
    pub(crate) fn client_of(&self, person: &Person) -> Result<Client, Status> {
        let client = match &person.tokens {
            Some(tokens) => self.client.bearing(&tokens.access),
            None => self.client.speaking_as(&person.subject),
        };
        client.map_err(|_| Status::unauthenticated("the session names nobody who can call"))
    }

    /// The services, called on for complainants, who are nobody here; none where these pages
    /// are not served.
    pub(crate) async fn client_of_nobody(&self) -> Option<Client> {
        if self.is_development {
            return self.client.speaking_as("console").ok();
        }
        // Read each time: it is renewed in place.
        let token = tokio::fs::read_to_string(self.channel_token.as_ref()?).await;
        let token = token.inspect_err(|error| {
            tracing::warn!(%error, "the token of complainants' pages cannot be read");
        });
        self.client.bearing(token.ok()?.trim()).ok()
    }
}
