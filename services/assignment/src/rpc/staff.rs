//! What the rpcs that change agents do inside their transactions.

use fault::Fault;
use pg::Tx;

use super::steps::{department_of, ensure_seen};
use crate::allocation::Allocation;
use crate::presence;
use crate::refusal::Refusal;
use crate::roster::{Agent, AgentProfile};
use crate::store::{self, agents, roster};
use crate::wire::{self, Described, Unfit};

/// Adds an agent, and gives them work.
pub(super) async fn create_agent(tx: &mut Tx, profile: AgentProfile) -> Result<Agent, Fault> {
    let department = std::slice::from_ref(&profile.department);
    if roster::lock_departments(tx, department).await?.is_empty() {
        return Err(Refusal::DepartmentNotFound.into());
    }
    let mut unfit = Unfit::default();
    look_above(tx, &profile, &mut unfit).await?;
    unfit.check()?;
    let mut agent = Agent::new(profile).on(tx.now());
    agents::insert_agent(tx, &mut agent).await?;
    tell_changed(tx, &agent);
    presence::arm(tx, &agent).await?;
    give_work(tx, &agent).await
}

/// Replaces what people set of an agent, and fills the room they gain.
pub(super) async fn update_agent(
    tx: &mut Tx,
    described: Described,
    expected: Option<i64>,
) -> Result<Agent, Fault> {
    let Described { mut profile, keeps_routing } = described;
    let mut unfit = Unfit::default();
    let before = lock_agent(tx, &profile.id, &profile.department, &mut unfit).await?;
    if keeps_routing {
        profile.routing = before.profile.routing.clone();
    }
    if profile.routing.supervisor != before.profile.routing.supervisor {
        look_above(tx, &profile, &mut unfit).await?;
    }
    unfit.check()?;
    ensure_seen(expected, before.version)?;
    if before.profile.department != profile.department && before.load > 0 {
        return Err(Refusal::AgentHoldsCases.into());
    }
    let agent = before.described(profile).on(tx.now());
    agents::update_agent(tx, &agent).await?;
    tell_changed(tx, &agent);
    presence::arm(tx, &agent).await?;
    give_work(tx, &agent).await
}

fn tell_changed(tx: &mut Tx, agent: &Agent) {
    let id = tx.new_id();
    tx.emit(id, &wire::agent_changed(agent));
}

/// Looks whether there is the supervisor of an agent, and whether they stand above them.
async fn look_above(tx: &mut Tx, profile: &AgentProfile, unfit: &mut Unfit) -> Result<(), Fault> {
    let Some(supervisor) = &profile.routing.supervisor else { return Ok(()) };
    agents::seize_supervisors(tx).await?;
    let chain = agents::chain(tx, supervisor).await?;
    unfit.circle = *supervisor == profile.id || chain.iter().any(|(above, _)| *above == profile.id);
    unfit.no_supervisor = chain.is_empty() && !unfit.circle;
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

/// Fills the room of an agent who is new or changed; answers how they are then.
async fn give_work(tx: &mut Tx, agent: &Agent) -> Result<Agent, Fault> {
    let department = &agent.profile.department;
    let mut allocation = Allocation::lock(tx, [department.clone()]).await?;
    allocation.gain(department);
    allocation.finish(tx).await?;
    Ok(allocation.agent(department, &agent.profile.id)?.clone())
}
