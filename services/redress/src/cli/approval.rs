//! `redress approval …`: how plans are approved, and who approves for whom.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{ArgGroup, Args, Subcommand};
use jiff::Timestamp;
use proto::redress::resolution::v1::approval_service_client::ApprovalServiceClient;
use proto::redress::resolution::v1::{
    ActivateApprovalPolicyRequest, ApprovalPolicy, CreateApprovalPolicyRequest, DelegateApprovalsRequest,
    GetApprovalPolicyRequest, ListApprovalPoliciesRequest, ListDelegationsRequest, ReplayApprovalsRequest,
    RevokeDelegationRequest,
};
use show::{json, text};

use super::connection::{Caller, Connection, Page};

#[derive(Args)]
pub(crate) struct Approvals {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// By what plans are judged: approved by a rule, by so many people, or refused
    Policy {
        #[command(subcommand)]
        verb: PolicyVerb,
    },
    /// Lets somebody else approve plans on your behalf, up to your limits
    Delegate {
        /// Who
        delegate: String,
        /// From when; from now on without
        #[arg(long, value_parser = crate::cli::moment::read)]
        from: Option<Timestamp>,
        /// Until when, e.g. `2026-12-01T09:00:00+08:00`
        #[arg(long, value_parser = crate::cli::moment::read)]
        until: Timestamp,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Ends a delegation of yours
    Revoke {
        /// Id of the delegation
        delegation: String,
    },
    /// Lists who approves for whom, and did, newest first
    Delegations {
        #[command(flatten)]
        page: Page,
    },
}

#[derive(Subcommand)]
enum PolicyVerb {
    /// Shows the active policy; as JSON it can be edited and created anew
    Get {
        /// Another version; 0 is the one that is shipped
        #[arg(long)]
        version: Option<i64>,
    },
    /// Lists the versions, newest first
    List {
        #[command(flatten)]
        page: Page,
    },
    /// Checks a policy and keeps it as the next version, which is not active yet
    Create {
        /// The policy as JSON, `-` for standard input
        file: PathBuf,
        /// What is new in it
        #[arg(long)]
        note: Option<String>,
    },
    /// Shows which past plans a version, or a policy in a file, would have judged otherwise
    Replay(Replay),
    /// Judges plans by a version from now on; 0 is the one that is shipped
    Activate {
        /// Which version
        version: i64,
    },
}

#[derive(Args)]
#[command(group = ArgGroup::new("candidate").args(["version", "file"]).required(true))]
struct Replay {
    /// The version; 0 is the one that is shipped
    version: Option<i64>,
    /// The policy as JSON, `-` for standard input; it is not kept
    #[arg(long)]
    file: Option<PathBuf>,
    /// Only plans proposed from then on, e.g. `2026-11-01T00:00:00Z`
    #[arg(long, value_parser = crate::cli::moment::read)]
    from: Option<Timestamp>,
    /// Only plans proposed before then
    #[arg(long, value_parser = crate::cli::moment::read)]
    to: Option<Timestamp>,
    #[command(flatten)]
    page: Page,
}

type Client = ApprovalServiceClient<client::Calls>;

impl Approvals {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let mut approvals = ApprovalServiceClient::new(caller.client.calls());
        match self.verb {
            Verb::Policy { verb } => verb.run(&caller, approvals).await,
            Verb::Delegate { delegate, from, until, reason } => {
                let request = DelegateApprovalsRequest {
                    request_id: caller.request_id(),
                    delegate,
                    start_time: from.map(proto::timestamp),
                    end_time: Some(proto::timestamp(until)),
                    reason,
                };
                let answer = approvals.delegate_approvals(request).await?.into_inner();
                show::answer(caller.json, &answer.delegation.unwrap_or_default(), text::delegation)
            }
            Verb::Revoke { delegation } => {
                let request =
                    RevokeDelegationRequest { request_id: caller.request_id(), delegation_id: delegation };
                let answer = approvals.revoke_delegation(request).await?.into_inner();
                show::answer(caller.json, &answer.delegation.unwrap_or_default(), text::delegation)
            }
            Verb::Delegations { page } => {
                let request = ListDelegationsRequest { page_size: page.limit, page_token: page.page };
                let answer = approvals.list_delegations(request).await?.into_inner();
                show::answer(caller.json, &answer, text::delegations)
            }
        }
    }
}

impl PolicyVerb {
    async fn run(self, caller: &Caller, mut approvals: Client) -> anyhow::Result<()> {
        match self {
            Self::Get { version } => {
                let request = GetApprovalPolicyRequest { version };
                told(caller, approvals.get_approval_policy(request).await?.into_inner().policy)
            }
            Self::List { page } => {
                let request = ListApprovalPoliciesRequest { page_size: page.limit, page_token: page.page };
                let answer = approvals.list_approval_policies(request).await?.into_inner();
                show::answer(caller.json, &answer, text::approval_policies)
            }
            Self::Create { file, note } => {
                let mut policy = policy_in(&file)?;
                policy.note = note.unwrap_or(policy.note);
                let request =
                    CreateApprovalPolicyRequest { request_id: caller.request_id(), policy: Some(policy) };
                told(caller, approvals.create_approval_policy(request).await?.into_inner().policy)
            }
            Self::Replay(replay) => {
                let answer = approvals.replay_approvals(replay.request()?).await?.into_inner();
                show::answer(caller.json, &answer, text::approvals_replayed)
            }
            Self::Activate { version } => {
                let request = ActivateApprovalPolicyRequest { request_id: caller.request_id(), version };
                let answer = approvals.activate_approval_policy(request).await?.into_inner();
                show::answer(caller.json, &answer, |answer| {
                    format!("version {} is active, before it was {}", answer.version, answer.previous_version)
                })
            }
        }
    }
}

impl Replay {
    fn request(self) -> anyhow::Result<ReplayApprovalsRequest> {
        let Self { version, file, from, to, page } = self;
        Ok(ReplayApprovalsRequest {
            version: version.unwrap_or_default(),
            policy: file.as_deref().map(policy_in).transpose()?,
            start_time: from.map(proto::timestamp),
            end_time: to.map(proto::timestamp),
            page_size: page.limit,
            page_token: page.page,
        })
    }
}

fn policy_in(file: &Path) -> anyhow::Result<ApprovalPolicy> {
    let read = super::submit::read_text(file)?;
    json::read(&read).with_context(|| format!("{}", file.display()))
}

fn told(caller: &Caller, policy: Option<ApprovalPolicy>) -> anyhow::Result<()> {
    show::answer(caller.json, &policy.unwrap_or_default(), text::approval_policy)
}
