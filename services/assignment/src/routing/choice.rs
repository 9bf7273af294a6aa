//! Which of a department's agents takes a case, and why.

use std::cmp::Reverse;
use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;

use crate::roster::Agent;
use crate::routing::policy::{RoutingPolicy, Weights};
use crate::routing::score::{Barrier, Terms, Wish, barrier};

/// How many candidates a decision keeps.
pub const KEPT: usize = 100;
/// How long a decision is kept after its cycle was over: a year of cases can be replayed with
/// other weights.
pub const DECISIONS_KEPT: Duration = Duration::from_hours(400 * 24);
/// How many candidates its sentence names.
const NAMED: usize = 5;

/// An agent as a decision saw them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The agent.
    pub agent: String,
    /// What kept the case from them.
    pub barrier: Option<Barrier>,
    /// The score.
    pub score: i64,
    /// The score taken apart.
    pub terms: Terms,
    /// Cases they held.
    pub load: i32,
    /// Cases they could hold.
    pub capacity: i32,
}

/// How it was decided who takes a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Who takes it; none when nobody can.
    pub agent: Option<String>,
    /// Version of the policy in force.
    pub policy: i32,
    /// The weights it had.
    pub weights: Weights,
    /// Those who could take it, the best first, then those who could not, by id; of many
    /// the first.
    pub candidates: Vec<Candidate>,
    /// How many were looked at.
    pub considered: usize,
    /// How many could take it.
    pub eligible: usize,
    /// How many could not, by what kept it from them, in the order of the barriers.
    pub barriers: [usize; Barrier::COUNT],
    /// The same in a sentence.
    pub explanation: String,
}

impl Decision {
    /// Somebody said who has it.
    pub fn by_hand(agent: &str, policy: &RoutingPolicy, explanation: String) -> Self {
        Self {
            agent: Some(agent.to_owned()),
            policy: policy.version,
            weights: policy.weights,
            candidates: Vec::new(),
            considered: 0,
            eligible: 0,
            barriers: [0; Barrier::COUNT],
            explanation,
        }
    }
}

/// A candidate while it is weighed.
#[derive(Clone, Copy)]
struct Weighed<'a> {
    agent: &'a Agent,
    terms: Terms,
    score: i64,
    barrier: Option<Barrier>,
}

impl<'a> Weighed<'a> {
    fn of(
        agent: &'a Agent,
        (wish, team): (&Wish<'_>, Option<&str>),
        weights: Weights,
        barrier: Option<Barrier>,
    ) -> Self {
        let terms = Terms::of(agent, wish, team);
        Self { agent, terms, score: terms.score(weights), barrier }
    }

    /// The best first: by score, then who was given a case longest ago, then by id.
    fn order(&self) -> (Reverse<i64>, i64, &'a str) {
        (Reverse(self.score), self.agent.turn, self.agent.profile.id.as_str())
    }

    fn candidate(&self) -> Candidate {
        Candidate {
            agent: self.agent.profile.id.clone(),
            barrier: self.barrier,
            score: self.score,
            terms: self.terms,
            load: self.agent.load,
            capacity: self.agent.profile.capacity,
        }
    }
}

/// Chooses among the agents of a department.
pub fn choose(agents: &[Agent], wish: &Wish<'_>, policy: &RoutingPolicy, now: Timestamp) -> Decision {
    let mut barriers = [0; Barrier::COUNT];
    let (mut fit, mut unfit) = (Vec::new(), Vec::new());
    let asked = (wish, wish.team(agents));
    for agent in agents {
        match barrier(agent, wish, policy, now) {
            None => fit.push(Weighed::of(agent, asked, policy.weights, None)),
            Some(barrier) => unfit.push((agent, barrier)),
        }
    }
    unfit.extend(pass_over_previous(&mut fit, wish.previous).map(|agent| (agent, Barrier::EarlierHandler)));
    for (_, barrier) in &unfit {
        barriers[*barrier as usize - 1] += 1;
    }
    let eligible = fit.len();
    first_by(&mut fit, KEPT, Weighed::order);
    let rest = KEPT - fit.len();
    first_by(&mut unfit, rest, |(agent, _)| agent.profile.id.as_str());
    let had_it = fit.first().is_some_and(|best| Some(best.agent.profile.id.as_str()) == wish.previous);
    let explanation = explain(&fit, eligible, had_it, &barriers, policy.weights);
    let agent = fit.first().map(|best| best.agent.profile.id.clone());
    let unfit =
        unfit.into_iter().map(|(agent, barrier)| Weighed::of(agent, asked, policy.weights, Some(barrier)));
    Decision {
        agent,
        policy: policy.version,
        weights: policy.weights,
        candidates: fit.iter().copied().chain(unfit).map(|one| one.candidate()).collect(),
        considered: agents.len(),
        eligible,
        barriers,
        explanation,
    }
}

/// Keeps the first of some, in order; more need no order.
fn first_by<T, K: Ord>(all: &mut Vec<T>, most: usize, key: impl Fn(&T) -> K) {
    if all.len() > most {
        if most > 0 {
            all.select_nth_unstable_by_key(most - 1, &key);
        }
        all.truncate(most);
    }
    all.sort_unstable_by_key(key);
}

/// Who handled the cycle before does not have it while another can.
fn pass_over_previous<'a>(fit: &mut Vec<Weighed<'a>>, previous: Option<&str>) -> Option<&'a Agent> {
    if fit.len() < 2 {
        return None;
    }
    let at = fit.iter().position(|one| Some(one.agent.profile.id.as_str()) == previous)?;
    Some(fit.swap_remove(at).agent)
}

fn explain(
    best: &[Weighed<'_>],
    eligible: usize,
    had_it: bool,
    barriers: &[usize; Barrier::COUNT],
    weights: Weights,
) -> String {
    let mut text = match best {
        [] => "nobody can take it now".to_owned(),
        [only] => format!("{} is the only one who can take it: {}", only.agent.profile.id, share(only)),
        [first, second, ..] => {
            let named: Vec<String> = best
                .iter()
                .take(NAMED)
                .map(|one| format!("{} {}", one.agent.profile.id, share(one)))
                .collect();
            let ruled = ruled(first, second, weights);
            format!("{} {ruled} of {eligible}: {}", first.agent.profile.id, named.join(", "))
        }
    };
    if eligible > NAMED {
        let _ = write!(text, " and {} more", eligible - NAMED);
    }
    if had_it {
        text.push_str("; handled the cycle before, and no other can take it");
    }
    for (count, barrier) in barriers.iter().zip(Barrier::ALL).filter(|(count, _)| **count > 0) {
        let _ = write!(text, "; {count} {}", barrier.words());
    }
    text
}

/// What set the best apart from the next: the term that told most for them.
fn ruled(first: &Weighed<'_>, second: &Weighed<'_>, weights: Weights) -> &'static str {
    const WORDS: [&str; Weights::COUNT] = [
        "is the least loaded",
        "is the ablest for it",
        "speaks its language, first",
        "knows its region, first",
        "knows its customer, first",
        "is the least loaded for one that has waited",
        "is of the team that had it, first",
    ];
    if first.score == second.score {
        return if first.agent.turn == second.agent.turn {
            "is the first by name of those who score the same"
        } else {
            "scores the same and is longest without a new case"
        };
    }
    let terms = first.terms.list().into_iter().zip(second.terms.list()).zip(weights.list());
    let gains = terms.map(|((mine, other), weight)| (mine - other) * i64::from(weight));
    let most = gains.zip(WORDS).max_by_key(|(gain, _)| *gain);
    most.map_or("scores highest", |(_, words)| words)
}

fn share(one: &Weighed<'_>) -> String {
    format!("{}/{}", one.agent.load, one.agent.profile.capacity)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::{AgentProfile, AgentRouting, Skill};
    use crate::routing::EarlierHandler;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn agent(id: &str, load: i32, capacity: i32) -> Agent {
        let profile = AgentProfile {
            id: id.to_owned(),
            department: "delivery".to_owned(),
            display_name: id.to_uppercase(),
            capacity,
            available: true,
            routing: AgentRouting::default(),
        };
        Agent { load, ..Agent::new(profile) }
    }

    fn decided(agents: &[Agent], wish: &Wish<'_>) -> Decision {
        choose(agents, wish, &RoutingPolicy::shipped(), NOW)
    }

    fn chosen(agents: &[Agent], wish: &Wish<'_>) -> Option<String> {
        decided(agents, wish).agent
    }

    #[test]
    fn the_least_loaded_for_their_capacity() {
        let agents = [agent("ann", 1, 2), agent("bo", 2, 5), agent("cy", 5, 5)];
        let decision = decided(&agents, &Wish::default());
        assert_eq!(decision.agent.as_deref(), Some("bo"));
        assert_eq!(decision.explanation, "bo is the least loaded of 2: bo 2/5, ann 1/2; 1 full");
        let ids: Vec<_> = decision.candidates.iter().map(|one| (one.agent.as_str(), one.barrier)).collect();
        assert_eq!(ids, [("bo", None), ("ann", None), ("cy", Some(Barrier::Full))]);
    }

    #[test]
    fn then_who_waits_longest_then_the_first() {
        let mut agents = [agent("ann", 1, 2), agent("bo", 2, 4), agent("cy", 1, 2)];
        agents[0].turn = 9;
        agents[1].turn = 3;
        agents[2].turn = 3;
        let decision = decided(&agents, &Wish::default());
        assert_eq!(decision.agent.as_deref(), Some("bo"));
        assert!(decision.explanation.contains("first by name"), "{}", decision.explanation);
        agents[2].turn = 2;
        let decision = decided(&agents, &Wish::default());
        assert_eq!(decision.agent.as_deref(), Some("cy"));
        assert!(decision.explanation.contains("longest without a new case"), "{}", decision.explanation);
    }

    #[test]
    fn never_whom_it_is_about_and_not_who_had_it_while_another_can() {
        let agents = [agent("ann", 0, 9), agent("bo", 8, 9), agent("cy", 0, 9)];
        let wish = Wish { respondent: "CY", previous: Some("ann"), ..Wish::default() };
        assert_eq!(chosen(&agents, &wish).as_deref(), Some("bo"));
        let alone = decided(&agents[..1], &wish);
        assert_eq!(alone.agent.as_deref(), Some("ann"));
        assert!(alone.explanation.ends_with("; handled the cycle before, and no other can take it"));
        let nobody = decided(&agents[2..], &wish);
        assert_eq!(
            (nobody.agent, nobody.explanation.as_str()),
            (None, "nobody can take it now; 1 concerned by the complaint")
        );
        let strict = RoutingPolicy { earlier_handler: EarlierHandler::Recused, ..RoutingPolicy::shipped() };
        assert_eq!(choose(&agents[..1], &wish, &strict, NOW).agent, None);
    }

    #[test]
    fn what_an_agent_can_do_outweighs_some_load_and_an_aged_case_goes_to_who_is_free() {
        let mut able = agent("able", 5, 10);
        able.profile.routing.skills = vec![Skill { name: "delivery".to_owned(), level: 5 }];
        let agents = [able, agent("free", 0, 10)];
        let fresh = Wish { category: "delivery/late", ..Wish::default() };
        let decision = decided(&agents, &fresh);
        assert_eq!(decision.agent.as_deref(), Some("able"));
        assert!(
            decision.explanation.starts_with("able is the ablest for it of 2"),
            "{}",
            decision.explanation
        );
        assert_eq!(decision.candidates[0].score, 100 * FULL_HALF + 60 * 1_000_000);
        let aged = Wish { waited: 86_400, ..fresh };
        assert_eq!(chosen(&agents, &aged).as_deref(), Some("free"));
    }

    const FULL_HALF: i64 = 500_000;

    #[test]
    fn a_language_a_region_and_a_customer_known_are_told() {
        let mut speaker = agent("speaker", 9, 10);
        speaker.profile.routing.languages = vec!["zh".to_owned()];
        let agents = [agent("ann", 0, 10), speaker];
        let decision = decided(&agents, &Wish { language: "zh-CN", ..Wish::default() });
        assert!(
            decision.explanation.starts_with("speaker speaks its language, first"),
            "{}",
            decision.explanation
        );
        let mut local = agent("local", 1, 10);
        local.profile.routing.regions = vec!["Kent".to_owned()];
        assert_eq!(
            chosen(&[agent("ann", 0, 10), local], &Wish { region: "kent", ..Wish::default() }).as_deref(),
            Some("local")
        );
        let agents = [agent("ann", 0, 10), agent("bo", 3, 10)];
        assert_eq!(chosen(&agents, &Wish { familiar: Some("bo"), ..Wish::default() }).as_deref(), Some("bo"));
    }

    #[test]
    fn a_sentence_names_few_a_decision_keeps_many_and_both_count_all() {
        let agents: Vec<Agent> = (0..140).map(|i| agent(&format!("a{i:03}"), i, 140)).collect();
        let decision = decided(&agents, &Wish::default());
        assert_eq!(
            decision.explanation,
            "a000 is the least loaded of 140: a000 0/140, a001 1/140, a002 2/140, a003 3/140, a004 4/140 and 135 more"
        );
        assert_eq!((decision.candidates.len(), decision.considered, decision.eligible), (KEPT, 140, 140));
        let full: Vec<Agent> = (0..140).map(|i| agent(&format!("a{i:03}"), 1, 1)).collect();
        let decision = decided(&full, &Wish::default());
        assert_eq!((decision.candidates.len(), decision.barriers[Barrier::Full as usize - 1]), (KEPT, 140));
    }
}
