//! The page for what went wrong, made for who looks: what it is, why, and what to do.

use askama::Template;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use http::{HeaderValue, Method, header};
use tonic::Code;

use crate::app::App;
use crate::page::{Frame, html};
use crate::problem::Problem;
use crate::session::Visitor;
use crate::sign_in::sign_in_path;

/// What went wrong, as a page shows it above what it is about, and as a page of its own.
#[derive(Clone)]
pub(crate) struct Shown {
    /// In a few words.
    pub(crate) title: &'static str,
    /// What it means and what to do.
    pub(crate) explanation: String,
    /// What is wrong with which field: its path and the service's words.
    pub(crate) violations: Vec<(String, String)>,
    /// The service's own sentence.
    pub(crate) sentence: String,
    /// Stable, for who is asked about it.
    pub(crate) reason: String,
}

impl Shown {
    /// For who looks.
    pub(crate) fn of(problem: &Problem, visitor: &Visitor) -> Self {
        let t = visitor.words;
        let violations = problem.violations.iter();
        Self {
            title: problem.title(t),
            explanation: problem.explanation(t),
            violations: violations.map(|one| (one.field.clone(), one.description.clone())).collect(),
            sentence: problem.sentence.clone(),
            reason: problem.reason.clone(),
        }
    }
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    f: Frame,
    shown: Shown,
    /// Where to sign in again, where that would help.
    sign_in: Option<String>,
}

/// Makes a page of what went wrong; whoever only looked and is signed out is asked to sign in.
pub(crate) async fn layer(State(app): State<App>, request: Request, next: Next) -> Response {
    let visitor = request.extensions().get::<Visitor>().cloned();
    let is_read = *request.method() == Method::GET;
    let mut answer = next.run(request).await;
    let (Some(visitor), Some(problem)) = (visitor, answer.extensions_mut().remove::<Problem>()) else {
        return answer;
    };
    let signed_out = problem.code == Code::Unauthenticated;
    if signed_out && is_read {
        return Redirect::to(&app.path(&sign_in_path(&visitor.at))).into_response();
    }
    let shown = Shown::of(&problem, &visitor);
    let f = Frame::new(&visitor, shown.title, "");
    let sign_in = signed_out.then(|| app.path(&sign_in_path("")));
    let mut page = html(&ProblemPage { f, shown, sign_in });
    *page.status_mut() = problem.status();
    if let Some(retry) = problem.retry {
        page.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(retry.as_secs().max(1)));
    }
    page
}
