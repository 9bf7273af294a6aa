//! What is told to the suite's own services only: fields of events by whose value alone
//! something may be done, as the contracts mark them (`redress.access.v1.capability`).
//!
//! They are fields of the messages of events themselves, and none of what lies in those: so
//! they are left out field by field, without a message being decoded.

use std::borrow::Cow;

use prost::DecodeError;
use prost::bytes::Buf as _;
use prost::encoding::{DecodeContext, decode_key, skip_field};
use proto::CAPABILITIES;
use proto::redress::event::v1::Event;

/// A message of an event, of a kind by its full name, without what gives its reader a
/// capability.
///
/// # Errors
///
/// Fails if it is no message.
pub fn without_capabilities<'a>(kind: &str, message: &'a [u8]) -> Result<Cow<'a, [u8]>, DecodeError> {
    match CAPABILITIES.binary_search_by_key(&kind, |(name, _)| *name) {
        Ok(place) => without(message, CAPABILITIES[place].1).map(Cow::Owned),
        Err(_) => Ok(Cow::Borrowed(message)),
    }
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

/// A message without some of its fields.
fn without(message: &[u8], numbers: &[u32]) -> Result<Vec<u8>, DecodeError> {
    let (mut rest, mut kept) = (message, Vec::with_capacity(message.len()));
    while rest.has_remaining() {
        let field = rest;
        let (number, wire) = decode_key(&mut rest)?;
        skip_field(wire, number, &mut rest, DecodeContext::default())?;
        if !numbers.contains(&number) {
            kept.extend_from_slice(&field[..field.len() - rest.len()]);
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use prost::{Message as _, Name as _};
    use proto::redress::intake::v1::{Complaint, ComplaintRegistered, DeliveryReportReceived};

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

    #[test]
    fn the_messages_are_in_the_order_of_their_names() {
        assert!(CAPABILITIES.is_sorted_by_key(|(name, _)| *name), "{CAPABILITIES:?}");
        assert!(!CAPABILITIES.is_empty());
    }

    #[test]
    fn what_cannot_be_read_is_left_out_whole() {
        let payload = prost_types::Any { type_url: ComplaintRegistered::type_url(), value: vec![0xff, 0xff] };
        let mut event = Event { payload: Some(payload), ..Event::default() };
        blank(&mut event);
        assert_eq!(event.payload.map(|payload| payload.value), Some(Vec::new()));
    }
}
