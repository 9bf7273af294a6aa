//! What the database says, as faults.

use std::borrow::Cow;
use std::time::Duration;

use crate::{Fault, Kind};

/// Reason of what failed for want of a database.
pub(crate) const UNAVAILABLE: &str = "DATABASE_UNAVAILABLE";
/// Reason of a text that the database cannot keep.
const NUL_IN_TEXT: &str = "NUL_IN_TEXT";
/// How long to wait before trying a database again.
const RETRY: Duration = Duration::from_millis(200);

/// What the database says, as a kind. Named constraints that stand for a
/// domain rule are turned into refusals by the store before this is reached.
impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        let transient =
            |message: &'static str| Self::new(Kind::Unavailable, UNAVAILABLE, message).retry_after(RETRY);
        let code = code_of(&error).map(Cow::into_owned);
        match (&error, code.as_deref()) {
            (_, Some("40001" | "40P01")) => {
                Self::new(Kind::Conflict, "TRANSACTION_CONFLICT", "another change came first; try again")
                    .retry_after(RETRY)
                    .because(error)
            }
            // 55P03 a lock not to be had in time.
            (_, Some("55P03")) => {
                Self::new(Kind::Conflict, "TRANSACTION_CONFLICT", "another change is under way; try again")
                    .retry_after(RETRY)
                    .because(error)
            }
            // 22021 as it is, 22P05 within JSON: a NUL. Readers of requests refuse it by its field
            // (`Check::text`); what passed them is the caller's all the same.
            (_, Some("22021" | "22P05")) => {
                Self::new(Kind::Invalid, NUL_IN_TEXT, "a text has a NUL character, which cannot be kept")
                    .because(error)
            }
            // 57014 cancelled by statement_timeout; 57P01-03 shutting down or starting;
            // 53xxx out of resources; 25006 a standby; 08xxx connection.
            (_, Some("57014" | "57P01" | "57P02" | "57P03" | "57P05" | "25006" | "25P03")) => {
                transient("the database is not available just now").because(error)
            }
            (_, Some(code)) if code.starts_with("53") || code.starts_with("08") => {
                transient("the database is not available just now").because(error)
            }
            (
                sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed
                | sqlx::Error::BeginFailed
                | sqlx::Error::Protocol(_),
                _,
            ) => transient("the database is not available just now").because(error),
            _ => Self::internal(error),
        }
    }
}

fn code_of(error: &sqlx::Error) -> Option<Cow<'_, str>> {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code)
}

/// Whether what was asked may be why the database did not answer.
pub(crate) fn may_be_ours(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Protocol(_)) || is_busy(error)
}

/// 57014 cancelled by `statement_timeout`, 25P03 idle within a transaction for too long,
/// 55P03 a lock not to be had in time, 40001 and 40P01 another change came first, 53xxx
/// out of disk, memory or places.
pub(crate) fn is_busy(error: &sqlx::Error) -> bool {
    let code = code_of(error);
    matches!(code.as_deref(), Some("57014" | "25P03" | "55P03" | "40001" | "40P01"))
        || code.is_some_and(|code| code.starts_with("53"))
}

/// Whether a database error breaks the constraint of this name.
pub fn breaks(error: &sqlx::Error, constraint: &str) -> bool {
    error.as_database_error().and_then(sqlx::error::DatabaseError::constraint) == Some(constraint)
}
