//! The page of a case: all that is known of it, and what can be done, on one page.
//!
//! - `load` asks the services, all at once.
//! - `view` is what templates ask of it.
//! - `band` draws how a due time is counted.
//! - `act` is what can be done: each a form, each sent once.
//! - `live` tells of changes; `aside` is what is loaded when it is opened; `papers` fetches files.

mod act;
mod aside;
mod band;
mod live;
mod load;
mod names;
mod papers;
mod plan_form;
mod remedy_types;
mod view;

use axum::extract::{Path, Query};
use axum::response::Response;
use axum::routing::{Router, get, post};
use http::StatusCode;
use proto::redress::cases::v1::ClockKind;
use proto::redress::resolution::v1::RemedyType;
use serde::Deserialize;

use crate::app::App;
use crate::page::html_with;
use crate::problem::Problem;
use crate::routes::back_to;
use crate::session::Visitor;

use view::{CasePage, Failed};

/// Paths of a case.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/cases/{case}", get(show))
        .route("/cases/{case}/events", get(live::events))
        .route("/cases/{case}/similar", get(aside::similar))
        .route("/cases/{case}/remedy", get(remedy_types::fields))
        .route("/cases/{case}/papers/{paper}", get(papers::fetch))
        .route("/cases/{case}/{action}", post(act::act).get(back))
}

/// What a page of a case is asked with.
#[derive(Default, Deserialize)]
pub(crate) struct CaseQuery {
    /// What was just done.
    #[serde(default)]
    done: String,
    /// What must have been applied of it before it is shown.
    #[serde(default)]
    after: String,
    /// The clock to explain, by its name in the contract; else the next that is due.
    #[serde(default)]
    clock: String,
}

impl CaseQuery {
    fn clock(&self) -> Option<ClockKind> {
        ClockKind::from_str_name(&format!("CLOCK_KIND_{}", self.clock.to_ascii_uppercase()))
    }
}

/// The address of a form, as somebody opens it again: the page it is on.
async fn back(visitor: Visitor, Path((case, _)): Path<(String, String)>) -> Response {
    back_to(&visitor.app, &format!("/cases/{case}"))
}

async fn show(
    visitor: Visitor,
    Path(case): Path<String>,
    Query(asked): Query<CaseQuery>,
) -> Result<Response, Problem> {
    Box::pin(page(visitor, &case, &asked, None)).await
}

/// The page of a case, with what could not be done.
async fn page(
    visitor: Visitor,
    case: &str,
    asked: &CaseQuery,
    failed: Option<Failed>,
) -> Result<Response, Problem> {
    let loaded = Box::pin(load::load(&visitor, case, asked)).await?;
    let status = failed.as_ref().map_or(StatusCode::OK, |failed| failed.problem.status());
    let types = own_types(&visitor, &loaded, failed.as_ref()).await?;
    Ok(html_with(status, &CasePage::new(visitor, loaded, asked, failed, &types)))
}

/// The tenant's own types of remedy that the plan editor shows the questions of.
async fn own_types(
    visitor: &Visitor,
    loaded: &load::Loaded,
    failed: Option<&Failed>,
) -> Result<Vec<RemedyType>, Problem> {
    let client = visitor.client()?;
    if let Some(failed) = failed.filter(|failed| failed.is_of_plan()) {
        return Ok(remedy_types::of_form(&client, &failed.posted).await.unwrap_or_default());
    }
    match view::revisable(&loaded.plans) {
        Some(plan) => Ok(remedy_types::of_plan(&client, plan).await),
        None => Ok(Vec::new()),
    }
}
