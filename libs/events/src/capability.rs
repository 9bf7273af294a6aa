//! What is told to the suite's own services only: fields of events by whose value alone
//! something may be done, as the contracts mark them (`redress.access.v1.capability`).
//!
//! They are fields of the messages of events, or of messages in those: they are left out field by
//! field, and only what has such a field in it is looked into.

use std::borrow::Cow;

use prost::DecodeError;
use prost::bytes::{Buf as _, BufMut as _};
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, encode_varint, skip_field};
use proto::redress::event::v1::Event;
use proto::{CAPABILITIES, CAPABILITY_BEARERS};

/// How deep messages may lie in each other: as deep as they are decoded.
const MAX_DEPTH: u32 = 100;

/// A message of an event, of a kind by its full name, without what gives its reader a
/// capability.
///
/// # Errors
///
/// Fails if it is no message.
pub fn without_capabilities<'a>(kind: &str, message: &'a [u8]) -> Result<Cow<'a, [u8]>, DecodeError> {
    let marks = Marks::of(kind);
    if marks.fields.is_empty() && marks.parts.is_empty() {
        return Ok(Cow::Borrowed(message));
    }
    marks.leave_out(message, MAX_DEPTH).map(Cow::Owned)
}

/// Leaves out of an event what gives its reader a capability; all of its message, where that
/// cannot be read.
pub(crate) fn blank(event: &mut Event) {
    let Some(payload) = &mut event.payload else { return };
    let kind = payload.type_url.rsplit('/').next().unwrap_or_default();
    match without_capabilities(kind, &payload.value) {
        Ok(Cow::Borrowed(_)) => {}
        Ok(Cow::Owned(kept)) => payload.value = kept,
        Err(_) => payload.value.clear(),
    }
}

/// What is to be left out of messages of a kind.
struct Marks {
    /// Fields that are.
    fields: &'static [u32],
    /// Fields in whose messages there is something, and the names of those.
    parts: &'static [(u32, &'static str)],
}

/// What a table sorted by names has of one; nothing where it has nothing.
fn listed<T>(table: &[(&str, &'static [T])], kind: &str) -> &'static [T] {
    table.binary_search_by_key(&kind, |(name, _)| *name).map_or(&[], |place| table[place].1)
}

impl Marks {
    fn of(kind: &str) -> Self {
        Self { fields: listed(CAPABILITIES, kind), parts: listed(CAPABILITY_BEARERS, kind) }
    }

    /// A message without what is marked. What lies deeper than messages are decoded is left out.
    fn leave_out(&self, message: &[u8], depth: u32) -> Result<Vec<u8>, DecodeError> {
        let (mut rest, mut kept) = (message, Vec::with_capacity(message.len()));
        while rest.has_remaining() {
            let field = rest;
            let (number, wire) = decode_key(&mut rest)?;
            let key = &field[..field.len() - rest.len()];
            skip_field(wire, number, &mut rest, DecodeContext::default())?;
            let field = &field[..field.len() - rest.len()];
            let part =
                self.parts.iter().find(|(part, _)| *part == number && wire == WireType::LengthDelimited);
            match part {
                Some((_, kind)) if depth > 0 => {
                    let mut part = &field[key.len()..];
                    decode_varint(&mut part)?;
                    let part = Self::of(kind).leave_out(part, depth - 1)?;
                    kept.put_slice(key);
                    encode_varint(u64::try_from(part.len()).unwrap_or(u64::MAX), &mut kept);
                    kept.put_slice(&part);
                }
                None if !self.fields.contains(&number) => kept.put_slice(field),
                _ => {}
            }
        }
        Ok(kept)
    }
}

#[cfg(test)]
mod tests {
    use prost::{Message as _, Name as _};
    use proto::redress::intake::v1::complaint::ChannelDetail;
    use proto::redress::intake::v1::{Complaint, ComplaintRegistered, DeliveryReportReceived, PhoneDetail};

    use super::*;

    #[test]
    fn what_is_marked_is_left_out_and_nothing_else() {
        let complaint = Complaint { subject: "x".to_owned(), ..Complaint::default() };
        let told = ComplaintRegistered {
            complaint: Some(complaint),
            receipt_hash: vec![1; 32],
            mail_token: "c1abc".to_owned(),
        };
        let bytes = told.encode_to_vec();
        let kept = without_capabilities(&ComplaintRegistered::full_name(), &bytes).expect("a message");
        let kept = ComplaintRegistered::decode(&*kept).expect("a message");
        let expected = ComplaintRegistered { complaint: told.complaint, ..ComplaintRegistered::default() };
        assert_eq!(kept, expected);

        let report = DeliveryReportReceived {
            mail_id: "m".to_owned(),
            mailbox_id: "b".to_owned(),
            recipients: vec!["r".to_owned(), "s".to_owned()],
            message: b"Reply-To: complaints+token@shop.example".to_vec(),
        };
        let bytes = report.encode_to_vec();
        let kept = without_capabilities(&DeliveryReportReceived::full_name(), &bytes).expect("a message");
        let kept = DeliveryReportReceived::decode(&*kept).expect("a message");
        assert_eq!(kept, DeliveryReportReceived { message: Vec::new(), ..report });
    }

    /// A complaint by telephone, with or without where its recording lies.
    fn called(recording_uri: &str) -> ComplaintRegistered {
        let phone = PhoneDetail {
            ivr_result: "Delivery > Damaged".to_owned(),
            recording_uri: recording_uri.to_owned(),
            masked_number: "+8617000000000".to_owned(),
            ..PhoneDetail::default()
        };
        let complaint = Complaint {
            subject: "x".repeat(300),
            channel_detail: Some(ChannelDetail::Phone(phone)),
            ..Complaint::default()
        };
        ComplaintRegistered { complaint: Some(complaint), ..ComplaintRegistered::default() }
    }

    #[test]
    fn what_is_marked_in_a_message_within_is_left_out_and_nothing_else() {
        let told = called("https://calls.example.org/7?token=secret");
        let bytes = told.encode_to_vec();
        let kept = without_capabilities(&ComplaintRegistered::full_name(), &bytes).expect("a message");
        let kept = ComplaintRegistered::decode(&*kept).expect("a message");
        assert_eq!(kept, called(""));
        // A message may come in pieces, which are joined: each is looked into.
        let twice = [bytes.clone(), called("https://calls.example.org/8").encode_to_vec()].concat();
        let kept = without_capabilities(&ComplaintRegistered::full_name(), &twice).expect("a message");
        let kept = ComplaintRegistered::decode(&*kept).expect("a message");
        assert_eq!(kept, called(""));
        assert!(without_capabilities(&ComplaintRegistered::full_name(), &bytes[..bytes.len() - 1]).is_err());
    }

    #[test]
    fn the_messages_are_in_the_order_of_their_names() {
        assert!(CAPABILITIES.is_sorted_by_key(|(name, _)| *name), "{CAPABILITIES:?}");
        assert!(CAPABILITY_BEARERS.is_sorted_by_key(|(name, _)| *name), "{CAPABILITY_BEARERS:?}");
        assert!(!CAPABILITIES.is_empty() && !CAPABILITY_BEARERS.is_empty());
    }

    #[test]
    fn what_cannot_be_read_is_left_out_whole() {
        let payload = prost_types::Any { type_url: ComplaintRegistered::type_url(), value: vec![0xff, 0xff] };
        let mut event = Event { payload: Some(payload), ..Event::default() };
        blank(&mut event);
        assert_eq!(event.payload.map(|payload| payload.value), Some(Vec::new()));
    }
}
