//! One task: what is asked, and what its department can say to it.

use std::borrow::Borrow;

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use client::Client;
use http::{HeaderMap, StatusCode};
use kernel::Role;
use proto::redress::resolution::v1::remedy_type_service_client::RemedyTypeServiceClient;
use proto::redress::resolution::v1::resolution_service_client::ResolutionServiceClient;
use proto::redress::resolution::v1::{
    GetRemedyTypeRequest, GetTaskRequest, GetTaskResponse, ProposalState, RemedyKind, RemedyType, Task,
    TaskState,
};
use serde::Deserialize;

use super::leases::Leases;
use super::result::{self, ResultForm};
use crate::boards::{Failed, Forms, When, encoded, task_class};
use crate::money;
use crate::page::{Frame, html_with};
use crate::problem::Problem;
use crate::routes::back_to;
use crate::schema::{Item, Kind};
use crate::session::Visitor;
use crate::words::Words;

/// What a task is asked with.
#[derive(Default, Deserialize)]
pub(super) struct TaskQuery {
    /// What was just done.
    #[serde(default)]
    done: String,
}

/// A task, all that is known of it.
pub(super) struct Loaded {
    pub(super) answer: GetTaskResponse,
    pub(super) task: Task,
    /// Its type, where it is one of the tenant's own.
    pub(super) of: Option<RemedyType>,
}

/// Reads a task.
pub(super) async fn load(client: &Client, task_id: &str) -> Result<Loaded, Problem> {
    let request = GetTaskRequest { task_id: task_id.to_owned() };
    let mut answer = ResolutionServiceClient::new(client.calls()).get_task(request).await?.into_inner();
    let task = answer.task.take().ok_or_else(|| Problem::broken("a task is missing from its answer"))?;
    let of = match task.remedy_type.as_str() {
        "" => None,
        _ => Some(remedy_type(client, &task).await?),
    };
    Ok(Loaded { answer, task, of })
}

async fn remedy_type(client: &Client, task: &Task) -> Result<RemedyType, Problem> {
    let request =
        GetRemedyTypeRequest { type_id: task.remedy_type.clone(), version: task.remedy_type_version };
    let answer = RemedyTypeServiceClient::new(client.calls()).get_remedy_type(request).await?;
    answer.into_inner().remedy_type.ok_or_else(|| Problem::broken("a type of remedy is missing"))
}

/// What was done, in words; none of what is no action.
pub(super) fn done(t: Words, action: &str) -> Option<&'static str> {
    Some(match action {
        "take" => t.done_take(),
        "complete" => t.done_complete(),
        "fail" => t.done_fail(),
        "reject" => t.done_reject_task(),
        "extend" => t.done_extend(),
        "renew" => t.done_renew(),
        "settle" => t.done_settle(),
        "shortage" => t.done_shortage(),
        _ => return None,
    })
}

#[derive(Template)]
#[template(path = "department/task.html")]
struct Page {
    f: Frame,
    v: Visitor,
    l: Loaded,
    forms: Forms,
    result: ResultForm,
    /// What a type's task was given.
    input: Vec<(String, String)>,
    /// Whether who looks holds it.
    is_held: bool,
    done: String,
    over: String,
}

/// The address of a form, as somebody opens it again.
pub(super) async fn back(visitor: Visitor, Path((task, _)): Path<(String, String)>) -> Response {
    back_to(&visitor.app, &format!("/department/tasks/{task}"))
}

/// Shows a task.
pub(super) async fn show(
    visitor: Visitor,
    headers: HeaderMap,
    Path(task): Path<String>,
    Query(asked): Query<TaskQuery>,
) -> Result<Response, Problem> {
    let client = visitor.client()?;
    let loaded = load(&client, &task).await?;
    let leases = Leases::of(&visitor, &headers);
    page(visitor, loaded, &leases, &asked.done, None)
}

/// The page of a task, with what could not be done.
pub(super) fn page(
    visitor: Visitor,
    loaded: Loaded,
    leases: &Leases,
    done_now: &str,
    failed: Option<Failed>,
) -> Result<Response, Problem> {
    if !visitor.may_act_as(Role::DepartmentWorker) && !visitor.may_act_as(Role::Reader) {
        return Err(Problem::own(tonic::Code::PermissionDenied, "ROLE_REQUIRED"));
    }
    let t = visitor.words;
    let status = failed.as_ref().map_or(StatusCode::OK, |failed| failed.problem.status());
    let f = Frame::new(&visitor, t.task_title(t.remedy(loaded.task.kind)), "department");
    let mut result = ResultForm::new(&loaded.task, loaded.of.as_ref(), t);
    let mut left = Vec::new();
    if let Some(failed) = failed.as_ref().filter(|failed| ["complete", "settle"].contains(&&*failed.form)) {
        result = result.filled(&failed.posted);
        left = result.place(&failed.problem, t);
    }
    let is_placed = result.is_wrong();
    let mut forms = Forms::new(&visitor, &f.token, failed);
    if let Some(shown) = forms.shown.as_mut().filter(|_| is_placed) {
        shown.violations = left;
    }
    let input = result::input(&loaded.task, loaded.of.as_ref(), t);
    let is_held = leases.token(&loaded.task.task_id).is_some() && loaded.task.worker == f.subject;
    let done = done(t, done_now).unwrap_or_default().to_owned();
    let over = if done.is_empty() { String::new() } else { done_now.to_owned() };
    Ok(html_with(status, &Page { f, v: visitor, l: loaded, forms, result, input, is_held, done, over }))
}

#[expect(clippy::unused_self, reason = "templates call methods")]
impl Page {
    fn task(&self) -> &Task {
        &self.l.task
    }

    fn path(&self, rest: &str) -> String {
        self.v.app.path(&format!("/department/tasks/{}{rest}", encoded(&self.l.task.task_id)))
    }

    fn board(&self) -> String {
        let department = encoded(&self.l.task.department_id);
        self.v.app.path(&format!("/department?department={department}"))
    }

    /// The page of its case, for who may see it.
    fn case_path(&self) -> Option<String> {
        let may = self.v.may_act_as(Role::Reader);
        may.then(|| self.v.app.path(&format!("/cases/{}", encoded(&self.l.task.case_id))))
    }

    fn when(&self, time: Option<&prost_types::Timestamp>) -> Option<When> {
        When::of(time, &self.v)
    }

    fn sum(&self, sum: Option<&proto::google::r#type::Money>) -> String {
        money::text(sum)
    }

    fn draft(&self, form: &str) -> String {
        format!("task-{}/{form}", self.l.task.task_id)
    }

    fn class(&self, state: impl Borrow<i32>) -> &'static str {
        task_class(state)
    }

    fn is(&self, states: &[TaskState]) -> bool {
        states.contains(&self.l.task.state())
    }

    fn works(&self) -> bool {
        self.v.may_act_as(Role::DepartmentWorker)
    }

    /// Who held it last is heard until somebody else is handed it.
    fn can_report(&self) -> bool {
        let is_heard = self.is(&[TaskState::Leased, TaskState::Ready, TaskState::AwaitingStock]);
        let has_failed = ["complete", "fail", "reject", "shortage", "renew"];
        self.works()
            && ((self.is_held && is_heard) || has_failed.iter().any(|form| self.forms.has_failed(form)))
    }

    /// Whether its time has run out while it is held.
    fn is_lapsed(&self) -> bool {
        self.is(&[TaskState::Leased])
            && self.when(self.l.task.visible_time.as_ref()).is_some_and(|end| end.is_past)
    }

    fn is_held_by_other(&self) -> bool {
        !self.is_held && self.is(&[TaskState::Leased])
    }

    fn can_settle(&self) -> bool {
        self.works() && (self.is(&[TaskState::OutcomeUnknown]) || self.forms.has_failed("settle"))
    }

    fn can_extend(&self) -> bool {
        let is_pending = |proposal: &proto::redress::resolution::v1::TaskProposal| {
            proposal.state() == ProposalState::Pending
        };
        let is_open = self.is(&[
            TaskState::Ready,
            TaskState::Leased,
            TaskState::NeedsAttention,
            TaskState::OutcomeUnknown,
            TaskState::AwaitingStock,
        ]);
        self.works()
            && (self.forms.has_failed("extend")
                || (is_open
                    && self.l.task.due_time.is_some()
                    && !self.l.answer.proposals.iter().any(is_pending)))
    }

    fn can_lack(&self) -> bool {
        matches!(self.l.task.kind(), RemedyKind::Exchange | RemedyKind::Repair | RemedyKind::Redelivery)
            && !self.l.task.compensation
    }

    /// The article that the task names.
    fn own_goods(&self) -> &str {
        self.l.task.goods.as_ref().map_or("", |goods| goods.sku.as_str())
    }

    /// The questions to a task whose outcome is unknown: what is answered only if it was done
    /// is asked of nobody by the browser.
    fn settling(&self) -> Vec<Item> {
        let mut items = self.result.items.clone();
        crate::schema::fields(&mut items).for_each(|field| field.is_required = false);
        items
    }

    /// Codes of failures, each with its words.
    fn failures(&self) -> Vec<(&'static str, &'static str)> {
        let t = self.v.words;
        let mut all = vec![
            ("SYSTEM_UNAVAILABLE", t.failure_system()),
            ("DETAILS_WRONG", t.failure_details()),
            ("RECIPIENT_UNREACHABLE", t.failure_recipient()),
            ("OTHER", t.failure_other()),
        ];
        if self.l.task.cancel_requested {
            all.insert(0, ("CANCELLED", t.failure_cancelled()));
        }
        all
    }

    /// What may be said of trying again: a value, and its words.
    fn retries(&self) -> [(&'static str, &'static str); 3] {
        let t = self.v.words;
        [("again", t.retry_again()), ("never", t.retry_never()), ("unknown", t.retry_unknown())]
    }
}
