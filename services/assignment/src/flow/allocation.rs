//! Where a transaction gives and takes cases: the departments it locked, what
//! their agents hold, and the queues it drains when room is gained.
//!
//! What is given is reserved in memory, under the lock, and written at the end:
//! one statement for the loads of all agents, whatever the number of cases.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use fault::Fault;
use jiff::Timestamp;
use pg::Tx;
use uuid::Uuid;

use crate::assignment::{Assignment, Escalation, State};
use crate::flow::acceptance;
use crate::flow::telling::{tell, tell_unassignable};
use crate::queue::Place;
use crate::refusal::Refusal;
use crate::roster::Agent;
use crate::routing::{AgentPool, Decision, RoutingPolicy, Wish, recusal};
use crate::store::assignments::{self, Stretch};
use crate::store::decisions::{self, Record};
use crate::store::{self, agents, policies, roster};
use crate::wire;

/// Most waiting cases of one department that are read at once.
const STRETCH: usize = 500;
/// Waiting cases read at once for an agent who asks for one.
const CLAIM_STRETCH: i64 = 20;

/// Waiting cases of a department that are looked at where its agents changed: whether
/// anybody could take them.
const LOOKED_AT: i64 = 500;

/// The departments a transaction has locked.
#[derive(Debug)]
pub(crate) struct Allocation {
    pools: BTreeMap<String, AgentPool>,
    gained: BTreeSet<String>,
    restaffed: BTreeSet<String>,
    policy: RoutingPolicy,
    now: Timestamp,
    decided: BTreeMap<(Uuid, i32), Record>,
}

impl Allocation {
    /// Locks departments, as far as there are such, and reads their agents.
    pub(crate) async fn lock(
        tx: &mut Tx,
        departments: impl IntoIterator<Item = String>,
    ) -> Result<Self, Fault> {
        let wanted: BTreeSet<String> = departments.into_iter().collect();
        let now = tx.now();
        if wanted.is_empty() {
            return Ok(Self::with(BTreeMap::new(), RoutingPolicy::shipped(), now));
        }
        let wanted: Vec<String> = wanted.into_iter().collect();
        let locked = roster::lock_departments(tx, &wanted).await?;
        let mut staff: BTreeMap<String, Vec<Agent>> =
            locked.iter().map(|department| (department.clone(), Vec::new())).collect();
        for agent in agents::agents_of(tx, &locked).await? {
            staff.entry(agent.profile.department.clone()).or_default().push(agent);
        }
        let pools =
            staff.into_iter().map(|(department, agents)| (department, AgentPool::of(agents))).collect();
        Ok(Self::with(pools, policies::in_force(tx).await?, now))
    }

    fn with(pools: BTreeMap<String, AgentPool>, policy: RoutingPolicy, now: Timestamp) -> Self {
        let (gained, restaffed) = (BTreeSet::new(), BTreeSet::new());
        Self { pools, gained, restaffed, policy, now, decided: BTreeMap::new() }
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
            case.wait(None, why.to_owned());
            case.unassignable.get_or_insert(self.now);
            return self.decide(case, nobody(&self.policy, why.to_owned()));
        };
        if let Err(decision) = self.offer(case, department, why) {
            case.wait(Some(department), decision.explanation.clone());
            self.mark_unassignable(case, department);
            self.decide(case, *decision);
        }
    }

    /// Gives a case to the best agent of a department; or tells why it cannot.
    fn offer(&mut self, case: &mut Assignment, department: &str, why: &str) -> Result<(), Box<Decision>> {
        let pool = self.pools.entry(department.to_owned()).or_default();
        let mut decision = pool.give(&Wish::of(case, self.now), &self.policy, self.now);
        decision.explanation = format!("{why}; {}", decision.explanation);
        let Some(agent) = decision.agent.clone() else { return Err(Box::new(decision)) };
        self.give(case, department, &agent, decision);
        Ok(())
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
        pool.give_to(agent, &Wish::of(case, self.now), &self.policy)?;
        let decision = Decision::by_hand(agent, &self.policy, why.to_owned());
        self.give(case, department, agent, decision);
        Ok(())
    }

    fn give(&mut self, case: &mut Assignment, department: &str, agent: &str, decision: Decision) {
        case.give(department, agent, decision.explanation.clone());
        case.accept_by = self.policy.accept_by(self.now);
        self.decide(case, decision);
    }

    /// Gives a case to the nearest of some supervisors who can take it, each with their
    /// department: rather one who is there. Answers whether there is one; it counts as
    /// escalated either way.
    pub(crate) fn escalate(
        &mut self,
        case: &mut Assignment,
        above: &[(String, String)],
        why: Escalation,
        because: &str,
    ) -> bool {
        case.escalate(why);
        let takes = |(agent, department): &&(String, String)| {
            self.pools.get(department).is_some_and(|pool| pool.takes(agent, self.now))
        };
        let present: Vec<_> = above.iter().filter(takes).cloned().collect();
        let tried = present.iter().chain(above);
        for (agent, department) in tried {
            let because = format!("{because}; escalated to {agent}");
            if self.give_to(case, department, agent, &because).is_ok() {
                case.escalated_to = Some(agent.clone());
                return true;
            }
        }
        false
    }

    /// Takes a case from whom holds it and gives it to the next who can take it.
    pub(crate) fn pass_on(&mut self, case: &mut Assignment, why: &str) {
        let department = case.department.clone();
        self.free(case);
        case.pass();
        self.place(case, department.as_deref(), why);
    }

    /// Notes whether anybody could ever take a case that waits in a department.
    fn mark_unassignable(&self, case: &mut Assignment, department: &str) {
        let possible = self
            .pools
            .get(department)
            .is_some_and(|pool| pool.is_possible(&Wish::of(case, self.now), &self.policy));
        if possible {
            case.unassignable = None;
        } else {
            case.unassignable.get_or_insert(self.now);
        }
    }

    fn decide(&mut self, case: &Assignment, decision: Decision) {
        let taken_apart = wire::taken_apart(case, &decision, self.now);
        let record = Record { case: case.clone(), agent: decision.agent, taken_apart };
        self.decided.insert((case.case_id.0, case.cycle), record);
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
        let (wish, policy) = (Wish::of(case, self.now), &self.policy);
        let taken = pool.is_some_and(|pool| pool.give_to(&holder, &wish, policy).is_ok());
        if taken && matches!(case.state, State::Assigned(_)) {
            case.accept_by = self.policy.accept_by(self.now);
        }
        if !taken {
            case.release();
            case.wait(department.as_deref(), format!("{holder} has no room for it any more"));
        }
        !taken
    }

    /// Notes that the agents of a department changed: it may have room, and who could take
    /// a case may have come or gone.
    pub(crate) fn restaff(&mut self, department: &str) {
        self.gain(department);
        self.restaffed.insert(department.to_owned());
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
        if agent.is_leaving {
            return Err(Refusal::AgentLeaving.into());
        }
        if !agent.has_room() {
            return Err(Refusal::NoCapacity.into());
        }
        let mut after = Place::FRONT;
        loop {
            let stretch = Stretch { department: department.to_owned(), after, limit: CLAIM_STRETCH };
            let cases = assignments::waiting(tx, &[stretch]).await?;
            let Some(last) = cases.last().map(Assignment::place) else { return Ok(None) };
            let may = |case: &Assignment| recusal(agent, &Wish::of(case, self.now), &self.policy).is_none();
            let next = cases.into_iter().find(may);
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
        self.look_again(tx).await?;
        let decided: Vec<Record> = std::mem::take(&mut self.decided).into_values().collect();
        decisions::save(tx, &decided, self.now).await?;
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
            save(tx, &mut given).await?;
            for case in &given {
                tell(tx, case);
            }
            stretches =
                next.into_iter().filter_map(|(department, place)| self.stretch(department, place)).collect();
        }
        Ok(())
    }

    /// Where the agents of a department changed, or the policy, whether anybody could take
    /// what waits at the front of its queue, and what nobody could so far.
    async fn look_again(&mut self, tx: &mut Tx) -> Result<(), Fault> {
        let restaffed = std::mem::take(&mut self.restaffed).into_iter();
        let stretch = |department| Stretch { department, after: Place::FRONT, limit: LOOKED_AT };
        let stretches: Vec<Stretch> = restaffed.map(stretch).collect();
        if stretches.is_empty() {
            return Ok(());
        }
        let mut changed = assignments::waiting(tx, &stretches).await?;
        let front: HashSet<Uuid> = changed.iter().map(|case| case.case_id.0).collect();
        let stuck = assignments::unassignable_in(tx, &stretches).await?;
        changed.extend(stuck.into_iter().filter(|case| !front.contains(&case.case_id.0)));
        changed.retain_mut(|case| {
            let before = case.unassignable;
            if let Some(department) = case.department.clone() {
                self.mark_unassignable(case, &department);
            }
            case.unassignable != before
        });
        save(tx, &mut changed).await?;
        for case in &changed {
            tell_unassignable(tx, case);
        }
        Ok(())
    }

    /// As much of a queue as there is room for; none where there is no room.
    fn stretch(&self, department: String, after: Place) -> Option<Stretch> {
        let room = self.pools.get(&department).map_or(0, |pool| pool.room(self.now)).min(STRETCH);
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
        Self::with(pools, RoutingPolicy::shipped(), Timestamp::UNIX_EPOCH)
    }

    /// A department's agents as they now are.
    pub(crate) fn pool(&self, department: &str) -> Option<&AgentPool> {
        self.pools.get(department)
    }
}

/// No agent was looked at.
fn nobody(policy: &RoutingPolicy, explanation: String) -> Decision {
    Decision { agent: None, ..Decision::by_hand("", policy, explanation) }
}

/// Writes cases as they now are, and until when each is to be accepted.
pub(crate) async fn save(tx: &mut Tx, cases: &mut [Assignment]) -> Result<(), Fault> {
    assignments::save(tx, cases).await?;
    acceptance::arm(tx, cases).await
}
