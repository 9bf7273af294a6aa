//! What the rpcs that change agents do inside their transactions.

use std::collections::BTreeSet;

use fault::{Fault, Kind};
use kernel::Caller;
use pg::Tx;
use proto::redress::assignment::v1::AgentVerdict;

use super::acting;
use super::steps::{department_of, ensure_seen};
use crate::flow::allocation::Allocation;
use crate::flow::{leaving, presence};
use crate::refusal::Refusal;
use crate::roster::{Agent, AgentProfile};
use crate::store::{self, agents, calendars, roster};
use crate::wire::{self, Absence, Described, Leaver, Row, Taken, Unfit, UnfitSupervisor};

/// Adds an agent, and gives them work.
pub(super) async fn create_agent(tx: &mut Tx, profile: AgentProfile) -> Result<Agent, Fault> {
    if profile.routing.supervisor.is_some() {
        agents::seize_supervisors(tx).await?;
    }
    let department = std::slice::from_ref(&profile.department);
    if roster::lock_departments(tx, department).await?.is_empty() {
        return Err(Refusal::DepartmentNotFound.into());
    }
    let agent = create(tx, profile, Unfit::default()).await?;
    give_work(tx, &agent, None).await
}

/// Adds an agent to a department that is locked.
async fn create(tx: &mut Tx, profile: AgentProfile, mut unfit: Unfit) -> Result<Agent, Fault> {
    look_above(tx, &profile, &mut unfit).await?;
    let mut agent = on_shift(tx, Agent::new(profile), &mut unfit).await?;
    unfit.check()?;
    agents::insert_agent(tx, &mut agent).await?;
    tell_changed(tx, &agent);
    presence::arm(tx, &agent).await?;
    Ok(agent)
}

/// Replaces what people set of an agent, and fills the room they gain.
pub(super) async fn update_agent(
    tx: &mut Tx,
    described: Described,
    expected: Option<i64>,
) -> Result<Agent, Fault> {
    let mut unfit = Unfit::default();
    if described.profile.routing.supervisor.is_some() {
        agents::seize_supervisors(tx).await?;
    }
    let before = lock_agent(tx, &described.profile.id, &described.profile.department, &mut unfit).await?;
    let agent = update(tx, before.clone(), described, expected, unfit).await?;
    if agent.is_barred_otherwise(&before) {
        let left = Some(before.profile.department);
        give_work(tx, &agent, left.filter(|left| *left != agent.profile.department)).await
    } else {
        fill_room(tx, &agent).await
    }
}

/// Replaces what people set of an agent whose departments are locked, the old and the new.
async fn update(
    tx: &mut Tx,
    before: Agent,
    described: Described,
    expected: Option<i64>,
    mut unfit: Unfit,
) -> Result<Agent, Fault> {
    let profile = described.over(&before.profile);
    if profile.routing.supervisor != before.profile.routing.supervisor {
        look_above(tx, &profile, &mut unfit).await?;
    }
    let moves = before.profile.department != profile.department;
    let (version, load) = (before.version, before.load);
    let agent = on_shift(tx, before.described(profile), &mut unfit).await?;
    unfit.check()?;
    ensure_seen(expected, version)?;
    if moves && load > 0 {
        return Err(Refusal::AgentHoldsCases.into());
    }
    agents::update_agent(tx, &agent).await?;
    tell_changed(tx, &agent);
    presence::arm(tx, &agent).await?;
    Ok(agent)
}

/// The same person with the shift that is on, or the next; notes where it goes by a calendar
/// there is not.
async fn on_shift(tx: &mut Tx, agent: Agent, unfit: &mut Unfit) -> Result<Agent, Fault> {
    let calendars = calendars::of(tx, std::slice::from_ref(&agent)).await?;
    let shift = agent.profile.routing.shift.as_ref();
    unfit.no_calendar = shift.is_some_and(|shift| calendars.get(&shift.calendar).is_none());
    Ok(agent.on(tx.now(), &calendars))
}

/// Takes in the rows of a roster, each for itself; then gives out what waits.
pub(super) async fn import(tx: &mut Tx, rows: Vec<Row>) -> Result<Vec<AgentVerdict>, Fault> {
    let read = rows.iter().filter_map(|row| row.described.as_ref().ok());
    let ids: Vec<&str> = read.clone().map(|described| described.profile.id.as_str()).collect();
    let mut departments = agents::departments_of(tx, &ids).await?;
    departments.extend(read.map(|described| described.profile.department.clone()));
    agents::seize_supervisors(tx).await?;
    let locked = roster::lock_departments(tx, &departments).await?;
    let mut verdicts = Vec::with_capacity(rows.len());
    let mut touched = BTreeSet::new();
    for (at, Row { agent, described }) in rows.into_iter().enumerate() {
        let outcome = match described {
            Ok(described) => take_row(tx, described, &locked, &mut touched).await,
            Err(wrong) => Err(wrong),
        };
        match outcome {
            // Only what the roster refuses is of the row alone.
            Err(fault) if !is_of_row(&fault) => return Err(fault),
            outcome => verdicts.push(wire::verdict(at + 1, agent, outcome)),
        }
    }
    let mut allocation = Allocation::lock(tx, touched.clone()).await?;
    for department in &touched {
        allocation.restaff(department);
    }
    allocation.finish(tx).await?;
    Ok(verdicts)
}

fn is_of_row(fault: &Fault) -> bool {
    [Kind::Invalid, Kind::NotFound, Kind::Exists, Kind::Precondition].contains(&fault.kind())
}

async fn take_row(
    tx: &mut Tx,
    described: Described,
    locked: &[String],
    touched: &mut BTreeSet<String>,
) -> Result<(Taken, i64), Fault> {
    let department = described.profile.department.clone();
    let unfit = Unfit { no_department: !locked.contains(&department), ..Unfit::default() };
    let Some(before) = agents::agent(tx, &described.profile.id).await? else {
        let created = create(tx, described.profile, unfit).await?;
        touched.insert(department);
        return Ok((Taken::Created, created.version));
    };
    if !locked.contains(&before.profile.department) {
        return Err(store::moved_on());
    }
    if described.clone().over(&before.profile) == before.profile {
        return Ok((Taken::Unchanged, before.version));
    }
    touched.extend([department, before.profile.department.clone()]);
    let updated = update(tx, before, described, None, unfit).await?;
    Ok((Taken::Updated, updated.version))
}

/// Notes that an agent is absent, or back; hands over what they hold where that is asked.
pub(super) async fn record_absence(
    tx: &mut Tx,
    absence: Absence,
    caller: &Caller,
) -> Result<(Agent, i32), Fault> {
    let Absence { agent, until, hand_over, reason } = absence;
    acting::speaks_for(caller, &agent)?;
    if until.is_some_and(|until| until <= tx.now()) {
        return Err(wire::absence_is_past());
    }
    let (_, department) = lock_by_id(tx, &agent).await?;
    agents::set_absence(tx, &agent, until, &reason).await?;
    let handed_over = if hand_over { leaving::hand_over(tx, &agent, &department, &reason).await? } else { 0 };
    let agent = agents::agent(tx, &agent).await?.ok_or_else(store::moved_on)?;
    tell_changed(tx, &agent);
    presence::arm(tx, &agent).await?;
    let agent = if hand_over { agent } else { fill_room(tx, &agent).await? };
    Ok((agent, handed_over))
}

/// Notes that an agent leaves, and hands over what they hold.
pub(super) async fn offboard(tx: &mut Tx, leaver: Leaver) -> Result<(Agent, i32), Fault> {
    let Leaver { agent, expected_version, reason } = leaver;
    let (before, department) = lock_by_id(tx, &agent).await?;
    ensure_seen(expected_version, before.version)?;
    agents::set_leaving(tx, &agent, &reason).await?;
    let handed_over = leaving::hand_over(tx, &agent, &department, &reason).await?;
    let agent = agents::agent(tx, &agent).await?.ok_or_else(store::moved_on)?;
    tell_changed(tx, &agent);
    Ok((agent, handed_over))
}

/// Takes an agent off the roster who holds nothing and stands above nobody.
pub(super) async fn remove(tx: &mut Tx, leaver: Leaver) -> Result<(), Fault> {
    let Leaver { agent, expected_version, reason: _ } = leaver;
    // Nobody is put below them meanwhile.
    agents::seize_supervisors(tx).await?;
    let (before, department) = lock_by_id(tx, &agent).await?;
    ensure_seen(expected_version, before.version)?;
    if before.load > 0 {
        return Err(Refusal::AgentHoldsCases.into());
    }
    if agents::supervises(tx, &agent).await? {
        return Err(Refusal::AgentSupervises.into());
    }
    agents::remove(tx, &agent).await?;
    let id = tx.new_id();
    tx.emit(id, &wire::agent_removed(&before));
    let mut allocation = Allocation::lock(tx, [department.clone()]).await?;
    allocation.restaff(&department);
    allocation.finish(tx).await
}

/// Locks an agent's department and reads the agent.
async fn lock_by_id(tx: &mut Tx, id: &str) -> Result<(Agent, String), Fault> {
    let department = department_of(tx, id).await?;
    let agent = lock_agent(tx, id, &department, &mut Unfit::default()).await?;
    Ok((agent, department))
}

fn tell_changed(tx: &mut Tx, agent: &Agent) {
    let id = tx.new_id();
    tx.emit(id, &wire::agent_changed(agent));
}

/// Looks whether there is the supervisor of an agent, and whether they stand above them. Who
/// is above whom is held still.
async fn look_above(tx: &mut Tx, profile: &AgentProfile, unfit: &mut Unfit) -> Result<(), Fault> {
    let Some(supervisor) = &profile.routing.supervisor else { return Ok(()) };
    let chain = agents::chain(tx, supervisor).await?;
    let is_circle = *supervisor == profile.id || chain.iter().any(|(above, _)| *above == profile.id);
    unfit.supervisor = match (is_circle, chain.is_empty()) {
        (true, _) => Some(UnfitSupervisor::Circle),
        (false, true) => Some(UnfitSupervisor::Missing),
        (false, false) => None,
    };
    Ok(())
}

/// Locks the departments an agent is in and shall be in, and reads the agent.
async fn lock_agent(tx: &mut Tx, id: &str, department: &str, unfit: &mut Unfit) -> Result<Agent, Fault> {
    let seen = department_of(tx, id).await?;
    let locked = roster::lock_departments(tx, &[seen.clone(), department.to_owned()]).await?;
    unfit.no_department = !locked.iter().any(|locked| locked == department);
    let agent = agents::agent(tx, id).await?.ok_or(Refusal::AgentNotFound)?;
    if agent.profile.department == seen { Ok(agent) } else { Err(store::moved_on()) }
}

/// Fills the room of an agent who is new or changed, and looks whether others could still
/// take what waits, also in a department they left; answers how they are then.
async fn give_work(tx: &mut Tx, agent: &Agent, left: Option<String>) -> Result<Agent, Fault> {
    let department = &agent.profile.department;
    let departments: Vec<String> = left.into_iter().chain([department.clone()]).collect();
    let mut allocation = Allocation::lock(tx, departments.clone()).await?;
    for department in &departments {
        allocation.restaff(department);
    }
    allocation.finish(tx).await?;
    Ok(allocation.agent(department, &agent.profile.id)?.clone())
}

/// Fills the room of an agent of whom nothing else changed; answers how they are then.
async fn fill_room(tx: &mut Tx, agent: &Agent) -> Result<Agent, Fault> {
    let department = &agent.profile.department;
    let mut allocation = Allocation::lock(tx, [department.clone()]).await?;
    allocation.gain(department);
    allocation.finish(tx).await?;
    Ok(allocation.agent(department, &agent.profile.id)?.clone())
}
