//! What a call came as, and so how it is answered.

use std::sync::{Arc, OnceLock};

use fault::Fault;
use http::{HeaderMap, HeaderName};
use tonic::Status;
use transcoding::status::Outcome;
use transcoding::{Contracts, Route, Rpc};

use super::files::{Upload, Wanted};
use super::webhooks::{Challenge, Delivery};

/// A call that did not come as gRPC.
pub(crate) struct Spoken {
    pub(crate) contracts: Arc<Contracts>,
    /// Its place among the rpcs of the contracts.
    pub(crate) rpc: usize,
    pub(crate) dialect: Dialect,
}

/// The protocol it came by.
pub(crate) enum Dialect {
    /// HTTP/JSON, by a rule.
    Rest(RestCall),
    /// Connect, one message and one answer.
    Unary(Encoding),
    /// Connect, messages in envelopes.
    Stream(Encoding),
    /// The bytes of a file are the body.
    Upload(Upload),
    /// The bytes of a file are the answer.
    File(Wanted),
    /// A signed body.
    Webhook(Delivery),
    /// A question whether to deliver signed bodies.
    Challenge(Challenge),
}

/// How Connect's messages are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Json,
    Proto,
}

impl Encoding {
    /// What a stream of it is sent as.
    pub(crate) fn of_streams(self) -> &'static str {
        match self {
            Self::Json => "application/connect+json",
            Self::Proto => "application/connect+proto",
        }
    }
}

/// A call by a rule.
pub(crate) struct RestCall {
    pub(crate) route: Route,
    /// Values of the path's variables.
    pub(crate) variables: Vec<Result<String, ()>>,
    pub(crate) query: String,
    pub(crate) form: Form,
    /// Whether only the headers of the answer are wanted.
    pub(crate) is_head: bool,
}

/// How an answer by a rule is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// One object.
    Object,
    /// A stream, a line a message.
    Lines,
    /// A stream of server-sent events.
    Events,
}

impl Spoken {
    pub(crate) fn rpc(&self) -> &Rpc {
        &self.contracts.rpcs()[self.rpc]
    }
}

/// The contracts, read once in a process, when somebody first comes by HTTP: who speaks gRPC
/// alone does not pay for them.
pub(crate) fn contracts() -> Result<Arc<Contracts>, Fault> {
    static READ: OnceLock<Arc<Contracts>> = OnceLock::new();
    if let Some(read) = READ.get() {
        return Ok(Arc::clone(read));
    }
    // Milliseconds, once.
    let read = crate::blocking::aside(true, || read_contracts(proto::BARE_DESCRIPTOR_SET))?;
    Ok(Arc::clone(READ.get_or_init(|| Arc::new(read))))
}

/// The contracts of a set of descriptors.
pub(crate) fn read_contracts(set: &[u8]) -> Result<Contracts, Fault> {
    // Beside ours, the details of errors.
    Contracts::read(&[set, tonic_types::pb::FILE_DESCRIPTOR_SET], "redress").map_err(Fault::internal)
}

/// What a header says a body is, in small letters and without parameters; an empty one is none.
pub(crate) fn essence(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let told = headers.get(name)?.to_str().ok()?;
    let essence = told.split_once(';').map_or(told, |(essence, _)| essence).trim();
    if essence.is_empty() { None } else { Some(essence.to_ascii_lowercase()) }
}

/// An answer without an end.
pub(crate) fn broken_off() -> Outcome {
    outcome(&Status::from(Fault::internal("an answer ended without a status")))
}

/// What a status is, without its metadata.
pub(crate) fn outcome(status: &Status) -> Outcome {
    Outcome {
        code: status.code() as i32,
        message: status.message().to_owned(),
        details: status.details().to_vec(),
    }
}
