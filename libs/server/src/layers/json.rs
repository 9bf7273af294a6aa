//! HTTP/JSON, files and webhooks over plain HTTP, and Connect beside gRPC: what comes by them becomes an ordinary call before
//! anything looks at it, so identity, roles, limits and traces hold for it as for any.
//!
//! ```text
//! Json    path, method and headers say which call it is; the answer is written as asked
//!   …     all that holds for calls
//! ReadJson  the body is read here, when its caller is known and it has been weighed
//! ```
//!
//! `docs/decisions/http-and-json.md` says what the protocol is.

mod answer;
mod connect;
mod files;
mod frames;
mod plain;
mod read;
mod spoken;
mod streamed;
mod webhooks;

use std::future::{Ready, ready};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use bytes::Bytes;
use fault::Fault;
use futures::FutureExt as _;
use futures::future::{BoxFuture, Either};
use http::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, TE, TRANSFER_ENCODING,
};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, Version};
use http_body::Body as _;
use tonic::Code;
use tonic::body::Body;
use tower::Service;
use transcoding::{Contracts, Found};

pub(crate) use read::ReadJson;
pub(crate) use spoken::Spoken;
use spoken::{Dialect, RestCall, contracts, essence};

/// Where the document that describes all of it is.
const DOCUMENT: &str = "/openapi.json";
/// What all paths of the rules begin with.
const VERSION_PREFIX: &str = "/v1/";

/// Makes calls of requests and writes their answers.
#[derive(Clone)]
pub(crate) struct Json<S> {
    inner: S,
    document: Arc<OnceLock<Bytes>>,
}

/// What a request is.
enum Decision {
    /// None of ours to read: gRPC, gRPC-Web, or nothing.
    Pass,
    /// A call.
    Call(Spoken),
    /// Answered at once.
    Answer(Response<Body>),
}

impl<S> Json<S> {
    pub(crate) fn new(inner: S) -> Self {
        Self { inner, document: Arc::default() }
    }

    fn decide(&self, request: &Request<Body>) -> Decision {
        let told = essence(request.headers(), &CONTENT_TYPE);
        let path = request.uri().path();
        if told.is_some_and(|told| told.starts_with("application/grpc")) {
            return Decision::Pass;
        }
        if path == DOCUMENT {
            return Decision::Answer(plain::document(request.method(), || self.document()));
        }
        let contracts = match contracts() {
            Ok(contracts) => contracts,
            Err(fault) => return Decision::Answer(plain::refused(StatusCode::INTERNAL_SERVER_ERROR, fault)),
        };
        if let Some(rpc) = contracts.rpc(path) {
            return connect::decide(&contracts, rpc, request);
        }
        if let Some(decision) = files::decide(&contracts, request) {
            return decision;
        }
        if let Some(decision) = webhooks::decide(&contracts, request) {
            return decision;
        }
        if path.starts_with(VERSION_PREFIX) { by_rule(&contracts, request) } else { Decision::Pass }
    }

    fn document(&self) -> Result<Bytes, Fault> {
        if let Some(document) = self.document.get() {
            return Ok(document.clone());
        }
        // Milliseconds, once.
        let document = crate::blocking::aside(true, plain::write_document)?;
        Ok(self.document.get_or_init(|| document).clone())
    }
}

fn by_rule(contracts: &Arc<Contracts>, request: &Request<Body>) -> Decision {
    let (route, variables) = match contracts.route(request.method(), request.uri().path()) {
        Found::Route(route, variables) => (route, variables),
        Found::Methods(methods) => {
            return Decision::Answer(plain::other_methods(request.method(), &methods));
        }
        Found::Nothing => return Decision::Answer(plain::no_such_path()),
    };
    let rpc = &contracts.rpcs()[route.rpc];
    match plain::negotiate(request, rpc.streams_answers) {
        Ok(form) => Decision::Call(Spoken {
            contracts: Arc::clone(contracts),
            rpc: route.rpc,
            dialect: Dialect::Rest(RestCall {
                route: route.clone(),
                variables,
                query: request.uri().query().unwrap_or_default().to_owned(),
                form,
                is_head: request.method() == Method::HEAD,
            }),
        }),
        Err(refusal) => Decision::Answer(*refusal),
    }
}

/// The request of the call that was asked for; its body is still as it came.
fn grpc(mut request: Request<Body>, spoken: Arc<Spoken>) -> Request<Body> {
    *request.method_mut() = Method::POST;
    *request.version_mut() = Version::HTTP_2;
    // Whom it is addressed to stays: of HTTP/2 it says by which name a browser came.
    let mut uri = std::mem::take(request.uri_mut()).into_parts();
    uri.path_and_query = spoken.rpc().path.parse().ok();
    *request.uri_mut() = Uri::from_parts(uri).unwrap_or_default();
    let timeout = connect::timeout(&spoken, request.headers());
    let headers = request.headers_mut();
    for name in [CONTENT_LENGTH, CONTENT_ENCODING, ACCEPT_ENCODING, TRANSFER_ENCODING] {
        headers.remove(name);
    }
    headers.remove("grpc-encoding");
    headers.remove("grpc-accept-encoding");
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(TE, HeaderValue::from_static("trailers"));
    if let Some(timeout) = timeout {
        headers.insert("grpc-timeout", timeout);
    }
    match &spoken.dialect {
        Dialect::File(wanted) => {
            request.extensions_mut().insert(wanted.asked.clone());
        }
        Dialect::Webhook(delivery) => {
            request.extensions_mut().insert(delivery.asked.clone());
        }
        Dialect::Challenge(challenge) => {
            request.extensions_mut().insert(challenge.asked.clone());
        }
        _ => {}
    }
    request.extensions_mut().insert(spoken);
    request
}

/// Over HTTP/1.1 a connection ends with a request that was not read; who would use it again is
/// told so.
fn say_it_is_last(answer: &mut Response<Body>) {
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
}

impl<S> Service<Request<Body>> for Json<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Either<
        Either<S::Future, Ready<Result<Response<Body>, S::Error>>>,
        BoxFuture<'static, Result<Response<Body>, S::Error>>,
    >;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match self.decide(&request) {
            Decision::Pass => Either::Left(Either::Left(self.inner.call(request))),
            Decision::Answer(mut answer) => {
                if request.version() < Version::HTTP_2 && !request.body().is_end_stream() {
                    say_it_is_last(&mut answer);
                }
                Either::Left(Either::Right(ready(Ok(answer))))
            }
            Decision::Call(spoken) => {
                let (spoken, is_old) = (Arc::new(spoken), request.version() < Version::HTTP_2);
                let answered = self.inner.call(grpc(request, Arc::clone(&spoken)));
                let written = async move {
                    let answered = answered.await?;
                    // Refused, it may be before its request was read.
                    let is_last =
                        is_old && super::code(answered.headers()).is_some_and(|code| code != Code::Ok);
                    let mut answer = answer::write(answered, spoken).await;
                    if is_last {
                        say_it_is_last(&mut answer);
                    }
                    Ok(answer)
                };
                Either::Right(written.boxed())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::Full;

    use super::*;

    /// Nothing here gets as far as a service.
    #[derive(Clone)]
    struct Nobody;

    impl Service<Request<Body>> for Nobody {
        type Response = Response<Body>;
        type Error = std::convert::Infallible;
        type Future = Ready<Result<Response<Body>, Self::Error>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Request<Body>) -> Self::Future {
            ready(Ok(Response::new(Body::empty())))
        }
    }

    #[tokio::test]
    async fn a_request_that_is_not_read_is_the_last_of_its_connection() {
        let mut json = Json::new(Nobody);
        let full = || Body::new(Full::from("{}"));
        for (path, version, body, expected) in [
            ("/v1/nothing", Version::HTTP_11, full(), Some("close")),
            ("/v1/cases", Version::HTTP_11, full(), Some("close")),
            ("/v1/complaints", Version::HTTP_11, full(), Some("close")),
            ("/v1/nothing", Version::HTTP_11, Body::empty(), None),
            ("/v1/nothing", Version::HTTP_2, full(), None),
        ] {
            let request =
                Request::builder().method(Method::POST).uri(path).version(version).body(body).unwrap();
            let answer = json.call(request).await.unwrap();
            assert!(answer.status().is_client_error(), "{path}: {answer:?}");
            let told = answer.headers().get(CONNECTION).map(|told| told.to_str().unwrap());
            assert_eq!(told, expected, "{path} {version:?}");
        }
    }
}
