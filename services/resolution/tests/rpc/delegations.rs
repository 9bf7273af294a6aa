//! Who approves plans for whom, while they are away.

use std::time::Duration;

use proto::redress::resolution::v1::approval_service_client::ApprovalServiceClient;
use proto::redress::resolution::v1::{
    ApprovalDemand, ApprovalPolicy, ApprovalRule, ApproverLimit, DelegateApprovalsRequest,
    ListDelegationsRequest, PlanState, RevokeDelegationRequest,
};
use testkit::request_id;
use tonic::Code;

use crate::approval_policies::{approve, in_force, policies, refund_of};
use crate::repeated;
use crate::world::{World, invalid, poll, refused, yuan};

/// To somebody, until so many hours from now.
fn to(world: &World, delegate: &str, hours: i64) -> DelegateApprovalsRequest {
    let now = world.house.db("resolution").clock().now();
    DelegateApprovalsRequest {
        request_id: request_id(),
        delegate: delegate.to_owned(),
        start_time: None,
        end_time: Some(proto::timestamp(now + jiff::SignedDuration::from_hours(hours))),
        reason: "on leave".to_owned(),
    }
}

async fn delegate(world: &World, from: &str, delegate: &str, hours: i64) -> String {
    let request = to(world, delegate, hours);
    let made = policies(world, from).delegate_approvals(request).await.unwrap().into_inner();
    made.delegation.unwrap().delegation_id
}

/// The head approves up to 500, others up to 50, and two must.
async fn limited(world: &World) {
    let rule = ApprovalRule {
        name: "all".to_owned(),
        when: "true".to_owned(),
        reason: "two must".to_owned(),
        demand: ApprovalDemand::Approvers.into(),
        approvers: 2,
        approver_limit: vec![yuan(50)],
    };
    let own = |approver: &str| ApproverLimit { approver: approver.to_owned(), limits: vec![yuan(500)] };
    let approver_limits = vec![own("head"), own("chief")];
    in_force(world, ApprovalPolicy { rules: vec![rule], approver_limits, ..ApprovalPolicy::default() }).await;
}

#[tokio::test]
async fn who_stands_in_approves_up_to_the_others_limit_and_both_are_recorded() {
    let world = World::open().await;
    limited(&world).await;
    let plan = world.proposed(world.decided_case().await, vec![refund_of(400)]).await;
    let for_head = async |by| approve(&world, &plan, by, "Head").await;
    refused(for_head("stand-in").await, Code::PermissionDenied, "NO_DELEGATION");
    delegate(&world, "head", "stand-in", 8).await;
    refused(for_head("somebody").await, Code::PermissionDenied, "NO_DELEGATION");
    let own = approve(&world, &plan, "stand-in", "").await;
    refused(own, Code::PermissionDenied, "APPROVER_LIMIT_EXCEEDED");
    let waiting = for_head("Stand-in").await.unwrap();
    let first = &waiting.approvals[0];
    assert_eq!((first.approver.as_str(), first.on_behalf_of.as_str()), ("Stand-in", "Head"));
    // The two count once.
    refused(approve(&world, &plan, "head", "").await, Code::PermissionDenied, "APPROVED_ALREADY");
    refused(for_head("stand-in").await, Code::PermissionDenied, "APPROVED_ALREADY");
    let begun = approve(&world, &plan, "chief", "").await.unwrap();
    assert_eq!((begun.state(), begun.approvals.len()), (PlanState::Executing, 2));
    for planner in ["stand-in", "HEAD", "chief"] {
        let leases = world.client(planner).poll_tasks(poll("finance")).await.unwrap().into_inner().leases;
        assert!(leases.is_empty(), "{planner}");
    }
    assert_eq!(world.poll("finance").await.len(), 1);
    world.house.done().await;
}

#[tokio::test]
async fn a_delegation_lets_neither_the_proposer_approve_nor_whom_it_is_about() {
    let world = World::open().await;
    limited(&world).await;
    let plan = world.proposed(world.decided_case().await, vec![refund_of(400)]).await;
    delegate(&world, "head", "handler", 1).await;
    let own = approve(&world, &plan, "handler", "head").await;
    refused(own, Code::PermissionDenied, "APPROVER_IS_PROPOSER");
    // Nor does the authority serve of whom the complaint is about.
    delegate(&world, "Mallory", "stand-in", 1).await;
    let theirs = approve(&world, &plan, "stand-in", "mallory").await;
    refused(theirs, Code::PermissionDenied, "CALLER_RECUSED");
    world.house.done().await;
}

#[tokio::test]
async fn a_delegation_ends_with_its_time_or_when_it_is_revoked() {
    let world = World::open().await;
    limited(&world).await;
    let plan = world.proposed(world.decided_case().await, vec![refund_of(400)]).await;
    delegate(&world, "head", "stand-in", 1).await;
    world.house.advance(Duration::from_hours(1));
    let late = approve(&world, &plan, "stand-in", "head").await;
    refused(late, Code::PermissionDenied, "NO_DELEGATION");
    let delegation_id = delegate(&world, "head", "stand-in", 1).await;
    let revocation = RevokeDelegationRequest { request_id: request_id(), delegation_id };
    let theirs = RevokeDelegationRequest { request_id: request_id(), ..revocation.clone() };
    let answer = policies(&world, "stand-in").revoke_delegation(theirs).await;
    refused(answer, Code::NotFound, "DELEGATION_NOT_FOUND");
    let again = RevokeDelegationRequest { request_id: request_id(), ..revocation.clone() };
    let revoked = repeated!(
        policies(&world, "Head"),
        revoke_delegation,
        revocation,
        |other: &mut RevokeDelegationRequest| other.delegation_id = request_id()
    );
    assert!(revoked.delegation.unwrap().revoke_time.is_some());
    let answer = policies(&world, "head").revoke_delegation(again).await;
    refused(answer, Code::FailedPrecondition, "DELEGATION_ENDED");
    let late = approve(&world, &plan, "stand-in", "head").await;
    refused(late, Code::PermissionDenied, "NO_DELEGATION");
    world.house.done().await;
}

#[tokio::test]
async fn delegations_make_no_chains_and_are_checked_and_listed() {
    let world = World::identified().await;
    let request = to(&world, "stand-in", 8);
    let mut head = policies(&world, "head");
    let made = repeated!(head, delegate_approvals, request, |other: &mut DelegateApprovalsRequest| {
        other.reason = "ill".to_owned();
    });
    let made = made.delegation.unwrap();
    for (from, delegate, why) in [
        ("stand-in", "third", "DELEGATION_CHAIN"),
        ("third", "HEAD", "DELEGATION_CHAIN"),
        ("head", "third", "DELEGATION_OVERLAPS"),
    ] {
        let answer = policies(&world, from).delegate_approvals(to(&world, delegate, 1)).await;
        refused(answer, Code::FailedPrecondition, why);
    }
    world.house.advance(Duration::from_secs(1));
    // Two who delegate to each other at once do not both succeed.
    let (mut left, mut right) = (policies(&world, "left"), policies(&world, "right"));
    let (one, two) = tokio::join!(
        left.delegate_approvals(to(&world, "right", 1)),
        right.delegate_approvals(to(&world, "left", 1))
    );
    assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
    let bad = DelegateApprovalsRequest { delegate: "Head".to_owned(), ..to(&world, "", 0) };
    invalid(head.delegate_approvals(bad).await, "INVALID_DELEGATION", &["delegate", "end_time"]);
    let mut token = String::new();
    let mut ids = Vec::new();
    for _ in 0..2 {
        let page = ListDelegationsRequest { page_size: 1, page_token: token };
        let page = head.list_delegations(page).await.unwrap().into_inner();
        ids.extend(page.delegations.into_iter().map(|one| one.delegation_id));
        token = page.next_page_token;
    }
    assert_eq!((ids.len(), ids.last(), token.as_str()), (2, Some(&made.delegation_id), ""));
    let other = ApprovalServiceClient::new(world.house.channel_as("another", "head", &["supervisor"]));
    let theirs = other.clone().list_delegations(ListDelegationsRequest::default()).await.unwrap();
    assert!(theirs.into_inner().delegations.is_empty());
    let revocation = RevokeDelegationRequest { request_id: request_id(), delegation_id: made.delegation_id };
    refused(other.clone().revoke_delegation(revocation).await, Code::NotFound, "DELEGATION_NOT_FOUND");
    world.house.done().await;
}
