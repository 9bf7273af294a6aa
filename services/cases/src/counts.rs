//! How many cases there are, and how long they took. Pure.

use vocabulary::{Channel, Priority, State};

/// How many cases share state, category, priority and channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Count {
    /// Where they stand.
    pub(crate) state: State,
    /// What they are about.
    pub(crate) category: String,
    /// How urgent they are.
    pub(crate) priority: Priority,
    /// The road they came by.
    pub(crate) channel: Channel,
    /// How many.
    pub(crate) cases: i64,
}

/// How long it took from registration, in milliseconds; none where it has not
/// happened yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Durations {
    /// Half were assigned within this.
    pub(crate) assign_p50: Option<i64>,
    /// 99 % were assigned within this.
    pub(crate) assign_p99: Option<i64>,
    /// Half were resolved within this.
    pub(crate) resolve_p50: Option<i64>,
    /// 99 % were resolved within this.
    pub(crate) resolve_p99: Option<i64>,
}
