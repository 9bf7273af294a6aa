//! The cases service: it holds the truth about every case, its state, its
//! timeline, what was found and decided. It never chooses who works on a case
//! (assignment does), never moves money or goods (resolution does) and never
//! talks to the complainant (feedback does); what they do reaches it as events.
//!
//! In reading order: `moves` is the table of states, `case` what people do to
//! a case, `news` what it hears from the other services, `timeline` how it is
//! told, `triage` how it begins, `clocks` by when it is due. `record` puts it on
//! record, in one place for `rpc`, `react` and the timer in `window`. `filter` is
//! how cases are asked for, `terms` the words they are found by.
//!
//! To add an rpc: its contract, its reader in `wire`, its move in `moves` and
//! `case`, a few lines in `rpc`, its rows in `tests/rpc.rs`.

mod moves;

mod calendars;
mod case;
mod clocks;
mod filter;
mod guesses;
mod news;
mod react;
mod record;
mod refusal;
mod rpc;
mod store;
mod terms;
mod timeline;
mod triage;
mod window;
mod wire;

use std::sync::Arc;

use proto::redress::cases::v1::calendar_service_server::CalendarServiceServer;
use proto::redress::cases::v1::case_service_server::CaseServiceServer;
use proto::redress::cases::v1::clock_service_server::ClockServiceServer;
use proto::redress::cases::v1::policy_service_server::PolicyServiceServer;
use proto::redress::cases::v1::search_service_server::SearchServiceServer;
use server::{Kit, Parts, Service};
use sqlx::migrate::Migrator;

static MIGRATIONS: Migrator = sqlx::migrate!();

/// Name of the service, its schema, its event source.
pub const NAME: &str = "cases";

/// The service, as a process hosts it.
pub const SERVICE: Service = Service { name: NAME, port: 50_052, migrations: &MIGRATIONS, open };

// The skeleton's signature: other services fail here, this one cannot.
#[expect(clippy::unnecessary_wraps, reason = "every service opens with this signature")]
fn open(kit: &Kit, parts: &mut Parts) -> anyhow::Result<()> {
    let db = kit.db.clone();
    parts
        .route(CaseServiceServer::new(rpc::Rpc::new(kit.db.clone())))
        .route(CalendarServiceServer::new(rpc::calendars::Calendars::new(kit.db.clone())))
        .route(ClockServiceServer::new(rpc::clocks::Rpc::new(kit.db.clone())))
        .route(PolicyServiceServer::new(rpc::policies::Policies::new(kit.db.clone())))
        .route(SearchServiceServer::new(rpc::Search::new(kit.db.clone())))
        .react(react::Reactions::new(Arc::new(triage::Keywords)))
        .worker("timers", move |stop| {
            timers::run(db, vec![Arc::new(window::ResponseWindow), Arc::new(clocks::alarm::Rungs)], stop)
        });
    Ok(())
}
