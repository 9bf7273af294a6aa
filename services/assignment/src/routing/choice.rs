//! Which of a department's agents takes a case, and why.

use std::cmp::Ordering;
use std::fmt::Write as _;

use jiff::Timestamp;

use crate::roster::{Agent, Presence};

/// How many candidates an explanation names.
const NAMED: usize = 5;

/// What a case asks of its handler.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wish<'a> {
    /// Member of staff it is about, who must not handle it; empty when none.
    pub respondent: &'a str,
    /// Who handled the cycle before: passed over while another can take it.
    pub previous: Option<&'a str>,
}

/// Who takes a case, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice<'a> {
    /// The agent; none when nobody can.
    pub agent: Option<&'a Agent>,
    /// Candidates considered and what ruled.
    pub explanation: String,
}

/// Chooses among the agents of a department.
pub fn choose<'a>(agents: &'a [Agent], wish: Wish<'_>, now: Timestamp) -> Choice<'a> {
    let mut tally = Tally::default();
    let mut candidates: Vec<&Agent> = agents.iter().filter(|agent| tally.admits(agent, wish, now)).collect();
    let passed_over = pass_over_previous(&mut candidates, wish.previous);
    // More than are named need no order.
    let considered = candidates.len();
    if considered > NAMED {
        candidates.select_nth_unstable_by(NAMED, |a, b| order(a, b));
        candidates.truncate(NAMED);
    }
    candidates.sort_unstable_by(|a, b| order(a, b));
    let explanation = explain(&candidates, considered, passed_over, &tally);
    Choice { agent: candidates.first().copied(), explanation }
}

/// Why agents were left out, counted.
#[derive(Default)]
struct Tally {
    recused: usize,
    away: usize,
    full: usize,
}

impl Tally {
    fn admits(&mut self, agent: &Agent, wish: Wish<'_>, now: Timestamp) -> bool {
        let reason = if agent.is_recused(wish.respondent) {
            &mut self.recused
        } else if agent.presence(now) != Presence::Present {
            &mut self.away
        } else if !agent.has_room() {
            &mut self.full
        } else {
            return true;
        };
        *reason += 1;
        false
    }
}

fn pass_over_previous<'a>(candidates: &mut Vec<&'a Agent>, previous: Option<&str>) -> Option<&'a Agent> {
    if candidates.len() < 2 {
        return None;
    }
    let at = candidates.iter().position(|agent| Some(agent.profile.id.as_str()) == previous)?;
    Some(candidates.swap_remove(at))
}

fn order(a: &Agent, b: &Agent) -> Ordering {
    by_load(a, b).then(a.turn.cmp(&b.turn)).then_with(|| a.profile.id.cmp(&b.profile.id))
}

/// load/capacity, compared without dividing: both have room, so neither capacity
/// is 0.
fn by_load(a: &Agent, b: &Agent) -> Ordering {
    let left = i64::from(a.load) * i64::from(b.profile.capacity);
    let right = i64::from(b.load) * i64::from(a.profile.capacity);
    left.cmp(&right)
}

fn explain(best: &[&Agent], considered: usize, passed_over: Option<&Agent>, tally: &Tally) -> String {
    let mut text = match best {
        [] => "nobody has room".to_owned(),
        [only] => format!("{} is the only one who can take it: {}", only.profile.id, share(only)),
        [first, second, ..] => {
            let ruled = if by_load(first, second) != Ordering::Equal {
                "the least loaded"
            } else if first.turn == second.turn {
                "the first by name of those equally loaded"
            } else {
                "equally loaded and longest without a new case"
            };
            let named: Vec<String> =
                best.iter().map(|agent| format!("{} {}", agent.profile.id, share(agent))).collect();
            format!("{} is {ruled} of {considered}: {}", first.profile.id, named.join(", "))
        }
    };
    if considered > best.len() {
        let _ = write!(text, " and {} more", considered - best.len());
    }
    if let Some(previous) = passed_over {
        let _ = write!(text, "; {} handled the cycle before", previous.profile.id);
    }
    for (count, reason) in
        [(tally.recused, "concerned by the complaint"), (tally.full, "full"), (tally.away, "away")]
    {
        if count > 0 {
            let _ = write!(text, "; {count} {reason}");
        }
    }
    text
}

fn share(agent: &Agent) -> String {
    format!("{}/{}", agent.load, agent.profile.capacity)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::{AgentProfile, AgentRouting};

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

    fn chosen<'a>(agents: &'a [Agent], wish: Wish<'_>) -> Option<&'a str> {
        choose(agents, wish, NOW).agent.map(|agent| agent.profile.id.as_str())
    }

    #[test]
    fn the_least_loaded_for_their_capacity() {
        let agents = [agent("ann", 1, 2), agent("bo", 2, 5), agent("cy", 5, 5)];
        let choice = choose(&agents, Wish::default(), NOW);
        assert_eq!(choice.agent, Some(&agents[1]));
        assert_eq!(choice.explanation, "bo is the least loaded of 2: bo 2/5, ann 1/2; 1 full");
    }

    #[test]
    fn then_who_waits_longest_then_the_first() {
        let mut agents = [agent("ann", 1, 2), agent("bo", 2, 4), agent("cy", 1, 2)];
        agents[0].turn = 9;
        agents[1].turn = 3;
        agents[2].turn = 3;
        let choice = choose(&agents, Wish::default(), NOW);
        assert_eq!(choice.agent, Some(&agents[1]));
        assert!(choice.explanation.contains("first by name"), "{}", choice.explanation);
        agents[2].turn = 2;
        let choice = choose(&agents, Wish::default(), NOW);
        assert_eq!(choice.agent, Some(&agents[2]));
        assert!(choice.explanation.contains("longest without a new case"), "{}", choice.explanation);
    }

    #[test]
    fn never_whom_it_is_about_and_not_who_had_it_while_another_can() {
        let agents = [agent("ann", 0, 9), agent("bo", 8, 9), agent("cy", 0, 9)];
        let wish = Wish { respondent: "CY", previous: Some("ann") };
        assert_eq!(chosen(&agents, wish), Some("bo"));
        assert_eq!(chosen(&agents[..1], wish), Some("ann"));
        let choice = choose(&agents[2..], wish, NOW);
        assert_eq!(
            (choice.agent, choice.explanation.as_str()),
            (None, "nobody has room; 1 concerned by the complaint")
        );
    }

    #[test]
    fn an_explanation_names_few_and_counts_all() {
        let agents: Vec<Agent> = (0..40).map(|i| agent(&format!("a{i:02}"), i, 40)).collect();
        let text = choose(&agents, Wish::default(), NOW).explanation;
        assert_eq!(
            text,
            "a00 is the least loaded of 40: a00 0/40, a01 1/40, a02 2/40, a03 3/40, a04 4/40 and 35 more"
        );
    }
}
