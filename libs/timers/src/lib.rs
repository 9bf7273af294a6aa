//! Durable timers: rows that fire at most once per arming.
//!
//! [`arm`] and [`disarm`] belong to the transaction that has a reason for them. A
//! worker, [`run`], looks for what is due and calls the [`Alarm`] of that kind in
//! the transaction that deletes the rows: a timer whose transaction is rolled back
//! is still there and fires later; one whose transaction commits never fires
//! again. Any number of workers may run at once.
//!
//! The clock of the [`pg::Db`] decides what is due. Timers due together fire in no
//! promised order. An alarm must check that there is still a reason: a timer may
//! fire just before what would have disarmed it.
//!
//! What cannot be locked just now is passed over and tried again, and where much is due
//! tenants take turns: nobody's timers wait for those of another.
#![warn(clippy::missing_errors_doc)]

mod run;
mod store;
mod tenant_rotation;

use std::time::Duration;

use fault::Fault;
use futures::future::BoxFuture;
use jiff::Timestamp;
use pg::Tx;
use sqlx::migrate::Migrator;
use uuid::Uuid;

pub use run::run;

/// The table of timers, for every schema that has some.
pub static MIGRATIONS: Migrator = sqlx::migrate!();

/// Topic that is notified for timers due before the next poll.
pub const TOPIC: &str = "timers";
/// How often the worker looks, notified or not.
pub const POLL: Duration = Duration::from_millis(500);

/// A timer to be armed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timer {
    /// What it is for: the alarm that fires.
    pub kind: &'static str,
    /// What it is about. There is one timer per kind and key.
    pub key: Uuid,
    /// When it is due.
    pub fire_at: Timestamp,
    /// Trace its effects belong to; empty when there is none.
    pub traceparent: String,
}

/// A timer that fires in this transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fired {
    /// What it is about.
    pub key: Uuid,
    /// Its arming: grows each time the timer is armed.
    pub generation: i64,
    /// When it was due.
    pub fire_at: Timestamp,
    /// Trace its effects belong to: for `emit_in` and `join_trace`.
    pub traceparent: String,
}

/// What became of an attempt to lock what timers are about. A key that is in neither
/// list is busy: somebody changes it just now. Its timer stays as it is, is passed over
/// and tried again; that is no failure of its alarm.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Locked: these fire now.
    pub held: Vec<Uuid>,
    /// No more there, and never again: their timers are taken without their alarm being
    /// fired, counted (`redress.timer.orphans`) and logged.
    pub gone: Vec<Uuid>,
}

/// What happens when timers of one kind fire.
pub trait Alarm: Send + Sync + 'static {
    /// The kind of timer it is for.
    fn kind(&self) -> &'static str;
    /// Locks what timers are about, for one tenant and without waiting; answers what
    /// became of each. Who changes something locks it first and its timer second: an
    /// alarm that took the timer first and waited for the rest would wait in a circle.
    fn hold<'a>(&'a self, tx: &'a mut Tx, keys: &'a [Uuid]) -> BoxFuture<'a, Result<Held, Fault>>;
    /// Does what is due, for one tenant, in the transaction that marks the timers
    /// fired: all of it or, with an error, nothing. After an error the timers are
    /// tried again later, one by one.
    fn fire<'a>(&'a self, tx: &'a mut Tx, fired: &'a [Fired]) -> BoxFuture<'a, Result<(), Fault>>;
}

/// Arms timers, for the tenant of the transaction. One that is armed already gets
/// the new time and the next generation; of two for the same kind and key in one
/// call, the last counts.
///
/// # Errors
///
/// Fails if the database does, which ends the transaction.
pub async fn arm(tx: &mut Tx, timers: &[Timer]) -> Result<(), Fault> {
    let Some(first) = timers.iter().map(|timer| timer.fire_at).min() else { return Ok(()) };
    store::arm(tx, timers).await?;
    // The worker looks ahead to its next poll: later ones need no notification.
    if first <= tx.now() + POLL {
        tx.notify(TOPIC);
    }
    Ok(())
}

/// Disarms timers of one kind, for the tenant of the transaction. One that is not
/// armed, or has fired, is none.
///
/// # Errors
///
/// Fails if the database does, which ends the transaction.
pub async fn disarm(tx: &mut Tx, kind: &str, keys: &[Uuid]) -> Result<(), Fault> {
    if keys.is_empty() {
        return Ok(());
    }
    store::disarm(tx, kind, keys).await
}
