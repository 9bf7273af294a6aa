//! Corrections of decisions, revisions of plans, another category or urgency.

use proto::redress::cases::v1::case_service_client::CaseServiceClient;
use proto::redress::cases::v1::classifier_service_client::ClassifierServiceClient;
use proto::redress::cases::v1::decision_service_client::DecisionServiceClient;
use proto::redress::cases::v1::triage_service_client::TriageServiceClient;
use proto::redress::cases::v1::{
    AddNoteRequest, ConfirmCategoryRequest, ConfirmCorrectionRequest, CorrectDecisionRequest,
    LowerPriorityRequest, RaisePriorityRequest, RefuseCorrectionRequest, RetriageCaseRequest, Visibility,
};
use proto::redress::resolution::v1::revision_service_client::RevisionServiceClient;
use proto::redress::resolution::v1::{
    ApprovePlanRevisionRequest, RejectPlanRevisionRequest, RevisePlanRequest,
};

use super::{Act, Answered, Done, token};

impl Act<'_> {
    pub(super) async fn correction(self, action: &str) -> Done {
        let mut service = DecisionServiceClient::new(self.client.calls());
        let (request_id, case_id) = (self.posted.request_id(), self.case.to_owned());
        let (expected_version, correction_id) = (self.posted.version(), self.text("correction"));
        match action {
            "correct" => {
                let request = CorrectDecisionRequest {
                    request_id,
                    case_id,
                    expected_version,
                    outcome: self.posted.number("outcome").unwrap_or_default(),
                    reasons: self.text("reasons"),
                    remedy_due: self.posted.is_ticked("remedy_due"),
                    reason: self.text("reason"),
                    ground: self.text("ground"),
                };
                token(service.correct_decision(request).await)
            }
            "confirm-correction" => {
                let request = ConfirmCorrectionRequest { request_id, correction_id, expected_version };
                token(service.confirm_correction(request).await)
            }
            _ => {
                let reason = self.text("reason");
                let request = RefuseCorrectionRequest { request_id, correction_id, reason };
                token(service.refuse_correction(request).await)
            }
        }
    }

    pub(super) async fn revision(self, action: &str) -> Done {
        let mut service = RevisionServiceClient::new(self.client.calls());
        let (request_id, plan_id) = (self.posted.request_id(), self.text("plan"));
        let (expected_version, reason) = (self.posted.number("plan_version"), self.text("reason"));
        let number = self.posted.number("revision").unwrap_or_default();
        match action {
            "revise" => {
                let steps = self.steps().await?;
                let request = RevisePlanRequest { request_id, plan_id, expected_version, steps, reason };
                token(service.revise_plan(request).await)
            }
            "approve-revision" => {
                let on_behalf_of = String::new();
                let request = ApprovePlanRevisionRequest {
                    request_id,
                    plan_id,
                    number,
                    expected_version,
                    on_behalf_of,
                };
                token(service.approve_plan_revision(request).await)
            }
            _ => {
                let request =
                    RejectPlanRevisionRequest { request_id, plan_id, number, expected_version, reason };
                token(service.reject_plan_revision(request).await)
            }
        }
    }

    pub(super) async fn urgency(self, action: &str) -> Done {
        let mut service = TriageServiceClient::new(self.client.calls());
        let (request_id, case_id) = (self.posted.request_id(), self.case.to_owned());
        let (expected_version, reason) = (self.posted.version(), self.text("reason"));
        let priority = self.posted.number::<i32>("priority").unwrap_or_default();
        let before = self.posted.number::<i32>("priority_before").unwrap_or_default();
        match action {
            "recategorise" => self.recategorise().await,
            "retriage" => {
                let request = RetriageCaseRequest { request_id, case_id, expected_version };
                token(service.retriage_case(request).await)
            }
            // P1 is the most urgent.
            _ if priority > before => {
                let request =
                    LowerPriorityRequest { request_id, case_id, expected_version, priority, reason };
                let answer = service.lower_priority(request).await?;
                let said = (!answer.get_ref().in_force).then_some("urgency-asked");
                Ok(Answered { said, ..token(Ok(answer))? })
            }
            _ => {
                let request =
                    RaisePriorityRequest { request_id, case_id, expected_version, priority, reason };
                token(service.raise_priority(request).await)
            }
        }
    }

    /// The category, and why: as a note, since no contract keeps a reason with it. Each has a
    /// key made of the form's, so that a form sent again does neither twice.
    async fn recategorise(self) -> Done {
        let (request_id, case_id) = (self.posted.request_id(), self.case.to_owned());
        let request = ConfirmCategoryRequest {
            request_id: request_id.clone(),
            case_id: case_id.clone(),
            expected_version: self.posted.version(),
            category: self.text("category"),
        };
        let answer = ClassifierServiceClient::new(self.client.calls()).confirm_category(request).await?;
        let why = self.text("reason");
        if why.is_empty() {
            return token(Ok(answer));
        }
        let (request_id, visibility) = (format!("{request_id}:why"), Visibility::Internal.into());
        let text = format!("{}: {why}", self.text("category"));
        let note = AddNoteRequest { request_id, case_id, text, visibility };
        token(CaseServiceClient::new(self.client.calls()).add_note(note).await)
    }
}
