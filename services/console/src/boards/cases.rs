//! The cases behind a number: those that a filter means. Boards lead here with a filter of
//! theirs; the service reads it, and shows to each what they may see.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use axum::routing::{Router, get};
use kernel::Role;
use proto::redress::cases::v1::case_service_client::CaseServiceClient;
use proto::redress::cases::v1::{Case, ListCasesRequest};
use serde::Deserialize;

use super::{When, encoded};
use crate::app::App;
use crate::page::{Frame, html};
use crate::problem::Problem;
use crate::session::Visitor;

/// Rows of a page.
const ROWS: i32 = 50;
/// Longest text that was typed into a filter's value.
const VALUE_MAX: usize = 200;

/// Paths of cases behind numbers.
pub(crate) fn routes() -> Router<App> {
    Router::new().route("/boards/cases", get(cases))
}

/// A value within a filter: a text of others, whatever is in it.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars().take(VALUE_MAX) {
        if matches!(letter, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(if letter.is_control() { ' ' } else { letter });
    }
    quoted.push('"');
    quoted
}

/// Where the cases are that a filter means.
pub(crate) fn path(visitor: &Visitor, filter: &str) -> String {
    visitor.app.path(&format!("/boards/cases?filter={}", encoded(filter)))
}

#[derive(Default, Deserialize)]
struct CasesQuery {
    #[serde(default)]
    filter: String,
    /// `due` has those first that are due next; only of open cases.
    #[serde(default)]
    order: String,
    #[serde(default)]
    page: String,
}

/// A case as a row.
struct Row {
    path: String,
    case: Case,
    due: Option<When>,
}

#[derive(Template)]
#[template(path = "boards/cases.html")]
struct Page {
    f: Frame,
    filter: String,
    rows: Vec<Row>,
    next: Option<String>,
}

async fn cases(visitor: Visitor, Query(asked): Query<CasesQuery>) -> Result<Response, Problem> {
    let client = visitor.client()?;
    if !visitor.may_act_as(Role::Reader) {
        return Err(Problem::own(tonic::Code::PermissionDenied, "ROLE_REQUIRED"));
    }
    let order_by = if asked.order == "due" { "due_time" } else { "" };
    let request = ListCasesRequest {
        page_size: ROWS,
        page_token: asked.page.clone(),
        filter: asked.filter.clone(),
        order_by: order_by.to_owned(),
        ..ListCasesRequest::default()
    };
    let answer = CaseServiceClient::new(client.calls()).list_cases(request).await?.into_inner();
    let rows = answer.cases.into_iter().map(|case| Row {
        path: visitor.app.path(&format!("/cases/{}", encoded(&case.case_id))),
        due: When::of(case.due_time.as_ref(), &visitor),
        case,
    });
    let next = (!answer.next_page_token.is_empty()).then(|| {
        let (order, page) = (encoded(&asked.order), encoded(&answer.next_page_token));
        format!("{}&order={order}&page={page}", path(&visitor, &asked.filter))
    });
    let f = Frame::new(&visitor, visitor.words.cases_behind(), "");
    Ok(html(&Page { f, filter: asked.filter, rows: rows.collect(), next }))
}

impl Row {
    /// Overdue is what is still open and due before now.
    fn is_overdue(&self) -> bool {
        self.case.close_time.is_none() && self.due.as_ref().is_some_and(|due| due.is_past)
    }
}
