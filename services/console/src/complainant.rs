//! The pages of complainants: they complain, keep a code, follow by it what becomes of it,
//! add to it, answer the outcome or withdraw, and answer a survey. Nobody signs in for them.
//!
//! The code is never part of an address: it is given in a form, and kept by the browser in a
//! sealed cookie until it is closed or the code is forgotten. Whatever is wrong with a code,
//! the answer is the same, and the services count those who guess.

mod add;
mod answer;
mod follow;
mod submit;
mod submit_fields;
mod survey;
mod withdraw;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{Router, get, post};

use crate::app::App;
use crate::error_page::Shown;
use crate::form::Posted;
use crate::guest::{Guest, Kept};
use crate::page::{Frame, html};
use crate::papers::{Limits, Paper};
use crate::problem::Problem;
use crate::routes::see_other;

/// Paths of complainants' pages.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/complaints", get(home))
        .route("/complaints/forget", post(forget))
        .merge(submit::routes())
        .merge(follow::routes())
        .merge(add::routes())
        .merge(answer::routes())
        .merge(withdraw::routes())
        .merge(survey::routes())
}

#[derive(Template)]
#[template(path = "complainant/home.html")]
struct Home {
    f: Frame,
}

/// Where complainants begin.
async fn home(guest: Guest) -> Response {
    let f = Frame::for_guest(&guest.visitor, guest.words().guests_title(), "");
    html(&Home { f })
}

/// Has the browser forget the code, for the next who sits there.
async fn forget(State(app): State<App>, _: Guest, _: Posted) -> Response {
    let mut answer = see_other(&app.path("/complaints"));
    Kept::forget(&app, answer.headers_mut());
    answer
}

/// Where somebody gives their code.
fn ask_for_code(app: &App) -> Response {
    see_other(&app.path("/complaints/find"))
}

/// Papers as a page shows them: what may be sent, what is here, what was not taken.
struct Papers {
    /// How many, how large.
    told: String,
    /// Of which kinds, as people call them.
    kinds: String,
    /// The same as browsers ask for it.
    accept: String,
    /// As the form sends it, its name, its size.
    here: Vec<(String, String, String)>,
    refused: Vec<String>,
}

impl Papers {
    fn of(limits: &Limits, papers: &[Paper], refused: Vec<String>, guest: &Guest) -> Self {
        let here = papers.iter().map(|paper| (paper.sealed(guest), paper.name.clone(), paper.size()));
        Self {
            told: limits.told(guest.words()),
            kinds: limits.kinds(),
            accept: limits.accept.clone(),
            here: here.collect(),
            refused,
        }
    }

    /// Nothing was sent yet.
    async fn none(guest: &Guest) -> Result<Self, Problem> {
        Ok(Self::of(&Limits::of(&guest.client).await?, &[], Vec::new(), guest))
    }
}

/// What went wrong with what was sent, above the form: nothing where each field says it itself.
fn above(problem: &Problem, left: Vec<(String, String)>, guest: &Guest) -> Shown {
    Shown { violations: left, ..Shown::of(problem, &guest.visitor) }
}

/// The page's own summary of what is wrong, of each field its id, its label and what to do.
type Wrong = Vec<(String, String, String)>;
