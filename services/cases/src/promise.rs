//! The kinds of promises and the reasons to pause one: their numbers, names and words. Pure.

use calendar::{Kind, Reason};

/// Every kind of promise, in the order of its number from 1, and in words.
pub(crate) const KINDS: [(Kind, &str); 12] = [
    (Kind::Acknowledge, "to acknowledge the complaint"),
    (Kind::Accept, "to say whether it is taken on"),
    (Kind::Object, "to object to having been sent it"),
    (Kind::FirstResponse, "to answer for the first time"),
    (Kind::Stage, "to end the stage"),
    (Kind::Decide, "to decide and tell the complainant"),
    (Kind::Tell, "to tell what was decided"),
    (Kind::Final, "to send the final response"),
    (Kind::Update, "to tell how it goes"),
    (Kind::Remedy, "to carry out the remedy"),
    (Kind::Review, "to review the decision"),
    (Kind::Task, "to finish a task"),
];

/// The number of a kind, as rows and the contract have it.
pub(crate) fn number(kind: Kind) -> i16 {
    let place = KINDS.iter().position(|(known, _)| *known == kind);
    place.and_then(|place| i16::try_from(place + 1).ok()).unwrap_or(0)
}

/// The kind of a number; none if no kind bears it.
pub(crate) fn kind_of(number: impl Into<i32>) -> Option<Kind> {
    let place = usize::try_from(number.into()).ok()?.checked_sub(1)?;
    KINDS.get(place).map(|(kind, _)| *kind)
}

/// A kind in words.
pub(crate) fn words(kind: Kind) -> &'static str {
    KINDS.iter().find(|(known, _)| *known == kind).map_or("", |(_, words)| words)
}

/// A reason to pause, as data names it.
pub(crate) fn reason_name(reason: Reason) -> &'static str {
    Reason::ALL.iter().find(|(known, _)| *known == reason).map_or("", |(_, name)| name)
}
