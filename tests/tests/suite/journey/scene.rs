//! What the stories share: a house of all five services, the people in it, and
//! what they look up.

use std::net::SocketAddr;

use proto::google::r#type::Money;
use proto::redress::assignment::v1::assignment_service_client::AssignmentServiceClient;
use proto::redress::assignment::v1::roster_service_client::RosterServiceClient;
use proto::redress::assignment::v1::routing_service_client::RoutingServiceClient;
use proto::redress::assignment::v1::{AcceptCaseRequest, Assignment, GetAssignmentRequest};
use proto::redress::cases::v1::case_service_client::CaseServiceClient;
use proto::redress::cases::v1::complainant_service_client::ComplainantServiceClient;
use proto::redress::cases::v1::group_service_client::GroupServiceClient;
use proto::redress::cases::v1::link_service_client::LinkServiceClient;
use proto::redress::cases::v1::{
    Case, CaseState, DecideCaseRequest, GetCaseRequest, GetTimelineRequest, Outcome, TimelineEntry,
    TimelineKind, TrackComplaintRequest, TrackComplaintResponse, WatchCaseRequest,
};
use proto::redress::feedback::v1::feedback_service_client::FeedbackServiceClient;
use proto::redress::feedback::v1::{ListNoticesRequest, Notice, NoticeKind, NoticeState};
use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use proto::redress::intake::v1::{
    Channel, Complainant, Complaint, RemedySought, SubmitComplaintRequest, SubmitComplaintResponse,
};
use proto::redress::resolution::v1::resolution_service_client::ResolutionServiceClient;
use proto::redress::resolution::v1::{
    ApprovePlanRequest, CompleteTaskRequest, CompleteTaskResponse, GetPlanRequest, Lease, ListTasksRequest,
    Plan, PollTasksRequest, ProposePlanRequest, Step, Task, TaskResult,
};
use tempfile::TempDir;
use testkit::{Builder, House, free_address, request_id};
use tests::life::{exchange, refund};
use tokio::task::JoinHandle;
use tonic::{Code, Status};

use super::tasks::FIRST_DUE_SECONDS;
use crate::twice::Twice;

/// Who approves plans.
pub(crate) const BOSS: &str = "boss";
pub(crate) const WORKER: &str = "worker";
/// Longest wait for a task that comes.
const WAIT_SECONDS: i64 = 10;

/// A house, and lines into it that double every mutation.
pub(crate) struct Scene {
    pub(crate) house: House,
    pub(crate) twice: Twice,
    /// Where mails are handed over.
    pub(crate) mails: SocketAddr,
    /// Where file drops lie.
    pub(crate) drops: TempDir,
}

impl Scene {
    pub(crate) async fn open(builder: Builder) -> Self {
        let mails = free_address();
        let drops = tempfile::tempdir().unwrap();
        let folder = drops.path().to_owned();
        let builder = builder.settings(|settings| {
            settings.mails.smtp_listen = Some(mails);
            settings.drops.folder = Some(folder);
        });
        let house = builder.open().await;
        let twice = Twice::new(house.channel());
        Self { house, twice, mails, drops }
    }

    pub(crate) fn line(&self, subject: &str) -> Twice {
        self.twice.over(self.house.channel_as("development", subject, &[]))
    }

    pub(crate) fn intake(&self) -> IntakeServiceClient<Twice> {
        IntakeServiceClient::new(self.line("clerk"))
    }

    pub(crate) fn cases(&self, subject: &str) -> CaseServiceClient<Twice> {
        CaseServiceClient::new(self.line(subject))
    }

    pub(crate) fn complainants(&self, subject: &str) -> ComplainantServiceClient<Twice> {
        ComplainantServiceClient::new(self.line(subject))
    }

    pub(crate) fn links(&self, subject: &str) -> LinkServiceClient<Twice> {
        LinkServiceClient::new(self.line(subject))
    }

    pub(crate) fn groups(&self, subject: &str) -> GroupServiceClient<Twice> {
        GroupServiceClient::new(self.line(subject))
    }

    pub(crate) fn assignment(&self, subject: &str) -> AssignmentServiceClient<Twice> {
        AssignmentServiceClient::new(self.line(subject))
    }

    pub(crate) fn roster(&self) -> RosterServiceClient<Twice> {
        RosterServiceClient::new(self.line("operator"))
    }

    pub(crate) fn routing(&self) -> RoutingServiceClient<Twice> {
        RoutingServiceClient::new(self.line("operator"))
    }

    pub(crate) fn resolution(&self, subject: &str) -> ResolutionServiceClient<Twice> {
        ResolutionServiceClient::new(self.line(subject))
    }

    pub(crate) fn feedback(&self) -> FeedbackServiceClient<Twice> {
        FeedbackServiceClient::new(self.line("complainant"))
    }

    /// Everything told so far has had its effects.
    pub(crate) async fn settled(&self) {
        self.house.settled().await;
    }

    /// Registers a complaint; its case is open, and assigned if anyone has room.
    pub(crate) async fn submit(&self, complaint: Complaint) -> SubmitComplaintResponse {
        let request = SubmitComplaintRequest { request_id: request_id(), complaint: Some(complaint) };
        let registered = self.intake().submit_complaint(request).await.unwrap().into_inner();
        self.settled().await;
        registered
    }

    pub(crate) async fn case(&self, case_id: &str) -> Case {
        let request = GetCaseRequest { case_id: case_id.to_owned() };
        self.cases("reader").get_case(request).await.unwrap().into_inner().case.unwrap()
    }

    pub(crate) async fn timeline(&self, case_id: &str) -> Vec<TimelineEntry> {
        let request =
            GetTimelineRequest { case_id: case_id.to_owned(), page_size: 500, page_token: String::new() };
        self.cases("reader").get_timeline(request).await.unwrap().into_inner().entries
    }

    /// What the timeline records, but for notices: those come when they come.
    pub(crate) async fn story(&self, case_id: &str) -> Vec<TimelineKind> {
        let entries = self.timeline(case_id).await;
        let ordinals: Vec<i32> = entries.iter().map(|entry| entry.ordinal).collect();
        assert_eq!(ordinals, (1..).take(entries.len()).collect::<Vec<_>>(), "without gaps");
        let kinds = entries.iter().map(TimelineEntry::kind);
        kinds.filter(|kind| *kind != TimelineKind::Notice).collect()
    }

    /// The notices of a case, oldest first: what for, in which cycle. No transport
    /// is configured, and each says so.
    pub(crate) async fn notices(&self, case_id: &str) -> Vec<(NoticeKind, i32)> {
        let request = ListNoticesRequest { case_id: case_id.to_owned(), ..ListNoticesRequest::default() };
        let mut notices = self.feedback().list_notices(request).await.unwrap().into_inner().notices;
        notices.reverse();
        let told = |notice: &Notice| {
            let state = (notice.state(), notice.failure_reason.as_str());
            assert_eq!(state, (NoticeState::Undelivered, "NO_TRANSPORT"));
            (notice.kind(), notice.cycle)
        };
        let told: Vec<_> = notices.iter().map(told).collect();
        let recorded = self.timeline(case_id).await;
        let recorded = recorded.iter().filter(|entry| entry.kind() == TimelineKind::Notice);
        assert_eq!(recorded.count(), told.len(), "each is on the record once");
        told
    }

    /// What the complainant sees, by the receipt code.
    pub(crate) async fn track(&self, receipt_code: &str) -> TrackComplaintResponse {
        let request = TrackComplaintRequest { receipt_code: receipt_code.to_owned(), ..Default::default() };
        self.cases("anyone").track_complaint(request).await.unwrap().into_inner()
    }

    /// Watches a case until the stream ends.
    pub(crate) async fn watch(&self, case_id: &str) -> JoinHandle<Result<Vec<Case>, Status>> {
        let request = WatchCaseRequest { case_id: case_id.to_owned() };
        let mut changes = self.cases("watcher").watch_case(request).await.unwrap().into_inner();
        tokio::spawn(async move {
            let mut seen = Vec::new();
            while let Some(change) = changes.message().await? {
                seen.extend(change.case);
            }
            Ok(seen)
        })
    }

    pub(crate) async fn assignment_of(&self, case_id: &str) -> Assignment {
        let request = GetAssignmentRequest { case_id: case_id.to_owned() };
        let answer = self.assignment("reader").get_assignment(request).await.unwrap();
        answer.into_inner().assignment.unwrap()
    }

    /// The agent a case is assigned to accepts it; answers who.
    pub(crate) async fn accept(&self, case_id: &str) -> String {
        let Assignment { agent_id, version, .. } = self.assignment_of(case_id).await;
        let request = AcceptCaseRequest {
            request_id: request_id(),
            case_id: case_id.to_owned(),
            expected_version: Some(version),
            agent_id: agent_id.clone(),
        };
        self.assignment(&agent_id).accept_case(request).await.unwrap();
        self.settled().await;
        agent_id
    }

    pub(crate) async fn decide(&self, agent: &str, case_id: &str, outcome: Outcome, remedy_due: bool) {
        let request = DecideCaseRequest {
            request_id: request_id(),
            case_id: case_id.to_owned(),
            expected_version: None,
            outcome: outcome.into(),
            reasons: "the carrier's record shows it".to_owned(),
            remedy_due,
            ground: String::new(),
        };
        let case = self.cases(agent).decide_case(request).await.unwrap().into_inner().case.unwrap();
        let expected = if remedy_due { CaseState::Decided } else { CaseState::Resolved };
        assert_eq!(case.state(), expected);
        self.settled().await;
    }

    pub(crate) async fn propose(&self, agent: &str, case_id: &str) -> Plan {
        let due = self.house.db("resolution").clock().now().as_second() + FIRST_DUE_SECONDS;
        let due_time = Some(prost_types::Timestamp { seconds: due, nanos: 0 });
        let exchange = Step { due_time, ..exchange("CUP-6", &["refund"]) };
        let steps: Vec<Step> = vec![refund(approved_sum()), exchange];
        let request = ProposePlanRequest { request_id: request_id(), case_id: case_id.to_owned(), steps };
        let answer = self.resolution(agent).propose_plan(request).await.unwrap();
        self.settled().await;
        answer.into_inner().plan.unwrap()
    }

    pub(crate) async fn approve(&self, subject: &str, plan: &Plan) -> Result<Plan, Status> {
        let request = ApprovePlanRequest {
            request_id: request_id(),
            plan_id: plan.plan_id.clone(),
            expected_version: Some(plan.version),
            on_behalf_of: String::new(),
        };
        let answer = self.resolution(subject).approve_plan(request).await?;
        self.settled().await;
        Ok(answer.into_inner().plan.unwrap())
    }

    pub(crate) async fn plan(&self, plan_id: &str) -> Plan {
        let request = GetPlanRequest { plan_id: plan_id.to_owned() };
        self.resolution("reader").get_plan(request).await.unwrap().into_inner().plan.unwrap()
    }

    /// The one task a department has to do, once there is one.
    pub(crate) async fn poll(&self, department: &str) -> Lease {
        let request = PollTasksRequest {
            request_id: request_id(),
            department_id: department.to_owned(),
            worker: WORKER.to_owned(),
            max_tasks: 10,
            wait_duration: Some(prost_types::Duration { seconds: WAIT_SECONDS, nanos: 0 }),
            lease_duration: None,
        };
        let mut leases = self.resolution(WORKER).poll_tasks(request).await.unwrap().into_inner().leases;
        assert_eq!(leases.len(), 1, "{department} has one task");
        leases.remove(0)
    }

    /// Reports a task done, with the sum moved.
    pub(crate) async fn complete(
        &self,
        lease: &Lease,
        amount: Option<Money>,
    ) -> Result<CompleteTaskResponse, Status> {
        let task = lease.task.as_ref().unwrap();
        let reference = format!("REF-{}", task.step_id);
        let request = CompleteTaskRequest {
            request_id: request_id(),
            task_id: task.task_id.clone(),
            lease_token: lease.lease_token.clone(),
            result: Some(TaskResult { reference, amount, ..TaskResult::default() }),
        };
        let answer = self.resolution(WORKER).complete_task(request).await?;
        self.settled().await;
        Ok(answer.into_inner())
    }

    /// A case's tasks, oldest first.
    pub(crate) async fn tasks(&self, case_id: &str) -> Vec<Task> {
        let request = ListTasksRequest { case_id: case_id.to_owned(), ..ListTasksRequest::default() };
        let answer = self.resolution("reader").list_tasks(request).await.unwrap();
        let mut tasks = answer.into_inner().tasks;
        tasks.reverse();
        tasks
    }
}

/// A complaint about a delivery, which `delivery` handles.
pub(crate) fn broken_cups() -> Complaint {
    Complaint {
        channel: Channel::Web.into(),
        external_ref: request_id(),
        complainant: Some(Complainant {
            customer_id: "customer-1".to_owned(),
            email: "wang@example.org".to_owned(),
            ..Complainant::default()
        }),
        subject: "Two of six cups are broken".to_owned(),
        description: "The parcel looked fine from outside.".to_owned(),
        remedy_sought: Some(RemedySought { text: "new cups".to_owned(), amount: Some(approved_sum()) }),
        language: "en".to_owned(),
        category_hint: "delivery/damaged".to_owned(),
        consent_given: true,
        ..Complaint::default()
    }
}

/// The sum of every refund proposed.
pub(crate) fn approved_sum() -> Money {
    tests::complaint::yuan(199, 90)
}

/// That a call was refused, with this code and reason.
pub(crate) fn refused<T: std::fmt::Debug>(answer: Result<T, Status>, code: Code, reason: &str) -> Status {
    let status = answer.unwrap_err();
    assert_eq!((status.code(), testkit::reason(&status).as_str()), (code, reason), "{status:?}");
    status
}
