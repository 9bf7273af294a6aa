//! Feedback: tells the complainant, with evidence, and takes the answer.
//!
//! Owns whom a case's notices go to, every notice owed and what became of it,
//! and a row per cycle for the complainant's answer. It holds no truth about a
//! case: it hears from `cases` when an outcome takes effect or a case moves on,
//! and tells what came back.
//!
//! - A complaint is registered: its acknowledgement is owed.
//! - An outcome takes effect: its notice is owed and its cycle waits for one answer.
//! - The case is reopened, closed, withdrawn or declined: the wait is over; after
//!   the last dispute, word of where else to turn is owed.
//!
//! A notice is settled by evidence of its delivery or by a reason on record, and
//! either is told to the world. Delivery is at least once: see `deliver`.
//!
//! To add an rpc: its contract in `proto/redress/feedback/v1`, its request read in
//! `wire`, what it decides in a noun (`notice`, `response`), its statements in
//! `store`, and the three joined in `rpc`; then its rows in `tests/rpc.rs`.

pub mod letter;
pub mod notice;
pub mod response;

mod deliver;
mod mail;
mod react;
pub mod refusal;
mod rpc;
mod store;
mod wire;

use std::sync::Arc;

use proto::redress::feedback::v1::feedback_service_server::FeedbackServiceServer;
use server::{Kit, Parts, Service};
use sqlx::migrate::Migrator;

use crate::mail::{Smtp, Transport};
use crate::notice::Road;

static MIGRATIONS: Migrator = sqlx::migrate!();

/// The feedback service, as a process hosts it.
pub const SERVICE: Service = Service { name: "feedback", port: 50055, migrations: &MIGRATIONS, open };

fn open(kit: &Kit, parts: &mut Parts) -> anyhow::Result<()> {
    let transport = transport(kit)?;
    let road = if transport.is_some() { Road::Mail } else { Road::None };
    parts.route(FeedbackServiceServer::new(rpc::Rpc::new(kit.db.clone()))).react(react::Reactions { road });
    if let Some(transport) = transport {
        let db = kit.db.clone();
        parts.worker("deliver", move |stop| deliver::run(db, transport, stop));
    }
    Ok(())
}

/// What notices are sent with, if anything is configured.
fn transport(kit: &Kit) -> anyhow::Result<Option<Arc<dyn Transport>>> {
    let settings = &kit.settings;
    let url = settings.smtp_url.as_ref().map(server::Secret::expose).filter(|url| !url.is_empty());
    let Some(url) = url else { return Ok(None) };
    let smtp = Smtp::new(url, &settings.mail_from, deliver::CONCURRENT)?;
    Ok(Some(Arc::new(smtp)))
}
