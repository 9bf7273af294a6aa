//! Shifts begin and end, absences end: what waits for an agent is given to them then.

use std::collections::HashMap;

use fault::Fault;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use pg::Tx;
use timers::{Alarm, Fired, Held, Timer};
use uuid::Uuid;

use crate::flow::allocation::Allocation;
use crate::roster::Agent;
use crate::store::{agents, calendars, roster};

/// The kind of the timers; the key is the agent's.
const KIND: &str = "presence";

/// Arms the timer of an agent's next turn, or disarms it where there is none.
pub(crate) async fn arm(tx: &mut Tx, agent: &Agent) -> Result<(), Fault> {
    let key = agents::timer_key(tx, &agent.profile.id).await?;
    match agent.turns(tx.now()) {
        Some(turn) => arm_at(tx, &[(key, turn)]).await,
        None => timers::disarm(tx, KIND, &[key]).await,
    }
}

async fn arm_at(tx: &mut Tx, turns: &[(Uuid, Timestamp)]) -> Result<(), Fault> {
    let timer = |(key, fire_at): &(Uuid, Timestamp)| Timer {
        kind: KIND,
        key: *key,
        fire_at: *fire_at,
        traceparent: String::new(),
    };
    let turns: Vec<Timer> = turns.iter().map(timer).collect();
    timers::arm(tx, &turns).await
}

/// Turns shifts and ends absences.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Turns;

impl Alarm for Turns {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn hold<'a>(&'a self, tx: &'a mut Tx, keys: &'a [Uuid]) -> BoxFuture<'a, Result<Held, Fault>> {
        hold(tx, keys).boxed()
    }

    fn fire<'a>(&'a self, tx: &'a mut Tx, fired: &'a [Fired]) -> BoxFuture<'a, Result<(), Fault>> {
        turn(tx, fired).boxed()
    }
}

/// Locks the departments of the agents that timers are of.
pub(crate) async fn hold(tx: &mut Tx, keys: &[Uuid]) -> Result<Held, Fault> {
    let found = agents::agents_of_timers(tx, keys).await?;
    let departments: Vec<String> = found.iter().map(|(_, _, department)| department.clone()).collect();
    let locked = roster::try_lock_departments(tx, &departments).await?;
    let held = found.iter().filter(|(_, _, department)| locked.contains(department));
    let held = held.map(|(key, _, _)| *key).collect();
    let gone = keys.iter().copied().filter(|key| found.iter().all(|(found, _, _)| found != key)).collect();
    Ok(Held { held, gone })
}

/// Calendars were made or edited: the shifts that go by them are others, from now on.
pub(crate) async fn follow(tx: &mut Tx, calendars: &[String]) -> Result<(), Fault> {
    let found = agents::agents_by_calendar(tx, calendars).await?;
    if found.is_empty() {
        return Ok(());
    }
    let departments: Vec<String> = found.iter().map(|(_, _, department)| department.clone()).collect();
    roster::lock_departments(tx, &departments).await?;
    // Once more: another transaction may have moved them meanwhile.
    let found = agents::agents_by_calendar(tx, calendars).await?;
    turn_all(tx, found).await
}

/// The departments are held.
async fn turn(tx: &mut Tx, fired: &[Fired]) -> Result<(), Fault> {
    let keys: Vec<Uuid> = fired.iter().map(|fired| fired.key).collect();
    let found = agents::agents_of_timers(tx, &keys).await?;
    turn_all(tx, found).await
}

/// Finds the shifts of agents anew, each with the key of their timer and their department.
async fn turn_all(tx: &mut Tx, found: Vec<(Uuid, String, String)>) -> Result<(), Fault> {
    let now = tx.now();
    let key_of: HashMap<&str, Uuid> = found.iter().map(|(key, agent, _)| (agent.as_str(), *key)).collect();
    let mut departments: Vec<String> = found.iter().map(|(_, _, department)| department.clone()).collect();
    departments.sort_unstable();
    departments.dedup();
    let mut staff = agents::agents_of(tx, &departments).await?;
    staff.retain(|agent| key_of.contains_key(agent.profile.id.as_str()));
    let calendars = calendars::of(tx, &staff).await?;
    let (mut turned, mut turns) = (Vec::new(), Vec::new());
    for agent in staff {
        let Some(key) = key_of.get(agent.profile.id.as_str()) else { continue };
        let agent = agent.on(now, &calendars);
        turns.extend(agent.turns(now).map(|turn| (*key, turn)));
        turned.push(agent);
    }
    agents::turn_shifts(tx, &turned).await?;
    arm_at(tx, &turns).await?;
    let mut allocation = Allocation::lock(tx, departments.clone()).await?;
    for department in &departments {
        allocation.gain(department);
    }
    allocation.finish(tx).await
}
