//! The cases service: it holds the truth about every case, its state, its
//! timeline, what was found and decided. It never chooses who works on a case
//! (assignment does), never moves money or goods (resolution does) and never
//! talks to the complainant (feedback does); what they do reaches it as events.
//!
//! In reading order: `moves` is the table of states, `case` what people do to a case,
//! `external_event` what it hears from the other services, `timeline` how it is told,
//! `acting` who may do it, `triage` how it begins, by the rules in `rule_sets` and the
//! tree in `categories`; `triage_batch` triages whole batches. `reading` is what is
//! read off a text, by one of the tenant's `classifiers`. `clocks` says by when it is
//! due, by the `calendars` of the tenant and the `zones` of the process; `sameness`
//! what is like it, `links` and `groups` what belongs together, `merges` what one case
//! does for another. `persist` persists and publishes it, in one place for `rpc`,
//! `react` and the timer in `window`. `filter` is how cases are asked for,
//! `search_terms` the words they are found by, which `search_indexer` puts into their
//! index.
//!
//! To add an rpc: its contract, its reader in `wire`, its move in `moves` and
//! `case`, a few lines in `rpc`, its rows in `tests/rpc.rs`.

mod moves;

mod acting;
mod calendars;
mod case;
mod categories;
mod classifier;
mod classifiers;
mod clocks;
mod external_event;
mod filter;
mod ground;
mod groups;
mod links;
mod merges;
mod persist;
mod react;
mod reading;
mod refusal;
mod replies;
mod rpc;
mod rule_sets;
mod sameness;
mod search_indexer;
mod search_terms;
mod store;
mod timeline;
mod triage;
mod triage_batch;
mod window;
mod wire;
mod zones;

use std::sync::Arc;

use proto::redress::cases::v1::calendar_service_server::CalendarServiceServer;
use proto::redress::cases::v1::case_service_server::CaseServiceServer;
use proto::redress::cases::v1::category_service_server::CategoryServiceServer;
use proto::redress::cases::v1::classifier_service_server::ClassifierServiceServer;
use proto::redress::cases::v1::clock_service_server::ClockServiceServer;
use proto::redress::cases::v1::decision_service_server::DecisionServiceServer;
use proto::redress::cases::v1::group_service_server::GroupServiceServer;
use proto::redress::cases::v1::link_service_server::LinkServiceServer;
use proto::redress::cases::v1::policy_service_server::PolicyServiceServer;
use proto::redress::cases::v1::search_service_server::SearchServiceServer;
use proto::redress::cases::v1::triage_service_server::TriageServiceServer;
use server::{Kit, Parts, Service};
use sqlx::migrate::Migrator;

static MIGRATIONS: Migrator = sqlx::migrate!();

/// Name of the service, its schema, its event source.
pub const NAME: &str = "cases";

/// The service, as a process hosts it.
pub const SERVICE: Service = Service { name: NAME, port: 50_052, migrations: &MIGRATIONS, open };

fn open(kit: &Kit, parts: &mut Parts) -> anyhow::Result<()> {
    zones::pin(kit.settings.time_zones.as_deref())?;
    let (db, merged, recalculated) = (kit.db.clone(), kit.db.clone(), kit.db.clone());
    let compared = kit.db.clone();
    let rule_sets = Arc::new(rule_sets::RuleSets::default());
    let classifiers = Arc::new(classifiers::Classifiers::default());
    parts
        .route(CaseServiceServer::new(rpc::Rpc::new(kit.db.clone())))
        .route(CalendarServiceServer::new(rpc::calendars::Calendars::new(kit.db.clone())))
        .route(ClockServiceServer::new(rpc::clocks::Rpc::new(kit.db.clone())))
        .route(PolicyServiceServer::new(rpc::policies::Policies::new(kit.db.clone())))
        .route(SearchServiceServer::new(rpc::Search::new(kit.db.clone())))
        .route(TriageServiceServer::new(rpc::triage::TriageRpc::new(kit.db.clone(), rule_sets.clone())))
        .route(CategoryServiceServer::new(rpc::categories::CategoryRpc::new(kit.db.clone())))
        .route(DecisionServiceServer::new(rpc::decisions::Decisions::new(kit.db.clone())))
        .route(GroupServiceServer::new(rpc::groups::GroupRpc::new(kit.db.clone())))
        .route(LinkServiceServer::new(rpc::links::LinkRpc::new(kit.db.clone())))
        .route(ClassifierServiceServer::new(rpc::classifiers::ClassifierRpc::new(
            kit.db.clone(),
            classifiers.clone(),
        )))
        .react(react::Reactions::new(rule_sets, classifiers))
        .worker("timers", move |stop| {
            timers::run(db, vec![Arc::new(window::ResponseWindow), Arc::new(clocks::alarm::Rungs)], stop)
        })
        .worker("clock_jobs", move |stop| clocks::jobs::run(recalculated, stop))
        .worker("search_indexer", move |stop| search_indexer::run(merged, stop))
        .worker("zones", move |stop| zones::watch(compared, stop));
    Ok(())
}
