//! Every SQL statement of this service. Rows are private to their room.

pub(crate) mod agents;
pub(crate) mod assignments;
pub(crate) mod calendars;
pub(crate) mod decisions;
pub(crate) mod policies;
pub(crate) mod roster;

use std::time::Duration;

use fault::{Fault, Kind};

const CONFLICT_RETRY: Duration = Duration::from_millis(50);

/// Another transaction changed what this one had read: the caller tries again.
pub(crate) fn moved_on() -> Fault {
    Fault::new(Kind::Conflict, "TRANSACTION_CONFLICT", "another change came first; try again")
        .retry_after(CONFLICT_RETRY)
}

/// A row that the constraints should have kept out.
fn impossible(table: &str, column: &str, key: impl std::fmt::Display) -> Fault {
    Fault::internal(format!("impossible value in {table}.{column} of {key}"))
}
