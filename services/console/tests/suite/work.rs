//! What there is to work on: people, complaints, plans that are carried out.

use proto::redress::assignment::v1::assignment_service_client::AssignmentServiceClient;
use proto::redress::assignment::v1::{
    AcceptCaseRequest, Agent, CreateAgentRequest, CreateDepartmentRequest, Department,
};
use proto::redress::cases::v1::case_service_client::CaseServiceClient;
use proto::redress::cases::v1::{DecideCaseRequest, Outcome, RecordFindingsRequest};
use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use proto::redress::intake::v1::{Channel, Complainant, Complaint, SubmitComplaintRequest};
use proto::redress::resolution::v1::resolution_service_client::ResolutionServiceClient;
use proto::redress::resolution::v1::{ApprovePlanRequest, Plan, ProposePlanRequest, Step};
use testkit::request_id;

use crate::browser::Desk;

/// What a page must show as it is, and never act on.
pub(crate) const HOSTILE: &str =
    "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> =cmd|' /C calc'!A0 \u{202e}";

/// A department of everything, a finance department, and agents of the first.
pub(crate) async fn staff(desk: &Desk, agents: &[&str]) {
    let mut service = AssignmentServiceClient::new(desk.house.channel());
    for (id, categories) in [("care", vec!["*".to_owned()]), ("finance", Vec::new())] {
        let department = Department {
            department_id: id.into(),
            display_name: id.into(),
            categories,
            ..Department::default()
        };
        let request = CreateDepartmentRequest { request_id: request_id(), department: Some(department) };
        service.create_department(request).await.unwrap();
    }
    for id in agents {
        let agent = Agent {
            agent_id: (*id).into(),
            department_id: "care".into(),
            display_name: (*id).to_uppercase(),
            capacity: 20,
            available: true,
            ..Agent::default()
        };
        let request = CreateAgentRequest { request_id: request_id(), agent: Some(agent) };
        service.create_agent(request).await.unwrap();
    }
    desk.house.settled().await;
}

/// A complaint that somebody is to handle.
pub(crate) async fn complaint(desk: &Desk, subject: &str) -> String {
    let complaint = Complaint {
        channel: Channel::Web.into(),
        complainant: Some(Complainant { display_name: HOSTILE.into(), ..Complainant::default() }),
        subject: subject.into(),
        description: format!("One cup in pieces. {HOSTILE}"),
        language: "en".into(),
        ..Complaint::default()
    };
    let request = SubmitComplaintRequest { request_id: request_id(), complaint: Some(complaint) };
    let answer = IntakeServiceClient::new(desk.house.channel()).submit_complaint(request).await.unwrap();
    desk.house.settled().await;
    answer.into_inner().complaint_id
}

/// A case of ann's that is decided, a remedy being due.
pub(crate) async fn decided(desk: &Desk, subject: &str) -> String {
    let case_id = complaint(desk, subject).await;
    let mut assignment = AssignmentServiceClient::new(desk.house.channel());
    let request = AcceptCaseRequest {
        request_id: request_id(),
        case_id: case_id.clone(),
        expected_version: None,
        agent_id: "ann".into(),
    };
    assignment.accept_case(request).await.unwrap();
    desk.house.settled().await;
    let mut cases = CaseServiceClient::new(desk.house.channel());
    let request = RecordFindingsRequest {
        request_id: request_id(),
        case_id: case_id.clone(),
        findings: "Packed without padding.".into(),
        ..RecordFindingsRequest::default()
    };
    cases.record_findings(request).await.unwrap();
    let request = DecideCaseRequest {
        request_id: request_id(),
        case_id: case_id.clone(),
        outcome: Outcome::Upheld.into(),
        reasons: "We packed it badly.".into(),
        remedy_due: true,
        ..DecideCaseRequest::default()
    };
    cases.decide_case(request).await.unwrap();
    desk.house.settled().await;
    case_id
}

/// A plan that ann proposed and nobody approved.
pub(crate) async fn proposed(desk: &Desk, case_id: &str, steps: Vec<Step>) -> Plan {
    let channel = desk.house.channel_as("development", "ann", &["agent"]);
    let request = ProposePlanRequest { request_id: request_id(), case_id: case_id.into(), steps };
    let answer = ResolutionServiceClient::new(channel).propose_plan(request).await.unwrap();
    answer.into_inner().plan.unwrap()
}

/// A case whose plan is carried out; answers its id.
pub(crate) async fn planned(desk: &Desk, subject: &str, steps: Vec<Step>) -> String {
    let case_id = decided(desk, subject).await;
    let plan = proposed(desk, &case_id, steps).await;
    let channel = desk.house.channel_as("development", "gu", &["supervisor"]);
    let request = ApprovePlanRequest {
        request_id: request_id(),
        plan_id: plan.plan_id,
        expected_version: None,
        on_behalf_of: String::new(),
    };
    ResolutionServiceClient::new(channel).approve_plan(request).await.unwrap();
    desk.house.settled().await;
    case_id
}
