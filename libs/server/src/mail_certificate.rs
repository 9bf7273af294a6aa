//! The certificate that mails handed over are encrypted with: the server's own.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::peers;
use crate::settings::Settings;

/// The certificate and key of the server, to encrypt with; none where it has none. Who hands
/// mails over needs no certificate of their own.
///
/// # Errors
///
/// Fails if they cannot be read, or do not belong together.
pub fn mail_certificate(settings: &Settings) -> anyhow::Result<Option<Arc<ServerConfig>>> {
    let (Some(cert), Some(key)) = (&settings.identity.tls_cert, &settings.identity.tls_key) else {
        return Ok(None);
    };
    let what = |name: &str, path: &Path| format!("{name}, {}", path.display());
    let pem = peers::read("REDRESS_TLS_CERT", cert)?;
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .with_context(|| what("REDRESS_TLS_CERT", cert))?;
    let pem = peers::read("REDRESS_TLS_KEY", key)?;
    let key_of = PrivateKeyDer::from_pem_slice(&pem).with_context(|| what("REDRESS_TLS_KEY", key))?;
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key_of)
        .context("REDRESS_TLS_CERT and REDRESS_TLS_KEY cannot be used")?;
    Ok(Some(Arc::new(config)))
}
