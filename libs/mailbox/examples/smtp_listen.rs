//! A listener of SMTP or LMTP: prints what it was sent. Takes messages for addresses that
//! begin with `complaints`, puts those that begin with `later` off, knows no others.
//!
//! ```text
//! smtp_listen ADDRESS:PORT [smtp|lmtp] [CERTIFICATE.pem KEY.pem]
//! ```

use std::process::ExitCode;
use std::sync::Arc;

use mailbox::smtp::{Accept, Options, Protocol, Recipient, serve};
use mailbox::{Arrived, Keep, Kept, Origin};
use tokio::net::TcpListener;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_util::sync::CancellationToken;

struct Known;

impl Accept for Known {
    async fn recipient(&self, address: &str) -> Recipient {
        match address.split('@').next().unwrap_or_default() {
            name if name.starts_with("complaints") => Recipient::Yes,
            name if name.starts_with("later") => Recipient::TryLater,
            _ => Recipient::Unknown,
        }
    }
}

struct Print;

impl Keep for Print {
    async fn keep(&self, message: Arrived) -> Kept {
        if let Origin::Smtp { helo, mail_from, recipients, tls, .. } = &message.origin {
            let (from, to) = (mail_from.as_deref().unwrap_or_default(), recipients.join(","));
            println!("message {} from <{from}> to <{to}> helo {helo} tls {tls}", message.raw.len());
        }
        if std::env::var_os("SHOW").is_some() {
            println!("{}", String::from_utf8_lossy(&message.raw).escape_debug());
        }
        Kept::Kept
    }
}

fn tls(certificate: &str, key: &str) -> Option<Arc<ServerConfig>> {
    let chain = CertificateDer::pem_file_iter(certificate).ok()?.collect::<Result<Vec<_>, _>>().ok()?;
    let key = PrivateKeyDer::from_pem_file(key).ok()?;
    ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).ok().map(Arc::new)
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(address) = arguments.first() else {
        eprintln!("smtp_listen ADDRESS:PORT [smtp|lmtp] [CERTIFICATE.pem KEY.pem]");
        return ExitCode::FAILURE;
    };
    let is_lmtp = arguments.get(1).is_some_and(|protocol| protocol == "lmtp");
    let mut options = Options::new("localhost", if is_lmtp { Protocol::Lmtp } else { Protocol::Smtp });
    if let [_, _, certificate, key] = arguments.as_slice() {
        options.tls = tls(certificate, key);
    }
    let listener = match TcpListener::bind(address).await {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let stop = CancellationToken::new();
    let ending = stop.clone();
    tokio::spawn(async move {
        let _ = tokio::signal::ctrl_c().await;
        ending.cancel();
    });
    println!("listening");
    serve(listener, options, Known, Print, stop).await;
    ExitCode::SUCCESS
}
