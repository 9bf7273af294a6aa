//! The sender: looks at the address a name stands for, connects to that very address, and
//! gives up what takes too long or too much.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use crate::address::Networks;
use crate::target::Target;

/// Longest that finding, reaching and greeting a server may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Most bytes of an answer that are read.
const MAX_ANSWER: usize = 64 * 1024;
/// The protocol of messages, as TLS agrees on it.
const HTTP_1: &[u8] = b"http/1.1";
/// The protocol of gRPC.
const HTTP_2: &[u8] = b"h2";
/// How the sender names itself.
const AGENT: HeaderValue = HeaderValue::from_static("redress");

/// What is sent, and how long its answer may take.
#[derive(Clone, Debug)]
pub struct Post {
    /// Headers beside those that every message has.
    pub headers: HeaderMap,
    /// A JSON document, unless a header names another type.
    pub body: Bytes,
    /// Longest that connecting, sending and the whole answer may take.
    pub timeout: Duration,
}

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Its status, e.g. 200. A redirect is one like others: nobody follows it.
    pub status: u16,
    /// How long it asks to be left alone.
    pub retry_after: Option<Duration>,
    /// The beginning of the body, up to 64 KiB.
    pub body: Bytes,
    /// Whether that is all of it.
    pub is_whole: bool,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The name stands for no address.
    #[error("the name of the host cannot be resolved")]
    Unresolved,
    /// It stands for none that may be connected to.
    #[error("no address of the host may be connected to")]
    AddressRefused,
    /// It may be connected to over TLS only.
    #[error("without TLS only addresses in networks of the operator may be connected to")]
    Unencrypted,
    /// Nobody listens there, or in time.
    #[error("the host cannot be reached")]
    Unreachable,
    /// The server does not prove to be who it should be.
    #[error("no trusted TLS connection can be made")]
    Untrusted,
    /// It was sent, and not answered in time.
    #[error("it was not answered in time")]
    TooLate,
    /// It was sent, and the connection broke before the whole answer was there.
    #[error("the connection broke before the whole answer was there")]
    Broken,
}

impl Failure {
    /// Whether the server may have received what was sent.
    pub fn may_have_arrived(self) -> bool {
        matches!(self, Self::TooLate | Self::Broken)
    }
}

/// The authority's certificates are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no certificate in PEM")]
pub struct InvalidAuthority;

/// A connection, encrypted or not.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Sends messages; one for the whole process.
#[derive(Clone)]
pub struct Sender {
    networks: Networks,
    http_1: Arc<ClientConfig>,
    http_2: Arc<ClientConfig>,
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("networks", &self.networks).finish_non_exhaustive()
    }
}

impl Sender {
    /// One that connects to the public internet and these networks, and trusts the
    /// authorities of the web and, where there are some, those of a PEM file.
    ///
    /// # Errors
    ///
    /// Fails if the file holds no certificate.
    pub fn new(networks: Networks, authorities: Option<&[u8]>) -> Result<Self, InvalidAuthority> {
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        if let Some(pem) = authorities {
            let certificates = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
            let (added, _) = roots.add_parsable_certificates(certificates.map_err(|_| InvalidAuthority)?);
            if added == 0 {
                return Err(InvalidAuthority);
            }
        }
        let roots = Arc::new(roots);
        Ok(Self { networks, http_1: tls(&roots, HTTP_1), http_2: tls(&roots, HTTP_2) })
    }

    /// Posts a message on a connection of its own.
    ///
    /// # Errors
    ///
    /// Fails if no whole answer came in time; the failure tells whether the message may
    /// have arrived. Whatever the server answers is no failure.
    pub async fn post(&self, target: &Target, post: Post) -> Result<Reply, Failure> {
        let end = Instant::now() + post.timeout;
        let stream = self.connect_by(target, &self.http_1, end.min(Instant::now() + CONNECT_TIMEOUT)).await?;
        let exchange = exchange(stream, target, post);
        timeout_at(end, exchange).await.unwrap_or(Err(Failure::TooLate))
    }

    /// A connection that speaks HTTP/2, where it is encrypted by agreement.
    ///
    /// # Errors
    ///
    /// Fails if there is no address that may be connected to, or no connection in time;
    /// nothing was sent then.
    pub async fn connect(&self, target: &Target) -> Result<Box<dyn Stream>, Failure> {
        self.connect_by(target, &self.http_2, Instant::now() + CONNECT_TIMEOUT).await
    }

    async fn connect_by(
        &self,
        target: &Target,
        tls: &Arc<ClientConfig>,
        end: Instant,
    ) -> Result<Box<dyn Stream>, Failure> {
        let connecting = async {
            let tcp = self.reach(target).await?;
            if !target.is_tls() {
                return Ok(Box::new(tcp) as Box<dyn Stream>);
            }
            let name = ServerName::try_from(target.host().to_owned()).map_err(|_| Failure::Untrusted)?;
            let greeted = TlsConnector::from(Arc::clone(tls)).connect(name, tcp).await;
            Ok(Box::new(greeted.map_err(|_| Failure::Untrusted)?) as Box<dyn Stream>)
        };
        timeout_at(end, connecting).await.unwrap_or(Err(Failure::Unreachable))
    }

    /// Connects to the first address that may be, and can be, connected to: that very one
    /// was looked at, and no name is resolved again.
    async fn reach(&self, target: &Target) -> Result<TcpStream, Failure> {
        for address in self.addresses(target).await? {
            // One that does not answer leaves time for the next.
            if let Ok(Ok(tcp)) = timeout(CONNECT_TIMEOUT / 2, TcpStream::connect(address)).await {
                let _ = tcp.set_nodelay(true);
                return Ok(tcp);
            }
        }
        Err(Failure::Unreachable)
    }

    async fn addresses(&self, target: &Target) -> Result<Vec<SocketAddr>, Failure> {
        let found = tokio::net::lookup_host((target.host(), target.port())).await;
        let found: Vec<SocketAddr> = found.map_err(|_| Failure::Unresolved)?.collect();
        if found.is_empty() {
            return Err(Failure::Unresolved);
        }
        let may: Vec<SocketAddr> =
            found.into_iter().filter(|address| self.networks.may(address.ip())).collect();
        if may.is_empty() {
            return Err(Failure::AddressRefused);
        }
        let trusted = |address: &SocketAddr| target.is_tls() || self.networks.are_ours(address.ip());
        let may: Vec<SocketAddr> = may.into_iter().filter(trusted).collect();
        if may.is_empty() { Err(Failure::Unencrypted) } else { Ok(may) }
    }
}

fn tls(roots: &Arc<RootCertStore>, protocol: &[u8]) -> Arc<ClientConfig> {
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    #[expect(clippy::expect_used, reason = "the provider's own versions")]
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions");
    let mut config = builder.with_root_certificates(Arc::clone(roots)).with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    Arc::new(config)
}

async fn exchange(stream: Box<dyn Stream>, target: &Target, post: Post) -> Result<Reply, Failure> {
    let (mut requests, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|_| Failure::Broken)?;
    let request = request(target, post).map_err(|_| Failure::Unreachable)?;
    let answered = async {
        let response = requests.send_request(request).await.map_err(|_| Failure::Broken)?;
        read(response).await
    };
    tokio::pin!(answered, connection);
    // The connection moves what the exchange waits for; both end here, together.
    tokio::select! {
        answer = &mut answered => answer,
        _ = &mut connection => answered.await,
    }
}

fn request(target: &Target, post: Post) -> Result<Request<Full<Bytes>>, http::Error> {
    let mut request = Request::post(target.path())
        .header(HOST, target.authority())
        .header(CONTENT_TYPE, "application/json")
        .header(USER_AGENT, AGENT)
        .body(Full::new(post.body))?;
    request.headers_mut().extend(post.headers);
    Ok(request)
}

/// Reads an answer, as far as there is room.
async fn read(response: Response<Incoming>) -> Result<Reply, Failure> {
    let status = response.status().as_u16();
    let retry_after = response.headers().get(RETRY_AFTER).and_then(seconds);
    let mut incoming = response.into_body();
    let (mut body, mut is_whole) = (BytesMut::new(), true);
    while let Some(frame) = incoming.frame().await {
        let Ok(data) = frame.map_err(|_| Failure::Broken)?.into_data() else { continue };
        let room = MAX_ANSWER - body.len();
        body.extend_from_slice(&data[..data.len().min(room)]);
        if data.len() > room {
            is_whole = false;
            break;
        }
    }
    Ok(Reply { status, retry_after, body: body.freeze(), is_whole })
}

fn seconds(value: &HeaderValue) -> Option<Duration> {
    value.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}
