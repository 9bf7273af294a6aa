//! The view of those who supervise: why open cases are looked at, and who sits on what.

use jiff::Timestamp;
use kernel::{CaseId, Money};

/// Most limits of money in a request, one per currency.
pub(crate) const MAX_LIMITS: usize = 10;
/// Most reasons in a request.
pub(crate) const MAX_REASONS: usize = 10;
/// Most holders told at once.
pub(crate) const MAX_HOLDERS: i32 = 500;
/// Holders told where the request says no number.
pub(crate) const HOLDERS: i32 = 50;

kernel::numbered! {
    /// Why those who supervise look at an open case.
    Reason {
        /// A promise was broken in its cycle, and its complainant was not told an outcome of it.
        Overdue = 1,
        /// It went one level up.
        Escalated = 2,
        /// It was reopened.
        Reworked = 3,
        /// An outcome of it was disputed.
        Disputed = 4,
        /// More money than the limit is asked for, or was paid.
        MoneyOverLimit = 5,
    }
}

/// Which open cases are looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scope {
    /// Those that lie with this department; none for all.
    pub(crate) department: Option<String>,
    /// Those of this agent, of nobody where it is empty; none for all.
    pub(crate) agent: Option<String>,
    /// Those looked at for one of these; empty for any of all.
    pub(crate) reasons: Vec<Reason>,
    /// Above how much a case is about much money, one of each currency.
    pub(crate) limits: Vec<Money>,
}

/// How many cases there are, by why they are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// That have not ended.
    pub(crate) open: i64,
    /// Of them, that have an outcome.
    pub(crate) resolved: i64,
    /// Overdue ones.
    pub(crate) overdue: i64,
    /// That went one level up.
    pub(crate) escalated: i64,
    /// Reopened ones.
    pub(crate) reworked: i64,
    /// Disputed ones.
    pub(crate) disputed: i64,
    /// About much money.
    pub(crate) over_limit: i64,
    /// Looked at for any reason.
    pub(crate) supervised: i64,
}

impl Counts {
    /// Adds those of somebody else.
    pub(crate) fn add(&mut self, other: Self) {
        let Self { open, resolved, overdue, escalated, reworked, disputed, over_limit, supervised } = other;
        self.open += open;
        self.resolved += resolved;
        self.overdue += overdue;
        self.escalated += escalated;
        self.reworked += reworked;
        self.disputed += disputed;
        self.over_limit += over_limit;
        self.supervised += supervised;
    }
}

/// What one agent, or nobody, has before them in a department.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    /// The agent; empty for what waits.
    pub(crate) agent: String,
    /// The department; empty where it is none.
    pub(crate) department: String,
    /// How many cases.
    pub(crate) counts: Counts,
    /// When the oldest of them without an outcome was received.
    pub(crate) oldest: Option<Timestamp>,
    /// When the promise that is longest broken was due.
    pub(crate) oldest_breach: Option<Timestamp>,
}

/// Who has open cases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Overview {
    /// All open cases together.
    pub(crate) totals: Counts,
    /// Those with most to look at.
    pub(crate) holders: Vec<Holder>,
    /// How many there are, told or not.
    pub(crate) holder_count: i64,
}

/// An open case that is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SupervisedCase {
    /// The case.
    pub(crate) id: CaseId,
    /// Its cycle.
    pub(crate) cycle: i32,
    /// Why it is looked at.
    pub(crate) reasons: Vec<Reason>,
    /// Who has it; empty while it waits.
    pub(crate) agent: String,
    /// The department it lies with; empty where it is none.
    pub(crate) department: String,
    /// What it is about.
    pub(crate) category: String,
    /// How urgent it is; 0 where that is not known.
    pub(crate) priority: i16,
    /// When it was received.
    pub(crate) received: Timestamp,
    /// When the first promise broken in its cycle was due.
    pub(crate) breached: Option<Timestamp>,
    /// When it first went one level up.
    pub(crate) escalated: Option<Timestamp>,
    /// When its cycle had its outcome.
    pub(crate) resolved: Option<Timestamp>,
    /// How much is asked for.
    pub(crate) sought: Option<Money>,
    /// How much was paid, by currency.
    pub(crate) paid: Vec<Money>,
}
