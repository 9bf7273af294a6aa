//! What people do: assign, accept, transfer, claim.

use proto::redress::assignment::v1::assignment_service_client::AssignmentServiceClient;
use proto::redress::assignment::v1::{
    AcceptCaseRequest, AssignCaseRequest, AssignmentState, CaseAccepted, ClaimNextRequest,
    GetAssignmentRequest, ListQueueRequest, TransferCaseRequest,
};
use proto::redress::cases::v1::CaseOpened;
use testkit::{reason, request_id, violations};
use tonic::Code;
use uuid::Uuid;

use crate::{World, agent, assign, new_case, opened, state};

pub(crate) fn accept(case: Uuid, agent: &str) -> AcceptCaseRequest {
    AcceptCaseRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        expected_version: None,
        agent_id: agent.to_owned(),
    }
}

fn transfer(case: Uuid) -> TransferCaseRequest {
    TransferCaseRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        reason: "they know this customer".to_owned(),
        ..TransferCaseRequest::default()
    }
}

fn claim(agent: &str) -> ClaimNextRequest {
    ClaimNextRequest { request_id: request_id(), agent_id: agent.to_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_gives_a_waiting_case_to_whom_they_name() {
    let mut world = World::with_delivery().await;
    world.puller("ann", "delivery", 1).await;
    let (case, next) = (world.case("delivery").await, world.case("delivery").await);
    let request = AssignCaseRequest { expected_version: Some(1), ..assign(case, "ann") };
    let given = world.client.assign_case(request.clone()).await.unwrap().into_inner();
    let assignment = given.assignment.clone().unwrap();
    assert_eq!((state(&assignment), assignment.agent_id.as_str()), (AssignmentState::Assigned, "ann"));
    assert_eq!((assignment.version, assignment.transfers), (2, 0));
    assert_eq!(assignment.explanation, "given by developer");
    let again = world.client.assign_case(request.clone()).await.unwrap().into_inner();
    assert_eq!(again, given);
    let altered = AssignCaseRequest { agent_id: String::new(), ..request.clone() };
    let refused = world.client.assign_case(altered).await.unwrap_err();
    assert_eq!(reason(&refused), "IDEMPOTENCY_KEY_REUSED");
    assert_eq!((world.told_assigned().await.len(), world.load("ann").await), (1, 1));

    let refused = world.client.assign_case(assign(case, "ann")).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "NOT_WAITING"));
    let stale = AssignCaseRequest { request_id: request_id(), ..request };
    let refused = world.client.assign_case(stale).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Aborted, "VERSION_MISMATCH"));
    let refused = world.client.assign_case(assign(next, "ann")).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::ResourceExhausted, "NO_CAPACITY"));
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assignment_is_refused_for_its_reasons() {
    let mut world = World::with_delivery().await;
    world.puller("ann", "delivery", 5).await;
    let about_ann = CaseOpened { respondent_staff: "Agent ann".to_owned(), ..opened("delivery") };
    let case = world.case_like(about_ann).await;
    let refused = world.client.assign_case(assign(case, "ann")).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "AGENT_RECUSED"));
    let refused = world.client.assign_case(assign(case, "nobody")).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "AGENT_NOT_FOUND"));
    let refused = world.client.assign_case(assign(new_case(), "ann")).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "ASSIGNMENT_NOT_FOUND"));
    // Routing finds nobody: ann is not available; nor is there a department.
    let other = world.case("delivery").await;
    let refused = world.client.assign_case(assign(other, "")).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::ResourceExhausted, "NO_CAPACITY"));
    let nowhere = world.case("warranty").await;
    let refused = world.client.assign_case(assign(nowhere, "")).await.unwrap_err();
    assert_eq!(reason(&refused), "NO_CAPACITY");
    // But a person may name anybody, whatever their department takes.
    let given = world.client.assign_case(assign(nowhere, "ann")).await.unwrap().into_inner();
    assert_eq!(given.assignment.unwrap().department_id, "delivery");
    let bad = AssignCaseRequest { case_id: "7".to_owned(), agent_id: "A".to_owned(), ..Default::default() };
    let refused = world.client.assign_case(bad).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(violations(&refused), ["request_id", "case_id", "agent_id"]);
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agent_in_charge_accepts_once() {
    let mut world = World::with_delivery().await;
    world.agent("ann", "delivery", 5).await;
    world.puller("bo", "delivery", 5).await;
    let case = world.case("delivery").await;
    let refused = world.client.accept_case(accept(case, "bo")).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::FailedPrecondition, "NOT_ASSIGNED_TO_AGENT")
    );
    let request = AcceptCaseRequest { expected_version: Some(1), ..accept(case, "ann") };
    let accepted = world.client.accept_case(request.clone()).await.unwrap().into_inner();
    let assignment = accepted.assignment.clone().unwrap();
    assert_eq!((state(&assignment), assignment.version), (AssignmentState::Accepted, 2));
    assert!(assignment.explanation.ends_with("; accepted by developer for ann"), "{assignment:?}");
    assert_eq!(world.client.accept_case(request.clone()).await.unwrap().into_inner(), accepted);
    let once_more = world.client.accept_case(accept(case, "ann")).await.unwrap().into_inner();
    assert_eq!(once_more, accepted);
    let told: Vec<CaseAccepted> = world.house.published("assignment").await;
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].agent_id.as_str(), told[0].cycle), ("ann", 1));
    assert_eq!(told[0].accepter, "developer", "who called");
    let own = world.case("delivery").await;
    let mut ann = AssignmentServiceClient::new(world.house.channel_as("development", "ann", &[]));
    let accepted = ann.accept_case(accept(own, "ann")).await.unwrap().into_inner().assignment.unwrap();
    assert!(!accepted.explanation.contains("accepted by"), "{accepted:?}");
    let told: Vec<CaseAccepted> = world.house.published("assignment").await;
    assert_eq!((told.len(), told[1].accepter.as_str()), (2, "ann"));

    let altered = AcceptCaseRequest { agent_id: "bo".to_owned(), ..request.clone() };
    let refused = world.client.accept_case(altered).await.unwrap_err();
    assert_eq!(reason(&refused), "IDEMPOTENCY_KEY_REUSED");
    let stale = AcceptCaseRequest { request_id: request_id(), ..request };
    let refused = world.client.accept_case(stale).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Aborted, "VERSION_MISMATCH"));
    let refused = world.client.accept_case(accept(new_case(), "ann")).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "ASSIGNMENT_NOT_FOUND"));
    let refused = world.client.accept_case(AcceptCaseRequest::default()).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(violations(&refused), ["request_id", "case_id", "agent_id"]);
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_handed_to_another_agent_and_the_room_it_leaves_filled() {
    let mut world = World::with_delivery().await;
    world.agent("ann", "delivery", 1).await;
    world.department("finance", &["billing"]).await;
    world.agent("bo", "finance", 1).await;
    let (case, next) = (world.case("delivery").await, world.case("delivery").await);
    world.client.accept_case(accept(case, "ann")).await.unwrap();
    let request = TransferCaseRequest { agent_id: "bo".to_owned(), ..transfer(case) };
    let handed = world.client.transfer_case(request.clone()).await.unwrap().into_inner();
    let assignment = handed.assignment.clone().unwrap();
    assert_eq!((assignment.agent_id.as_str(), assignment.department_id.as_str()), ("bo", "finance"));
    assert_eq!((state(&assignment), assignment.transfers), (AssignmentState::Assigned, 1));
    assert_eq!(assignment.explanation, "handed on by developer: they know this customer");
    assert_eq!(world.client.transfer_case(request.clone()).await.unwrap().into_inner(), handed);
    assert_eq!((world.load("ann").await, world.load("bo").await), (1, 1));
    assert_eq!(world.handler(next).await, "ann");
    assert_eq!(world.told_assigned().await.len(), 3);

    let altered = TransferCaseRequest { reason: "another".to_owned(), ..request };
    let refused = world.client.transfer_case(altered).await.unwrap_err();
    assert_eq!(reason(&refused), "IDEMPOTENCY_KEY_REUSED");
    let full = TransferCaseRequest { agent_id: "bo".to_owned(), ..transfer(next) };
    let refused = world.client.transfer_case(full).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::ResourceExhausted, "NO_CAPACITY"));
    assert_eq!(world.load("ann").await, 1, "a refused transfer changes nothing");
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_handed_to_a_full_department_waits_there() {
    let mut world = World::with_delivery().await;
    world.agent("ann", "delivery", 1).await;
    world.department("finance", &["billing"]).await;
    let case = world.case("delivery").await;
    let request = TransferCaseRequest { department_id: "finance".to_owned(), ..transfer(case) };
    let handed = world.client.transfer_case(request).await.unwrap().into_inner().assignment.unwrap();
    assert_eq!((state(&handed), handed.department_id.as_str()), (AssignmentState::Waiting, "finance"));
    assert_eq!((handed.agent_id.as_str(), handed.transfers), ("", 1));
    let told = world.told_queued().await;
    assert_eq!((told.len(), told[0].department_id.as_str()), (1, "finance"));
    assert_eq!(world.load("ann").await, 0);
    // A change of categories does not undo what a person decided.
    world.update_department("delivery", &["delivery", "*"]).await;
    assert_eq!(world.queue("finance").await, [case.to_string()]);
    world.agent("bo", "finance", 1).await;
    let taken = world.assignment(case).await;
    assert_eq!((taken.agent_id.as_str(), taken.transfers), ("bo", 1));
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_is_refused_for_its_reasons() {
    let mut world = World::with_delivery().await;
    world.agent("ann", "delivery", 5).await;
    world.puller("bo", "delivery", 5).await;
    let case = world.case_like(CaseOpened { respondent_staff: "bo".to_owned(), ..opened("delivery") }).await;
    let to_agent = |id: &str| TransferCaseRequest { agent_id: id.to_owned(), ..transfer(case) };
    let to_department = |id: &str| TransferCaseRequest { department_id: id.to_owned(), ..transfer(case) };
    let stale = TransferCaseRequest { expected_version: Some(7), ..to_agent("bo") };
    let unknown = TransferCaseRequest { case_id: new_case().to_string(), ..to_agent("bo") };
    let both = TransferCaseRequest { agent_id: "bo".to_owned(), ..to_department("delivery") };
    let refusals = [
        (to_agent("bo"), Code::FailedPrecondition, "AGENT_RECUSED"),
        (to_agent("nobody"), Code::NotFound, "AGENT_NOT_FOUND"),
        (to_department("nowhere"), Code::NotFound, "DEPARTMENT_NOT_FOUND"),
        (to_agent("ann"), Code::InvalidArgument, "INVALID_TRANSFER"),
        (to_department("delivery"), Code::InvalidArgument, "INVALID_TRANSFER"),
        (both, Code::InvalidArgument, "INVALID_TRANSFER"),
        (stale, Code::Aborted, "VERSION_MISMATCH"),
        (unknown, Code::NotFound, "ASSIGNMENT_NOT_FOUND"),
    ];
    for (request, code, why) in refusals {
        let refused = world.client.transfer_case(request).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (code, why));
    }
    let refused = world.client.transfer_case(TransferCaseRequest::default()).await.unwrap_err();
    assert_eq!(violations(&refused), ["request_id", "case_id", "reason", "department_id"]);
    world.resolved(case, 1).await;
    let refused = world.client.transfer_case(to_agent("bo")).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::FailedPrecondition, "ASSIGNMENT_RELEASED")
    );
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_claims_the_next_case_and_a_lost_answer_takes_no_second() {
    let mut world = World::with_delivery().await;
    world.puller("ann", "delivery", 2).await;
    let nothing = claim("ann");
    let empty = world.client.claim_next(nothing.clone()).await.unwrap().into_inner();
    assert_eq!(empty.assignment, None);
    let about_ann = CaseOpened { respondent_staff: "ann".to_owned(), ..opened("delivery") };
    let not_hers = world.case_like(about_ann).await;
    let (first, second) = (world.case("delivery").await, world.case("delivery").await);
    let again = world.client.claim_next(nothing).await.unwrap().into_inner();
    assert_eq!(again, empty, "the same request has the same answer, even if now there is work");

    let request = claim("ann");
    let taken = world.client.claim_next(request.clone()).await.unwrap().into_inner();
    assert_eq!(taken.assignment.as_ref().unwrap().case_id, first.to_string());
    assert_eq!(world.client.claim_next(request.clone()).await.unwrap().into_inner(), taken);
    assert_eq!((world.load("ann").await, world.told_assigned().await.len()), (1, 1));
    let altered = ClaimNextRequest { agent_id: "bo".to_owned(), ..request };
    assert_eq!(reason(&world.client.claim_next(altered).await.unwrap_err()), "IDEMPOTENCY_KEY_REUSED");

    let taken = world.client.claim_next(claim("ann")).await.unwrap().into_inner();
    assert_eq!(taken.assignment.unwrap().case_id, second.to_string());
    let refused = world.client.claim_next(claim("ann")).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::ResourceExhausted, "NO_CAPACITY"));
    world.update_agent(agent("ann", "delivery", 9)).await;
    let empty = world.client.claim_next(claim("ann")).await.unwrap().into_inner();
    assert_eq!(empty.assignment, None);
    assert_eq!(world.queue("delivery").await, [not_hers.to_string()]);
    let refused = world.client.claim_next(claim("nobody")).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "AGENT_NOT_FOUND"));
    let refused = world.client.claim_next(ClaimNextRequest::default()).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(violations(&refused), ["request_id", "agent_id"]);
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_is_read_page_by_page_and_a_case_by_its_id() {
    let mut world = World::with_delivery().await;
    let mut cases = Vec::new();
    for _ in 0..5 {
        cases.push(world.case("delivery").await.to_string());
    }
    let mut page = ListQueueRequest {
        department_id: "delivery".to_owned(),
        page_size: 2,
        ..ListQueueRequest::default()
    };
    let mut read = Vec::new();
    loop {
        let answer = world.client.list_queue(page.clone()).await.unwrap().into_inner();
        read.extend(answer.assignments.into_iter().map(|assignment| assignment.case_id));
        if answer.next_page_token.is_empty() {
            break;
        }
        page.page_token = answer.next_page_token;
    }
    assert_eq!(read, cases);
    let elsewhere = ListQueueRequest { department_id: String::new(), ..page };
    let refused = world.client.list_queue(elsewhere).await.unwrap_err();
    assert_eq!(
        (refused.code(), violations(&refused)),
        (Code::InvalidArgument, vec!["page_token".to_owned()])
    );
    let bad = ListQueueRequest { department_id: "D".to_owned(), page_size: 501, ..Default::default() };
    let refused = world.client.list_queue(bad).await.unwrap_err();
    assert_eq!(reason(&refused), "INVALID_LIST");
    assert_eq!(violations(&refused), ["page_size", "department_id"]);

    let unknown = GetAssignmentRequest { case_id: new_case().to_string() };
    let refused = world.client.get_assignment(unknown).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "ASSIGNMENT_NOT_FOUND"));
    let bad = GetAssignmentRequest { case_id: "7".to_owned() };
    let refused = world.client.get_assignment(bad).await.unwrap_err();
    assert_eq!((refused.code(), violations(&refused)), (Code::InvalidArgument, vec!["case_id".to_owned()]));
    world.house.done().await;
}
