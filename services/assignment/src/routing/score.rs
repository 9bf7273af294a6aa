//! How well an agent fits a case: pure, and the same whatever the order of what it is given.

use jiff::Timestamp;

use crate::assignment::Assignment;
use crate::roster::{Agent, Presence};
use crate::routing::policy::{EarlierHandler, RoutingPolicy, Weights};

/// A whole share, in millionths.
pub const FULL: i64 = 1_000_000;
/// The best level of a skill.
const BEST_LEVEL: i64 = 5;
/// How long a case waits until that counts in full, in seconds.
const WAITING_FULL_SECONDS: i64 = 86_400;

/// What a case asks of its handler.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wish<'a> {
    /// Member of staff it is about, who must not handle it; empty when none.
    pub respondent: &'a str,
    /// Customer number; empty when unknown.
    pub customer: &'a str,
    /// Language to answer in; empty when unknown.
    pub language: &'a str,
    /// Where the complainant is; empty when unknown.
    pub region: &'a str,
    /// What it is about.
    pub category: &'a str,
    /// Who handled the cycle before.
    pub previous: Option<&'a str>,
    /// Who handled a case of this customer last.
    pub familiar: Option<&'a str>,
    /// Who passed it on in this cycle.
    pub passed: &'a [String],
    /// How long it has waited, in seconds.
    pub waited: i64,
}

impl<'a> Wish<'a> {
    /// What a case asks at a moment.
    pub fn of(case: &'a Assignment, now: Timestamp) -> Self {
        Self {
            respondent: &case.origin.respondent,
            customer: &case.origin.customer,
            language: &case.origin.language,
            region: &case.origin.region,
            category: &case.category,
            previous: case.previous_agent.as_deref(),
            familiar: case.familiar_agent.as_deref(),
            passed: &case.passed,
            waited: now.duration_since(case.enqueued).as_secs(),
        }
    }

    /// The team of who had it before, as far as they are of these agents; none where they are
    /// of none.
    pub fn team<'b>(&self, agents: &'b [Agent]) -> Option<&'b str> {
        let before = self.passed.last().map(String::as_str).or(self.previous)?;
        let before = agents.iter().find(|agent| agent.profile.id == before)?;
        Some(before.profile.routing.team.as_str()).filter(|team| !team.is_empty())
    }
}

/// What keeps a case from an agent; the first that does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Barrier {
    /// It is about them.
    Recused = 1,
    /// They declared a conflict.
    Conflict = 2,
    /// They handled the cycle before.
    EarlierHandler = 3,
    /// They passed it on in this cycle.
    Passed = 4,
    /// They are not available.
    Away = 5,
    /// Their shift is not on.
    OffShift = 6,
    /// They are absent.
    Absent = 7,
    /// They leave.
    Leaving = 8,
    /// They hold as many cases as they can.
    Full = 9,
}

impl Barrier {
    /// How many there are.
    pub const COUNT: usize = 9;
    /// All of them, in order.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Recused,
        Self::Conflict,
        Self::EarlierHandler,
        Self::Passed,
        Self::Away,
        Self::OffShift,
        Self::Absent,
        Self::Leaving,
        Self::Full,
    ];

    /// In words, after a number.
    pub fn words(self) -> &'static str {
        match self {
            Self::Recused => "concerned by the complaint",
            Self::Conflict => "in a declared conflict",
            Self::EarlierHandler => "handled the cycle before",
            Self::Passed => "passed it on",
            Self::Away => "away",
            Self::OffShift => "off shift",
            Self::Absent => "absent",
            Self::Leaving => "leaving",
            Self::Full => "full",
        }
    }
}

/// What keeps an agent from a case for good, whoever gives it to them: that it is about
/// them, a conflict, or that a rework must be another's.
pub fn recusal(agent: &Agent, wish: &Wish<'_>, policy: &RoutingPolicy) -> Option<Barrier> {
    let id = agent.profile.id.as_str();
    if !wish.respondent.is_empty() && agent.is_recused(wish.respondent) {
        Some(Barrier::Recused)
    } else if agent.is_in_conflict(wish.customer, wish.respondent) {
        Some(Barrier::Conflict)
    } else if policy.earlier_handler == EarlierHandler::Recused && wish.previous == Some(id) {
        Some(Barrier::EarlierHandler)
    } else {
        None
    }
}

/// What keeps an agent from a case as things stand, whatever the hour and their room.
pub fn lasting_barrier(agent: &Agent, wish: &Wish<'_>, policy: &RoutingPolicy) -> Option<Barrier> {
    recusal(agent, wish, policy).or_else(|| {
        if wish.passed.contains(&agent.profile.id) {
            Some(Barrier::Passed)
        } else if agent.is_leaving {
            Some(Barrier::Leaving)
        } else {
            (agent.profile.capacity == 0).then_some(Barrier::Full)
        }
    })
}

/// What keeps routing from giving an agent a case now.
pub fn barrier(agent: &Agent, wish: &Wish<'_>, policy: &RoutingPolicy, now: Timestamp) -> Option<Barrier> {
    recusal(agent, wish, policy).or_else(|| {
        if wish.passed.contains(&agent.profile.id) {
            return Some(Barrier::Passed);
        }
        match agent.presence(now) {
            Presence::Leaving => Some(Barrier::Leaving),
            Presence::Absent => Some(Barrier::Absent),
            Presence::Away => Some(Barrier::Away),
            Presence::OffShift => Some(Barrier::OffShift),
            Presence::Present => (!agent.has_room()).then_some(Barrier::Full),
        }
    })
}

/// A score taken apart: each term as a share, in millionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Room left.
    pub load: i64,
    /// Skill for what the case is about.
    pub skill: i64,
    /// The case's language.
    pub language: i64,
    /// The case's region.
    pub region: i64,
    /// They handled a case of this customer last.
    pub affinity: i64,
    /// Room left, the more the longer the case has waited.
    pub waiting: i64,
    /// They are of the team of who had it before.
    pub team: i64,
}

impl Terms {
    /// How well an agent fits a case, which one of this team had before, if of any.
    pub fn of(agent: &Agent, wish: &Wish<'_>, team: Option<&str>) -> Self {
        let capacity = i64::from(agent.profile.capacity.max(1));
        let room = (capacity - i64::from(agent.load)).max(0);
        let load = FULL * room / capacity;
        let whole = |holds: bool| if holds { FULL } else { 0 };
        let waited = wish.waited.clamp(0, WAITING_FULL_SECONDS);
        Self {
            load,
            skill: FULL * i64::from(agent.skill_for(wish.category)) / BEST_LEVEL,
            language: whole(!wish.language.is_empty() && agent.speaks(wish.language)),
            region: whole(!wish.region.is_empty() && agent.knows_region(wish.region)),
            affinity: whole(wish.familiar == Some(agent.profile.id.as_str())),
            waiting: load * waited / WAITING_FULL_SECONDS,
            team: whole(team.is_some_and(|team| team == agent.profile.routing.team)),
        }
    }

    /// As one list, in the order of the fields.
    pub fn list(self) -> [i64; Weights::COUNT] {
        let Self { load, skill, language, region, affinity, waiting, team } = self;
        [load, skill, language, region, affinity, waiting, team]
    }

    /// The score by these weights.
    pub fn score(self, weights: Weights) -> i64 {
        self.list().into_iter().zip(weights.list()).map(|(term, weight)| term * i64::from(weight)).sum()
    }
}
