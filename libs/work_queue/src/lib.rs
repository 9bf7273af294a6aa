//! Work that waits in rows of a table: a mail to be read, a delivery to be split, a file to be
//! gone through.
//!
//! [`run`] takes one row after the other on a lease: the one that has waited longest, of the
//! tenant whose turn it is, so that much work of one never keeps that of others waiting. What
//! cannot be done is tried again, less and less often ([`Retry`]); what an outage is to blame
//! for is tried again soon, and does not count. Whoever is told to stop gives its work back at
//! once; the work of who died is another's when the lease ends.
//!
//! Which rows wait is said by the service ([`Table`]), in the module that has its statements;
//! what is done with one is its [`Work`], which also notes that it is done: nothing here knows
//! what the work is. Work may be done twice, by two who each believe to have the lease, and must
//! come to the same.
#![warn(missing_docs)]
#![warn(clippy::missing_errors_doc)]

mod retry;
mod run;
mod table;
mod trouble;

pub use retry::{Again, Retry};
pub use run::{Lease, Queue, Work, run};
pub use table::{Claimed, Holding, Table};
pub use trouble::{Blame, Trouble, is_final};
