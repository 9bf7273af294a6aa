//! OCEL 2.0 as XML, and what it has in common with XES.

use std::io::Write;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event as XmlEvent};

use crate::json::ALWAYS;
use crate::spool::{
    self, EVENT_ATTRIBUTES, EVENT_RELATIONS, EVENTS, EventRow, Log, OBJECT_ATTRIBUTES, OBJECT_RELATIONS,
    OBJECTS, Of, Type,
};
use crate::{Error, Value};

/// Writes elements, one a line.
pub(crate) struct Xml<W: Write>(Writer<W>);

/// The attributes of an element.
type Attributes<'a> = &'a [(&'a str, &'a str)];

impl<W: Write> Xml<W> {
    /// Begins a document.
    pub(crate) fn begin(out: W) -> Result<Self, Error> {
        let mut xml = Self(Writer::new_with_indent(out, b' ', 1));
        xml.0.write_event(XmlEvent::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        Ok(xml)
    }

    fn start<'a>(name: &'a str, attributes: Attributes<'a>) -> BytesStart<'a> {
        BytesStart::new(name).with_attributes(attributes.iter().copied())
    }

    /// Opens an element.
    pub(crate) fn open(&mut self, name: &str, attributes: Attributes<'_>) -> Result<(), Error> {
        Ok(self.0.write_event(XmlEvent::Start(Self::start(name, attributes)))?)
    }

    /// Closes an element.
    pub(crate) fn close(&mut self, name: &str) -> Result<(), Error> {
        Ok(self.0.write_event(XmlEvent::End(BytesEnd::new(name)))?)
    }

    /// An element with nothing in it.
    pub(crate) fn empty(&mut self, name: &str, attributes: Attributes<'_>) -> Result<(), Error> {
        Ok(self.0.write_event(XmlEvent::Empty(Self::start(name, attributes)))?)
    }

    /// An element with a text in it.
    fn text(&mut self, name: &str, attributes: Attributes<'_>, text: &str) -> Result<(), Error> {
        self.open(name, attributes)?;
        self.0.write_event(XmlEvent::Text(BytesText::new(text)))?;
        self.close(name)
    }
}

/// A value as text.
pub(crate) fn written(value: Value) -> String {
    match value {
        Value::Text(text) => text,
        Value::Number(number) => number.to_string(),
    }
}

pub(crate) fn write(log: &Log, out: &mut impl Write) -> Result<(), Error> {
    let mut xml = Xml::begin(out)?;
    xml.open("log", &[])?;
    types(&mut xml, ("object-types", "object-type"), log.types(Of::Objects)?)?;
    types(&mut xml, ("event-types", "event-type"), log.types(Of::Events)?)?;
    objects(&mut xml, log)?;
    events(&mut xml, log)?;
    xml.close("log")
}

fn types<W: Write>(xml: &mut Xml<W>, (all, one): (&str, &str), types: Vec<Type>) -> Result<(), Error> {
    xml.open(all, &[])?;
    for of in types {
        xml.open(one, &[("name", &of.name)])?;
        xml.open("attributes", &[])?;
        for (name, is_number) in of.attributes {
            xml.empty("attribute", &[("name", &name), ("type", Type::word(is_number))])?;
        }
        xml.close("attributes")?;
        xml.close(one)?;
    }
    xml.close(all)
}

fn related<W: Write>(xml: &mut Xml<W>, relations: Vec<(String, String)>) -> Result<(), Error> {
    if relations.is_empty() {
        return Ok(());
    }
    xml.open("objects", &[])?;
    for (object, qualifier) in relations {
        xml.empty("relationship", &[("object-id", &object), ("qualifier", &qualifier)])?;
    }
    xml.close("objects")
}

fn attributed<W: Write>(
    xml: &mut Xml<W>,
    attributes: Vec<(String, Value)>,
    time: Option<&str>,
) -> Result<(), Error> {
    if attributes.is_empty() {
        return Ok(());
    }
    xml.open("attributes", &[])?;
    for (name, value) in attributes {
        let mut of = vec![("name", name.as_str())];
        of.extend(time.map(|time| ("time", time)));
        xml.text("attribute", &of, &written(value))?;
    }
    xml.close("attributes")
}

fn objects<W: Write>(xml: &mut Xml<W>, log: &Log) -> Result<(), Error> {
    let mut objects = log.conn.prepare(OBJECTS)?;
    let mut attributes = log.conn.prepare(OBJECT_ATTRIBUTES)?;
    let mut relations = log.conn.prepare(OBJECT_RELATIONS)?;
    let mut rows = objects.query([])?;
    xml.open("objects", &[])?;
    while let Some(row) = rows.next()? {
        let (id, kind): (String, String) = (row.get(0)?, row.get(1)?);
        xml.open("object", &[("id", &id), ("type", &kind)])?;
        attributed(xml, spool::attributes(&mut attributes, &id)?, Some(ALWAYS))?;
        related(xml, spool::relations(&mut relations, &id)?)?;
        xml.close("object")?;
    }
    xml.close("objects")
}

fn events<W: Write>(xml: &mut Xml<W>, log: &Log) -> Result<(), Error> {
    let mut events = log.conn.prepare(EVENTS)?;
    let mut attributes = log.conn.prepare(EVENT_ATTRIBUTES)?;
    let mut relations = log.conn.prepare(EVENT_RELATIONS)?;
    let mut rows = events.query([])?;
    xml.open("events", &[])?;
    while let Some(row) = rows.next()? {
        let EventRow { number, id, activity, at, trace: _ } = EventRow::read(row)?;
        xml.open("event", &[("id", &id), ("type", &activity), ("time", &at)])?;
        attributed(xml, spool::attributes(&mut attributes, number)?, None)?;
        related(xml, spool::relations(&mut relations, number)?)?;
        xml.close("event")?;
    }
    xml.close("events")
}
