//! Agents who are absent, or leave, hand over everything they hold: so many cases in one
//! transaction, and the rest by a timer.

use std::collections::BTreeSet;

use fault::Fault;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use pg::Tx;
use timers::{Alarm, Fired, Held, Timer};
use uuid::Uuid;

use crate::flow::allocation::{Allocation, save};
use crate::flow::presence;
use crate::flow::telling::tell;
use crate::store::{agents, assignments};

/// The kind of the timers; the key is the agent's.
const KIND: &str = "hand-over";
/// Most cases that are handed over in one transaction.
pub(crate) const BATCH: i64 = 200;

/// Hands what an agent holds to others of their department, or to its queue; answers how
/// many cases that were. What is left follows by a timer. The department is locked.
pub(crate) async fn hand_over(tx: &mut Tx, agent: &str, department: &str, why: &str) -> Result<i32, Fault> {
    let mut allocation = Allocation::lock(tx, [department.to_owned()]).await?;
    let mut held = assignments::held_by(tx, agent, BATCH).await?;
    for case in &mut held {
        tx.join_trace(&case.traceparent);
        allocation.pass_on(case, &format!("handed over by {agent}: {why}"));
    }
    save(tx, &mut held).await?;
    for case in &held {
        tell(tx, case);
    }
    allocation.restaff(department);
    allocation.finish(tx).await?;
    let is_all = i64::try_from(held.len()).is_ok_and(|count| count < BATCH);
    agents::hand_over(tx, agent, !is_all).await?;
    if !is_all {
        let (key, fire_at) = (agents::timer_key(tx, agent).await?, tx.now());
        timers::arm(tx, &[Timer { kind: KIND, key, fire_at, traceparent: String::new() }]).await?;
    }
    Ok(i32::try_from(held.len()).unwrap_or(i32::MAX))
}

/// Hands over what is left.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct HandOver;

impl Alarm for HandOver {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn hold<'a>(&'a self, tx: &'a mut Tx, keys: &'a [Uuid]) -> BoxFuture<'a, Result<Held, Fault>> {
        presence::hold(tx, keys).boxed()
    }

    fn fire<'a>(&'a self, tx: &'a mut Tx, fired: &'a [Fired]) -> BoxFuture<'a, Result<(), Fault>> {
        go_on(tx, fired).boxed()
    }
}

/// The departments are held.
async fn go_on(tx: &mut Tx, fired: &[Fired]) -> Result<(), Fault> {
    let keys: BTreeSet<Uuid> = fired.iter().map(|fired| fired.key).collect();
    let keys: Vec<Uuid> = keys.into_iter().collect();
    for (_, agent, department) in agents::agents_of_timers(tx, &keys).await? {
        // Back before all of it was handed over, they keep the rest.
        if let Some(why) = agents::handing_over(tx, &agent).await? {
            hand_over(tx, &agent, &department, &why).await?;
        }
    }
    Ok(())
}
