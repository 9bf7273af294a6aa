//! Proto3 JSON, written and read by the contracts themselves.

use std::fmt::Write as _;
use std::sync::LazyLock;

use anyhow::Context as _;
use prost::{Message, Name};
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};

use crate::is_treacherous;

/// With their comments: the fields that a file of complaints may have are told by them.
static CONTRACTS: LazyLock<Option<DescriptorPool>> =
    LazyLock::new(|| DescriptorPool::decode(proto::DESCRIPTOR_SET).ok());

/// The descriptor of a message.
///
/// # Errors
///
/// Fails if the contracts do not have the message.
pub fn descriptor<M: Name>() -> anyhow::Result<MessageDescriptor> {
    let pool = CONTRACTS.as_ref().context("the contracts cannot be read")?;
    let name = M::full_name();
    pool.get_message_by_name(&name).with_context(|| format!("the contracts do not know {name}"))
}

fn dynamic<M: Message + Name>(message: &M) -> anyhow::Result<DynamicMessage> {
    let mut dynamic = DynamicMessage::new(descriptor::<M>()?);
    dynamic.transcode_from(message)?;
    Ok(dynamic)
}

/// A message over several lines.
///
/// # Errors
///
/// Fails if the contracts do not have the message, or one that it carries.
pub fn pretty<M: Message + Name>(message: &M) -> anyhow::Result<String> {
    Ok(harmless(serde_json::to_string_pretty(&dynamic(message)?)?))
}

/// A message on one line.
///
/// # Errors
///
/// Fails if the contracts do not have the message, or one that it carries.
pub fn line<M: Message + Name>(message: &M) -> anyhow::Result<String> {
    Ok(harmless(serde_json::to_string(&dynamic(message)?)?))
}

/// The same JSON with what a terminal would obey written as an escape, as JSON itself asks
/// for only some of it. Such characters are nowhere but within strings.
pub fn harmless(json: String) -> String {
    if !json.contains(is_treacherous) {
        return json;
    }
    let mut shown = String::with_capacity(json.len() + 16);
    for letter in json.chars() {
        if is_treacherous(letter) {
            let _ = write!(shown, "\\u{:04x}", u32::from(letter));
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// Reads a message; an unknown field or a wrong value is an error that names it.
///
/// # Errors
///
/// Fails if the text is no JSON of this message; the error names what is wrong.
pub fn read<M: Message + Name + Default>(text: &str) -> anyhow::Result<M> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let dynamic = DynamicMessage::deserialize(descriptor::<M>()?, &mut reader)?;
    reader.end()?;
    Ok(dynamic.transcode_to()?)
}

#[cfg(test)]
mod tests {
    use proto::redress::cases::v1::{Case, CaseState};
    use proto::redress::event::v1::Event;
    use proto::redress::intake::v1::Complaint;

    use super::*;

    #[test]
    fn messages_read_as_they_were_written() {
        let complaint = Complaint { subject: "早".into(), channel: 4, ..Complaint::default() };
        let text = line(&complaint).unwrap();
        assert_eq!(text, r#"{"channel":"CHANNEL_EMAIL","subject":"早"}"#);
        assert_eq!(read::<Complaint>(&text).unwrap(), complaint);
        assert!(read::<Complaint>(r#"{"subjekt":"x"}"#).unwrap_err().to_string().contains("subjekt"));
    }

    #[test]
    fn json_moves_no_cursor_and_reads_as_it_was_written() {
        let subject = "a\u{1b}b\u{9b}c\u{202e}d\u{7f}e\nf";
        let complaint = Complaint { subject: subject.into(), ..Complaint::default() };
        let text = line(&complaint).unwrap();
        assert_eq!(text, r#"{"subject":"a\u001bb\u009bc\u202ed\u007fe\nf"}"#);
        assert_eq!(read::<Complaint>(&text).unwrap(), complaint);
    }

    #[test]
    fn what_an_event_carries_is_shown() {
        let case = Case { state: CaseState::Closed.into(), ..Case::default() };
        let payload = prost_types::Any::from_msg(&case).unwrap();
        let text = line(&Event { payload: Some(payload), ..Event::default() }).unwrap();
        assert!(text.contains("CASE_STATE_CLOSED"), "{text}");
    }
}
