//! Where to call, as whom, and how long to wait.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Uri};
use kernel::{Ids, RandomIds};
use tonic::transport::{self, Channel, ClientTlsConfig, Endpoint, Identity};

/// How long a call may take when its caller does not say.
const DEADLINE: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How soon a dead connection is noticed: it is asked this often, and given this long.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// Where the services are: all behind one address, or some at their own.
#[derive(Clone, Debug)]
pub struct Endpoints {
    default: Uri,
    own: HashMap<String, Uri>,
}

impl Endpoints {
    /// Every service behind one address, as the all-in-one server has them.
    pub fn one(uri: Uri) -> Self {
        Self { default: uri, own: HashMap::new() }
    }

    /// A service, named as in its package (`redress.<service>.v1`), at its own
    /// address.
    #[must_use]
    pub fn with(mut self, service: impl Into<String>, uri: Uri) -> Self {
        self.own.insert(service.into(), uri);
        self
    }
}

/// What a client shows for itself over TLS.
#[derive(Clone)]
pub struct Certificate {
    /// The certificate and what it is signed with, PEM.
    pub chain: Vec<u8>,
    /// Its private key, PEM.
    pub key: Vec<u8>,
}

/// Where to call, as whom, and how long to wait.
#[derive(Clone)]
pub struct ClientOptions {
    /// Where the services are.
    pub endpoints: Endpoints,
    /// Authority that signed the servers' certificates, PEM; needed for https.
    pub ca: Option<Vec<u8>>,
    /// Certificate that says who calls.
    pub certificate: Option<Certificate>,
    /// Token that says who calls; sent as `authorization: Bearer`.
    pub token: Option<String>,
    /// Who calls, where the server has no identity source (development); sent as
    /// `redress-subject`.
    pub subject: Option<String>,
    /// How long a call may take, retries included, when it does not say.
    pub deadline: Duration,
    /// Where request ids and jitter come from.
    pub ids: Arc<dyn Ids>,
}

impl ClientOptions {
    /// All services at one address, nobody in particular calling.
    pub fn at(uri: Uri) -> Self {
        Self {
            endpoints: Endpoints::one(uri),
            ca: None,
            certificate: None,
            token: None,
            subject: None,
            deadline: DEADLINE,
            ids: Arc::new(RandomIds),
        }
    }

    /// The headers that say who calls.
    pub(crate) fn headers(&self) -> Result<HeaderMap, ConnectError> {
        let mut headers = HeaderMap::new();
        if let Some(token) = &self.token {
            headers.insert(http::header::AUTHORIZATION, bearer(token)?);
        }
        if let Some(subject) = &self.subject {
            headers.insert("redress-subject", header(subject, "subject")?);
        }
        Ok(headers)
    }

    /// The channels, none of them connected yet.
    pub(crate) fn channels(&self) -> Result<Channels, ConnectError> {
        let default = self.endpoint(&self.endpoints.default)?;
        let mut own = HashMap::new();
        for (service, uri) in &self.endpoints.own {
            own.insert(service.clone(), self.endpoint(uri)?.connect_lazy());
        }
        Ok(Channels { default: default.connect_lazy(), own })
    }

    /// Connects to the default address once, to see that somebody is there.
    pub(crate) async fn knock(&self) -> Result<Channel, ConnectError> {
        let uri = &self.endpoints.default;
        self.endpoint(uri)?
            .connect()
            .await
            .map_err(|source| ConnectError::Unreachable { uri: uri.clone(), source })
    }

    fn endpoint(&self, uri: &Uri) -> Result<Endpoint, ConnectError> {
        let wrong = |source| ConnectError::Address { uri: uri.clone(), source };
        let endpoint = Endpoint::from_shared(uri.to_string())
            .map_err(wrong)?
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
            .keep_alive_while_idle(true);
        match uri.scheme_str() {
            Some("https") => endpoint.tls_config(self.tls()?).map_err(wrong),
            Some("http") => Ok(endpoint),
            _ => Err(ConnectError::Scheme { uri: uri.clone() }),
        }
    }

    fn tls(&self) -> Result<ClientTlsConfig, ConnectError> {
        let ca = self.ca.as_ref().ok_or(ConnectError::Authority)?;
        let tls = ClientTlsConfig::new().ca_certificate(transport::Certificate::from_pem(ca));
        Ok(match &self.certificate {
            Some(Certificate { chain, key }) => tls.identity(Identity::from_pem(chain, key)),
            None => tls,
        })
    }
}

/// What a token is shown as.
pub(crate) fn bearer(token: &str) -> Result<HeaderValue, ConnectError> {
    let mut value = header(&format!("Bearer {token}"), "token")?;
    value.set_sensitive(true);
    Ok(value)
}

fn header(text: &str, what: &'static str) -> Result<HeaderValue, ConnectError> {
    HeaderValue::from_str(text).map_err(|_| ConnectError::Header { what })
}

/// A channel for each service that has one of its own, and one for the rest.
#[derive(Clone)]
pub(crate) struct Channels {
    pub(crate) default: Channel,
    pub(crate) own: HashMap<String, Channel>,
}

impl Channels {
    pub(crate) fn of(&self, service: Option<&str>) -> Channel {
        service.and_then(|service| self.own.get(service)).unwrap_or(&self.default).clone()
    }
}

/// Why a client cannot call.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address is neither http nor https.
    #[error("the address of a server begins with http:// or https://, unlike {uri}")]
    Scheme {
        /// The address.
        uri: Uri,
    },
    /// The address, or what TLS needs for it, is wrong.
    #[error("{uri} cannot be called")]
    Address {
        /// The address.
        uri: Uri,
        /// What is wrong.
        source: transport::Error,
    },
    /// Nobody is there.
    #[error("nothing answers at {uri}")]
    Unreachable {
        /// The address.
        uri: Uri,
        /// What happened instead.
        source: transport::Error,
    },
    /// An https address without the authority of its certificate.
    #[error("an https address needs the authority that signed its certificate")]
    Authority,
    /// A text that cannot be a header.
    #[error("the {what} has characters that cannot be sent")]
    Header {
        /// Which text.
        what: &'static str,
    },
}
