//! Withdrawing a complaint: asked whether it is meant.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{Router, get};
use http::StatusCode;
use proto::redress::cases::v1::WithdrawComplaintRequest;
use proto::redress::cases::v1::case_service_client::CaseServiceClient;

use super::{Wrong, ask_for_code};
use crate::app::App;
use crate::error_page::Shown;
use crate::form::{Posted, request_id};
use crate::guest::{Cost, Guest};
use crate::page::{Frame, html, html_with};
use crate::problem::Problem;
use crate::routes::see_other;
use crate::schema::{Field, Kind};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/complaints/mine/withdraw", get(form).post(send))
}

#[derive(Template)]
#[template(path = "complainant/withdraw.html")]
struct Page {
    f: Frame,
    reason: Field,
    sure: Field,
    request_id: String,
    wrong: Wrong,
    problem: Option<Shown>,
}

impl Page {
    fn new(guest: &Guest, request_id: String) -> Self {
        let t = guest.words();
        Self {
            f: Frame::for_guest(&guest.visitor, t.withdraw_title(), "mine"),
            reason: Field::own("reason", "reason", t.withdraw_reason(), Kind::lines(2_000)),
            sure: Field::own("sure", "confirmed", t.withdraw_sure(), Kind::Tick).required(),
            request_id,
            wrong: Wrong::new(),
            problem: None,
        }
    }
}

async fn form(State(app): State<App>, guest: Guest) -> Response {
    if guest.kept.code.is_empty() {
        return ask_for_code(&app);
    }
    html(&Page::new(&guest, request_id()))
}

async fn send(State(app): State<App>, guest: Guest, posted: Posted) -> Result<Response, Problem> {
    guest.pay(Cost::Writing)?;
    if guest.kept.code.is_empty() {
        return Ok(ask_for_code(&app));
    }
    let t = guest.words();
    let mut page = Page::new(&guest, posted.request_id());
    page.reason.values = vec![posted.text("reason").to_owned()];
    if !posted.is_ticked("sure") {
        t.withdraw_confirm_first().clone_into(&mut page.sure.error);
        page.wrong.push(("sure".to_owned(), t.withdraw_sure().to_owned(), page.sure.error.clone()));
        return Ok(html_with(StatusCode::UNPROCESSABLE_ENTITY, &page));
    }
    let request = WithdrawComplaintRequest {
        request_id: page.request_id.clone(),
        receipt_code: guest.kept.code.clone(),
        end_user: guest.end_user.clone(),
        reason: posted.text("reason").to_owned(),
        confirmed: true,
        ..WithdrawComplaintRequest::default()
    };
    match CaseServiceClient::new(guest.seeing().calls()).withdraw_complaint(request).await {
        Ok(answer) => {
            let kept = guest.having_done("withdrawn", &answer);
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
