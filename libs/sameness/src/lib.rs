//! What is the same and what is alike. Pure.
//!
//! [`Sketch`] is a text made small: two sketches tell how alike their texts are.
//! [`compare`] weighs order, [`Person`] and text of two cases and says whether they are
//! to be linked. Which cases are worth comparing is told by
//! their marks: numbers that the same or a like case is likely to share, and
//! by which an index finds it.
#![warn(clippy::missing_errors_doc)]

#[cfg(test)]
mod operators;
mod person;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod recall;
mod sketch;

use jiff::{SignedDuration, Timestamp};
use vocabulary::{Matter, UNCLASSIFIED};

pub use person::{Person, email, phone};
pub use sketch::{BANDS, Sketch};

/// From this score on, two cases are linked without asking.
pub const LINK_FROM: f64 = 0.95;
/// From this score on, a link is suggested.
pub const SUGGEST_FROM: f64 = 0.75;
/// Most links found for a new case: a flood of like complaints links each to its
/// nearest, not all to all.
pub const MAX_LINKS: usize = 3;
/// How long the same customer, telephone or e-mail address speaks for the same matter.
pub const ENTITY_WINDOW: SignedDuration = SignedDuration::from_hours(30 * 24);

kernel::numbered! {
    /// What two linked cases are to each other.
    LinkKind {
        /// The same complaint once more.
        Duplicate = 1 "duplicate",
        /// The same matter, from another complainant or of another kind.
        Related = 2 "related",
    }
}

kernel::numbered! {
    /// How much a link is worth.
    LinkStanding {
        /// Found likely.
        Suggested = 1 "suggested",
        /// Found certain, or made by a person.
        Linked = 2 "linked",
        /// Dismissed by a person.
        Dismissed = 3 "dismissed",
    }
}

/// What is compared of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Traits {
    /// Complaint or report.
    pub matter: Matter,
    /// What it is about.
    pub category: String,
    /// The organisation's number for the customer; empty when unknown.
    pub customer: String,
    /// When it was registered.
    pub received: Timestamp,
    /// What it shares with others.
    pub keys: Keys,
}

/// Text and numbers of a case, made small.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// The text; none when it is too short to tell it from others.
    pub sketch: Option<Sketch>,
    /// The order's number, hashed; none when unknown.
    pub order: Option<i64>,
    /// The complainant's telephone number, hashed; none when unknown.
    pub phone: Option<i64>,
    /// The complainant's e-mail address, hashed; none when unknown.
    pub email: Option<i64>,
}

/// What the comparison of two cases came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// What they are to each other.
    pub kind: LinkKind,
    /// Suggested or linked.
    pub standing: LinkStanding,
    /// How alike they are, from 0 to 1.
    pub score: f64,
    /// Why, a sentence for each thing they share.
    pub reasons: Vec<String>,
}

/// Compares two cases; none when they are not alike enough. Which comes first
/// does not matter.
pub fn compare(one: &Traits, other: &Traits) -> Option<Verdict> {
    let text = likeness(&one.keys, &other.keys);
    let apart = one.received.duration_since(other.received).abs();
    let recent = apart <= ENTITY_WINDOW;
    let same_order = one.keys.order.is_some() && one.keys.order == other.keys.order;
    let same_issue = one.category == other.category && one.category != UNCLASSIFIED;
    let (me, you) = (Person::of(&one.customer, &one.keys), Person::of(&other.customer, &other.keys));
    let same_customer = me.customer.is_some() && me.customer == you.customer;
    let same_phone = me.phone.is_some() && me.phone == you.phone;
    let same_email = me.email.is_some() && me.email == you.email;
    let strangers = me.differs_from(&you) && !me.shares_with(&you);

    // Who shares the order or the person is nearer than the words tell.
    let bound = same_order || (recent && me.shares_with(&you));
    let mut score = if bound && !strangers { 1.0 - (1.0 - text) / 2.0 } else { text };
    if bound && same_issue && !strangers {
        score = if same_order { 1.0 } else { score.max(SUGGEST_FROM) };
    }
    if score < SUGGEST_FROM {
        return None;
    }
    let standing = if score >= LINK_FROM { LinkStanding::Linked } else { LinkStanding::Suggested };
    let kind = if strangers || one.matter != other.matter { LinkKind::Related } else { LinkKind::Duplicate };
    let said = [
        (same_order && same_issue, "same order and issue".to_owned()),
        (same_order && !same_issue, "same order".to_owned()),
        (recent && same_customer, "same customer within 30 days".to_owned()),
        (recent && same_phone, "same telephone within 30 days".to_owned()),
        (recent && same_email, "same e-mail address within 30 days".to_owned()),
        (!same_order && bound && same_issue, "same issue".to_owned()),
        (text >= SUGGEST_FROM / 2.0, format!("texts {text:.2} alike")),
    ];
    let reasons = said.into_iter().filter(|(holds, _)| *holds).map(|(_, why)| why).collect();
    Some(Verdict { kind, standing, score, reasons })
}

fn likeness(one: &Keys, other: &Keys) -> f64 {
    match (&one.sketch, &other.sketch) {
        (Some(one), Some(other)) => one.likeness(other),
        _ => 0.0,
    }
}

/// The links of a new case: the best, and of even ones those to the oldest.
pub fn best<I>(mut found: Vec<(I, Verdict)>) -> Vec<(I, Verdict)>
where
    I: Ord,
{
    found.sort_by(|(one, a), (other, b)| b.score.total_cmp(&a.score).then_with(|| one.cmp(other)));
    found.truncate(MAX_LINKS);
    found
}

/// Which number a mark is made of; the place of a band comes first.
#[derive(Clone, Copy)]
enum MarkOf {
    Order = 16,
    Customer = 17,
    Phone = 18,
    Email = 19,
}

/// Where marks of numbers begin: below are those of texts.
pub const FIRST_NUMBER_MARK: i64 = (MarkOf::Order as i64) << HASH_BITS;
/// Bits of a mark that are a hash.
const HASH_BITS: u32 = 48;

/// What an index finds a case by.
pub fn marks(keys: &Keys, customer: &str) -> Vec<i64> {
    let mut marks = Vec::with_capacity(BANDS + 4);
    if let Some(sketch) = &keys.sketch {
        marks.extend(sketch.bands());
    }
    marks.extend(keys.order.map(|order| mark(MarkOf::Order, order)));
    marks.extend(Person::of(customer, keys).marks().into_iter().flatten());
    marks
}

fn mark(of: MarkOf, hash: i64) -> i64 {
    (of as i64) << HASH_BITS | hash
}

impl Person {
    /// What an index finds the cases of the same person by: number, telephone, address.
    pub fn marks(&self) -> [Option<i64>; 3] {
        [
            self.customer.map(|customer| mark(MarkOf::Customer, customer)),
            self.phone.map(|phone| mark(MarkOf::Phone, phone)),
            self.email.map(|email| mark(MarkOf::Email, email)),
        ]
    }
}

/// An order's, customer's or account's number as a hash of 48 bits: letter case
/// and what stands between letters and digits does not matter. None for no number.
pub fn number(text: &str) -> Option<i64> {
    let plain: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    (!plain.is_empty()).then(|| hash(&plain))
}

/// No secret: it keeps numbers out of sight, not from who guesses them.
fn hash(text: &str) -> i64 {
    let hash = sketch::hash(text.bytes().map(u64::from)) >> (u64::BITS - HASH_BITS);
    i64::try_from(hash).unwrap_or_default()
}
