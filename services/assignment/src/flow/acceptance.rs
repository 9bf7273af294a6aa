//! Who is given a case has so long to accept it; then it goes to the next.

use std::collections::HashMap;

use fault::Fault;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use pg::Tx;
use timers::{Alarm, Fired, Held, Timer};
use uuid::Uuid;

use crate::assignment::{Assignment, State};
use crate::flow::allocation::{Allocation, save};
use crate::flow::telling::tell;
use crate::store::{assignments, roster};

/// The kind of the timers; the key is the case's.
const KIND: &str = "acceptance";

/// Arms the timers of cases that are to be accepted, and disarms those of cases that are
/// not any more. One that was never saved before has none.
pub(crate) async fn arm(tx: &mut Tx, cases: &[Assignment]) -> Result<(), Fault> {
    let timer = |case: &Assignment| {
        case.accept_by.map(|fire_at| Timer {
            kind: KIND,
            key: case.case_id.0,
            fire_at,
            traceparent: case.traceparent.clone(),
        })
    };
    let timers: Vec<Timer> = cases.iter().filter_map(timer).collect();
    timers::arm(tx, &timers).await?;
    let over = cases.iter().filter(|case| case.accept_by.is_none() && case.version > 1);
    let over: Vec<Uuid> = over.map(|case| case.case_id.0).collect();
    timers::disarm(tx, KIND, &over).await
}

/// Takes back what was not accepted in time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lapses;

impl Alarm for Lapses {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn hold<'a>(&'a self, tx: &'a mut Tx, keys: &'a [Uuid]) -> BoxFuture<'a, Result<Held, Fault>> {
        hold(tx, keys).boxed()
    }

    fn fire<'a>(&'a self, tx: &'a mut Tx, fired: &'a [Fired]) -> BoxFuture<'a, Result<(), Fault>> {
        lapse(tx, fired).boxed()
    }
}

async fn hold(tx: &mut Tx, keys: &[Uuid]) -> Result<Held, Fault> {
    let found: HashMap<Uuid, String> =
        assignments::departments_in_charge(tx, keys).await?.into_iter().collect();
    let departments: Vec<String> = found.values().cloned().collect();
    let locked = roster::try_lock_departments(tx, &departments).await?;
    let is_held = |key: &&Uuid| found.get(*key).is_some_and(|department| locked.contains(department));
    let held = keys.iter().filter(is_held).copied().collect();
    let gone = keys.iter().filter(|key| !found.contains_key(*key)).copied().collect();
    Ok(Held { held, gone })
}

/// The departments are held.
async fn lapse(tx: &mut Tx, fired: &[Fired]) -> Result<(), Fault> {
    let now = tx.now();
    let keys: Vec<Uuid> = fired.iter().map(|fired| fired.key).collect();
    let departments = assignments::open_departments(tx, &keys).await?;
    let mut allocation = Allocation::lock(tx, departments).await?;
    let mut lapsed = allocation.cases(tx, &keys).await?;
    lapsed.retain(|case| {
        matches!(case.state, State::Assigned(_)) && case.accept_by.is_some_and(|until| until <= now)
    });
    for case in &mut lapsed {
        let agent = case.holder().unwrap_or_default().to_owned();
        allocation.pass_on(case, &format!("not accepted in time by {agent}"));
    }
    save(tx, &mut lapsed).await?;
    for case in &lapsed {
        tell(tx, case);
    }
    allocation.finish(tx).await
}
