//! Assignment decides who handles a case: departments by category, agents by
//! room and load, and a queue where neither is free.
//!
//! It owns departments, agents and one assignment per case, of the cycle the
//! case is in. It never changes the state of a case: it tells `CaseAssigned`,
//! `CaseQueued` and `CaseAccepted`, and the cases service draws its conclusions.
//!
//! - [`roster`] is who there is, [`routing`] who is chosen, [`assignment`] what
//!   becomes of one case: all pure.
//! - `allocation` is where a transaction gives and takes cases: the departments it
//!   locked, the agents' loads, the queues it drains.
//! - `waiting` moves the cases a department takes over, so many at a time.
//! - `rpc` and `react` open transactions; `store` holds every statement.
//!
//! Locks are taken in one order everywhere: the roster (shared by what routes by
//! category, exclusive for what changes who takes a category), then departments
//! by id, then rows of cases and agents. Loads and queues of a department change
//! only under its lock, so capacity cannot be exceeded and no case can begin to
//! wait unseen by whoever makes room.
//!
//! To add an rpc: its contract, its request in `wire`, its move in a noun, its
//! statement in `store`, one function in `rpc`, and a good, a bad and a repeated
//! call in `tests/rpc.rs`.

pub mod assignment;
mod flow;
pub mod queue;
mod react;
pub mod refusal;
pub mod roster;
pub mod routing;
mod rpc;
mod store;
mod wire;

use std::sync::Arc;

use proto::redress::assignment::v1::assignment_service_server::AssignmentServiceServer;
use proto::redress::assignment::v1::roster_service_server::RosterServiceServer;
use proto::redress::assignment::v1::routing_service_server::RoutingServiceServer;
use server::{Kit, Parts, Service};
use sqlx::migrate::Migrator;

static MIGRATIONS: Migrator = sqlx::migrate!();

/// This service, as a process hosts it.
pub const SERVICE: Service = Service { name: "assignment", port: 50053, migrations: &MIGRATIONS, open };

#[expect(clippy::unnecessary_wraps, reason = "other services can fail to open")]
fn open(kit: &Kit, parts: &mut Parts) -> anyhow::Result<()> {
    let db = kit.db.clone();
    parts
        .route(AssignmentServiceServer::new(rpc::Rpc::new(kit.db.clone())))
        .route(RosterServiceServer::new(rpc::RosterRpc::new(kit.db.clone())))
        .route(RoutingServiceServer::new(rpc::RoutingRpc::new(kit.db.clone())))
        .react(react::CaseEvents)
        .queue_age(&kit.db, "redress.queue.age", store::assignments::oldest_waiting())
        .retention(&kit.db, flow::retention::DECISIONS)
        .worker("timers", |stop| {
            timers::run(
                db,
                vec![
                    Arc::new(flow::waiting::TakeWaiting),
                    Arc::new(flow::presence::Turns),
                    Arc::new(flow::acceptance::Lapses),
                    Arc::new(flow::leaving::HandOver),
                ],
                stop,
            )
        });
    Ok(())
}
