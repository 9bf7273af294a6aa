//! Feedback: tells the complainant, with evidence, and takes the answer.
//!
//! Owns whom a case's notices go to, every notice owed and what became of it,
//! and a row per cycle for the complainant's answer. It holds no truth about a
//! case: it hears from `cases` when an outcome takes effect or a case moves on,
//! and tells what came back.
//!
//! - A complaint is registered: its acknowledgement is owed.
//! - Its case stays open and nothing else is told of it: news of it are, every so many days,
//!   see `open_case`.
//! - An outcome takes effect: its notice is owed and its cycle waits for one answer.
//! - The outcome was told: the survey of its cycle is open, and its complainant is called
//!   back where a rule or the sample says so, see `told` and `follow_up`.
//! - A case is closed: it may be drawn to be reviewed, see `quality`.
//! - The case is reopened, closed, withdrawn or declined: the wait is over; after
//!   the last dispute, word of where else to turn is owed.
//!
//! Departments are asked about what many complaints have in common, by tasks that resolution
//! keeps, and their answers are kept: see `problem_task`.
//!
//! Of all it hears, its own feed too, it keeps facts, and answers what they come to: see
//! `fact` and `kpi`. Reports on a month, a quarter or a year are made of them: see `report`;
//! process logs too: see `process`; and returns to regulators: see `returns`. What all services
//! tell is posted to those who cannot read feeds: see `event_subscription`.
//!
//! A notice is settled by evidence of its delivery or by a reason on record, and
//! either is told to the world. Delivery is at least once: see `deliver`. What comes back is
//! read, and takes a delivery back that was told: see `bounce`. What mail
//! cannot do a person does, and records; a wrong address is corrected, and what went
//! there is sent again. Programs are not written to: see `address`.
//!
//! To add an rpc: its contract in `proto/redress/feedback/v1`, its request read in
//! `wire`, what it decides in a noun (`notice`, `response`), its statements in
//! `store`, and the three joined in `rpc`; then its rows in `tests/rpc.rs`.

pub mod address;
pub mod bounce;
pub mod call_back;
pub mod contact;
pub mod event_subscription;
pub mod fact;
pub mod improvement;
pub mod kpi;
pub mod letter;
pub mod notice;
pub mod obstacle;
pub mod open_case;
pub mod owed;
pub mod phone;
pub mod problem;
pub mod problem_task;
pub mod process;
pub mod profile;
pub mod quality;
pub mod quiet;
pub mod report;
pub mod response;
pub mod returns;
pub mod revision;
pub mod root_cause;
pub mod sample;
pub mod signal;
mod supervision;
pub mod survey;
pub mod text_message;
pub mod working_hours;

mod flow;
mod react;
pub mod refusal;
mod rpc;
mod sender;
mod store;
mod wire;

use std::sync::Arc;

use proto::redress::feedback::v1::call_back_service_server::CallBackServiceServer;
use proto::redress::feedback::v1::case_supervision_service_server::CaseSupervisionServiceServer;
use proto::redress::feedback::v1::event_subscription_service_server::EventSubscriptionServiceServer;
use proto::redress::feedback::v1::feedback_service_server::FeedbackServiceServer;
use proto::redress::feedback::v1::improvement_service_server::ImprovementServiceServer;
use proto::redress::feedback::v1::kpi_service_server::KpiServiceServer;
use proto::redress::feedback::v1::notice_routing_service_server::NoticeRoutingServiceServer;
use proto::redress::feedback::v1::problem_service_server::ProblemServiceServer;
use proto::redress::feedback::v1::process_service_server::ProcessServiceServer;
use proto::redress::feedback::v1::quality_service_server::QualityServiceServer;
use proto::redress::feedback::v1::report_service_server::ReportServiceServer;
use proto::redress::feedback::v1::return_service_server::ReturnServiceServer;
use proto::redress::feedback::v1::signal_service_server::SignalServiceServer;
use proto::redress::feedback::v1::survey_service_server::SurveyServiceServer;
use proto::redress::feedback::v1::template_service_server::TemplateServiceServer;
use server::{Kit, Parts, Service};
use sqlx::migrate::Migrator;

use crate::sender::Senders;

static MIGRATIONS: Migrator = sqlx::migrate!();

/// The feedback service, as a process hosts it.
pub const SERVICE: Service = Service { name: "feedback", port: 50055, migrations: &MIGRATIONS, open };

fn open(kit: &Kit, parts: &mut Parts) -> anyhow::Result<()> {
    working_hours::prepare();
    let (senders, delivery) = Senders::of(&kit.settings, kit.db.clock().clone(), flow::deliver::CONCURRENT)?;
    let path = sender::return_path(&kit.settings)?;
    let counted = parts.follow(flow::process::FOLLOWS);
    let (rebuilt, totalled, reported) = (kit.db.clone(), kit.db.clone(), kit.db.clone());
    let (counted_by_worker, looked_at, acted_on) = (counted.clone(), kit.db.clone(), kit.db.clone());
    let states = rpc::fact_states::FactStates::new(kit.db.clone(), counted.clone());
    let posted = parts.follow(&flow::event_push::FOLLOWS);
    let (db, sources, sender) = (kit.db.clone(), posted.clone(), kit.settings.endpoint_sender()?);
    let others_wait = Arc::default();
    let event_push = flow::event_push::EventPush { db, sources, sender, others_wait };
    let (told_of, told_by) = (kit.db.clone(), delivery.clone());
    parts
        .worker("facts", move |stop| flow::rebuild::run(rebuilt, counted_by_worker, stop))
        .worker("totals", move |stop| flow::figures::run(totalled, stop))
        .worker("event_push", move |stop| event_push.run(stop))
        .worker("improvement", move |stop| flow::improvement::run(acted_on, stop))
        .worker("progress", move |stop| flow::progress::run(told_of, told_by, stop))
        .worker("signals", move |stop| flow::signals::run(looked_at, stop))
        .worker("reports", move |stop| flow::reports::run(reported, stop))
        .retention(&kit.db, flow::reports::REPORTS)
        .route(FeedbackServiceServer::new(rpc::Rpc::new(kit.db.clone(), delivery.clone(), path.clone())))
        .route(CallBackServiceServer::new(rpc::call_backs::CallBacks::new(kit.db.clone(), delivery.clone())))
        .route(TemplateServiceServer::new(rpc::templates::Templates::new(kit.db.clone())))
        .route(SurveyServiceServer::new(rpc::surveys::Surveys::new(kit.db.clone(), delivery.clone())))
        .route(NoticeRoutingServiceServer::new(rpc::notice_routing::NoticeRoutings::new(kit.db.clone())))
        .route(KpiServiceServer::new(rpc::kpis::Kpis::new(kit.db.clone(), states.clone())))
        .route(ImprovementServiceServer::new(rpc::improvement::Improvement::new(kit.db.clone())))
        .route(EventSubscriptionServiceServer::new(rpc::event_subscriptions::EventSubscriptions::new(
            kit.db.clone(),
            posted,
        )))
        .route(ProblemServiceServer::new(rpc::problems::Problems::new(kit.db.clone())))
        .route(ProcessServiceServer::new(rpc::process::Processes::new(kit.db.clone())))
        .route(QualityServiceServer::new(rpc::quality::Quality::new(kit.db.clone())))
        .route(CaseSupervisionServiceServer::new(rpc::supervision::Supervision::new(kit.db.clone(), states)))
        .route(SignalServiceServer::new(rpc::signals::Signals::new(kit.db.clone())))
        .route(ReportServiceServer::new(rpc::reports::Reports::new(kit.db.clone())))
        .route(ReturnServiceServer::new(rpc::returns::Returns::new(kit.db.clone())))
        .react(react::Reactions { delivery: delivery.clone(), path: path.clone() });
    if !senders.is_empty() {
        let db = kit.db.clone();
        parts.worker("deliver", move |stop| flow::deliver::run(db, senders, delivery, stop));
    }
    Ok(())
}
