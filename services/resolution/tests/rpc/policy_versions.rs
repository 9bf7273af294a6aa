//! Versions of the approval policy, and what they would have made of past plans.

use std::time::Duration;

use proto::redress::resolution::v1::approval_service_client::ApprovalServiceClient;
use proto::redress::resolution::v1::{
    ActivateApprovalPolicyRequest, ApprovalDemand, ApprovalPolicy, ApprovalRule, ApproverLimit,
    CreateApprovalPolicyRequest, GetApprovalPolicyRequest, ListApprovalPoliciesRequest,
    ReplayApprovalsRequest, ReplayedPlan,
};
use testkit::{reason, request_id};
use tonic::Code;

use crate::approval_policies::{
    SMALL, automatic, by_people, creation, in_force, of_rules, policies, refund_of, rule,
};
use crate::repeated;
use crate::revisions;
use crate::world::{World, invalid, refused, yuan};

#[tokio::test]
async fn a_policy_is_kept_listed_and_put_in_force() {
    let world = World::identified().await;
    let mut admin = policies(&world, "admin");
    let read = async |version| {
        let answer =
            policies(&world, "admin").get_approval_policy(GetApprovalPolicyRequest { version }).await;
        answer.map(|answer| answer.into_inner().policy.unwrap())
    };
    let shipped = read(None).await.unwrap();
    assert_eq!((shipped.version, shipped.active, shipped.rules.len()), (0, true, 0));
    let limit = ApproverLimit { approver: "head".to_owned(), limits: vec![yuan(9)] };
    let policy = ApprovalPolicy {
        note: "small ones by themselves".to_owned(),
        complainant_caps: vec![yuan(100)],
        approver_limits: vec![limit],
        ..of_rules(vec![automatic("small", SMALL)])
    };
    let made = repeated!(
        admin,
        create_approval_policy,
        creation(policy.clone()),
        |other: &mut CreateApprovalPolicyRequest| other.policy = Some(ApprovalPolicy::default())
    );
    let made = made.policy.unwrap();
    let creator = "admin".to_owned();
    let expected = ApprovalPolicy {
        version: 1,
        complainant_days: 365,
        creator,
        create_time: made.create_time,
        ..policy
    };
    assert_eq!(made, expected);
    assert_eq!(read(Some(1)).await.unwrap(), made);
    assert_eq!(read(None).await.unwrap().version, 0, "it is not active");
    let activation = ActivateApprovalPolicyRequest { request_id: request_id(), version: 1 };
    let active = repeated!(
        admin,
        activate_approval_policy,
        activation,
        |other: &mut ActivateApprovalPolicyRequest| other.version = 0
    );
    assert_eq!((active.version, active.previous_version), (1, 0));
    assert_eq!(read(None).await.unwrap().version, 1);
    assert!(!read(Some(0)).await.unwrap().active);
    admin.create_approval_policy(creation(ApprovalPolicy::default())).await.unwrap();
    let mut token = String::new();
    for (version, is_active) in [(2, false), (1, true)] {
        let request = ListApprovalPoliciesRequest { page_size: 1, page_token: token };
        let page = admin.list_approval_policies(request).await.unwrap().into_inner();
        let one = &page.policies[0];
        assert_eq!((one.version, one.active, one.rules.len()), (version, is_active, 0));
        token = page.next_page_token;
    }
    assert!(token.is_empty());
    refused(read(Some(3)).await, Code::NotFound, "APPROVAL_POLICY_NOT_FOUND");
    let unknown = ActivateApprovalPolicyRequest { request_id: request_id(), version: 3 };
    refused(admin.activate_approval_policy(unknown).await, Code::NotFound, "APPROVAL_POLICY_NOT_FOUND");
    let other = world.house.channel_as("another", "admin", &["admin"]);
    let theirs = ApprovalServiceClient::new(other);
    let answer = theirs.clone().get_approval_policy(GetApprovalPolicyRequest { version: Some(1) }).await;
    refused(answer, Code::NotFound, "APPROVAL_POLICY_NOT_FOUND");
    world.house.done().await;
}

#[tokio::test]
async fn a_bad_policy_is_refused_with_every_field_and_nothing_is_kept() {
    let world = World::open().await;
    let mut admin = policies(&world, "admin");
    let misfit =
        ApprovalRule { approver_limit: vec![yuan(0)], ..rule("b", "true", ApprovalDemand::Refusal, 2) };
    let nobody = ApproverLimit::default();
    let bad = ApprovalPolicy {
        rules: vec![rule("", "", ApprovalDemand::Unspecified, 0), misfit, by_people("c", "true", 6)],
        complainant_caps: vec![yuan(1), yuan(2)],
        approver_limits: vec![nobody],
        ..ApprovalPolicy::default()
    };
    invalid(
        admin.create_approval_policy(creation(bad)).await,
        "INVALID_APPROVAL_POLICY",
        &[
            "policy.rules[0].name",
            "policy.rules[0].when",
            "policy.rules[0].demand",
            "policy.rules[1].approver_limit[0]",
            "policy.rules[1].approvers",
            "policy.rules[1].approver_limit",
            "policy.rules[2].approvers",
            "policy.complainant_caps[1]",
            "policy.approver_limits[0].limits",
            "policy.approver_limits[0].approver",
        ],
    );
    let mistaken = ApprovalPolicy {
        complainant_days: 400,
        ..of_rules(vec![automatic("a", "total <= 1"), automatic("a", "total_minor == 'x'")])
    };
    invalid(
        admin.create_approval_policy(creation(mistaken.clone())).await,
        "INVALID_APPROVAL_POLICY",
        &["policy.rules[1].name", "policy.complainant_days", "policy.rules[0].when", "policy.rules[1].when"],
    );
    let tried = ReplayApprovalsRequest { policy: Some(mistaken), ..ReplayApprovalsRequest::default() };
    let answer = admin.replay_approvals(tried).await.unwrap_err();
    assert_eq!((answer.code(), reason(&answer).as_str()), (Code::InvalidArgument, "INVALID_REPLAY"));
    let listed = admin.list_approval_policies(ListApprovalPoliciesRequest::default()).await.unwrap();
    assert!(listed.into_inner().policies.is_empty());
    world.house.done().await;
}

#[tokio::test]
async fn a_candidate_tells_what_past_plans_would_have_come_to_and_changes_nothing() {
    let world = World::identified().await;
    for units in [10, 60, 700] {
        world.house.advance(Duration::from_secs(1));
        world.proposed(world.decided_case().await, vec![refund_of(units)]).await;
    }
    world.house.advance(Duration::from_secs(1));
    let candidate = of_rules(vec![
        automatic("small", "total_minor <= 1000"),
        by_people("large", "total_minor > 50000", 2),
    ]);
    let mut admin = policies(&world, "admin");
    let request =
        ReplayApprovalsRequest { policy: Some(candidate.clone()), ..ReplayApprovalsRequest::default() };
    let tried = admin.replay_approvals(request.clone()).await.unwrap().into_inner();
    assert_eq!((tried.examined, tried.automatic, tried.more_approvers, tried.refused), (3, 1, 1, 0));
    let changes: Vec<_> = tried
        .plans
        .iter()
        .map(|one| (one.ruling.clone().unwrap().approvers, one.replayed_ruling.clone().unwrap().rule))
        .collect();
    assert_eq!(changes, [(1, "small".to_owned()), (1, "large".to_owned())]);
    let listed = admin.list_approval_policies(ListApprovalPoliciesRequest::default()).await.unwrap();
    assert!(listed.into_inner().policies.is_empty(), "it is not kept");

    // By version, page by page: what was judged by it already does not differ.
    let version = in_force(&world, candidate).await;
    world.proposed(world.decided_case().await, vec![refund_of(10)]).await;
    let mut request = ReplayApprovalsRequest { version, page_size: 2, ..ReplayApprovalsRequest::default() };
    let mut differing = Vec::new();
    for examined in [2, 2] {
        let page = admin.replay_approvals(request.clone()).await.unwrap().into_inner();
        assert_eq!(page.examined, examined);
        differing.extend(page.plans);
        request.page_token = page.next_page_token;
    }
    assert!(request.page_token.is_empty());
    assert_eq!(differing, tried.plans.iter().cloned().map(|one| versioned(one, version)).collect::<Vec<_>>());
    let now = world.house.db("resolution").clock().now();
    let second = |before: i64| Some(proto::timestamp(now - jiff::SignedDuration::from_secs(before)));
    for (start, end, examined) in [(1, 0, 1), (1, -1, 2), (3, 1, 2), (2, 1, 1)] {
        let (start_time, end_time) = (second(start), second(end));
        let request =
            ReplayApprovalsRequest { version, start_time, end_time, ..ReplayApprovalsRequest::default() };
        let page = admin.replay_approvals(request).await.unwrap().into_inner();
        assert_eq!(page.examined, examined, "from {start} to {end} seconds ago");
    }
    let back = ReplayApprovalsRequest { version: 0, ..ReplayApprovalsRequest::default() };
    let back = admin.replay_approvals(back).await.unwrap().into_inner();
    assert_eq!((back.examined, back.more_approvers, back.plans.len()), (4, 1, 1), "the shipped one asks one");
    let unknown = ReplayApprovalsRequest { version: 9, ..ReplayApprovalsRequest::default() };
    refused(admin.replay_approvals(unknown).await, Code::NotFound, "APPROVAL_POLICY_NOT_FOUND");
    let other = ApprovalServiceClient::new(world.house.channel_as("another", "admin", &["admin"]));
    let theirs =
        other.clone().replay_approvals(ReplayApprovalsRequest::default()).await.unwrap().into_inner();
    assert_eq!(theirs.examined, 0);
    world.house.done().await;
}

#[tokio::test]
async fn revisions_are_tried_as_plans_are() {
    let world = World::identified().await;
    let plan = world.proposed(world.decided_case().await, vec![revisions::refund_of("a", 10)]).await;
    for units in [600, 9] {
        world.house.advance(Duration::from_mins(1));
        world.revise(&plan, vec![revisions::refund_of("a", units)]).await.unwrap();
    }
    world.house.advance(Duration::from_mins(1));
    let candidate = of_rules(vec![
        automatic("small", "total_minor <= 1000"),
        by_people("large", "total_minor > 50000", 2),
    ]);
    let mut admin = policies(&world, "admin");
    let mut request = ReplayApprovalsRequest { policy: Some(candidate), page_size: 1, ..Default::default() };
    let mut changes = Vec::new();
    loop {
        let page = admin.replay_approvals(request.clone()).await.unwrap().into_inner();
        assert_eq!(page.examined, 1, "each is examined once");
        let told = |one: ReplayedPlan| {
            assert_eq!((&one.plan_id, &one.case_id), (&plan.plan_id, &plan.case_id));
            let was = one.ruling.unwrap().approvers;
            (one.revision_number, was, one.replayed_ruling.unwrap().rule)
        };
        changes.extend(page.plans.into_iter().map(told));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    let rules = [(0, 1, "small"), (1, 1, "large"), (2, 1, "small")];
    assert_eq!(changes, rules.map(|(number, was, rule)| (number, was, rule.to_owned())));
    let now = world.house.db("resolution").clock().now();
    let since = Some(proto::timestamp(now - jiff::SignedDuration::from_secs(90)));
    let late = ReplayApprovalsRequest { page_size: 0, start_time: since, ..request };
    let late = admin.replay_approvals(late).await.unwrap().into_inner();
    assert_eq!((late.examined, late.plans[0].revision_number), (1, 2), "when it was revised counts");
    world.house.done().await;
}

fn versioned(mut plan: ReplayedPlan, version: i64) -> ReplayedPlan {
    if let Some(ruling) = &mut plan.replayed_ruling {
        ruling.policy_version = version;
    }
    plan
}
