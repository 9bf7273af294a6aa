//! Read your own writes, across services.

use http::HeaderValue;
use proto::CONSISTENCY_TOKEN;
use proto::redress::event::v1::{Event, Lane};
use tonic::metadata::{Ascii, MetadataValue};

/// Stands for everything up to one change. A read that presents it sees that change,
/// at any service that follows the one that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token(MetadataValue<Ascii>);

impl Token {
    /// The token of a mutation's answer; none in the answer to a read.
    pub fn of<T>(response: &tonic::Response<T>) -> Option<Self> {
        response.metadata().get(CONSISTENCY_TOKEN).cloned().map(Self)
    }

    /// The token that stands for an event and what was told before it.
    pub fn after(event: &Event) -> Option<Self> {
        let bulk = if event.lane == i32::from(Lane::Bulk) { ":bulk" } else { "" };
        format!("{}:{}{bulk}", event.source, event.position).parse().ok().map(Self)
    }

    /// Reads a token as [`Token::as_str`] writes it.
    pub fn parse(text: &str) -> Option<Self> {
        text.split_once(':').and_then(|_| text.parse().ok()).map(Self)
    }

    /// The token as text.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// A request that waits until what this token stands for can be seen.
    pub fn present<T>(&self, message: T) -> tonic::Request<T> {
        let mut request = tonic::Request::new(message);
        request.metadata_mut().insert(CONSISTENCY_TOKEN, self.0.clone());
        request
    }

    pub(crate) fn header(&self) -> Option<HeaderValue> {
        HeaderValue::from_bytes(self.0.as_bytes()).ok()
    }
}
