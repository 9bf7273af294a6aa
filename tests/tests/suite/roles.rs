//! Who may do what: people with the roles they work under, over the real services,
//! each refused what is another's.

use std::fmt::Debug;

use kernel::Role;
use kernel::role::RoleSet;
use prost_reflect::{DescriptorPool, MethodDescriptor, Value};
use proto::redress::assignment::v1::assignment_service_client::AssignmentServiceClient;
use proto::redress::assignment::v1::{AcceptCaseRequest, Agent, CreateAgentRequest};
use proto::redress::cases::v1::case_service_client::CaseServiceClient;
use proto::redress::cases::v1::{
    AddNoteRequest, CaseState, DecideCaseRequest, GetCaseRequest, GetTimelineRequest, Outcome,
};
use proto::redress::feedback::v1::feedback_service_client::FeedbackServiceClient;
use proto::redress::feedback::v1::{RespondToOutcomeRequest, Response};
use proto::redress::intake::v1::SubmitComplaintRequest;
use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use proto::redress::resolution::v1::resolution_service_client::ResolutionServiceClient;
use proto::redress::resolution::v1::{
    ApprovePlanRequest, CompleteTaskRequest, GetTaskRequest, Lease, PollTasksRequest, ProposePlanRequest,
    Task, TaskResult, TaskState,
};
use testkit::{CallerChannel, House, request_id};
use tests::SERVICES;
use tests::complaint::{made_up, yuan};
use tests::life::{exchange, refund};
use tests::roster::departments;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::contracts::ask;
use crate::twice::{contracts, rpcs};

const TENANT: &str = "acme";

/// The people of a tenant, each with one role.
struct People(House);

impl People {
    fn line(&self, role: &str) -> CallerChannel {
        self.0.channel_as(TENANT, role, &[role])
    }

    fn intake(&self, role: &str) -> IntakeServiceClient<CallerChannel> {
        IntakeServiceClient::new(self.line(role))
    }

    fn cases(&self, role: &str) -> CaseServiceClient<CallerChannel> {
        CaseServiceClient::new(self.line(role))
    }

    fn assignment(&self, role: &str) -> AssignmentServiceClient<CallerChannel> {
        AssignmentServiceClient::new(self.line(role))
    }

    fn resolution(&self, role: &str) -> ResolutionServiceClient<CallerChannel> {
        ResolutionServiceClient::new(self.line(role))
    }

    fn feedback(&self, role: &str) -> FeedbackServiceClient<CallerChannel> {
        FeedbackServiceClient::new(self.line(role))
    }
}

/// That a call was refused for want of one of these roles.
fn wants<T: Debug>(answer: Result<T, Status>, roles: &str) {
    let status = answer.unwrap_err();
    let told = (status.code(), testkit::reason(&status));
    assert_eq!(told, (Code::PermissionDenied, "ROLE_REQUIRED".to_owned()), "{status:?}");
    let info = status.get_details_error_info().unwrap();
    assert_eq!((info.metadata["roles"].as_str(), status.message().contains(roles)), (roles, true));
}

/// The admin sets up the departments and their agent.
async fn set_up(people: &People) {
    for request in departments() {
        wants(people.assignment("supervisor").create_department(request.clone()).await, "admin");
        // Nothing was made before.
        people.assignment("admin").create_department(request).await.unwrap();
    }
    let agent = Agent {
        agent_id: "agent".to_owned(),
        department_id: "care".to_owned(),
        display_name: "Ann".to_owned(),
        capacity: 1,
        available: true,
        ..Agent::default()
    };
    let request = CreateAgentRequest { request_id: request_id(), agent: Some(agent) };
    people.assignment("admin").create_agent(request).await.unwrap();
}

/// A channel submits.
async fn submitted(people: &People) -> String {
    let request = SubmitComplaintRequest { request_id: request_id(), complaint: Some(made_up(1)) };
    wants(people.intake("reader").submit_complaint(request.clone()).await, "channel");
    let case_id = people.intake("channel").submit_complaint(request).await.unwrap().into_inner().complaint_id;
    people.0.settled().await;
    let get = || GetCaseRequest { case_id: case_id.clone() };
    wants(people.cases("channel").get_case(get()).await, "reader,agent,supervisor");
    wants(people.cases("admin").get_case(get()).await, "reader,agent,supervisor");
    people.cases("reader").get_case(get()).await.unwrap();
    case_id
}

/// An agent works it; a reader looks on and leaves no trace.
async fn decided(people: &People, case_id: &str) {
    let note = AddNoteRequest {
        request_id: request_id(),
        case_id: case_id.to_owned(),
        text: "I was here".to_owned(),
        ..AddNoteRequest::default()
    };
    let timeline = GetTimelineRequest { case_id: case_id.to_owned(), ..GetTimelineRequest::default() };
    let before = people.cases("reader").get_timeline(timeline.clone()).await.unwrap().into_inner();
    wants(people.cases("reader").add_note(note).await, "agent,supervisor");
    let after = people.cases("reader").get_timeline(timeline).await.unwrap().into_inner();
    assert_eq!(before, after);

    let accept = AcceptCaseRequest {
        request_id: request_id(),
        case_id: case_id.to_owned(),
        agent_id: "agent".to_owned(),
        ..AcceptCaseRequest::default()
    };
    people.assignment("agent").accept_case(accept).await.unwrap();
    people.0.settled().await;
    let decide = DecideCaseRequest {
        request_id: request_id(),
        case_id: case_id.to_owned(),
        outcome: Outcome::Upheld.into(),
        reasons: "we looked into it".to_owned(),
        remedy_due: true,
        ..DecideCaseRequest::default()
    };
    wants(people.cases("channel").decide_case(decide.clone()).await, "agent,supervisor");
    people.cases("agent").decide_case(decide).await.unwrap();
    people.0.settled().await;
}

/// The agent proposes, the supervisor approves: under the very `request_id` that an
/// agent was refused.
async fn approved(people: &People, case_id: &str) {
    let steps = vec![refund(yuan(10, 0)), exchange("cup", &[])];
    let propose = ProposePlanRequest { request_id: request_id(), case_id: case_id.to_owned(), steps };
    let plan = people.resolution("agent").propose_plan(propose).await.unwrap().into_inner().plan.unwrap();
    let approve = ApprovePlanRequest {
        request_id: request_id(),
        plan_id: plan.plan_id,
        expected_version: None,
        on_behalf_of: String::new(),
    };
    // Another agent than the proposer, so that it is for the role alone.
    let other = people.0.channel_as(TENANT, "another", &["agent"]);
    wants(ResolutionServiceClient::new(other).approve_plan(approve.clone()).await, "supervisor");
    // The refusal is not remembered.
    people.resolution("supervisor").approve_plan(approve).await.unwrap();
    people.0.settled().await;
}

async fn poll(people: &People, role: &str, department: &str) -> Result<Vec<Lease>, Status> {
    let request = PollTasksRequest {
        request_id: request_id(),
        department_id: department.to_owned(),
        worker: role.to_owned(),
        max_tasks: 10,
        ..PollTasksRequest::default()
    };
    Ok(people.resolution(role).poll_tasks(request).await?.into_inner().leases)
}

fn completion(lease: &Lease) -> CompleteTaskRequest {
    let task = lease.task.as_ref().unwrap();
    let result =
        TaskResult { reference: "done".to_owned(), amount: task.amount.clone(), ..TaskResult::default() };
    CompleteTaskRequest {
        request_id: request_id(),
        task_id: task.task_id.clone(),
        lease_token: lease.lease_token.clone(),
        result: Some(result),
    }
}

async fn task(people: &People, lease: &Lease) -> Task {
    let task_id = lease.task.as_ref().unwrap().task_id.clone();
    let answer = people.resolution("reader").get_task(GetTaskRequest { task_id }).await;
    answer.unwrap().into_inner().task.unwrap()
}

/// Finance and the warehouse do their parts, and neither the other's.
async fn remedied(people: &People) {
    let (finance, warehouse) = ("department-worker:finance", "department-worker:warehouse");
    let warehouses = "department-worker:warehouse,department-worker";
    wants(poll(people, "supervisor", "finance").await, "department-worker");
    wants(poll(people, finance, "warehouse").await, warehouses);
    let money = poll(people, finance, "finance").await.unwrap().remove(0);
    let goods = poll(people, warehouse, "warehouse").await.unwrap().remove(0);
    let complete = completion(&goods);
    wants(people.resolution(finance).complete_task(complete.clone()).await, warehouses);
    assert_eq!(task(people, &goods).await.state(), TaskState::Leased, "it stays the warehouse's");
    people.resolution(warehouse).complete_task(complete).await.unwrap();
    people.resolution(finance).complete_task(completion(&money)).await.unwrap();
    people.0.settled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everyone_does_their_part_and_nobody_anothers() {
    let people = People(House::builder(&SERVICES).identified().open().await);
    set_up(&people).await;
    let case_id = submitted(&people).await;
    decided(&people, &case_id).await;
    approved(&people, &case_id).await;
    remedied(&people).await;

    let respond = RespondToOutcomeRequest {
        request_id: request_id(),
        case_id: case_id.clone(),
        cycle: 1,
        response: Response::Accepted.into(),
        ..RespondToOutcomeRequest::default()
    };
    wants(people.feedback("agent").respond_to_outcome(respond.clone()).await, "channel");
    people.feedback("channel").respond_to_outcome(respond).await.unwrap();
    people.0.settled().await;
    let case = people.cases("supervisor").get_case(GetCaseRequest { case_id }).await.unwrap().into_inner();
    assert_eq!(case.case.unwrap().state(), CaseState::Closed);
    people.0.done().await;
}

/// Who may call, as the contract says it.
fn callers(pool: &DescriptorPool, method: &MethodDescriptor) -> RoleSet {
    let option = pool.get_extension_by_name("redress.access.v1.may_call").unwrap();
    let options = method.options();
    let named = options.get_extension(&option);
    let numbers = named.as_list().unwrap().iter().filter_map(Value::as_enum_number);
    let roles = numbers.map(|number| Role::of(number).unwrap());
    roles.fold(RoleSet::NONE, |callers, role| callers.and(role.or_more()))
}

/// Every rpc with every role: an empty request is refused for want of the role, or
/// comes as far as being read.
#[tokio::test(flavor = "multi_thread")]
async fn every_rpc_is_for_those_its_contract_names() {
    let house = House::builder(&SERVICES).identified().open().await;
    let pool = contracts();
    let mut wrong = Vec::new();
    for method in rpcs(&pool) {
        let callers = callers(&pool, &method);
        if callers == RoleSet::NONE {
            wrong.push(format!("{} names nobody: add `may_call`", method.full_name()));
        }
        for role in Role::ALL {
            // In another tenant the role means nothing.
            let tenant = if *role == Role::Platform { "platform" } else { TENANT };
            let line = house.channel_as(tenant, "anyone", &[role.name()]);
            let answer = ask(line, &method, "{}").await;
            let refused = answer.is_err_and(|status| status.code() == Code::PermissionDenied);
            if refused == callers.has(*role) {
                wrong.push(format!("{} by {role}: refused is {refused}", method.full_name()));
            }
        }
        let nobody = ask(house.channel_as(TENANT, "anyone", &["manager"]), &method, "{}").await;
        if testkit::reason(&nobody.unwrap_err()) != "ROLE_REQUIRED" {
            wrong.push(format!("{} by somebody without a role", method.full_name()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    house.done().await;
}
