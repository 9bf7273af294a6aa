//! The Connect protocol, as far as HTTP says which call it is: POST to the rpc's own path.
//! <https://connectrpc.com/docs/protocol>

use std::sync::Arc;

use fault::{Fault, Kind};
use http::header::CONTENT_ENCODING;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use tonic::Status;
use tonic::body::Body;
use transcoding::{Contracts, Rpc};

use super::spoken::{Dialect, Encoding, Spoken, essence, outcome};
use super::{Decision, plain};

/// What a message is sent as.
const KINDS: [(&str, Encoding, bool); 4] = [
    ("application/json", Encoding::Json, false),
    ("application/proto", Encoding::Proto, false),
    ("application/connect+json", Encoding::Json, true),
    ("application/connect+proto", Encoding::Proto, true),
];
const PROTOCOL_VERSION: &str = "connect-protocol-version";
const TIMEOUT: &str = "connect-timeout-ms";
/// Compression of the messages in envelopes.
const STREAM_ENCODING: HeaderName = HeaderName::from_static("connect-content-encoding");
/// Most digits of a timeout, as the protocol says.
const TIMEOUT_DIGITS: usize = 10;
/// Most digits that gRPC's own has.
const GRPC_DIGITS: usize = 8;

/// What a request to the path of an rpc is.
pub(crate) fn decide(contracts: &Arc<Contracts>, at: usize, request: &Request<Body>) -> Decision {
    let rpc = &contracts.rpcs()[at];
    let told = essence(request.headers(), &CONTENT_TYPE);
    let kind = KINDS.iter().find(|(kind, ..)| told.as_deref() == Some(*kind));
    let (Some((_, encoding, in_envelopes)), &Method::POST) = (kind, request.method()) else {
        return Decision::Pass;
    };
    let streams = rpc.streams_requests || rpc.streams_answers;
    if streams != *in_envelopes {
        return Decision::Answer(other_kind(streams));
    }
    let dialect = if streams { Dialect::Stream(*encoding) } else { Dialect::Unary(*encoding) };
    match check(request.headers(), streams) {
        Ok(()) => Decision::Call(Spoken { contracts: Arc::clone(contracts), rpc: at, dialect }),
        Err(fault) => Decision::Answer(refused(contracts, rpc, *encoding, fault)),
    }
}

/// The protocol's version, and that nothing is compressed.
fn check(headers: &HeaderMap, streams: bool) -> Result<(), Fault> {
    if headers.get(PROTOCOL_VERSION).is_some_and(|version| version != "1") {
        let sentence = "this server knows version 1 of the Connect protocol";
        return Err(Fault::new(Kind::Invalid, "UNKNOWN_PROTOCOL_VERSION", sentence));
    }
    let name = if streams { STREAM_ENCODING } else { CONTENT_ENCODING };
    if headers.get(name).is_some_and(|encoding| encoding != "identity") {
        let sentence = "the message is compressed; this server reads Connect's messages uncompressed";
        return Err(Fault::new(Kind::Unimplemented, "UNKNOWN_ENCODING", sentence));
    }
    Ok(())
}

fn refused(contracts: &Contracts, rpc: &Rpc, encoding: Encoding, fault: Fault) -> Response<Body> {
    let outcome = outcome(&Status::from(fault));
    let streams = rpc.streams_requests || rpc.streams_answers;
    if streams {
        return super::streamed::ended_at_once(contracts, encoding, &outcome);
    }
    let status = transcoding::status::http_status(outcome.code);
    plain::json(status, outcome.to_connect(contracts.pool()).to_string(), false)
}

/// The protocol wants no more said than which kinds would do.
fn other_kind(streams: bool) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    let kinds: Vec<_> = KINDS.iter().filter(|(.., of)| *of == streams).map(|(kind, ..)| *kind).collect();
    if let Ok(kinds) = HeaderValue::from_str(&kinds.join(", ")) {
        response.headers_mut().insert("accept-post", kinds);
    }
    response
}

/// How long the caller waits, as gRPC says it; what cannot be read is passed on, to be
/// refused as gRPC's own is.
pub(crate) fn timeout(spoken: &Spoken, headers: &HeaderMap) -> Option<HeaderValue> {
    if !matches!(spoken.dialect, Dialect::Unary(_) | Dialect::Stream(_)) {
        return None;
    }
    let told = headers.get(TIMEOUT)?;
    let digits = told.to_str().ok().filter(|told| {
        !told.is_empty() && told.len() <= TIMEOUT_DIGITS && told.bytes().all(|byte| byte.is_ascii_digit())
    });
    let written = match digits {
        Some(millis) if millis.len() <= GRPC_DIGITS => format!("{millis}m"),
        Some(millis) => format!("{}S", &millis[..millis.len() - 3]),
        None => "unreadable".to_owned(),
    };
    HeaderValue::from_str(&written).ok()
}
