//! Each rpc and each event against a real database: good, bad, repeated, from
//! another tenant.
#![expect(clippy::expect_used, reason = "a scene that cannot be set up has failed")]

#[path = "rpc/categories.rs"]
mod categories;
#[path = "rpc/classifiers.rs"]
mod classifiers;
#[path = "rpc/events.rs"]
mod events;
#[path = "rpc/mutations.rs"]
mod mutations;
#[path = "rpc/reads.rs"]
mod reads;
#[path = "rpc/scene.rs"]
mod scene;
#[path = "rpc/search.rs"]
mod search;
#[path = "rpc/triage.rs"]
mod triage;
#[path = "rpc/windows.rs"]
mod windows;
