//! What fires as time runs out: one durable timer per case, for the next thing to
//! be done about any of its clocks.

use fault::Fault;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use pg::Tx;
use timers::{Alarm, Fired, Held};
use uuid::Uuid;

use super::{CaseClocks, KIND};
use crate::case::{CASES, Occasion};
use crate::flow::persist;
use crate::store;

/// Takes the steps that are due, and arms the next.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rungs;

impl Alarm for Rungs {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn hold<'a>(&'a self, tx: &'a mut Tx, keys: &'a [Uuid]) -> BoxFuture<'a, Result<Held, Fault>> {
        store::lock_idle(tx, keys).boxed()
    }

    fn fire<'a>(&'a self, tx: &'a mut Tx, fired: &'a [Fired]) -> BoxFuture<'a, Result<(), Fault>> {
        climb(tx, fired).boxed()
    }
}

/// The steps taken, what is done about them and the timer that is gone are one
/// transaction: a step is taken once, whoever is killed.
async fn climb(tx: &mut Tx, fired: &[Fired]) -> Result<(), Fault> {
    let ids: Vec<Uuid> = fired.iter().map(|timer| timer.key).collect();
    let mut cases = store::lock_all(tx, &ids).await?;
    let mut case_clocks = CaseClocks::open(tx, &ids).await?;
    let now = tx.now();
    for case in &mut cases {
        let CaseClocks { clocks, policies, .. } = &mut case_clocks;
        let Some(clocks) = clocks.get_mut(&case.id) else { continue };
        let timer = fired.iter().find(|timer| timer.key == case.id.0);
        let traceparent = timer.map_or("", |timer| &timer.traceparent);
        clocks.fire(case, policies, &Occasion { now, actor: CASES, traceparent });
        // Paused, extended or met meanwhile: it was for nothing, the next is armed. The one
        // that fired is gone by itself.
        case_clocks.arm(case);
    }
    cases.retain(|case| !case.journal.is_empty());
    persist::changed_with_clocks(tx, &mut cases, case_clocks).await
}
