//! A bare HTTP/2 connection as the channel of a client. What a channel adds to it
//! (reconnecting, queues, time limits) costs a client a quarter of its time, and its
//! time is taken from the servers it measures.
//!
//! Messages go whole, as gRPC's own clients send them: a request written in three
//! pieces wakes its server three times.

use std::task::{Context, Poll};

use anyhow::Result;
use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;
use h2::client::SendRequest;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use tokio::net::TcpStream;
use tonic::Status;
use tonic::body::Body;
use tower::Service;

/// A connection; clones share it.
#[derive(Clone)]
pub(crate) struct Connection(SendRequest<Bytes>);

impl Connection {
    /// Connects to `host:port`.
    pub(crate) async fn connect(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = h2::client::handshake(stream).await?;
        tokio::spawn(connection);
        Ok(Self(sender))
    }
}

impl Service<Request<Body>> for Connection {
    type Response = Response<Body>;
    type Error = Status;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context).map_err(failed)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(unary(self.0.clone(), request))
    }
}

/// Sends one message and waits for one.
async fn unary(mut line: SendRequest<Bytes>, request: Request<Body>) -> Result<Response<Body>, Status> {
    let (head, body) = request.into_parts();
    let message = body.collect().await?.to_bytes();
    let (response, mut sending) = line.send_request(Request::from_parts(head, ()), false).map_err(failed)?;
    sending.send_data(message, true).map_err(failed)?;
    let (head, mut receiving) = response.await.map_err(failed)?.into_parts();
    let mut message = BytesMut::new();
    while let Some(piece) = receiving.data().await {
        let piece = piece.map_err(failed)?;
        receiving.flow_control().release_capacity(piece.len()).map_err(failed)?;
        message.extend_from_slice(&piece);
    }
    let trailers = receiving.trailers().await.map_err(failed)?;
    let body = Full::new(message.freeze()).with_trailers(async { trailers.map(Ok) });
    Ok(Response::from_parts(head, Body::new(body)))
}

fn failed(error: h2::Error) -> Status {
    Status::from_error(error.into())
}
