//! Texts with a NUL character, which Postgres keeps in none of its types: each text of each
//! request, one at a time, as it is and within JSON. Whatever the answer is, it is no mistake of
//! ours.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, Value};
use testkit::House;
use tests::SERVICES;
use tonic::{Code, Status};

use super::extremes::{answer, plausible, varied};
use super::methods;

/// Why the database refuses a text.
const NUL_IN_TEXT: &str = "NUL_IN_TEXT";

/// A field's texts with a NUL; none where it is no text.
fn texts(field: &FieldDescriptor, message: &DynamicMessage) -> Vec<Value> {
    if field.kind() != Kind::String {
        return Vec::new();
    }
    let now = message.get_field(field);
    let now = now.as_list().and_then(|list| list.first()).unwrap_or(&now);
    let now = now.as_str().unwrap_or_default();
    let plain = if now.is_empty() { "x\0".to_owned() } else { format!("{now}\0") };
    let mut texts = vec![plain];
    // A text that is written as JSON may have one that is none as it is sent.
    if let Ok(json @ (serde_json::Value::Object(_) | serde_json::Value::Array(_))) = serde_json::from_str(now)
    {
        for pointer in leaves(&json) {
            let mut other = json.clone();
            if let Some(leaf) = other.pointer_mut(&pointer) {
                *leaf = serde_json::Value::String("x\0".to_owned());
                texts.push(other.to_string());
            }
        }
    }
    texts.into_iter().map(Value::String).collect()
}

/// Where the texts of a JSON are.
fn leaves(json: &serde_json::Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut waiting = vec![(String::new(), json)];
    while let Some((at, value)) = waiting.pop() {
        match value {
            serde_json::Value::String(_) => found.push(at),
            serde_json::Value::Array(values) => {
                waiting.extend(values.iter().enumerate().map(|(place, one)| (format!("{at}/{place}"), one)));
            }
            serde_json::Value::Object(values) => {
                let name = |name: &str| name.replace('~', "~0").replace('/', "~1");
                waiting.extend(values.iter().map(|(key, one)| (format!("{at}/{}", name(key)), one)));
            }
            _ => {}
        }
    }
    found
}

/// Whether whoever reads requests has refused one, or it was refused for another reason: none is
/// told of a mistake of ours, and none gets as far as the database.
fn is_refused(status: &Status) -> bool {
    let is_ours = matches!(status.code(), Code::Ok | Code::Internal | Code::Unknown | Code::Cancelled);
    !is_ours && testkit::reason(status) != NUL_IN_TEXT
}

/// What passed all readers is the caller's mistake all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_nul_that_gets_as_far_as_the_database_is_refused_there() {
    let house = House::open(&[cases::SERVICE]).await;
    let mut owner = house.owner().await;
    let text = sqlx::query("SELECT $1::text").bind("a\0b").execute(&mut owner).await;
    let json = sqlx::query("SELECT $1::jsonb").bind(sqlx::types::Json("a\0b")).execute(&mut owner).await;
    for refused in [text, json] {
        let fault = fault::Fault::from(refused.expect_err("Postgres keeps none"));
        assert_eq!((fault.kind(), fault.reason()), (fault::Kind::Invalid, NUL_IN_TEXT), "{fault:?}");
    }
    drop(owner);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nul_in_a_text_is_no_mistake_of_ours() {
    let house = House::open(&SERVICES).await;
    let (mut wrong, mut count) = (Vec::new(), 0);
    for (rpc, method) in methods() {
        let base = plausible(&method);
        for (told, message) in varied((&base, &method.input()), "", &texts) {
            count += 1;
            match answer(house.channel(), &method, &message).await {
                Some(Err(status)) if !is_refused(&status) => {
                    wrong.push(format!("{rpc}: {told}: {status:?}"));
                }
                None if rpc != "ResolutionService.PollTasks" => {
                    wrong.push(format!("{rpc}: {told}: no answer"));
                }
                _ => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count}: {wrong:#?}", wrong.len());
    assert!(count > 1_000, "{count} requests: are the contracts read?");
    house.done().await;
}
