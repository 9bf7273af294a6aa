//! A department's agents while a transaction gives them cases and takes cases
//! from them.

use jiff::Timestamp;

use crate::refusal::Refusal;
use crate::roster::Agent;
use crate::routing::choice::{Choice, Wish, choose};

/// A department's agents and what they hold by now.
#[derive(Clone, Debug, Default)]
pub struct AgentPool {
    agents: Vec<Agent>,
    now: Timestamp,
    /// Load and turn as they were read, to tell what changed.
    before: Vec<(i32, i64)>,
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
    /// Of the agents of one department, at a moment.
    pub fn of(agents: Vec<Agent>, now: Timestamp) -> Self {
        let before = agents.iter().map(|agent| (agent.load, agent.turn)).collect();
        Self { agents, now, before }
    }

    /// Gives a case to the best agent, if anyone can take it; answers who and why.
    pub fn give(&mut self, wish: Wish<'_>) -> (Option<String>, String) {
        let Choice { agent, explanation } = choose(&self.agents, wish, self.now);
        let agent = agent.map(|agent| agent.profile.id.clone());
        if let Some(id) = &agent {
            self.reserve(id);
        }
        (agent, explanation)
    }

    /// Gives a case to the agent named, available or not.
    pub fn give_to(&mut self, id: &str, respondent: &str) -> Result<(), Refusal> {
        let agent = self.agent(id).ok_or(Refusal::AgentNotFound)?;
        if agent.is_recused(respondent) {
            return Err(Refusal::AgentRecused);
        }
        if !agent.has_room() {
            return Err(Refusal::NoCapacity);
        }
        self.reserve(id);
        Ok(())
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

    /// How many more cases routing can give.
    pub fn room(&self) -> usize {
        let rooms = self.agents.iter().filter(|agent| agent.takes_cases(self.now));
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
        let turn = self.agents.iter().map(|agent| agent.turn).max().unwrap_or(0) + 1;
        if let Some(agent) = self.agents.iter_mut().find(|agent| agent.profile.id == id) {
            agent.load += 1;
            agent.turn = turn;
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
