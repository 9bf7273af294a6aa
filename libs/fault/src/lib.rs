//! The ways a call can fail: a closed list of kinds, one mapping to gRPC status,
//! and the only maker of [`Status`].
//!
//! A [`Fault`] has two audiences. What the caller may read is its message,
//! reason, violations and metadata; the cause is for the log and never leaves
//! the process. A service says no with its own `Refusal` enum, which becomes a
//! fault by `?`.
#![warn(clippy::missing_errors_doc)]

mod check;
mod database;
mod panic;
mod room;

use std::borrow::Cow;
use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

pub use check::{Check, MAX_REQUEST_ID, MAX_SLUG, MAX_VIOLATIONS, Violation};
pub use database::breaks;
pub use panic::{caught, panicked};
pub use room::MAX_TRAILER_BYTES;

/// `domain` of every `google.rpc.ErrorInfo`.
pub const DOMAIN: &str = "redress.dev";

/// How a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The request is malformed, whatever the state.
    Invalid,
    /// What it names does not exist, or not for this tenant.
    NotFound,
    /// What it would create exists already.
    Exists,
    /// The state does not allow it now.
    Precondition,
    /// Another change came first; read again and retry.
    Conflict,
    /// The caller may not do this.
    Forbidden,
    /// The caller is not known.
    Unauthenticated,
    /// A limit is reached; retry later.
    Exhausted,
    /// A part is down or not there yet; retry.
    Unavailable,
    /// The call's time is over.
    TooLate,
    /// There is no such rpc here, or not in this form.
    Unimplemented,
    /// Our mistake.
    Internal,
}

impl Kind {
    /// The gRPC code of this kind.
    pub fn code(self) -> Code {
        match self {
            Self::Invalid => Code::InvalidArgument,
            Self::NotFound => Code::NotFound,
            Self::Exists => Code::AlreadyExists,
            Self::Precondition => Code::FailedPrecondition,
            Self::Conflict => Code::Aborted,
            Self::Forbidden => Code::PermissionDenied,
            Self::Unauthenticated => Code::Unauthenticated,
            Self::Exhausted => Code::ResourceExhausted,
            Self::Unavailable => Code::Unavailable,
            Self::TooLate => Code::DeadlineExceeded,
            Self::Unimplemented => Code::Unimplemented,
            Self::Internal => Code::Internal,
        }
    }

    /// The name of that code, as gRPC writes it.
    pub fn code_name(self) -> &'static str {
        match self {
            Self::Invalid => "INVALID_ARGUMENT",
            Self::NotFound => "NOT_FOUND",
            Self::Exists => "ALREADY_EXISTS",
            Self::Precondition => "FAILED_PRECONDITION",
            Self::Conflict => "ABORTED",
            Self::Forbidden => "PERMISSION_DENIED",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Exhausted => "RESOURCE_EXHAUSTED",
            Self::Unavailable => "UNAVAILABLE",
            Self::TooLate => "DEADLINE_EXCEEDED",
            Self::Unimplemented => "UNIMPLEMENTED",
            Self::Internal => "INTERNAL",
        }
    }
}

/// One of the ways a service says no: its kind, a stable reason, and (as
/// `Display`) a sentence for the caller.
pub trait Refusal: fmt::Display + fmt::Debug + Send + Sync {
    /// How it fails.
    fn kind(&self) -> Kind;
    /// Stable reason in `UPPER_SNAKE`.
    fn reason(&self) -> &'static str;
}

/// A failed call.
#[derive(Debug)]
pub struct Fault(Box<Parts>);

#[derive(Debug)]
struct Parts {
    kind: Kind,
    reason: &'static str,
    message: Cow<'static, str>,
    violations: Vec<Violation>,
    /// Fields at fault that were not noted.
    more: usize,
    metadata: HashMap<String, String>,
    retry_after: Option<Duration>,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl Fault {
    /// A fault of a kind, with its stable reason and a sentence for the caller.
    pub fn new(kind: Kind, reason: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Parts {
            kind,
            reason,
            message: message.into(),
            violations: Vec::new(),
            more: 0,
            metadata: HashMap::new(),
            retry_after: None,
            cause: None,
        }))
    }

    /// Our own mistake: the cause is logged, the caller reads a fixed sentence.
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Kind::Internal, "INTERNAL", "something went wrong on our side").because(cause)
    }

    /// The process is stopping; another, or the next, will do it.
    pub fn stopping() -> Self {
        Self::new(Kind::Unavailable, "STOPPING", "this server is stopping; call again")
            .retry_after(STOPPING_RETRY)
    }

    /// The caller has seen another version than the one that stands.
    pub fn version_mismatch(current: i64) -> Self {
        Self::new(Kind::Conflict, "VERSION_MISMATCH", format!("it has changed; its version is now {current}"))
            .with("current_version", current.to_string())
    }

    /// A page token whose key is none of its list.
    pub fn invalid_page_token() -> Self {
        Self::new(Kind::Invalid, "INVALID_LIST", "the request is not valid: see page_token")
            .violating(vec![Violation::new("page_token", "must be a next_page_token of this list")])
    }

    /// Adds the cause, for the log only.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// Tells the caller to retry after a while.
    #[must_use]
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.0.retry_after = Some(delay);
        self
    }

    /// Adds a fact a program can read.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.0.metadata.insert(key.to_owned(), value.into());
        self
    }

    /// Adds fields at fault.
    #[must_use]
    pub fn violating(mut self, violations: Vec<Violation>) -> Self {
        self.0.violations = violations;
        self
    }

    /// Adds that there are more fields at fault than those.
    #[must_use]
    pub fn and_more(mut self, more: usize) -> Self {
        self.0.more = more;
        self
    }

    /// One fault for each of so many callers who waited for the same thing. The cause
    /// stays with one of them, so that it is logged once.
    pub fn shared<T>(self, count: usize) -> Vec<Result<T, Self>> {
        let mut faults: Vec<_> = (1..count).map(|_| Err(self.twin())).collect();
        faults.push(Err(self));
        faults
    }

    fn twin(&self) -> Self {
        let parts = &self.0;
        let mut twin =
            Self::new(parts.kind, parts.reason, parts.message.clone()).violating(parts.violations.clone());
        twin.0.more = parts.more;
        twin.0.metadata.clone_from(&parts.metadata);
        twin.0.retry_after = parts.retry_after;
        twin
    }

    /// How it failed.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// Stable reason.
    pub fn reason(&self) -> &'static str {
        self.0.reason
    }

    /// Sentence for the caller.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Fields at fault.
    pub fn violations(&self) -> &[Violation] {
        &self.0.violations
    }

    /// A fact a program can read, by its key.
    pub fn fact(&self, key: &str) -> Option<&str> {
        self.0.metadata.get(key).map(String::as_str)
    }

    /// What it came from; never for the caller.
    pub fn cause(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        self.0.cause.as_deref()
    }

    /// Whether the same attempt may succeed later without anybody's doing.
    pub fn is_transient(&self) -> bool {
        matches!(self.0.kind, Kind::Unavailable | Kind::Exhausted | Kind::Conflict | Kind::TooLate)
    }

    /// Whether a database was away, which says nothing about what was asked of it. A
    /// statement that ran out of time, or an answer that cannot be understood, may be
    /// the fault of what was asked.
    pub fn is_outage(&self) -> bool {
        let cause = self.database_error();
        self.0.reason == database::UNAVAILABLE && !cause.is_some_and(database::may_be_ours)
    }

    /// Whether the database was there, but busy with something else: a lock that was not
    /// to be had in time, a statement that took too long, a deadlock, no room. Mostly not
    /// the fault of what was asked; it is only if nothing else meets the same.
    pub fn is_contention(&self) -> bool {
        self.database_error().is_some_and(database::is_busy)
    }

    fn database_error(&self) -> Option<&sqlx::Error> {
        self.0.cause.as_deref().and_then(|cause| cause.downcast_ref::<sqlx::Error>())
    }

    /// The whole chain, for the log.
    pub fn chain(&self) -> String {
        let mut text = format!("{}: {}", self.0.reason, self.0.message);
        let mut cause = self.0.cause.as_deref().map(|cause| cause as &dyn Error);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }

    /// The details beside a sentence, as much of them as there is room for.
    fn details(&self, message: &str) -> ErrorDetails {
        let parts = &self.0;
        let facts =
            parts.metadata.iter().map(|(key, value)| (key.clone(), room::clipped(value).into_owned()));
        let mut details =
            ErrorDetails::with_error_info(parts.reason, DOMAIN, facts.collect::<HashMap<_, _>>());
        let facts: usize = details.error_info().map_or(0, |info| {
            info.metadata.iter().map(|(key, value)| key.len() + value.len() + room::EACH).sum()
        });
        let mut left = room::for_details(message).saturating_sub(facts + parts.reason.len());
        let mut shown = 0;
        for Violation { field, description } in &parts.violations {
            let (field, description) = (room::clipped(field), room::clipped(description));
            let needed = field.len() + description.len() + room::EACH;
            if needed > left {
                break;
            }
            left -= needed;
            shown += 1;
            details.add_bad_request_violation(field, description);
        }
        let unshown = parts.violations.len() - shown + parts.more;
        if unshown > 0 {
            details.add_bad_request_violation("", format!("{unshown} more violations, not shown"));
        }
        if let Some(delay) = parts.retry_after {
            details.set_retry_info(Some(delay));
        }
        details
    }
}

/// The caller's half only; the cause is in [`Fault::chain`].
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.reason, self.0.message)
    }
}

impl Error for Fault {}

impl<R: Refusal> From<R> for Fault {
    fn from(refusal: R) -> Self {
        Self::new(refusal.kind(), refusal.reason(), refusal.to_string())
    }
}

impl From<Fault> for Status {
    fn from(fault: Fault) -> Self {
        if fault.kind() == Kind::Internal {
            tracing::error!(fault.chain = fault.chain(), "a call failed by our own mistake");
        } else if fault.0.cause.is_some() {
            tracing::warn!(fault.chain = fault.chain(), "a call failed");
        }
        let message = room::sentence(fault.message());
        let details = fault.details(&message);
        Self::with_error_details(fault.kind().code(), message, details)
    }
}

/// When a caller is told to call again whose server is stopping.
const STOPPING_RETRY: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_stays_inside() {
        let fault = Fault::internal("password=hunter2");
        assert!(fault.chain().contains("hunter2"));
        let status = Status::from(fault);
        assert_eq!(status.code(), Code::Internal);
        assert!(!format!("{status:?}").contains("hunter2"));
    }

    #[test]
    fn every_violation_and_the_retry_travel() {
        let violations = vec![Violation::new("a", "too long"), Violation::new("b", "required")];
        let fault = Fault::new(Kind::Invalid, "INVALID_X", "no")
            .violating(violations)
            .retry_after(Duration::from_secs(1));
        let status = Status::from(fault);
        let details = status.get_error_details();
        assert_eq!(details.bad_request().map(|bad| bad.field_violations.len()), Some(2));
        assert_eq!(details.error_info().map(|info| info.reason.as_str()), Some("INVALID_X"));
        assert_eq!(details.retry_info().and_then(|info| info.retry_delay), Some(Duration::from_secs(1)));
    }

    #[test]
    fn more_violations_than_a_header_holds_are_counted() {
        let violations = vec![Violation::new("complaint.form_data", "is required"); 1_000];
        let status = Status::from(Fault::new(Kind::Invalid, "INVALID_X", "no").violating(violations));
        let shown = status.get_error_details().bad_request().map(|bad| bad.field_violations.clone());
        let shown = shown.unwrap_or_default();
        assert!(shown.len() > 100);
        let rest = format!("{} more violations, not shown", 1_000 - (shown.len() - 1));
        assert_eq!(shown.last().map(|last| last.description.as_str()), Some(rest.as_str()));
    }

    /// What the status takes of a header block: names, values as they are written.
    fn trailers(status: &Status) -> usize {
        let mut headers = http::HeaderMap::new();
        status.add_header(&mut headers).expect("it can be written");
        headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum()
    }

    #[test]
    fn whatever_is_wrong_the_trailers_stay_below_their_limit() {
        for text in ["x", "\u{9519}", "%", "\n", "\u{1f525}"] {
            for length in [0, 1, 100, 1_000, 100_000] {
                for count in [0, 1, 10, 1_000] {
                    let long = text.repeat(length);
                    let violations = vec![Violation::new(long.clone(), long.clone()); count];
                    let mut fault =
                        Fault::new(Kind::Invalid, "INVALID_SOMETHING", long.clone()).violating(violations);
                    for key in ["one", "two", "three"] {
                        fault = fault.with(key, long.clone());
                    }
                    let status = Status::from(fault.retry_after(Duration::from_secs(1)));
                    let bytes = trailers(&status);
                    assert!(bytes <= MAX_TRAILER_BYTES, "{bytes} of {count} times {length} {text:?}");
                    let shown =
                        status.get_error_details().bad_request().map_or(0, |bad| bad.field_violations.len());
                    assert!(count == 0 || shown > 0, "something is shown");
                }
            }
        }
    }

    #[test]
    fn a_million_violations_are_counted_and_some_are_named() {
        let mut check = Check::new();
        for place in 0..1_000_000 {
            check.fail("list", format!("{place} is wrong"));
        }
        let fault = check.done("INVALID_X").expect_err("much is wrong");
        assert_eq!(fault.violations().len(), MAX_VIOLATIONS);
        assert!(fault.message().ends_with("and 999990 more"), "{}", fault.message());
        let status = Status::from(fault);
        let shown = status.get_error_details().bad_request().map(|bad| bad.field_violations.clone());
        let shown = shown.unwrap_or_default();
        let rest = format!("{} more violations, not shown", 1_000_000 - (shown.len() - 1));
        assert_eq!(shown.last().map(|last| last.description.as_str()), Some(rest.as_str()));
    }

    #[test]
    fn a_list_that_is_too_long_is_one_violation() {
        let mut check = Check::new();
        assert_eq!(check.list("some", vec![1, 2], 2), [1, 2]);
        assert!(check.list("many", vec![1, 2, 3], 2).is_empty());
        assert!(check.some("none", Vec::<i32>::new(), 2).is_empty());
        let fault = check.done("INVALID_X").expect_err("much is wrong");
        let told: Vec<_> =
            fault.violations().iter().map(|one| (one.field.as_str(), one.description.as_str())).collect();
        assert_eq!(told, [("many", "must be at most 2"), ("none", "must be at least one")]);
    }

    #[test]
    fn one_of_those_who_waited_hears_the_cause() {
        let faults: Vec<Result<(), Fault>> = Fault::internal("disk on fire").shared(3);
        let caused = faults.iter().filter(|fault| fault.as_ref().is_err_and(|fault| fault.0.cause.is_some()));
        assert_eq!((faults.len(), caused.count()), (3, 1));
    }

    #[test]
    fn a_lost_database_is_transient() {
        assert!(Fault::from(sqlx::Error::PoolTimedOut).is_transient());
        assert_eq!(Fault::from(sqlx::Error::RowNotFound).kind(), Kind::Internal);
    }

    #[test]
    fn whose_server_stops_is_told_when_to_come_back() {
        let status = Status::from(Fault::stopping());
        assert_eq!(status.code(), Code::Unavailable);
        assert!(status.get_error_details().retry_info().is_some());
    }

    #[test]
    fn an_answer_nobody_understands_is_transient_but_no_outage() {
        assert!(Fault::from(sqlx::Error::PoolTimedOut).is_outage());
        let misunderstood = Fault::from(sqlx::Error::Protocol("too many values".to_owned()));
        assert!(misunderstood.is_transient() && !misunderstood.is_outage());
        assert!(!Fault::new(Kind::Unavailable, "PEER_UNAVAILABLE", "away").is_outage());
    }
}
