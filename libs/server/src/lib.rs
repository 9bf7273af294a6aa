//! The process around Redress's services.
//!
//! A service hands over its routes, migrations and workers ([`Service`], [`Parts`]);
//! this crate owns the rest: settings, telemetry, TLS and identity, the layers every
//! call passes, health, reflection, the feeds between services, and the end in good
//! order. The all-in-one process passes a longer list to the same [`main`].
//!
//! To add a setting, add a field to [`Settings`]; to add a layer, add a line to
//! `layers::around`.
#![warn(clippy::missing_errors_doc)]

mod assembly;
mod blocking;
mod call;
mod code_rate_limit;
mod connections;
mod contracts;
mod database;
mod file_request;
mod idempotency_cleanup;
mod identity;
mod layers;
mod limits;
mod mail_certificate;
mod peers;
mod permission;
mod process;
mod queue_age;
mod readiness;
mod retention;
mod routes;
mod running;
mod service;
mod settings;
mod site;
mod skew;
mod telemetry;
mod watch;
mod webhook_request;
mod workers;

pub use assembly::{Assembly, migrate, start};
pub use blocking::{Length, MAX_WAITING, aside, blocking};
pub use call::{caller, mutation, page, reply};
pub use code_rate_limit::{CaseReference, CodeRateLimit, LimitKey};
pub use database::connections;
pub use file_request::{FilePart, FileRequest};
pub use limits::Limited;
pub use mail_certificate::mail_certificate;
pub use permission::{bearing, seeing, seeing_all, serving};
pub use process::{main, main_of_site, run, work};
pub use retention::Retention;
pub use running::{LONGEST_END, Running, WORKERS_STOP};
pub use service::{FollowedSources, Kit, Parts, Service, Stop};
pub use settings::{
    ConsoleSettings, IdentitySettings, LogFormat, MailProtocol, ObjectSettings, PeerSettings, Secret,
    Settings,
};
pub use site::{ClientAddress, RouteName, RunningSite, Site, start_site};
pub use telemetry::Telemetry;
pub use webhook_request::WebhookRequest;
