//! Every SQL statement of this service.

mod address;
mod contact;
mod cycle;
mod notice;
mod pending_notices;
mod sending;

use fault::Fault;
use uuid::Uuid;

pub(crate) use address::{reserve, sweep};
pub(crate) use contact::{contact, contacts, correct, corrections, hold_contacts, lock_contact, meet};
pub(crate) use cycle::{close_cycles, cycles, lock_cycles, open_cycles, save};
pub(crate) use notice::{
    Attempt, Claimed, Claims, change, claim, dismiss, lock_notice, notices, post, settle,
};
pub(crate) use pending_notices::{put_off, take_up};
pub(crate) use sending::{keep_sending, sendings};

/// A row that no code of this service can have written.
fn impossible(table: &str, column: &str, id: Uuid) -> Fault {
    Fault::internal(format!("impossible row: {table}.{column} of {id}"))
}
