//! Approval policies: JSON, as the command line takes it; tried on the plans there were.

use proto::redress::resolution::v1::approval_service_client::ApprovalServiceClient;
use proto::redress::resolution::v1::{
    ActivateApprovalPolicyRequest, ApprovalPolicy, ApprovalRuling, CreateApprovalPolicyRequest,
    GetApprovalPolicyRequest, ListApprovalPoliciesRequest, ReplayApprovalsRequest, ReplayedPlan,
};

use super::contract::{self, JSON_MAX};
use super::input::{Input, InputKind, Placed};
use super::trial::{Cell, Trial, arrow};
use super::versioned::{Row, Rows, Version, Versioned};
use super::{Admin, ROWS};
use crate::form::Posted;
use crate::moment::Moment;
use crate::problem::Problem;
use crate::words::Words;

pub(super) struct Approvals;

fn number(key: &str) -> Result<Option<i64>, Problem> {
    if key.is_empty() { Ok(None) } else { key.parse().map(Some).map_err(|_| Problem::not_found()) }
}

fn row(admin: &Admin, policy: &ApprovalPolicy) -> Row {
    let t = admin.words();
    let is_shipped = policy.version == 0;
    Row {
        key: policy.version.to_string(),
        name: if is_shipped { t.shipped_version().to_owned() } else { t.version_number(policy.version) },
        note: policy.note.clone(),
        creator: policy.creator.clone(),
        created: Moment::of(policy.create_time.as_ref(), &admin.visitor),
        activated: Moment::of(policy.activate_time.as_ref(), &admin.visitor),
        is_active: policy.active,
    }
}

/// What is edited: nothing that the service writes itself, and the note in a field of its own.
fn text(policy: &ApprovalPolicy) -> Result<String, Problem> {
    let edited = ApprovalPolicy {
        version: 0,
        note: String::new(),
        active: false,
        create_time: None,
        creator: String::new(),
        activate_time: None,
        ..policy.clone()
    };
    contract::write(&edited)
}

impl Versioned for Approvals {
    const KEY: &'static str = "approvals";

    fn title(t: Words) -> &'static str {
        t.approvals_word()
    }

    fn about(t: Words) -> &'static str {
        t.approvals_about()
    }

    fn inputs(t: Words) -> Vec<Input> {
        vec![
            Input::new("note", t.version_note(), InputKind::Line(1_000)),
            Input::new("policy", t.approvals_json(), InputKind::Code { rows: 24, max: JSON_MAX })
                .saying(t.approvals_help())
                .required(),
        ]
    }

    fn place(path: &str, inputs: &[Input]) -> Option<Placed> {
        Some(contract::place(path, "policy", inputs))
    }

    async fn list(admin: &Admin) -> Result<Rows, Problem> {
        let mut service = ApprovalServiceClient::new(admin.client.calls());
        let request = ListApprovalPoliciesRequest { page_size: ROWS, page_token: String::new() };
        let answer = service.list_approval_policies(request).await?.into_inner();
        let rows = answer.policies.iter().map(|policy| row(admin, policy)).collect();
        Ok(Rows::with_shipped(rows, row(admin, &ApprovalPolicy::default()), &answer.next_page_token))
    }

    async fn get(admin: &Admin, key: &str) -> Result<Version, Problem> {
        let mut service = ApprovalServiceClient::new(admin.client.calls());
        let request = GetApprovalPolicyRequest { version: number(key)? };
        let policy = service.get_approval_policy(request).await?.into_inner().policy;
        let policy = policy.ok_or_else(|| Problem::broken("a policy is missing from its answer"))?;
        let values = vec![("note", policy.note.clone()), ("policy", text(&policy)?)];
        let rules = policy.rules.iter().map(|rule| format!("{}: {} — {}", rule.name, rule.when, rule.reason));
        let also = vec![(admin.words().rules_in_order(), rules.collect())];
        Ok(Version { row: row(admin, &policy), values, also })
    }

    async fn create(admin: &Admin, posted: &Posted) -> Result<String, Problem> {
        let mut policy: ApprovalPolicy = contract::read(posted.text("policy"), "policy")?;
        posted.text("note").clone_into(&mut policy.note);
        let request = CreateApprovalPolicyRequest { request_id: posted.request_id(), policy: Some(policy) };
        let answer = ApprovalServiceClient::new(admin.client.calls()).create_approval_policy(request).await?;
        Ok(answer.into_inner().policy.map(|policy| policy.version.to_string()).unwrap_or_default())
    }

    async fn trial(admin: &Admin, key: &str) -> Result<Trial, Problem> {
        let version = number(key)?.unwrap_or_default();
        let request =
            ReplayApprovalsRequest { version, page_size: ROWS, ..ReplayApprovalsRequest::default() };
        let mut service = ApprovalServiceClient::new(admin.client.calls());
        let replayed = service.replay_approvals(request).await?.into_inner();
        let t = admin.words();
        let mut said = vec![t.approvals_trial().to_owned()];
        if !replayed.next_page_token.is_empty() {
            said.push(t.trial_partial(replayed.examined));
        }
        let facts = [
            (t.examined(), replayed.examined),
            (t.would_be_automatic(), replayed.automatic),
            (t.would_be_refused(), replayed.refused),
            (t.more_approvers(), replayed.more_approvers),
            (t.fewer_approvers(), replayed.fewer_approvers),
        ];
        Ok(Trial {
            said,
            facts: facts.map(|(name, count)| (name.to_owned(), count.to_string())).to_vec(),
            columns: vec![t.case_word(), t.approval_word(), t.why_word()],
            rows: replayed.plans.iter().map(|plan| replayed_plan(admin, plan)).collect(),
            blocked: Vec::new(),
            stand: Self::list(admin).await?.stand(),
        })
    }

    async fn activate(admin: &Admin, key: &str, request_id: String) -> Result<(), Problem> {
        let version = number(key)?.unwrap_or_default();
        let request = ActivateApprovalPolicyRequest { request_id, version };
        ApprovalServiceClient::new(admin.client.calls()).activate_approval_policy(request).await?;
        Ok(())
    }
}

fn ruled(t: Words, ruling: Option<&ApprovalRuling>) -> String {
    let Some(ruling) = ruling else { return String::new() };
    let demand = t.approval_demand(ruling.demand);
    if ruling.approvers > 0 { format!("{demand} ({})", ruling.approvers) } else { demand.to_owned() }
}

fn replayed_plan(admin: &Admin, plan: &ReplayedPlan) -> Vec<Cell> {
    let t = admin.words();
    let path = Some(admin.path(&format!("/cases/{}", plan.case_id)));
    let after = plan.replayed_ruling.as_ref();
    vec![
        Cell { text: plan.case_id.clone(), path },
        arrow(&ruled(t, plan.ruling.as_ref()), &ruled(t, after)).into(),
        after.map(|ruling| ruling.reasons.join("; ")).unwrap_or_default().into(),
    ]
}
