//! What the layers share about a call, and what handlers ask of it.

use std::time::{Duration, Instant};

use fault::{Fault, Kind};
use http::Request;
use kernel::page::Page;
use kernel::time::timeout;
use kernel::{Caller, Lane};
use pg::{Done, MutationContext};
use prost::Message;
use proto::{CONSISTENCY_TOKEN, Mutation};
use tonic::body::Body;
use tonic::metadata::MetadataValue;

use crate::connections::Connection;
use crate::contracts::{self, Method};
use crate::limits::STREAM_ENDS_BEFORE;

/// How long a caller waits, as gRPC says it.
const TIMEOUT: &str = "grpc-timeout";
/// When to call again whose stream has ended for its age.
const STREAM_RETRY: Duration = Duration::from_millis(50);

/// What a consistency token ends with whose position is of the bulk lane.
pub(crate) const BULK: &str = ":bulk";
/// Most bytes of a page with more than one row: with some slack, what gRPC clients
/// accept of a message when nobody told them otherwise, 4 MiB.
const PAGE_BYTES: usize = 3 << 20;

/// A call of one of our rpcs, as it came in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    pub(crate) method: &'static Method,
    /// When it ends, whatever became of it.
    pub(crate) deadline: Deadline,
}

/// When a call ends, and by whose word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deadline {
    pub(crate) at: Instant,
    by: Limit,
}

/// Whose word ends a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limit {
    /// The caller's, who waits no longer.
    Caller,
    /// This server's, for every call of its kind: so long.
    Server(Duration),
    /// This server's, for a stream: whoever wants more of it calls again.
    Stream,
}

impl Deadline {
    /// That of a call which may take so long, and whose caller would wait so long.
    pub(crate) fn new(limit: Duration, caller: Option<Duration>) -> Self {
        let (left, by) = match caller.filter(|left| *left < limit) {
            Some(left) => (left, Limit::Caller),
            None => (limit, Limit::Server(limit)),
        };
        Self { at: Instant::now() + left, by }
    }

    /// That of a streamed answer, which ends before its connection does.
    pub(crate) fn of_stream(self, connection: Option<&Connection>) -> Self {
        let by = if self.by == Limit::Caller { Limit::Caller } else { Limit::Stream };
        match connection.and_then(|connection| connection.closes().checked_sub(STREAM_ENDS_BEFORE)) {
            Some(closes) if closes < self.at => Self { at: closes, by: Limit::Stream },
            _ => Self { at: self.at, by },
        }
    }

    /// Whether it has passed.
    pub(crate) fn is_over(self) -> bool {
        self.at <= Instant::now()
    }

    /// Until it passes.
    pub(crate) async fn passing(self) {
        tokio::time::sleep_until(self.at.into()).await;
    }

    /// The refusal of a call whose time is over.
    pub(crate) fn refusal(self) -> Fault {
        match self.by {
            Limit::Caller => Fault::new(
                Kind::TooLate,
                "DEADLINE_EXCEEDED",
                "the call took longer than the caller would wait",
            ),
            Limit::Server(limit) => {
                let seconds = limit.as_secs();
                let sentence =
                    format!("the call took longer than {seconds} s, the limit for calls of its kind");
                Fault::new(Kind::TooLate, "TIME_LIMIT_EXCEEDED", sentence)
                    .with("limit_seconds", seconds.to_string())
            }
            Limit::Stream => Fault::new(
                Kind::Unavailable,
                "STREAM_EXPIRED",
                "the stream has gone on for as long as one may; call again, after what was received",
            )
            .retry_after(STREAM_RETRY),
        }
    }
}

impl Call {
    /// Notes what a request is a call of. Outermost, and before anything is awaited:
    /// the deadline counts from the arrival.
    pub(crate) fn note(mut request: Request<Body>) -> Request<Body> {
        if let Some(method) = contracts::method(request.uri().path()) {
            let left = caller_waits(&request).and_then(Result::ok);
            let deadline = Deadline::new(method.pace.time_limit(), left);
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
        longest.min(self.deadline.at.saturating_duration_since(Instant::now()))
    }
}

/// How long the caller says it would wait, if it does; an error where what it says
/// cannot be read.
pub(crate) fn caller_waits(request: &Request<Body>) -> Option<Result<Duration, InvalidTimeout>> {
    let told = request.headers().get(TIMEOUT)?;
    Some(told.to_str().ok().and_then(timeout).ok_or(InvalidTimeout))
}

/// A `grpc-timeout` that cannot be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InvalidTimeout;

/// Who calls.
///
/// # Errors
///
/// Fails with `UNAUTHENTICATED` if no layer has noted who calls.
pub fn caller<T>(request: &tonic::Request<T>) -> Result<Caller, Fault> {
    request
        .extensions()
        .get()
        .cloned()
        .ok_or_else(|| Fault::new(Kind::Unauthenticated, "UNAUTHENTICATED", "the caller is not known"))
}

/// What a mutation is asked with, and the request itself.
///
/// # Errors
///
/// Fails with `UNAUTHENTICATED` if nobody is known to call.
pub fn mutation<M: Mutation>(request: tonic::Request<M>) -> Result<(MutationContext, M), Fault> {
    let caller = caller(&request)?;
    let request = request.into_inner();
    Ok((MutationContext::new(caller, &request), request))
}

/// The answer to a mutation, with the token that makes any later read see its
/// effects.
pub fn reply<A>(done: Done<A>) -> tonic::Response<A> {
    let Done { answer, source, position, lane } = done;
    let bulk = if lane == Lane::Bulk { BULK } else { "" };
    let mut response = tonic::Response::new(answer);
    if let Ok(token) = MetadataValue::try_from(format!("{source}:{position}{bulk}")) {
        response.metadata_mut().insert(CONSISTENCY_TOKEN, token);
    }
    response
}

/// The messages of one page, and the token of the next: of the rows fetched, each
/// with its key, as many as the page asks for and one answer can carry.
pub fn page<M: Message>(page: &Page, rows: impl IntoIterator<Item = (String, M)>) -> (Vec<M>, String) {
    let mut messages = Vec::new();
    let (mut bytes, mut last) = (0, String::new());
    for (key, message) in rows {
        bytes += message.encoded_len();
        let is_full = messages.len() == usize::from(page.size) || bytes > PAGE_BYTES;
        if is_full && !messages.is_empty() {
            return (messages, page.token(&last));
        }
        messages.push(message);
        last = key;
    }
    (messages, String::new())
}

#[cfg(test)]
mod tests {
    use kernel::page::InvalidPage;

    use super::*;

    #[test]
    fn a_page_ends_where_it_is_asked_to_or_is_full() -> Result<(), InvalidPage> {
        let rows = |bytes| (1..=5).map(move |n: u8| (n.to_string(), "x".repeat(bytes)));
        let asked = Page::parse(3, "", "all")?;
        let (messages, next) = page(&asked, rows(10));
        assert_eq!((messages.len(), Page::parse(3, &next, "all")?.after.as_deref()), (3, Some("3")));
        let (messages, next) = page(&asked, rows(PAGE_BYTES / 3));
        assert_eq!((messages.len(), Page::parse(3, &next, "all")?.after.as_deref()), (2, Some("2")));
        let (messages, next) = page(&asked, rows(PAGE_BYTES * 2));
        assert_eq!((messages.len(), Page::parse(3, &next, "all")?.after.as_deref()), (1, Some("1")));
        let (messages, next) = page(&Page::parse(5, "", "all")?, rows(10));
        assert_eq!((messages.len(), next.as_str()), (5, ""));
        Ok(())
    }

    #[test]
    fn an_answer_carries_its_token() {
        let response = reply(Done { answer: (), source: "intake", position: 42, lane: Lane::Live });
        let token = response.metadata().get(CONSISTENCY_TOKEN).map(MetadataValue::as_bytes);
        assert_eq!(token, Some(&b"intake:42"[..]));
    }
}
