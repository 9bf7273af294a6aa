//! What managers see: figures with their charts, signals, what is done about problems, reports,
//! scorecards. Each number leads to its cases, where a filter of cases can say which they are.
//!
//! - `ask` is what is asked of a time; `board` puts the answers together, `told` is how a figure
//!   reads; `funnel` and `hours` count cases themselves.
//! - `signals`, `actions`, `reports` and `scorecards` are pages of their own.

mod actions;
mod ask;
mod board;
mod funnel;
mod hours;
mod names;
mod reports;
mod scorecards;
mod signals;
mod told;

use axum::routing::{Router, get, post};
use kernel::Role;

use crate::app::App;
use crate::boards::Tab;
use crate::problem::Problem;
use crate::session::Visitor;

/// Paths of figures.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/figures", get(board::board))
        .route("/figures/hours", get(hours::hours))
        .route("/figures/signals", get(signals::list))
        .route("/figures/signals/{id}", get(signals::show))
        .route("/figures/signals/{id}/dismiss", post(signals::dismiss).get(signals::back))
        .route("/figures/actions", get(actions::list).post(actions::create))
        .route("/figures/actions/{id}", get(actions::show))
        .route("/figures/actions/{id}/{action}", post(actions::act).get(actions::back))
        .route("/figures/reports", get(reports::list).post(reports::create))
        .route("/figures/reports/{id}/{language}/{format}", get(reports::download))
        .route("/figures/scorecards", get(scorecards::list))
}

/// Lets only those on who may see what there is of a tenant.
fn sees(visitor: &Visitor, role: Role) -> Result<(), Problem> {
    visitor.person()?;
    let may = visitor.may_act_as(role);
    may.then_some(()).ok_or_else(|| Problem::own(tonic::Code::PermissionDenied, "ROLE_REQUIRED"))
}

/// The pages of figures, one of which is looked at.
fn tabs(visitor: &Visitor, here: &str) -> Vec<Tab> {
    let t = visitor.words;
    let all = [
        ("/figures", t.figures_title(), Role::Reader),
        ("/figures/hours", t.hours_title(), Role::Reader),
        ("/figures/signals", t.signals_title(), Role::Reader),
        ("/figures/actions", t.actions_title(), Role::Reader),
        ("/figures/reports", t.reports_title(), Role::Reader),
        ("/figures/scorecards", t.scorecards_title(), Role::Supervisor),
    ];
    all.into_iter()
        .filter(|(.., role)| visitor.may_act_as(*role))
        .map(|(path, name, _)| Tab {
            name: name.to_owned(),
            path: visitor.app.path(path),
            is_here: path == here,
            count: String::new(),
        })
        .collect()
}
