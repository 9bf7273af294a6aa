//! How urgent people say a case is.

use clap::Args;
use proto::redress::cases::v1::triage_service_client::TriageServiceClient;
use proto::redress::cases::v1::{LowerPriorityRequest, Priority, RaisePriorityRequest};
use show::{text, words};

use crate::cli::connection::{Caller, Expect};

#[derive(Args)]
pub(super) struct Urgency {
    /// Id of the case
    case: String,
    /// p1, p2, p3 or p4
    #[arg(value_parser = words::read::<Priority>)]
    priority: Priority,
    /// Why
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    expect: Expect,
}

impl Urgency {
    pub(super) async fn raise(self, caller: &Caller) -> anyhow::Result<()> {
        let request = RaisePriorityRequest {
            request_id: caller.request_id(),
            case_id: self.case,
            expected_version: self.expect.version,
            priority: self.priority.into(),
            reason: self.reason,
        };
        let answer =
            TriageServiceClient::new(caller.client.calls()).raise_priority(request).await?.into_inner();
        show::answer(caller.json, &answer.case.unwrap_or_default(), text::case)
    }

    pub(super) async fn lower(self, caller: &Caller) -> anyhow::Result<()> {
        let request = LowerPriorityRequest {
            request_id: caller.request_id(),
            case_id: self.case,
            expected_version: self.expect.version,
            priority: self.priority.into(),
            reason: self.reason,
        };
        let answer =
            TriageServiceClient::new(caller.client.calls()).lower_priority(request).await?.into_inner();
        show::answer(caller.json, &answer, |answer| match &answer.case {
            Some(case) if answer.in_force => text::case(case),
            _ => "asked for; a second person must ask for the same".to_owned(),
        })
    }
}
