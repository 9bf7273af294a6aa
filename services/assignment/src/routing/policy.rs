//! How agents are chosen, as data.

use jiff::{SignedDuration, Timestamp};

/// Most versions that a tenant may make.
pub const MAX_POLICIES: i32 = 500;

/// What each term of a score is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weights {
    /// Room left.
    pub load: i32,
    /// Skill for what the case is about.
    pub skill: i32,
    /// The case's language.
    pub language: i32,
    /// The case's region.
    pub region: i32,
    /// They handled a case of this customer last.
    pub affinity: i32,
    /// Room left, the more the longer the case has waited.
    pub waiting: i32,
    /// They are of the team of who had it before.
    pub team: i32,
}

impl Weights {
    /// How many there are.
    pub const COUNT: usize = 7;
    /// Those that are shipped.
    pub const SHIPPED: Self =
        Self { load: 100, skill: 60, language: 120, region: 20, affinity: 40, waiting: 100, team: 40 };

    /// As one list, in the order of the fields.
    pub fn list(self) -> [i32; Self::COUNT] {
        let Self { load, skill, language, region, affinity, waiting, team } = self;
        [load, skill, language, region, affinity, waiting, team]
    }

    /// Of one list, in the order of the fields.
    pub fn of([load, skill, language, region, affinity, waiting, team]: [i32; Self::COUNT]) -> Self {
        Self { load, skill, language, region, affinity, waiting, team }
    }
}

kernel::numbered! {
    /// Whether who handled a cycle may handle the next.
    EarlierHandler {
        /// Where nobody else can take it.
        Avoided = 1,
        /// Never.
        Recused = 2,
    }
}

/// How agents are chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutingPolicy {
    /// Which version; 0 is the shipped one.
    pub version: i32,
    /// What the terms of a score are worth.
    pub weights: Weights,
    /// Whether who handled a cycle may handle the next.
    pub earlier_handler: EarlierHandler,
    /// How long an agent has to accept, in seconds; 0 for ever.
    pub accept_seconds: i32,
    /// Why there is this version.
    pub note: String,
    /// When it was made; none for the shipped one.
    pub created: Option<Timestamp>,
    /// Whether it is in force.
    pub is_active: bool,
}

impl RoutingPolicy {
    /// The one that is shipped.
    pub fn shipped() -> Self {
        Self {
            version: 0,
            weights: Weights::SHIPPED,
            earlier_handler: EarlierHandler::Avoided,
            accept_seconds: 86_400,
            note: String::new(),
            created: None,
            is_active: true,
        }
    }

    /// Until when an agent who is given a case at a moment has time to accept it.
    pub fn accept_by(&self, now: Timestamp) -> Option<Timestamp> {
        let time = SignedDuration::from_secs(i64::from(self.accept_seconds));
        if self.accept_seconds > 0 { now.saturating_add(time).ok() } else { None }
    }
}
