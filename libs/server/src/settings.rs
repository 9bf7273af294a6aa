//! What can be set from outside: environment variables and flags, few, each with
//! a default that works. Nothing else in the house reads the environment, but for
//! the standard `OTEL_*` variables, which [`crate::telemetry`] honours.

mod console;
mod drops;
mod mails;
mod notices;
mod objects;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context as _, bail, ensure};
use clap::{Args, ValueEnum};
use http::{HeaderValue, Uri};
use kernel::TenantId;
use webhook::{Network, Networks, Sender};

pub use console::ConsoleSettings;
pub(crate) use drops::DropSettings;
pub use mails::MailProtocol;
pub(crate) use mails::MailSettings;
pub(crate) use notices::NoticeSettings;
pub use objects::ObjectSettings;

/// Where Postgres is when nothing says so: the local one, with the user, host and
/// port of libpq's `PG*` variables.
const LOCAL_DATABASE: &str = "postgres:///redress";
const SENDER: &str = "Redress <redress@localhost>";
/// Fewer than the files that most systems let a process open.
const MAX_CONNECTIONS: u32 = 768;
/// A third of them: one address does not shut out the others.
const MAX_CONNECTIONS_PER_ADDRESS: u32 = 256;
/// The tenant whose callers may bear the role `platform` when nothing says otherwise.
const PLATFORM_TENANT: &str = "platform";

/// A value that must not be seen: it shows in no log and no help.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The value itself, for the one who needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self(value)
    }
}

impl FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(value: &str) -> Result<Self, Self::Err> {
        Ok(Self(value.to_owned()))
    }
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// For machines: one JSON object a line.
    Json,
}

/// Every setting of a Redress server.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Server")]
pub struct Settings {
    /// Address to listen on; the loopback and the service's own port by default
    #[arg(long, env = "REDRESS_LISTEN")]
    pub listen: Option<SocketAddr>,
    /// Postgres to keep everything in; the local one by default
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<Secret>,
    /// Most connections to Postgres, per service
    #[arg(long, env = "REDRESS_DB_CONNECTIONS", default_value_t = 10,
          value_parser = clap::value_parser!(u32).range(2..=1000))]
    pub db_connections: u32,
    /// How far this machine's clock may be from the database's, in milliseconds; beyond,
    /// the server is not ready and does nothing
    #[arg(long, env = "REDRESS_MAX_CLOCK_SKEW_MS", default_value_t = 2_000,
          value_parser = clap::value_parser!(u32).range(1..=3_600_000))]
    pub max_clock_skew_ms: u32,
    /// Most calls worked on at once; more are refused, not queued
    #[arg(long, env = "REDRESS_MAX_IN_FLIGHT", default_value_t = 1024,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_in_flight: u32,
    /// Most connections of clients at once; more are closed as they come
    #[arg(long, env = "REDRESS_MAX_CONNECTIONS", default_value_t = MAX_CONNECTIONS,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_connections: u32,
    /// Most of them from one address (of IPv6, from one /64); the loopback is exempt,
    /// where a proxy may speak for everybody
    #[arg(long, env = "REDRESS_MAX_CONNECTIONS_PER_ADDRESS", default_value_t = MAX_CONNECTIONS_PER_ADDRESS,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_connections_per_address: u32,
    /// How many processes like this one share the database: with all of them, the
    /// connections must fit what Postgres allows, or none starts
    #[arg(long, env = "REDRESS_REPLICAS", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub replicas: u32,
    /// Largest message received or sent
    #[arg(long, env = "REDRESS_MAX_MESSAGE_BYTES", default_value_t = 4_194_304,
          value_parser = clap::value_parser!(u32).range(1024..=1_073_741_824))]
    pub max_message_bytes: u32,
    /// Longest that calls in flight may take to end once the server is told to stop
    #[arg(long, env = "REDRESS_DRAIN_SECONDS", default_value_t = 20,
          value_parser = clap::value_parser!(u32).range(0..=3600))]
    pub drain_seconds: u32,
    /// Threads that work; all cores but one by default, which is left to Postgres and
    /// the callers
    #[arg(long, env = "REDRESS_THREADS", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// What to log, e.g. `info,pg=debug`
    #[arg(long, env = "REDRESS_LOG", default_value = "info")]
    pub log: String,
    /// How to log; JSON unless standard error is a terminal
    #[arg(long, env = "REDRESS_LOG_FORMAT")]
    pub log_format: Option<LogFormat>,
    /// Origins whose pages may call over gRPC-Web, e.g. `https://desk.example.org`
    #[arg(long, env = "REDRESS_WEB_ORIGINS", value_delimiter = ',', value_parser = origin)]
    pub web_origins: Vec<HeaderValue>,
    /// Who may call, and how they prove it.
    #[command(flatten)]
    pub identity: IdentitySettings,
    /// Where the other services are.
    #[command(flatten)]
    pub peers: PeerSettings,
    /// Key that receipt codes are derived from (intake), at least 16 characters
    #[arg(long, env = "REDRESS_RECEIPT_KEY", hide_env_values = true, help_heading = "Services")]
    pub receipt_key: Option<Secret>,
    /// Where clamd is, which scans attachments before they can be fetched (intake), as
    /// `host:3310` or `unix:/run/clamav/clamd.ctl`; without it nothing is scanned
    #[arg(long, env = "REDRESS_CLAMD", help_heading = "Services")]
    pub clamd: Option<String>,
    /// Where attachments lie beside the database (intake).
    #[command(flatten)]
    pub objects: ObjectSettings,
    /// Mail server notices leave through (feedback), e.g. `smtp://user:secret@host:587`
    #[arg(long, env = "REDRESS_SMTP_URL", hide_env_values = true, help_heading = "Services")]
    pub smtp_url: Option<Secret>,
    /// Folder of compiled time zones to count by instead of the bundled ones (cases), as
    /// `/usr/share/zoneinfo`
    #[arg(long, env = "REDRESS_TIME_ZONES", help_heading = "Services")]
    pub time_zones: Option<PathBuf>,
    /// Sender of notices (feedback)
    #[arg(long, env = "REDRESS_MAIL_FROM", default_value = SENDER, help_heading = "Services")]
    pub mail_from: String,
    /// Further addresses of ours (feedback), which are not written to: the mailbox that
    /// complaints are read from; `@desk.example.org` means all of a domain
    #[arg(long, env = "REDRESS_MAIL_OWN", value_delimiter = ',', value_parser = own_address,
          help_heading = "Services")]
    pub mail_own: Vec<String>,
    /// How notices leave but by mail (feedback).
    #[command(flatten)]
    pub notices: NoticeSettings,
    /// How mails arrive (intake), and answers to notices (feedback).
    #[command(flatten)]
    pub mails: MailSettings,
    /// Where files of complaints are put into (intake).
    #[command(flatten)]
    pub drops: DropSettings,
    /// Networks that departments' endpoints (resolution), servers that notices and events are
    /// posted to (feedback) and mailboxes (intake) may be in, beside the public internet, e.g. `10.20.0.0/16`; there they
    /// need no encryption
    #[arg(long, env = "REDRESS_ENDPOINT_NETWORKS", value_delimiter = ',', help_heading = "Services")]
    pub endpoint_networks: Vec<Network>,
    /// Authority of them, PEM, beside those of the web
    #[arg(long, env = "REDRESS_ENDPOINT_CA", help_heading = "Services")]
    pub endpoint_ca: Option<PathBuf>,
    /// Where people work.
    #[command(flatten)]
    pub console: ConsoleSettings,
}

/// Who may call, and how they prove it.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "TLS and identity")]
pub struct IdentitySettings {
    /// Certificate chain of this server, PEM
    #[arg(long, env = "REDRESS_TLS_CERT")]
    pub tls_cert: Option<PathBuf>,
    /// Private key of the certificate, PEM
    #[arg(long, env = "REDRESS_TLS_KEY")]
    pub tls_key: Option<PathBuf>,
    /// Authority whose client certificates identify callers, PEM
    #[arg(long, env = "REDRESS_TLS_CLIENT_CA")]
    pub tls_client_ca: Option<PathBuf>,
    /// File or http(s) URL of the key set that callers' tokens are signed with
    #[arg(long, env = "REDRESS_JWKS")]
    pub jwks: Option<String>,
    /// Issuer that tokens must name; needed to listen on any address but loopback
    #[arg(long, env = "REDRESS_JWT_ISSUER")]
    pub jwt_issuer: Option<String>,
    /// Audience that tokens must name; needed to listen on any address but loopback
    #[arg(long, env = "REDRESS_JWT_AUDIENCE")]
    pub jwt_audience: Option<String>,
    /// Tenants whose callers may bear the role `platform`; borne by others it means nothing
    #[arg(long, env = "REDRESS_PLATFORM_TENANTS", value_delimiter = ',', default_value = PLATFORM_TENANT,
          value_parser = tenant)]
    pub platform_tenants: Vec<TenantId>,
}

/// Where the other services are, and how to reach them.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Peers")]
pub struct PeerSettings {
    /// Where intake is
    #[arg(long = "peer-intake", env = "REDRESS_PEER_INTAKE", default_value = "http://127.0.0.1:50051")]
    pub intake: Uri,
    /// Where cases is
    #[arg(long = "peer-cases", env = "REDRESS_PEER_CASES", default_value = "http://127.0.0.1:50052")]
    pub cases: Uri,
    /// Where assignment is
    #[arg(
        long = "peer-assignment",
        env = "REDRESS_PEER_ASSIGNMENT",
        default_value = "http://127.0.0.1:50053"
    )]
    pub assignment: Uri,
    /// Where resolution is
    #[arg(
        long = "peer-resolution",
        env = "REDRESS_PEER_RESOLUTION",
        default_value = "http://127.0.0.1:50054"
    )]
    pub resolution: Uri,
    /// Where feedback is
    #[arg(long = "peer-feedback", env = "REDRESS_PEER_FEEDBACK", default_value = "http://127.0.0.1:50055")]
    pub feedback: Uri,
    /// Authority that signed the peers' certificates, PEM; needed for https peers
    #[arg(long = "peer-ca", env = "REDRESS_PEER_CA")]
    pub ca: Option<PathBuf>,
    /// File with the token this service shows its peers, of role `platform`; read at
    /// each subscription
    #[arg(long = "peer-token-file", env = "REDRESS_PEER_TOKEN_FILE")]
    pub token_file: Option<PathBuf>,
}

fn tenant(text: &str) -> Result<TenantId, String> {
    TenantId::parse(text).map_err(|error| error.to_string())
}

/// An origin as browsers name it: scheme, host and port, and nothing more.
fn origin(text: &str) -> Result<HeaderValue, String> {
    let uri = text.parse::<Uri>().ok();
    let plain = uri.and_then(|uri| Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?)));
    HeaderValue::from_str(text)
        .ok()
        .filter(|_| plain.as_deref() == Some(text))
        .ok_or_else(|| "an origin has the form https://host or https://host:port".to_owned())
}

/// An address, or `@` and a domain.
fn own_address(text: &str) -> Result<String, String> {
    let is_one = text.rsplit_once('@').is_some_and(|(_, domain)| !domain.is_empty());
    let plain = !text.contains(char::is_whitespace);
    if is_one && plain {
        Ok(text.to_owned())
    } else {
        Err("must be an address, or @ and a domain".to_owned())
    }
}

impl Settings {
    /// The database to use.
    pub fn database_url(&self) -> &str {
        self.database_url.as_ref().map_or(LOCAL_DATABASE, Secret::expose)
    }

    /// What servers of others are reached with: departments' endpoints, those that notices
    /// are posted to.
    ///
    /// # Errors
    ///
    /// Fails if the authority cannot be read.
    pub fn endpoint_sender(&self) -> anyhow::Result<Sender> {
        let networks = Networks::new(self.endpoint_networks.iter().copied());
        Sender::new(networks, self.endpoint_authorities()?.as_deref()).context("REDRESS_ENDPOINT_CA")
    }

    /// The authorities that are trusted of servers of others beside those of the web, PEM.
    ///
    /// # Errors
    ///
    /// Fails if they cannot be read.
    pub fn endpoint_authorities(&self) -> anyhow::Result<Option<Vec<u8>>> {
        let read = |path: &PathBuf| {
            std::fs::read(path).with_context(|| format!("REDRESS_ENDPOINT_CA, {}", path.display()))
        };
        self.endpoint_ca.as_ref().map(read).transpose()
    }

    /// How many threads work. Where Postgres has the same cores, one for each is one too
    /// many: they are in its way, and calls that go from thread to thread wake each.
    pub(crate) fn threads(&self) -> usize {
        let spare = || std::thread::available_parallelism().map_or(1, |cores| cores.get() - 1).max(1);
        self.threads.map_or_else(spare, usize::from)
    }

    /// Refuses settings that do not fit together, in one sentence.
    pub(crate) fn check(&self, listen: SocketAddr) -> anyhow::Result<()> {
        let identity = &self.identity;
        ensure!(
            identity.tls_cert.is_some() == identity.tls_key.is_some(),
            "REDRESS_TLS_CERT and REDRESS_TLS_KEY are only of use together"
        );
        ensure!(
            identity.tls_client_ca.is_none() || identity.tls_cert.is_some(),
            "REDRESS_TLS_CLIENT_CA needs REDRESS_TLS_CERT and REDRESS_TLS_KEY: \
             client certificates are shown over TLS"
        );
        ensure!(
            identity.jwks.is_some() || (identity.jwt_issuer.is_none() && identity.jwt_audience.is_none()),
            "REDRESS_JWT_ISSUER and REDRESS_JWT_AUDIENCE need REDRESS_JWKS, the keys tokens are checked with"
        );
        if !identity.is_configured() && !listen.ip().is_loopback() {
            bail!(
                "without REDRESS_JWKS or REDRESS_TLS_CLIENT_CA nobody can be told apart, \
                 so the server listens on a loopback address only, not on {listen}"
            );
        }
        if identity.jwks.is_some() && !listen.ip().is_loopback() {
            ensure!(
                identity.jwt_issuer.is_some() && identity.jwt_audience.is_some(),
                "to listen on {listen} and believe tokens, REDRESS_JWT_ISSUER and REDRESS_JWT_AUDIENCE must say \
                 whose tokens and meant for whom: a key set vouches for tokens of other applications too"
            );
        }
        self.peers.check()
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: None,
            database_url: None,
            db_connections: 10,
            max_clock_skew_ms: 2_000,
            max_in_flight: 1024,
            max_connections: MAX_CONNECTIONS,
            max_connections_per_address: MAX_CONNECTIONS_PER_ADDRESS,
            replicas: 1,
            max_message_bytes: 4_194_304,
            drain_seconds: 20,
            threads: None,
            log: "info".to_owned(),
            log_format: None,
            web_origins: Vec::new(),
            identity: IdentitySettings::default(),
            peers: PeerSettings::default(),
            receipt_key: None,
            clamd: None,
            objects: ObjectSettings::default(),
            smtp_url: None,
            time_zones: None,
            mail_from: SENDER.to_owned(),
            mail_own: Vec::new(),
            notices: NoticeSettings::default(),
            mails: MailSettings::default(),
            drops: DropSettings::default(),
            endpoint_networks: Vec::new(),
            endpoint_ca: None,
            console: ConsoleSettings::default(),
        }
    }
}

impl Default for IdentitySettings {
    fn default() -> Self {
        Self {
            tls_cert: None,
            tls_key: None,
            tls_client_ca: None,
            jwks: None,
            jwt_issuer: None,
            jwt_audience: None,
            platform_tenants: TenantId::parse(PLATFORM_TENANT).into_iter().collect(),
        }
    }
}

impl IdentitySettings {
    /// Whether callers can prove who they are; otherwise everyone is the
    /// development caller.
    pub fn is_configured(&self) -> bool {
        self.jwks.is_some() || self.tls_client_ca.is_some()
    }
}

impl PeerSettings {
    /// Where a service is.
    pub(crate) fn uri(&self, service: &str) -> Option<&Uri> {
        self.all().into_iter().find_map(|(name, uri)| (name == service).then_some(uri))
    }

    /// Each service by its name, and where it is.
    pub fn all(&self) -> [(&'static str, &Uri); 5] {
        [
            ("intake", &self.intake),
            ("cases", &self.cases),
            ("assignment", &self.assignment),
            ("resolution", &self.resolution),
            ("feedback", &self.feedback),
        ]
    }

    fn check(&self) -> anyhow::Result<()> {
        for (name, uri) in self.all() {
            let variable = name.to_uppercase();
            match uri.scheme_str() {
                Some("http") => {}
                Some("https") => ensure!(
                    self.ca.is_some(),
                    "REDRESS_PEER_{variable} is https, so REDRESS_PEER_CA must name the authority of its certificate"
                ),
                _ => bail!("REDRESS_PEER_{variable} must begin with http:// or https://, unlike {uri}"),
            }
        }
        Ok(())
    }
}

impl Default for PeerSettings {
    fn default() -> Self {
        let local = |address: &'static str| Uri::from_static(address);
        Self {
            intake: local("http://127.0.0.1:50051"),
            cases: local("http://127.0.0.1:50052"),
            assignment: local("http://127.0.0.1:50053"),
            resolution: local("http://127.0.0.1:50054"),
            feedback: local("http://127.0.0.1:50055"),
            ca: None,
            token_file: None,
        }
    }
}
