//! Each rpc and each event against a real database: good, bad, repeated, raced,
//! and another tenant's.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "rpc/acting.rs"]
mod acting;
#[path = "rpc/approval_policies.rs"]
mod approval_policies;
#[path = "rpc/approvals.rs"]
mod approvals;
#[path = "rpc/delegations.rs"]
mod delegations;
#[path = "rpc/departments.rs"]
mod departments;
#[path = "rpc/events.rs"]
mod events;
#[path = "rpc/handed_back.rs"]
mod handed_back;
#[path = "rpc/ledger.rs"]
mod ledger;
#[path = "rpc/plans.rs"]
mod plans;
#[path = "rpc/policy_versions.rs"]
mod policy_versions;
#[path = "rpc/proposals.rs"]
mod proposals;
#[path = "rpc/queue.rs"]
mod queue;
#[path = "rpc/reads.rs"]
mod reads;
#[path = "rpc/reports.rs"]
mod reports;
#[path = "rpc/saga.rs"]
mod saga;
#[path = "rpc/scope.rs"]
mod scope;
#[path = "rpc/statements.rs"]
mod statements;
#[path = "rpc/streams.rs"]
mod streams;
#[path = "rpc/unknown.rs"]
mod unknown;
#[path = "rpc/world.rs"]
mod world;
