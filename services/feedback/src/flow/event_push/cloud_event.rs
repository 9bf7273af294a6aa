//! An event as CloudEvents 1.0 has it, in structured JSON.

use std::sync::LazyLock;

use bytes::Bytes;
use fault::Fault;
use jiff::Timestamp;
use kernel::Lane;
use prost_reflect::{DescriptorPool, DynamicMessage};
use proto::redress::event::v1::Event;
use serde_json::{Value, json};

use crate::event_subscription::filter::Seen;

/// Digits of the position: texts of as many are in the order of the numbers.
const SEQUENCE_DIGITS: usize = 20;

static CONTRACTS: LazyLock<Option<DescriptorPool>> =
    LazyLock::new(|| DescriptorPool::decode(proto::BARE_DESCRIPTOR_SET).ok());

/// An event with its message as JSON.
pub(super) struct CloudEvent<'a> {
    event: &'a Event,
    kind: &'a str,
    data: Value,
}

impl<'a> CloudEvent<'a> {
    /// Reads an event's message, but for what gives its reader a capability: neither is it
    /// posted, nor do filters see it.
    pub(super) fn of(event: &'a Event) -> Result<Self, Fault> {
        let payload = event.payload.as_ref().ok_or_else(|| Fault::internal("an event without a message"))?;
        let kind = payload.type_url.rsplit('/').next().unwrap_or_default();
        let descriptor = CONTRACTS.as_ref().and_then(|contracts| contracts.get_message_by_name(kind));
        let descriptor =
            descriptor.ok_or_else(|| Fault::internal(format!("an event of the unknown kind {kind}")))?;
        let told = events::without_capabilities(kind, &payload.value).map_err(Fault::internal)?;
        let message = DynamicMessage::decode(descriptor, &*told).map_err(Fault::internal)?;
        let data = serde_json::to_value(&message).map_err(Fault::internal)?;
        Ok(Self { event, kind, data })
    }

    /// What filters see of it.
    pub(super) fn seen(&self) -> Seen<'_> {
        Seen {
            kind: self.kind,
            source: &self.event.source,
            subject: &self.event.subject,
            is_bulk: Lane::of(self.event.lane) == Lane::Bulk,
            data: &self.data,
        }
    }

    /// The whole, as it is posted.
    pub(super) fn json(self) -> Result<Bytes, Fault> {
        let Self { event, kind, data } = self;
        let time = event.occur_time.and_then(|time| Timestamp::new(time.seconds, time.nanos).ok());
        let mut whole = json!({
            "specversion": "1.0",
            "id": event.id,
            "source": event.source,
            "type": kind,
            "subject": event.subject,
            "datacontenttype": "application/json",
            "sequence": format!("{:0SEQUENCE_DIGITS$}", event.position),
            "tenantid": event.tenant_id,
            "data": data,
        });
        // Attributes that have nothing to say are left out, as the specification wants it.
        if let Some(fields) = whole.as_object_mut() {
            if let Some(time) = time {
                fields.insert("time".to_owned(), json!(time.to_string()));
            }
            if !event.traceparent.is_empty() {
                fields.insert("traceparent".to_owned(), json!(event.traceparent));
            }
        }
        serde_json::to_vec(&whole).map(Bytes::from).map_err(Fault::internal)
    }
}
