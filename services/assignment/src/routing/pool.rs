//! A department's agents while a transaction gives them cases and takes cases
//! from them.

use jiff::Timestamp;

use crate::refusal::Refusal;
use crate::roster::{Agent, Presence};
use crate::routing::choice::{Decision, choose};
use crate::routing::policy::RoutingPolicy;
use crate::routing::score::{Wish, lasting_barrier, recusal};

/// A department's agents and what they hold by now.
#[derive(Clone, Debug, Default)]
pub struct AgentPool {
    agents: Vec<Agent>,
    /// Load and turn as they were read, to tell what changed.
    before: Vec<(i32, i64)>,
    /// The last turn given.
    turn: i64,
}

/// What a transaction changed about an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadChange {
    /// The agent.
    pub agent: String,
    /// Cases gained less cases lost.
    pub delta: i32,
    /// When they were last given one.
    pub turn: i64,
}

impl AgentPool {
    /// Of the agents of one department.
    pub fn of(agents: Vec<Agent>) -> Self {
        let before = agents.iter().map(|agent| (agent.load, agent.turn)).collect();
        let turn = agents.iter().map(|agent| agent.turn).max().unwrap_or(0);
        Self { agents, before, turn }
    }

    /// Gives a case to the best agent, if anyone can take it; answers who and why.
    pub fn give(&mut self, wish: &Wish<'_>, policy: &RoutingPolicy, now: Timestamp) -> Decision {
        let decision = choose(&self.agents, wish, policy, now);
        if let Some(id) = &decision.agent {
            self.reserve(id);
        }
        decision
    }

    /// Gives a case to the agent named, available or not.
    pub fn give_to(&mut self, id: &str, wish: &Wish<'_>, policy: &RoutingPolicy) -> Result<(), Refusal> {
        let agent = self.agent(id).ok_or(Refusal::AgentNotFound)?;
        if recusal(agent, wish, policy).is_some() {
            return Err(Refusal::AgentRecused);
        }
        if agent.is_leaving {
            return Err(Refusal::AgentLeaving);
        }
        if !agent.has_room() {
            return Err(Refusal::NoCapacity);
        }
        self.reserve(id);
        Ok(())
    }

    /// Whether anybody could ever take a case as things stand.
    pub fn is_possible(&self, wish: &Wish<'_>, policy: &RoutingPolicy) -> bool {
        self.agents.iter().any(|agent| lasting_barrier(agent, wish, policy).is_none())
    }

    /// Takes a case from an agent.
    pub fn free(&mut self, id: &str) {
        if let Some(agent) = self.agents.iter_mut().find(|agent| agent.profile.id == id) {
            agent.load = (agent.load - 1).max(0);
        }
    }

    /// An agent of this department.
    pub fn agent(&self, id: &str) -> Option<&Agent> {
        self.agents.iter().find(|agent| agent.profile.id == id)
    }

    /// Whether routing would give an agent a case, were it about nobody.
    pub fn takes(&self, id: &str, now: Timestamp) -> bool {
        self.agent(id).is_some_and(|agent| agent.presence(now) == Presence::Present && agent.has_room())
    }

    /// How many more cases routing can give.
    pub fn room(&self, now: Timestamp) -> usize {
        let rooms = self.agents.iter().filter(|agent| agent.takes_cases(now));
        rooms.map(|agent| usize::try_from(agent.profile.capacity - agent.load).unwrap_or(0)).sum()
    }

    /// What changed since the agents were read.
    pub fn changes(&self) -> Vec<LoadChange> {
        let pairs = self.agents.iter().zip(&self.before);
        let changed = pairs.filter(|(agent, before)| (agent.load, agent.turn) != **before);
        changed
            .map(|(agent, (load, _))| LoadChange {
                agent: agent.profile.id.clone(),
                delta: agent.load - load,
                turn: agent.turn,
            })
            .collect()
    }

    fn reserve(&mut self, id: &str) {
        if let Some(agent) = self.agents.iter_mut().find(|agent| agent.profile.id == id) {
            self.turn += 1;
            agent.load += 1;
            agent.turn = self.turn;
        }
    }
}

#[cfg(test)]
impl AgentPool {
    /// The agents as they now are.
    pub(crate) fn agents(&self) -> &[Agent] {
        &self.agents
    }
}
