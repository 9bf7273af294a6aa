//! Looks every minute whether somebody takes what waits for a department, and what of it is
//! overdue: a durable timer per department, which arms itself again.

use std::sync::LazyLock;
use std::time::Duration;

use fault::Fault;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use opentelemetry::global;
use opentelemetry::metrics::Counter;
use pg::Tx;
use timers::{Alarm, Fired, Held, Timer};
use uuid::Uuid;

use crate::department::{WATCH_AGAIN, WATCH_EVERY};
use crate::flow::supervision;
use crate::{store, wire};

/// The kind of these timers; the key is the department's `watch_id`.
const KIND: &str = "department-watch";

static UNATTENDED: LazyLock<Counter<u64>> = LazyLock::new(|| {
    global::meter("redress")
        .u64_counter("redress.department.unattended")
        .with_description("Departments that were found to have tasks and no worker")
        .build()
});

/// Tells of departments that have no worker.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DepartmentWatch;

/// Has departments looked at from now on.
pub(crate) async fn begin(tx: &mut Tx, watches: &[Uuid]) -> Result<(), Fault> {
    look_after(tx, watches, WATCH_EVERY).await
}

async fn look_after(tx: &mut Tx, watches: &[Uuid], time: Duration) -> Result<(), Fault> {
    let fire_at = tx.now() + time;
    let timer = |key: &Uuid| Timer { kind: KIND, key: *key, fire_at, traceparent: String::new() };
    let timers: Vec<Timer> = watches.iter().map(timer).collect();
    timers::arm(tx, &timers).await
}

impl Alarm for DepartmentWatch {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn hold<'a>(&'a self, tx: &'a mut Tx, keys: &'a [Uuid]) -> BoxFuture<'a, Result<Held, Fault>> {
        store::departments::hold(tx, keys).boxed()
    }

    fn fire<'a>(&'a self, tx: &'a mut Tx, fired: &'a [Fired]) -> BoxFuture<'a, Result<(), Fault>> {
        look(tx, fired).boxed()
    }
}

async fn look(tx: &mut Tx, fired: &[Fired]) -> Result<(), Fault> {
    let watches: Vec<Uuid> = fired.iter().map(|timer| timer.key).collect();
    let now = tx.now();
    let mut found = Vec::new();
    for attendance in store::departments::attendance(tx, &watches, now).await? {
        if let Some(since) = attendance.unattended_since(now) {
            let event = wire::departments::unattended(&attendance.department_id, since);
            tx.emit(attendance.watch_id, &event);
            found.push((attendance.watch_id, since));
        }
    }
    store::departments::mark_unattended(tx, &found).await?;
    UNATTENDED.add(found.len().try_into().unwrap_or(u64::MAX), &[]);
    let more = supervision::climb(tx, &watches).await?;
    look_after(tx, &watches, if more { WATCH_AGAIN } else { WATCH_EVERY }).await
}
