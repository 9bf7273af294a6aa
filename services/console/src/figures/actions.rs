//! What is done about problems: corrective and preventive actions, each with who sees to it, by
//! when, and whether it worked.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use client::Client;
use http::StatusCode;
use kernel::Role;
use proto::redress::feedback::v1::improvement_service_client::ImprovementServiceClient;
use proto::redress::feedback::v1::problem_service_client::ProblemServiceClient;
use proto::redress::feedback::v1::{
    AssessImprovementActionRequest, CompleteImprovementActionRequest, CreateImprovementActionRequest,
    GetImprovementActionRequest, ImprovementAction, ImprovementEffect, ImprovementKind, ImprovementState,
    ListImprovementActionsRequest, ListProblemsRequest, UpdateImprovementActionRequest,
};
use serde::Deserialize;

use super::{sees, tabs};
use crate::app::App;
use crate::boards::{Failed, Forms, Tab, When, encoded};
use crate::form::Posted;
use crate::page::{Frame, html_with};
use crate::problem::Problem;
use crate::routes::{back_to, see_other};
use crate::session::Visitor;
use crate::words::Words;

/// Rows of a page.
const ROWS: i32 = 50;
/// Most problems to choose from: the newest.
const PROBLEMS: i32 = 100;
/// States, as addresses name them; `overdue` is no state.
const STATES: [(&str, ImprovementState); 5] = [
    ("any", ImprovementState::Unspecified),
    ("open", ImprovementState::Open),
    ("done", ImprovementState::Done),
    ("verified", ImprovementState::Verified),
    ("ineffective", ImprovementState::Ineffective),
];

#[derive(Default, Deserialize)]
pub(super) struct ActionsQuery {
    #[serde(default)]
    state: String,
    #[serde(default)]
    page: String,
    /// What was just done.
    #[serde(default)]
    done: String,
}

/// An action as a row.
struct Row {
    path: String,
    action: ImprovementAction,
}

#[derive(Template)]
#[template(path = "figures/actions.html")]
struct ListPage {
    f: Frame,
    tabs: Vec<Tab>,
    states: Vec<Tab>,
    rows: Vec<Row>,
    next: Option<String>,
    forms: Forms,
    /// Those an action can be for; none for who may not create one.
    problems: Vec<(String, String)>,
    can_create: bool,
    done: String,
}

fn done(t: Words, action: &str) -> &'static str {
    match action {
        "create" => t.done_create_action(),
        "update" => t.done_update_action(),
        "complete" => t.done_complete_action(),
        "assess" => t.done_assess_action(),
        _ => "",
    }
}

/// Lists actions, newest first.
pub(super) async fn list(visitor: Visitor, Query(asked): Query<ActionsQuery>) -> Result<Response, Problem> {
    listed(visitor, asked, None).await
}

async fn listed(visitor: Visitor, asked: ActionsQuery, failed: Option<Failed>) -> Result<Response, Problem> {
    sees(&visitor, Role::Reader)?;
    let client = visitor.client()?;
    let is_overdue = asked.state == "overdue";
    let (key, state) = STATES.into_iter().find(|(key, _)| *key == asked.state).unwrap_or(STATES[0]);
    let request = ListImprovementActionsRequest {
        page_size: ROWS,
        page_token: asked.page,
        problem_id: String::new(),
        state: if is_overdue { 0 } else { state.into() },
        overdue: is_overdue,
    };
    let answer = ImprovementServiceClient::new(client.calls()).list_improvement_actions(request).await?;
    let answer = answer.into_inner();
    let t = visitor.words;
    let path = |key: &str| visitor.app.path(&format!("/figures/actions?state={key}"));
    let tab = |key: &str, name: &str, is_here: bool| Tab {
        name: name.to_owned(),
        path: path(key),
        is_here,
        count: String::new(),
    };
    let mut states: Vec<Tab> = STATES
        .into_iter()
        .map(|(one, state)| {
            let name = if one == "any" { t.climbed_any() } else { t.improvement_state(i32::from(state)) };
            tab(one, name, one == key && !is_overdue)
        })
        .collect();
    states.insert(2, tab("overdue", t.overdue(), is_overdue));
    let next_key = if is_overdue { "overdue" } else { key };
    let next = (!answer.next_page_token.is_empty())
        .then(|| format!("{}&page={}", path(next_key), encoded(&answer.next_page_token)));
    let rows = answer.actions.into_iter().map(|action| Row {
        path: visitor.app.path(&format!("/figures/actions/{}", encoded(&action.action_id))),
        action,
    });
    let can_create = visitor.may_act_as(Role::Supervisor);
    let problems = if can_create { problems(&client).await? } else { Vec::new() };
    let code = failed.as_ref().map_or(StatusCode::OK, |failed| failed.problem.status());
    let f = Frame::new(&visitor, t.actions_title(), "figures");
    let forms = Forms::new(&visitor, &f.token, failed);
    let page = ListPage {
        tabs: tabs(&visitor, "/figures/actions"),
        states,
        rows: rows.collect(),
        next,
        forms,
        problems,
        can_create,
        done: done(t, &asked.done).to_owned(),
        f,
    };
    Ok(html_with(code, &page))
}

impl ListPage {
    fn kinds(&self) -> [(String, &'static str); 2] {
        [ImprovementKind::Corrective, ImprovementKind::Preventive]
            .map(|kind| (i32::from(kind).to_string(), self.f.t.improvement_kind(i32::from(kind))))
    }
}

async fn problems(client: &Client) -> Result<Vec<(String, String)>, Problem> {
    let request = ListProblemsRequest { page_size: PROBLEMS, ..ListProblemsRequest::default() };
    let answer = ProblemServiceClient::new(client.calls()).list_problems(request).await?.into_inner();
    Ok(answer.problems.into_iter().map(|one| (one.problem_id, one.title)).collect())
}

/// Creates an action.
pub(super) async fn create(
    State(app): State<App>,
    visitor: Visitor,
    posted: Posted,
) -> Result<Response, Problem> {
    sees(&visitor, Role::Supervisor)?;
    let client = visitor.client()?;
    let text = |field: &str| posted.text(field).to_owned();
    let request = CreateImprovementActionRequest {
        request_id: posted.request_id(),
        problem_id: text("problem"),
        kind: posted.number("kind").unwrap_or_default(),
        title: text("title"),
        owner: text("owner"),
        due_date: text("due"),
    };
    match ImprovementServiceClient::new(client.calls()).create_improvement_action(request).await {
        Ok(_) => Ok(see_other(&app.path("/figures/actions?done=create"))),
        Err(status) => {
            let failed = Failed { form: "create".to_owned(), posted, problem: status.into() };
            listed(visitor, ActionsQuery::default(), Some(failed)).await
        }
    }
}

#[derive(Template)]
#[template(path = "figures/action.html")]
#[expect(clippy::struct_excessive_bools, reason = "what a template asks")]
struct ActionPage {
    f: Frame,
    tabs: Vec<Tab>,
    action: ImprovementAction,
    effect: Vec<(&'static str, String)>,
    done_at: Option<When>,
    forms: Forms,
    can_complete: bool,
    can_assess: bool,
    can_update: bool,
    /// Whether who looks sees to it, or said that it is done.
    is_own: bool,
    done: &'static str,
}

/// The address of a form, as somebody opens it again.
pub(super) async fn back(visitor: Visitor, Path((id, _)): Path<(String, String)>) -> Response {
    back_to(&visitor.app, &format!("/figures/actions/{id}"))
}

/// Shows an action, with its effect as it is now.
pub(super) async fn show(
    visitor: Visitor,
    Path(id): Path<String>,
    Query(asked): Query<ActionsQuery>,
) -> Result<Response, Problem> {
    page(visitor, &id, &asked.done, None).await
}

async fn page(visitor: Visitor, id: &str, did: &str, failed: Option<Failed>) -> Result<Response, Problem> {
    sees(&visitor, Role::Reader)?;
    let client = visitor.client()?;
    let request = GetImprovementActionRequest { action_id: id.to_owned() };
    let answer = ImprovementServiceClient::new(client.calls()).get_improvement_action(request).await?;
    let action = answer.into_inner().action;
    let action = action.ok_or_else(|| Problem::broken("an action is missing from its answer"))?;
    let t = visitor.words;
    let code = failed.as_ref().map_or(StatusCode::OK, |failed| failed.problem.status());
    let f = Frame::new(&visitor, t.action_title(), "figures");
    let forms = Forms::new(&visitor, &f.token, failed);
    let (is_open, is_done) =
        (action.state() == ImprovementState::Open, action.state() == ImprovementState::Done);
    let is_own = [&action.owner, &action.done_by].iter().any(|one| !one.is_empty() && **one == f.subject);
    let supervises = visitor.may_act_as(Role::Supervisor);
    let page = ActionPage {
        tabs: tabs(&visitor, "/figures/actions"),
        effect: action.effect.as_ref().map(|effect| told(effect, t)).unwrap_or_default(),
        done_at: When::of(action.done_time.as_ref(), &visitor),
        can_complete: visitor.may_act_as(Role::Agent) && (is_open || forms.has_failed("complete")),
        can_assess: supervises && ((is_done && !is_own) || forms.has_failed("assess")),
        can_update: supervises && (is_open || forms.has_failed("update")),
        is_own: supervises && is_done && is_own,
        done: done(t, did),
        action,
        forms,
        f,
    };
    Ok(html_with(code, &page))
}

/// What has become of the complaints, a line each.
fn told(effect: &ImprovementEffect, t: Words) -> Vec<(&'static str, String)> {
    let mut lines = vec![(t.effect_title(), t.effect_state(effect.state).to_owned())];
    if effect.days > 0 {
        let rate = |count: i64, rate: f64| t.effect_rate(count, format!("{rate:.2}"));
        lines.push((t.effect_days(), effect.days.to_string()));
        lines.push((t.effect_before(), rate(effect.before_count, effect.before_rate)));
        lines.push((t.effect_after(), rate(effect.after_count, effect.after_rate)));
    }
    if let Some(ratio) = effect.ratio {
        let range = match (effect.ratio_lower, effect.ratio_upper) {
            (Some(lower), Some(upper)) => format!(" ({lower:.2}–{upper:.2})"),
            _ => String::new(),
        };
        lines.push((t.effect_ratio(), format!("{ratio:.2}{range}")));
    }
    lines
}

/// Does what a form asks for.
pub(super) async fn act(
    State(app): State<App>,
    visitor: Visitor,
    Path((id, action)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Problem> {
    let role = if action == "complete" { Role::Agent } else { Role::Supervisor };
    sees(&visitor, role)?;
    let client = visitor.client()?;
    let mut service = ImprovementServiceClient::new(client.calls());
    let (request_id, action_id) = (posted.request_id(), id.clone());
    let expected_version = posted.version().unwrap_or_default();
    let text = |field: &str| posted.text(field).to_owned();
    let answer = match action.as_str() {
        "complete" => {
            let note = text("note");
            let request = CompleteImprovementActionRequest { request_id, action_id, expected_version, note };
            service.complete_improvement_action(request).await.map(drop)
        }
        "assess" => {
            let effective = match posted.text("effective") {
                "yes" => Some(true),
                "no" => Some(false),
                _ => None,
            };
            let Some(effective) = effective else {
                let problem = Problem::wrong_field("effective", visitor.words.wants_choice());
                return page(visitor, &id, "", Some(Failed { form: action, posted, problem })).await;
            };
            let finding = text("finding");
            let request = AssessImprovementActionRequest {
                request_id,
                action_id,
                expected_version,
                effective,
                finding,
            };
            service.assess_improvement_action(request).await.map(drop)
        }
        "update" => {
            let (owner, due_date) = (text("owner"), text("due"));
            let request =
                UpdateImprovementActionRequest { request_id, action_id, expected_version, owner, due_date };
            service.update_improvement_action(request).await.map(drop)
        }
        _ => return Err(Problem::not_found()),
    };
    match answer {
        Ok(()) => Ok(see_other(&app.path(&format!("/figures/actions/{}?done={action}", encoded(&id))))),
        Err(status) => {
            let failed = Failed { form: action, posted, problem: status.into() };
            page(visitor, &id, "", Some(failed)).await
        }
    }
}
