//! Numbers, times, durations and sums at their extremes, and page tokens that are none: each
//! field of each request, one at a time. Whatever the answer is, it is no mistake of ours.

use std::time::Duration;

use prost::Message as _;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, Value};
use proto::redress::cases::v1::calendar_service_client::CalendarServiceClient;
use proto::redress::cases::v1::{ListCalendarsRequest, ListCalendarsResponse};
use testkit::{CallerChannel, House, request_id, violations};
use tests::SERVICES;
use tonic::{Code, Status};

use super::unknown::UNKNOWN;
use super::{NOBODY, methods, name, send};

/// How deep messages lie in each other.
const DEPTH: u8 = 4;
/// Longest that an answer is waited for: who waits by design is not asked for it.
const PATIENCE: Duration = Duration::from_secs(20);
/// Tokens that no list gave out.
const NO_TOKENS: [&str; 6] =
    ["what?", "AAAA", "AAAAAAAAAAAAAAAA", "e30", "\u{202e}", "MDEyMzQ1Njc4OWFiY2RlZg"];

/// A request of which as much as possible is as it should be.
pub(super) fn plausible(method: &MethodDescriptor) -> DynamicMessage {
    let mut message = filled(&method.input(), DEPTH);
    if let Some(line) = UNKNOWN.iter().find(|line| line.rpc == name(method)) {
        let json = line.request.replace("$ID", NOBODY).replace("$KEY", &request_id());
        let mut reader = serde_json::Deserializer::from_str(&json);
        let told = DynamicMessage::deserialize(method.input(), &mut reader).unwrap();
        for field in method.input().fields().filter(|field| told.has_field(field)) {
            message.set_field(&field, told.get_field(&field).into_owned());
        }
    }
    message
}

fn filled(descriptor: &MessageDescriptor, depth: u8) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    for field in descriptor.fields().filter(|field| !field.is_map()) {
        let value = match field.kind() {
            Kind::String => Value::String(text(field.name())),
            Kind::Enum(_) => Value::EnumNumber(1),
            Kind::Message(inner) if is_number(&inner) => continue,
            Kind::Message(inner) if depth > 0 => Value::Message(filled(&inner, depth - 1)),
            _ => continue,
        };
        message.set_field(&field, if field.is_list() { Value::List(vec![value]) } else { value });
    }
    message
}

fn text(field: &str) -> String {
    match field {
        "request_id" => request_id(),
        "page_token" => String::new(),
        "language" => "en".to_owned(),
        "lease_token" => NOBODY.to_owned(),
        _ if field.ends_with("_id") || field.ends_with("_ids") => NOBODY.to_owned(),
        _ => "x".to_owned(),
    }
}

/// Whether a message stands for one number.
fn is_number(message: &MessageDescriptor) -> bool {
    ["google.protobuf.Timestamp", "google.protobuf.Duration", "google.type.Money"]
        .contains(&message.full_name())
}

/// A field's extremes; none where it is no number.
fn extremes(field: &FieldDescriptor) -> Vec<Value> {
    match field.kind() {
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => [i32::MIN, -1, i32::MAX].map(Value::I32).into(),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => [i64::MIN, -1, i64::MAX].map(Value::I64).into(),
        Kind::Uint32 | Kind::Fixed32 => vec![Value::U32(u32::MAX)],
        Kind::Uint64 | Kind::Fixed64 => vec![Value::U64(u64::MAX)],
        Kind::Double => [f64::MIN, f64::MAX, f64::NAN, f64::INFINITY, -0.0].map(Value::F64).into(),
        Kind::Float => [f32::MIN, f32::MAX, f32::NAN, f32::INFINITY, -0.0].map(Value::F32).into(),
        Kind::Enum(_) => [i32::MIN, -1, i32::MAX].map(Value::EnumNumber).into(),
        Kind::Message(inner) if is_number(&inner) => parts(&inner),
        _ => Vec::new(),
    }
}

/// Extremes of what has whole parts and billionths.
fn parts(descriptor: &MessageDescriptor) -> Vec<Value> {
    // The first and last moment that protobuf knows, too, and one beyond each.
    let moments = [-62_135_596_800, -62_135_596_801, 253_402_300_799, 253_402_300_800];
    let wholes = [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX].into_iter().chain(moments);
    let nanos = [0, -1, 1, 999_999_999, -999_999_999, 1_000_000_000, i32::MIN, i32::MAX];
    let all = wholes.flat_map(|whole| nanos.map(|nanos| (whole, nanos)));
    let build = |(whole, nanos)| {
        let mut message = DynamicMessage::new(descriptor.clone());
        let money = descriptor.name() == "Money";
        message.set_field_by_name(if money { "units" } else { "seconds" }, Value::I64(whole));
        message.set_field_by_name("nanos", Value::I32(nanos));
        if money {
            message.set_field_by_name("currency_code", Value::String("EUR".to_owned()));
        }
        Value::Message(message)
    };
    all.map(build).collect()
}

/// The message with one number at one extreme, for every number in it and every extreme.
fn variants(
    message: &DynamicMessage,
    descriptor: &MessageDescriptor,
    at: &str,
) -> Vec<(String, DynamicMessage)> {
    varied((message, descriptor), at, &|field, _| extremes(field))
}

/// The message with another value in one field, for every field in it, and in what lies in it,
/// and every value that is given for it, who is told what it is now.
pub(super) fn varied(
    (message, descriptor): (&DynamicMessage, &MessageDescriptor),
    at: &str,
    values: &dyn Fn(&FieldDescriptor, &DynamicMessage) -> Vec<Value>,
) -> Vec<(String, DynamicMessage)> {
    let mut all = Vec::new();
    for field in descriptor.fields().filter(|field| !field.is_map()) {
        let at = format!("{at}{}", field.name());
        let mut with = |value: Value, told: String| {
            let mut changed = message.clone();
            changed.set_field(&field, if field.is_list() { Value::List(vec![value]) } else { value });
            all.push((told, changed));
        };
        for value in values(&field, message) {
            let told = format!("{at} = {value:?}");
            with(value, told);
        }
        if let Kind::Message(inner) = field.kind()
            && !is_number(&inner)
            && message.has_field(&field)
        {
            let one = message.get_field(&field);
            let one = one.as_list().and_then(|list| list.first()).unwrap_or(&one);
            let Some(held) = one.as_message() else { continue };
            for (told, changed) in varied((held, &inner), &format!("{at}."), values) {
                with(Value::Message(changed), told);
            }
        }
    }
    all
}

/// How a request is answered; none where the answer waits by design.
pub(super) async fn answer(
    line: CallerChannel,
    method: &MethodDescriptor,
    message: &DynamicMessage,
) -> Option<Result<(), Status>> {
    let mut message = message.clone();
    if let Some(field) = method.input().get_field_by_name("request_id") {
        message.set_field(&field, Value::String(request_id()));
    }
    let answer = send(line, method, message.encode_to_vec().into());
    tokio::time::timeout(PATIENCE, answer).await.ok().map(|answer| answer.map(drop))
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_at_their_extremes_are_no_mistake_of_ours() {
    let house = House::open(&SERVICES).await;
    let (mut wrong, mut count) = (Vec::new(), 0);
    for (rpc, method) in methods() {
        let base = plausible(&method);
        for (told, message) in variants(&base, &method.input(), "") {
            count += 1;
            match answer(house.channel(), &method, &message).await {
                Some(Err(status))
                    if matches!(status.code(), Code::Internal | Code::Unknown | Code::Cancelled) =>
                {
                    wrong.push(format!("{rpc}: {told}: {status:?}"));
                }
                None if rpc != "ResolutionService.PollTasks" => {
                    wrong.push(format!("{rpc}: {told}: no answer"));
                }
                _ => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count}: {:#?}", wrong.len(), &wrong[..wrong.len().min(20)]);
    assert!(count > 1_000, "{count} requests: are the contracts read?");
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_token_that_is_none_is_refused_by_every_list() {
    let house = House::open(&SERVICES).await;
    let (mut wrong, mut lists) = (Vec::new(), 0);
    let foreign = first_token(&house).await;
    for (rpc, method) in methods() {
        let Some(field) = method.input().get_field_by_name("page_token") else { continue };
        lists += 1;
        let theirs = (rpc != "CalendarService.ListCalendars").then_some(foreign.as_str());
        for token in NO_TOKENS.into_iter().chain(theirs) {
            let mut message = DynamicMessage::new(method.input());
            message.set_field(&field, Value::String(token.to_owned()));
            let answer = answer(house.channel(), &method, &message).await;
            let refused = answer.and_then(Result::err).is_some_and(|status| {
                status.code() == Code::InvalidArgument
                    && violations(&status).iter().any(|field| field == "page_token")
            });
            if !refused {
                wrong.push(format!("{rpc}: {token:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(lists >= 20, "{lists} lists: are the contracts read?");
    house.done().await;
}

/// The token of a list that has a second page without anybody's doing.
async fn first_token(house: &House) -> String {
    let request = ListCalendarsRequest { page_size: 1, ..ListCalendarsRequest::default() };
    let answer = CalendarServiceClient::new(house.channel()).list_calendars(request).await.unwrap();
    let ListCalendarsResponse { next_page_token, .. } = answer.into_inner();
    assert!(!next_page_token.is_empty());
    next_page_token
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_token_that_was_cut_or_altered_is_refused() {
    let house = House::open(&[cases::SERVICE]).await;
    let token = first_token(&house).await;
    let list = async |page_token: String| {
        let request = ListCalendarsRequest { page_size: 1, page_token };
        CalendarServiceClient::new(house.channel()).list_calendars(request).await
    };
    list(token.clone()).await.expect("as it was given out");
    for at in 1..token.len() {
        let other = if token.as_bytes()[at] == b'A' { "B" } else { "A" };
        for wrong in [token[..at].to_owned(), [&token[..at], other, &token[at + 1..]].concat()] {
            let status = list(wrong.clone()).await.expect_err(&wrong);
            assert_eq!(
                (status.code(), violations(&status)),
                (Code::InvalidArgument, vec!["page_token".to_owned()])
            );
        }
    }
    house.done().await;
}
