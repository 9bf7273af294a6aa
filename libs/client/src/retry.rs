//! Repeats a call until it is answered or its deadline passes.
//!
//! What is repeated: a call that broke or was answered UNAVAILABLE; one answered
//! RESOURCE_EXHAUSTED or ABORTED when the server says after how long to come back
//! (`RetryInfo`). Without that word a full agent or a newer version stays as it is,
//! however often it is asked.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, request};
use http_body_util::{BodyExt as _, Collected, Full};
use kernel::Ids;
use tonic::body::Body;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use tower::{Service as _, ServiceExt as _};

const TIMEOUT_HEADER: &str = "grpc-timeout";
/// What servers are given beyond the time that is left, so that it is always here
/// that a deadline is declared passed: transports differ in what they call it.
const TIMEOUT_SLACK: Duration = Duration::from_millis(10);
/// Pauses double from the first to the longest, each cut by chance to at least half.
const PAUSE_FIRST: Duration = Duration::from_millis(20);
const PAUSE_LONGEST: Duration = Duration::from_secs(2);
/// Doublings after which the longest pause is certainly reached.
const DOUBLINGS_MAX: u32 = 10;

/// Makes a call of one request and one answer, as often as it takes.
pub(crate) async fn until_answered(
    channel: Channel,
    request: Request<Body>,
    patience: Duration,
    ids: &dyn Ids,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(status) => return status.into_http(),
    };
    let deadline = Instant::now() + timeout(&parts.headers).unwrap_or(patience);
    let mut failures = 0;
    loop {
        let answer = attempt(channel.clone(), &parts, body.clone(), deadline).await;
        let Some(asked) = answer.status.as_ref().and_then(retry_after) else { return answer.response };
        let pause = asked.max(pause(failures, ids.fraction()));
        if pause >= deadline.saturating_duration_since(Instant::now()) {
            return answer.response;
        }
        tokio::time::sleep(pause).await;
        failures += 1;
    }
}

/// Passes a call on, whatever it streams.
pub(crate) async fn once(mut channel: Channel, request: Request<Body>) -> Result<Response<Body>, Status> {
    channel
        .ready()
        .await
        .map_err(|error| unreachable(&error))?
        .call(request)
        .await
        .map_err(|error| unreachable(&error))
}

struct Answer {
    response: Response<Body>,
    /// How it failed; none when it did not.
    status: Option<Status>,
}

impl From<Status> for Answer {
    fn from(status: Status) -> Self {
        Self { response: status.clone().into_http(), status: Some(status) }
    }
}

async fn attempt(channel: Channel, parts: &request::Parts, body: Bytes, deadline: Instant) -> Answer {
    let left = deadline.saturating_duration_since(Instant::now());
    let mut request = Request::from_parts(parts.clone(), Body::new(Full::new(body)));
    request.headers_mut().insert(TIMEOUT_HEADER, header(left + TIMEOUT_SLACK));
    tokio::time::timeout(left, whole(channel, request))
        .await
        .unwrap_or_else(|_| Err(Status::deadline_exceeded("no answer came in the time given")))
        .unwrap_or_else(Answer::from)
}

/// The answer with its last byte: one that breaks off is none.
async fn whole(channel: Channel, request: Request<Body>) -> Result<Answer, Status> {
    let (parts, body) = once(channel, request).await?.into_parts();
    let body = body
        .collect()
        .await
        .map_err(|broken| Status::unavailable(format!("the answer broke off: {}", broken.message())))?;
    let status = status(parts.status, &parts.headers, &body);
    Ok(Answer { response: Response::from_parts(parts, Body::new(body)), status })
}

/// How an answer failed: told in its headers when there is no message, else behind
/// it; or by something on the way that does not speak gRPC.
fn status(http: StatusCode, headers: &HeaderMap, body: &Collected<Bytes>) -> Option<Status> {
    let told = Status::from_header_map(headers).or_else(|| body.trailers().and_then(Status::from_header_map));
    match told {
        Some(status) => (status.code() != Code::Ok).then_some(status),
        None if matches!(http.as_u16(), 429 | 502..=504) => {
            Some(Status::unavailable("a proxy is overloaded"))
        }
        None => None,
    }
}

/// After how long it is worth trying again, as far as the server says; none when it
/// is not.
fn retry_after(status: &Status) -> Option<Duration> {
    let told = status.get_details_retry_info().and_then(|info| info.retry_delay);
    match status.code() {
        Code::Unavailable => Some(told.unwrap_or_default()),
        Code::ResourceExhausted | Code::Aborted => told,
        _ => None,
    }
}

fn pause(failures: u32, fraction: f64) -> Duration {
    let longest = PAUSE_LONGEST.min(PAUSE_FIRST * 2_u32.pow(failures.min(DOUBLINGS_MAX)));
    longest.mul_f64(f64::midpoint(1.0, fraction))
}

fn unreachable(error: &dyn std::error::Error) -> Status {
    let mut sentence = "the server cannot be reached".to_owned();
    let mut cause = error.source();
    while let Some(error) = cause {
        sentence.push_str(": ");
        sentence.push_str(&error.to_string());
        cause = error.source();
    }
    Status::unavailable(sentence)
}

/// The time a request gives.
fn timeout(headers: &HeaderMap) -> Option<Duration> {
    kernel::time::timeout(headers.get(TIMEOUT_HEADER)?.to_str().ok()?)
}

/// Milliseconds hold a day in eight digits; longer is longest.
fn header(time: Duration) -> HeaderValue {
    const MOST: u128 = 99_999_999;
    let millis = time.as_millis().min(MOST);
    HeaderValue::from_str(&format!("{millis}m")).unwrap_or_else(|_| HeaderValue::from_static("1S"))
}

#[cfg(test)]
mod tests {
    use tonic_types::ErrorDetails;

    use super::*;

    fn told(code: Code, delay: Option<Duration>) -> Status {
        let mut details = ErrorDetails::new();
        if let Some(delay) = delay {
            details.set_retry_info(Some(delay));
        }
        Status::with_error_details(code, "no", details)
    }

    #[test]
    fn only_what_may_come_right_is_repeated() {
        let second = Some(Duration::from_secs(1));
        assert_eq!(retry_after(&told(Code::Unavailable, None)), Some(Duration::ZERO));
        assert_eq!(retry_after(&told(Code::Unavailable, second)), second);
        assert_eq!(retry_after(&told(Code::ResourceExhausted, second)), second);
        assert_eq!(retry_after(&told(Code::Aborted, second)), second);
        assert_eq!(retry_after(&told(Code::ResourceExhausted, None)), None);
        assert_eq!(retry_after(&told(Code::Aborted, None)), None);
        assert_eq!(retry_after(&told(Code::Internal, second)), None);
    }

    #[test]
    fn pauses_grow_to_a_limit_and_differ() {
        assert_eq!(pause(0, 1.0), PAUSE_FIRST);
        assert_eq!(pause(0, 0.0), PAUSE_FIRST / 2);
        assert_eq!(pause(1, 1.0), PAUSE_FIRST * 2);
        assert_eq!(pause(u32::MAX, 1.0), PAUSE_LONGEST);
    }

    #[test]
    fn a_timeout_reads_as_it_was_written() {
        for time in [Duration::from_millis(1), Duration::from_secs(7), Duration::from_hours(1)] {
            let headers =
                HeaderMap::from_iter([(http::header::HeaderName::from_static(TIMEOUT_HEADER), header(time))]);
            assert_eq!(timeout(&headers), Some(time));
        }
    }
}
