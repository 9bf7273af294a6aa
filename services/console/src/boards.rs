//! What the boards of departments, supervisors and managers share: how times are told, forms
//! that are given back with what was written, and lists that are parted into pages.

pub(crate) mod cases;

use std::borrow::Borrow;

use kernel::Roles;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use proto::redress::feedback::v1::FactState;

use crate::error_page::Shown;
use crate::form::{self, Posted};
use crate::moment::{Moment, distance, timestamp};
use crate::problem::Problem;
use crate::session::Visitor;

/// What stands in an address as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');
/// Longest idempotency key.
const REQUEST_ID_MAX: usize = 100;
/// From how many seconds on figures are late.
const LATE_SECONDS: i64 = 300;
/// Calls at once, where a page asks for each of many.
pub(crate) const AT_ONCE: usize = 8;

/// A text as part of an address.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// What somebody is here for.
pub(crate) fn roles(visitor: &Visitor) -> Roles {
    let person = visitor.session.person.as_ref();
    Roles::read(person.iter().flat_map(|person| &person.roles).map(String::as_str))
}

/// A time, as people read it, and how far off it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct When {
    /// As HTML has it.
    pub(crate) iso: String,
    /// `2026-11-30 17:00`, where the reader is.
    pub(crate) text: String,
    /// `in 3 h`, `2 d ago`.
    pub(crate) far: String,
    /// Whether it is over.
    pub(crate) is_past: bool,
}

impl When {
    /// A time of a contract; none if it is absent.
    pub(crate) fn of(time: Option<&prost_types::Timestamp>, visitor: &Visitor) -> Option<Self> {
        let time = timestamp(time?)?;
        let moment = Moment::new(time, &visitor.zone);
        let is_past = time < visitor.app.clock.now();
        Some(Self { iso: moment.iso, text: moment.text, far: distance(visitor, time), is_past })
    }
}

/// What could not be done, and what was written for it.
pub(crate) struct Failed {
    /// Which form it was.
    pub(crate) form: String,
    /// What was written.
    pub(crate) posted: Posted,
    /// Why it could not be done.
    pub(crate) problem: Problem,
}

/// The forms of a page, one of which may have failed.
#[derive(Default)]
pub(crate) struct Forms {
    token: String,
    failed: Option<Failed>,
    /// What could not be done, as the page tells it.
    pub(crate) shown: Option<Shown>,
}

impl Forms {
    /// The forms of a page with this token.
    pub(crate) fn new(visitor: &Visitor, token: &str, failed: Option<Failed>) -> Self {
        let shown = failed.as_ref().map(|failed| Shown::of(&failed.problem, visitor));
        Self { token: token.to_owned(), failed, shown }
    }

    /// The hidden fields of a form, as HTML: only letters, digits, dashes and dots are in them.
    pub(crate) fn hidden(&self, form: &str) -> String {
        let again = self.failed_of(form).filter(|failed| failed.problem.is_undecided());
        let plain = |id: &String| {
            id.len() <= REQUEST_ID_MAX && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        };
        let again = again.map(|failed| failed.posted.request_id()).filter(plain);
        let request_id = again.unwrap_or_else(form::request_id);
        format!(
            "<input type=\"hidden\" name=\"{}\" value=\"{}\"><input type=\"hidden\" name=\"{}\" value=\"{request_id}\">",
            form::TOKEN,
            self.token,
            form::REQUEST_ID,
        )
    }

    fn failed_of(&self, form: &str) -> Option<&Failed> {
        self.failed.as_ref().filter(|failed| failed.form == form)
    }

    /// What was posted of a form that failed.
    pub(crate) fn posted(&self, form: &str) -> Option<&Posted> {
        self.failed_of(form).map(|failed| &failed.posted)
    }

    /// Whether this form could not be done.
    pub(crate) fn has_failed(&self, form: &str) -> bool {
        self.failed_of(form).is_some()
    }

    /// What was written into a field, else what it begins with.
    pub(crate) fn written<'a>(&'a self, form: &str, field: &str, begins: &'a str) -> &'a str {
        self.posted(form).map_or(begins, |posted| posted.text(field))
    }

    /// Whether this is chosen.
    pub(crate) fn is_chosen(&self, form: &str, field: &str, value: &str, begins: &str) -> bool {
        self.written(form, field, begins) == value
    }
}

/// A way of looking at a list.
pub(crate) struct Tab {
    /// What it is called.
    pub(crate) name: String,
    /// Where it is.
    pub(crate) path: String,
    /// Whether it is looked at.
    pub(crate) is_here: bool,
    /// How many there are; empty where that is not known.
    pub(crate) count: String,
}

/// Which of several forms of many an enum's number stands for, as a badge looks.
pub(crate) fn task_class(state: impl Borrow<i32>) -> &'static str {
    use proto::redress::resolution::v1::TaskState;
    match TaskState::try_from(*state.borrow()) {
        Ok(TaskState::Completed) => "good",
        Ok(TaskState::NeedsAttention | TaskState::OutcomeUnknown) => "bad",
        Ok(TaskState::Leased | TaskState::AwaitingStock) => "warn",
        Ok(TaskState::Ready) => "main-tone",
        _ => "quiet",
    }
}

/// How old figures are, in words, and whether that is bad: older than `LATE_SECONDS`, being rebuilt, or
/// lacking what was set aside.
pub(crate) fn freshness(state: Option<&FactState>, visitor: &Visitor) -> Vec<(String, bool)> {
    let t = visitor.words;
    let state = state.cloned().unwrap_or_default();
    let lags = state.sources.iter().filter_map(|source| source.lag.as_ref()).map(|lag| lag.seconds);
    let mut told = Vec::new();
    match lags.max() {
        Some(0) => told.push((t.fresh_now().to_owned(), false)),
        Some(lag) if lag < 60 => told.push((t.fresh_seconds(lag), false)),
        Some(lag) => told.push((t.fresh_minutes(lag / 60), lag > LATE_SECONDS)),
        None => told.push((t.fresh_unknown().to_owned(), true)),
    }
    let unasked: Vec<&str> = state
        .sources
        .iter()
        .filter(|source| source.lag.is_none())
        .map(|source| source.source.as_str())
        .collect();
    if !unasked.is_empty() && unasked.len() < state.sources.len() {
        told.push((t.fresh_without(unasked.join(", ")), true));
    }
    if state.rebuilding {
        told.push((t.fresh_rebuilding().to_owned(), true));
    }
    let parked: i64 = state.sources.iter().map(|source| source.parked_count).sum();
    if parked > 0 {
        told.push((t.fresh_parked(parked), true));
    }
    told
}
