//! A gRPC server that answers every rpc with what a test's function says.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use client::{Client, ClientOptions};
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tower::Service;

/// One call as it came in.
pub(crate) struct Call {
    /// Name of the rpc.
    pub(crate) rpc: String,
    pub(crate) headers: HeaderMap,
    message: Bytes,
}

impl Call {
    /// The request.
    pub(crate) fn read<M: prost::Message + Default>(&self) -> M {
        M::decode(self.message.clone()).expect("the request")
    }

    /// A header; empty when it was not sent.
    pub(crate) fn header(&self, name: &str) -> String {
        self.headers.get(name).map(|value| value.to_str().expect("text").to_owned()).unwrap_or_default()
    }
}

/// An answer as it travels.
pub(crate) fn bytes(message: &impl prost::Message) -> Vec<u8> {
    message.encode_to_vec()
}

type Answering = Pin<Box<dyn Future<Output = Result<Vec<u8>, Status>> + Send>>;

/// The server: every call goes to one function.
#[derive(Clone)]
pub(crate) struct Fake(Arc<dyn Fn(Call) -> Answering + Send + Sync>);

impl Fake {
    pub(crate) fn new<F>(answer: impl Fn(Call) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Vec<u8>, Status>> + Send + 'static,
    {
        Self(Arc::new(move |call| Box::pin(answer(call))))
    }

    /// Serves on a free port.
    pub(crate) async fn serve(self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        self.serve_on(listener);
        address
    }

    pub(crate) fn serve_on(self, listener: TcpListener) {
        let incoming = TcpListenerStream::new(listener);
        tokio::spawn(tonic::transport::Server::builder().add_service(self).serve_with_incoming(incoming));
    }

    /// Serves, and connects to it.
    pub(crate) async fn client(self) -> Client {
        Client::connect(options(self.serve().await)).await.expect("a server")
    }
}

pub(crate) fn options(address: SocketAddr) -> ClientOptions {
    ClientOptions::at(format!("http://{address}").parse().expect("an address"))
}

/// A pattern of the router: every service.
impl NamedService for Fake {
    const NAME: &'static str = "{service}";
}

impl Service<Request<Body>> for Fake {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let answer = self.0.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let framed = body.collect().await.expect("a request").to_bytes();
            let rpc = parts.uri.path().rsplit('/').next().expect("a path").to_owned();
            let call = Call { rpc, headers: parts.headers, message: framed.slice(5..) };
            Ok(match answer(call).await {
                Ok(message) => framed_response(&message),
                Err(status) => status.into_http(),
            })
        })
    }
}

/// The message behind its five-byte frame, the status behind the message.
fn framed_response(message: &[u8]) -> Response<Body> {
    let mut frame = vec![0];
    frame.extend(u32::try_from(message.len()).expect("a short message").to_be_bytes());
    frame.extend(message);
    let trailers = HeaderMap::from_iter([(
        http::HeaderName::from_static("grpc-status"),
        http::HeaderValue::from_static("0"),
    )]);
    let body = Full::new(Bytes::from(frame)).with_trailers(async { Some(Ok(trailers)) });
    let mut response = Response::new(Body::new(body));
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/grpc"));
    response
}
