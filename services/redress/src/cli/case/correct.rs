//! A decision that takes the place of another.

use clap::Args;
use proto::redress::cases::v1::decision_service_client::DecisionServiceClient;
use proto::redress::cases::v1::{
    ConfirmCorrectionRequest, CorrectDecisionRequest, ListCorrectionsRequest, Outcome,
    RefuseCorrectionRequest,
};
use show::{text, words};

use crate::cli::connection::{Caller, Expect};

#[derive(Args)]
pub(super) struct Correct {
    /// Id of the case
    case: String,
    /// upheld, partly-upheld or not-upheld
    #[arg(value_parser = words::read::<Outcome>)]
    outcome: Outcome,
    /// Why it is decided so, in words for the complainant
    #[arg(long)]
    reasons: String,
    /// Why the decision before was wrong, for staff
    #[arg(long)]
    reason: String,
    /// A remedy is due: a plan is expected
    #[arg(long)]
    remedy: bool,
    /// Code of the ground it ends on without a settlement, where its policy knows such grounds
    #[arg(long, default_value = "")]
    ground: String,
    #[command(flatten)]
    expect: Expect,
}

impl Correct {
    pub(super) async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        let request = CorrectDecisionRequest {
            request_id: caller.request_id(),
            case_id: self.case,
            expected_version: self.expect.version,
            outcome: self.outcome.into(),
            reasons: self.reasons,
            remedy_due: self.remedy,
            reason: self.reason,
            ground: self.ground,
        };
        let answer =
            DecisionServiceClient::new(caller.client.calls()).correct_decision(request).await?.into_inner();
        show::answer(caller.json, &answer.correction.unwrap_or_default(), text::correction)
    }
}

pub(super) async fn confirm(caller: &Caller, correction_id: String, expect: Expect) -> anyhow::Result<()> {
    let expected_version = expect.version;
    let request =
        ConfirmCorrectionRequest { request_id: caller.request_id(), correction_id, expected_version };
    let answer =
        DecisionServiceClient::new(caller.client.calls()).confirm_correction(request).await?.into_inner();
    show::answer(caller.json, &answer.case.unwrap_or_default(), text::case)
}

pub(super) async fn refuse(caller: &Caller, correction_id: String, reason: String) -> anyhow::Result<()> {
    let request = RefuseCorrectionRequest { request_id: caller.request_id(), correction_id, reason };
    let answer =
        DecisionServiceClient::new(caller.client.calls()).refuse_correction(request).await?.into_inner();
    show::answer(caller.json, &answer.correction.unwrap_or_default(), text::correction)
}

pub(super) async fn list(caller: &Caller, case_id: String) -> anyhow::Result<()> {
    let request = ListCorrectionsRequest { case_id };
    let answer =
        DecisionServiceClient::new(caller.client.calls()).list_corrections(request).await?.into_inner();
    show::answer(caller.json, &answer, |answer| {
        let all: Vec<String> = answer.corrections.iter().map(text::correction).collect();
        if all.is_empty() { "no corrections".to_owned() } else { all.join("\n") }
    })
}
