//! What became of a call: `google.rpc.Status` in JSON, and the status of HTTP.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use http::StatusCode;
use prost_reflect::{DescriptorPool, DynamicMessage, ReflectMessage as _, Value};
use serde_json::{Map, Value as Json, json};

/// The message that carries details.
const STATUS: &str = "google.rpc.Status";
/// Of the names of details, what comes before that of their message.
const TYPE_URL: &str = "type.googleapis.com/";
/// Name and status of HTTP of each code, in the order of their numbers: as
/// `google.rpc.Code` has them, and Connect likewise.
const CODES: [(&str, u16); 17] = [
    ("ok", 200),
    ("canceled", 499),
    ("unknown", 500),
    ("invalid_argument", 400),
    ("deadline_exceeded", 504),
    ("not_found", 404),
    ("already_exists", 409),
    ("permission_denied", 403),
    ("resource_exhausted", 429),
    ("failed_precondition", 400),
    ("aborted", 409),
    ("out_of_range", 400),
    ("unimplemented", 501),
    ("internal", 500),
    ("unavailable", 503),
    ("data_loss", 500),
    ("unauthenticated", 401),
];
const UNKNOWN: usize = 2;

fn known(code: i32) -> (&'static str, u16) {
    usize::try_from(code).ok().and_then(|code| CODES.get(code)).copied().unwrap_or(CODES[UNKNOWN])
}

/// The status of HTTP that a gRPC code is.
pub fn http_status(code: i32) -> StatusCode {
    StatusCode::from_u16(known(code).1).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// What a call failed with, or that it did not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The gRPC code.
    pub code: i32,
    /// A sentence for the caller.
    pub message: String,
    /// An encoded `google.rpc.Status`, for its details; empty where there are none.
    pub details: Vec<u8>,
}

/// One detail, and how it is written.
struct Detail {
    type_url: String,
    bytes: Vec<u8>,
    /// None of a message that the contracts do not know.
    json: Option<Json>,
}

impl Outcome {
    /// As `google.rpc.Status`: code, message, details with their `@type`. A detail that the
    /// contracts do not know has its bytes as base64 in `value`.
    pub fn to_json(&self, pool: &DescriptorPool) -> Json {
        let details = self.details(pool).into_iter().map(|detail| {
            let mut members = Map::new();
            members.insert("@type".to_owned(), detail.type_url.into());
            match detail.json {
                Some(Json::Object(known)) => members.extend(known),
                Some(other) => {
                    members.insert("value".to_owned(), other);
                }
                None => {
                    members.insert("value".to_owned(), STANDARD.encode(detail.bytes).into());
                }
            }
            Json::Object(members)
        });
        let details: Vec<_> = details.collect();
        let mut status = json!({ "code": self.code });
        if let Json::Object(members) = &mut status {
            if !self.message.is_empty() {
                members.insert("message".to_owned(), self.message.as_str().into());
            }
            if !details.is_empty() {
                members.insert("details".to_owned(), details.into());
            }
        }
        status
    }

    /// As Connect writes an error.
    pub fn to_connect(&self, pool: &DescriptorPool) -> Json {
        let details = self.details(pool).into_iter().map(|detail| {
            let name = detail.type_url.rsplit('/').next().unwrap_or_default();
            let mut written = json!({ "type": name, "value": STANDARD_NO_PAD.encode(&detail.bytes) });
            if let (Json::Object(members), Some(known)) = (&mut written, detail.json) {
                members.insert("debug".to_owned(), known);
            }
            written
        });
        let details: Vec<_> = details.collect();
        let mut error = json!({ "code": known(self.code).0, "message": self.message });
        if let (Json::Object(members), false) = (&mut error, details.is_empty()) {
            members.insert("details".to_owned(), details.into());
        }
        error
    }

    fn details(&self, pool: &DescriptorPool) -> Vec<Detail> {
        let Some(descriptor) = pool.get_message_by_name(STATUS) else { return Vec::new() };
        let Ok(status) = DynamicMessage::decode(descriptor, self.details.as_slice()) else {
            return Vec::new();
        };
        let details = status.get_field_by_name("details");
        let all = details.iter().filter_map(|details| details.as_list()).flatten();
        all.filter_map(Value::as_message).map(|any| detail(pool, any)).collect()
    }
}

fn detail(pool: &DescriptorPool, any: &DynamicMessage) -> Detail {
    let type_url = any.get_field_by_name("type_url").and_then(|url| url.as_str().map(str::to_owned));
    let type_url = type_url.unwrap_or_default();
    let bytes = any.get_field_by_name("value").and_then(|value| value.as_bytes().map(|bytes| bytes.to_vec()));
    let bytes = bytes.unwrap_or_default();
    let descriptor = type_url.strip_prefix(TYPE_URL).and_then(|name| pool.get_message_by_name(name));
    let message = descriptor.and_then(|descriptor| DynamicMessage::decode(descriptor, bytes.as_slice()).ok());
    let json = message.and_then(|message| serde_json::to_value(&message).ok());
    Detail { type_url, bytes, json }
}

/// How long the caller is told to wait, in whole seconds, at least one: the header
/// `Retry-After` knows no less.
pub fn retry_after(outcome: &Outcome, pool: &DescriptorPool) -> Option<u64> {
    let details = outcome.details(pool);
    let retry = details.iter().find(|detail| detail.type_url.ends_with("/google.rpc.RetryInfo"))?;
    let descriptor = pool.get_message_by_name("google.rpc.RetryInfo")?;
    let retry = DynamicMessage::decode(descriptor, retry.bytes.as_slice()).ok()?;
    let delay = retry.get_field_by_name("retry_delay")?;
    let delay = delay.as_message()?;
    debug_assert_eq!(delay.descriptor().full_name(), "google.protobuf.Duration");
    let seconds = delay.get_field_by_name("seconds")?.as_i64()?;
    let nanos = delay.get_field_by_name("nanos")?.as_i32()?;
    u64::try_from(seconds + i64::from(nanos > 0)).ok().map(|seconds| seconds.max(1))
}
