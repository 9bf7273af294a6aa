//! The pages of administrators: what decides how complaints are taken, triaged, given out, timed,
//! approved and told. Everything is edited as its service takes it, and nothing is put in force
//! before its trial was shown: what it would change.
//!
//! - `input` is what is edited: fields, what is in them, what is wrong with which line.
//! - `contract` reads and writes contracts as JSON, and finds the line of a path.
//! - `versioned` is what has versions of which one is in force: `rules`, `routing`, `approvals`,
//!   `policies`, `templates`.
//! - `direct` is what holds once it is kept: `categories`, `forms`, `calendars`, and the roster
//!   (`departments`, `agents`).
//! - `trial` is what something would change, and the proof that somebody has seen it.
//! - `year` draws a calendar.

mod agents;
mod approvals;
mod calendars;
mod categories;
mod contract;
mod departments;
mod direct;
mod forms;
mod home;
mod input;
mod names;
mod policies;
mod roster;
mod routing;
mod rules;
mod templates;
mod trial;
mod versioned;
mod year;

use axum::extract::FromRequestParts;
use axum::routing::{Router, get, post};
use client::Client;
use http::request::Parts;
use kernel::Role;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tonic::Code;

use crate::app::App;
use crate::problem::Problem;
use crate::session::Visitor;
use crate::words::Words;

use agents::Agents;
use approvals::Approvals;
use calendars::Calendars;
use categories::Categories;
use departments::Departments;
use direct::Direct;
use forms::Forms;
use policies::Policies;
use routing::Routing;
use rules::Rules;
use templates::Templates;
use versioned::Versioned;

/// Most rows of a list.
const ROWS: i32 = 500;

/// Paths of administrators.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/admin", get(home::show))
        .route("/admin/roster", get(roster::show))
        .route("/admin/roster/leave", post(roster::leave))
        .route("/admin/categories", get(categories::show))
        .route("/admin/forms", get(forms::show))
        .route("/admin/forms/history", get(forms::history))
        .route("/admin/calendars", get(calendars::list))
        .route("/admin/calendars/show/{name}", get(calendars::show))
        .merge(versioned_routes::<Rules>())
        .merge(versioned_routes::<Routing>())
        .merge(versioned_routes::<Approvals>())
        .merge(versioned_routes::<Policies>())
        .merge(versioned_routes::<Templates>())
        .merge(direct_routes::<Categories>())
        .merge(direct_routes::<Forms>())
        .merge(direct_routes::<Calendars>())
        .merge(direct_routes::<Departments>())
        .merge(direct_routes::<Agents>())
}

fn versioned_routes<S: Versioned>() -> Router<App> {
    let at = |rest: &str| format!("/admin/{}{rest}", S::KEY);
    Router::new()
        .route(&at(""), get(versioned::list::<S>).post(versioned::create::<S>))
        .route(&at("/new"), get(versioned::edit::<S>))
        .route(&at("/preview"), post(versioned::preview::<S>))
        .route(&at("/version/{key}"), get(versioned::show::<S>))
        .route(&at("/version/{key}/trial"), get(versioned::try_out::<S>).post(versioned::activate::<S>))
}

fn direct_routes<S: Direct>() -> Router<App> {
    let at = |rest: &str| format!("/admin/{}{rest}", S::KEY);
    Router::new()
        .route(&at("/edit"), get(direct::edit::<S>).post(direct::edit_again::<S>))
        .route(&at("/preview"), post(direct::preview::<S>))
        .route(&at("/trial"), post(direct::try_out::<S>))
        .route(&at("/apply"), post(direct::apply::<S>))
}

/// An administrator at their pages.
#[derive(Clone)]
pub(crate) struct Admin {
    visitor: Visitor,
    /// The services, called on with their rights.
    client: Client,
}

impl Admin {
    fn words(&self) -> Words {
        self.visitor.words
    }

    fn path(&self, path: &str) -> String {
        self.visitor.app.path(path)
    }
}

impl FromRequestParts<App> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let visitor = Visitor::from_request_parts(parts, app).await?;
        let client = visitor.client()?;
        if !visitor.may_act_as(Role::Admin) {
            return Err(Problem::own(Code::PermissionDenied, "ROLE_REQUIRED"));
        }
        Ok(Self { visitor, client })
    }
}

/// A text as part of an address.
fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
