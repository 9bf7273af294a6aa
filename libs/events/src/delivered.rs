//! An event as a reactor sees it.

use std::sync::Arc;

use fault::{Fault, Kind};
use jiff::Timestamp;
use kernel::{Lane, TenantId};
use prost::{Message, Name};
use proto::redress::event::v1::Event;
use tracing::Span;
use uuid::Uuid;

use crate::Follow;

/// One event, taken apart.
#[derive(Clone, Debug)]
pub struct Delivered {
    /// Its place in the feed.
    pub position: i64,
    /// Its identity.
    pub id: Uuid,
    /// Whose data it is.
    pub tenant: TenantId,
    /// The case it is about.
    pub subject: Uuid,
    /// When it happened.
    pub occurred: Timestamp,
    /// The trace to continue: emit what it causes in it, store it with the row.
    pub traceparent: String,
    /// Full protobuf name of the payload.
    pub type_name: String,
    /// The payload, protobuf-encoded.
    pub payload: Vec<u8>,
    /// The lane it came in.
    pub(crate) lane: Lane,
    /// The bulk lane must be applied up to here first.
    pub(crate) follows: i64,
    /// Open while the event is applied, where its trace is recorded.
    span: Span,
}

impl Delivered {
    /// Takes an event apart, for a consumer of this name.
    ///
    /// # Errors
    ///
    /// Fails if it is malformed.
    pub fn open(event: &Arc<Event>, consumer: &'static str) -> Result<Self, Fault> {
        let payload = event.payload.as_ref().ok_or_else(|| malformed("payload"))?;
        let time = event.occur_time.as_ref().ok_or_else(|| malformed("occur_time"))?;
        let type_name = type_name(&payload.type_url).to_owned();
        let span = pg::continued_span!(
            &event.traceparent,
            "event.process",
            otel.kind = "consumer",
            messaging.operation.type = "process",
            messaging.consumer.group.name = consumer,
            messaging.destination.name = event.source,
            messaging.message.id = event.id,
            messaging.message.type = type_name,
        );
        let mut traceparent = pg::trace::of(&span);
        if traceparent.is_empty() {
            traceparent.clone_from(&event.traceparent);
        }
        Ok(Self {
            position: event.position,
            id: Uuid::try_parse(&event.id).map_err(|_| malformed("id"))?,
            tenant: TenantId::parse(&event.tenant_id).map_err(|_| malformed("tenant_id"))?,
            subject: Uuid::try_parse(&event.subject).map_err(|_| malformed("subject"))?,
            occurred: Timestamp::new(time.seconds, time.nanos).map_err(|_| malformed("occur_time"))?,
            traceparent,
            type_name,
            payload: payload.value.clone(),
            lane: Lane::of(event.lane),
            follows: event.follows_position,
            span,
        })
    }

    /// Whether the payload is of this type.
    pub fn is<M: Name>(&self) -> bool {
        self.type_name.len() == M::PACKAGE.len() + 1 + M::NAME.len()
            && self.type_name.starts_with(M::PACKAGE)
            && self.type_name.ends_with(M::NAME)
    }

    /// Whether the payload is among what a list follows by name.
    pub fn is_among(&self, follows: &[Follow]) -> bool {
        follows.iter().any(|follow| follow.types.contains(&self.type_name.as_str()))
    }

    /// The payload.
    ///
    /// # Errors
    ///
    /// Fails if the payload is no such message: the event is malformed.
    pub fn read<M: Message + Name + Default>(&self) -> Result<M, Fault> {
        M::decode(self.payload.as_slice()).map_err(|error| malformed("payload").because(error))
    }

    /// The span in which it is applied; disabled where its trace is not recorded.
    pub fn span(&self) -> &Span {
        &self.span
    }
}

/// The message name in an `Any`'s type URL.
pub(crate) fn type_name(type_url: &str) -> &str {
    type_url.rsplit('/').next().unwrap_or_default()
}

fn malformed(field: &str) -> Fault {
    Fault::new(Kind::Invalid, "MALFORMED_EVENT", format!("the event's {field} cannot be read"))
}
