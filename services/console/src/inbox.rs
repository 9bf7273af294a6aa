//! The inbox: the cases somebody works, those of their department, those that wait, are due next
//! or overdue, and those whose category was guessed.
//!
//! - `view` is which cases a view has.
//! - `bulk` does one thing to many cases, and says of each what became of it.

mod bulk;
mod view;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::{Router, get, post};
use kernel::Role;
use proto::redress::assignment::v1::ClaimNextRequest;
use proto::redress::assignment::v1::assignment_service_client::AssignmentServiceClient;
use serde::Deserialize;
use tonic::Code;

use crate::app::App;
use crate::form::Posted;
use crate::page::{Frame, html};
use crate::problem::Problem;
use crate::routes::see_other;
use crate::session::Visitor;

use view::{Rows, View};

/// Paths of the inbox.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/inbox", get(inbox))
        .route("/inbox/bulk", post(bulk::bulk))
        .route("/inbox/claim", post(claim))
}

/// Which cases are asked for.
#[derive(Default, Deserialize)]
struct Asked {
    #[serde(default)]
    view: String,
    /// Words to search for.
    #[serde(default)]
    q: String,
    /// Where to go on.
    #[serde(default)]
    page: String,
}

/// A view as the page leads to it.
struct Tab {
    name: &'static str,
    path: String,
    is_here: bool,
    /// How many cases it has; none where that is not known.
    count: Option<String>,
}

#[derive(Template)]
#[template(path = "inbox/page.html")]
struct Page {
    f: Frame,
    tabs: Vec<Tab>,
    view: View,
    q: String,
    rows: Rows,
    /// Where the next page is.
    next: Option<String>,
    is_first: bool,
    can_act: bool,
    /// Whether who looks takes cases: an agent on the roster does.
    can_claim: bool,
    empty: &'static str,
}

async fn inbox(visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let client = visitor.client()?;
    if !visitor.may_act_as(Role::Reader) {
        return Err(Problem::own(Code::PermissionDenied, "ROLE_REQUIRED"));
    }
    let view = View::of(&asked.view).unwrap_or_default();
    let q = asked.q.trim();
    let place = view::Place::of(&client, &visitor).await;
    let (rows, counts) = tokio::join!(
        view::rows(&client, &visitor, &place, view, q, &asked.page),
        view::counts(&client, &place),
    );
    let rows = rows?;
    let t = visitor.words;
    let path = |view: View, rest: &str| visitor.app.path(&format!("/inbox?view={}{rest}", view.key()));
    let tabs = View::ALL
        .into_iter()
        .filter(|view| *view != View::Team || place.department.is_some())
        .map(|one| Tab {
            name: one.name(t),
            path: path(one, ""),
            is_here: one == view && q.is_empty(),
            count: counts.iter().find(|(of, _)| *of == one).map(|(_, count)| count.clone()),
        })
        .collect();
    let encoded = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let next = (!rows.next.is_empty())
        .then(|| path(view, &format!("&q={}&page={}", encoded(q), encoded(&rows.next))));
    let title = if q.is_empty() { view.name(t).to_owned() } else { t.search_results(q) };
    let empty = if view == View::Mine && q.is_empty() { t.inbox_empty_mine() } else { t.inbox_empty() };
    Ok(html(&Page {
        f: Frame::new(&visitor, title, "inbox"),
        tabs,
        view,
        q: q.to_owned(),
        rows,
        next,
        is_first: asked.page.is_empty(),
        can_act: visitor.may_act_as(Role::Agent),
        can_claim: place.department.is_some(),
        empty,
    }))
}

/// Takes the case whose turn it is.
async fn claim(State(app): State<App>, visitor: Visitor, posted: Posted) -> Result<Response, Problem> {
    let agent_id = visitor.person()?.subject.clone();
    let mut service = AssignmentServiceClient::new(visitor.client()?.calls());
    let request = ClaimNextRequest { request_id: posted.request_id(), agent_id };
    let assignment = service.claim_next(request).await?.into_inner().assignment;
    let case = assignment.map(|assignment| assignment.case_id);
    let case = case.ok_or_else(|| Problem::own(Code::NotFound, "QUEUE_EMPTY"))?;
    Ok(see_other(&app.path(&format!("/cases/{case}"))))
}
