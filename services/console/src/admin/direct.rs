//! What holds once it is kept: edited, tried, and kept with what was tried.

use std::future::Future;

use axum::extract::Query;
use axum::response::Response;
use http::HeaderMap;
use serde::Deserialize;

use super::Admin;
use super::input::{Input, InputKind, Placed, filled, place_faults, refilled};
use super::trial::{self, Trial};
use super::versioned::{DRAFT, EditPage, PreviewPage, TrialPage, is_part};
use crate::error_page::Shown;
use crate::form::{Posted, REQUEST_ID, request_id};
use crate::page::{Frame, html, html_with, with_draft_over};
use crate::problem::Problem;
use crate::routes::see_other;
use crate::schema::Item;
use crate::words::Words;

/// What a page of it is asked with.
#[derive(Default, Deserialize)]
pub(super) struct EditQuery {
    /// Which of them; empty for a new one.
    #[serde(default)]
    pub(super) id: String,
    /// Which version of it; 0 for the one that holds.
    #[serde(default)]
    pub(super) version: i64,
}

/// The field of what a trial compared with: the version that was in force.
pub(super) const STAND: &str = "stand";

/// What holds once it is kept.
pub(super) trait Direct: Send + Sync + 'static {
    /// Its place among the pages.
    const KEY: &'static str;
    /// Whether it is tried first. What is not changes nothing that others decide by.
    const IS_TRIED: bool = true;
    /// Whether what is edited is shown as it would be.
    const HAS_PREVIEW: bool = false;

    /// What it is called.
    fn title(t: Words) -> &'static str;
    /// What is said above the form.
    fn about(t: Words) -> &'static str;
    /// Where its list is.
    fn list_path() -> &'static str;
    /// Its fields; `is_new` is whether there was none of its name before.
    fn inputs(t: Words, is_new: bool) -> Vec<Input>;
    /// Where a violation belongs.
    fn place(path: &str, inputs: &[Input]) -> Option<Placed>;
    /// What one says now.
    fn begin(
        admin: &Admin,
        asked: &EditQuery,
    ) -> impl Future<Output = Result<Vec<(&'static str, String)>, Problem>> + Send;
    /// What it would change.
    fn trial(admin: &Admin, posted: &Posted) -> impl Future<Output = Result<Trial, Problem>> + Send;
    /// Keeps it; answers the page that shows it.
    fn apply(admin: &Admin, posted: &Posted) -> impl Future<Output = Result<String, Problem>> + Send;
    /// As addresses name what was sent, so that it can be read anew.
    fn id(_: &Posted) -> String {
        String::new()
    }
    /// What is edited as complainants would see it.
    fn form(_: &Admin, _: &Posted) -> Option<Vec<Item>> {
        None
    }
}

/// Whether what was sent is a new one.
fn is_new(posted: &Posted) -> bool {
    posted.text("is_new") == "yes"
}

fn inputs_of<S: Direct>(t: Words, is_new: bool) -> Vec<Input> {
    let mut inputs = S::inputs(t, is_new);
    inputs.push(Input { value: if is_new { "yes" } else { "" }.to_owned(), ..Input::hidden("is_new") });
    inputs
}

pub(super) async fn edit<S: Direct>(
    admin: Admin,
    Query(asked): Query<EditQuery>,
) -> Result<Response, Problem> {
    let values = S::begin(&admin, &asked).await?;
    let inputs = filled(inputs_of::<S>(admin.words(), asked.id.is_empty()), &values);
    let posted = Posted::of(inputs.iter().map(|input| (input.name.to_owned(), input.value.clone())));
    let mut preview = PreviewPage::none(&admin);
    preview.form = S::form(&admin, &posted);
    let page = editing::<S>(&admin, inputs, request_id(), None, preview);
    let draft = format!("admin/{}/{}", S::KEY, asked.id);
    Ok(html(&EditPage { draft, ..page }))
}

/// Longest value that is shown of what somebody else changed.
const NOW_MAX: usize = 300;

/// What it says now, of fields in which somebody was faster, with the version to go on from.
async fn now<S: Direct>(admin: &Admin, inputs: &mut [Input], posted: &Posted) -> Vec<(String, String)> {
    let asked = EditQuery { id: S::id(posted), version: 0 };
    let Ok(values) = S::begin(admin, &asked).await else { return Vec::new() };
    let t = admin.words();
    let mut now = Vec::new();
    for input in inputs {
        let Some((_, value)) = values.iter().find(|(name, _)| *name == input.name) else { continue };
        if input.name == VERSION {
            input.value.clone_from(value);
        } else if input.is_shown() && input.value != *value && value.len() <= NOW_MAX {
            let shown = Input { value: value.clone(), ..input.clone() }.shown(t);
            now.push((input.label.clone(), shown));
        }
    }
    now
}

/// The field of the version that was seen.
pub(super) const VERSION: &str = "version";

/// The form once more, with what was written.
pub(super) async fn edit_again<S: Direct>(admin: Admin, posted: Posted) -> Result<Response, Problem> {
    let inputs = refilled(inputs_of::<S>(admin.words(), is_new(&posted)), &posted);
    let mut preview = PreviewPage::none(&admin);
    preview.form = S::form(&admin, &posted);
    let page = editing::<S>(&admin, inputs, posted.request_id(), None, preview);
    let draft = posted.text(DRAFT).to_owned();
    Ok(html(&EditPage { draft, is_filled: true, ..page }))
}

fn editing<S: Direct>(
    admin: &Admin,
    inputs: Vec<Input>,
    request_id: String,
    shown: Option<Shown>,
    preview: PreviewPage,
) -> EditPage {
    let t = admin.words();
    let (step, button) = if S::IS_TRIED { ("trial", t.try_it()) } else { ("apply", t.keep_it()) };
    EditPage {
        f: Frame::new(&admin.visitor, t.edit_of(S::title(t)), "admin"),
        key: S::KEY,
        section: S::title(t),
        back: admin.path(S::list_path()),
        about: S::about(t).to_owned(),
        inputs,
        request_id,
        draft: String::new(),
        is_filled: shown.is_some(),
        shown,
        action: admin.path(&format!("/admin/{}/{step}", S::KEY)),
        button,
        has_preview: S::HAS_PREVIEW,
        preview,
        now: Vec::new(),
    }
}

/// What was refused, with what was written still there.
async fn refused<S: Direct>(admin: &Admin, posted: &Posted, problem: &Problem) -> Response {
    let mut inputs = refilled(inputs_of::<S>(admin.words(), is_new(posted)), posted);
    let left = place_faults(&mut inputs, problem, S::place);
    let shown = Shown { violations: left, ..Shown::of(problem, &admin.visitor) };
    let again = if problem.is_undecided() { posted.request_id() } else { request_id() };
    let mut preview = PreviewPage::none(admin);
    preview.form = S::form(admin, posted);
    let now = if problem.is_conflict() { now::<S>(admin, &mut inputs, posted).await } else { Vec::new() };
    let draft = posted.text(DRAFT).to_owned();
    let page = EditPage { draft, now, ..editing::<S>(admin, inputs, again, Some(shown), preview) };
    html_with(problem.status(), &page)
}

pub(super) async fn preview<S: Direct>(
    admin: Admin,
    headers: HeaderMap,
    posted: Posted,
) -> Result<Response, Problem> {
    if !is_part(&headers) {
        return edit_again::<S>(admin, posted).await;
    }
    let mut preview = PreviewPage::none(&admin);
    preview.form = S::form(&admin, &posted);
    Ok(html(&preview))
}

/// What a proof is of: what was sent, to the letter, and what it was compared with.
fn proven<S: Direct>(t: Words, posted: &Posted, stand: &str) -> String {
    let inputs = inputs_of::<S>(t, is_new(posted));
    let values = inputs.iter().flat_map(|input| [input.name, posted.text(input.name)]);
    format!("{} {stand} {}", S::KEY, trial::digest(values))
}

pub(super) async fn try_out<S: Direct>(admin: Admin, posted: Posted) -> Result<Response, Problem> {
    let trial = match S::trial(&admin, &posted).await {
        Ok(trial) => trial,
        Err(problem) if problem.reason == "SIGNED_OUT" => return Err(problem),
        Err(problem) => return Ok(refused::<S>(&admin, &posted, &problem).await),
    };
    let t = admin.words();
    let proof = trial::proof(&admin, &proven::<S>(t, &posted, &trial.stand))?;
    let inputs = refilled(inputs_of::<S>(t, is_new(&posted)), &posted);
    let mut sent: Vec<(&'static str, String)> =
        inputs.into_iter().map(|input| (input.name, input.value)).collect();
    let stand = trial.stand.clone();
    sent.extend([(trial::PROOF, proof), (STAND, stand), (REQUEST_ID, posted.request_id())]);
    sent.push((DRAFT, posted.text(DRAFT).to_owned()));
    let at = |step: &str| admin.path(&format!("/admin/{}/{step}", S::KEY));
    let mut preview = PreviewPage::none(&admin);
    preview.form = S::form(&admin, &posted);
    Ok(html(&TrialPage {
        f: Frame::new(&admin.visitor, t.trial_of(S::title(t)), "admin"),
        section: S::title(t),
        back: admin.path(S::list_path()),
        here: String::new(),
        can_apply: trial.blocked.is_empty(),
        trial,
        shown: None,
        sent,
        action: at("apply"),
        edit: at("edit"),
        button: t.put_in_force(),
        preview,
    }))
}

/// Keeps what was tried, to the letter.
pub(super) async fn apply<S: Direct>(admin: Admin, posted: Posted) -> Result<Response, Problem> {
    let tried = if S::IS_TRIED {
        let proven = proven::<S>(admin.words(), &posted, posted.text(STAND));
        trial::check(&admin, posted.text(trial::PROOF), &proven)
    } else {
        Ok(())
    };
    let done = match tried {
        Ok(()) => S::apply(&admin, &posted).await,
        Err(refused) => Err(refused),
    };
    match done {
        Ok(path) => Ok(see_other(&admin.path(&with_draft_over(&path, posted.text(DRAFT))))),
        Err(problem) if problem.reason == "SIGNED_OUT" => Err(problem),
        Err(problem) => Ok(refused::<S>(&admin, &posted, &problem).await),
    }
}

/// A field that is only asked of a new one: else it is sent along, and not shown.
pub(super) fn only_new(input: Input, is_new: bool) -> Input {
    if is_new { input } else { Input { kind: InputKind::Hidden, is_required: false, ..input } }
}
