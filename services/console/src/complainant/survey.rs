//! The survey: its code, its questions, the answer, once.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{Router, get};
use http::StatusCode;
use proto::redress::feedback::v1::survey_service_client::SurveyServiceClient;
use proto::redress::feedback::v1::{GetSurveyRequest, GetSurveyResponse, SubmitSurveyRequest, SurveyAnswer};

use super::follow::{CODE_MAX, code_field};
use crate::app::App;
use crate::error_page::Shown;
use crate::form::{Posted, request_id};
use crate::guest::{Cost, Guest, Kept};
use crate::moment::Moment;
use crate::page::{Frame, html, html_with};
use crate::problem::Problem;
use crate::routes::see_other;
use crate::schema::{Field, Kind};

/// The reason of a code that is wrong in any way.
const CODE_UNKNOWN: &str = "SURVEY_CODE_UNKNOWN";
/// The scores there are.
const SCORES: std::ops::RangeInclusive<i32> = 1..=5;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/complaints/survey", get(ask).post(begin))
        .route("/complaints/survey/questions", get(questions).post(answer))
        .route("/complaints/survey/thanks", get(thanks))
}

#[derive(Template)]
#[template(path = "complainant/survey_code.html")]
struct CodePage {
    f: Frame,
    field: Field,
    problem: Option<Shown>,
}

fn code_page(guest: &Guest, problem: Option<&Problem>, code: &str) -> CodePage {
    let t = guest.words();
    let mut field = code_field(t.survey_code_label(), t.survey_code_help());
    field.values = vec![code.to_owned()];
    if problem.is_some_and(|problem| problem.reason == CODE_UNKNOWN) {
        t.survey_code_unknown().clone_into(&mut field.error);
    }
    let shown = problem.filter(|_| field.error.is_empty()).map(|problem| Shown::of(problem, &guest.visitor));
    CodePage { f: Frame::for_guest(&guest.visitor, t.to_survey(), "survey"), field, problem: shown }
}

/// Asks for the code.
async fn ask(guest: Guest) -> Response {
    html(&code_page(&guest, None, ""))
}

/// Looks whether there is a survey with this code, and goes to its questions.
async fn begin(State(app): State<App>, guest: Guest, posted: Posted) -> Result<Response, Problem> {
    guest.pay(Cost::Code)?;
    let survey: String = posted.text("code").chars().take(CODE_MAX).collect();
    let kept = Kept { survey, ..guest.kept.clone() };
    let guest = guest.keeping(kept);
    match asked(&guest).await {
        Ok(_) => {
            let mut answer = see_other(&app.path("/complaints/survey/questions"));
            guest.kept.keep(&app, answer.headers_mut());
            Ok(answer)
        }
        Err(problem) => {
            let status = match problem.status() {
                StatusCode::NOT_FOUND => StatusCode::UNPROCESSABLE_ENTITY,
                status => status,
            };
            Ok(html_with(status, &code_page(&guest, Some(&problem), &guest.kept.survey)))
        }
    }
}

async fn asked(guest: &Guest) -> Result<GetSurveyResponse, Problem> {
    let request =
        GetSurveyRequest { survey_code: guest.kept.survey.clone(), end_user: guest.end_user.clone() };
    Ok(SurveyServiceClient::new(guest.client.calls()).get_survey(request).await?.into_inner())
}

/// A question that is answered with a score.
struct Question {
    name: &'static str,
    text: String,
    /// What 1 means, and 5.
    least: &'static str,
    most: &'static str,
    /// Of each score whether it is chosen.
    scores: Vec<(i32, bool)>,
}

#[derive(Template)]
#[template(path = "complainant/survey.html")]
struct Page {
    f: Frame,
    subject: String,
    until: Option<Moment>,
    questions: Vec<Question>,
    comment: Field,
    request_id: String,
    /// Whether nothing was answered.
    is_empty: bool,
    problem: Option<Shown>,
}

fn page(guest: &Guest, told: GetSurveyResponse, posted: &Posted, request_id: String) -> Page {
    let t = guest.words();
    let wording = told.wording.unwrap_or_default();
    let satisfied = (t.survey_least(), t.survey_most());
    let question = |name: &'static str, text: String, (least, most): (&'static str, &'static str)| {
        let chosen = posted.number::<i32>(name);
        let scores = SCORES.map(|score| (score, chosen == Some(score))).collect();
        Question { name, text, least, most, scores }
    };
    let questions = vec![
        question("handling", wording.handling, satisfied),
        question("outcome", wording.outcome, satisfied),
        question("effort", wording.effort, (t.survey_easy(), t.survey_hard())),
    ];
    let mut comment = Field::own("comment", "comment", &wording.comment, Kind::lines(10_000));
    comment.values = vec![posted.text("comment").to_owned()];
    Page {
        f: Frame::for_guest(&guest.visitor, t.survey_title(), "survey"),
        subject: told.subject,
        until: Moment::of(told.expire_time.as_ref(), &guest.visitor),
        questions,
        comment,
        request_id,
        is_empty: false,
        problem: None,
    }
}

async fn questions(State(app): State<App>, guest: Guest) -> Result<Response, Problem> {
    if guest.kept.survey.is_empty() {
        return Ok(see_other(&app.path("/complaints/survey")));
    }
    match asked(&guest).await {
        Ok(told) => Ok(html(&page(&guest, told, &Posted::default(), request_id()))),
        Err(problem) => Ok(html_with(problem.status(), &code_page(&guest, Some(&problem), ""))),
    }
}

async fn answer(State(app): State<App>, guest: Guest, posted: Posted) -> Result<Response, Problem> {
    guest.pay(Cost::Writing)?;
    if guest.kept.survey.is_empty() {
        return Ok(see_other(&app.path("/complaints/survey")));
    }
    let score = |name| posted.number::<i32>(name).filter(|score| SCORES.contains(score)).unwrap_or_default();
    let given = SurveyAnswer {
        handling: score("handling"),
        outcome: score("outcome"),
        effort: score("effort"),
        comment: posted.text("comment").to_owned(),
    };
    let is_empty = given == SurveyAnswer::default();
    let problem = if is_empty {
        Problem::own(tonic::Code::InvalidArgument, "INVALID_SURVEY")
    } else {
        let request = SubmitSurveyRequest {
            request_id: posted.request_id(),
            survey_code: guest.kept.survey.clone(),
            answer: Some(given),
            end_user: guest.end_user.clone(),
        };
        match SurveyServiceClient::new(guest.client.calls()).submit_survey(request).await {
            Ok(_) => {
                let mut answer = see_other(&app.path("/complaints/survey/thanks"));
                Kept { survey: String::new(), ..guest.kept.clone() }.keep(&app, answer.headers_mut());
                return Ok(answer);
            }
            Err(status) => Problem::from(status),
        }
    };
    let mut shown = match asked(&guest).await {
        Ok(told) => page(&guest, told, &posted, posted.request_id()),
        Err(again) => return Ok(html_with(again.status(), &code_page(&guest, Some(&again), ""))),
    };
    shown.is_empty = is_empty;
    shown.problem = (!is_empty).then(|| Shown::of(&problem, &guest.visitor));
    Ok(html_with(problem.status(), &shown))
}

#[derive(Template)]
#[template(path = "complainant/survey_thanks.html")]
struct Thanks {
    f: Frame,
}

async fn thanks(guest: Guest) -> Response {
    html(&Thanks { f: Frame::for_guest(&guest.visitor, guest.words().survey_thanks(), "survey") })
}
