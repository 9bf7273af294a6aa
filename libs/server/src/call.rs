//! What the layers share about a call, and what handlers ask of it.

use std::time::{Duration, Instant};

use fault::{Fault, Kind};
use http::{HeaderMap, Request};
use kernel::Caller;
use pg::Done;
use tonic::body::Body;
use tonic::metadata::MetadataValue;

use crate::contracts::{self, Method};

/// Header that carries a consistency token: `<source>:<position>`.
pub const CONSISTENCY_TOKEN: &str = "redress-consistency-token";

/// A call of one of our rpcs, as it came in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    pub(crate) method: &'static Method,
    /// When the caller stops waiting.
    pub(crate) deadline: Option<Instant>,
}

impl Call {
    /// Notes what a request is a call of. Outermost, and before anything is awaited:
    /// the deadline counts from the arrival.
    pub(crate) fn note(mut request: Request<Body>) -> Request<Body> {
        if let Some(method) = contracts::method(request.uri().path()) {
            let deadline = timeout(request.headers()).and_then(|left| Instant::now().checked_add(left));
            request.extensions_mut().insert(Self { method, deadline });
        }
        request
    }

    /// The call a request is; none if it is none of ours.
    pub(crate) fn of(request: &Request<Body>) -> Option<Self> {
        request.extensions().get().copied()
    }

    /// Time left until the deadline, at most `longest`.
    pub(crate) fn patience(&self, longest: Duration) -> Duration {
        self.deadline
            .map_or(longest, |deadline| longest.min(deadline.saturating_duration_since(Instant::now())))
    }
}

/// The time the caller gives, as the header `grpc-timeout` says it: up to eight
/// digits and a unit. One that cannot be read is no limit.
fn timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let value = digits.parse().ok().filter(|_| digits.len() <= 8)?;
    match unit {
        "H" => Some(Duration::from_secs(value * 3600)),
        "M" => Some(Duration::from_secs(value * 60)),
        "S" => Some(Duration::from_secs(value)),
        "m" => Some(Duration::from_millis(value)),
        "u" => Some(Duration::from_micros(value)),
        "n" => Some(Duration::from_nanos(value)),
        _ => None,
    }
}

/// Who calls.
pub fn caller<T>(request: &tonic::Request<T>) -> Result<Caller, Fault> {
    request
        .extensions()
        .get()
        .cloned()
        .ok_or_else(|| Fault::new(Kind::Unauthenticated, "UNAUTHENTICATED", "the caller is not known"))
}

/// The answer to a mutation, with the token that makes any later read see its
/// effects.
pub fn reply<A>(done: Done<A>) -> tonic::Response<A> {
    let Done { answer, source, position } = done;
    let mut response = tonic::Response::new(answer);
    if let Ok(token) = MetadataValue::try_from(format!("{source}:{position}")) {
        response.metadata_mut().insert(CONSISTENCY_TOKEN, token);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &'static str) -> Option<Duration> {
        timeout(&HeaderMap::from_iter([(
            http::header::HeaderName::from_static("grpc-timeout"),
            http::HeaderValue::from_static(value),
        )]))
    }

    #[test]
    fn timeouts_are_read_as_the_protocol_says() {
        assert_eq!(read("2H"), Some(Duration::from_hours(2)));
        assert_eq!(read("3M"), Some(Duration::from_mins(3)));
        assert_eq!(read("4S"), Some(Duration::from_secs(4)));
        assert_eq!(read("250m"), Some(Duration::from_millis(250)));
        assert_eq!(read("99999999u"), Some(Duration::from_micros(99_999_999)));
        assert_eq!(read("7n"), Some(Duration::from_nanos(7)));
    }

    #[test]
    fn what_is_no_timeout_is_no_limit() {
        for wrong in ["", "S", "1", "1x", "-1S", "123456789S", "1.5S"] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn an_answer_carries_its_token() {
        let response = reply(Done { answer: (), source: "intake", position: 42 });
        let token = response.metadata().get(CONSISTENCY_TOKEN).map(MetadataValue::as_bytes);
        assert_eq!(token, Some(&b"intake:42"[..]));
    }
}
