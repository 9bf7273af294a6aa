//! What waits for a supervisor's decision, each with its verdict in place. Who asked for
//! something does not decide it; where a service refuses a decision, the page says so where it
//! was to be made, with what was written still there.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use client::Client;
use http::StatusCode;
use proto::redress::cases::v1::clock_service_client::ClockServiceClient;
use proto::redress::cases::v1::{ApproveExtensionRequest, RefuseExtensionRequest};
use proto::redress::resolution::v1::proposal_service_client::ProposalServiceClient;
use proto::redress::resolution::v1::resolution_service_client::ResolutionServiceClient;
use proto::redress::resolution::v1::{
    ApprovePlanRequest, ApproveTaskProposalRequest, RefuseTaskProposalRequest, RejectPlanRequest,
};
use serde::Deserialize;

use super::pending::{Item, Pending, pending};
use super::{supervises, tabs};
use crate::app::App;
use crate::boards::{Failed, Forms, Tab, encoded};
use crate::error_page::Shown;
use crate::form::Posted;
use crate::page::{Frame, html_with};
use crate::problem::Problem;
use crate::routes::{back_to, see_other};
use crate::session::Visitor;

#[derive(Default, Deserialize)]
pub(super) struct DecisionsQuery {
    /// What was just decided.
    #[serde(default)]
    done: String,
}

#[derive(Template)]
#[template(path = "team/decide.html")]
struct Page {
    f: Frame,
    tabs: Vec<Tab>,
    forms: Forms,
    pending: Pending,
    done: String,
}

impl Page {
    /// What waits, kind by kind.
    fn sections(&self) -> [(&'static str, &'static str, &Vec<Item>); 3] {
        let t = self.f.t;
        [
            ("plans", t.decide_plans(), &self.pending.plans),
            ("extensions", t.decide_extensions(), &self.pending.extensions),
            ("proposals", t.decide_proposals(), &self.pending.proposals),
        ]
    }

    fn path(&self, item: &Item, verdict: &str) -> String {
        format!("{}/team/decisions/{}/{}/{verdict}", self.f.base, item.kind, encoded(&item.id))
    }

    /// What is said of a decision that was refused, where it was to be made.
    fn shown_at(&self, item: &Item) -> Option<&Shown> {
        self.forms.shown.as_ref().filter(|_| self.forms.has_failed(&item.key()))
    }

    /// What is said of one whose thing is not here any more: somebody else decided it.
    fn shown_above(&self) -> Option<&Shown> {
        let all = self.sections();
        let is_here =
            all.iter().flat_map(|(.., items)| items.iter()).any(|item| self.shown_at(item).is_some());
        self.forms.shown.as_ref().filter(|_| !is_here)
    }
}

/// The address of a form, as somebody opens it again.
pub(super) async fn back(visitor: Visitor) -> Response {
    back_to(&visitor.app, "/team/decisions")
}

/// Shows what waits.
pub(super) async fn list(visitor: Visitor, Query(asked): Query<DecisionsQuery>) -> Result<Response, Problem> {
    Box::pin(page(visitor, &asked.done, None)).await
}

async fn page(visitor: Visitor, done: &str, failed: Option<Failed>) -> Result<Response, Problem> {
    supervises(&visitor)?;
    let client = visitor.client()?;
    let pending = Box::pin(pending(&client, &visitor)).await?;
    let t = visitor.words;
    let status = failed.as_ref().map_or(StatusCode::OK, |failed| failed.problem.status());
    let f = Frame::new(&visitor, t.team_decisions(), "team");
    let forms = Forms::new(&visitor, &f.token, failed);
    let done = match done {
        "approve" => t.done_decided_approve(),
        "refuse" => t.done_decided_refuse(),
        _ => "",
    };
    let tabs = tabs(&visitor, "/team/decisions");
    Ok(html_with(status, &Page { f, tabs, forms, pending, done: done.to_owned() }))
}

/// Decides.
pub(super) async fn decide(
    State(app): State<App>,
    visitor: Visitor,
    Path((kind, id, verdict)): Path<(String, String, String)>,
    posted: Posted,
) -> Result<Response, Problem> {
    supervises(&visitor)?;
    let client = visitor.client()?;
    let decision = Decision { client: &client, id: &id, posted: &posted };
    let decided = match (kind.as_str(), verdict.as_str()) {
        ("plan", "approve") => decision.approve_plan().await,
        ("plan", "refuse") => decision.reject_plan().await,
        ("extension", "approve") => decision.approve_extension().await,
        ("extension", "refuse") => decision.refuse_extension().await,
        ("proposal", "approve") => decision.approve_proposal().await,
        ("proposal", "refuse") => decision.refuse_proposal().await,
        _ => return Err(Problem::not_found()),
    };
    match decided {
        Ok(()) => Ok(see_other(&app.path(&format!("/team/decisions?done={verdict}")))),
        Err(problem) if problem.reason == "SIGNED_OUT" => Err(problem),
        Err(problem) => {
            let failed = Failed { form: format!("{kind}-{id}"), posted, problem };
            Box::pin(page(visitor, "", Some(failed))).await
        }
    }
}

/// A verdict about to be told.
struct Decision<'a> {
    client: &'a Client,
    id: &'a str,
    posted: &'a Posted,
}

impl Decision<'_> {
    fn reason(&self) -> String {
        self.posted.text("reason").to_owned()
    }

    async fn approve_plan(self) -> Result<(), Problem> {
        let request = ApprovePlanRequest {
            request_id: self.posted.request_id(),
            plan_id: self.id.to_owned(),
            expected_version: self.posted.version(),
            on_behalf_of: String::new(),
        };
        ResolutionServiceClient::new(self.client.calls()).approve_plan(request).await?;
        Ok(())
    }

    async fn reject_plan(self) -> Result<(), Problem> {
        let request = RejectPlanRequest {
            request_id: self.posted.request_id(),
            plan_id: self.id.to_owned(),
            expected_version: self.posted.version(),
            reason: self.reason(),
        };
        ResolutionServiceClient::new(self.client.calls()).reject_plan(request).await?;
        Ok(())
    }

    async fn approve_extension(self) -> Result<(), Problem> {
        let request = ApproveExtensionRequest {
            request_id: self.posted.request_id(),
            extension_id: self.id.to_owned(),
            expected_version: None,
        };
        ClockServiceClient::new(self.client.calls()).approve_extension(request).await?;
        Ok(())
    }

    async fn refuse_extension(self) -> Result<(), Problem> {
        let request = RefuseExtensionRequest {
            request_id: self.posted.request_id(),
            extension_id: self.id.to_owned(),
            reason: self.reason(),
        };
        ClockServiceClient::new(self.client.calls()).refuse_extension(request).await?;
        Ok(())
    }

    async fn approve_proposal(self) -> Result<(), Problem> {
        let request = ApproveTaskProposalRequest {
            request_id: self.posted.request_id(),
            proposal_id: self.id.to_owned(),
            remark: self.reason(),
        };
        ProposalServiceClient::new(self.client.calls()).approve_task_proposal(request).await?;
        Ok(())
    }

    async fn refuse_proposal(self) -> Result<(), Problem> {
        let request = RefuseTaskProposalRequest {
            request_id: self.posted.request_id(),
            proposal_id: self.id.to_owned(),
            reason: self.reason(),
        };
        ProposalServiceClient::new(self.client.calls()).refuse_task_proposal(request).await?;
        Ok(())
    }
}
