//! What a department says to a task. Each form is sent once, whatever is clicked. What cannot be
//! done, a task that is not held any more for one, is told on the same page, with what was
//! written still there.

use axum::extract::{Path, State};
use axum::response::Response;
use client::Client;
use http::HeaderMap;
use jiff::civil::DateTime;
use proto::redress::resolution::v1::proposal_service_client::ProposalServiceClient;
use proto::redress::resolution::v1::resolution_service_client::ResolutionServiceClient;
use proto::redress::resolution::v1::stock_service_client::StockServiceClient;
use proto::redress::resolution::v1::{
    CompleteTaskRequest, FailTaskRequest, HeartbeatRequest, RejectTaskRequest, ReportShortageRequest,
    RequestTaskExtensionRequest, SettleTaskRequest,
};

use super::board::LEASE_SECONDS;
use super::leases::Leases;
use super::result::ResultForm;
use super::task::{self, Loaded};
use crate::app::App;
use crate::boards::{Failed, encoded};
use crate::form::Posted;
use crate::problem::Problem;
use crate::routes::see_other;
use crate::session::Visitor;

/// Does what a form asks for, and shows the task again.
pub(super) async fn act(
    State(app): State<App>,
    visitor: Visitor,
    headers: HeaderMap,
    Path((task_id, action)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Problem> {
    if action == "take" || task::done(visitor.words, &action).is_none() {
        return Err(Problem::not_found());
    }
    let client = visitor.client()?;
    let leases = Leases::of(&visitor, &headers);
    let loaded = task::load(&client, &task_id).await?;
    let token = leases.token(&task_id).unwrap_or_default().to_owned();
    let act = Act { client: &client, loaded: &loaded, token, visitor: &visitor, posted: &posted };
    match act.run(&action).await {
        Ok(()) => {
            let mut answer =
                see_other(&app.path(&format!("/department/tasks/{}?done={action}", encoded(&task_id))));
            if ["complete", "fail", "reject", "shortage"].contains(&&*action) {
                leases.without(&task_id).keep(&app, answer.headers_mut());
            }
            Ok(answer)
        }
        Err(problem) if problem.reason == "SIGNED_OUT" => Err(problem),
        Err(problem) => {
            // As it is now: somebody else may have done something to it.
            let loaded = task::load(&client, &task_id).await.unwrap_or(loaded);
            task::page(visitor, loaded, &leases, "", Some(Failed { form: action, posted, problem }))
        }
    }
}

/// A form of a task's page, about to be done.
struct Act<'a> {
    client: &'a Client,
    loaded: &'a Loaded,
    /// Proof of holding the task; empty where it is not held.
    token: String,
    visitor: &'a Visitor,
    posted: &'a Posted,
}

impl Act<'_> {
    async fn run(self, action: &str) -> Result<(), Problem> {
        match action {
            "complete" => self.complete().await,
            "fail" => self.fail().await,
            "reject" => self.reject().await,
            "renew" => self.renew().await,
            "settle" => self.settle().await,
            "extend" => self.extend().await,
            _ => self.shortage().await,
        }
    }

    fn service(&self) -> ResolutionServiceClient<client::Calls> {
        ResolutionServiceClient::new(self.client.calls())
    }

    fn text(&self, field: &str) -> String {
        self.posted.text(field).to_owned()
    }

    fn task_id(&self) -> String {
        self.loaded.task.task_id.clone()
    }

    fn form(&self) -> ResultForm {
        ResultForm::new(&self.loaded.task, self.loaded.of.as_ref(), self.visitor.words)
    }

    async fn complete(self) -> Result<(), Problem> {
        let request = CompleteTaskRequest {
            request_id: self.posted.request_id(),
            task_id: self.task_id(),
            lease_token: self.token.clone(),
            result: Some(self.form().read(self.posted)?),
        };
        self.service().complete_task(request).await?;
        Ok(())
    }

    async fn fail(self) -> Result<(), Problem> {
        let retry = self.posted.text("retry");
        if !["again", "never", "unknown"].contains(&retry) {
            return Err(Problem::wrong_field("retry", self.visitor.words.wants_choice()));
        }
        let request = FailTaskRequest {
            request_id: self.posted.request_id(),
            task_id: self.task_id(),
            lease_token: self.token.clone(),
            code: self.text("code"),
            message: self.text("message"),
            retryable: retry == "again",
            outcome_unknown: retry == "unknown",
        };
        self.service().fail_task(request).await?;
        Ok(())
    }

    async fn reject(self) -> Result<(), Problem> {
        let request = RejectTaskRequest {
            request_id: self.posted.request_id(),
            task_id: self.task_id(),
            lease_token: self.token.clone(),
            reason: self.text("reason"),
        };
        self.service().reject_task(request).await?;
        Ok(())
    }

    async fn renew(self) -> Result<(), Problem> {
        let request = HeartbeatRequest {
            task_id: self.task_id(),
            lease_token: self.token.clone(),
            lease_duration: Some(prost_types::Duration { seconds: LEASE_SECONDS, nanos: 0 }),
            checkpoint: Vec::new(),
        };
        self.service().heartbeat(request).await?;
        Ok(())
    }

    async fn settle(self) -> Result<(), Problem> {
        let done = match self.posted.text("done") {
            "yes" => true,
            "no" => false,
            _ => return Err(Problem::wrong_field("done", self.visitor.words.wants_choice())),
        };
        let result = if done { Some(self.form().read(self.posted)?) } else { None };
        let request = SettleTaskRequest {
            request_id: self.posted.request_id(),
            task_id: self.task_id(),
            done,
            result,
            reason: self.text("reason"),
        };
        self.service().settle_task(request).await?;
        Ok(())
    }

    async fn extend(self) -> Result<(), Problem> {
        let request = RequestTaskExtensionRequest {
            request_id: self.posted.request_id(),
            task_id: self.task_id(),
            due_time: Some(self.time("due")?),
            reason: self.text("reason"),
        };
        ProposalServiceClient::new(self.client.calls()).request_task_extension(request).await?;
        Ok(())
    }

    async fn shortage(self) -> Result<(), Problem> {
        let request = ReportShortageRequest {
            request_id: self.posted.request_id(),
            task_id: self.task_id(),
            lease_token: self.token.clone(),
            sku: self.text("sku"),
            expect_time: Some(self.time("expected")?),
        };
        StockServiceClient::new(self.client.calls()).report_shortage(request).await?;
        Ok(())
    }

    /// A day and time as a browser writes it, where the person is.
    fn time(&self, field: &str) -> Result<prost_types::Timestamp, Problem> {
        let local = self.posted.text(field).parse::<DateTime>().ok();
        let time = local.and_then(|local| local.to_zoned(self.visitor.zone.clone()).ok());
        let time =
            time.ok_or_else(|| Problem::wrong_field(field, "must be a time such as 2026-12-01T17:00"))?;
        Ok(prost_types::Timestamp { seconds: time.timestamp().as_second(), nanos: 0 })
    }
}
