//! Who handles a case.

use anyhow::Context as _;
use clap::Args;
use proto::redress::assignment::v1::{
    AcceptCaseRequest, AssignCaseRequest, ClaimNextRequest, DeclineAssignmentRequest, GetAssignmentRequest,
    TransferCaseRequest,
};
use show::text;

use crate::cli::connection::{Caller, Expect};

pub(super) async fn handler(caller: &Caller, case_id: String) -> anyhow::Result<()> {
    let answer = caller.assignment().get_assignment(GetAssignmentRequest { case_id }).await?.into_inner();
    show::answer(caller.json, &answer.assignment.unwrap_or_default(), text::assignment)
}

#[derive(Args)]
pub(super) struct Assign {
    /// Id of the case
    case: String,
    /// The agent; routing chooses without
    #[arg(long, default_value = "")]
    agent: String,
    #[command(flatten)]
    expect: Expect,
}

impl Assign {
    pub(super) async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        let request = AssignCaseRequest {
            request_id: caller.request_id(),
            case_id: self.case,
            expected_version: self.expect.version,
            agent_id: self.agent,
        };
        let answer = caller.assignment().assign_case(request).await?.into_inner();
        show::answer(caller.json, &answer.assignment.unwrap_or_default(), text::assignment)
    }
}

#[derive(Args)]
pub(super) struct Accept {
    /// Id of the case
    case: String,
    /// The agent; without, whoever asks: by --as, or by their --token
    #[arg(long)]
    agent: Option<String>,
    #[command(flatten)]
    expect: Expect,
}

impl Accept {
    pub(super) async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        let request = AcceptCaseRequest {
            request_id: caller.request_id(),
            case_id: self.case,
            expected_version: self.expect.version,
            agent_id: agent(self.agent, caller)?,
        };
        let answer = caller.assignment().accept_case(request).await?.into_inner();
        show::answer(caller.json, &answer.assignment.unwrap_or_default(), text::assignment)
    }
}

#[derive(Args)]
pub(super) struct PassOn {
    /// Id of the case
    case: String,
    /// The agent; without, whoever asks: by --as, or by their --token
    #[arg(long)]
    agent: Option<String>,
    /// Why
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    expect: Expect,
}

impl PassOn {
    pub(super) async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        let request = DeclineAssignmentRequest {
            request_id: caller.request_id(),
            case_id: self.case,
            expected_version: self.expect.version,
            agent_id: agent(self.agent, caller)?,
            reason: self.reason,
        };
        let answer = caller.assignment().decline_assignment(request).await?.into_inner();
        show::answer(caller.json, &answer.assignment.unwrap_or_default(), text::assignment)
    }
}

#[derive(Args)]
pub(super) struct Transfer {
    /// Id of the case
    case: String,
    /// The department to hand it to; routing picks the agent
    #[arg(long, default_value = "", conflicts_with = "agent")]
    department: String,
    /// The agent to hand it to
    #[arg(long, default_value = "")]
    agent: String,
    /// Why
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    expect: Expect,
}

impl Transfer {
    pub(super) async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        let request = TransferCaseRequest {
            request_id: caller.request_id(),
            case_id: self.case,
            expected_version: self.expect.version,
            department_id: self.department,
            agent_id: self.agent,
            reason: self.reason,
        };
        let answer = caller.assignment().transfer_case(request).await?.into_inner();
        show::answer(caller.json, &answer.assignment.unwrap_or_default(), text::assignment)
    }
}

#[derive(Args)]
pub(super) struct Claim {
    /// The agent; without, whoever asks: by --as, or by their --token
    #[arg(long)]
    agent: Option<String>,
}

impl Claim {
    pub(super) async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        let request =
            ClaimNextRequest { request_id: caller.request_id(), agent_id: agent(self.agent, caller)? };
        let answer = caller.assignment().claim_next(request).await?.into_inner();
        show::answer(caller.json, &answer, |answer| {
            answer.assignment.as_ref().map_or_else(|| "nothing waits".to_owned(), text::assignment)
        })
    }
}

fn agent(named: Option<String>, caller: &Caller) -> anyhow::Result<String> {
    named
        .or_else(|| caller.subject.clone())
        .context("which agent? name them with --agent, or ask as them with --as or --token")
}
