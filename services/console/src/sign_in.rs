//! Signing in and out: at an identity provider; without one, on the loopback only, whoever comes
//! chooses whom to be.

mod personas;
mod provider;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::{Router, get, post};
use http::HeaderMap;
use serde::Deserialize;
use tonic::Code;

use crate::app::App;
use crate::form::Posted;
use crate::page::{Frame, html};
use crate::problem::Problem;
use crate::routes::{back_to, own_path, see_other};
use crate::session::{Begin, Session, Visitor, cookie, set_cookie};

pub(crate) use provider::{Provider, Refused};

/// The cookie that knows who was sent to the provider, and what it is sealed for.
const ATTEMPT: &str = "redress-sign-in";
/// How long somebody may take there, in seconds.
const ATTEMPT_SECONDS: u32 = 900;

/// Paths of signing in and out.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/sign-in", get(sign_in))
        .route("/sign-in/persona", post(personas::choose))
        .route("/sign-in/start", get(start))
        .route("/sign-in/callback", get(callback))
        .route("/sign-out", post(sign_out))
}

/// Where to come back to.
#[derive(Deserialize)]
struct Back {
    #[serde(default)]
    back: String,
}

/// What the provider sends somebody back with.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    error: String,
}

/// The page to sign in at.
#[derive(Template)]
#[template(path = "sign_in/provider.html")]
struct Page {
    f: Frame,
    start: String,
    /// Whether complainants' pages are served here, which need no sign-in.
    has_complaints: bool,
}

/// The page to sign in at, which comes back to this one.
pub(crate) fn sign_in_path(at: &str) -> String {
    with_back("/sign-in", at)
}

fn with_back(path: &str, at: &str) -> String {
    match own_path(at) {
        Some(at) if at != "/" => {
            let back = percent_encoding::utf8_percent_encode(at, percent_encoding::NON_ALPHANUMERIC);
            format!("{path}?back={back}")
        }
        _ => path.to_owned(),
    }
}

async fn sign_in(visitor: Visitor, Query(Back { back }): Query<Back>) -> Result<Response, Problem> {
    if visitor.app.is_development {
        return personas::page(&visitor, &back).await;
    }
    let f = Frame::new(&visitor, visitor.words.sign_in(), "");
    let start = visitor.app.path(&with_back("/sign-in/start", &back));
    Ok(html(&Page { f, start, has_complaints: visitor.app.serves_complainants() }))
}

fn provider(app: &App) -> Result<&Provider, Problem> {
    app.provider.as_ref().ok_or_else(Problem::not_found)
}

/// Nothing came of it, and the log says why.
fn failed(error: &anyhow::Error) -> Problem {
    tracing::warn!(error = format!("{error:#}"), "somebody could not sign in");
    Problem::own(Code::Unavailable, "SIGN_IN_FAILED")
}

/// Sends somebody to the provider.
async fn start(State(app): State<App>, Query(Back { back }): Query<Back>) -> Result<Response, Problem> {
    let begun = provider(&app)?.begin(&back, app.now()).await;
    let (url, attempt) = begun.map_err(|error| failed(&error))?;
    let text = serde_json::to_vec(&attempt).unwrap_or_default();
    let sealed = app.seals.seal(ATTEMPT, &text).ok_or_else(|| Problem::broken("nothing can be sealed"))?;
    let mut answer = see_other(&url);
    set_cookie(&app, answer.headers_mut(), ATTEMPT, &sealed, Some(ATTEMPT_SECONDS));
    Ok(answer)
}

/// Takes somebody back from the provider: only the browser that was sent there, and once.
async fn callback(
    State(app): State<App>,
    headers: HeaderMap,
    Query(answer): Query<Answer>,
) -> Result<Response, Problem> {
    let provider = provider(&app)?;
    let sealed = cookie(&headers, ATTEMPT).and_then(|sealed| app.seals.open(ATTEMPT, &sealed));
    let attempt: Option<provider::Attempt> = sealed.and_then(|text| serde_json::from_slice(&text).ok());
    let is_ours = |attempt: &provider::Attempt| {
        attempt.state == answer.state && app.now() - attempt.begun < i64::from(ATTEMPT_SECONDS)
    };
    let Some(attempt) = attempt.filter(is_ours) else {
        return Err(Problem::own(Code::FailedPrecondition, "SIGN_IN_EXPIRED"));
    };
    if !answer.error.is_empty() || answer.code.is_empty() {
        tracing::info!(error = answer.error, "the identity provider lets somebody not in");
        return Err(Problem::own(Code::PermissionDenied, "SIGN_IN_REFUSED"));
    }
    let person = provider.finish(&attempt, answer.code, app.now()).await.map_err(|error| failed(&error))?;
    let session = Session::new(&app, Some(person)).map_err(|error| Problem::broken(&format!("{error:#}")))?;
    let mut page = back_to(&app, &attempt.back);
    set_cookie(&app, page.headers_mut(), ATTEMPT, "", Some(0));
    page.extensions_mut().insert(Begin(session));
    Ok(page)
}

/// Ends the session, at the provider too; the next one is another, so that no form of this one
/// is good any more.
async fn sign_out(State(app): State<App>, visitor: Visitor, _: Posted) -> Result<Response, Problem> {
    let session = Session::new(&app, None).map_err(|error| Problem::broken(&format!("{error:#}")))?;
    let tokens = visitor.session.person.as_ref().and_then(|person| person.tokens.as_ref());
    let end = match (&app.provider, tokens) {
        (Some(provider), Some(tokens)) => provider.end(tokens).await,
        _ => None,
    };
    let mut answer = see_other(&end.unwrap_or_else(|| app.path("/sign-in")));
    answer.extensions_mut().insert(Begin(session));
    Ok(answer)
}
