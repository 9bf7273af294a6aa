//! What holds for every department and every run of cases.

use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;

use super::{AgentPool, Wish, choose};
use crate::roster::{Agent, AgentProfile, AgentRouting};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// Ids of agents; some cases are about, or were handled by, one of these.
const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

/// A case: whom it is about and who had it, as places in `NAMES`.
type Case = (Option<usize>, Option<usize>);

fn wish(case: Case) -> Wish<'static> {
    Wish { respondent: case.0.map_or("", |at| NAMES[at]), previous: case.1.map(|at| NAMES[at]) }
}

fn agents() -> impl Strategy<Value = Vec<Agent>> {
    let one = (0..6_i32, 0..6_i32, 0..4_i64, prop::bool::weighted(0.8));
    vec(one, 0..NAMES.len()).prop_map(|rows| {
        let named = rows.into_iter().zip(NAMES);
        named
            .map(|((capacity, load, turn, available), name)| {
                let profile = AgentProfile {
                    id: name.to_owned(),
                    department: "x".to_owned(),
                    display_name: format!("Agent {name}"),
                    capacity,
                    available,
                    routing: AgentRouting::default(),
                };
                Agent { load, turn, ..Agent::new(profile) }
            })
            .collect()
    })
}

fn cases() -> impl Strategy<Value = Vec<Case>> {
    let someone = || prop::option::weighted(0.4, 0..NAMES.len());
    vec((someone(), someone()), 0..40)
}

proptest! {
    #[test]
    fn capacity_is_never_exceeded_nor_a_recused_agent_chosen(agents in agents(), cases in cases()) {
        let mut pool = AgentPool::of(agents.clone(), NOW);
        for case in cases {
            let wish = wish(case);
            let (agent, _) = pool.give(wish);
            prop_assert!(agent.is_none_or(|agent| agent != wish.respondent));
        }
        for (before, after) in agents.iter().zip(pool.agents()) {
            prop_assert!(after.load <= before.load.max(before.profile.capacity));
            prop_assert!(before.profile.available || after.load == before.load);
        }
    }

    #[test]
    fn a_case_waits_only_when_nobody_can_take_it(agents in agents(), cases in cases()) {
        for case in cases {
            let wish = wish(case);
            let someone = agents.iter().any(|agent| agent.takes_cases(NOW) && !agent.is_recused(wish.respondent));
            let chosen = choose(&agents, wish, NOW).agent;
            prop_assert_eq!(chosen.is_some(), someone);
            if let (Some(chosen), Some(previous)) = (chosen, wish.previous) {
                let others = agents.iter().filter(|agent| agent.profile.id != previous);
                let another =
                    others.clone().any(|agent| agent.takes_cases(NOW) && !agent.is_recused(wish.respondent));
                prop_assert!(!another || chosen.profile.id != previous);
            }
        }
    }

    #[test]
    fn the_order_of_the_agents_does_not_matter(
        (agents, shuffled) in agents().prop_flat_map(|agents| (Just(agents.clone()), Just(agents).prop_shuffle())),
        cases in cases(),
    ) {
        let (mut one, mut other) = (AgentPool::of(agents, NOW), AgentPool::of(shuffled, NOW));
        for case in cases {
            prop_assert_eq!(one.give(wish(case)), other.give(wish(case)));
        }
    }

    #[test]
    fn a_batch_is_decided_as_one_by_one(agents in agents(), cases in cases()) {
        let mut batch = AgentPool::of(agents.clone(), NOW);
        let together: Vec<_> = cases.iter().map(|case| batch.give(wish(*case))).collect();
        let mut stored = agents;
        let mut apart = Vec::new();
        for case in cases {
            let mut pool = AgentPool::of(stored.clone(), NOW);
            apart.push(pool.give(wish(case)));
            for change in pool.changes() {
                let row = stored.iter_mut().find(|agent| agent.profile.id == change.agent);
                let row = row.expect("a change is of an agent there is");
                row.load += change.delta;
                row.turn = change.turn;
            }
        }
        prop_assert_eq!(together, apart);
        prop_assert_eq!(stored.as_slice(), batch.agents());
    }

    #[test]
    fn what_is_given_and_taken_back_leaves_no_load(agents in agents(), cases in cases()) {
        let mut pool = AgentPool::of(agents.clone(), NOW);
        let given: Vec<String> = cases.into_iter().filter_map(|case| pool.give(wish(case)).0).collect();
        for agent in given {
            pool.free(&agent);
        }
        prop_assert!(pool.changes().iter().all(|change| change.delta == 0));
    }
}
