//! Logs that are written, and read back by other means.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use quick_xml::events::{BytesStart, Event as XmlEvent};
use rusqlite::Connection;
use serde_json::Value as Json;

use crate::{Counts, Event, Format, Log, Object, PLACE, Relation, Spool, Value};

/// A log as some reader has it: everything as text but numbers, which are marked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Read {
    /// Kind and attributes by id.
    objects: BTreeMap<String, (String, BTreeMap<String, String>)>,
    /// Source, target, qualifier.
    related: BTreeSet<(String, String, String)>,
    /// Activity, time and attributes by id.
    events: BTreeMap<String, (String, String, BTreeMap<String, String>)>,
    /// Event, object, qualifier.
    about: BTreeSet<(String, String, String)>,
    /// The ids of the events, as they come.
    order: Vec<String>,
}

fn number(number: f64) -> String {
    format!("number {number}")
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000).unwrap() + SignedDuration::from_secs(seconds)
}

fn case(id: &str) -> Relation<'_> {
    Relation { kind: "case", id, qualifier: "of" }
}

fn event<'a>(id: &'a str, activity: &'a str, seconds: i64, trace: &'a str) -> Event<'a> {
    Event { id, activity, time: at(seconds), attributes: Vec::new(), trace: case(trace), objects: Vec::new() }
}

/// Two cases that share an agent, with all that is awkward.
fn two_cases() -> Log {
    let mut spool = Spool::create().unwrap();
    for id in ["2026-01-01", "17"] {
        let attributes = vec![("category", Value::from("a <b> & \"c\"\u{0}\n'd'")), ("channel", "".into())];
        spool.object(Object { kind: "case", id, attributes }).unwrap();
        spool.object(Object { kind: "complaint", id, attributes: Vec::new() }).unwrap();
        spool.relate("complaint", id, Relation { kind: "case", id, qualifier: "handled as" }).unwrap();
    }
    spool.object(Object { kind: "agent", id: "x", attributes: Vec::new() }).unwrap();
    spool.object(Object { kind: "agent", id: "idle", attributes: Vec::new() }).unwrap();
    spool.relate("agent", "idle", case("17")).unwrap();
    let complaint = |id| Relation { kind: "complaint", id, qualifier: "about" };
    let agent = Relation { kind: "agent", id: "x", qualifier: "by" };
    for (number, id) in [(0, "2026-01-01"), (1, "17")] {
        let first = Event { objects: vec![complaint(id)], ..event("", "registered", 10 - number, id) };
        spool.event(Event { id: &format!("{number}a"), ..first }).unwrap();
        let attributes = vec![("amount", Value::Number(39.9)), ("rate", Value::Number(f64::NAN))];
        let second = Event { attributes, objects: vec![agent, agent], ..event("", "paid back", 20, id) };
        spool.event(Event { id: &format!("{number}b"), ..second.clone() }).unwrap();
        spool.event(Event { id: &format!("{number}b"), ..second }).unwrap();
        let elsewhere = Relation { kind: "case", id: "not here", qualifier: "other case" };
        let third = Event { objects: vec![elsewhere], ..event("", "paid back", 20, id) };
        spool.event(Event { id: &format!("{number}c"), ..third }).unwrap();
    }
    spool.finish("two cases").unwrap()
}

fn json(path: &Path) -> Read {
    let file: Json = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let text = |of: &Json, name: &str| of[name].as_str().unwrap().to_owned();
    let attributes = |of: &Json| {
        let one =
            |of: &Json| (text(of, "name"), of["value"].as_f64().map_or_else(|| text(of, "value"), number));
        of["attributes"].as_array().unwrap().iter().map(one).collect::<BTreeMap<_, _>>()
    };
    let relations = |of: &Json| {
        let id = text(of, "id");
        let one = |to: &Json| (id.clone(), text(to, "objectId"), text(to, "qualifier"));
        of["relationships"].as_array().unwrap().iter().map(one).collect::<Vec<_>>()
    };
    let mut read = Read::default();
    for object in file["objects"].as_array().unwrap() {
        read.objects.insert(text(object, "id"), (text(object, "type"), attributes(object)));
        read.related.extend(relations(object));
    }
    for event in file["events"].as_array().unwrap() {
        let is_new = read
            .events
            .insert(text(event, "id"), (text(event, "type"), text(event, "time"), attributes(event)))
            .is_none();
        assert!(is_new, "an id is of one event");
        read.about.extend(relations(event));
        read.order.push(text(event, "id"));
    }
    declared(&file, &read);
    read
}

/// Every type and attribute is declared, with its type, and nothing else is.
fn declared(file: &Json, read: &Read) {
    let kind = |value: &String| if value.starts_with("number ") { "float" } else { "string" };
    let mut used: BTreeMap<(&str, String), BTreeSet<(String, &str)>> = BTreeMap::new();
    let objects = read.objects.values().map(|(of, attributes)| (("objectTypes", of), attributes));
    let events = read.events.values().map(|(of, _, attributes)| (("eventTypes", of), attributes));
    for ((list, of), attributes) in objects.chain(events) {
        let of = used.entry((list, of.clone())).or_default();
        of.extend(attributes.iter().map(|(name, value)| (name.clone(), kind(value))));
    }
    let mut told: BTreeMap<(&str, String), BTreeSet<(String, &str)>> = BTreeMap::new();
    for list in ["objectTypes", "eventTypes"] {
        for of in file[list].as_array().unwrap() {
            let one =
                |of: &Json| (of["name"].as_str().unwrap().to_owned(), known(of["type"].as_str().unwrap()));
            let attributes = of["attributes"].as_array().unwrap().iter().map(one).collect();
            told.insert((list, of["name"].as_str().unwrap().to_owned()), attributes);
        }
    }
    assert_eq!(used, told);
}

fn known(kind: &str) -> &'static str {
    match kind {
        "float" => "float",
        "string" => "string",
        other => panic!("{other} is no type that all readers read the same way"),
    }
}

fn attribute(element: &BytesStart<'_>, name: &str) -> String {
    let attribute = element.try_get_attribute(name).unwrap().unwrap_or_else(|| panic!("no {name}"));
    attribute.normalized_value(quick_xml::XmlVersion::Explicit1_0).unwrap().into_owned()
}

/// An element as the path to it, with its attributes and its text.
type Element = (String, BTreeMap<String, String>, String);

fn elements(path: &Path) -> Vec<Element> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut reader = quick_xml::Reader::from_str(&text);
    // Whether what comes next is in the last element: blanks between elements are not.
    let mut within = false;
    let (mut open, mut all): (Vec<String>, Vec<Element>) = (Vec::new(), Vec::new());
    loop {
        let read = reader.read_event().unwrap();
        let (element, is_open) = match &read {
            XmlEvent::Start(element) => (element, true),
            XmlEvent::Empty(element) => (element, false),
            XmlEvent::End(_) => {
                within = false;
                open.pop();
                continue;
            }
            XmlEvent::Text(text) => {
                if let Some(last) = all.last_mut().filter(|_| within) {
                    last.2 += text;
                }
                continue;
            }
            XmlEvent::GeneralRef(name) => {
                let letter = quick_xml::escape::resolve_predefined_entity(name).unwrap();
                all.last_mut().unwrap().2 += letter;
                continue;
            }
            XmlEvent::Eof => return all,
            _ => continue,
        };
        within = is_open;
        open.push(element.name().as_ref().to_owned());
        let names = element.attributes().map(|of| of.unwrap().key.as_ref().to_owned());
        let attributes = names.map(|name| (name.clone(), attribute(element, &name))).collect();
        all.push((open.join("/"), attributes, String::new()));
        if !is_open {
            open.pop();
        }
    }
}

fn xml(path: &Path) -> Read {
    let mut read = Read::default();
    let mut types: BTreeMap<(String, String), String> = BTreeMap::new();
    let (mut of_type, mut id) = (String::new(), String::new());
    for (path, at, text) in elements(path) {
        let get = |name: &str| at[name].clone();
        match path.trim_start_matches("log/") {
            "object-types/object-type" | "event-types/event-type" => of_type = get("name"),
            "object-types/object-type/attributes/attribute"
            | "event-types/event-type/attributes/attribute" => {
                types.insert((of_type.clone(), get("name")), get("type"));
            }
            "objects/object" => {
                id = get("id");
                read.objects.insert(id.clone(), (get("type"), BTreeMap::new()));
            }
            "events/event" => {
                id = get("id");
                read.order.push(id.clone());
                read.events.insert(id.clone(), (get("type"), get("time"), BTreeMap::new()));
            }
            "objects/object/attributes/attribute" => {
                let (of, attributes) = read.objects.get_mut(&id).unwrap();
                attributes.insert(get("name"), typed(&types[&(of.clone(), get("name"))], text));
                assert!(get("time").starts_with("1970-01-01T00:00:00"));
            }
            "events/event/attributes/attribute" => {
                let (of, _, attributes) = read.events.get_mut(&id).unwrap();
                attributes.insert(get("name"), typed(&types[&(of.clone(), get("name"))], text));
            }
            "objects/object/objects/relationship" => {
                read.related.insert((id.clone(), get("object-id"), get("qualifier")));
            }
            "events/event/objects/relationship" => {
                read.about.insert((id.clone(), get("object-id"), get("qualifier")));
            }
            _ => {}
        }
    }
    read
}

fn typed(kind: &str, text: String) -> String {
    if known(kind) == "float" { number(text.parse().unwrap()) } else { text }
}

fn sqlite(path: &Path) -> Read {
    let conn = Connection::open(path).unwrap();
    assert_eq!(rows(&conn, "PRAGMA foreign_key_check"), Vec::<Vec<String>>::new());
    let mut read = Read::default();
    for (list, of) in [("event", "event"), ("object", "object")] {
        for row in rows(&conn, &format!("SELECT ocel_type, ocel_type_map FROM {list}_map_type")) {
            let (name, table) = (&row[0], &row[1]);
            let columns = rows(&conn, &format!("SELECT name FROM pragma_table_info('{of}_{table}')"));
            let columns: Vec<String> = columns.into_iter().flatten().collect();
            for row in rows(&conn, &format!("SELECT * FROM \"{of}_{table}\"")) {
                let told = columns.iter().cloned().zip(row.clone());
                let attributes = told.filter(|(name, value)| !name.starts_with("ocel_") && value != "NULL");
                let attributes: BTreeMap<String, String> = attributes.collect();
                if of == "event" {
                    read.events.insert(row[0].clone(), (name.clone(), row[1].clone(), attributes));
                } else {
                    read.objects.insert(row[0].clone(), (name.clone(), attributes));
                }
            }
        }
    }
    let triple = |row: Vec<String>| (row[0].clone(), row[1].clone(), row[2].clone());
    read.related = rows(&conn, "SELECT * FROM object_object").into_iter().map(triple).collect();
    read.about = rows(&conn, "SELECT * FROM event_object").into_iter().map(triple).collect();
    read.order = rows(&conn, "SELECT ocel_id FROM event ORDER BY rowid").into_iter().flatten().collect();
    read
}

fn rows(conn: &Connection, query: &str) -> Vec<Vec<String>> {
    let mut statement = conn.prepare(query).unwrap();
    let columns = statement.column_count();
    let cell = |row: &rusqlite::Row<'_>, place| match row.get_ref(place).unwrap() {
        rusqlite::types::ValueRef::Null => "NULL".to_owned(),
        rusqlite::types::ValueRef::Real(real) => number(real),
        other => String::from_utf8_lossy(other.as_bytes().unwrap_or(b"a whole number")).into_owned(),
    };
    let read =
        statement.query_map([], |row| Ok((0..columns).map(|place| cell(row, place)).collect())).unwrap();
    read.collect::<Result<_, _>>().unwrap()
}

fn written(log: &Log, folder: &Path, format: Format) -> std::path::PathBuf {
    let path = folder.join(format.name());
    log.write(format, &path).unwrap();
    path
}

#[test]
fn what_has_no_other_end_is_left_out_and_what_is_told_twice_is_there_once() {
    let log = two_cases();
    let expected = Counts { events: 6, objects: 5, event_object: 6 + 2 + 2, object_object: 2, traces: 2 };
    assert_eq!(log.counts().unwrap(), expected);
}

#[test]
fn each_format_of_ocel_says_the_same_in_the_order_of_time() {
    let folder = tempfile::tempdir().unwrap();
    let log = two_cases();
    let read = json(&written(&log, folder.path(), Format::OcelJson));
    assert_eq!(xml(&written(&log, folder.path(), Format::OcelXml)), read);
    assert_eq!(sqlite(&written(&log, folder.path(), Format::OcelSqlite)), read);

    let (kind, attributes) = &read.objects["case:2026-01-01"];
    assert_eq!(kind, "case");
    assert_eq!(attributes, &BTreeMap::from([("category".to_owned(), "a <b> & \"c\"  'd'".to_owned())]));
    let (activity, time, attributes) = &read.events["event:1b"];
    assert_eq!((activity.as_str(), time.as_str()), ("paid back", "2026-09-21T14:13:40.000000Z"));
    let expected = [("amount".to_owned(), number(39.9)), (PLACE.to_owned(), number(2.0))];
    assert_eq!(attributes, &BTreeMap::from(expected));
    let order = ["1a", "0a", "0b", "0c", "1b", "1c"].map(|id| format!("event:{id}"));
    assert_eq!(read.order, order);
    assert!(!read.objects.contains_key("agent:idle") && !read.objects.contains_key("case:not here"));
}

#[test]
fn xes_has_a_trace_for_each_case_with_its_events_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let all = elements(&written(&two_cases(), folder.path(), Format::Xes));
    let mut traces: Vec<(String, Vec<BTreeMap<String, String>>)> = Vec::new();
    for (path, at, _) in &all {
        let value = || (at["key"].clone(), at["value"].clone());
        match path.as_str() {
            "log/trace" => traces.push(Default::default()),
            "log/trace/string" if at["key"] == "concept:name" => traces.last_mut().unwrap().0 = value().1,
            "log/trace/event" => traces.last_mut().unwrap().1.push(BTreeMap::new()),
            path if path.starts_with("log/trace/event/") => {
                let typed = path.trim_start_matches("log/trace/event/");
                let (key, value) = value();
                let value = if typed == "float" { number(value.parse().unwrap()) } else { value };
                let old = traces.last_mut().unwrap().1.last_mut().unwrap().insert(key, value);
                assert_eq!(old, None, "a key is there once");
            }
            _ => {}
        }
    }
    assert_eq!(traces.len(), 2);
    let (name, events) = &traces[0];
    assert_eq!(name, "case:2026-01-01");
    let told: Vec<&str> = events.iter().map(|event| event["concept:name"].as_str()).collect();
    assert_eq!(told, ["registered", "paid back", "paid back"]);
    assert_eq!(events[1]["org:resource"], "agent:x");
    assert_eq!(events[1]["amount"], number(39.9));
    assert_eq!(events[0]["complaint"], "complaint:2026-01-01");
    assert_eq!(events[0]["time:timestamp"], "2026-09-21T14:13:30.000000Z");
    let places: Vec<&str> = events.iter().map(|event| event[PLACE].as_str()).collect();
    assert_eq!(places, ["number 1", "number 2", "number 3"]);
}

#[test]
fn an_empty_log_is_written_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let log = Spool::create().unwrap().finish("nothing").unwrap();
    assert_eq!(log.counts().unwrap(), Counts::default());
    for format in Format::ALL {
        written(&log, folder.path(), format);
    }
    assert_eq!(json(&folder.path().join("ocel-json")), Read::default());
    assert_eq!(sqlite(&folder.path().join("ocel-sqlite")), Read::default());
}

#[test]
fn a_database_that_cannot_be_written_leaves_the_log_to_be_written_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let log = two_cases();
    let path = written(&log, folder.path(), Format::OcelSqlite);
    assert!(log.write(Format::OcelSqlite, &path).is_err(), "its tables are there already");
    log.write(Format::OcelSqlite, &folder.path().join("another")).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn whatever_texts_there_are_each_format_says_the_same(
        texts in prop::collection::vec(".{0,12}", 1..12),
        cents in -99_999_999_999..99_999_999_999_i64,
    ) {
        let mut spool = Spool::create().unwrap();
        for (place, text) in (0..).zip(&texts) {
            let id = format!("{place}");
            let attributes = vec![("category", Value::Text(text.clone()))];
            spool.object(Object { kind: "case", id: &id, attributes }).unwrap();
            spool.object(Object { kind: "department", id: text, attributes: Vec::new() }).unwrap();
            let mut event = event(&id, "something", -place, &id);
            event.attributes = vec![("detail", Value::Text(text.clone()))];
            #[expect(clippy::cast_precision_loss, reason = "so few digits are exact")]
            event.attributes.push(("amount", Value::Number(cents as f64 / 100.0)));
            event.objects = vec![Relation { kind: "department", id: text, qualifier: "with" }];
            spool.event(event).unwrap();
        }
        let log = spool.finish("any").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let read = json(&written(&log, folder.path(), Format::OcelJson));
        prop_assert_eq!(&xml(&written(&log, folder.path(), Format::OcelXml)), &read);
        prop_assert_eq!(&sqlite(&written(&log, folder.path(), Format::OcelSqlite)), &read);
        prop_assert_eq!(read.events.len(), texts.len());
        let ids: BTreeSet<&String> = read.objects.keys().collect();
        prop_assert!(read.about.iter().all(|(_, object, _)| ids.contains(object)));
    }
}
