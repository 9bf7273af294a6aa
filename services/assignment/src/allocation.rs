//! Where a transaction gives and takes cases: the departments it locked, what
//! their agents hold, and the queues it drains when room is gained.
//!
//! What is given is reserved in memory, under the lock, and written at the end:
//! one statement for the loads of all agents, whatever the number of cases.

use std::collections::{BTreeMap, BTreeSet};

use fault::Fault;
use pg::Tx;
use uuid::Uuid;

use crate::assignment::{Assignment, Place, State};
use crate::refusal::Refusal;
use crate::roster::Agent;
use crate::routing::{AgentPool, Wish};
use crate::store::assignments::{self, Stretch};
use crate::store::{self, agents, roster};
use crate::wire;

/// Most waiting cases of one department that are read at once.
const STRETCH: usize = 500;
/// Waiting cases read at once for an agent who asks for one.
const CLAIM_STRETCH: i64 = 20;

/// The departments a transaction has locked.
#[derive(Debug, Default)]
pub(crate) struct Allocation {
    pools: BTreeMap<String, AgentPool>,
    gained: BTreeSet<String>,
}

impl Allocation {
    /// Locks departments, as far as there are such, and reads their agents.
    pub(crate) async fn lock(
        tx: &mut Tx,
        departments: impl IntoIterator<Item = String>,
    ) -> Result<Self, Fault> {
        let wanted: BTreeSet<String> = departments.into_iter().collect();
        if wanted.is_empty() {
            return Ok(Self::default());
        }
        let wanted: Vec<String> = wanted.into_iter().collect();
        let now = tx.now();
        let locked = roster::lock_departments(tx, &wanted).await?;
        let mut staff: BTreeMap<String, Vec<Agent>> =
            locked.iter().map(|department| (department.clone(), Vec::new())).collect();
        for agent in agents::agents_of(tx, &locked).await? {
            staff.entry(agent.profile.department.clone()).or_default().push(agent);
        }
        let pools =
            staff.into_iter().map(|(department, agents)| (department, AgentPool::of(agents, now))).collect();
        Ok(Self { pools, gained: BTreeSet::new() })
    }

    /// Locks and reads cases; their departments must be here, and are unless
    /// another transaction handed a case on meanwhile.
    pub(crate) async fn cases(&self, tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<Assignment>, Fault> {
        let cases = assignments::lock(tx, ids).await?;
        let here = |case: &Assignment| {
            case.is_released() || case.department.as_ref().is_none_or(|department| self.has(department))
        };
        if cases.iter().all(here) { Ok(cases) } else { Err(store::moved_on()) }
    }

    /// Whether a department is here.
    pub(crate) fn has(&self, department: &str) -> bool {
        self.pools.contains_key(department)
    }

    /// An agent as they now are; another transaction moved one who is not here.
    pub(crate) fn agent(&self, department: &str, id: &str) -> Result<&Agent, Fault> {
        self.pools.get(department).and_then(|pool| pool.agent(id)).ok_or_else(store::moved_on)
    }

    /// Gives a case to the best agent of a department, or has it wait there; with
    /// no department, it waits for one.
    pub(crate) fn place(&mut self, case: &mut Assignment, department: Option<&str>, why: &str) {
        let Some(department) = department else {
            return case.wait(None, why.to_owned());
        };
        if let Err(explanation) = self.offer(case, department, why) {
            case.wait(Some(department), explanation);
        }
    }

    /// Gives a case to the best agent of a department; or tells why it cannot.
    fn offer(&mut self, case: &mut Assignment, department: &str, why: &str) -> Result<(), String> {
        let wish = Wish { respondent: &case.respondent, previous: case.previous_agent.as_deref() };
        let pool = self.pools.entry(department.to_owned()).or_default();
        let (agent, explanation) = pool.give(wish);
        let explanation = format!("{why}; {explanation}");
        match agent {
            Some(agent) => {
                case.give(department, &agent, explanation);
                Ok(())
            }
            None => Err(explanation),
        }
    }

    /// Gives a case to the agent of a department whom a person named.
    pub(crate) fn give_to(
        &mut self,
        case: &mut Assignment,
        department: &str,
        agent: &str,
        why: &str,
    ) -> Result<(), Fault> {
        let pool = self.pools.get_mut(department).ok_or_else(store::moved_on)?;
        pool.agent(agent).ok_or_else(store::moved_on)?;
        pool.give_to(agent, &case.respondent)?;
        case.give(department, agent, why.to_owned());
        Ok(())
    }

    /// Takes a case from whom holds it.
    pub(crate) fn free(&mut self, case: &Assignment) {
        let (Some(agent), Some(department)) = (case.holder(), &case.department) else { return };
        if let Some(pool) = self.pools.get_mut(department) {
            pool.free(agent);
            self.gain(department);
        }
    }

    /// Ends a case's cycle.
    pub(crate) fn release(&mut self, case: &mut Assignment) {
        self.free(case);
        case.release();
    }

    /// Takes a case from whom holds it, until it goes on.
    pub(crate) fn suspend(&mut self, case: &mut Assignment) {
        self.free(case);
        case.suspend();
    }

    /// Lets a case go on where it stood; answers whether its handler had no room
    /// left for it, so that it waits instead.
    pub(crate) fn resume(&mut self, case: &mut Assignment) -> bool {
        let agent = case.agent().map(str::to_owned);
        let department = case.department.clone();
        case.resume();
        if let Some(department) = &department {
            self.gain(department);
        }
        let Some(holder) = case.holder().and(agent) else { return false };
        let pool = department.as_ref().and_then(|department| self.pools.get_mut(department));
        let taken = pool.is_some_and(|pool| pool.give_to(&holder, &case.respondent).is_ok());
        if !taken {
            case.release();
            case.wait(department.as_deref(), format!("{holder} has no room for it any more"));
        }
        !taken
    }

    /// Notes that a department may have room, or cases, that it had not.
    pub(crate) fn gain(&mut self, department: &str) {
        self.gained.insert(department.to_owned());
    }

    /// The next waiting case of a department that an agent may take.
    pub(crate) async fn next_for(
        &self,
        tx: &mut Tx,
        department: &str,
        agent: &str,
    ) -> Result<Option<Assignment>, Fault> {
        let agent = self.agent(department, agent)?;
        if !agent.has_room() {
            return Err(Refusal::NoCapacity.into());
        }
        let mut after = Place::FRONT;
        loop {
            let stretch = Stretch { department: department.to_owned(), after, limit: CLAIM_STRETCH };
            let cases = assignments::waiting(tx, &[stretch]).await?;
            let Some(last) = cases.last().map(Assignment::place) else { return Ok(None) };
            let next = cases.into_iter().find(|case| !agent.is_recused(&case.respondent));
            if next.is_some() {
                return Ok(next);
            }
            after = last;
        }
    }

    /// Fills the room gained from the queues, oldest first within priority, and
    /// writes what every agent gained and lost. What else the transaction changed
    /// about cases must have been saved: queues are read as they are stored.
    pub(crate) async fn finish(&mut self, tx: &mut Tx) -> Result<(), Fault> {
        self.drain(tx).await?;
        let changes: Vec<_> = self.pools.values().flat_map(AgentPool::changes).collect();
        if changes.is_empty() {
            return Ok(());
        }
        agents::change_loads(tx, changes).await
    }

    async fn drain(&mut self, tx: &mut Tx) -> Result<(), Fault> {
        let gained = std::mem::take(&mut self.gained);
        let fronts = gained.into_iter().map(|department| (department, Place::FRONT));
        let mut stretches: Vec<Stretch> =
            fronts.filter_map(|(department, front)| self.stretch(department, front)).collect();
        while !stretches.is_empty() {
            let waiting = assignments::waiting(tx, &stretches).await?;
            let next = Self::after(&stretches, &waiting);
            let mut given: Vec<Assignment> =
                waiting.into_iter().filter_map(|case| self.take_from_queue(case)).collect();
            assignments::save(tx, &mut given).await?;
            for case in &given {
                tell(tx, case);
            }
            stretches =
                next.into_iter().filter_map(|(department, place)| self.stretch(department, place)).collect();
        }
        Ok(())
    }

    /// As much of a queue as there is room for; none where there is no room.
    fn stretch(&self, department: String, after: Place) -> Option<Stretch> {
        let room = self.pools.get(&department).map_or(0, AgentPool::room).min(STRETCH);
        let limit = i64::try_from(room).unwrap_or(0);
        (limit > 0).then_some(Stretch { department, after, limit })
    }

    /// Where to read on: queues that gave all that was asked of them.
    fn after(stretches: &[Stretch], waiting: &[Assignment]) -> Vec<(String, Place)> {
        let of = |stretch: &Stretch| {
            let mut mine =
                waiting.iter().filter(|case| case.department.as_ref() == Some(&stretch.department));
            let count = i64::try_from(mine.clone().count()).unwrap_or(i64::MAX);
            let last = mine.next_back()?.place();
            (count == stretch.limit).then(|| (stretch.department.clone(), last))
        };
        stretches.iter().filter_map(of).collect()
    }

    fn take_from_queue(&mut self, mut case: Assignment) -> Option<Assignment> {
        let department = case.department.clone()?;
        let why = format!("next in the queue of {department}");
        self.offer(&mut case, &department, &why).is_ok().then_some(case)
    }
}

#[cfg(test)]
impl Allocation {
    /// Of these departments, locked or not.
    pub(crate) fn of(pools: BTreeMap<String, AgentPool>) -> Self {
        Self { pools, gained: BTreeSet::new() }
    }

    /// A department's agents as they now are.
    pub(crate) fn pool(&self, department: &str) -> Option<&AgentPool> {
        self.pools.get(department)
    }
}

/// Tells what became of a case, in the case's own trace.
pub(crate) fn tell(tx: &mut Tx, case: &Assignment) {
    let (trace, subject) = (trace(tx, case), case.case_id.0);
    match case.state {
        State::Waiting => tx.emit_in(trace, subject, &wire::case_queued(case)),
        State::Assigned(_) => tx.emit_in(trace, subject, &wire::case_assigned(case)),
        // Accepted before, and not by anybody now.
        State::Accepted(_) => tx.emit_in(trace, subject, &wire::case_accepted(case, "")),
        State::Released(_) => {} // the cases service said so itself
    }
}

/// Tells that somebody has accepted a case, for its agent or being the agent.
pub(crate) fn tell_accepted(tx: &mut Tx, case: &Assignment, by: &str) {
    tx.emit_in(trace(tx, case), case.case_id.0, &wire::case_accepted(case, by));
}

fn trace(tx: &Tx, case: &Assignment) -> String {
    if case.traceparent.is_empty() { tx.traceparent().to_owned() } else { case.traceparent.clone() }
}
