//! Every SQL statement of this service.

mod contact;
mod cycle;
mod notice;
mod untold;

use fault::Fault;
use uuid::Uuid;

pub(crate) use contact::{contacts, hold_contacts, meet};
pub(crate) use cycle::{close_cycles, cycles, lock_cycles, open_cycles, save};
pub(crate) use notice::{Attempt, Claimed, Claims, claim, notices, post, settle};
pub(crate) use untold::{put_off, take_up};

/// A row that no code of this service can have written.
fn impossible(table: &str, column: &str, id: Uuid) -> Fault {
    Fault::internal(format!("impossible row: {table}.{column} of {id}"))
}
