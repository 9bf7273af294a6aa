//! How plans are approved: a tenant's own policy, and somebody who stands in for a while.

use proto::redress::resolution::v1::approval_service_client::ApprovalServiceClient;
use proto::redress::resolution::v1::{
    ActivateApprovalPolicyRequest, ApprovalDemand, ApprovalPolicy, ApprovalRule, CreateApprovalPolicyRequest,
    DelegateApprovalsRequest, ReplayApprovalsRequest, RevokeDelegationRequest,
};
use testkit::request_id;

use super::scene::{BOSS, Scene};

/// The rule by which the plans of all stories are approved.
pub(crate) const RULE: &str = "usual";

/// One person approves what every story plans; the boss is away for a day, and back sooner.
pub(crate) async fn settled(scene: &Scene) {
    let mut boss = ApprovalServiceClient::new(scene.line(BOSS));
    let rule = ApprovalRule {
        name: RULE.to_owned(),
        when: "total_minor < 100000000 && priority <= P4".to_owned(),
        reason: "one person looks at it".to_owned(),
        demand: ApprovalDemand::Approvers.into(),
        approvers: 1,
        approver_limit: Vec::new(),
    };
    let policy =
        ApprovalPolicy { rules: vec![rule], note: "as ever".to_owned(), ..ApprovalPolicy::default() };
    let request = CreateApprovalPolicyRequest { request_id: request_id(), policy: Some(policy) };
    let made = boss.create_approval_policy(request).await.unwrap().into_inner().policy.unwrap();
    let request = ActivateApprovalPolicyRequest { request_id: request_id(), version: made.version };
    boss.activate_approval_policy(request).await.unwrap();
    let tried = ReplayApprovalsRequest { version: made.version, ..ReplayApprovalsRequest::default() };
    let tried = boss.replay_approvals(tried).await.unwrap().into_inner();
    assert_eq!((tried.examined, tried.plans.len()), (0, 0), "nothing was planned yet");

    let tomorrow = scene.house.db("resolution").clock().now() + jiff::SignedDuration::from_hours(24);
    let request = DelegateApprovalsRequest {
        request_id: request_id(),
        delegate: "deputy".to_owned(),
        start_time: None,
        end_time: Some(proto::timestamp(tomorrow)),
        reason: "at the dentist".to_owned(),
    };
    let given = boss.delegate_approvals(request).await.unwrap().into_inner().delegation.unwrap();
    let request =
        RevokeDelegationRequest { request_id: request_id(), delegation_id: given.delegation_id.clone() };
    let revoked = boss.revoke_delegation(request).await.unwrap().into_inner().delegation.unwrap();
    assert_eq!(revoked.delegation_id, given.delegation_id);
}
