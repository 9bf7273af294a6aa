//! Where the events of other services come from: the feed in this process, or the
//! peer that serves it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use events::{Authorization, Feed, Follow, GrpcSource, LocalSource, Source};
use tonic::metadata::MetadataValue;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use crate::settings::Settings;

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// How often a silent connection is probed, so that a lost peer is noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// The sources of events, by service: overridden, in this process, or at a peer.
pub(crate) struct Sources<'a> {
    pub(crate) given: &'a HashMap<&'static str, Arc<dyn Source>>,
    pub(crate) feeds: &'a [Arc<Feed>],
    pub(crate) settings: &'a Settings,
}

impl Sources<'_> {
    /// Every source that is followed.
    pub(crate) fn of(&self, follows: &[Follow]) -> anyhow::Result<HashMap<&'static str, Arc<dyn Source>>> {
        let mut sources = HashMap::new();
        for follow in follows {
            sources.insert(follow.source, self.source(follow.source)?);
        }
        Ok(sources)
    }

    fn source(&self, name: &'static str) -> anyhow::Result<Arc<dyn Source>> {
        if let Some(given) = self.given.get(name) {
            return Ok(Arc::clone(given));
        }
        if let Some(feed) = self.feeds.iter().find(|feed| feed.source() == name) {
            return Ok(Arc::new(LocalSource(Arc::clone(feed))));
        }
        let channel = channel(name, self.settings)?;
        Ok(Arc::new(GrpcSource::new(name, channel, authorization(self.settings))))
    }
}

/// A connection to a peer, made when it is first used.
fn channel(name: &str, settings: &Settings) -> anyhow::Result<Channel> {
    let uri = settings.peers.uri(name).with_context(|| format!("no peer is known by the name {name}"))?;
    let endpoint = Endpoint::from(uri.clone())
        .connect_timeout(CONNECT)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_while_idle(true);
    if uri.scheme_str() != Some("https") {
        return Ok(endpoint.connect_lazy());
    }
    let tls = client_tls(settings)?;
    Ok(endpoint.tls_config(tls).context("the TLS settings for peers")?.connect_lazy())
}

/// Peers are checked against their authority, and shown our own certificate.
fn client_tls(settings: &Settings) -> anyhow::Result<ClientTlsConfig> {
    let mut tls = ClientTlsConfig::new();
    if let Some(ca) = &settings.peers.ca {
        tls = tls.ca_certificate(Certificate::from_pem(read("REDRESS_PEER_CA", ca)?));
    }
    if let (Some(cert), Some(key)) = (&settings.identity.tls_cert, &settings.identity.tls_key) {
        tls = tls.identity(own_identity(cert, key)?);
    }
    Ok(tls)
}

/// This server's certificate and key.
pub(crate) fn own_identity(cert: &Path, key: &Path) -> anyhow::Result<Identity> {
    Ok(Identity::from_pem(read("REDRESS_TLS_CERT", cert)?, read("REDRESS_TLS_KEY", key)?))
}

/// A file a setting names; read at the start, before anyone waits.
pub(crate) fn read(setting: &str, path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path)
        .with_context(|| format!("{setting} must name a file that can be read, unlike {}", path.display()))
}

/// The token shown to peers, read whenever it is shown: it is renewed in place.
fn authorization(settings: &Settings) -> Authorization {
    let file = settings.peers.token_file.clone();
    Arc::new(move || {
        let file = file.as_deref()?;
        let read = std::fs::read_to_string(file);
        let token = read.inspect_err(|error| {
            tracing::warn!(%error, path = %file.display(), "the token for peers cannot be read");
        });
        let mut value: MetadataValue<_> = format!("Bearer {}", token.ok()?.trim()).parse().ok()?;
        value.set_sensitive(true);
        Some(value)
    })
}
