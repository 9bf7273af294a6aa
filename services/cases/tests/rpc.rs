//! Each rpc and each event against a real database: good, bad, repeated, from
//! another tenant.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a scene that cannot be set up has failed")]

#[path = "rpc/calendars.rs"]
mod calendars;
#[path = "rpc/categories.rs"]
mod categories;
#[path = "rpc/classifiers.rs"]
mod classifiers;
#[path = "rpc/clocks.rs"]
mod clocks;
#[path = "rpc/complainants.rs"]
mod complainants;
#[path = "rpc/conversations.rs"]
mod conversations;
#[path = "rpc/departments.rs"]
mod departments;
#[path = "rpc/directories.rs"]
mod directories;
#[path = "rpc/due_times.rs"]
mod due_times;
#[path = "rpc/early_notices.rs"]
mod early_notices;
#[path = "rpc/escalated.rs"]
mod escalated;
#[path = "rpc/events.rs"]
mod events;
#[path = "rpc/grounds.rs"]
mod grounds;
#[path = "rpc/groups.rs"]
mod groups;
#[path = "rpc/history.rs"]
mod history;
#[path = "rpc/holding.rs"]
mod holding;
#[path = "rpc/hundred_thousand.rs"]
mod hundred_thousand;
#[path = "rpc/knowledge.rs"]
mod knowledge;
#[path = "rpc/links.rs"]
mod links;
#[path = "rpc/merged.rs"]
mod merged;
#[path = "rpc/mutations.rs"]
mod mutations;
#[path = "rpc/pauses.rs"]
mod pauses;
#[path = "rpc/people.rs"]
mod people;
#[path = "rpc/policies.rs"]
mod policies;
#[path = "rpc/promises.rs"]
mod promises;
#[path = "rpc/reads.rs"]
mod reads;
#[path = "rpc/receipt_codes.rs"]
mod receipt_codes;
#[path = "rpc/scene.rs"]
mod scene;
#[path = "rpc/search.rs"]
mod search;
#[path = "rpc/topics.rs"]
mod topics;
#[path = "rpc/training.rs"]
mod training;
#[path = "rpc/triage.rs"]
mod triage;
#[path = "rpc/windows.rs"]
mod windows;
#[path = "rpc/zones.rs"]
mod zones;
