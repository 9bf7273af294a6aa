//! What holds for every department and every run of cases.

use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;

use super::{AgentPool, Barrier, EarlierHandler, RoutingPolicy, Terms, Weights, Wish, barrier, choose};
use crate::roster::{Agent, AgentProfile, AgentRouting, Skill};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
/// Ids of agents; some cases are about, or were handled by, one of these.
const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
const LANGUAGES: [&str; 3] = ["", "en", "zh"];
const REGIONS: [&str; 3] = ["", "Kent", "上海"];
const CATEGORIES: [&str; 3] = ["x", "x/y", "z"];

/// A case: whom it is about, who had it, who handled its customer last, who passed it on,
/// as places in `NAMES`; and what it asks.
#[derive(Clone, Debug)]
struct Case {
    respondent: Option<usize>,
    previous: Option<usize>,
    familiar: Option<usize>,
    passed: Vec<String>,
    asks: (usize, usize, usize),
    waited: i64,
}

fn name(at: Option<usize>) -> Option<&'static str> {
    at.map(|at| NAMES[at])
}

impl Case {
    fn wish(&self) -> Wish<'_> {
        Wish {
            respondent: name(self.respondent).unwrap_or_default(),
            customer: "C-1",
            language: LANGUAGES[self.asks.0],
            region: REGIONS[self.asks.1],
            category: CATEGORIES[self.asks.2],
            previous: name(self.previous),
            familiar: name(self.familiar),
            passed: &self.passed,
            waited: self.waited,
        }
    }
}

fn agents() -> impl Strategy<Value = Vec<Agent>> {
    let can = (0..3_usize, 0..3_usize, 0..3_usize, 1..6_i32, prop::bool::weighted(0.1));
    let one = (0..6_i32, 0..6_i32, 0..4_i64, prop::bool::weighted(0.8), can);
    vec(one, 0..NAMES.len()).prop_map(|rows| {
        let named = rows.into_iter().zip(NAMES);
        named
            .map(|((capacity, load, turn, available, (language, region, skill, level, conflict)), name)| {
                let routing = AgentRouting {
                    languages: vec![LANGUAGES[language].to_owned()],
                    regions: vec![REGIONS[region].to_owned()],
                    skills: vec![Skill { name: CATEGORIES[skill].to_owned(), level }],
                    conflict_customers: conflict.then(|| "C-1".to_owned()).into_iter().collect(),
                    ..AgentRouting::default()
                };
                let profile = AgentProfile {
                    id: name.to_owned(),
                    department: "x".to_owned(),
                    display_name: format!("Agent {name}"),
                    capacity,
                    available,
                    routing,
                };
                Agent { load, turn, ..Agent::new(profile) }
            })
            .collect()
    })
}

fn case() -> impl Strategy<Value = Case> {
    let someone = || prop::option::weighted(0.4, 0..NAMES.len());
    let passed = vec((0..NAMES.len()).prop_map(|at| NAMES[at].to_owned()), 0..3);
    (someone(), someone(), someone(), passed, (0..3_usize, 0..3_usize, 0..3_usize), 0..200_000_i64).prop_map(
        |(respondent, previous, familiar, passed, asks, waited)| Case {
            respondent,
            previous,
            familiar,
            passed,
            asks,
            waited,
        },
    )
}

fn cases() -> impl Strategy<Value = Vec<Case>> {
    vec(case(), 0..40)
}

fn policy() -> impl Strategy<Value = RoutingPolicy> {
    (prop::array::uniform7(0..1_001_i32), any::<bool>()).prop_map(|(weights, strict)| RoutingPolicy {
        weights: Weights::of(weights),
        earlier_handler: if strict { EarlierHandler::Recused } else { EarlierHandler::Avoided },
        ..RoutingPolicy::shipped()
    })
}

proptest! {
    #[test]
    fn capacity_is_never_exceeded_nor_who_is_kept_from_a_case_chosen(
        agents in agents(), cases in cases(), policy in policy(),
    ) {
        let mut pool = AgentPool::of(agents.clone());
        for case in cases {
            let wish = case.wish();
            let decision = pool.give(&wish, &policy, NOW);
            if let Some(agent) = &decision.agent {
                prop_assert!(agent != wish.respondent && !wish.passed.contains(agent));
                let agent = agents.iter().find(|one| one.profile.id == *agent).expect("one of them");
                prop_assert!(!agent.is_in_conflict(wish.customer, wish.respondent));
            }
        }
        for (before, after) in agents.iter().zip(pool.agents()) {
            prop_assert!(after.load <= before.load.max(before.profile.capacity));
            prop_assert!(before.profile.available || after.load == before.load);
        }
    }

    #[test]
    fn a_case_waits_only_when_nobody_can_take_it(agents in agents(), cases in cases(), policy in policy()) {
        for case in cases {
            let wish = case.wish();
            let able = |agent: &&Agent| barrier(agent, &wish, &policy, NOW).is_none();
            let decision = choose(&agents, &wish, &policy, NOW);
            prop_assert_eq!(decision.agent.is_some(), agents.iter().any(|agent| able(&agent)));
            let others = agents.iter().filter(able).filter(|one| Some(one.profile.id.as_str()) != wish.previous);
            let another = others.count() > 0;
            prop_assert!(!another || decision.agent.as_deref() != wish.previous || wish.previous.is_none());
        }
    }

    /// Every agent is told of: with a score, or with what keeps the case from them.
    #[test]
    fn a_decision_accounts_for_every_agent(agents in agents(), case in case(), policy in policy()) {
        let decision = choose(&agents, &case.wish(), &policy, NOW);
        prop_assert_eq!(decision.considered, agents.len());
        prop_assert_eq!(decision.eligible + decision.barriers.iter().sum::<usize>(), agents.len());
        prop_assert_eq!(decision.candidates.len(), agents.len());
        let fit = &decision.candidates[..decision.eligible];
        prop_assert!(fit.iter().all(|one| one.barrier.is_none()));
        prop_assert!(fit.windows(2).all(|pair| pair[0].score >= pair[1].score));
        prop_assert!(decision.candidates[decision.eligible..].iter().all(|one| one.barrier.is_some()));
        for one in &decision.candidates {
            prop_assert_eq!(one.score, one.terms.score(policy.weights));
        }
    }

    #[test]
    fn the_order_of_the_agents_does_not_matter(
        (agents, shuffled) in agents().prop_flat_map(|agents| (Just(agents.clone()), Just(agents).prop_shuffle())),
        cases in cases(), policy in policy(),
    ) {
        let (mut one, mut other) = (AgentPool::of(agents), AgentPool::of(shuffled));
        for case in cases {
            let wish = case.wish();
            prop_assert_eq!(one.give(&wish, &policy, NOW), other.give(&wish, &policy, NOW));
        }
    }

    /// More of one term, all else the same, never makes a score lower; and with a weight
    /// that is not nothing it makes it higher.
    #[test]
    fn a_score_grows_with_each_of_its_terms(
        terms in prop::array::uniform7(0..1_000_001_i64), at in 0..Weights::COUNT, more in 1..1_000_000_i64, policy in policy(),
    ) {
        let of = |[load, skill, language, region, affinity, waiting, team]: [i64; Weights::COUNT]| {
            Terms { load, skill, language, region, affinity, waiting, team }
        };
        let mut grown = terms;
        grown[at] += more;
        let (before, after) = (of(terms).score(policy.weights), of(grown).score(policy.weights));
        prop_assert_eq!(after - before, more * i64::from(policy.weights.list()[at]));
    }

    /// Who holds less, can more, speaks the language, knows the region or the customer fits
    /// no worse; and what has waited longer scores no lower.
    #[test]
    fn who_fits_better_scores_no_lower(agents in agents(), case in case(), policy in policy()) {
        let wish = case.wish();
        for agent in &agents {
            let score = |agent: &Agent, wish: &Wish<'_>| Terms::of(agent, wish, None).score(policy.weights);
            let now = score(agent, &wish);
            let freer = Agent { load: (agent.load - 1).max(0), ..agent.clone() };
            let mut abler = agent.clone();
            abler.profile.routing.skills = vec![Skill { name: wish.category.to_owned(), level: 5 }];
            abler.profile.routing.languages.push(wish.language.to_owned());
            abler.profile.routing.regions.push(wish.region.to_owned());
            prop_assert!(score(&freer, &wish) >= now && score(&abler, &wish) >= now);
            let known = Wish { familiar: Some(agent.profile.id.as_str()), ..wish };
            prop_assert!(score(agent, &known) >= now);
            let aged = Wish { waited: wish.waited + 60, ..wish };
            prop_assert!(score(agent, &aged) >= now);
        }
    }

    #[test]
    fn a_batch_is_decided_as_one_by_one(agents in agents(), cases in cases(), policy in policy()) {
        let mut batch = AgentPool::of(agents.clone());
        let together: Vec<_> = cases.iter().map(|case| batch.give(&case.wish(), &policy, NOW)).collect();
        let mut stored = agents;
        let mut apart = Vec::new();
        for case in &cases {
            let mut pool = AgentPool::of(stored.clone());
            apart.push(pool.give(&case.wish(), &policy, NOW));
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
    fn what_is_given_and_taken_back_leaves_no_load(agents in agents(), cases in cases(), policy in policy()) {
        let mut pool = AgentPool::of(agents.clone());
        let given: Vec<String> =
            cases.iter().filter_map(|case| pool.give(&case.wish(), &policy, NOW).agent).collect();
        for agent in given {
            pool.free(&agent);
        }
        prop_assert!(pool.changes().iter().all(|change| change.delta == 0));
    }

    /// What nobody can ever take, nobody can take now.
    #[test]
    fn what_can_be_taken_now_is_not_impossible(agents in agents(), case in case(), policy in policy()) {
        let wish = case.wish();
        let pool = AgentPool::of(agents.clone());
        let can = choose(&agents, &wish, &policy, NOW).agent.is_some();
        prop_assert!(!can || pool.is_possible(&wish, &policy));
        prop_assert_eq!(Barrier::ALL.map(|barrier| barrier as usize), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }
}
