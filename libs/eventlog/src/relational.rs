//! OCEL 2.0 as a SQLite database: a table for each kind of objects and events.

use std::path::Path;

use rusqlite::params;

use crate::Error;
use crate::json::ALWAYS;
use crate::spool::{Log, Of, Type};

/// What every such database has.
const TABLES: &str = "
    CREATE TABLE out.event_map_type (ocel_type TEXT PRIMARY KEY, ocel_type_map TEXT NOT NULL);
    CREATE TABLE out.object_map_type (ocel_type TEXT PRIMARY KEY, ocel_type_map TEXT NOT NULL);
    CREATE TABLE out.event (
        ocel_id TEXT PRIMARY KEY, ocel_type TEXT NOT NULL,
        FOREIGN KEY (ocel_type) REFERENCES event_map_type (ocel_type)
    );
    CREATE TABLE out.object (
        ocel_id TEXT PRIMARY KEY, ocel_type TEXT NOT NULL,
        FOREIGN KEY (ocel_type) REFERENCES object_map_type (ocel_type)
    );
    CREATE TABLE out.event_object (
        ocel_event_id TEXT NOT NULL, ocel_object_id TEXT NOT NULL, ocel_qualifier TEXT NOT NULL,
        PRIMARY KEY (ocel_event_id, ocel_object_id, ocel_qualifier),
        FOREIGN KEY (ocel_event_id) REFERENCES event (ocel_id),
        FOREIGN KEY (ocel_object_id) REFERENCES object (ocel_id)
    );
    CREATE TABLE out.object_object (
        ocel_source_id TEXT NOT NULL, ocel_target_id TEXT NOT NULL, ocel_qualifier TEXT NOT NULL,
        PRIMARY KEY (ocel_source_id, ocel_target_id, ocel_qualifier),
        FOREIGN KEY (ocel_source_id) REFERENCES object (ocel_id),
        FOREIGN KEY (ocel_target_id) REFERENCES object (ocel_id)
    );
";

/// What is filled at once, once the types are there.
const ROWS: &str = "
    INSERT INTO out.event SELECT id, activity FROM main.event ORDER BY at, number;
    INSERT INTO out.object SELECT id, kind FROM main.object ORDER BY id;
    INSERT INTO out.event_object
        SELECT e.id, r.object, r.qualifier FROM main.event e JOIN main.event_object r ON r.event = e.number
        ORDER BY e.at, e.number, r.object;
    INSERT INTO out.object_object SELECT source, target, qualifier FROM main.object_object;
";

pub(crate) fn write(log: &Log, path: &Path) -> Result<(), Error> {
    log.conn.execute("ATTACH DATABASE ?1 AS out", params![path.to_string_lossy()])?;
    let filled = fill(log);
    // Also where it failed: the log may be written as something else yet.
    let detached = log.conn.execute_batch("DETACH DATABASE out");
    filled?;
    Ok(detached?)
}

fn fill(log: &Log) -> Result<(), Error> {
    log.conn.execute_batch("BEGIN")?;
    let filled = fill_within(log);
    log.conn.execute_batch(if filled.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
    filled
}

fn fill_within(log: &Log) -> Result<(), Error> {
    log.conn.execute_batch(TABLES)?;
    let (events, objects) = (log.types(Of::Events)?, log.types(Of::Objects)?);
    for (of, types) in [("event", &events), ("object", &objects)] {
        for one in types {
            let insert = format!("INSERT INTO out.{of}_map_type VALUES (?1, ?2)");
            log.conn.execute(&insert, params![one.name, mapped(&one.name)])?;
        }
    }
    log.conn.execute_batch(ROWS)?;
    for one in &events {
        fill_events(log, one)?;
    }
    for one in &objects {
        fill_objects(log, one)?;
    }
    Ok(())
}

/// What the table of a type is called after: `case opened` is `CaseOpened`.
fn mapped(name: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars().filter(char::is_ascii_alphanumeric);
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    name.split(' ').map(capital).collect()
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The columns of a type's attributes as they are made, and as they are read from the spool.
fn columns(of: &Type, table: &str, key: &str) -> (String, String) {
    let made = of.attributes.iter().map(|(name, is_number)| {
        let kind = if *is_number { "REAL" } else { "TEXT" };
        format!(", {} {kind}", quoted(name))
    });
    let read = of.attributes.iter().map(|(name, is_number)| {
        let (from, text) = (if *is_number { "number" } else { "text" }, name.replace('\'', "''"));
        format!(", (SELECT a.{from} FROM main.{table} a WHERE {key} AND a.name = '{text}')")
    });
    (made.collect(), read.collect())
}

fn fill_events(log: &Log, of: &Type) -> Result<(), Error> {
    let table = quoted(&format!("event_{}", mapped(&of.name)));
    let (made, read) = columns(of, "event_attribute", "a.event = e.number");
    log.conn.execute_batch(&format!(
        "CREATE TABLE out.{table} (ocel_id TEXT PRIMARY KEY, ocel_time TIMESTAMP NOT NULL{made},
             FOREIGN KEY (ocel_id) REFERENCES event (ocel_id))"
    ))?;
    let insert = format!(
        "INSERT INTO out.{table} SELECT e.id, e.at{read} FROM main.event e WHERE e.activity = ?1
         ORDER BY e.at, e.number"
    );
    log.conn.execute(&insert, params![of.name])?;
    Ok(())
}

fn fill_objects(log: &Log, of: &Type) -> Result<(), Error> {
    let table = quoted(&format!("object_{}", mapped(&of.name)));
    let (made, read) = columns(of, "object_attribute", "a.object = o.id");
    log.conn.execute_batch(&format!(
        "CREATE TABLE out.{table} (ocel_id TEXT NOT NULL, ocel_time TIMESTAMP NOT NULL, ocel_changed_field TEXT{made},
             FOREIGN KEY (ocel_id) REFERENCES object (ocel_id))"
    ))?;
    let insert = format!(
        "INSERT INTO out.{table} SELECT o.id, ?2, NULL{read} FROM main.object o WHERE o.kind = ?1 ORDER BY o.id"
    );
    log.conn.execute(&insert, params![of.name, ALWAYS])?;
    Ok(())
}
