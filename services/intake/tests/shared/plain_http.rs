//! Plain HTTP/1.1, as browsers, curl and other people's systems speak it.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

pub(crate) type Body = http_body_util::combinators::UnsyncBoxBody<Bytes, std::io::Error>;

/// A body that is there as a whole.
pub(crate) fn whole(bytes: &[u8]) -> Body {
    Body::new(Full::new(Bytes::copy_from_slice(bytes)).map_err(|never| match never {}))
}

/// Asks a server. An error where the connection ends before the answer does.
pub(crate) async fn ask(
    address: SocketAddr,
    (method, path): (Method, &str),
    headers: &[(&str, &str)],
    body: Body,
) -> Result<Response<Bytes>, Box<dyn std::error::Error + Send + Sync>> {
    let mut request = Request::builder().method(method).uri(format!("http://{address}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let client = Client::builder(TokioExecutor::new()).build_http();
    let (parts, body) = client.request(request.body(body)?).await?.into_parts();
    Ok(Response::from_parts(parts, body.collect().await?.to_bytes()))
}
