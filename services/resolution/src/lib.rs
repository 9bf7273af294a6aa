//! Resolution: has remedies carried out.
//!
//! Owns remedy plans, their approval, the tasks departments poll for, the
//! undoing of what was done when a plan is cancelled, and the ledger of all that. Never talks to the
//! complainant, and never moves money or goods itself: a department does, with the
//! task id as its idempotency key.
//!
//! What must hold, whatever is retried, lost or killed:
//!
//! - nobody approves their own plan or one plan twice, or carries out the money of one they
//!   proposed or approved; whom a complaint is about does none of it; what goes beyond the tenant's
//!   caps or beyond what was sought is approved by two at least, the rest by as many as the
//!   tenant's policy says, or by a rule of it; a case has one open plan at most;
//! - a step becomes one task, once the steps it depends on are done; a plan is
//!   completed once;
//! - a task is held by one worker, and only its last holder is heard;
//! - a department never reports more moved than was approved; every sum that is promised,
//!   approved, moved, collected again or given up is booked once, in the transaction
//!   that makes it true, and no account of a step is overdrawn ([`ledger`]);
//! - what was done of a cancelled plan is undone once, in reverse order, and not
//!   while something of it may still be done.
//!
//! To add an rpc: the contract; its reading in `wire`; the rule in the noun
//! ([`plan`], [`task`]); its statement in `store`; its function in `rpc`; its good,
//! bad and repeated call in `tests/rpc.rs`.

pub mod acting;
pub mod approval;
pub mod case;
pub mod delegation;
pub mod department;
mod flow;
pub mod ledger;
pub mod plan;
mod poll_fairness;
pub mod proposal;
mod react;
pub mod refusal;
pub mod remedy;
mod rpc;
mod store;
pub mod task;
mod wire;

use std::sync::Arc;

use proto::redress::resolution::v1::approval_service_server::ApprovalServiceServer;
use proto::redress::resolution::v1::department_service_server::DepartmentServiceServer;
use proto::redress::resolution::v1::ledger_service_server::LedgerServiceServer;
use proto::redress::resolution::v1::proposal_service_server::ProposalServiceServer;
use proto::redress::resolution::v1::resolution_service_server::ResolutionServiceServer;
use server::{Kit, Parts, Service};
use sqlx::migrate::Migrator;

static MIGRATIONS: Migrator = sqlx::migrate!();

/// The service, as a process hosts it.
pub const SERVICE: Service = Service { name: "resolution", port: 50054, migrations: &MIGRATIONS, open };

#[expect(clippy::unnecessary_wraps, reason = "opening a service may fail; this one does not")]
fn open(kit: &Kit, parts: &mut Parts) -> anyhow::Result<()> {
    let departments = Arc::new(flow::departments::Departments::default());
    let resolution = rpc::Resolution::new(kit.db.clone(), Arc::clone(&departments));
    parts.route(ResolutionServiceServer::new(resolution));
    parts.route(LedgerServiceServer::new(rpc::Ledger::new(kit.db.clone(), departments)));
    parts.route(ProposalServiceServer::new(rpc::TaskProposals::new(kit.db.clone())));
    parts.route(ApprovalServiceServer::new(rpc::PlanApprovals::new(kit.db.clone())));
    parts.route(DepartmentServiceServer::new(rpc::DepartmentQueues::new(kit.db.clone())));
    parts.react(react::Reactions);
    let db = kit.db.clone();
    parts.worker("timers", move |stop| {
        timers::run(db, vec![Arc::new(flow::department_watch::DepartmentWatch)], stop)
    });
    parts.queue_age(&kit.db, "redress.task.age", store::tasks::oldest_ready());
    Ok(())
}
