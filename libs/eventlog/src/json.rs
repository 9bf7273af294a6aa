//! OCEL 2.0 as JSON.

use std::io::Write;

use serde_json::{Value as Json, json};

use crate::spool::{
    self, EVENT_ATTRIBUTES, EVENT_RELATIONS, EVENTS, EventRow, Log, OBJECT_ATTRIBUTES, OBJECT_RELATIONS,
    OBJECTS, Of, Type,
};
use crate::{Error, Value};

/// The time of attributes that never change.
pub(crate) const ALWAYS: &str = "1970-01-01T00:00:00.000000Z";

pub(crate) fn write(log: &Log, out: &mut impl Write) -> Result<(), Error> {
    out.write_all(b"{\"objectTypes\":")?;
    serde_json::to_writer(&mut *out, &types(log.types(Of::Objects)?))?;
    out.write_all(b",\n\"eventTypes\":")?;
    serde_json::to_writer(&mut *out, &types(log.types(Of::Events)?))?;
    out.write_all(b",\n\"objects\":[")?;
    objects(log, out)?;
    out.write_all(b"],\n\"events\":[")?;
    events(log, out)?;
    Ok(out.write_all(b"]}\n")?)
}

fn types(types: Vec<Type>) -> Json {
    let attribute =
        |(name, is_number): &(String, bool)| json!({"name": name, "type": Type::word(*is_number)});
    let one = |of: Type| {
        let attributes: Vec<Json> = of.attributes.iter().map(attribute).collect();
        json!({"name": of.name, "attributes": attributes})
    };
    types.into_iter().map(one).collect()
}

fn value(value: Value) -> Json {
    match value {
        Value::Text(text) => text.into(),
        Value::Number(number) => number.into(),
    }
}

fn related((object, qualifier): (String, String)) -> Json {
    json!({"objectId": object, "qualifier": qualifier})
}

/// One of a list, after what comes between it and the one before.
fn item(out: &mut impl Write, is_first: &mut bool, item: &Json) -> Result<(), Error> {
    out.write_all(if *is_first { b"\n" } else { b",\n" })?;
    *is_first = false;
    Ok(serde_json::to_writer(&mut *out, item)?)
}

fn objects(log: &Log, out: &mut impl Write) -> Result<(), Error> {
    let mut objects = log.conn.prepare(OBJECTS)?;
    let mut attributes = log.conn.prepare(OBJECT_ATTRIBUTES)?;
    let mut relations = log.conn.prepare(OBJECT_RELATIONS)?;
    let mut rows = objects.query([])?;
    let mut is_first = true;
    while let Some(row) = rows.next()? {
        let (id, kind): (String, String) = (row.get(0)?, row.get(1)?);
        let attribute =
            |(name, of): (String, Value)| json!({"name": name, "time": ALWAYS, "value": value(of)});
        let attributes: Vec<Json> =
            spool::attributes(&mut attributes, &id)?.into_iter().map(attribute).collect();
        let relations: Vec<Json> = spool::relations(&mut relations, &id)?.into_iter().map(related).collect();
        let object = json!({"id": id, "type": kind, "attributes": attributes, "relationships": relations});
        item(out, &mut is_first, &object)?;
    }
    Ok(())
}

fn events(log: &Log, out: &mut impl Write) -> Result<(), Error> {
    let mut events = log.conn.prepare(EVENTS)?;
    let mut attributes = log.conn.prepare(EVENT_ATTRIBUTES)?;
    let mut relations = log.conn.prepare(EVENT_RELATIONS)?;
    let mut rows = events.query([])?;
    let mut is_first = true;
    while let Some(row) = rows.next()? {
        let EventRow { number, id, activity, at, trace: _ } = EventRow::read(row)?;
        let attribute = |(name, of): (String, Value)| json!({"name": name, "value": value(of)});
        let attributes: Vec<Json> =
            spool::attributes(&mut attributes, number)?.into_iter().map(attribute).collect();
        let relations: Vec<Json> =
            spool::relations(&mut relations, number)?.into_iter().map(related).collect();
        let event = json!({
            "id": id, "type": activity, "time": at, "attributes": attributes, "relationships": relations,
        });
        item(out, &mut is_first, &event)?;
    }
    Ok(())
}
