//! Who plans, approves and carries out what moves money: three people, and never whom
//! the complaint is about.

use proto::redress::assignment::v1::{CaseAssigned, CaseQueued};
use proto::redress::resolution::v1::{ApprovePlanRequest, RequeueTaskRequest};
use testkit::{reason, request_id};
use tonic::{Code, Status};

use crate::world::{World, apology, completion, poll, proposal, refund};

fn refused<T: std::fmt::Debug>(answer: Result<T, Status>) -> String {
    let refusal = answer.unwrap_err();
    assert_eq!(refusal.code(), Code::PermissionDenied, "{refusal:?}");
    reason(&refusal)
}

#[tokio::test]
async fn a_plan_is_proposed_by_who_handles_the_case_now() {
    let world = World::identified().await;
    let case = world.decided_case().await;
    let propose = async |subject: &str| {
        world.client_as(subject, &["agent"]).propose_plan(proposal(case, vec![apology("sorry")])).await
    };
    assert_eq!(refused(propose("ann").await), "NOT_THE_HANDLER", "nobody handles it");
    let assigned = CaseAssigned {
        case_id: case.to_string(),
        cycle: 1,
        agent_id: "bob".to_owned(),
        ..CaseAssigned::default()
    };
    world.house.tell("assignment", case, &assigned).await;
    world.house.settled().await;
    assert_eq!(refused(propose("ann").await), "NOT_THE_HANDLER");
    let queued = CaseQueued { case_id: case.to_string(), cycle: 1, ..CaseQueued::default() };
    world.house.tell("assignment", case, &queued).await;
    let assigned = CaseAssigned { agent_id: "ann".to_owned(), ..assigned };
    world.house.tell("assignment", case, &assigned).await;
    world.house.settled().await;
    assert_eq!(refused(propose("bob").await), "NOT_THE_HANDLER", "handed on");
    propose("Ann").await.unwrap();
    world.house.done().await;
}

#[tokio::test]
async fn whom_it_is_about_neither_plans_nor_approves_nor_hands_out_again() {
    let world = World::open().await;
    let case = world.decided_case().await;
    for mallory in ["Mallory", "m.jones"] {
        let proposed = world.client(mallory).propose_plan(proposal(case, vec![refund("back")])).await;
        assert_eq!(refused(proposed), "CALLER_RECUSED");
    }
    let plan = world.proposed(case, vec![refund("back")]).await;
    let approve = ApprovePlanRequest {
        request_id: request_id(),
        plan_id: plan.plan_id.clone(),
        expected_version: None,
        on_behalf_of: String::new(),
    };
    assert_eq!(refused(world.client("mallory").approve_plan(approve.clone()).await), "CALLER_RECUSED");
    assert_eq!(refused(world.client("HANDLER").approve_plan(approve.clone()).await), "APPROVER_IS_PROPOSER");
    world.approver().approve_plan(approve).await.unwrap();
    let task_id = world.take("finance").await.task.unwrap().task_id;
    let requeue = RequeueTaskRequest {
        request_id: request_id(),
        task_id,
        reason: "try again".to_owned(),
        ..RequeueTaskRequest::default()
    };
    assert_eq!(refused(world.client("mallory").requeue_task(requeue).await), "CALLER_RECUSED");
    world.house.done().await;
}

#[tokio::test]
async fn money_is_moved_by_a_third_and_an_apology_by_anybody() {
    let world = World::open().await;
    world.approved(vec![refund("back"), apology("sorry")]).await;
    for planner in ["handler", "APPROVER"] {
        let leases = world.client(planner).poll_tasks(poll("finance")).await.unwrap().into_inner().leases;
        assert!(leases.is_empty(), "{planner} planned it");
    }
    let sorry = world.client("handler").poll_tasks(poll("service")).await.unwrap().into_inner().leases;
    assert_eq!(sorry.len(), 1);
    let lease = world.take("finance").await;
    for planner in ["Handler", "approver"] {
        assert_eq!(
            refused(world.client(planner).complete_task(completion(&lease)).await),
            "EXECUTOR_IS_PLANNER"
        );
    }
    world.complete(&lease).await.unwrap();
    world.house.done().await;
}
