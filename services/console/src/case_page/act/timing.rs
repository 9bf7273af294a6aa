//! Pauses and extensions of clocks.

use proto::redress::cases::v1::clock_service_client::ClockServiceClient;
use proto::redress::cases::v1::{
    ApproveExtensionRequest, PauseClocksRequest, RefuseExtensionRequest, RequestExtensionRequest,
    ResumeClocksRequest,
};

use super::{Act, Done, token};
use crate::problem::Problem;

impl Act<'_> {
    pub(super) async fn timing(self, action: &str) -> Done {
        let mut service = ClockServiceClient::new(self.client.calls());
        let (request_id, case_id) = (self.posted.request_id(), self.case.to_owned());
        let expected_version = self.posted.version();
        let kinds = self.posted.all("clock").filter_map(|kind| kind.parse().ok()).collect();
        let (remark, extension_id) = (self.text("remark"), self.text("extension"));
        match action {
            "pause" => {
                let reason = self.posted.number("pause_reason").unwrap_or_default();
                let request =
                    PauseClocksRequest { request_id, case_id, expected_version, kinds, reason, remark };
                token(service.pause_clocks(request).await)
            }
            "resume" => {
                let request = ResumeClocksRequest { request_id, case_id, expected_version, kinds, remark };
                token(service.resume_clocks(request).await)
            }
            "extend" => {
                let amount = self.posted.number::<i32>("amount");
                let amount =
                    amount.ok_or_else(|| Problem::wrong_field("amount", "must be a whole number"))?;
                let kind = self.posted.number("clock").unwrap_or_default();
                let reason = self.text("reason");
                let request =
                    RequestExtensionRequest { request_id, case_id, expected_version, kind, amount, reason };
                token(service.request_extension(request).await)
            }
            "grant" => {
                let request = ApproveExtensionRequest { request_id, extension_id, expected_version };
                token(service.approve_extension(request).await)
            }
            _ => {
                let request =
                    RefuseExtensionRequest { request_id, extension_id, reason: self.text("reason") };
                token(service.refuse_extension(request).await)
            }
        }
    }
}
