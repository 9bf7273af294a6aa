//! Each rpc and each event against a real database: good, bad, repeated, from
//! another tenant.
#![expect(clippy::expect_used, reason = "a scene that cannot be set up has failed")]

#[path = "rpc/calendars.rs"]
mod calendars;
#[path = "rpc/clocks.rs"]
mod clocks;
#[path = "rpc/events.rs"]
mod events;
#[path = "rpc/mutations.rs"]
mod mutations;
#[path = "rpc/pauses.rs"]
mod pauses;
#[path = "rpc/policies.rs"]
mod policies;
#[path = "rpc/reads.rs"]
mod reads;
#[path = "rpc/scene.rs"]
mod scene;
#[path = "rpc/search.rs"]
mod search;
#[path = "rpc/windows.rs"]
mod windows;
