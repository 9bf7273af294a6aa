//! A line that sends every mutation twice, and once more changed: the promise of
//! `request_id`, held against every rpc that makes it.
//!
//! The second answer must be the first to the byte, the changed request must be
//! refused. What the caller gets is the first answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, Full, StreamBody};
use prost::Message as _;
use prost_reflect::{
    DescriptorPool, DynamicMessage, Kind, MessageDescriptor, MethodDescriptor, ReflectMessage as _, Value,
};
use proto::CONSISTENCY_TOKEN;
use testkit::CallerChannel;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::Service;

/// Bytes before a gRPC message: whether it is compressed, and its length.
const PREFIX: usize = 5;

/// Sends through another line. Copies, and lines of other callers made of it, note
/// together which mutations they doubled.
#[derive(Clone)]
pub(crate) struct Twice {
    line: CallerChannel,
    notes: Arc<Notes>,
}

struct Notes {
    mutations: BTreeMap<String, MethodDescriptor>,
    doubled: Mutex<BTreeSet<String>>,
}

/// The contracts, as the services were built from them.
pub(crate) fn contracts() -> DescriptorPool {
    DescriptorPool::decode(proto::DESCRIPTOR_SET).unwrap()
}

/// Services of our contracts that others serve and we call.
const OF_OTHERS: [&str; 2] = ["redress.directory.v1.Directory", "redress.resolution.v1.DepartmentWorker"];

/// Every rpc that we serve.
pub(crate) fn rpcs(pool: &DescriptorPool) -> Vec<MethodDescriptor> {
    let services = pool.services().filter(|service| service.package_name().starts_with("redress."));
    let services = services.filter(|service| !OF_OTHERS.contains(&service.full_name()));
    services.flat_map(|service| service.methods().collect::<Vec<_>>()).collect()
}

/// `/package.Service/Method`, as a request names it.
pub(crate) fn path(method: &MethodDescriptor) -> String {
    format!("/{}/{}", method.parent_service().full_name(), method.name())
}

/// The unary rpcs that carry a `request_id`, by path.
pub(crate) fn mutations(pool: &DescriptorPool) -> BTreeMap<String, MethodDescriptor> {
    let keyed = |method: &MethodDescriptor| {
        let unary = !method.is_client_streaming() && !method.is_server_streaming();
        unary && method.input().get_field_by_name("request_id").is_some()
    };
    rpcs(pool).into_iter().filter(keyed).map(|method| (path(&method), method)).collect()
}

impl Twice {
    pub(crate) fn new(line: CallerChannel) -> Self {
        let notes = Notes { mutations: mutations(&contracts()), doubled: Mutex::default() };
        Self { line, notes: Arc::new(notes) }
    }

    /// The same notes, through another caller's line.
    pub(crate) fn over(&self, line: CallerChannel) -> Self {
        Self { line, notes: self.notes.clone() }
    }

    /// Paths of the mutations that went through.
    pub(crate) fn doubled(&self) -> BTreeSet<String> {
        self.notes.doubled.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Service<Request<Body>> for Twice {
    type Response = Response<Body>;
    type Error = Failure;
    type Future = BoxFuture<'static, Result<Response<Body>, Failure>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        self.line.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The line that is ready is the one to use; its copy is for the next call.
        let copy = self.line.clone();
        let mut line = std::mem::replace(&mut self.line, copy);
        let notes = self.notes.clone();
        Box::pin(async move {
            match notes.mutations.get(request.uri().path()) {
                Some(method) => notes.double(&mut line, method, request).await,
                None => Ok(line.call(request).await?.map(Body::new)),
            }
        })
    }
}

impl Notes {
    async fn double(
        &self,
        line: &mut CallerChannel,
        method: &MethodDescriptor,
        request: Request<Body>,
    ) -> Result<Response<Body>, Failure> {
        let called = path(method);
        let (head, body) = request.into_parts();
        let sent = body.collect().await?.to_bytes();
        let again = |body: Bytes| Request::from_parts(head.clone(), Body::new(Full::new(body)));
        let first = Answer::of(line, again(sent.clone())).await?;
        if first.code() == Code::Ok {
            let second = Answer::of(line, again(sent.clone())).await?;
            assert_eq!(first.body, second.body, "{called} answered a repeated request otherwise");
            assert_eq!(first.token(), second.token(), "{called} gave another consistency token");
            if let Some(changed) = changed(&method.input(), &sent) {
                Answer::of(line, again(changed)).await?.expect_reused(&called);
            }
            self.doubled.lock().unwrap_or_else(PoisonError::into_inner).insert(called);
        }
        Ok(first.into_response())
    }
}

/// The request with one more letter in a text of it, or another number; none where
/// the key is all it has.
fn changed(input: &MessageDescriptor, sent: &Bytes) -> Option<Bytes> {
    if input.fields().len() == 1 {
        return None;
    }
    let mut message = DynamicMessage::decode(input.clone(), &sent[PREFIX..]).unwrap();
    assert!(change(&mut message), "{} has nothing to change", input.full_name());
    let encoded = message.encode_to_vec();
    let length = u32::try_from(encoded.len()).unwrap().to_be_bytes();
    Some([&[0], length.as_slice(), &encoded].concat().into())
}

/// Texts that may say anything.
const PROSE: [&str; 4] = ["note", "reason", "remark", "text"];

/// Names one of the services.
const SERVICE: &str = "source";
/// What is logged in with, or signed with.
const SECRETS: [&str; 3] = ["secret", "client_secret", "next_secret"];
/// Has a grammar: a path to the posts of a body.
const PATH: &str = "items";

/// Whether a text of this name may mostly be another.
fn is_free(name: &str) -> bool {
    !name.ends_with("_id") && ![SERVICE, PATH].contains(&name) && !SECRETS.contains(&name)
}

/// Changes a field such that the request stays valid: rather a text than a number,
/// rather a number than an id.
fn change(message: &mut DynamicMessage) -> bool {
    let mut fields: Vec<_> = message.descriptor().fields().collect();
    fields.retain(|field| field.name() != "request_id");
    fields.sort_by_key(|field| match field.kind() {
        Kind::String if PROSE.contains(&field.name()) => 0,
        Kind::String if is_free(field.name()) => 1,
        Kind::Message(message) if message.full_name().starts_with("redress.") => 2,
        Kind::String if SECRETS.contains(&field.name()) => 3, // only some things have one
        Kind::String => 4,
        Kind::Message(_) => 5, // a sum or a time has values that are not allowed
        _ => 3,
    });
    fields.iter().any(|field| match otherwise(field.kind(), message.get_field(field).into_owned()) {
        Some(value) if message.has_field(field) || !matches!(value, Value::Message(_)) => {
            message.set_field(field, value);
            true
        }
        _ => false,
    })
}

/// Another value; none where there is no other of its kind to be had.
fn otherwise(kind: Kind, value: Value) -> Option<Value> {
    Some(match (kind, value) {
        (Kind::String, Value::String(text)) => Value::String(another(&text)),
        (Kind::Int64, Value::I64(number)) => Value::I64(number + 1),
        (Kind::Int32, Value::I32(number)) => Value::I32(number + 1),
        // A share stays one.
        (Kind::Double, Value::F64(number)) => Value::F64(number / 2.0),
        (Kind::Bool, Value::Bool(truth)) => Value::Bool(!truth),
        (Kind::Message(_), Value::Message(mut inner)) => {
            change(&mut inner).then_some(Value::Message(inner))?
        }
        (kind @ Kind::Message(_), Value::List(mut list)) => {
            let step = list.pop()?;
            list.push(otherwise(kind, step)?);
            Value::List(list)
        }
        _ => return None,
    })
}

/// Another text; of a UUID another one, of a day the same of another year, of a secret another.
fn another(text: &str) -> String {
    if let Some(key) = text.strip_prefix("whsec_") {
        let (first, rest) = key.split_at(1);
        return format!("whsec_{}{rest}", if first == "A" { "B" } else { "A" });
    }
    if text.len() == 10 && text.split('-').count() == 3 {
        return text.replacen("2026", "2025", 1);
    }
    let is_uuid = text.len() == 36 && text.split('-').count() == 5;
    match text.split_at_checked(35).filter(|_| is_uuid) {
        Some((most, "0")) => format!("{most}1"),
        Some((most, _)) => format!("{most}0"),
        None => format!("{text}x"),
    }
}

/// A whole answer.
struct Answer {
    head: http::response::Parts,
    body: Bytes,
    trailers: HeaderMap,
}

impl Answer {
    async fn of(line: &mut CallerChannel, request: Request<Body>) -> Result<Self, Failure> {
        std::future::poll_fn(|context| line.poll_ready(context)).await?;
        let (head, body) = line.call(request).await?.into_parts();
        let collected = body.collect().await?;
        let trailers = collected.trailers().cloned().unwrap_or_default();
        Ok(Self { head, body: collected.to_bytes(), trailers })
    }

    fn status(&self) -> Option<Status> {
        Status::from_header_map(&self.trailers).or_else(|| Status::from_header_map(&self.head.headers))
    }

    fn code(&self) -> Code {
        self.status().map_or(Code::Unknown, |status| status.code())
    }

    fn token(&self) -> Option<&[u8]> {
        self.head.headers.get(CONSISTENCY_TOKEN).map(http::HeaderValue::as_bytes)
    }

    fn expect_reused(&self, called: &str) {
        let status = self.status().unwrap_or_else(|| panic!("{called} gave no status"));
        assert_eq!(
            (status.code(), testkit::reason(&status).as_str()),
            (Code::AlreadyExists, "IDEMPOTENCY_KEY_REUSED"),
            "{called} took another request under a used key: {status:?}"
        );
    }

    fn into_response(self) -> Response<Body> {
        let frames = [Frame::data(self.body), Frame::trailers(self.trailers)];
        let frames = frames.into_iter().map(Ok::<_, Status>);
        Response::from_parts(self.head, Body::new(StreamBody::new(futures::stream::iter(frames))))
    }
}
