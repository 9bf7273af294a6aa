//! Hands tasks out again when what their departments lacked is expected: a durable timer per
//! task. One that fires after the task went on otherwise, or waits longer, does nothing.

use fault::Fault;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use pg::Tx;
use timers::{Alarm, Fired, Held, Timer};
use uuid::Uuid;

use super::progress::TASKS;
use crate::store;
use crate::task::Task;

/// The kind of these timers; the key is the task's id.
const KIND: &str = "restock";

/// Ends the wait for goods.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Restock;

/// Has a task that waits for goods handed out when they are expected.
pub(crate) async fn arm(tx: &mut Tx, task: &Task) -> Result<(), Fault> {
    let (key, traceparent) = (task.task_id.0, task.traceparent.clone());
    timers::arm(tx, &[Timer { kind: KIND, key, fire_at: task.visible_at, traceparent }]).await
}

impl Alarm for Restock {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn hold<'a>(&'a self, tx: &'a mut Tx, keys: &'a [Uuid]) -> BoxFuture<'a, Result<Held, Fault>> {
        store::stock::hold(tx, keys).boxed()
    }

    fn fire<'a>(&'a self, tx: &'a mut Tx, fired: &'a [Fired]) -> BoxFuture<'a, Result<(), Fault>> {
        hand_out(tx, fired).boxed()
    }
}

async fn hand_out(tx: &mut Tx, fired: &[Fired]) -> Result<(), Fault> {
    let ids: Vec<Uuid> = fired.iter().map(|timer| timer.key).collect();
    let now = tx.now();
    let mut tasks = store::tasks::lock(tx, &ids).await?;
    tasks.retain_mut(|task| task.goods_expected(now));
    if !tasks.is_empty() {
        store::tasks::save(tx, &tasks).await?;
        tx.notify(TASKS);
    }
    Ok(())
}
