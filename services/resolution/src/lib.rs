//! Resolution: has remedies carried out.
//!
//! Owns remedy plans, their approval, the tasks departments poll for or are brought, the
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
//! - what is brought to a department is leased for it first, and told under one id until it
//!   is answered ([`delivery`]);
//! - a department never reports more moved than was approved; every sum that is promised,
//!   approved, moved, collected again or given up is booked once, in the transaction
//!   that makes it true, and no account of a step is overdrawn ([`ledger`]);
//! - what departments are asked on a case is open no longer than the case, and each answer
//!   is told once;
//! - a task whose department lacks goods waits until they are expected, and burns no attempt;
//! - what a department is asked about a problem is a task once, outlives what becomes of its
//!   case, and is answered under the id it was asked for by ([`problem_hint`]);
//! - a case is in a recall once, and a recall outlives what becomes of its cases
//!   ([`recall`]);
//! - what is overdue is told once for each due time, and climbs each rung of the tenant's
//!   ladder once ([`supervision`]);
//! - what was done of a cancelled plan is undone once, in reverse order, and not
//!   while something of it may still be done;
//! - a plan that is revised keeps what is executed, undoes what is taken out as if that were
//!   cancelled, and pays nothing in place of what is not undone yet; nothing of a revision holds
//!   before it is approved ([`plan::revision`]).
//!
//! To add an rpc: the contract; its reading in `wire`; the rule in the noun
//! ([`plan`], [`task`]); its statement in `store`; its function in `rpc`; its good,
//! bad and repeated call in `tests/rpc.rs`.

pub mod acting;
pub mod approval;
pub mod booking;
pub mod case;
pub mod delegation;
pub mod delivery;
pub mod department;
pub mod endpoint;
mod flow;
pub mod investigation;
pub mod ledger;
mod lookahead;
pub mod plan;
mod poll_fairness;
pub mod problem_hint;
pub mod proposal;
mod react;
pub mod recall;
pub mod refusal;
pub mod remedy;
pub mod remedy_type;
mod rpc;
pub mod shortage;
pub mod state;
mod store;
pub mod supervision;
pub mod task;
pub mod undo;
mod wire;

use std::sync::Arc;

use proto::redress::resolution::v1::approval_service_server::ApprovalServiceServer;
use proto::redress::resolution::v1::department_service_server::DepartmentServiceServer;
use proto::redress::resolution::v1::endpoint_service_server::EndpointServiceServer;
use proto::redress::resolution::v1::investigation_service_server::InvestigationServiceServer;
use proto::redress::resolution::v1::ledger_service_server::LedgerServiceServer;
use proto::redress::resolution::v1::proposal_service_server::ProposalServiceServer;
use proto::redress::resolution::v1::recall_service_server::RecallServiceServer;
use proto::redress::resolution::v1::remedy_type_service_server::RemedyTypeServiceServer;
use proto::redress::resolution::v1::resolution_service_server::ResolutionServiceServer;
use proto::redress::resolution::v1::revision_service_server::RevisionServiceServer;
use proto::redress::resolution::v1::stock_service_server::StockServiceServer;
use proto::redress::resolution::v1::supervision_service_server::SupervisionServiceServer;
use server::{Kit, Parts, Service};
use sqlx::migrate::Migrator;

static MIGRATIONS: Migrator = sqlx::migrate!();

/// The service, as a process hosts it.
pub const SERVICE: Service = Service { name: "resolution", port: 50054, migrations: &MIGRATIONS, open };

fn open(kit: &Kit, parts: &mut Parts) -> anyhow::Result<()> {
    let departments = Arc::new(flow::departments::Departments::default());
    let types = Arc::new(flow::remedy_types::TypesInUse::default());
    let carrier = flow::dispatch::Carrier::new(kit.settings.endpoint_sender()?);
    let policies = Arc::new(flow::approval_policies::ApprovalPolicies::default());
    let resolution = rpc::Resolution::new(
        kit.db.clone(),
        Arc::clone(&departments),
        Arc::clone(&types),
        Arc::clone(&policies),
    );
    parts.route(ResolutionServiceServer::new(resolution));
    parts.route(LedgerServiceServer::new(rpc::Ledger::new(kit.db.clone(), Arc::clone(&departments))));
    parts.route(EndpointServiceServer::new(rpc::Endpoints::new(kit.db.clone(), Arc::clone(&departments))));
    parts.route(ProposalServiceServer::new(rpc::TaskProposals::new(kit.db.clone(), Arc::clone(&types))));
    parts.route(RevisionServiceServer::new(rpc::PlanRevisions::new(
        kit.db.clone(),
        policies,
        Arc::clone(&types),
    )));
    parts.route(ApprovalServiceServer::new(rpc::PlanApprovals::new(kit.db.clone())));
    parts.route(DepartmentServiceServer::new(rpc::DepartmentQueues::new(kit.db.clone())));
    parts.route(SupervisionServiceServer::new(rpc::DepartmentSupervision::new(kit.db.clone())));
    parts.route(RemedyTypeServiceServer::new(rpc::RemedyTypeRpc::new(
        kit.db.clone(),
        Arc::clone(&departments),
    )));
    parts.react(react::Reactions);
    parts.route(InvestigationServiceServer::new(rpc::Investigations::new(kit.db.clone())));
    parts.route(StockServiceServer::new(rpc::Stock::new(kit.db.clone())));
    parts.route(RecallServiceServer::new(rpc::Recalls::new(kit.db.clone())));
    let db = kit.db.clone();
    parts.worker("timers", move |stop| {
        let watch = Arc::new(flow::department_watch::DepartmentWatch);
        let (restock, recalls) = (Arc::new(flow::restock::Restock), Arc::new(flow::recalls::CallOff));
        timers::run(db, vec![watch, restock, recalls], stop)
    });
    let db = kit.db.clone();
    parts.worker("dispatch", move |stop| flow::dispatch::run(db, carrier, (departments, types), stop));
    parts.retention(&kit.db, flow::retention::STATEMENTS);
    parts.queue_age(&kit.db, "redress.task.age", store::tasks::oldest_ready());
    Ok(())
}
