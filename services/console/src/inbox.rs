//! The inbox: the cases somebody works, or waits for.

use askama::Template;
use axum::response::Response;
use axum::routing::{Router, get};

use crate::app::App;
use crate::page::{Frame, html};
use crate::problem::Problem;
use crate::session::Visitor;

/// Paths of the inbox.
pub(crate) fn routes() -> Router<App> {
    Router::new().route("/inbox", get(inbox))
}

#[derive(Template)]
#[template(path = "inbox.html")]
struct Page {
    f: Frame,
}

async fn inbox(visitor: Visitor) -> Result<Response, Problem> {
    visitor.person()?;
    Ok(html(&Page { f: Frame::new(&visitor, visitor.words.inbox(), "inbox") }))
}
