//! What the handler finds and decides.

use clap::Args;
use proto::redress::cases::v1::{DecideCaseRequest, DeclineCaseRequest, Outcome, RecordFindingsRequest};
use show::{text, words};

use crate::cli::connection::{Caller, Expect};

#[derive(Args)]
pub(super) struct Findings {
    /// Id of the case
    case: String,
    /// What was found out
    #[arg(value_name = "FINDINGS")]
    found: String,
    /// Root cause, as far as known
    #[arg(long, default_value = "")]
    root_cause: String,
    #[command(flatten)]
    expect: Expect,
}

impl Findings {
    pub(super) async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        let request = RecordFindingsRequest {
            request_id: caller.request_id(),
            case_id: self.case,
            expected_version: self.expect.version,
            findings: self.found,
            root_cause: self.root_cause,
        };
        let answer = caller.cases().record_findings(request).await?.into_inner();
        show::answer(caller.json, &answer.case.unwrap_or_default(), text::case)
    }
}

#[derive(Args)]
pub(super) struct Decide {
    /// Id of the case
    case: String,
    /// upheld, partly-upheld or not-upheld
    #[arg(value_parser = words::read::<Outcome>)]
    outcome: Outcome,
    /// Why, in words for the complainant
    #[arg(long)]
    reasons: String,
    /// A remedy is due: a plan is expected
    #[arg(long)]
    remedy: bool,
    /// Code of the ground it ends on without a settlement, where its policy knows such grounds
    #[arg(long, default_value = "")]
    ground: String,
    #[command(flatten)]
    expect: Expect,
}

impl Decide {
    pub(super) async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        let request = DecideCaseRequest {
            request_id: caller.request_id(),
            case_id: self.case,
            expected_version: self.expect.version,
            outcome: self.outcome.into(),
            reasons: self.reasons,
            remedy_due: self.remedy,
            ground: self.ground,
        };
        let answer = caller.cases().decide_case(request).await?.into_inner();
        show::answer(caller.json, &answer.case.unwrap_or_default(), text::case)
    }
}

#[derive(Args)]
pub(super) struct Decline {
    /// Id of the case
    case: String,
    /// Where the complainant should turn
    #[arg(long)]
    referral: String,
    /// Code of the ground of the refusal, where its policy knows such grounds
    #[arg(long, default_value = "")]
    ground: String,
    #[command(flatten)]
    expect: Expect,
}

impl Decline {
    pub(super) async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        let request = DeclineCaseRequest {
            request_id: caller.request_id(),
            case_id: self.case,
            expected_version: self.expect.version,
            referral: self.referral,
            ground: self.ground,
        };
        let answer = caller.cases().decline_case(request).await?.into_inner();
        show::answer(caller.json, &answer.case.unwrap_or_default(), text::case)
    }
}
