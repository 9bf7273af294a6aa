//! Forms of complaints: a JSON Schema, drawn as complainants see it while it is written.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use proto::redress::intake::v1::form_service_client::FormServiceClient;
use proto::redress::intake::v1::{CreateFormRequest, Form, GetFormRequest, ListFormsRequest};

use super::direct::{Direct, EditQuery, STAND, VERSION, only_new};
use super::input::{Input, InputKind, Placed, all_wrong};
use super::trial::{Cell, Trial, arrow};
use super::{Admin, ROWS, contract, encoded};
use crate::form::Posted;
use crate::moment::Moment;
use crate::page::{Frame, html};
use crate::problem::{Problem, Violation};
use crate::schema::{self, Field, Item};
use crate::words::Words;

/// Longest schema, as the contract has it.
const SCHEMA_MAX: usize = 200_000;
/// From this length on it takes a while to read a schema.
const HEAVY: usize = 20_000;
/// Most versions that a history shows.
const HISTORY: i64 = 50;
/// What a new form begins as.
const NEW: &str = "{\n  \"type\": \"object\",\n  \"required\": [],\n  \"properties\": {\n  }\n}";

pub(super) struct Forms;

/// A form in a list.
struct Row {
    category: String,
    title: String,
    version: i64,
    creator: String,
    created: Option<Moment>,
    /// Where it is edited, and where its versions are.
    edit: String,
    history: String,
}

fn row(admin: &Admin, form: Form) -> Row {
    let id = encoded(&id(&form.category));
    Row {
        edit: admin.path(&format!("/admin/forms/edit?id={id}&version={}", form.version)),
        history: admin.path(&format!("/admin/forms/history?id={id}")),
        created: Moment::of(form.create_time.as_ref(), &admin.visitor),
        category: form.category,
        title: form.title,
        version: form.version,
        creator: form.creator,
    }
}

/// As addresses name a form: that of all categories has no name of its own.
fn id(category: &str) -> String {
    format!("of:{category}")
}

fn category(id: &str) -> &str {
    id.strip_prefix("of:").unwrap_or(id)
}

#[derive(Template)]
#[template(path = "admin/forms.html")]
struct Page {
    f: Frame,
    rows: Vec<Row>,
    /// The category whose versions these are; none for a list of all.
    of: Option<String>,
}

pub(super) async fn show(admin: Admin) -> Result<Response, Problem> {
    let request = ListFormsRequest { page_size: ROWS, page_token: String::new() };
    let answer = FormServiceClient::new(admin.client.calls()).list_forms(request).await?.into_inner();
    let rows = answer.forms.into_iter().map(|form| row(&admin, form)).collect();
    let f = Frame::new(&admin.visitor, admin.words().forms(), "admin");
    Ok(html(&Page { f, rows, of: None }))
}

async fn get(admin: &Admin, category: &str, version: i64) -> Result<Option<Form>, Problem> {
    let request = GetFormRequest { category: category.to_owned(), version };
    match FormServiceClient::new(admin.client.calls()).get_form(request).await {
        // That of a category above is another form.
        Ok(answer) => Ok(answer.into_inner().form.filter(|form| form.category == category)),
        Err(status) if status.code() == tonic::Code::NotFound => Ok(None),
        Err(status) => Err(status.into()),
    }
}

/// The versions of a form, the newest first.
pub(super) async fn history(admin: Admin, Query(asked): Query<EditQuery>) -> Result<Response, Problem> {
    let of = category(&asked.id);
    let newest = get(&admin, of, 0).await?.ok_or_else(Problem::not_found)?;
    let oldest = (newest.version - HISTORY).max(0) + 1;
    let earlier = (oldest..newest.version).rev().map(|version| get(&admin, of, version));
    let earlier = futures::future::try_join_all(earlier).await?;
    let all = std::iter::once(newest).chain(earlier.into_iter().flatten());
    let rows = all.map(|form| row(&admin, form)).collect();
    let f = Frame::new(&admin.visitor, format!("{}: {of}", admin.words().forms()), "admin");
    Ok(html(&Page { f, rows, of: Some(of.to_owned()) }))
}

/// The questions of a schema.
fn questions(schema: &str, t: Words) -> Vec<Item> {
    let mut items = server::aside(schema.len() > HEAVY, || schema::items(schema, t));
    // What the page has of its own bears other ids.
    for field in schema::fields(&mut items) {
        field.id = format!("drawn-{}", field.id);
    }
    items
}

fn fields(items: &[Item]) -> Vec<&Field> {
    items.iter().filter_map(|item| if let Item::Field(field) = item { Some(field) } else { None }).collect()
}

impl Direct for Forms {
    const KEY: &'static str = "forms";
    const HAS_PREVIEW: bool = true;

    fn title(t: Words) -> &'static str {
        t.forms()
    }

    fn about(t: Words) -> &'static str {
        t.forms_edit()
    }

    fn list_path() -> &'static str {
        "/admin/forms"
    }

    fn inputs(t: Words, is_new: bool) -> Vec<Input> {
        let category =
            Input::new("category", t.category(), InputKind::Line(200)).saying(t.form_category_help());
        vec![
            only_new(category, is_new),
            Input::hidden(VERSION),
            Input::new("title", t.title_word(), InputKind::Line(200)),
            Input::new("schema", t.form_schema(), InputKind::Code { rows: 26, max: SCHEMA_MAX })
                .saying(t.form_schema_help())
                .required(),
        ]
    }

    fn place(path: &str, inputs: &[Input]) -> Option<Placed> {
        let rest = path.strip_prefix("form.").unwrap_or(path);
        if let Some(inner) = rest.strip_prefix("schema") {
            let text = inputs.iter().find(|input| input.name == "schema").map_or("", |input| &input.value);
            let line = contract::line_of(text, inner.trim_start_matches('.'));
            return Some(Placed { input: "schema", line });
        }
        ["category", "title"].into_iter().find(|one| *one == rest).map(|input| Placed { input, line: None })
    }

    async fn begin(admin: &Admin, asked: &EditQuery) -> Result<Vec<(&'static str, String)>, Problem> {
        if asked.id.is_empty() {
            return Ok(vec![("schema", NEW.to_owned())]);
        }
        let of = category(&asked.id);
        let form = get(admin, of, asked.version).await?.ok_or_else(Problem::not_found)?;
        let newest = get(admin, of, 0).await?.map_or(0, |form| form.version);
        Ok(vec![
            ("category", form.category),
            (VERSION, newest.to_string()),
            ("title", form.title),
            ("schema", form.schema),
        ])
    }

    async fn trial(admin: &Admin, posted: &Posted) -> Result<Trial, Problem> {
        let t = admin.words();
        let text = posted.text("schema");
        if let Err(error) = serde_json::from_str::<serde_json::Value>(text) {
            let description = format!("is no JSON: {error}");
            return Err(all_wrong(vec![Violation { field: "schema".to_owned(), description }]));
        }
        let before = get(admin, posted.text("category"), 0).await?;
        let (old, new) = (questions(before.as_ref().map_or("", |form| &form.schema), t), questions(text, t));
        let (old, new) = (fields(&old), fields(&new));
        let must = |field: &Field| if field.is_required { t.required() } else { t.optional() };
        let mut rows: Vec<Vec<Cell>> = Vec::new();
        for field in &new {
            let known = old.iter().find(|known| known.path == field.path);
            let (kind, shown) = match known {
                None => (t.put_in(), format!("{} ({})", field.label, must(field))),
                Some(known)
                    if (&known.label, known.is_required, &known.kind)
                        != (&field.label, field.is_required, &field.kind) =>
                {
                    let read = |field: &Field| format!("{} ({})", field.label, must(field));
                    (t.changed_word(), arrow(&read(known), &read(field)))
                }
                Some(_) => continue,
            };
            rows.push(vec![Cell::from(kind), field.path.join(".").into(), shown.into()]);
        }
        let gone = old.iter().filter(|known| new.iter().all(|field| field.path != known.path));
        rows.extend(gone.map(|field| {
            vec![Cell::from(t.taken_out()), field.path.join(".").into(), field.label.clone().into()]
        }));
        let holds = before.as_ref().map_or(0, |form| form.version);
        let mut said = vec![t.forms_trial().to_owned()];
        if posted.number::<i64>(VERSION).unwrap_or_default() != holds {
            said.push(t.changed_since(holds));
        }
        Ok(Trial {
            said,
            facts: vec![(t.questions_word().to_owned(), new.len().to_string())],
            columns: vec![t.change_word(), t.field_word(), t.question_word()],
            rows,
            stand: holds.to_string(),
            ..Trial::default()
        })
    }

    async fn apply(admin: &Admin, posted: &Posted) -> Result<String, Problem> {
        // The contract has no version to expect: what holds is looked at once more.
        let holds = get(admin, posted.text("category"), 0).await?.unwrap_or_default();
        let seen = posted.number::<i64>(STAND).unwrap_or_default();
        let says = [posted.text("title"), posted.text("schema")];
        if holds.version == seen + 1 && says == [holds.title.as_str(), holds.schema.as_str()] {
            // The second click of two.
            return Ok("/admin/forms".to_owned());
        }
        if holds.version != seen {
            return Err(Problem::own(tonic::Code::Aborted, "VERSION_MISMATCH"));
        }
        let form = Form {
            category: posted.text("category").to_owned(),
            title: posted.text("title").to_owned(),
            schema: posted.text("schema").to_owned(),
            ..Form::default()
        };
        let request = CreateFormRequest { request_id: posted.request_id(), form: Some(form) };
        FormServiceClient::new(admin.client.calls()).create_form(request).await?;
        Ok("/admin/forms".to_owned())
    }

    fn id(posted: &Posted) -> String {
        id(posted.text("category"))
    }

    fn form(admin: &Admin, posted: &Posted) -> Option<Vec<Item>> {
        Some(questions(posted.text("schema"), admin.words()))
    }
}
