//! Adding to a complaint: words and papers.

use askama::Template;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::response::Response;
use axum::routing::{Router, get};
use http::StatusCode;
use proto::redress::intake::v1::form_service_client::FormServiceClient;
use proto::redress::intake::v1::{AddInformationRequest, InformationSource};

use super::{Papers, Wrong, ask_for_code};
use crate::app::App;
use crate::error_page::Shown;
use crate::form::request_id;
use crate::guest::{Cost, Guest};
use crate::page::{Frame, html, html_with};
use crate::papers::{self, Limits, Paper, SENDING_MAX, Sent};
use crate::problem::Problem;
use crate::routes::see_other;
use crate::schema::{Field, Kind};

pub(super) fn routes() -> Router<App> {
    let sending = get(form).post(add).layer(DefaultBodyLimit::max(SENDING_MAX));
    Router::new().route("/complaints/mine/add", sending)
}

#[derive(Template)]
#[template(path = "complainant/add.html")]
struct Page {
    f: Frame,
    field: Field,
    papers: Papers,
    request_id: String,
    wrong: Wrong,
    problem: Option<Shown>,
}

fn page(guest: &Guest, field: Field, papers: Papers, request_id: String, problem: Option<Shown>) -> Page {
    let t = guest.words();
    let own = field.wrong().map(|(id, label, error)| (id.to_owned(), label.to_owned(), error.to_owned()));
    let refused = papers.refused.iter();
    let refused = refused.map(|why| ("files".to_owned(), t.part_papers().to_owned(), why.clone()));
    let wrong = own.into_iter().chain(refused).collect();
    Page {
        f: Frame::for_guest(&guest.visitor, t.add_title(), "mine"),
        field,
        papers,
        request_id,
        wrong,
        problem,
    }
}

fn field(guest: &Guest) -> Field {
    Field::own("text", "text", guest.words().add_text(), Kind::lines(20_000))
}

async fn form(State(app): State<App>, guest: Guest) -> Result<Response, Problem> {
    if guest.kept.code.is_empty() {
        return Ok(ask_for_code(&app));
    }
    let papers = Papers::none(&guest).await?;
    Ok(html(&page(&guest, field(&guest), papers, request_id(), None)))
}

async fn add(State(app): State<App>, guest: Guest, request: Request) -> Result<Response, Problem> {
    guest.pay(Cost::Writing)?;
    if guest.kept.code.is_empty() {
        return Ok(ask_for_code(&app));
    }
    let limits = Limits::of(&guest.client).await?;
    let Sent { posted, papers, refused } = papers::receive(request, &app, &guest, &limits).await?;
    let mut field = field(&guest);
    field.values = vec![posted.text("text").to_owned()];
    if field.value().is_empty() && papers.is_empty() && refused.is_empty() {
        guest.words().add_nothing().clone_into(&mut field.error);
    }
    let mut problem = None;
    if field.error.is_empty() && refused.is_empty() {
        let request = AddInformationRequest {
            request_id: posted.request_id(),
            source: InformationSource::Complainant.into(),
            text: field.value().to_owned(),
            evidence: papers.iter().map(Paper::evidence).collect(),
            receipt_code: guest.kept.code.clone(),
            end_user: guest.end_user.clone(),
            ..AddInformationRequest::default()
        };
        let mut forms = FormServiceClient::new(guest.seeing().calls());
        match forms.add_information(request).await {
            Ok(answer) => {
                let kept = guest.having_done("added", &answer);
                let mut answer = see_other(&app.path("/complaints/mine"));
                kept.keep(&app, answer.headers_mut());
                return Ok(answer);
            }
            Err(status) => problem = Some(Problem::from(status)),
        }
    }
    let status = problem.as_ref().map_or(StatusCode::UNPROCESSABLE_ENTITY, Problem::status);
    let shown = problem.map(|problem| Shown::of(&problem, &guest.visitor));
    let papers = Papers::of(&limits, &papers, refused, &guest);
    Ok(html_with(status, &page(&guest, field, papers, posted.request_id(), shown)))
}
