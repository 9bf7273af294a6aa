//! What the layers share about a call, and what handlers ask of it.

use std::time::{Duration, Instant};

use fault::{Fault, Kind};
use http::Request;
use kernel::Caller;
use kernel::page::Page;
use kernel::time::timeout;
use pg::Done;
use prost::Message;
use proto::CONSISTENCY_TOKEN;
use tonic::body::Body;
use tonic::metadata::MetadataValue;

use crate::contracts::{self, Method};

/// Most bytes of a page with more than one row: with some slack, what gRPC clients
/// accept of a message when nobody told them otherwise, 4 MiB.
const PAGE_BYTES: usize = 3 << 20;

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
            let left = request.headers().get("grpc-timeout").and_then(|time| time.to_str().ok());
            let deadline = left.and_then(timeout).and_then(|left| Instant::now().checked_add(left));
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
        let response = reply(Done { answer: (), source: "intake", position: 42 });
        let token = response.metadata().get(CONSISTENCY_TOKEN).map(MetadataValue::as_bytes);
        assert_eq!(token, Some(&b"intake:42"[..]));
    }
}
