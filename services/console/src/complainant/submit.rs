//! Complaining: which kind, its form, and the receipt.

use askama::Template;
use axum::extract::{DefaultBodyLimit, Query, Request, State};
use axum::response::Response;
use axum::routing::{Router, get};
use client::Token;
use http::StatusCode;
use proto::redress::intake::v1::form_service_client::FormServiceClient;
use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use proto::redress::intake::v1::{
    Form, GetFormRequest, ListFormsRequest, PrefillFormRequest, SubmitComplaintRequest,
    SubmitComplaintResponse,
};
use serde_json::Value;
use tonic::Code;

use super::submit_fields::{self, Beforehand, Section};
use super::{Papers, Wrong, above, ask_for_code};
use crate::app::App;
use crate::error_page::Shown;
use crate::guest::{Cost, Guest, Kept};
use crate::moment::Moment;
use crate::page::{Frame, html, html_with};
use crate::papers::{self, Limits, SENDING_MAX, Sent};
use crate::problem::Problem;
use crate::routes::see_other;
use crate::schema::{self, Item, Kind, fields};

/// Most kinds of complaint to choose from.
const KINDS_MAX: i32 = 100;
/// From this length on it takes a while to read a form.
const HEAVY: usize = 20_000;
/// Where what is wrong with the form's own questions stands in a refusal.
const FORM_DATA: &str = "complaint.form_data.";

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/complaints/new", get(form).post(submit).layer(DefaultBodyLimit::max(SENDING_MAX)))
        .route("/complaints/receipt", get(receipt))
}

#[derive(Template)]
#[template(path = "complainant/kinds.html")]
struct KindsPage {
    f: Frame,
    /// Of each its address and its name.
    kinds: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "complainant/new.html")]
struct FormPage {
    f: Frame,
    category: String,
    sections: Vec<Section>,
    who: Section,
    papers: Papers,
    request_id: String,
    wrong: Wrong,
    problem: Option<Shown>,
    /// Whether there are other kinds to choose.
    has_kinds: bool,
}

/// The form of a category, its questions among those that everybody is asked.
struct FormQuery {
    category: String,
    schema: String,
    sections: Vec<Section>,
    has_kinds: bool,
}

/// The kinds there are: those with a form of their own.
async fn kinds(guest: &Guest) -> Result<Vec<Form>, Problem> {
    let request = ListFormsRequest { page_size: KINDS_MAX, page_token: String::new() };
    let mut forms = FormServiceClient::new(guest.client.calls());
    let mut listed = forms.list_forms(request).await?.into_inner().forms;
    listed.retain(|form| !form.category.is_empty());
    Ok(listed)
}

/// What is asked of complaints of this kind.
async fn asked(category: &str, has_kinds: bool, guest: &Guest) -> Result<FormQuery, Problem> {
    let t = guest.words();
    let mut forms = FormServiceClient::new(guest.client.calls());
    let request = GetFormRequest { category: category.to_owned(), version: 0 };
    let found = match forms.get_form(request).await {
        Ok(answer) => answer.into_inner().form.unwrap_or_default(),
        Err(status) if status.code() == Code::NotFound => Form::default(),
        Err(status) => return Err(status.into()),
    };
    let items = server::aside(found.schema.len() > HEAVY, || schema::items(&found.schema, t));
    let mut sections = vec![submit_fields::before(t)];
    if !items.is_empty() {
        let heading = if found.title.is_empty() { t.part_details().to_owned() } else { found.title.clone() };
        sections.push(Section { heading, items });
    }
    sections.extend(submit_fields::after(t));
    Ok(FormQuery { category: category.to_owned(), schema: found.schema, sections, has_kinds })
}

/// The form; whoever did not say which kind chooses it first, where there are several.
async fn form(guest: Guest, Query(beforehand): Query<Beforehand>) -> Result<Response, Problem> {
    let t = guest.words();
    let kinds = kinds(&guest).await?;
    let Some(category) = beforehand.category.as_deref().or(kinds.is_empty().then_some("")) else {
        let f = Frame::for_guest(&guest.visitor, t.what_about(), "new");
        let path = |category: &str| {
            let category =
                percent_encoding::utf8_percent_encode(category, percent_encoding::NON_ALPHANUMERIC);
            guest.visitor.app.path(&format!("/complaints/new?category={category}"))
        };
        let mut choices: Vec<(String, String)> = kinds
            .into_iter()
            .map(|form| {
                (path(&form.category), if form.title.is_empty() { form.category } else { form.title })
            })
            .collect();
        choices.push((path(""), t.something_else().to_owned()));
        return Ok(html(&KindsPage { f, kinds: choices }));
    };
    let mut asked = asked(category, !kinds.is_empty(), &guest).await?;
    prefill(&mut asked, &beforehand, &guest).await?;
    let mut who = submit_fields::who(t);
    beforehand.fill(&mut asked.sections);
    beforehand.fill(std::slice::from_mut(&mut who));
    let papers = Papers::none(&guest).await?;
    let request_id = crate::form::request_id();
    Ok(html(&page(&guest, asked, who, papers, request_id, None)))
}

/// Fills in what the link told, as the form says where it belongs.
async fn prefill(asked: &mut FormQuery, beforehand: &Beforehand, guest: &Guest) -> Result<(), Problem> {
    let Some((customer, order, product)) = beforehand.known().filter(|_| !asked.schema.is_empty()) else {
        return Ok(());
    };
    let request = PrefillFormRequest {
        category: asked.category.clone(),
        form_data: String::new(),
        customer: Some(customer),
        order: Some(order),
        product: Some(product),
    };
    let mut forms = FormServiceClient::new(guest.client.calls());
    let filled = forms.prefill_form(request).await?.into_inner().form_data;
    asked.sections.iter_mut().for_each(|section| schema::fill(&mut section.items, &filled));
    Ok(())
}

fn page(
    guest: &Guest,
    asked: FormQuery,
    who: Section,
    papers: Papers,
    request_id: String,
    problem: Option<Shown>,
) -> FormPage {
    let t = guest.words();
    let FormQuery { category, mut sections, has_kinds, .. } = asked;
    let mut who = who;
    let all = sections.iter_mut().chain(std::iter::once(&mut who));
    let mut wrong: Wrong = all
        .flat_map(|section| fields(&mut section.items))
        .filter_map(|field| field.wrong())
        .map(|(id, label, error)| (id.to_owned(), label.to_owned(), error.to_owned()))
        .collect();
    let refused = papers.refused.iter();
    wrong.extend(refused.map(|why| ("files".to_owned(), t.part_papers().to_owned(), why.clone())));
    let f = Frame::for_guest(&guest.visitor, t.to_complain(), "new");
    FormPage { f, category, sections, who, papers, request_id, wrong, problem, has_kinds }
}

/// Takes the complaint in, and shows its receipt. Sent again, the same form is the same
/// complaint.
async fn submit(State(app): State<App>, guest: Guest, request: Request) -> Result<Response, Problem> {
    guest.pay(Cost::Writing)?;
    let limits = Limits::of(&guest.client).await?;
    let Sent { posted, papers, refused } = papers::receive(request, &app, &guest, &limits).await?;
    let mut asked = asked(posted.text("category"), posted.is_ticked("has_kinds"), &guest).await?;
    let mut who = [submit_fields::who(guest.words())];
    for section in asked.sections.iter_mut().chain(&mut who) {
        schema::refill(&mut section.items, &posted);
    }
    submit_fields::check(&mut asked.sections, &guest);
    submit_fields::check(&mut who, &guest);
    let [mut who] = who;
    let request_id = posted.request_id();
    let is_wrong = |section: &mut Section| fields(&mut section.items).any(|field| field.wrong().is_some());
    let mut problem = None;
    if refused.is_empty() && !asked.sections.iter_mut().any(is_wrong) && !is_wrong(&mut who) {
        let answers = schema::read(&own(&asked), &posted);
        let form = if asked.schema.is_empty() { String::new() } else { Value::Object(answers).to_string() };
        let complaint = submit_fields::complaint(&posted, &papers, &asked.category, form, &guest);
        let request = SubmitComplaintRequest { request_id: request_id.clone(), complaint: Some(complaint) };
        let mut intake = IntakeServiceClient::new(guest.client.calls());
        match intake.submit_complaint(request).await {
            Ok(answer) => return Ok(registered(&app, answer)),
            Err(status) => problem = Some(Problem::from(status)),
        }
    }
    let status = problem.as_ref().map_or(StatusCode::UNPROCESSABLE_ENTITY, Problem::status);
    let shown = problem.and_then(|problem| placed(&problem, &mut asked, &mut who, &guest));
    let papers = Papers::of(&limits, &papers, refused, &guest);
    Ok(html_with(status, &page(&guest, asked, who, papers, request_id, shown)))
}

/// The questions of the form itself.
fn own(asked: &FormQuery) -> Vec<Item> {
    let all = asked.sections.iter().flat_map(|section| &section.items);
    all.filter(|item| matches!(item, Item::Field(field) if field.is_of_form())).cloned().collect()
}

/// Says beside each question what is wrong with it; the rest is said above them all.
fn placed(problem: &Problem, asked: &mut FormQuery, who: &mut Section, guest: &Guest) -> Option<Shown> {
    let t = guest.words();
    let violations = problem.violations.iter();
    let (form, rest): (Vec<_>, Vec<_>) = violations
        .map(|one| (one.field.clone(), one.description.clone()))
        .partition(|(field, _)| field.starts_with(FORM_DATA));
    let form: Vec<(String, String)> =
        form.into_iter().map(|(field, what)| (field[FORM_DATA.len()..].to_owned(), what)).collect();
    let mut left = rest;
    let mut left_of_form = form;
    for section in asked.sections.iter_mut().chain(std::iter::once(who)) {
        left = schema::place_errors(&mut section.items, &left, t);
        left_of_form = schema::place_errors(&mut section.items, &left_of_form, t);
    }
    left.extend(left_of_form);
    let all_placed =
        problem.code == Code::InvalidArgument && left.is_empty() && !problem.violations.is_empty();
    (!all_placed).then(|| above(problem, left, guest))
}

fn registered(app: &App, answer: tonic::Response<SubmitComplaintResponse>) -> Response {
    let seen = Token::of(&answer).map(|token| token.as_str().to_owned());
    let SubmitComplaintResponse { receipt_code, receive_time, .. } = answer.into_inner();
    let received = receive_time.map(|time| time.seconds);
    let mut answer = see_other(&app.path("/complaints/receipt"));
    let kept = Kept { code: receipt_code, seen, received, ..Kept::default() };
    kept.keep(app, answer.headers_mut());
    answer
}

#[derive(Template)]
#[template(path = "complainant/receipt.html")]
struct ReceiptPage {
    f: Frame,
    code: String,
    received: Option<Moment>,
    /// Where the pages of complainants are.
    place: String,
}

/// The receipt: the code, large, and how to come back.
async fn receipt(State(app): State<App>, guest: Guest) -> Response {
    if guest.kept.code.is_empty() {
        return ask_for_code(&app);
    }
    let time = guest.kept.received.map(|seconds| prost_types::Timestamp { seconds, nanos: 0 });
    let received = Moment::of(time.as_ref(), &guest.visitor);
    let place = guest.place.clone();
    let f = Frame::for_guest(&guest.visitor, guest.words().receipt_title(), "mine");
    html(&ReceiptPage { f, code: guest.kept.code.clone(), received, place })
}
