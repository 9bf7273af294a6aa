//! What has versions, of which one is in force: listed, read, edited as a new version, tried,
//! put in force. A version never changes.

use std::future::Future;

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::input::{Input, InputKind, Placed, filled, place_faults, refilled};
use super::trial::{self, Trial};
use super::{Admin, encoded};
use crate::error_page::Shown;
use crate::form::{Posted, request_id};
use crate::moment::Moment;
use crate::page::{Frame, html, html_with, with_draft_over};
use crate::problem::Problem;
use crate::routes::see_other;
use crate::schema::{Item, Kind};
use crate::words::Words;

/// A version in a list.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    /// What addresses name it by.
    pub(super) key: String,
    /// What it is called.
    pub(super) name: String,
    pub(super) note: String,
    pub(super) creator: String,
    pub(super) created: Option<Moment>,
    pub(super) activated: Option<Moment>,
    pub(super) is_active: bool,
}

/// Versions, a page of them.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) rows: Vec<Row>,
    /// Whether there are more.
    pub(super) has_more: bool,
}

impl Rows {
    /// Versions as a service lists them, and behind them what is shipped: in force while none of
    /// them is.
    pub(super) fn with_shipped(mut rows: Vec<Row>, shipped: Row, next_page_token: &str) -> Self {
        let has_more = !next_page_token.is_empty();
        let is_active = !has_more && !rows.iter().any(|row| row.is_active);
        rows.push(Row { is_active, ..shipped });
        Self { rows, has_more }
    }

    /// What is in force, told from what was before.
    pub(super) fn stand(&self) -> String {
        let active = self.rows.iter().filter(|row| row.is_active);
        let marks = active.map(|row| {
            let time = row.activated.as_ref().map_or("", |moment| moment.iso.as_str());
            format!("{}@{time}", row.key)
        });
        let texts: Vec<String> = marks.collect();
        trial::digest(texts.iter().map(String::as_str))
    }
}

/// A version that was read.
pub(super) struct Version {
    pub(super) row: Row,
    /// What it says, by the names of fields.
    pub(super) values: Vec<(&'static str, String)>,
    /// What is shown of it beside its fields: a heading, and a line each.
    pub(super) also: Vec<(&'static str, Vec<String>)>,
}

/// A letter as it would be written.
pub(super) struct Letter {
    pub(super) subject: String,
    pub(super) body: String,
    pub(super) said: Vec<String>,
}

/// What has versions.
pub(super) trait Versioned: Send + Sync + 'static {
    /// Its place among the pages.
    const KEY: &'static str;
    /// Whether what is edited is shown as it would be.
    const HAS_PREVIEW: bool = false;

    /// What it is called.
    fn title(t: Words) -> &'static str;
    /// What it decides.
    fn about(t: Words) -> &'static str;
    /// Its fields.
    fn inputs(t: Words) -> Vec<Input>;
    /// Where a violation belongs.
    fn place(path: &str, inputs: &[Input]) -> Option<Placed>;
    /// The versions there are.
    fn list(admin: &Admin) -> impl Future<Output = Result<Rows, Problem>> + Send;
    /// One of them; an empty key is the one in force.
    fn get(admin: &Admin, key: &str) -> impl Future<Output = Result<Version, Problem>> + Send;
    /// Keeps a new one; answers its key.
    fn create(admin: &Admin, posted: &Posted) -> impl Future<Output = Result<String, Problem>> + Send;
    /// What it would change were it put in force.
    fn trial(admin: &Admin, key: &str) -> impl Future<Output = Result<Trial, Problem>> + Send;
    /// Puts it in force.
    fn activate(
        admin: &Admin,
        key: &str,
        request_id: String,
    ) -> impl Future<Output = Result<(), Problem>> + Send;
    /// What is edited, as it would be.
    fn letter(_: &Admin, _: &Posted) -> impl Future<Output = Result<Letter, Problem>> + Send {
        async { Err(Problem::not_found()) }
    }
}

/// What a page of a list is asked with.
#[derive(Default, Deserialize)]
pub(super) struct ListQuery {
    /// The version that a new one begins as.
    #[serde(default)]
    from: String,
    /// What was just done.
    #[serde(default)]
    done: String,
}

#[derive(Template)]
#[template(path = "admin/versions.html")]
struct ListPage {
    f: Frame,
    key: &'static str,
    about: &'static str,
    rows: Rows,
}

pub(super) async fn list<S: Versioned>(admin: Admin) -> Result<Response, Problem> {
    let t = admin.words();
    let rows = S::list(&admin).await?;
    let f = Frame::new(&admin.visitor, S::title(t), "admin");
    Ok(html(&ListPage { f, key: S::KEY, about: S::about(t), rows }))
}

#[derive(Template)]
#[template(path = "admin/version.html")]
struct VersionPage {
    f: Frame,
    key: &'static str,
    section: &'static str,
    version: Version,
    inputs: Vec<Input>,
    done: &'static str,
}

impl VersionPage {
    fn shown(&self, input: &Input) -> String {
        input.shown(self.f.t)
    }

    fn encoded(&self) -> String {
        encoded(&self.version.row.key)
    }
}

pub(super) async fn show<S: Versioned>(
    admin: Admin,
    Path(key): Path<String>,
    Query(asked): Query<ListQuery>,
) -> Result<Response, Problem> {
    let t = admin.words();
    let version = S::get(&admin, &key).await?;
    let inputs = filled(S::inputs(t), &version.values);
    let f = Frame::new(&admin.visitor, format!("{}: {}", S::title(t), version.row.name), "admin");
    let done = match asked.done.as_str() {
        "created" => t.done_created(),
        "activated" => t.done_activated(),
        _ => "",
    };
    Ok(html(&VersionPage { f, key: S::KEY, section: S::title(t), version, inputs, done }))
}

/// The page that something is edited on.
#[derive(Template)]
#[template(path = "admin/edit.html")]
pub(super) struct EditPage {
    pub(super) f: Frame,
    pub(super) key: &'static str,
    pub(super) section: &'static str,
    /// Where its list is.
    pub(super) back: String,
    pub(super) about: String,
    pub(super) inputs: Vec<Input>,
    pub(super) request_id: String,
    /// What the browser keeps what is written under.
    pub(super) draft: String,
    pub(super) shown: Option<Shown>,
    /// Whether what is in it was written by who looks.
    pub(super) is_filled: bool,
    /// Where it is sent to, and what the button says.
    pub(super) action: String,
    pub(super) button: &'static str,
    /// Whether what is edited is shown as it would be.
    pub(super) has_preview: bool,
    pub(super) preview: PreviewPage,
    /// What it says now, where somebody else was faster: the field and its value.
    pub(super) now: Vec<(String, String)>,
}

/// What is edited, as it would be.
#[derive(Template)]
#[template(path = "admin/preview.html")]
pub(super) struct PreviewPage {
    pub(super) f: Frame,
    pub(super) letter: Option<Letter>,
    /// A form as complainants see it.
    pub(super) form: Option<Vec<Item>>,
    pub(super) shown: Option<Shown>,
}

impl PreviewPage {
    pub(super) fn none(admin: &Admin) -> Self {
        Self { f: Frame::new(&admin.visitor, "", "admin"), letter: None, form: None, shown: None }
    }

    fn has_form(&self) -> bool {
        self.form.is_some()
    }

    fn is_empty(&self) -> bool {
        self.letter.is_none() && self.form.is_none() && self.shown.is_none()
    }
}

/// Whether htmx asks, which puts a part of a page in its place.
pub(super) fn is_part(headers: &HeaderMap) -> bool {
    headers.contains_key("hx-request")
}

pub(super) async fn edit<S: Versioned>(
    admin: Admin,
    Query(asked): Query<ListQuery>,
) -> Result<Response, Problem> {
    let version = S::get(&admin, &asked.from).await?;
    let inputs = filled(S::inputs(admin.words()), &version.values);
    let mut preview = PreviewPage::none(&admin);
    if S::HAS_PREVIEW {
        let fields = inputs.iter().map(|input| (input.name.to_owned(), input.value.clone()));
        preview.letter = S::letter(&admin, &Posted::of(fields)).await.ok();
    }
    let page = editing::<S>(&admin, inputs, request_id(), None, preview);
    let draft = format!("admin/{}/{}", S::KEY, asked.from);
    Ok(html(&EditPage { draft, ..page }))
}

fn editing<S: Versioned>(
    admin: &Admin,
    inputs: Vec<Input>,
    request_id: String,
    shown: Option<Shown>,
    preview: PreviewPage,
) -> EditPage {
    let t = admin.words();
    let list = admin.path(&format!("/admin/{}", S::KEY));
    EditPage {
        f: Frame::new(&admin.visitor, t.new_version_of(S::title(t)), "admin"),
        key: S::KEY,
        section: S::title(t),
        back: list.clone(),
        about: t.version_made().to_owned(),
        inputs,
        request_id,
        draft: String::new(),
        is_filled: shown.is_some(),
        shown,
        action: list,
        button: t.keep_version(),
        has_preview: S::HAS_PREVIEW,
        preview,
        now: Vec::new(),
    }
}

/// Keeps a new version; what is wrong with it stands at its line, with what was written.
pub(super) async fn create<S: Versioned>(admin: Admin, posted: Posted) -> Result<Response, Problem> {
    let problem = match S::create(&admin, &posted).await {
        Ok(key) => {
            let path = format!("/admin/{}/version/{}?done=created", S::KEY, encoded(&key));
            return Ok(see_other(&admin.path(&with_draft_over(&path, posted.text(DRAFT)))));
        }
        Err(problem) if problem.reason == "SIGNED_OUT" => return Err(problem),
        Err(problem) => problem,
    };
    let mut inputs = refilled(S::inputs(admin.words()), &posted);
    let left = place_faults(&mut inputs, &problem, S::place);
    let shown = Shown { violations: left, ..Shown::of(&problem, &admin.visitor) };
    let again = if problem.is_undecided() { posted.request_id() } else { request_id() };
    let page = editing::<S>(&admin, inputs, again, Some(shown), PreviewPage::none(&admin));
    let draft = posted.text(DRAFT).to_owned();
    Ok(html_with(problem.status(), &EditPage { draft, ..page }))
}

/// Shows what is edited as it would be.
pub(super) async fn preview<S: Versioned>(
    admin: Admin,
    headers: HeaderMap,
    posted: Posted,
) -> Result<Response, Problem> {
    let mut preview = PreviewPage::none(&admin);
    let mut inputs = refilled(S::inputs(admin.words()), &posted);
    match S::letter(&admin, &posted).await {
        Ok(letter) => preview.letter = Some(letter),
        Err(problem) if problem.violations.is_empty() => return Err(problem),
        Err(problem) => {
            let left = place_faults(&mut inputs, &problem, S::place);
            let mut shown = Shown { violations: left, ..Shown::of(&problem, &admin.visitor) };
            if is_part(&headers) {
                shown.violations =
                    problem.violations.into_iter().map(|one| (one.field, one.description)).collect();
            }
            preview.shown = Some(shown);
        }
    }
    if is_part(&headers) {
        return Ok(html(&preview));
    }
    let page = editing::<S>(&admin, inputs, posted.request_id(), None, preview);
    let draft = posted.text(DRAFT).to_owned();
    Ok(html(&EditPage { draft, is_filled: true, ..page }))
}

/// The field that says what the browser keeps what is written under.
pub(super) const DRAFT: &str = "_draft";

/// What something would change, and the form that puts it in force.
#[derive(Template)]
#[template(path = "admin/trial.html")]
pub(super) struct TrialPage {
    pub(super) f: Frame,
    pub(super) section: &'static str,
    /// Where its list is, and what is tried.
    pub(super) back: String,
    pub(super) here: String,
    pub(super) trial: Trial,
    pub(super) shown: Option<Shown>,
    /// What is sent to put it in force: names and values.
    pub(super) sent: Vec<(&'static str, String)>,
    pub(super) action: String,
    /// Where it is edited again with what was written; empty where it is kept.
    pub(super) edit: String,
    pub(super) button: &'static str,
    pub(super) can_apply: bool,
    pub(super) preview: PreviewPage,
}

pub(super) async fn try_out<S: Versioned>(
    admin: Admin,
    Path(key): Path<String>,
) -> Result<Response, Problem> {
    Ok(html(&tried::<S>(&admin, &key, None, request_id()).await?))
}

/// What a proof is of.
fn proven<S: Versioned>(key: &str, stand: &str) -> String {
    format!("{} {key} {stand}", S::KEY)
}

async fn tried<S: Versioned>(
    admin: &Admin,
    key: &str,
    shown: Option<Shown>,
    request_id: String,
) -> Result<TrialPage, Problem> {
    let t = admin.words();
    let version = S::get(admin, key).await?;
    let trial = S::trial(admin, key).await?;
    let proof = trial::proof(admin, &proven::<S>(key, &trial.stand))?;
    let path = admin.path(&format!("/admin/{}/version/{}", S::KEY, encoded(key)));
    Ok(TrialPage {
        f: Frame::new(&admin.visitor, t.trial_of(&version.row.name), "admin"),
        section: S::title(t),
        back: admin.path(&format!("/admin/{}", S::KEY)),
        here: path.clone(),
        can_apply: trial.blocked.is_empty(),
        sent: vec![
            (trial::PROOF, proof),
            ("stand", trial.stand.clone()),
            (crate::form::REQUEST_ID, request_id),
        ],
        trial,
        shown,
        action: format!("{path}/trial"),
        edit: String::new(),
        button: t.put_in_force(),
        preview: PreviewPage::none(admin),
    })
}

/// Puts a version in force whose trial was shown, where nothing it depends on has changed since.
pub(super) async fn activate<S: Versioned>(
    admin: Admin,
    Path(key): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let stand = posted.text("stand");
    let done = match trial::check(&admin, posted.text(trial::PROOF), &proven::<S>(&key, stand)) {
        Err(refused) => Err(refused),
        Ok(()) => match S::list(&admin).await? {
            rows if rows.stand() == stand => S::activate(&admin, &key, posted.request_id()).await,
            // The second click of two.
            rows if rows.rows.iter().any(|row| row.is_active && row.key == key) => Ok(()),
            _ => Err(Problem::own(tonic::Code::Aborted, "VERSION_MISMATCH")),
        },
    };
    let problem = match done {
        Ok(()) => {
            let path = format!("/admin/{}/version/{}?done=activated", S::KEY, encoded(&key));
            return Ok(see_other(&admin.path(&path)));
        }
        Err(problem) => problem,
    };
    let again = if problem.is_undecided() { posted.request_id() } else { request_id() };
    let shown = Shown::of(&problem, &admin.visitor);
    let page = tried::<S>(&admin, &key, Some(shown), again).await?;
    let status =
        if problem.status() == StatusCode::NOT_FOUND { StatusCode::CONFLICT } else { problem.status() };
    Ok(html_with(status, &page))
}
