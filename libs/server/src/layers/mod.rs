//! What every call passes on its way to a handler, as one expression.

mod authorize;
mod concurrency_limits;
mod consistency;
mod deadline;
mod explain;
mod held_body;
mod http;
mod identify;
mod json;
mod metadata;
mod middle;
mod observe;
mod panics;
mod stream;
mod weigh;

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use bytes::Bytes;
use events::Consumer;
use fault::Fault;
use http_body::Frame;
use proto::CONSISTENCY_TOKEN;
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_web::GrpcWebLayer;
use tower::layer::layer_fn;
use tower::util::MapRequestLayer;
use tower::{Service, ServiceBuilder};
use tower_http::cors::{AllowHeaders, CorsLayer};

pub(crate) use self::held_body::HeldBody;
use self::http::HttpRules;
pub(crate) use self::http::Pages;
use crate::call::Call;
use crate::file_request::FileRequest;
use crate::identity::Identity;
use crate::limits::TOOL_TIME_LIMIT;
use crate::routes::Router;
use crate::service::Stop;
use crate::webhook_request::WebhookRequest;
use authorize::Authorize;
use concurrency_limits::{ConcurrencyLimits, Shares};
use consistency::Consistency;
use deadline::Deadlines;
use explain::Explain;
use identify::Identify;
use json::{Json, ReadJson};
use metadata::Metadata;
use middle::{Around, Served};
use observe::Observe;
use panics::Panics;
use weigh::Weigh;

/// How long a browser may remember what it was told about an origin.
const PREFLIGHT_KEPT: Duration = Duration::from_hours(1);

/// What the layers work with.
pub(crate) struct LayerContext {
    /// How callers prove who they are.
    pub(crate) identity: Arc<Identity>,
    /// The services of this process, and what each has applied of others.
    pub(crate) consumers: HashMap<&'static str, Option<Arc<Consumer>>>,
    /// Origins whose pages may call.
    pub(crate) web_origins: Vec<HeaderValue>,
    /// Most calls worked on at once.
    pub(crate) max_in_flight: u32,
    /// Largest message.
    pub(crate) max_message_bytes: usize,
    /// Cancelled when the server stops accepting: ends what would not end by itself.
    pub(crate) closing: Stop,
}

/// Wraps the routes in the layers, outermost first.
pub(crate) fn around(
    routes: Router,
    context: LayerContext,
) -> impl Service<
    Request<Body>,
    Response = Response<Body>,
    Error = Infallible,
    Future: Future<Output = Result<Response<Body>, Infallible>> + Send,
> + Clone
+ Send
+ 'static {
    // Where callers prove who they are, it does not matter by which page they come.
    let pages = context.identity.is_development().then(|| Pages::new(context.web_origins.clone()));
    ServiceBuilder::new()
        // Browsers ask first whether a page of another origin may call at all.
        .option_layer(cross_origin(context.web_origins))
        // HTTP/JSON and Connect become ordinary calls before anything looks at them.
        .layer(layer_fn(Json::new))
        // What is no call is answered in plain HTTP.
        .layer(layer_fn(move |inner| HttpRules::new(inner, pages.clone())))
        // Browsers' calls become ordinary ones before anything looks at them.
        .layer(GrpcWebLayer::new())
        // The deadline counts from here, before anything is awaited.
        .layer(MapRequestLayer::new(Call::note as fn(Request<Body>) -> Request<Body>))
        // One service of all that follows.
        .layer(layer_fn(Served))
        // Span and duration of the call: outside of everything that may refuse it.
        .layer(Around(Observe))
        // Metadata that can be read, and not too much of them.
        .layer(Around(Metadata))
        // A panic below becomes INTERNAL, and is counted above as any other answer.
        .layer(Around(Panics))
        // A place or a refusal: before anything that costs, and without a queue.
        .layer(Around(ConcurrencyLimits::new(context.max_in_flight)))
        // Drops what is below when the call's time is over: so it holds its place above,
        // and its transaction below, not a moment longer.
        .layer(Around(Deadlines { closing: context.closing, tools: TOOL_TIME_LIMIT }))
        // Who calls: nothing below runs for a stranger.
        .layer(Around(Identify { identity: context.identity }))
        // Whether they may: nothing below runs for one without the role.
        .layer(Around(Authorize))
        // A place counts against the shares of its caller and their tenant.
        .layer(Around(Shares))
        // Room for the request, now that it is to be read, or a refusal.
        .layer(Around(Weigh::new(context.max_message_bytes)))
        // Their bodies are read here: not for a stranger, and no more than there is room for.
        .layer(Around(ReadJson { max_message_bytes: context.max_message_bytes }))
        // What was told before must be applied before it is read: needs the tenant.
        .layer(Around(Consistency { consumers: Arc::new(context.consumers) }))
        // Refusals that tonic itself makes get a reason, like ours.
        .layer(Around(Explain))
        .service(routes)
}

/// What pages of other origins may do: call, and read our answers' headers. Without
/// origins nothing, and no answer speaks of it.
fn cross_origin(origins: Vec<HeaderValue>) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let ours = [CONSISTENCY_TOKEN, "grpc-status", "grpc-message", "grpc-status-details-bin", "retry-after"];
    let ours = ours.into_iter().chain(["content-disposition", "content-range"]);
    let methods = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    let layer = CorsLayer::new()
        .allow_origin(origins)
        .allow_methods(methods)
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(ours.map(HeaderName::from_static).collect::<Vec<_>>())
        .max_age(PREFLIGHT_KEPT);
    Some(layer)
}

/// Whether a call needs no caller: for a file by its link, a delivery of a webhook by its
/// signature, or a question whether to deliver by its token. The handler believes it, or does not.
/// Only the layer that reads HTTP says so, of three rpcs.
fn proves_itself(request: &Request<Body>) -> bool {
    let extensions = request.extensions();
    extensions.get::<FileRequest>().is_some_and(FileRequest::is_by_link)
        || extensions.get::<WebhookRequest>().is_some()
}

/// The status of an answer, where its headers or trailers tell it.
fn code(headers: &HeaderMap) -> Option<Code> {
    headers.get("grpc-status").map(|status| Code::from_bytes(status.as_bytes()))
}

/// A refusal, as the trailers of an answer that has begun.
fn last_words(fault: Fault) -> Result<Frame<Bytes>, Status> {
    let mut trailers = HeaderMap::new();
    Status::from(fault).add_header(&mut trailers).map(|()| Frame::trailers(trailers))
}

/// A refusal, as the answer to a call.
pub(crate) fn refuse(fault: Fault) -> Response<Body> {
    Status::from(fault).into_http()
}
