//! The web console: where people work on complaints, and the pages a complainant sees.
//!
//! One more thin service on the skeleton of `server`: it renders pages, calls the five
//! services over gRPC with the rights of whoever looks at them, and owns nothing. Sessions are
//! sealed cookies (`session`), what people write is kept in their browser until it is sent.
//! Why it is built so: `docs/decisions/console.md`.
//!
//! - `routes` is every path there is, and what each request passes.
//! - `page` has what every page shares: the frame around it, and how it is rendered.
//! - `form` is what is posted; nothing is read before its token is right.
//! - `problem` says in words what a service refused.
//! - `complainant` has the pages for complainants, who sign in nowhere; `guest` is who they are,
//!   `papers` what they send along, `schema` the forms that are asked of them.
//! - `admin` has the pages of administrators.
//! - `department` is where departments without a system of their own work, `team` where
//!   supervisors do, `figures` what managers see; `boards` is what those three share.
//! - `words` are the words, each in every language.
//! - `static/` is served as it is, under names that tell its content.
//!
//! To add a page: its template in `templates/`, its handler and its routes in a module of its
//! own, one line in `routes`, and its words in `words/`.

mod admin;
mod app;
mod assets;
mod boards;
mod case_page;
mod complainant;
mod department;
mod error_page;
mod figures;
mod form;
mod form_token;
mod guest;
mod headers;
mod inbox;
mod language;
mod moment;
mod money;
mod names;
mod page;
mod papers;
mod problem;
mod reasons;
mod routes;
mod schema;
mod seal;
mod sentences;
mod session;
mod sign_in;
mod team;
mod words;

use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::Arc;

use client::Endpoints;
use http::Uri;
use kernel::{Clock, SystemClock};
use server::{RunningSite, Settings};

use crate::app::App;

/// Runs the console alone until the process is told to stop.
pub fn main() -> ExitCode {
    server::main_of_site("redress-console", async |settings: Settings| {
        let peers = &settings.peers;
        let mut endpoints = Endpoints::one(peers.intake.clone());
        for (service, uri) in peers.all() {
            endpoints = endpoints.with(service, uri.clone());
        }
        start(&settings, endpoints, None, Arc::new(SystemClock)).await
    })
}

/// Starts the console; it answers when this returns. The services are all behind one address
/// where it is part of their process.
///
/// # Errors
///
/// Fails if its settings do not fit together, its address is taken, or a file that a setting
/// names cannot be read.
pub async fn start(
    settings: &Settings,
    services: Endpoints,
    listener: Option<TcpListener>,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<RunningSite> {
    let address = match &listener {
        Some(listener) => listener.local_addr()?,
        None => settings.console.listen(),
    };
    // Before it is bound: a forbidden address must not be open for a moment.
    settings.console.check(address)?;
    let app = App::open(settings, services, clock).await?;
    let development = settings.console.is_development();
    server::start_site(settings, address, listener, development, |closing| routes::site(app, closing))
}

/// Every service behind the address of one process.
pub fn at(address: std::net::SocketAddr) -> anyhow::Result<Endpoints> {
    Ok(Endpoints::one(format!("http://{address}").parse::<Uri>()?))
}
