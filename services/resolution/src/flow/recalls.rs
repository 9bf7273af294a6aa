//! Takes back what a recall asks of departments that is called off: some of its tasks at a
//! time, and the rest by a durable timer, which arms itself again while there are more. So
//! no transaction holds very many tasks, and a crash leaves none behind.

use fault::Fault;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use kernel::RecallId;
use pg::Tx;
use timers::{Alarm, Fired, Held, Timer};
use uuid::Uuid;

use super::progress;
use crate::store;

/// The kind of these timers; the key is the recall's id.
const KIND: &str = "recall_call_off";
/// Most tasks that are taken back in one transaction.
const AT_ONCE: usize = 500;

/// Takes back the rest of recalls that are called off.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CallOff;

impl Alarm for CallOff {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn hold<'a>(&'a self, tx: &'a mut Tx, keys: &'a [Uuid]) -> BoxFuture<'a, Result<Held, Fault>> {
        store::recalls::hold(tx, keys).boxed()
    }

    fn fire<'a>(&'a self, tx: &'a mut Tx, fired: &'a [Fired]) -> BoxFuture<'a, Result<(), Fault>> {
        go_on(tx, fired).boxed()
    }
}

async fn go_on(tx: &mut Tx, fired: &[Fired]) -> Result<(), Fault> {
    for timer in fired {
        call_off(tx, RecallId(timer.key)).await?;
    }
    Ok(())
}

/// Cancels tasks of a recall, which is locked and called off: who holds one is asked to stop.
pub(crate) async fn call_off(tx: &mut Tx, recall_id: RecallId) -> Result<(), Fault> {
    let mut tasks = store::recalls::lock_wanted_tasks(tx, recall_id, AT_ONCE).await?;
    for task in &mut tasks {
        task.cancel();
    }
    if !tasks.is_empty() {
        store::tasks::save(tx, &tasks).await?;
        progress::tell_holders(tx, &tasks).await?;
    }
    if tasks.len() < AT_ONCE {
        return Ok(());
    }
    let (fire_at, traceparent) = (tx.now(), String::new());
    timers::arm(tx, &[Timer { kind: KIND, key: recall_id.0, fire_at, traceparent }]).await
}
