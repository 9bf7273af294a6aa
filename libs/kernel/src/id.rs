//! An id per noun, so that a plan's id cannot be passed where a case's is wanted.

use std::fmt;

use jiff::Timestamp;
use uuid::{NoContext, Uuid};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident $kind:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        /// For people who read logs: the kind, then the id.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($kind, ":{}"), self.0)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    )+};
}

ids! {
    /// A complaint, and the case opened for it: one id from the first contact to
    /// the archive.
    CaseId "case";
    /// A remedy plan.
    PlanId "plan";
    /// A department's task.
    TaskId "task";
    /// A recall of an article.
    RecallId "recall";
    /// A notice to a complainant.
    NoticeId "notice";
    /// An event of a feed.
    EventId "event";
}

/// When an id of [`Ids::id`] was given, to the millisecond (RFC 9562, UUID version 7); none for
/// an id of another kind.
pub fn given(id: Uuid) -> Option<Timestamp> {
    let (seconds, nanos) = id.get_timestamp()?.to_unix();
    Timestamp::new(i64::try_from(seconds).ok()?, i32::try_from(nanos).ok()?).ok()
}

/// The source of new ids and tokens: an argument everywhere, so that tests can
/// repeat themselves.
pub trait Ids: Send + Sync + 'static {
    /// A new id that sorts by time (UUID version 7).
    fn id(&self, now: Timestamp) -> Uuid;
    /// A new secret of 122 random bits (UUID version 4), e.g. a lease token.
    fn token(&self) -> Uuid;
    /// A number in `0.0..1.0`, for jitter.
    fn fraction(&self) -> f64;
}

/// Ids from the operating system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomIds;

impl Ids for RandomIds {
    fn id(&self, now: Timestamp) -> Uuid {
        let seconds = u64::try_from(now.as_second()).unwrap_or(0);
        let nanos = u32::try_from(now.subsec_nanosecond()).unwrap_or(0);
        Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, seconds, nanos))
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that draws random ids")]
    fn token(&self) -> Uuid {
        Uuid::new_v4()
    }

    #[expect(clippy::disallowed_methods, reason = "and the one that draws chance")]
    fn fraction(&self) -> f64 {
        rand::random()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_when_it_was_given() {
        let now: Timestamp = "2026-11-28T09:00:00.123Z".parse().expect("a moment");
        assert_eq!(given(RandomIds.id(now)), Some(now));
        assert_eq!(given(RandomIds.token()), None, "a token tells nothing");
    }
}
