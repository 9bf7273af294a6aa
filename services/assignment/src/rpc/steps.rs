//! What the rpcs that change something do inside their transactions.

use fault::Fault;
use kernel::{Caller, CaseId};
use pg::Tx;

use super::acting;
use crate::assignment::{Assignment, Escalation};
use crate::flow::allocation::{Allocation, save};
use crate::flow::telling::tell;
use crate::flow::waiting;
use crate::refusal::Refusal;
use crate::roster::{Department, DepartmentProfile};
use crate::store::{agents, assignments, roster};
use crate::wire::{self, Assign, Decline, Destination, Transfer};

/// Adds a department, and takes in what waits for it.
pub(super) async fn create_department(tx: &mut Tx, profile: DepartmentProfile) -> Result<Department, Fault> {
    let department = Department { profile, version: 1 };
    roster::seize(tx).await?;
    roster::insert_department(tx, &department).await?;
    let subject = tx.new_id();
    tx.emit(subject, &wire::department_created(&department));
    waiting::take(tx, &department).await?;
    Ok(department)
}

/// Replaces a department, and takes in what now waits for it.
pub(super) async fn update_department(
    tx: &mut Tx,
    profile: DepartmentProfile,
    expected: Option<i64>,
) -> Result<Department, Fault> {
    roster::seize(tx).await?;
    let before = roster::department(tx, &profile.id).await?.ok_or(Refusal::DepartmentNotFound)?;
    ensure_seen(expected, before.version)?;
    let department = Department { profile, version: before.version + 1 };
    roster::update_department(tx, &department).await?;
    waiting::take(tx, &department).await?;
    Ok(department)
}

/// Another policy is in force: gives what waits to whom it lets have it now, and finds anew
/// what nobody can take.
pub(super) async fn look_at_queues(tx: &mut Tx) -> Result<(), Fault> {
    let departments = roster::departments(tx).await?;
    let ids = departments.into_iter().map(|department| department.profile.id);
    let ids: Vec<String> = ids.collect();
    let mut allocation = Allocation::lock(tx, ids.clone()).await?;
    for id in &ids {
        allocation.restaff(id);
    }
    allocation.finish(tx).await
}

/// Gives a waiting case to the agent named, or to the best one.
pub(super) async fn assign(tx: &mut Tx, wanted: Assign, caller: &Caller) -> Result<Assignment, Fault> {
    let Assign { case_id, expected_version, agent } = wanted;
    let other = match &agent {
        Some(agent) => Some(department_of(tx, agent).await?),
        None => None,
    };
    let (mut allocation, mut case) = lock_case(tx, case_id, other.clone().into_iter().collect()).await?;
    acting::not_recused(tx, caller, &case).await?;
    ensure_seen(expected_version, case.version)?;
    case.ensure_waiting()?;
    let why = format!("given by {}", caller.subject);
    if let (Some(agent), Some(department)) = (&agent, &other) {
        allocation.give_to(&mut case, department, agent, &why)?;
    } else {
        let department = case.department.clone().ok_or(Refusal::NoCapacity)?;
        allocation.place(&mut case, Some(&department), &why);
        case.holder().ok_or(Refusal::NoCapacity)?;
    }
    settle(tx, allocation, case).await
}

/// Hands a case to another department or agent.
pub(super) async fn transfer(tx: &mut Tx, wanted: Transfer, caller: &Caller) -> Result<Assignment, Fault> {
    let Transfer { case_id, expected_version, to, reason } = wanted;
    let department = match &to {
        Destination::Department(department) => department.clone(),
        Destination::Agent(agent) => department_of(tx, agent).await?,
    };
    let above = above_holder(tx, case_id).await?;
    let mut others: Vec<String> = above.iter().map(|(_, department)| department.clone()).collect();
    others.push(department.clone());
    let (mut allocation, mut case) = lock_case(tx, case_id, others).await?;
    acting::not_recused(tx, caller, &case).await?;
    // One that waits is nobody's yet: every agent may say where it belongs.
    case.holder().map_or(Ok(()), |holder| acting::speaks_for(caller, holder))?;
    ensure_seen(expected_version, case.version)?;
    case.ensure_open()?;
    if !allocation.has(&department) {
        return Err(Refusal::DepartmentNotFound.into());
    }
    let why = format!("handed on by {}: {reason}", caller.subject);
    match &to {
        Destination::Department(_) if case.department.as_ref() == Some(&department) => {
            return Err(wire::in_charge_already("department_id"));
        }
        Destination::Agent(agent) if case.holder() == Some(agent) => {
            return Err(wire::in_charge_already("agent_id"));
        }
        _ => {}
    }
    allocation.free(&case);
    if case.goes_to_and_fro(&department) {
        let because = format!("{why}; the third department of its cycle");
        if !allocation.escalate(&mut case, &above, Escalation::PingPong, &because) {
            send(&mut allocation, &mut case, &to, &department, &because)?;
        }
    } else {
        send(&mut allocation, &mut case, &to, &department, &why)?;
    }
    settle(tx, allocation, case).await
}

/// Gives a case that was taken from whom held it where it is sent.
fn send(
    allocation: &mut Allocation,
    case: &mut Assignment,
    to: &Destination,
    department: &str,
    why: &str,
) -> Result<(), Fault> {
    match to {
        Destination::Department(_) => allocation.place(case, Some(department), why),
        Destination::Agent(agent) => allocation.give_to(case, department, agent, why)?,
    }
    Ok(())
}

/// Who stands above whom a case is with, the nearest first, each with their department.
async fn above_holder(tx: &mut Tx, case_id: CaseId) -> Result<Vec<(String, String)>, Fault> {
    let case = assignments::get(tx, case_id).await?;
    let Some(holder) = case.as_ref().and_then(Assignment::holder) else { return Ok(Vec::new()) };
    let mut chain = agents::chain(tx, holder).await?;
    chain.retain(|(agent, _)| agent != holder);
    Ok(chain)
}

/// Takes a case that its agent declines to the next who can take it.
pub(super) async fn decline(tx: &mut Tx, wanted: Decline, caller: &Caller) -> Result<Assignment, Fault> {
    let Decline { case_id, expected_version, agent, reason } = wanted;
    let (mut allocation, mut case) = lock_case(tx, case_id, Vec::new()).await?;
    acting::not_recused(tx, caller, &case).await?;
    acting::speaks_for(caller, &agent)?;
    ensure_seen(expected_version, case.version)?;
    case.ensure_offered_to(&agent)?;
    let why = format!("declined by {}: {reason}", on_behalf(&caller.subject, &agent));
    allocation.pass_on(&mut case, &why);
    settle(tx, allocation, case).await
}

/// Takes the next waiting case of an agent's department for the agent.
pub(super) async fn claim(tx: &mut Tx, agent: &str, caller: &Caller) -> Result<Option<Assignment>, Fault> {
    acting::speaks_for(caller, agent)?;
    let department = department_of(tx, agent).await?;
    let mut allocation = Allocation::lock(tx, [department.clone()]).await?;
    let Some(mut case) = allocation.next_for(tx, &department, agent).await? else { return Ok(None) };
    let why = format!("claimed by {} from the queue of {department}", on_behalf(&caller.subject, agent));
    allocation.give_to(&mut case, &department, agent, &why)?;
    tx.join_trace(&case.traceparent);
    settle(tx, allocation, case).await.map(Some)
}

/// Who does something, and for whom when that is somebody else.
pub(super) fn on_behalf(by: &str, agent: &str) -> String {
    if by == agent { by.to_owned() } else { format!("{by} for {agent}") }
}

pub(super) async fn department_of(tx: &mut Tx, agent: &str) -> Result<String, Fault> {
    let agent = agents::agent(tx, agent).await?.ok_or(Refusal::AgentNotFound)?;
    Ok(agent.profile.department)
}

/// Locks a case, its department and another, and puts what follows into the
/// case's trace.
async fn lock_case(
    tx: &mut Tx,
    case_id: CaseId,
    others: Vec<String>,
) -> Result<(Allocation, Assignment), Fault> {
    let ids = [case_id.0];
    let departments = assignments::open_departments(tx, &ids).await?;
    let allocation = Allocation::lock(tx, departments.into_iter().chain(others)).await?;
    let case = allocation.cases(tx, &ids).await?.pop().ok_or(Refusal::AssignmentNotFound)?;
    tx.join_trace(&case.traceparent);
    Ok((allocation, case))
}

pub(super) fn ensure_seen(expected: Option<i64>, current: i64) -> Result<(), Fault> {
    match expected {
        Some(seen) if seen != current => Err(Fault::version_mismatch(current)),
        _ => Ok(()),
    }
}

/// Saves and tells what became of a case, and fills the room it left.
async fn settle(tx: &mut Tx, mut allocation: Allocation, mut case: Assignment) -> Result<Assignment, Fault> {
    save(tx, std::slice::from_mut(&mut case)).await?;
    tell(tx, &case);
    allocation.finish(tx).await?;
    Ok(case)
}
