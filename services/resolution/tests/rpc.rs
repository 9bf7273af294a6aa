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
#[path = "rpc/endpoints.rs"]
mod endpoints;
#[path = "rpc/events.rs"]
mod events;
#[path = "rpc/handed_back.rs"]
mod handed_back;
#[path = "rpc/investigations.rs"]
mod investigations;
#[path = "rpc/ledger.rs"]
mod ledger;
#[path = "rpc/lookahead.rs"]
mod lookahead;
#[path = "rpc/plans.rs"]
mod plans;
#[path = "rpc/policy_versions.rs"]
mod policy_versions;
#[path = "rpc/problem_hints.rs"]
mod problem_hints;
#[path = "rpc/proposals.rs"]
mod proposals;
#[path = "rpc/push.rs"]
mod push;
#[path = "rpc/push_changes.rs"]
mod push_changes;
#[path = "rpc/push_grpc.rs"]
mod push_grpc;
#[path = "rpc/queue.rs"]
mod queue;
#[path = "rpc/reached.rs"]
mod reached;
#[path = "rpc/reads.rs"]
mod reads;
#[path = "rpc/recall_tasks.rs"]
mod recall_tasks;
#[path = "rpc/recalls.rs"]
mod recalls;
#[path = "rpc/recalls_called_off.rs"]
mod recalls_called_off;
#[path = "rpc/remedy_results.rs"]
mod remedy_results;
#[path = "rpc/remedy_types.rs"]
mod remedy_types;
#[path = "rpc/reports.rs"]
mod reports;
#[path = "rpc/revision_failures.rs"]
mod revision_failures;
#[path = "rpc/revision_rules.rs"]
mod revision_rules;
#[path = "rpc/revisions.rs"]
mod revisions;
#[path = "rpc/saga.rs"]
mod saga;
#[path = "rpc/saga_failures.rs"]
mod saga_failures;
#[path = "rpc/scope.rs"]
mod scope;
#[path = "rpc/statements.rs"]
mod statements;
#[path = "rpc/stock.rs"]
mod stock;
#[path = "rpc/stock_alerts.rs"]
mod stock_alerts;
#[path = "rpc/streams.rs"]
mod streams;
#[path = "rpc/supervision.rs"]
mod supervision;
#[path = "rpc/unknown.rs"]
mod unknown;
#[path = "rpc/urgency.rs"]
mod urgency;
#[path = "rpc/world.rs"]
mod world;
#[path = "rpc/write_offs.rs"]
mod write_offs;
