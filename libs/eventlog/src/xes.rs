//! XES, IEEE 1849: a trace for each object that events are told of.
//!
//! What an event has to do with other objects is an attribute named by their kind: of an
//! agent `org:resource`, of a department `org:group`.

use std::io::Write;

use crate::spool::{
    self, EVENT_ATTRIBUTES, EVENT_RELATIONS, EVENTS_BY_TRACE, EventRow, Log, OBJECT_ATTRIBUTES,
};
use crate::xml::{Xml, written};
use crate::{Error, Value};

/// What each extension is called, what its attributes begin with, and where it is explained.
const EXTENSIONS: [(&str, &str, &str); 4] = [
    ("Concept", "concept", "http://www.xes-standard.org/concept.xesext"),
    ("Lifecycle", "lifecycle", "http://www.xes-standard.org/lifecycle.xesext"),
    ("Organizational", "org", "http://www.xes-standard.org/org.xesext"),
    ("Time", "time", "http://www.xes-standard.org/time.xesext"),
];
/// The attributes that every event has: how they are typed, and what stands for none.
const OF_EVENTS: [(&str, &str, &str); 4] = [
    ("string", "concept:name", "UNKNOWN"),
    ("string", "lifecycle:transition", "complete"),
    ("date", "time:timestamp", "1970-01-01T00:00:00.000000Z"),
    ("float", crate::PLACE, "0"),
];

pub(crate) fn write(log: &Log, out: &mut impl Write) -> Result<(), Error> {
    let mut xml = Xml::begin(out)?;
    let of_log =
        [("xes.version", "1849-2016"), ("xes.features", ""), ("xmlns", "http://www.xes-standard.org/")];
    xml.open("log", &of_log)?;
    for (name, prefix, uri) in EXTENSIONS {
        xml.empty("extension", &[("name", name), ("prefix", prefix), ("uri", uri)])?;
    }
    xml.open("global", &[("scope", "trace")])?;
    xml.empty("string", &[("key", "concept:name"), ("value", "UNKNOWN")])?;
    xml.close("global")?;
    xml.open("global", &[("scope", "event")])?;
    for (kind, key, value) in OF_EVENTS {
        xml.empty(kind, &[("key", key), ("value", value)])?;
    }
    xml.close("global")?;
    xml.empty("classifier", &[("name", "Activity"), ("keys", "concept:name")])?;
    xml.empty("string", &[("key", "concept:name"), ("value", &log.name)])?;
    traces(&mut xml, log)?;
    xml.close("log")
}

fn attribute<W: Write>(xml: &mut Xml<W>, key: &str, value: Value) -> Result<(), Error> {
    let kind = if matches!(value, Value::Number(_)) { "float" } else { "string" };
    xml.empty(kind, &[("key", key), ("value", &written(value))])
}

fn traces<W: Write>(xml: &mut Xml<W>, log: &Log) -> Result<(), Error> {
    let mut events = log.conn.prepare(EVENTS_BY_TRACE)?;
    let mut of_trace = log.conn.prepare(OBJECT_ATTRIBUTES)?;
    let mut of_event = log.conn.prepare(EVENT_ATTRIBUTES)?;
    let mut relations = log.conn.prepare(EVENT_RELATIONS)?;
    let mut rows = events.query([])?;
    let mut open: Option<String> = None;
    while let Some(row) = rows.next()? {
        let event = EventRow::read(row)?;
        if open.as_ref() != Some(&event.trace) {
            if open.is_some() {
                xml.close("trace")?;
            }
            xml.open("trace", &[])?;
            attribute(xml, "concept:name", Value::Text(event.trace.clone()))?;
            for (name, value) in spool::attributes(&mut of_trace, &event.trace)? {
                attribute(xml, &name, value)?;
            }
        }
        let attributes = spool::attributes(&mut of_event, event.number)?;
        let related = spool::relations(&mut relations, event.number)?;
        one(xml, &event, attributes, related)?;
        open = Some(event.trace);
    }
    if open.is_some() {
        xml.close("trace")?;
    }
    Ok(())
}

fn one<W: Write>(
    xml: &mut Xml<W>,
    event: &EventRow,
    attributes: Vec<(String, Value)>,
    related: Vec<(String, String)>,
) -> Result<(), Error> {
    xml.open("event", &[])?;
    attribute(xml, "concept:name", Value::Text(event.activity.clone()))?;
    attribute(xml, "event", Value::Text(event.id.clone()))?;
    attribute(xml, "lifecycle:transition", "complete".into())?;
    xml.empty("date", &[("key", "time:timestamp"), ("value", &event.at)])?;
    for (name, value) in attributes {
        attribute(xml, &name, value)?;
    }
    for (object, qualifier) in related.into_iter().filter(|(object, _)| *object != event.trace) {
        let kind = object.split_once(':').map_or("", |(kind, _)| kind).to_owned();
        let key = match kind.as_str() {
            "agent" => "org:resource",
            "department" => "org:group",
            // Another of the kind of its trace is named by what it has to do with it.
            kind if event.trace.starts_with(&format!("{kind}:")) => &qualifier,
            kind => kind,
        };
        attribute(xml, key, Value::Text(object))?;
    }
    xml.close("event")
}
