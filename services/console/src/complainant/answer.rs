//! Answering the outcome: accepted, or disputed with what is still wrong.

use askama::Template;
use axum::extract::State;
use axum::response::Response as Answer;
use axum::routing::{Router, get};
use http::StatusCode;
use proto::redress::feedback::v1::feedback_service_client::FeedbackServiceClient;
use proto::redress::feedback::v1::{RespondToOutcomeRequest, Response};

use super::{Wrong, ask_for_code, follow};
use crate::app::App;
use crate::error_page::Shown;
use crate::form::{Posted, request_id};
use crate::guest::{Cost, Guest};
use crate::page::{Frame, html, html_with};
use crate::problem::Problem;
use crate::routes::see_other;
use crate::schema::{Field, Kind};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/complaints/mine/answer", get(form).post(send))
}

#[derive(Template)]
#[template(path = "complainant/answer.html")]
struct Page {
    f: Frame,
    /// What was decided; empty where that is not known here.
    outcome: &'static str,
    cycle: i32,
    chosen: String,
    /// Why the choice is no good; empty where it is.
    choice_error: &'static str,
    comment: Field,
    request_id: String,
    wrong: Wrong,
    problem: Option<Shown>,
}

impl Page {
    fn new(guest: &Guest, cycle: i32, chosen: &str, request_id: String) -> Self {
        let t = guest.words();
        let comment = Field::own("comment", "comment", t.answer_comment(), Kind::lines(10_000));
        Self {
            f: Frame::for_guest(&guest.visitor, t.answer_title(), "mine"),
            outcome: "",
            cycle,
            chosen: chosen.to_owned(),
            choice_error: "",
            comment: comment.saying(t.answer_comment_help()),
            request_id,
            wrong: Wrong::new(),
            problem: None,
        }
    }
}

async fn form(State(app): State<App>, guest: Guest) -> Result<Answer, Problem> {
    if guest.kept.code.is_empty() {
        return Ok(ask_for_code(&app));
    }
    let told = follow::track(&guest).await?;
    if !follow::is_answerable(&told) {
        return Ok(see_other(&app.path("/complaints/mine")));
    }
    let mut page = Page::new(&guest, told.cycle, "", request_id());
    page.outcome = guest.words().outcome(told.outcome);
    Ok(html(&page))
}

async fn send(State(app): State<App>, guest: Guest, posted: Posted) -> Result<Answer, Problem> {
    guest.pay(Cost::Writing)?;
    if guest.kept.code.is_empty() {
        return Ok(ask_for_code(&app));
    }
    let t = guest.words();
    let (chosen, comment) = (posted.text("response"), posted.text("comment"));
    let mut page = Page::new(&guest, posted.number("cycle").unwrap_or_default(), chosen, posted.request_id());
    page.comment.values = vec![comment.to_owned()];
    let (response, done) = match chosen {
        "accepted" => (Response::Accepted, "accepted"),
        "disputed" => (Response::Disputed, "disputed"),
        _ => (Response::Unspecified, ""),
    };
    if response == Response::Unspecified {
        page.choice_error = t.answer_choose();
        page.wrong.push(("accepted".to_owned(), t.answer_title().to_owned(), t.answer_choose().to_owned()));
    } else if response == Response::Disputed && comment.is_empty() {
        t.answer_say_why().clone_into(&mut page.comment.error);
        page.wrong.push(("comment".to_owned(), t.answer_comment().to_owned(), t.answer_say_why().to_owned()));
    }
    if !page.wrong.is_empty() {
        return Ok(html_with(StatusCode::UNPROCESSABLE_ENTITY, &page));
    }
    let request = RespondToOutcomeRequest {
        request_id: page.request_id.clone(),
        cycle: page.cycle,
        response: response.into(),
        comment: comment.to_owned(),
        receipt_code: guest.kept.code.clone(),
        end_user: guest.end_user.clone(),
        ..RespondToOutcomeRequest::default()
    };
    match FeedbackServiceClient::new(guest.seeing().calls()).respond_to_outcome(request).await {
        Ok(answer) => {
            let kept = guest.having_done(done, &answer);
            let mut answer = see_other(&app.path("/complaints/mine"));
            kept.keep(&app, answer.headers_mut());
            Ok(answer)
        }
        Err(status) => {
            let problem = Problem::from(status);
            page.problem = Some(Shown::of(&problem, &guest.visitor));
            Ok(html_with(problem.status(), &page))
        }
    }
}
