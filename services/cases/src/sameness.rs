//! What is the same and what is alike. Pure.
//!
//! [`Sketch`] is a text made small: two sketches tell how alike their texts are.
//! [`compare`] weighs order, customer, telephone and text of two cases and says
//! whether they are to be linked. Which cases are worth comparing is told by
//! their [`Marks`]: numbers that the same or a like case is likely to share, and
//! by which an index finds it.

#[cfg(test)]
mod operators;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod recall;
mod sketch;

use jiff::{SignedDuration, Timestamp};

use crate::case::Matter;
use crate::triage::UNCLASSIFIED;
pub(crate) use sketch::{BANDS, Sketch};

/// From this score on, two cases are linked without asking.
pub(crate) const LINK_FROM: f64 = 0.95;
/// From this score on, a link is suggested.
pub(crate) const SUGGEST_FROM: f64 = 0.75;
/// Most links found for a new case: a flood of like complaints links each to its
/// nearest, not all to all.
pub(crate) const MAX_LINKS: usize = 3;
/// How long the same customer or telephone speaks for the same matter.
pub(crate) const ENTITY_WINDOW: SignedDuration = SignedDuration::from_hours(30 * 24);

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
    Standing {
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
pub(crate) struct Traits {
    /// Complaint or report.
    pub(crate) matter: Matter,
    /// What it is about.
    pub(crate) category: String,
    /// The organisation's number for the customer; empty when unknown.
    pub(crate) customer: String,
    /// When it was registered.
    pub(crate) received: Timestamp,
    /// What it shares with others.
    pub(crate) keys: Keys,
}

/// Text and numbers of a case, made small.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Keys {
    /// The text; none when it is too short to tell it from others.
    pub(crate) sketch: Option<Sketch>,
    /// The order's number, hashed; none when unknown.
    pub(crate) order: Option<i64>,
    /// The complainant's telephone number, hashed; none when unknown.
    pub(crate) phone: Option<i64>,
}

/// What the comparison of two cases came to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verdict {
    /// What they are to each other.
    pub(crate) kind: LinkKind,
    /// Suggested or linked.
    pub(crate) standing: Standing,
    /// How alike they are, from 0 to 1.
    pub(crate) score: f64,
    /// Why, a sentence for each thing they share.
    pub(crate) reasons: Vec<String>,
}

/// Compares two cases; none when they are not alike enough. Which comes first
/// does not matter.
pub(crate) fn compare(one: &Traits, other: &Traits) -> Option<Verdict> {
    let text = likeness(&one.keys, &other.keys);
    let apart = one.received.duration_since(other.received).abs();
    let recent = apart <= ENTITY_WINDOW;
    let same_order = one.keys.order.is_some() && one.keys.order == other.keys.order;
    let same_issue = one.category == other.category && one.category != UNCLASSIFIED;
    let same_customer = !one.customer.is_empty() && one.customer == other.customer;
    let same_phone = one.keys.phone.is_some() && one.keys.phone == other.keys.phone;
    let strangers = !same_phone && are_strangers(&one.customer, &other.customer);

    // Who shares the order or the person is nearer than the words tell.
    let bound = same_order || (recent && (same_customer || same_phone));
    let mut score = if bound && !strangers { 1.0 - (1.0 - text) / 2.0 } else { text };
    if bound && same_issue && !strangers {
        score = if same_order { 1.0 } else { score.max(SUGGEST_FROM) };
    }
    if score < SUGGEST_FROM {
        return None;
    }
    let standing = if score >= LINK_FROM { Standing::Linked } else { Standing::Suggested };
    let kind = if strangers || one.matter != other.matter { LinkKind::Related } else { LinkKind::Duplicate };
    let said = [
        (same_order && same_issue, "same order and issue".to_owned()),
        (same_order && !same_issue, "same order".to_owned()),
        (recent && same_customer, "same customer within 30 days".to_owned()),
        (recent && same_phone, "same telephone within 30 days".to_owned()),
        (!same_order && bound && same_issue, "same issue".to_owned()),
        (text >= SUGGEST_FROM / 2.0, format!("texts {text:.2} alike")),
    ];
    let reasons = said.into_iter().filter(|(holds, _)| *holds).map(|(_, why)| why).collect();
    Some(Verdict { kind, standing, score, reasons })
}

/// Whether both are known, and not the same.
pub(crate) fn are_strangers(one: &str, other: &str) -> bool {
    !one.is_empty() && !other.is_empty() && one != other
}

fn likeness(one: &Keys, other: &Keys) -> f64 {
    match (&one.sketch, &other.sketch) {
        (Some(one), Some(other)) => one.likeness(other),
        _ => 0.0,
    }
}

/// The links of a new case: the best, and of even ones those to the oldest.
pub(crate) fn best<I>(mut found: Vec<(I, Verdict)>) -> Vec<(I, Verdict)>
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
}

/// Where marks of numbers begin: below are those of texts.
pub(crate) const FIRST_NUMBER_MARK: i64 = (MarkOf::Order as i64) << HASH_BITS;
/// Bits of a mark that are a hash.
const HASH_BITS: u32 = 48;

/// What an index finds a case by.
pub(crate) fn marks(keys: &Keys, customer: &str) -> Vec<i64> {
    let mut marks = Vec::with_capacity(BANDS + 3);
    if let Some(sketch) = &keys.sketch {
        marks.extend(sketch.bands());
    }
    let numbers =
        [(MarkOf::Order, keys.order), (MarkOf::Customer, number(customer)), (MarkOf::Phone, keys.phone)];
    for (of, hash) in numbers {
        marks.extend(hash.map(|hash| (of as i64) << HASH_BITS | hash));
    }
    marks
}

/// An order's, customer's or account's number as a hash of 48 bits: letter case
/// and what stands between letters and digits does not matter. None for no number.
pub(crate) fn number(text: &str) -> Option<i64> {
    let plain: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    (!plain.is_empty()).then(|| hash(&plain))
}

/// A telephone number as a hash of 48 bits: by its last ten digits, so that it is
/// the same with and without the country. None when it has fewer than six.
pub(crate) fn phone(text: &str) -> Option<i64> {
    let digits: Vec<char> = text.chars().filter(char::is_ascii_digit).collect();
    let last: String = digits[digits.len().saturating_sub(10)..].iter().collect();
    (last.len() >= 6).then(|| hash(&last))
}

/// No secret: it keeps numbers out of sight, not from who guesses them.
fn hash(text: &str) -> i64 {
    let hash = sketch::hash(text.bytes().map(u64::from)) >> (u64::BITS - HASH_BITS);
    i64::try_from(hash).unwrap_or_default()
}
