//! The cases service: it holds the truth about every case, its state, its
//! timeline, what was found and decided. It never chooses who works on a case
//! (assignment does), never moves money or goods (resolution does) and never
//! talks to the complainant (feedback does); what they do reaches it as events.
//!
//! In reading order: `moves` is the table of states, `timeline` what can happen to a
//! case and how it is told, `case` what people do to it, `external_event` what it hears
//! from the other services, `acting` who may do it. The words of all that are
//! `vocabulary`'s; how a case begins is decided by `triage`, of whose rules and verdicts
//! `triage_record` is kept, with the tree in `categories`. `reading` is what is read off a
//! text, by one of the tenant's `classifier`s. `clocks` says by when it is due: kinds of
//! `promise`, by the `calendars` of the tenant; `ground`s are what a policy knows for
//! refusing, and by `reopening` how long and how often one that is over is taken up again. `sameness` says what is like it, `links` and `groups` what belongs together, `complainant` who
//! complained before, `directory` what the company itself knows of them; of what was
//! `solved` alike, `article`s are written, which help with the next; `training` makes cases
//! to learn from. Both are in force after a `review`. A `topic` is what complaints speak of of
//! late.
//! Cases are asked for in the language of `filter`, and counted as in `counts`.
//!
//! All of these are nouns: they decide, and know neither proto nor SQL. `wire` is where
//! proto is read and made, `store` has the SQL; `flow` joins statements and nouns for
//! `rpc`, `react`, timers and workers.
//!
//! To add an rpc: its contract, its reader in `wire`, its move in `moves` and
//! `case`, a few lines in `rpc`, its rows in `tests/rpc.rs`.

mod moves;

mod acting;
mod article;
mod calendars;
mod case;
mod categories;
mod classifier;
mod clocks;
mod complainant;
mod conversation;
mod counts;
mod directory;
mod external_event;
mod flow;
mod ground;
mod groups;
mod links;
mod promise;
mod react;
mod reading;
mod refusal;
mod reopening;
mod replies;
mod review;
mod reviewed;
mod rpc;
mod solved;
mod staff;
mod store;
mod timeline;
mod topic;
mod training;
mod triage_record;
mod wire;

use std::sync::Arc;

use proto::redress::cases::v1::calendar_service_server::CalendarServiceServer;
use proto::redress::cases::v1::case_service_server::CaseServiceServer;
use proto::redress::cases::v1::category_service_server::CategoryServiceServer;
use proto::redress::cases::v1::classifier_service_server::ClassifierServiceServer;
use proto::redress::cases::v1::clock_service_server::ClockServiceServer;
use proto::redress::cases::v1::complainant_service_server::ComplainantServiceServer;
use proto::redress::cases::v1::decision_service_server::DecisionServiceServer;
use proto::redress::cases::v1::directory_service_server::DirectoryServiceServer;
use proto::redress::cases::v1::group_service_server::GroupServiceServer;
use proto::redress::cases::v1::knowledge_service_server::KnowledgeServiceServer;
use proto::redress::cases::v1::link_service_server::LinkServiceServer;
use proto::redress::cases::v1::policy_service_server::PolicyServiceServer;
use proto::redress::cases::v1::search_service_server::SearchServiceServer;
use proto::redress::cases::v1::topic_service_server::TopicServiceServer;
use proto::redress::cases::v1::training_service_server::TrainingServiceServer;
use proto::redress::cases::v1::triage_service_server::TriageServiceServer;
use server::{Kit, Parts, Service};
use sqlx::migrate::Migrator;

static MIGRATIONS: Migrator = sqlx::migrate!();

/// Name of the service, its schema, its event source.
pub const NAME: &str = "cases";

/// The service, as a process hosts it.
pub const SERVICE: Service = Service { name: NAME, port: 50_052, migrations: &MIGRATIONS, open };

fn open(kit: &Kit, parts: &mut Parts) -> anyhow::Result<()> {
    flow::zones::pin(kit.settings.time_zones.as_deref())?;
    let (db, merged, recalculated) = (kit.db.clone(), kit.db.clone(), kit.db.clone());
    let (compared, looked_up, told) = (kit.db.clone(), kit.db.clone(), kit.db.clone());
    let carrier = flow::directories::Carrier::new(kit.settings.endpoint_sender()?);
    let rule_sets = Arc::new(flow::rule_sets::RuleSets::default());
    let classifiers = Arc::new(flow::classifiers::Classifiers::default());
    parts
        .route(CaseServiceServer::new(rpc::Rpc::new(kit.db.clone())))
        .route(CalendarServiceServer::new(rpc::calendars::Calendars::new(kit.db.clone())))
        .route(ClockServiceServer::new(rpc::clocks::Rpc::new(kit.db.clone())))
        .route(PolicyServiceServer::new(rpc::policies::Policies::new(kit.db.clone())))
        .route(SearchServiceServer::new(rpc::Search::new(kit.db.clone())))
        .route(TriageServiceServer::new(rpc::triage::TriageRpc::new(kit.db.clone(), rule_sets.clone())))
        .route(CategoryServiceServer::new(rpc::categories::CategoryRpc::new(kit.db.clone())))
        .route(ComplainantServiceServer::new(rpc::complainants::Complainants::new(kit.db.clone())))
        .route(DecisionServiceServer::new(rpc::decisions::Decisions::new(kit.db.clone())))
        .route(DirectoryServiceServer::new(rpc::directories::Directories::new(
            kit.db.clone(),
            carrier.clone(),
        )))
        .route(GroupServiceServer::new(rpc::groups::GroupRpc::new(kit.db.clone())))
        .route(KnowledgeServiceServer::new(rpc::knowledge::Knowledge::new(kit.db.clone())))
        .route(LinkServiceServer::new(rpc::links::LinkRpc::new(kit.db.clone())))
        .route(TopicServiceServer::new(rpc::topics::Topics::new(kit.db.clone())))
        .route(TrainingServiceServer::new(rpc::training::Training::new(kit.db.clone())))
        .route(ClassifierServiceServer::new(rpc::classifiers::ClassifierRpc::new(
            kit.db.clone(),
            classifiers.clone(),
        )))
        .react(react::Reactions::new(rule_sets, classifiers))
        .worker("timers", move |stop| {
            timers::run(
                db,
                vec![Arc::new(flow::window::ResponseWindow), Arc::new(flow::clocks::alarm::Rungs)],
                stop,
            )
        })
        .worker("clock_jobs", move |stop| flow::clocks::jobs::run(recalculated, stop))
        .worker("search_indexer", move |stop| flow::search_indexer::run(merged, stop))
        .worker("directories", move |stop| flow::directories::run(looked_up, carrier, stop))
        .worker("calendars", move |stop| flow::calendars::run(told, stop))
        .worker("zones", move |stop| flow::zones::watch(compared, stop));
    Ok(())
}
