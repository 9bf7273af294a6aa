//! What events tell to the suite's own services only: fields by whose value alone something may be
//! done. A new field of an event that may be one is marked, or named here with the reason why it
//! is none.

use std::collections::BTreeSet;

use prost::Message as _;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};
use proto::redress::event::v1::event_feed_client::EventFeedClient;
use proto::redress::event::v1::{Event, SubscribeRequest};
use proto::redress::intake::v1::complaint::ChannelDetail;
use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use proto::redress::intake::v1::{
    Channel, Complaint, ComplaintRegistered, PhoneDetail, SubmitComplaintRequest,
};
use proto::{CAPABILITIES, CAPABILITY_BEARERS};
use testkit::{CallerChannel, House, request_id};

use crate::house::comment;
use crate::twice::contracts;

/// Words of the names of fields that may be a capability.
const SUSPICIOUS: &[&str] = &[
    "code",
    "credential",
    "hash",
    "key",
    "link",
    "links",
    "nonce",
    "otp",
    "password",
    "pin",
    "secret",
    "session",
    "signature",
    "token",
    "tokens",
    "uri",
    "url",
];

/// What comments say of capabilities.
const SAID: &[&str] = &["whoever has it", "capability", "bears a secret", "cannot be guessed"];

/// Fields that look like one and are none.
const NONE: &[(&str, &str)] = &[
    ("google.type.Money.currency_code", "names a currency"),
    (
        "redress.intake.v1.Evidence.uri",
        "leads where the complainant says, and is shown to whoever sees the case",
    ),
    ("redress.intake.v1.SocialDetail.origin_uri", "a post, as its network shows it"),
    ("redress.intake.v1.SocialDetail.uri", "a post, as its network shows it"),
];

/// The messages that services tell.
fn events() -> Vec<MessageDescriptor> {
    let pool = contracts();
    let files = pool.files().filter(|file| file.name().ends_with("events.proto"));
    files.flat_map(|file| file.messages().collect::<Vec<_>>()).collect()
}

/// `message.field`.
fn name(field: &FieldDescriptor) -> String {
    format!("{}.{}", field.parent_message().full_name(), field.name())
}

fn is_marked(field: &FieldDescriptor) -> bool {
    let of = field.parent_message();
    CAPABILITIES
        .iter()
        .any(|(message, numbers)| *message == of.full_name() && numbers.contains(&field.number()))
}

fn is_suspicious(field: &FieldDescriptor) -> bool {
    let is_named =
        field.kind() == Kind::String && field.name().split('_').any(|word| SUSPICIOUS.contains(&word));
    // Of contracts that are not ours nothing is said.
    let of = field.parent_message();
    let is_ours = of.full_name().starts_with("redress.");
    let said = if is_ours { comment(&of.parent_file(), field.path()) } else { String::new() };
    let said = said.replace('\n', " ");
    field.kind() == Kind::Bytes || is_named || SAID.iter().any(|words| said.contains(words))
}

/// Every field of a message, and of what lies in it.
fn reached(message: &MessageDescriptor, seen: &mut BTreeSet<String>) -> Vec<FieldDescriptor> {
    if !seen.insert(message.full_name().to_owned()) {
        return Vec::new();
    }
    let mut all: Vec<FieldDescriptor> = message.fields().collect();
    for field in message.fields() {
        if let Kind::Message(inner) = field.kind() {
            all.extend(reached(&inner, seen));
        }
    }
    all
}

#[test]
fn a_field_of_an_event_that_may_be_a_capability_is_marked_or_known_to_be_none() {
    let mut seen = BTreeSet::new();
    let fields: Vec<FieldDescriptor> = events().iter().flat_map(|event| reached(event, &mut seen)).collect();
    assert!(events().len() > 50 && fields.len() > 400, "{} fields: are the contracts read?", fields.len());
    let suspicious: BTreeSet<String> =
        fields.iter().filter(|field| is_suspicious(field) && !is_marked(field)).map(name).collect();
    let known: BTreeSet<String> = NONE.iter().map(|(field, _)| (*field).to_owned()).collect();
    assert_eq!(suspicious, known, "each is marked `capability`, or has its reason here");
    assert!(NONE.iter().all(|(_, why)| !why.is_empty()));
}

/// A message within one is what it is in an event: what is marked in it is left out of both.
#[test]
fn what_is_marked_is_told_with_events_and_left_out_of_them() {
    let mut told = BTreeSet::new();
    for event in events() {
        reached(&event, &mut told);
    }
    let marked: Vec<&str> = CAPABILITIES.iter().map(|(message, _)| *message).collect();
    assert!(marked.iter().all(|message| told.contains(*message)), "{marked:?}");
    let pool = contracts();
    for (message, numbers) in CAPABILITIES {
        let message = pool.get_message_by_name(message).unwrap();
        let mut whole = DynamicMessage::new(message.clone());
        for field in message.fields() {
            match field.kind() {
                Kind::String if !field.is_list() => whole.set_field(&field, Value::String("x".to_owned())),
                Kind::Bytes if !field.is_list() => whole.set_field(&field, Value::Bytes("x".into())),
                _ => {}
            }
        }
        let bytes = whole.encode_to_vec();
        let kept = events::without_capabilities(message.full_name(), &bytes).unwrap();
        let kept = DynamicMessage::decode(message.clone(), &*kept).unwrap();
        for field in message.fields() {
            let is_kept = whole.has_field(&field) && !numbers.contains(&field.number());
            assert_eq!(kept.has_field(&field), is_kept, "{}", name(&field));
        }
    }
}

/// A message of which every text says something, and all messages within it, once each.
fn filled(of: &MessageDescriptor, within: &mut BTreeSet<String>) -> DynamicMessage {
    let mut message = DynamicMessage::new(of.clone());
    within.insert(of.full_name().to_owned());
    // Of a choice only what was set last is there: something that is marked, if there is any.
    let mut fields: Vec<FieldDescriptor> = of.fields().collect();
    fields.sort_by_key(bears);
    for field in fields {
        let value = match field.kind() {
            Kind::String => Value::String("x".to_owned()),
            Kind::Bytes => Value::Bytes("x".into()),
            Kind::Message(part) if !field.is_map() && !within.contains(part.full_name()) => {
                Value::Message(filled(&part, within))
            }
            _ => continue,
        };
        let value = if field.is_list() { Value::List(vec![value]) } else { value };
        message.set_field(&field, value);
    }
    within.remove(of.full_name());
    message
}

/// Whether a field is marked, or has something in its message that is.
fn bears(field: &FieldDescriptor) -> bool {
    let of = field.parent_message();
    let parts = CAPABILITY_BEARERS.iter().find(|(message, _)| *message == of.full_name());
    is_marked(field)
        || parts.is_some_and(|(_, parts)| parts.iter().any(|(number, _)| *number == field.number()))
}

/// Whether a message, or one within it, has something that is marked.
fn has_marked(message: &DynamicMessage) -> bool {
    message.fields().any(|(field, value)| match value {
        _ if is_marked(&field) => true,
        Value::Message(part) => has_marked(part),
        Value::List(parts) => parts.iter().filter_map(Value::as_message).any(has_marked),
        _ => false,
    })
}

#[test]
fn nothing_that_is_marked_is_left_in_an_event_however_deep() {
    let mut bearing = 0;
    for event in events() {
        let whole = filled(&event, &mut BTreeSet::new());
        bearing += usize::from(has_marked(&whole));
        let bytes = whole.encode_to_vec();
        let kept = events::without_capabilities(event.full_name(), &bytes).unwrap();
        let kept = DynamicMessage::decode(event.clone(), &*kept).unwrap();
        assert!(!has_marked(&kept), "{}", event.full_name());
        assert_eq!(has_marked(&whole), kept != whole, "nothing else is left out of {}", event.full_name());
    }
    assert!(bearing >= 2, "{bearing}: are there none?");
}

/// The first events that a caller hears of intake.
async fn heard(line: CallerChannel) -> Vec<Event> {
    let request = SubscribeRequest { source: "intake".to_owned(), ..SubscribeRequest::default() };
    let mut stream = EventFeedClient::new(line).subscribe(request).await.unwrap().into_inner();
    loop {
        let batch = stream.message().await.unwrap().unwrap();
        if !batch.events.is_empty() {
            return batch.events;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_of_a_feed_hear_of_a_complaint_without_its_token_and_services_with_it() {
    let house = House::builder(&[intake::SERVICE]).identified().open().await;
    let call = |recording: &str| PhoneDetail {
        ivr_result: "Delivery".to_owned(),
        recording_uri: recording.to_owned(),
        ..PhoneDetail::default()
    };
    let complaint = Complaint {
        channel: Channel::Phone.into(),
        channel_detail: Some(ChannelDetail::Phone(call("https://calls.example.org/7?signature=x"))),
        subject: "The cup broke".to_owned(),
        description: "On the first day.".to_owned(),
        language: "en".to_owned(),
        ..Complaint::default()
    };
    let request = SubmitComplaintRequest { request_id: request_id(), complaint: Some(complaint) };
    let web = house.channel_as("development", "web", &["channel"]);
    IntakeServiceClient::new(web).submit_complaint(request).await.unwrap();
    let told = |events: Vec<Event>| {
        let payload = events[0].payload.as_ref().unwrap();
        assert!(payload.type_url.ends_with("ComplaintRegistered"), "{payload:?}");
        ComplaintRegistered::decode(payload.value.as_slice()).unwrap()
    };
    let ours = told(heard(house.channel_as("platform", "cases", &["platform"])).await);
    assert!(ours.mail_token.len() >= 30 && ours.receipt_hash.len() == 32, "{ours:?}");
    let complaint = ours.complaint.unwrap();
    let whole = ChannelDetail::Phone(call("https://calls.example.org/7?signature=x"));
    assert_eq!(complaint.channel_detail, Some(whole));
    for role in ["reader", "agent", "supervisor"] {
        let theirs = told(heard(house.channel_as("development", "ann", &[role])).await);
        assert_eq!(
            (theirs.mail_token.as_str(), theirs.receipt_hash.as_slice()),
            ("", [].as_slice()),
            "{role}"
        );
        let silent = Complaint { channel_detail: Some(ChannelDetail::Phone(call(""))), ..complaint.clone() };
        assert_eq!(theirs.complaint, Some(silent), "{role}");
    }
    house.done().await;
}
