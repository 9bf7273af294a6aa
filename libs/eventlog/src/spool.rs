//! The spool: a log on its way from where it comes from to where it goes.

use std::io::{BufWriter, Write as _};
use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, params};

use crate::{Error, Event, Format, Object, PLACE, Relation, Value, lawful, object_id};
use crate::{json, relational, xes, xml};

/// What is kept, each thing once. No name, no index that nothing asks by.
const TABLES: &str = "
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    CREATE TABLE object (id TEXT PRIMARY KEY, kind TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE object_attribute (
        object TEXT NOT NULL, name TEXT NOT NULL, text TEXT, number REAL, PRIMARY KEY (object, name)
    ) WITHOUT ROWID;
    CREATE TABLE object_object (
        source TEXT NOT NULL, target TEXT NOT NULL, qualifier TEXT NOT NULL, PRIMARY KEY (source, target)
    ) WITHOUT ROWID;
    CREATE TABLE event (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, activity TEXT NOT NULL, at TEXT NOT NULL,
        trace TEXT NOT NULL
    );
    CREATE TABLE event_attribute (
        event INTEGER NOT NULL, name TEXT NOT NULL, text TEXT, number REAL, PRIMARY KEY (event, name)
    ) WITHOUT ROWID;
    CREATE TABLE event_object (
        event INTEGER NOT NULL, object TEXT NOT NULL, qualifier TEXT NOT NULL, PRIMARY KEY (event, object)
    ) WITHOUT ROWID;
    BEGIN;
";

/// What has no other end is not written; and what events are written in the order of.
const COMPLETE: &str = "
    DELETE FROM event_object WHERE object NOT IN (SELECT id FROM object);
    DELETE FROM object WHERE id NOT IN (SELECT object FROM event_object);
    DELETE FROM object_attribute WHERE object NOT IN (SELECT id FROM object);
    DELETE FROM object_object WHERE source NOT IN (SELECT id FROM object) OR target NOT IN (SELECT id FROM object);
    COMMIT;
    CREATE INDEX event_by_time ON event (at, number);
";

/// How much a log has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// How many events.
    pub events: u64,
    /// How many objects.
    pub objects: u64,
    /// How many relations of an event with an object.
    pub event_object: u64,
    /// How many relations of an object with an object.
    pub object_object: u64,
    /// How many objects have a trace of events in XES.
    pub traces: u64,
}

/// A log that is being taken in.
pub struct Spool {
    conn: Connection,
    trace: String,
    place: u32,
}

/// A log that is there, and can be written.
pub struct Log {
    pub(crate) conn: Connection,
    pub(crate) name: String,
}

/// A time as every format writes it: UTC, six decimals.
fn written(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// A value as it is kept; none where there is none.
fn columns(value: Value) -> Option<(Option<String>, Option<f64>)> {
    match value {
        Value::Text(text) => {
            Some(lawful(&text)).filter(|text| !text.is_empty()).map(|text| (Some(text), None))
        }
        Value::Number(number) => number.is_finite().then_some((None, Some(number))),
    }
}

impl Spool {
    /// An empty one, in a temporary file that nobody else sees.
    ///
    /// # Errors
    ///
    /// Fails where no temporary file can be had.
    pub fn create() -> Result<Self, Error> {
        // An empty name is a private file that goes with the connection.
        let conn = Connection::open("")?;
        conn.execute_batch(TABLES)?;
        Ok(Self { conn, trace: String::new(), place: 0 })
    }

    /// Takes in an object. What is known of it stays; what is new is added.
    ///
    /// # Errors
    ///
    /// Fails where it cannot be kept.
    pub fn object(&mut self, object: Object<'_>) -> Result<(), Error> {
        let id = object_id(object.kind, object.id);
        let mut insert = self.conn.prepare_cached("INSERT OR IGNORE INTO object VALUES (?1, ?2)")?;
        insert.execute(params![id, object.kind])?;
        let mut insert =
            self.conn.prepare_cached("INSERT OR IGNORE INTO object_attribute VALUES (?1, ?2, ?3, ?4)")?;
        for (name, value) in object.attributes {
            if let Some((text, number)) = columns(value) {
                insert.execute(params![id, name, text, number])?;
            }
        }
        Ok(())
    }

    /// Takes in what an object has to do with another, which may be yet to come.
    ///
    /// # Errors
    ///
    /// Fails where it cannot be kept.
    pub fn relate(&mut self, kind: &str, id: &str, to: Relation<'_>) -> Result<(), Error> {
        let mut insert =
            self.conn.prepare_cached("INSERT OR IGNORE INTO object_object VALUES (?1, ?2, ?3)")?;
        insert.execute(params![object_id(kind, id), object_id(to.kind, to.id), to.qualifier])?;
        Ok(())
    }

    /// Takes in an event; one that is known already is passed over. Events of a trace come one
    /// after the other, in the order of time; its objects may be yet to come.
    ///
    /// # Errors
    ///
    /// Fails where it cannot be kept.
    pub fn event(&mut self, event: Event<'_>) -> Result<(), Error> {
        let trace = object_id(event.trace.kind, event.trace.id);
        let mut insert = self.conn.prepare_cached(
            "INSERT OR IGNORE INTO event (id, activity, at, trace) VALUES (?1, ?2, ?3, ?4)",
        )?;
        let id = object_id("event", event.id);
        if insert.execute(params![id, lawful(event.activity), written(event.time), trace])? == 0 {
            return Ok(());
        }
        let number = self.conn.last_insert_rowid();
        self.place = if self.trace == trace { self.place + 1 } else { 1 };
        self.trace = trace;
        let mut insert =
            self.conn.prepare_cached("INSERT OR IGNORE INTO event_attribute VALUES (?1, ?2, ?3, ?4)")?;
        let place = (PLACE, Value::Number(f64::from(self.place)));
        for (name, value) in std::iter::once(place).chain(event.attributes) {
            if let Some((text, value)) = columns(value) {
                insert.execute(params![number, name, text, value])?;
            }
        }
        let mut insert =
            self.conn.prepare_cached("INSERT OR IGNORE INTO event_object VALUES (?1, ?2, ?3)")?;
        for relation in std::iter::once(event.trace).chain(event.objects) {
            let object = object_id(relation.kind, relation.id);
            insert.execute(params![number, object, relation.qualifier])?;
        }
        Ok(())
    }

    /// All of it is there: from now on it can be written.
    ///
    /// # Errors
    ///
    /// Fails where the spool cannot be read or written.
    pub fn finish(self, name: &str) -> Result<Log, Error> {
        self.conn.execute_batch(COMPLETE)?;
        Ok(Log { conn: self.conn, name: lawful(name) })
    }
}

impl Log {
    /// How much there is.
    ///
    /// # Errors
    ///
    /// Fails where the spool cannot be read.
    pub fn counts(&self) -> Result<Counts, Error> {
        let count = |what: &str| -> Result<u64, Error> {
            let count: i64 = self.conn.query_row(&format!("SELECT count({what}"), [], |row| row.get(0))?;
            Ok(u64::try_from(count).unwrap_or(0))
        };
        Ok(Counts {
            events: count("*) FROM event")?,
            objects: count("*) FROM object")?,
            event_object: count("*) FROM event_object")?,
            object_object: count("*) FROM object_object")?,
            traces: count("DISTINCT trace) FROM event")?,
        })
    }

    /// Writes it to a file that is not there yet, or is empty.
    ///
    /// # Errors
    ///
    /// Fails where the file cannot be written or the spool cannot be read.
    pub fn write(&self, format: Format, path: &Path) -> Result<(), Error> {
        if format == Format::OcelSqlite {
            return relational::write(self, path);
        }
        let mut out = BufWriter::new(std::fs::File::create(path)?);
        match format {
            Format::OcelJson => json::write(self, &mut out)?,
            Format::OcelXml => xml::write(self, &mut out)?,
            Format::Xes | Format::OcelSqlite => xes::write(self, &mut out)?,
        }
        Ok(out.flush()?)
    }

    /// The kinds of objects, or what happens, each with the attributes that are there and whether
    /// they are numbers.
    pub(crate) fn types(&self, of: Of) -> Result<Vec<Type>, Error> {
        let (names, attributes) = match of {
            Of::Objects => (
                "SELECT DISTINCT kind FROM object ORDER BY kind",
                "SELECT DISTINCT a.name, a.number IS NOT NULL FROM object o
                 JOIN object_attribute a ON a.object = o.id WHERE o.kind = ?1 ORDER BY 1",
            ),
            Of::Events => (
                "SELECT DISTINCT activity FROM event ORDER BY activity",
                "SELECT DISTINCT a.name, a.number IS NOT NULL FROM event e
                 JOIN event_attribute a ON a.event = e.number WHERE e.activity = ?1 ORDER BY 1",
            ),
        };
        let mut names = self.conn.prepare(names)?;
        let names: Vec<String> = names.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let mut statement = self.conn.prepare(attributes)?;
        let one = |name: String| {
            let attributes = statement.query_map([&name], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let attributes = attributes.collect::<Result<_, _>>()?;
            Ok(Type { name, attributes })
        };
        names.into_iter().map(one).collect()
    }
}

/// What types are asked of.
#[derive(Clone, Copy)]
pub(crate) enum Of {
    Objects,
    Events,
}

/// A kind of objects or events.
pub(crate) struct Type {
    pub(crate) name: String,
    /// Each attribute, and whether it is a number.
    pub(crate) attributes: Vec<(String, bool)>,
}

impl Type {
    /// What an attribute's type is called in OCEL.
    pub(crate) fn word(is_number: bool) -> &'static str {
        if is_number { "float" } else { "string" }
    }
}

/// The attributes of an object or an event.
pub(crate) fn attributes(
    statement: &mut rusqlite::Statement<'_>,
    key: impl rusqlite::ToSql,
) -> Result<Vec<(String, Value)>, Error> {
    let read = |row: &rusqlite::Row<'_>| {
        let text: Option<String> = row.get(1)?;
        let value = match text {
            Some(text) => Value::Text(text),
            None => Value::Number(row.get(2)?),
        };
        Ok((row.get(0)?, value))
    };
    Ok(statement.query_map([key], read)?.collect::<Result<_, _>>()?)
}

/// The related objects of an object or an event, each with its qualifier.
pub(crate) fn relations(
    statement: &mut rusqlite::Statement<'_>,
    key: impl rusqlite::ToSql,
) -> Result<Vec<(String, String)>, Error> {
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    Ok(statement.query_map([key], read)?.collect::<Result<_, _>>()?)
}

/// How objects are read, in the order of their ids.
pub(crate) const OBJECTS: &str = "SELECT id, kind FROM object ORDER BY id";
/// How the attributes of an object are read.
pub(crate) const OBJECT_ATTRIBUTES: &str =
    "SELECT name, text, number FROM object_attribute WHERE object = ?1 ORDER BY name";
/// How the objects that an object has to do with are read.
pub(crate) const OBJECT_RELATIONS: &str =
    "SELECT target, qualifier FROM object_object WHERE source = ?1 ORDER BY target";
/// How events are read, in the order of time.
pub(crate) const EVENTS: &str = "SELECT number, id, activity, at, trace FROM event ORDER BY at, number";
/// How events are read, trace by trace.
pub(crate) const EVENTS_BY_TRACE: &str = "SELECT number, id, activity, at, trace FROM event ORDER BY number";
/// How the attributes of an event are read.
pub(crate) const EVENT_ATTRIBUTES: &str =
    "SELECT name, text, number FROM event_attribute WHERE event = ?1 ORDER BY name";
/// How the objects that an event is about are read.
pub(crate) const EVENT_RELATIONS: &str =
    "SELECT object, qualifier FROM event_object WHERE event = ?1 ORDER BY object";

/// An event as it is read.
pub(crate) struct EventRow {
    pub(crate) number: i64,
    pub(crate) id: String,
    pub(crate) activity: String,
    pub(crate) at: String,
    pub(crate) trace: String,
}

impl EventRow {
    pub(crate) fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            number: row.get(0)?,
            id: row.get(1)?,
            activity: row.get(2)?,
            at: row.get(3)?,
            trace: row.get(4)?,
        })
    }
}
