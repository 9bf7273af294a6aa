//! Signing in and out.
//!
//! Without an identity provider, on the loopback only, whoever comes chooses whom to be.

mod personas;

use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::{Router, get, post};
use serde::Deserialize;

use crate::app::App;
use crate::form::Posted;
use crate::problem::Problem;
use crate::routes::{own_path, see_other};
use crate::session::{Begin, Session, Visitor};

/// Paths of signing in and out.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/sign-in", get(sign_in))
        .route("/sign-in/persona", post(personas::choose))
        .route("/sign-out", post(sign_out))
}

/// Where to come back to.
#[derive(Deserialize)]
pub(crate) struct Back {
    #[serde(default)]
    pub(crate) back: String,
}

/// The page to sign in at, which comes back to this one.
pub(crate) fn sign_in_path(at: &str) -> String {
    match own_path(at) {
        Some(at) if at != "/" => {
            let back = percent_encoding::utf8_percent_encode(at, percent_encoding::NON_ALPHANUMERIC);
            format!("/sign-in?back={back}")
        }
        _ => "/sign-in".to_owned(),
    }
}

async fn sign_in(visitor: Visitor, Query(back): Query<Back>) -> Result<Response, Problem> {
    personas::page(&visitor, &back.back).await
}

/// Ends the session; the next one is another, so that no form of this one is good any more.
async fn sign_out(State(app): State<App>, _: Posted) -> Result<Response, Problem> {
    let session = Session::new(&app, None).map_err(|error| Problem::broken(&format!("{error:#}")))?;
    let mut answer = see_other(&app.path("/sign-in"));
    answer.extensions_mut().insert(Begin(session));
    Ok(answer)
}
