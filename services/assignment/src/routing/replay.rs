//! Who would have had past cases by other weights: a department's day gone through once
//! more, pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::assignment::Origin;
use crate::queue::Place;
use crate::roster::{Agent, AgentProfile, AgentRouting};
use crate::routing::policy::RoutingPolicy;
use crate::routing::pool::AgentPool;
use crate::routing::score::Wish;
use vocabulary::Priority;

/// Most cases at the front of a queue that are looked at for the room one case left.
const LOOKED_AT: usize = 50;

/// A cycle as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastCase {
    /// The case.
    pub case_id: Uuid,
    /// Its cycle.
    pub cycle: i32,
    /// When it began to want a handler.
    pub enqueued: Timestamp,
    /// When it was decided last who has it.
    pub decided: Timestamp,
    /// When it was over.
    pub released: Option<Timestamp>,
    /// Who had it.
    pub agent: Option<String>,
    /// How urgent it was.
    pub priority: Priority,
    /// It came in the bulk lane.
    pub is_bulk: bool,
    /// What it was about.
    pub category: String,
    /// Whose it was and about whom.
    pub origin: Origin,
    /// Who handled the cycle before.
    pub previous: Option<String>,
    /// Who handled a case of the customer last.
    pub familiar: Option<String>,
}

impl PastCase {
    /// How long it waited; none when nobody had it.
    pub fn waited(&self) -> Option<SignedDuration> {
        self.agent.as_ref().map(|_| self.decided.duration_since(self.enqueued))
    }

    /// How long it was handled; none when it is not over, or nobody had it.
    fn handled(&self) -> Option<SignedDuration> {
        let released = self.released.filter(|_| self.agent.is_some())?;
        Some(released.duration_since(self.decided).max(SignedDuration::ZERO))
    }

    fn wish(&self, now: Timestamp) -> Wish<'_> {
        Wish {
            respondent: &self.origin.respondent,
            customer: &self.origin.customer,
            language: &self.origin.language,
            region: &self.origin.region,
            category: &self.category,
            previous: self.previous.as_deref(),
            familiar: self.familiar.as_deref(),
            passed: &[],
            waited: now.duration_since(self.enqueued).as_secs(),
        }
    }
}

/// What would have become of a cycle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Who would have had it.
    pub agent: Option<String>,
    /// How long it would have waited; none when it would still wait.
    pub waited: Option<SignedDuration>,
}

/// Goes through cycles in time; answers what would have become of each, in their order.
pub fn replay(agents: Vec<Agent>, cases: &[PastCase], policy: &RoutingPolicy) -> Vec<Replayed> {
    let agents = agents.into_iter().filter(|agent| !agent.is_leaving).map(idle).collect();
    let outcomes = vec![Replayed::default(); cases.len()];
    let mut day = Day {
        pool: AgentPool::of(agents),
        cases,
        policy,
        waiting: BTreeSet::new(),
        ends: BTreeMap::new(),
        outcomes,
    };
    let mut arrivals: Vec<usize> = (0..cases.len()).collect();
    arrivals.sort_by_key(|at| (cases[*at].enqueued, *at));
    for at in arrivals {
        let now = cases[at].enqueued;
        day.end_until(now);
        if !day.try_give(at, now) {
            day.waiting.insert((day.place(at), at));
        }
    }
    day.end_until(Timestamp::MAX);
    day.outcomes
}

/// An agent with nothing to do, there at all hours.
fn idle(agent: Agent) -> Agent {
    let routing = AgentRouting { shift: None, ..agent.profile.routing.clone() };
    Agent::new(AgentProfile { available: true, routing, ..agent.profile })
}

/// A day that is gone through.
struct Day<'a> {
    pool: AgentPool,
    cases: &'a [PastCase],
    policy: &'a RoutingPolicy,
    waiting: BTreeSet<(Place, usize)>,
    /// Cases that end, by when.
    ends: BTreeMap<(Timestamp, usize), String>,
    outcomes: Vec<Replayed>,
}

impl Day<'_> {
    fn place(&self, at: usize) -> Place {
        let case = &self.cases[at];
        Place::of(case.case_id, case.enqueued, case.priority, case.is_bulk)
    }

    /// Ends what ends up to a moment, and gives the room to who waits.
    fn end_until(&mut self, until: Timestamp) {
        while let Some(entry) = self.ends.first_entry().filter(|entry| entry.key().0 <= until) {
            let ((now, _), agent) = entry.remove_entry();
            self.pool.free(&agent);
            let front: Vec<(Place, usize)> = self.waiting.iter().take(LOOKED_AT).copied().collect();
            for (place, at) in front {
                if self.try_give(at, now) {
                    self.waiting.remove(&(place, at));
                    break;
                }
            }
        }
    }

    /// Gives a case to the best agent, if anyone can take it.
    fn try_give(&mut self, at: usize, now: Timestamp) -> bool {
        let case = &self.cases[at];
        let Some(agent) = self.pool.give(&case.wish(now), self.policy, now).agent else { return false };
        if let Some(end) = case.handled().and_then(|handled| now.saturating_add(handled).ok()) {
            self.ends.insert((end, at), agent.clone());
        }
        let waited = Some(now.duration_since(case.enqueued));
        self.outcomes[at] = Replayed { agent: Some(agent), waited };
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::roster::Skill;
    use crate::routing::Weights;

    fn agent(id: &str, capacity: i32, level: i32) -> Agent {
        let skills = vec![Skill { name: "x".to_owned(), level }];
        let routing = AgentRouting { skills, ..AgentRouting::default() };
        Agent::new(AgentProfile {
            id: id.to_owned(),
            department: "d".to_owned(),
            display_name: String::new(),
            capacity,
            available: false,
            routing,
        })
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute)
    }

    fn case(id: u128, enqueued: i64, handled: Option<i64>, priority: Priority) -> PastCase {
        PastCase {
            case_id: Uuid::from_u128(id),
            cycle: 1,
            enqueued: at(enqueued),
            decided: at(enqueued),
            released: handled.map(|handled| at(enqueued + handled)),
            agent: Some("who".to_owned()),
            priority,
            is_bulk: false,
            category: "x".to_owned(),
            origin: Origin::default(),
            previous: None,
            familiar: None,
        }
    }

    fn by(load: i32, skill: i32) -> RoutingPolicy {
        let weights = Weights { load, skill, language: 0, region: 0, affinity: 0, waiting: 0, team: 0 };
        RoutingPolicy { weights, ..RoutingPolicy::shipped() }
    }

    fn agents_of(replayed: &[Replayed]) -> Vec<&str> {
        replayed.iter().map(|one| one.agent.as_deref().unwrap_or_default()).collect()
    }

    #[test]
    fn other_weights_give_cases_to_others() {
        let staff = vec![agent("able", 2, 5), agent("free", 9, 1)];
        let cases: Vec<PastCase> = (0..3).map(|id| case(id, 0, None, Priority::P3)).collect();
        assert_eq!(agents_of(&replay(staff.clone(), &cases, &by(1, 1_000))), ["able", "able", "free"]);
        assert_eq!(agents_of(&replay(staff, &cases, &by(1_000, 0))), ["able", "free", "free"]);
    }

    #[test]
    fn what_finds_no_room_waits_for_it_the_more_urgent_first() {
        let cases = [
            case(1, 0, Some(10), Priority::P3),
            case(2, 1, Some(10), Priority::P3),
            case(3, 2, None, Priority::P1),
        ];
        let replayed = replay(vec![agent("ann", 1, 1)], &cases, &by(1, 1));
        let waited: Vec<_> = replayed.iter().map(|one| one.waited.map(|waited| waited.as_mins())).collect();
        assert_eq!(waited, [Some(0), None, Some(8)], "and what is not over keeps its agent");
    }

    proptest! {
        #[test]
        fn a_replay_exceeds_nobodys_capacity_and_is_always_the_same(
            capacities in vec(0..3_i32, 0..4), rows in vec((0..60_i64, prop::option::of(0..30_i64), 0..4_usize), 0..40),
        ) {
            const ALL: [Priority; 4] = [Priority::P1, Priority::P2, Priority::P3, Priority::P4];
            let staff: Vec<Agent> =
                capacities.iter().enumerate().map(|(i, capacity)| agent(&format!("a{i}"), *capacity, 1)).collect();
            let cases: Vec<PastCase> =
                rows.iter().enumerate().map(|(i, (from, long, p))| case(i as u128, *from, *long, ALL[*p])).collect();
            let replayed = replay(staff.clone(), &cases, &by(100, 10));
            prop_assert_eq!(&replay(staff, &cases, &by(100, 10)), &replayed);
            for minute in 0..200 {
                for (i, capacity) in capacities.iter().enumerate() {
                    let id = format!("a{i}");
                    let holds = |(one, (from, long, _)): &(&Replayed, &(i64, Option<i64>, usize))| {
                        let begun = one.waited.map(|waited| from + waited.as_mins());
                        let ends = |begun: i64| long.is_none_or(|long| minute < begun + long);
                        one.agent.as_deref() == Some(&id) && begun.is_some_and(|begun| begun <= minute && ends(begun))
                    };
                    let held = replayed.iter().zip(&rows).filter(holds).count();
                    prop_assert!(held <= usize::try_from(*capacity).unwrap_or(0));
                }
            }
        }
    }
}
