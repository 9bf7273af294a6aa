//! Posts, read by a mapping.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::limits::{
    MAX_EMAIL, MAX_EVIDENCE, MAX_ITEMS, MAX_LANGUAGE, MAX_NAME, MAX_PHONE, MAX_TEXT, MAX_TITLE, MAX_URI,
};
use crate::time::moment;
use crate::{Field, Matcher, Path, normalized_uri};

/// A mapping, ready to be used.
#[derive(Clone, Debug)]
pub struct Mapping {
    pub(crate) items: Option<Path>,
    pub(crate) fields: Vec<(Field, Path)>,
    pub(crate) matcher: Matcher,
    pub(crate) takes_all: bool,
}

/// What a post says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Content {
    /// Its text.
    pub text: String,
    /// Its title.
    pub title: String,
    /// The account, as people read it.
    pub author: String,
    /// The account, as the network counts it.
    pub author_id: String,
    /// The network's number of it.
    pub external_id: String,
    /// Where it can be read.
    pub uri: String,
    /// How many may have seen it; 0 where that is not known.
    pub reach: i64,
    /// When it was posted.
    pub time: Option<Timestamp>,
    /// The language it is in.
    pub language: String,
    /// The organisation's number for who posted.
    pub customer_id: String,
    /// Their e-mail address.
    pub email: String,
    /// Their telephone number.
    pub phone: String,
    /// The order it is about.
    pub order_ref: String,
    /// The post that it answers.
    pub parent_id: String,
    /// The post that it repeats.
    pub origin_id: String,
    /// Where that one can be read.
    pub origin_uri: String,
    /// Pictures and the like.
    pub evidence_uris: Vec<String>,
}

/// Something that was not as a field should be, and was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Of which field.
    pub field: Field,
    /// What is wrong, in words.
    pub what: String,
}

impl Content {
    /// The account: as the network counts it, else as people read it, whatever its case.
    pub fn account(&self) -> String {
        let named = if self.author_id.is_empty() { &self.author } else { &self.author_id };
        named.trim().to_lowercase()
    }

    /// Whether there is something to look at: words, or what it repeats.
    pub fn says_something(&self) -> bool {
        let repeats = !self.origin_id.is_empty() || !self.origin_uri.is_empty();
        repeats || !self.text.is_empty() || !self.title.is_empty()
    }

    /// What words are looked for in.
    pub fn words(&self) -> String {
        if self.title.is_empty() { self.text.clone() } else { format!("{}\n{}", self.title, self.text) }
    }
}

impl Mapping {
    /// The posts of a body: those its path leads to, where it has one; else those of a list,
    /// or the body.
    ///
    /// # Errors
    ///
    /// Fails, in words, if they are too many.
    pub fn items<'a>(&self, body: &'a Value) -> Result<Vec<&'a Value>, String> {
        let items: Vec<&Value> = match (&self.items, body) {
            (Some(path), _) => path.find(body),
            (None, Value::Array(items)) => items.iter().collect(),
            (None, one) => vec![one],
        };
        if items.len() > MAX_ITEMS {
            return Err(format!("it has {} posts, and may have {MAX_ITEMS}", items.len()));
        }
        Ok(items)
    }

    /// Reads a post. What is not as it should be is left out, and told.
    pub fn content(&self, item: &Value) -> (Content, Vec<Problem>) {
        let (mut content, mut problems) = (Content::default(), Vec::new());
        for (field, path) in &self.fields {
            let found = path.find(item);
            if let Err(what) = read(&mut content, *field, &found) {
                problems.push(Problem { field: *field, what });
            }
        }
        let is_told = problems.iter().any(|one| one.field == Field::Text);
        if !content.says_something() && !is_told {
            problems.push(Problem { field: Field::Text, what: "is not there".to_owned() });
        }
        (content, problems)
    }

    /// Which rule takes a post; the empty name where there are no rules. None where no rule
    /// does.
    pub fn taken(&self, content: &Content) -> Option<&str> {
        if self.takes_all { Some("") } else { self.matcher.taken(&content.words()) }
    }
}

/// Reads a field.
fn read(content: &mut Content, field: Field, found: &[&Value]) -> Result<(), String> {
    let name = |most| text(found, most, Long::Refused);
    let id = |most| exact(found).and_then(|()| name(most));
    match field {
        Field::Text => content.text = text(found, MAX_TEXT, Long::Cut)?,
        Field::Title => content.title = text(found, MAX_TITLE, Long::Cut)?,
        Field::Author => content.author = text(found, MAX_NAME, Long::Cut)?,
        Field::AuthorId => content.author_id = id(MAX_NAME)?,
        Field::ExternalId => content.external_id = id(MAX_NAME)?,
        Field::Uri => content.uri = uri(&name(MAX_URI)?)?,
        Field::Reach => content.reach = reach(&name(MAX_NAME)?)?,
        Field::Time => content.time = time(&name(MAX_NAME)?)?,
        Field::Language => content.language = language(&name(MAX_LANGUAGE)?)?,
        Field::CustomerId => content.customer_id = id(MAX_NAME)?,
        Field::Email => content.email = email(&name(MAX_EMAIL)?)?,
        Field::Phone => content.phone = id(MAX_PHONE)?,
        Field::OrderRef => content.order_ref = id(MAX_NAME)?,
        Field::ParentId => content.parent_id = id(MAX_NAME)?,
        Field::OriginId => content.origin_id = id(MAX_NAME)?,
        Field::OriginUri => content.origin_uri = uri(&name(MAX_URI)?)?,
        Field::EvidenceUris => content.evidence_uris = evidence(found)?,
    }
    Ok(())
}

/// Refuses a number that is not kept digit by digit: two that differ might be one here.
fn exact(found: &[&Value]) -> Result<(), String> {
    let first = found.iter().find(|value| !value.is_null());
    if first.is_some_and(|value| value.is_f64()) {
        return Err("is a number that JSON does not keep digit by digit: it must be a text".to_owned());
    }
    Ok(())
}

/// What becomes of a text that is too long.
#[derive(Clone, Copy)]
enum Long {
    /// Its beginning is kept.
    Cut,
    /// It is left out: a part of a number is another one.
    Refused,
}

/// The first value that says something, as text; empty where none does.
fn text(found: &[&Value], most: usize, long: Long) -> Result<String, String> {
    let Some(value) = found.iter().find(|value| !value.is_null()) else { return Ok(String::new()) };
    let text = match value {
        Value::String(text) => text.trim().replace('\0', ""),
        Value::Number(number) => number.to_string(),
        Value::Bool(is_so) => is_so.to_string(),
        _ => return Err("is no text and no number".to_owned()),
    };
    match long {
        Long::Cut => Ok(text.chars().take(most).collect()),
        Long::Refused if text.chars().count() > most => Err(format!("has more than {most} characters")),
        Long::Refused => Ok(text),
    }
}

fn uri(text: &str) -> Result<String, String> {
    let is_whole = !text.contains(|c: char| c.is_whitespace() || c.is_control());
    let is_web = is_whole && normalized_uri(text).is_some();
    if text.is_empty() || is_web {
        Ok(text.to_owned())
    } else {
        Err("is no http or https address".to_owned())
    }
}

fn reach(text: &str) -> Result<i64, String> {
    if text.is_empty() {
        return Ok(0);
    }
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    let read = whole.parse::<i64>().ok().filter(|reach| *reach >= 0);
    read.ok_or_else(|| "is no number that is not negative".to_owned())
}

fn time(text: &str) -> Result<Option<Timestamp>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    moment(text).map(Some).ok_or_else(|| {
        "is no moment: RFC 3339, RFC 2822, as X writes it, or seconds or milliseconds since 1970".to_owned()
    })
}

fn language(text: &str) -> Result<String, String> {
    let tag = text.replace('_', "-");
    let is_part =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if tag.is_empty() || tag.split('-').all(is_part) {
        Ok(tag)
    } else {
        Err("is no tag of a language".to_owned())
    }
}

fn email(text: &str) -> Result<String, String> {
    let is_address = text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && domain.contains('.')
            && !text.contains(|c: char| c.is_whitespace() || c.is_control())
    });
    if text.is_empty() || is_address { Ok(text.to_owned()) } else { Err("is no e-mail address".to_owned()) }
}

/// All addresses: of the values, and of lists among them.
fn evidence(found: &[&Value]) -> Result<Vec<String>, String> {
    let one = |value: &Value| match value {
        Value::Array(values) => values.clone(),
        other => vec![other.clone()],
    };
    let mut uris: Vec<String> = Vec::new();
    for value in found.iter().flat_map(|value| one(value)).filter(|value| !value.is_null()) {
        let read = uri(&text(&[&value], MAX_URI, Long::Refused)?)?;
        if !read.is_empty() && !uris.contains(&read) {
            uris.push(read);
        }
    }
    if uris.len() > MAX_EVIDENCE {
        return Err(format!("has more than {MAX_EVIDENCE} addresses"));
    }
    Ok(uris)
}
