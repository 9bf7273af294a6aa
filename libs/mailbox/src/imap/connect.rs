//! The way to a mail server: which address, and encrypted how.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use super::wire::Stream;
use super::{Error, Options, Security};

/// Most addresses of a name that are tried, so that one that does not answer leaves time
/// for the next.
const MAX_ADDRESSES: u32 = 4;

/// Connects without encryption.
pub(super) async fn reach(options: &Options, by: Instant) -> Result<TcpStream, Error> {
    let found = timeout_at(by, lookup_host((options.host.as_str(), options.port))).await;
    let found = found.map_err(|_| Error::TimedOut)?;
    let found: Vec<SocketAddr> = found.map_err(|_| unreachable("its name leads nowhere"))?.collect();
    let mut may = found;
    if let Some(networks) = &options.networks {
        may.retain(|address| networks.may(address.ip()));
        if may.is_empty() {
            return Err(unreachable("no address of it may be connected to"));
        }
    }
    if options.security == Security::None {
        may.retain(|address| match &options.networks {
            Some(networks) => networks.are_ours(address.ip()),
            None => address.ip().to_canonical().is_loopback(),
        });
        if may.is_empty() {
            return Err(Error::Insecure);
        }
    }
    let share = by.saturating_duration_since(Instant::now()) / MAX_ADDRESSES;
    for address in may.into_iter().take(MAX_ADDRESSES as usize) {
        if let Some(tcp) = connect(address, share).await {
            return Ok(tcp);
        }
    }
    Err(unreachable("nobody answers there"))
}

async fn connect(address: SocketAddr, within: Duration) -> Option<TcpStream> {
    let tcp = timeout(within, TcpStream::connect(address)).await.ok()?.ok()?;
    let _ = tcp.set_nodelay(true);
    Some(tcp)
}

fn unreachable(why: &str) -> Error {
    Error::Unreachable(why.to_owned())
}

/// Encrypts a connection, and has the server prove its name.
pub(super) async fn encrypt<S: Stream + 'static>(
    stream: S,
    options: &Options,
    by: Instant,
) -> Result<Box<dyn Stream>, Error> {
    let config = config(options.trusted.as_deref())?;
    let name = ServerName::try_from(options.host.clone()).map_err(|error| Error::Tls(error.to_string()))?;
    let handshake = TlsConnector::from(config).connect(name, stream);
    match timeout_at(by, handshake).await {
        Err(_) => Err(Error::TimedOut),
        Ok(Err(error)) => Err(Error::Tls(crate::arrival::said(&error.to_string()))),
        Ok(Ok(stream)) => Ok(Box::new(stream)),
    }
}

fn config(trusted: Option<&[u8]>) -> Result<Arc<ClientConfig>, Error> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if let Some(pem) = trusted {
        let certificates = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
        let added = certificates.map(|certificates| roots.add_parsable_certificates(certificates).0);
        if !added.is_ok_and(|added| added > 0) {
            return Err(Error::Tls("what is to be trusted is no certificate in PEM".to_owned()));
        }
    }
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| Error::Tls(error.to_string()))?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}
