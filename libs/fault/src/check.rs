//! Reads the fields of a request into domain values and notes everything that is
//! wrong with them, so that the caller learns all of it at once.

use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::Timestamp;
use kernel::money::Money;
use kernel::page::{InvalidPage, Page};
use proto::google::r#type::Money as WireMoney;
use uuid::Uuid;

use crate::{Fault, Kind};

/// Longest idempotency key.
pub const MAX_REQUEST_ID: usize = 100;
/// Longest name people choose for departments, agents, steps.
pub const MAX_SLUG: usize = 60;

/// Longest language tag.
const MAX_LANGUAGE: usize = 35;

/// Most fields at fault that are noted of one request; more are counted.
pub const MAX_VIOLATIONS: usize = 200;
/// Most of them that the sentence of a refusal names.
const MAX_NAMED: usize = 10;

/// One field at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field within the request.
    pub field: String,
    /// What is wrong with it.
    pub description: String,
}

impl Violation {
    /// A field and what is wrong with it.
    pub fn new(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self { field: field.into(), description: description.into() }
    }
}

/// Collects violations while a request is read. Each reader returns a value that
/// is only good if [`Check::done`] then says so.
#[derive(Debug, Default)]
pub struct Check {
    violations: Vec<Violation>,
    /// How many more there were.
    more: usize,
}

impl Check {
    /// Nothing wrong so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a field at fault.
    pub fn fail(&mut self, field: &str, description: impl Into<String>) {
        if self.violations.len() < MAX_VIOLATIONS {
            self.violations.push(Violation::new(field, description));
        } else {
            self.more += 1;
        }
    }

    /// A list of at most `max`; a longer one is one violation, and nothing of it is looked
    /// at: what is wrong with its millionth value nobody asks.
    pub fn list<T>(&mut self, field: &str, list: Vec<T>, max: usize) -> Vec<T> {
        if list.len() <= max {
            return list;
        }
        self.fail(field, format!("must be at most {max}"));
        Vec::new()
    }

    /// A list of one to `max`.
    pub fn some<T>(&mut self, field: &str, list: Vec<T>, max: usize) -> Vec<T> {
        self.ensure(!list.is_empty(), field, "must be at least one");
        self.list(field, list, max)
    }

    /// Notes a field at fault unless a condition holds.
    pub fn ensure(&mut self, holds: bool, field: &str, description: &str) {
        if !holds {
            self.fail(field, description);
        }
    }

    /// A text that may be empty, of at most `max` characters, without NUL, which
    /// Postgres cannot keep.
    pub fn text(&mut self, field: &str, text: String, max: usize) -> String {
        // Bytes bound characters from above: counting is only needed beyond.
        if text.len() > max && text.chars().count() > max {
            self.fail(field, format!("must have at most {max} characters"));
        }
        if text.as_bytes().contains(&0) {
            self.fail(field, "must not contain NUL characters");
        }
        text
    }

    /// A text that says something, of at most `max` characters.
    pub fn required(&mut self, field: &str, text: String, max: usize) -> String {
        if text.trim().is_empty() {
            self.fail(field, "is required");
        }
        self.text(field, text, max)
    }

    /// An idempotency key.
    pub fn request_id(&mut self, id: String) -> String {
        self.required("request_id", id, MAX_REQUEST_ID)
    }

    /// A name of lower-case letters, digits, dots and dashes.
    pub fn slug(&mut self, field: &str, text: String) -> String {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
        if text.is_empty() {
            self.fail(field, "is required");
        } else if text.len() > MAX_SLUG || !text.bytes().all(plain) {
            self.fail(
                field,
                format!("must have at most {MAX_SLUG} lower-case letters, digits, dots and dashes"),
            );
        }
        text
    }

    /// A slug, or none where the text is empty.
    pub fn optional_slug(&mut self, field: &str, text: String) -> Option<String> {
        if text.is_empty() { None } else { Some(self.slug(field, text)) }
    }

    /// The tag of a language, after BCP 47.
    pub fn language(&mut self, field: &str, text: String) -> String {
        let is_part =
            |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
        let is_tag = !text.is_empty() && text.len() <= MAX_LANGUAGE && text.split('-').all(is_part);
        self.ensure(is_tag, field, "must be a BCP 47 language tag, e.g. zh-CN");
        text
    }

    /// An id.
    pub fn id<T: From<Uuid>>(&mut self, field: &str, text: &str) -> T {
        let id = Uuid::try_parse(text).unwrap_or_else(|_| {
            self.fail(field, if text.is_empty() { "is required" } else { "must be a UUID" });
            Uuid::nil()
        });
        T::from(id)
    }

    /// An id, or none where the text is empty.
    pub fn optional_id<T: From<Uuid>>(&mut self, field: &str, text: &str) -> Option<T> {
        if text.is_empty() { None } else { Some(self.id(field, text)) }
    }

    /// A moment.
    pub fn time(&mut self, field: &str, time: Option<prost_types::Timestamp>) -> Option<Timestamp> {
        let time = time?;
        let read = Timestamp::new(time.seconds, time.nanos).ok();
        if read.is_none() {
            self.fail(field, "is not a valid timestamp");
        }
        read.map(kernel::time::micros)
    }

    /// Checks a length of time that may be absent: `range`, which `words` name, e.g. `1 s to
    /// 15 s`. One that is out of it, or none at all, is a violation and reads as absent.
    pub fn duration(
        &mut self,
        field: &str,
        duration: Option<prost_types::Duration>,
        range: RangeInclusive<Duration>,
        words: &str,
    ) -> Option<Duration> {
        let read = proto::duration(&duration?).filter(|length| range.contains(length));
        if read.is_none() {
            self.fail(field, format!("must be {words}"));
        }
        read
    }

    /// A sum of money.
    pub fn money(&mut self, field: &str, money: Option<WireMoney>) -> Option<Money> {
        let WireMoney { currency_code, units, nanos } = money?;
        match Money::parse(&currency_code, units, nanos) {
            Ok(money) => Some(money),
            Err(error) => {
                self.fail(field, error.to_string());
                None
            }
        }
    }

    /// The paging of a list request. `filters` is the same text for the same
    /// filters.
    pub fn page(&mut self, page_size: i32, page_token: &str, filters: &str) -> Page {
        Page::parse(page_size, page_token, filters).unwrap_or_else(|error| {
            let field = match error {
                InvalidPage::Size => "page_size",
                InvalidPage::Token => "page_token",
            };
            self.fail(field, error.to_string());
            Page::first()
        })
    }

    /// What was wrong so far, for who keeps it rather than refuses.
    pub fn violations(&self) -> impl Iterator<Item = &Violation> {
        self.violations.iter()
    }

    /// Whether nothing was wrong.
    pub fn is_clean(&self) -> bool {
        self.violations.is_empty()
    }

    /// Ends the reading: a fault of this reason if anything was wrong.
    ///
    /// # Errors
    ///
    /// Fails with every violation that was noted, as one fault of this reason.
    pub fn done(self, reason: &'static str) -> Result<(), Fault> {
        if self.violations.is_empty() {
            return Ok(());
        }
        let fields: Vec<&str> =
            self.violations.iter().take(MAX_NAMED).map(|violation| violation.field.as_str()).collect();
        let named = fields.join(", ");
        let unnamed = (self.violations.len() + self.more).saturating_sub(MAX_NAMED);
        let message = match unnamed {
            0 => format!("the request is not valid: see {named}"),
            more => format!("the request is not valid: see {named} and {more} more"),
        };
        Err(Fault::new(Kind::Invalid, reason, message).violating(self.violations).and_more(self.more))
    }
}
