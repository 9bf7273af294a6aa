//! What those see who answer for the work of others: what waits and who has room, what climbed
//! or is late, and what waits for their decision.
//!
//! - `load` is the board of queues, people and departments.
//! - `climbed` lists the cases that are looked at, and why.
//! - `pending` finds what waits for a decision; `decide` shows it and decides.

mod climbed;
mod decide;
mod load;
mod names;
mod pending;

use axum::routing::{Router, get, post};
use kernel::Role;

use crate::app::App;
use crate::boards::Tab;
use crate::problem::Problem;
use crate::session::Visitor;

/// Paths of supervisors.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/team", get(load::board))
        .route("/team/escalations", get(climbed::list))
        .route("/team/decisions", get(decide::list))
        .route("/team/decisions/{kind}/{id}/{verdict}", post(decide::decide).get(decide::back))
}

/// Lets only supervisors on.
fn supervises(visitor: &Visitor) -> Result<(), Problem> {
    visitor.person()?;
    let may = visitor.may_act_as(Role::Supervisor);
    may.then_some(()).ok_or_else(|| Problem::own(tonic::Code::PermissionDenied, "ROLE_REQUIRED"))
}

/// The pages of a supervisor, one of which is looked at.
fn tabs(visitor: &Visitor, here: &str) -> Vec<Tab> {
    let t = visitor.words;
    let all = [
        ("/team", t.team_load()),
        ("/team/escalations", t.team_climbed()),
        ("/team/decisions", t.team_decisions()),
    ];
    let tab = |(path, name): (&str, &str)| Tab {
        name: name.to_owned(),
        path: visitor.app.path(path),
        is_here: path == here,
        count: String::new(),
    };
    all.into_iter().map(tab).collect()
}
