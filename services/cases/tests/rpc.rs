//! Each rpc and each event against a real database: good, bad, repeated, from
//! another tenant.
#![expect(clippy::expect_used, reason = "a scene that cannot be set up has failed")]

#[path = "rpc/events.rs"]
mod events;
#[path = "rpc/groups.rs"]
mod groups;
#[path = "rpc/hundred_thousand.rs"]
mod hundred_thousand;
#[path = "rpc/links.rs"]
mod links;
#[path = "rpc/mutations.rs"]
mod mutations;
#[path = "rpc/reads.rs"]
mod reads;
#[path = "rpc/scene.rs"]
mod scene;
#[path = "rpc/search.rs"]
mod search;
#[path = "rpc/windows.rs"]
mod windows;
