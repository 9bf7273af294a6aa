//! Pages for people: what a process serves that is no call, behind the same listener, TLS,
//! limits and drain as calls.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Error, anyhow};
use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body as HttpBody;
use opentelemetry::metrics::Histogram;
use opentelemetry::{KeyValue, global};
use tokio::sync::Semaphore;
use tonic::body::Body;
use tower::{Service, ServiceExt as _};
use tracing::{Instrument as _, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::assembly::{Serving, listen};
use crate::connections::{Busy, Connection, Limits, customer};
use crate::layers::{HeldBody, Pages};
use crate::limits::MUTATION_TIME_LIMIT;
use crate::running::Signals;
use crate::service::Stop;
use crate::settings::Settings;
use crate::telemetry;
use crate::telemetry::sampling;

/// Upper bounds of the duration's buckets, in seconds.
const BOUNDS: [f64; 12] = [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 1.0, 2.5, 10.0];

static DURATION: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    global::meter("redress")
        .f64_histogram("http.server.request.duration")
        .with_unit("s")
        .with_description("Duration of requests for pages, until the answer begins")
        .with_boundaries(BOUNDS.to_vec())
        .build()
});

/// Whatever answers requests for pages.
pub trait Site:
    Service<Request<Body>, Response = Response<Self::Page>, Error = Infallible, Future: Send>
    + Clone
    + Send
    + 'static
{
    /// How it answers.
    type Page: HttpBody<Data = Bytes, Error: Into<tonic::codegen::StdError>> + Send + 'static;
}

impl<S, B> Site for S
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static,
    B: HttpBody<Data = Bytes, Error: Into<tonic::codegen::StdError>> + Send + 'static,
{
    type Page = B;
}

/// Put into an answer's extensions: the pattern of its path, by which requests are measured.
#[derive(Clone, Debug)]
pub struct RouteName(pub Arc<str>);

/// In a request's extensions: who is at the other end of its connection, as far as addresses
/// tell customers apart: an IPv4 address, or an IPv6 network of 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// One that a proxy tells.
    pub fn told(address: IpAddr) -> Self {
        Self(customer(address))
    }
}

/// A site that serves.
pub struct RunningSite {
    address: SocketAddr,
    closing: Stop,
    server: Serving,
    drain: Duration,
}

/// Serves a site; it answers when this returns. It is made with what is cancelled when it is
/// told to stop, and ends what would not end by itself. `open` is whether browsers must come
/// by a name of this machine, since nobody proves who they are.
///
/// # Errors
///
/// Fails if the address is taken or a certificate cannot be read.
pub fn start_site<S: Site>(
    settings: &Settings,
    address: SocketAddr,
    listener: Option<TcpListener>,
    development: bool,
    make: impl FnOnce(Stop) -> S,
) -> anyhow::Result<RunningSite> {
    telemetry::install_propagator();
    let listener = match listener {
        Some(listener) => listener,
        None => TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?,
    };
    let address = listener.local_addr()?;
    let closing = Stop::new();
    let guarded = Guarded {
        inner: make(closing.clone()),
        pages: development.then(|| Pages::new(settings.web_origins.clone())),
        places: Arc::new(Semaphore::new(settings.max_in_flight as usize)),
    };
    let limits = Limits::new(settings.max_connections, settings.max_connections_per_address);
    let tls = crate::assembly::server_tls(&settings.identity)?;
    let server = listen(listener, limits, tls, guarded, closing.clone())?;
    tracing::info!(%address, "serving pages");
    Ok(RunningSite { address, closing, server, drain: Duration::from_secs(settings.drain_seconds.into()) })
}

impl RunningSite {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until it ends by itself, which it should not.
    pub async fn failure(&mut self) -> Error {
        let ended = (&mut self.server).await;
        anyhow!("the pages ended by themselves: {ended:?}")
    }

    /// Accepts no more, lets requests in flight end.
    ///
    /// # Errors
    ///
    /// Fails if requests were cut off because they did not end within the drain.
    pub async fn stop(self) -> anyhow::Result<()> {
        let Self { closing, mut server, drain, .. } = self;
        closing.cancel();
        if server.is_finished() {
            return Ok(());
        }
        let drained = tokio::time::timeout(drain, &mut server).await;
        if drained.is_err() {
            server.abort();
        }
        let served = drained.with_context(|| {
            format!("requests were cut off: they did not end within {} s", drain.as_secs())
        })?;
        Ok(served.context("the pages panicked")??)
    }

    /// Serves until SIGTERM or SIGINT, or until it fails, and stops in order.
    ///
    /// # Errors
    ///
    /// Fails with what ended it, and as [`Self::stop`] does.
    pub async fn until_signal(mut self) -> anyhow::Result<()> {
        let mut signals = Signals::new()?;
        let ended = tokio::select! {
            name = signals.next() => {
                tracing::info!(signal = name, "stopping");
                Ok(())
            }
            failure = self.failure() => Err(failure),
        };
        tokio::select! {
            stopped = self.stop() => ended.and(stopped),
            name = signals.next() => Err(anyhow!("the stop was cut short by a second signal, {name}")),
        }
    }
}

/// A site behind what every request passes.
#[derive(Clone)]
struct Guarded<S> {
    inner: S,
    /// None where people prove who they are.
    pages: Option<Pages>,
    places: Arc<Semaphore>,
}

impl<S: Site> Service<Request<Body>> for Guarded<S> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move { Ok(this.answer(request).await) })
    }
}

impl<S: Site> Guarded<S> {
    async fn answer(self, mut request: Request<Body>) -> Response<Body> {
        if let Some(fault) = self.pages.as_ref().and_then(|pages| pages.check(&request, true).err()) {
            return plain(StatusCode::FORBIDDEN, fault.message());
        }
        let connection = Connection::of(&request);
        if let Some(connection) = &connection {
            request.extensions_mut().insert(ClientAddress(connection.customer()));
        }
        let busy = connection.map(Busy::new);
        let Ok(place) = self.places.try_acquire_owned() else {
            let mut answer = plain(StatusCode::SERVICE_UNAVAILABLE, "Too many requests at once: try again.");
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
            return answer;
        };
        let seen = Seen::of(&request);
        let work = AssertUnwindSafe(self.inner.oneshot(request)).catch_unwind().instrument(seen.span.clone());
        let answer = match tokio::time::timeout(MUTATION_TIME_LIMIT, work).await {
            Ok(Ok(Ok(answer))) => answer.map(Body::new),
            Ok(Err(panic)) => {
                tracing::error!(fault = %fault::panicked(panic.as_ref()).chain(), "a page panicked");
                plain(StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong here. It has been recorded.")
            }
            Err(_) => plain(StatusCode::GATEWAY_TIMEOUT, "This took too long."),
        };
        seen.answered(&answer);
        answer.map(|body| HeldBody::around(body, (busy, place)))
    }
}

fn plain(status: StatusCode, sentence: &str) -> Response<Body> {
    let mut answer = Response::new(Body::new(http_body_util::Full::from(format!("{sentence}\n"))));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}

/// A request under observation.
struct Seen {
    method: Method,
    started: Instant,
    span: Span,
}

impl Seen {
    fn of(request: &Request<Body>) -> Self {
        let method = request.method().clone();
        // A browser's trace would be anybody's: each page begins one.
        let span = sampling::chosen(None).map_or_else(Span::none, |parent| {
            let span = tracing::info_span!(
                parent: None,
                "page",
                otel.name = tracing::field::Empty,
                otel.kind = "server",
                http.request.method = %method,
                http.route = tracing::field::Empty,
                http.response.status_code = tracing::field::Empty,
            );
            // Fails only where no exporter's layer is installed: then there is no trace.
            let _ = span.set_parent(parent);
            span
        });
        Self { method, started: Instant::now(), span }
    }

    fn answered(self, answer: &Response<Body>) {
        let Self { method, started, span } = self;
        let status = answer.status().as_u16();
        // The pattern, never the path: that has ids in it, and anybody makes it up.
        let route = answer.extensions().get::<RouteName>().map_or("", |name| &*name.0).to_owned();
        span.record("http.route", &route);
        span.record("otel.name", format!("{method} {route}"));
        span.record("http.response.status_code", status);
        let took = started.elapsed().as_secs_f64();
        tracing::debug!(parent: &span, %method, route, status, took_s = took, "page answered");
        let method = if KNOWN.contains(&method) { method.to_string() } else { "_OTHER".to_owned() };
        DURATION.record(
            took,
            &[
                KeyValue::new("http.request.method", method),
                KeyValue::new("http.route", route),
                KeyValue::new("http.response.status_code", i64::from(status)),
            ],
        );
    }
}

/// Methods that are measured by their names.
const KNOWN: [Method; 3] = [Method::GET, Method::HEAD, Method::POST];
