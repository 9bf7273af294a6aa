//! Forms as controls, filled in and read back.

use super::*;
use crate::form::Posted;
use crate::language::Language;
use crate::words::Words;

const SCHEMA: &str = r##"{
    "type": "object",
    "required": ["order", "parcel"],
    "$defs": { "money": { "type": "number", "title": "Sum", "description": "As on the bill" } },
    "properties": {
        "order": { "type": "string", "title": "Order number", "pattern": "^[0-9]{6}$" },
        "carrier": { "enum": ["fast", "cheap"] },
        "wasOpened": { "type": "boolean" },
        "pieces": { "type": ["integer", "null"] },
        "paid": { "$ref": "#/$defs/money" },
        "day": { "type": "string", "format": "date" },
        "marks": { "type": "array", "items": { "enum": ["wet", "torn", 3] } },
        "links": { "type": "array", "items": { "type": "string", "format": "uri" } },
        "story": { "type": "string", "maxLength": 2000 },
        "parcel": { "type": "object", "title": "The parcel", "required": ["weight"],
            "properties": { "weight": { "type": "number" }, "place": { "oneOf": [
                { "const": "door", "title": "At the door" }, { "const": "box", "title": "In the box" } ] } } },
        "matrix": { "type": "array", "items": { "type": "object" } }
    },
    "if": { "properties": { "carrier": { "const": "fast" } } },
    "then": { "properties": { "late_by": { "type": "integer" } }, "required": ["late_by"] }
}"##;

const ENGLISH: Words = Words(Language::English);

fn field<'a>(items: &'a [Item], path: &str) -> &'a Field {
    let fields = items.iter().filter_map(|item| match item {
        Item::Field(field) => Some(field),
        _ => None,
    });
    fields.into_iter().find(|field| field.path.join(".") == path).unwrap()
}

fn posted(fields: &[(&str, &str)]) -> Posted {
    Posted::of(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

#[test]
fn a_schema_becomes_controls() {
    let items = items(SCHEMA, ENGLISH);
    let names: Vec<&str> = items
        .iter()
        .filter_map(|item| match item {
            Item::Field(field) => Some(field.path[0].as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(names[..4], ["order", "carrier", "wasOpened", "pieces"], "as its author wrote them");
    let order = field(&items, "order");
    assert_eq!(
        (order.label.as_str(), order.is_required, order.name.as_str()),
        ("Order number", true, "f.order")
    );
    assert_eq!(field(&items, "wasOpened").label, "Was opened");
    assert!(matches!(&field(&items, "carrier").kind, Kind::One(choices) if choices.len() == 2));
    let paid = field(&items, "paid");
    assert_eq!((paid.label.as_str(), paid.help.as_str()), ("Sum", "As on the bill"));
    assert!(matches!(field(&items, "story").kind, Kind::Lines { max: 2000, is_list: false }));
    assert!(matches!(field(&items, "day").kind, Kind::Line { kind: "date", .. }));
    assert!(
        matches!(&field(&items, "parcel.place").kind, Kind::One(choices) if choices[1].label == "In the box")
    );
    assert!(!field(&items, "late_by").is_required, "only one branch asks for it");
    assert!(field(&items, "parcel.weight").is_required);
    assert!(items.contains(&Item::Open { legend: "The parcel".to_owned(), help: String::new() }));
    assert!(!items.iter().any(|item| matches!(item, Item::Field(field) if field.path[0] == "matrix")));
    for odd in ["", "[]", "{\"$ref\": \"#\"}", "{\"properties\": 3}"] {
        assert!(super::items(odd, ENGLISH).is_empty(), "{odd}");
    }
}

#[test]
fn what_was_sent_is_read_as_the_form_has_it() {
    let items = items(SCHEMA, ENGLISH);
    let sent = posted(&[
        ("f.order", " 123456 "),
        ("f.carrier", "cheap"),
        ("f.wasOpened", "false"),
        ("f.pieces", "3"),
        ("f.paid", "19.99"),
        ("f.marks", "wet"),
        ("f.marks", "3"),
        ("f.links", "https://a.example\r\n\r\n https://b.example"),
        ("f.parcel.weight", "heavy"),
        ("f.parcel.place", "box"),
        ("f.story", "  "),
    ]);
    let data = Value::Object(read(&items, &sent));
    let expected = serde_json::json!({
        "order": "123456", "carrier": "cheap", "wasOpened": false, "pieces": 3, "paid": 19.99,
        "marks": ["wet", 3], "links": ["https://a.example", "https://b.example"],
        "parcel": { "weight": "heavy", "place": "box" }
    });
    assert_eq!(data, expected);
    assert!(read(&items, &posted(&[])).is_empty());
    // Filled in with what was read, the same is read again.
    let mut filled = super::items(SCHEMA, ENGLISH);
    fill(&mut filled, &data.to_string());
    let again: Vec<(String, String)> = filled
        .iter()
        .filter_map(|item| match item {
            Item::Field(field) => Some(field),
            _ => None,
        })
        .flat_map(|field| field.values.iter().map(|value| (field.name.clone(), value.clone())))
        .collect();
    assert_eq!(Value::Object(read(&filled, &Posted::of(again))), expected);
}

#[test]
fn what_is_wrong_stands_beside_its_control() {
    let mut items = items(SCHEMA, ENGLISH);
    refill(&mut items, &posted(&[("f.paid", "a lot"), ("f.links", "x\ny"), ("f.story", "x")]));
    let wrong = [
        ("story", "\"x\" does not match \"^y$\""),
        ("order", "is required"),
        ("paid", "x"),
        ("links.1", "is no uri"),
        ("", "y"),
    ];
    let wrong = wrong.map(|(path, what)| (path.to_owned(), what.to_owned()));
    let left = place_errors(&mut items, &wrong, ENGLISH);
    assert_eq!(left, [(String::new(), "y".to_owned())]);
    assert_eq!(field(&items, "order").error, "Please fill this in.");
    assert_eq!(field(&items, "paid").error, "Please enter a number, as 19.99.");
    assert!(field(&items, "links").error.contains("is no uri"));
    assert_eq!(field(&items, "story").error, "This is not written as it must be.");
    assert!(field(&items, "carrier").error.is_empty());
}
