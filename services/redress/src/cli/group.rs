//! `redress group …`: many complainants, one matter.

use clap::{Args, Subcommand};
use proto::redress::cases::v1::{
    AddToGroupRequest, CreateGroupRequest, GetGroupPolicyRequest, GetGroupRequest, GroupPolicy,
    ListGroupsRequest, RemoveFromGroupRequest, SetGroupPolicyRequest,
};
use show::text;

use super::connection::{Caller, Connection, Expect, Page};

#[derive(Args)]
pub(crate) struct Groups {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Registers a group with its first cases
    Create(Create),
    /// Adds cases to a group
    Add(Add),
    /// Takes a case out of a group
    Remove(Remove),
    /// Shows a group and its members
    Get {
        /// Id of the group
        group: String,
        #[command(flatten)]
        page: Page,
    },
    /// Lists groups, newest first
    List {
        /// Only the group of this case
        #[arg(long, default_value = "")]
        case: String,
        #[command(flatten)]
        page: Page,
    },
    /// Shows how many may speak for a group, and from which size it raises the alarm;
    /// with both numbers, decides it
    Policy(Policy),
}

#[derive(Args)]
struct Create {
    /// What it is about
    title: String,
    /// Its first cases
    #[arg(required = true)]
    cases: Vec<String>,
    /// One of them whose complainant speaks for all; may be repeated
    #[arg(long)]
    representative: Vec<String>,
}

#[derive(Args)]
struct Add {
    /// Id of the group
    group: String,
    /// The cases
    #[arg(required = true)]
    cases: Vec<String>,
    /// One of them whose complainant speaks for all; may be repeated
    #[arg(long)]
    representative: Vec<String>,
    /// Why they belong to it
    #[arg(long, default_value = "")]
    reason: String,
    #[command(flatten)]
    expect: Expect,
}

#[derive(Args)]
struct Remove {
    /// Id of the group
    group: String,
    /// Id of the case
    case: String,
    /// Why
    #[arg(long, default_value = "")]
    reason: String,
    #[command(flatten)]
    expect: Expect,
}

#[derive(Args)]
struct Policy {
    /// Most representatives of a group
    #[arg(long, requires = "alarm_from")]
    representatives: Option<i32>,
    /// Cases from which a group raises the alarm
    #[arg(long, requires = "representatives")]
    alarm_from: Option<i32>,
    /// Why
    #[arg(long, default_value = "", requires = "alarm_from")]
    reason: String,
}

impl Groups {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        match self.verb {
            Verb::Create(create) => create.run(&caller).await,
            Verb::Add(add) => add.run(&caller).await,
            Verb::Remove(remove) => remove.run(&caller).await,
            Verb::Get { group, page } => get(&caller, group, page).await,
            Verb::List { case, page } => list(&caller, case, page).await,
            Verb::Policy(policy) => policy.run(&caller).await,
        }
    }
}

impl Create {
    async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        let request = CreateGroupRequest {
            request_id: caller.request_id(),
            title: self.title,
            case_ids: self.cases,
            representative_case_ids: self.representative,
        };
        let answer = caller.groups().create_group(request).await?.into_inner();
        show::answer(caller.json, &answer.group.unwrap_or_default(), text::group)
    }
}

impl Add {
    async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        let request = AddToGroupRequest {
            request_id: caller.request_id(),
            group_id: self.group,
            expected_version: self.expect.version,
            case_ids: self.cases,
            representative_case_ids: self.representative,
            reason: self.reason,
        };
        let answer = caller.groups().add_to_group(request).await?.into_inner();
        show::answer(caller.json, &answer.group.unwrap_or_default(), text::group)
    }
}

impl Remove {
    async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        let request = RemoveFromGroupRequest {
            request_id: caller.request_id(),
            group_id: self.group,
            expected_version: self.expect.version,
            case_id: self.case,
            reason: self.reason,
        };
        let answer = caller.groups().remove_from_group(request).await?.into_inner();
        show::answer(caller.json, &answer.group.unwrap_or_default(), text::group)
    }
}

async fn get(caller: &Caller, group_id: String, page: Page) -> anyhow::Result<()> {
    let request = GetGroupRequest { group_id, page_size: page.limit, page_token: page.page };
    let answer = caller.groups().get_group(request).await?.into_inner();
    show::answer(caller.json, &answer, text::members)
}

async fn list(caller: &Caller, case_id: String, page: Page) -> anyhow::Result<()> {
    let request = ListGroupsRequest { page_size: page.limit, page_token: page.page, case_id };
    let answer = caller.groups().list_groups(request).await?.into_inner();
    show::answer(caller.json, &answer, text::groups)
}

impl Policy {
    async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        let Some((max_representatives, alarm_from)) = self.representatives.zip(self.alarm_from) else {
            let answer = caller.groups().get_group_policy(GetGroupPolicyRequest {}).await?.into_inner();
            return show::answer(caller.json, &answer.policy.unwrap_or_default(), text::group_policy);
        };
        let policy = GroupPolicy { max_representatives, alarm_from, reason: self.reason };
        let request = SetGroupPolicyRequest { request_id: caller.request_id(), policy: Some(policy) };
        let answer = caller.groups().set_group_policy(request).await?.into_inner();
        show::answer(caller.json, &answer.policy.unwrap_or_default(), text::group_policy)
    }
}
