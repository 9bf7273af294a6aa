//! Every SQL statement of this service.

mod address;
mod call_back;
mod contact;
mod cycle;
mod notice;
mod pending_notices;
mod profile;
mod revision;
mod sending;
mod survey;

use fault::Fault;
use uuid::Uuid;

pub(crate) use address::{reserve, sweep};
pub(crate) use call_back::{
    call_back, call_backs, cancel_call_backs, count_call_backs, hold_strata, lock_call_back, open_call_backs,
    save_call_back, save_strata,
};
pub(crate) use contact::{contact, contacts, correct, corrections, hold_contacts, lock_contact, meet};
pub(crate) use cycle::{ToldCycle, close_cycles, cycles, lock_cycles, mark_told, open_cycles, save, zones};
pub(crate) use notice::{
    Attempt, Claimed, Claims, change, claim, dismiss, end_survey_notices, lock_notice, notices, post, settle,
};
pub(crate) use pending_notices::{put_off, take_up};
pub(crate) use profile::{hold_profiles, keep_origins, keep_progress, profiles};
pub(crate) use revision::{
    activate_revision, hold_revisions, insert_revision, revision, revisions, revisions_in_force,
};
pub(crate) use sending::{keep_sending, sendings};
pub(crate) use survey::{cancel_surveys, keep_codes, lock_survey, open_surveys, save_survey, surveys};

/// A row that no code of this service can have written.
fn impossible(table: &str, column: &str, id: Uuid) -> Fault {
    Fault::internal(format!("impossible row: {table}.{column} of {id}"))
}
