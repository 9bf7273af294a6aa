//! What can be done on the page of a case. Each form is sent once, whatever is clicked, and says
//! which version it was begun at. What cannot be done is told on the same page, with what was
//! written still there.

mod changes;
mod timing;

use axum::extract::{Path, State};
use axum::response::Response;
use client::{Client, Token};
use jiff::civil::Date;
use proto::redress::assignment::v1::assignment_service_client::AssignmentServiceClient;
use proto::redress::assignment::v1::{AcceptCaseRequest, DeclineAssignmentRequest};
use proto::redress::cases::v1::case_service_client::CaseServiceClient;
use proto::redress::cases::v1::classifier_service_client::ClassifierServiceClient;
use proto::redress::cases::v1::clock_service_client::ClockServiceClient;
use proto::redress::cases::v1::link_service_client::LinkServiceClient;
use proto::redress::cases::v1::{
    AddNoteRequest, CloseCaseRequest, ConfirmCategoryRequest, DecideCaseRequest, LinkCasesRequest,
    MergeCaseRequest, RecordFindingsRequest, ReopenCaseRequest, SendHoldingReplyRequest, UnlinkCasesRequest,
    UnmergeCaseRequest,
};
use proto::redress::resolution::v1::resolution_service_client::ResolutionServiceClient;
use proto::redress::resolution::v1::{
    ApprovePlanRequest, CancelPlanRequest, ProposePlanRequest, RejectPlanRequest, Step,
};

use super::view::Failed;
use super::{CaseQuery, page, plan_form, remedy_types};
use crate::app::App;
use crate::form::Posted;
use crate::problem::Problem;
use crate::routes::see_other;
use crate::session::Visitor;
use crate::words::Words;

/// What was done, in words; none of what is no action.
pub(super) fn done(t: Words, action: &str) -> Option<&'static str> {
    Some(match action {
        "accept" => t.done_accept(),
        "decline" => t.done_decline(),
        "findings" => t.done_findings(),
        "decide" => t.done_decide(),
        "note" => t.done_note(),
        "hold" => t.done_hold(),
        "category" => t.done_category(),
        "plan" => t.done_plan(),
        "approve" => t.done_approve(),
        "reject" => t.done_reject(),
        "cancel" => t.done_cancel(),
        "close" => t.done_close(),
        "reopen" => t.done_reopen(),
        "link" | "unlink" => t.done_link(),
        "merge" => t.done_merge(),
        "unmerge" => t.done_unmerge(),
        "pause" => t.done_pause(),
        "resume" => t.done_resume(),
        "extend" => t.done_extend(),
        "grant" => t.done_grant(),
        "refuse" => t.done_refuse(),
        "correct" => t.done_correct(),
        "confirm-correction" => t.done_confirm_correction(),
        "refuse-correction" => t.done_refuse_correction(),
        "revise" => t.done_revise(),
        "approve-revision" => t.done_approve_revision(),
        "reject-revision" => t.done_reject_revision(),
        "recategorise" => t.done_recategorise(),
        "urgency" => t.done_urgency(),
        "urgency-asked" => t.done_urgency_asked(),
        "retriage" => t.done_retriage(),
        _ => return None,
    })
}

/// Does what a form asks for, and shows the page again.
pub(super) async fn act(
    State(app): State<App>,
    visitor: Visitor,
    Path((case, action)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Problem> {
    if done(visitor.words, &action).is_none() {
        return Err(Problem::not_found());
    }
    let client = visitor.client()?;
    let subject = visitor.person()?.subject.clone();
    let act = Act { client, case: &case, subject, visitor: &visitor, posted: &posted };
    match act.run(&action).await {
        Ok(Answered { token, said }) => {
            let action = said.unwrap_or(&action);
            let after = token.map(|token| encoded(token.as_str())).unwrap_or_default();
            Ok(see_other(&app.path(&format!("/cases/{}?done={action}&after={after}", encoded(&case)))))
        }
        Err(problem) if problem.reason == "SIGNED_OUT" => Err(problem),
        Err(problem) => {
            let failed = Failed { form: action, posted, problem };
            Box::pin(page(visitor, &case, &CaseQuery::default(), Some(failed))).await
        }
    }
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// A form of a case's page, about to be done.
struct Act<'a> {
    client: Client,
    case: &'a str,
    subject: String,
    visitor: &'a Visitor,
    posted: &'a Posted,
}

/// Something that was done.
struct Answered {
    /// It can be seen by whoever presents this.
    token: Option<Token>,
    /// What is said of it, where that is not the name of the form.
    said: Option<&'static str>,
}

/// What was done, or why it was not.
type Done = Result<Answered, Problem>;

fn token<T>(answer: Result<tonic::Response<T>, tonic::Status>) -> Done {
    Ok(Answered { token: Token::of(&answer?), said: None })
}

impl Act<'_> {
    async fn run(self, action: &str) -> Done {
        match action {
            "accept" | "decline" => self.assignment(action).await,
            "plan" | "approve" | "reject" | "cancel" => self.plan(action).await,
            "link" | "unlink" | "merge" | "unmerge" => self.link(action).await,
            "hold" => self.hold().await,
            "category" => self.category().await,
            "pause" | "resume" | "extend" | "grant" | "refuse" => Box::pin(self.timing(action)).await,
            "correct" | "confirm-correction" | "refuse-correction" => Box::pin(self.correction(action)).await,
            "revise" | "approve-revision" | "reject-revision" => Box::pin(self.revision(action)).await,
            "recategorise" | "urgency" | "retriage" => Box::pin(self.urgency(action)).await,
            _ => self.case(action).await,
        }
    }

    fn text(&self, field: &str) -> String {
        self.posted.text(field).to_owned()
    }

    async fn assignment(self, action: &str) -> Done {
        let mut service = AssignmentServiceClient::new(self.client.calls());
        let (request_id, case_id) = (self.posted.request_id(), self.case.to_owned());
        // A supervisor does it for whom it was given to.
        let agent_id = match self.posted.text("agent") {
            "" => self.subject.clone(),
            agent => agent.to_owned(),
        };
        if action == "accept" {
            let request = AcceptCaseRequest { request_id, case_id, expected_version: None, agent_id };
            token(service.accept_case(request).await)
        } else {
            let reason = self.text("reason");
            let request =
                DeclineAssignmentRequest { request_id, case_id, expected_version: None, agent_id, reason };
            token(service.decline_assignment(request).await)
        }
    }

    async fn case(self, action: &str) -> Done {
        let mut service = CaseServiceClient::new(self.client.calls());
        let (request_id, case_id) = (self.posted.request_id(), self.case.to_owned());
        let (expected_version, reason) = (self.posted.version(), self.text("reason"));
        match action {
            "findings" => {
                let (findings, root_cause) = (self.text("findings"), self.text("root_cause"));
                let request =
                    RecordFindingsRequest { request_id, case_id, expected_version, findings, root_cause };
                token(service.record_findings(request).await)
            }
            "decide" => {
                let request = DecideCaseRequest {
                    request_id,
                    case_id,
                    expected_version,
                    outcome: self.posted.number("outcome").unwrap_or_default(),
                    reasons: self.text("reasons"),
                    remedy_due: self.posted.is_ticked("remedy_due"),
                    ground: self.text("ground"),
                };
                token(service.decide_case(request).await)
            }
            "note" => {
                let visibility = self.posted.number("visibility").unwrap_or_default();
                let request = AddNoteRequest { request_id, case_id, text: self.text("text"), visibility };
                token(service.add_note(request).await)
            }
            "close" => {
                let request = CloseCaseRequest { request_id, case_id, expected_version, reason };
                token(service.close_case(request).await)
            }
            "reopen" => {
                let request = ReopenCaseRequest { request_id, case_id, expected_version, reason };
                token(service.reopen_case(request).await)
            }
            _ => Err(Problem::not_found()),
        }
    }

    /// A holding reply; the day of the next news is the end of that day where the person is.
    async fn hold(self) -> Done {
        let next_update_time = match self.posted.text("next") {
            "" => None,
            day => {
                let end = day.parse::<Date>().ok().and_then(|day| day.tomorrow().ok());
                let end = end.and_then(|day| day.to_zoned(self.visitor.zone.clone()).ok());
                let end =
                    end.ok_or_else(|| Problem::wrong_field("next", "must be a day such as 2026-12-01"))?;
                Some(prost_types::Timestamp { seconds: end.timestamp().as_second() - 1, nanos: 0 })
            }
        };
        let request = SendHoldingReplyRequest {
            request_id: self.posted.request_id(),
            case_id: self.case.to_owned(),
            expected_version: self.posted.version(),
            text: self.text("text"),
            reason: self.text("reason"),
            next_update_time,
            extend_by: None,
            cause: self.text("cause"),
        };
        token(ClockServiceClient::new(self.client.calls()).send_holding_reply(request).await)
    }

    async fn category(self) -> Done {
        let request = ConfirmCategoryRequest {
            request_id: self.posted.request_id(),
            case_id: self.case.to_owned(),
            expected_version: self.posted.version(),
            category: self.text("category"),
        };
        token(ClassifierServiceClient::new(self.client.calls()).confirm_category(request).await)
    }

    async fn plan(self, action: &str) -> Done {
        let mut service = ResolutionServiceClient::new(self.client.calls());
        let (request_id, plan_id) = (self.posted.request_id(), self.text("plan"));
        // The version of the plan, not that of the case.
        let (expected_version, reason) = (self.posted.number("plan_version"), self.text("reason"));
        match action {
            "approve" => {
                let on_behalf_of = String::new();
                let request = ApprovePlanRequest { request_id, plan_id, expected_version, on_behalf_of };
                token(service.approve_plan(request).await)
            }
            "reject" => {
                let request = RejectPlanRequest { request_id, plan_id, expected_version, reason };
                token(service.reject_plan(request).await)
            }
            "cancel" => {
                let request = CancelPlanRequest { request_id, plan_id, expected_version, reason };
                token(service.cancel_plan(request).await)
            }
            _ => {
                let steps = self.steps().await?;
                let request = ProposePlanRequest { request_id, case_id: self.case.to_owned(), steps };
                token(service.propose_plan(request).await)
            }
        }
    }

    /// The steps of the plan editor.
    async fn steps(&self) -> Result<Vec<Step>, Problem> {
        let types = remedy_types::of_form(&self.client, self.posted).await?;
        plan_form::steps(self.posted, &types, self.visitor.words).map_err(|violations| Problem {
            violations,
            ..Problem::own(tonic::Code::InvalidArgument, "INVALID_PLAN")
        })
    }

    async fn link(self, action: &str) -> Done {
        let mut service = LinkServiceClient::new(self.client.calls());
        let (request_id, case_id) = (self.posted.request_id(), self.case.to_owned());
        let (other_case_id, reason) = (self.text("other"), self.text("reason"));
        let expected_version = self.posted.version();
        match action {
            "link" => {
                let kind = self.posted.number("kind").unwrap_or_default();
                let request = LinkCasesRequest { request_id, case_id, other_case_id, kind, reason };
                token(service.link_cases(request).await)
            }
            "unlink" => {
                let request = UnlinkCasesRequest { request_id, case_id, other_case_id, reason };
                token(service.unlink_cases(request).await)
            }
            "merge" => {
                let into_case_id = other_case_id;
                let different_complainants_reason = self.text("different");
                let request = MergeCaseRequest {
                    request_id,
                    case_id,
                    expected_version,
                    into_case_id,
                    reason,
                    different_complainants_reason,
                };
                token(service.merge_case(request).await)
            }
            _ => {
                let request = UnmergeCaseRequest { request_id, case_id, expected_version, reason };
                token(service.unmerge_case(request).await)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::language::Language;

    #[test]
    fn every_action_says_what_was_done() {
        let t = Words(Language::English);
        let all = ["accept", "decline", "findings", "decide", "note", "hold", "category", "plan", "approve"];
        let said: HashMap<&str, &str> = all.iter().filter_map(|one| Some((done(t, one)?, *one))).collect();
        assert_eq!(said.len(), all.len(), "each says something of its own");
        assert_eq!(done(t, "<script>"), None);
    }
}
