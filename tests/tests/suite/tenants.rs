//! Two tenants in one house, with the same departments, agents, keys and numbers:
//! neither sees, counts, hears or changes what is the other's.

use std::collections::BTreeSet;

use futures::{StreamExt as _, stream};
use kernel::Role;
use proto::redress::assignment::v1::assignment_service_client::AssignmentServiceClient;
use proto::redress::assignment::v1::{
    Agent, AssignCaseRequest, CreateAgentRequest, GetAssignmentRequest, ListAgentsRequest, ListQueueRequest,
};
use proto::redress::cases::v1::case_service_client::CaseServiceClient;
use proto::redress::cases::v1::{
    CaseState, CountCasesRequest, DecideCaseRequest, GetCaseRequest, GetTimelineRequest, ListCasesRequest,
    Outcome, TrackComplaintRequest, WatchCaseRequest, WithdrawCaseRequest,
};
use proto::redress::event::v1::event_feed_client::EventFeedClient;
use proto::redress::event::v1::event_inbox_client::EventInboxClient;
use proto::redress::event::v1::{
    Event, ListParkedEventsRequest, RedriveParkedEventsRequest, RedriveParkedEventsResponse, SubscribeRequest,
};
use proto::redress::feedback::v1::feedback_service_client::FeedbackServiceClient;
use proto::redress::feedback::v1::{GetFeedbackRequest, ListNoticesRequest};
use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use proto::redress::intake::v1::{
    GetComplaintRequest, ListComplaintsRequest, SubmitComplaintRequest, SubmitComplaintResponse,
};
use proto::redress::resolution::v1::resolution_service_client::ResolutionServiceClient;
use proto::redress::resolution::v1::{
    ApprovePlanRequest, CancelPlanRequest, CompleteTaskRequest, GetPlanRequest, GetTaskRequest, Lease,
    ListPlansRequest, ListTasksRequest, PollTasksRequest, ProposePlanRequest, Task,
};
use testkit::{CallerChannel, House, request_id};
use tests::SERVICES;
use tests::complaint::{made_up, yuan};
use tests::life::refund;
use tests::roster::departments;
use tonic::{Code, Status};

const DEPARTMENT: &str = "care";
const AGENT: &str = "ann";

/// One tenant's people, and what is theirs.
struct Tenant<'a> {
    house: &'a House,
    name: &'static str,
    /// A case with a plan, whose task waits.
    remedied: SubmitComplaintResponse,
    /// A case that waits in the queue.
    waiting: SubmitComplaintResponse,
    plan_id: String,
}

impl<'a> Tenant<'a> {
    /// Both tenants do the same under the same keys, and get ids of their own.
    async fn settle_in(house: &'a House, name: &'static str) -> Self {
        let nothing = SubmitComplaintResponse::default;
        let mut tenant =
            Self { house, name, remedied: nothing(), waiting: nothing(), plan_id: String::new() };
        tenant.hire().await;
        tenant.remedied = tenant.submit(1).await;
        tenant.waiting = tenant.submit(2).await;
        tenant.plan_id = tenant.plan().await;
        tenant
    }

    /// Everybody of a tenant may do everything but what is the platform's.
    fn line(&self, subject: &str) -> CallerChannel {
        let roles = ["channel", "supervisor", "department-worker", "admin"];
        self.house.channel_as(self.name, subject, &roles)
    }

    fn intake(&self) -> IntakeServiceClient<CallerChannel> {
        IntakeServiceClient::new(self.line("clerk"))
    }

    fn cases(&self) -> CaseServiceClient<CallerChannel> {
        CaseServiceClient::new(self.line(AGENT))
    }

    fn assignment(&self) -> AssignmentServiceClient<CallerChannel> {
        AssignmentServiceClient::new(self.line(AGENT))
    }

    fn resolution(&self, subject: &str) -> ResolutionServiceClient<CallerChannel> {
        ResolutionServiceClient::new(self.line(subject))
    }

    fn feedback(&self) -> FeedbackServiceClient<CallerChannel> {
        FeedbackServiceClient::new(self.line("complainant"))
    }

    /// One agent, with room for one case.
    async fn hire(&self) {
        for request in departments() {
            self.assignment().create_department(request).await.unwrap();
        }
        let agent = Agent {
            agent_id: AGENT.to_owned(),
            department_id: DEPARTMENT.to_owned(),
            display_name: "Ann".to_owned(),
            capacity: 1,
            available: true,
            ..Agent::default()
        };
        let request = CreateAgentRequest { request_id: "ann".into(), agent: Some(agent) };
        self.assignment().create_agent(request).await.unwrap();
    }

    async fn submit(&self, number: usize) -> SubmitComplaintResponse {
        let request = SubmitComplaintRequest {
            request_id: format!("complaint-{number}"),
            complaint: Some(made_up(number)),
        };
        let registered = self.intake().submit_complaint(request).await.unwrap().into_inner();
        assert!(!registered.already_registered, "numbers and keys are each tenant's own");
        self.house.settled().await;
        registered
    }

    /// Decides the first case, and has a refund approved.
    async fn plan(&self) -> String {
        let case_id = self.remedied.complaint_id.clone();
        let decide = DecideCaseRequest {
            request_id: "decide".into(),
            case_id: case_id.clone(),
            outcome: Outcome::Upheld.into(),
            reasons: "we looked into it".into(),
            remedy_due: true,
            ..DecideCaseRequest::default()
        };
        self.cases().decide_case(decide).await.unwrap();
        self.house.settled().await;
        let propose =
            ProposePlanRequest { request_id: "propose".into(), case_id, steps: vec![refund(yuan(10, 0))] };
        let proposed = self.resolution(AGENT).propose_plan(propose).await.unwrap().into_inner();
        let plan_id = proposed.plan.unwrap().plan_id;
        let approve = ApprovePlanRequest {
            request_id: "approve".into(),
            plan_id: plan_id.clone(),
            expected_version: None,
            on_behalf_of: String::new(),
        };
        self.resolution("boss").approve_plan(approve).await.unwrap();
        self.house.settled().await;
        plan_id
    }

    /// Ids of this tenant's cases.
    fn mine(&self) -> BTreeSet<String> {
        [&self.remedied, &self.waiting].map(|registered| registered.complaint_id.clone()).into()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_tenant_sees_what_is_the_others() {
    let house = House::builder(&SERVICES).identified().open().await;
    let one = Tenant::settle_in(&house, "tenant-a").await;
    let two = Tenant::settle_in(&house, "tenant-b").await;
    assert!(one.mine().is_disjoint(&two.mine()));
    for (us, them) in [(&one, &two), (&two, &one)] {
        complaints_and_cases(us, them).await;
        queue(us, them).await;
        plans_and_tasks(us, them).await;
        feedback(us, them).await;
    }
    strangers(&house).await;
    house.done().await;
}

fn not_found<T: std::fmt::Debug>(answer: Result<T, Status>, reason: &str) {
    let status = answer.unwrap_err();
    assert_eq!((status.code(), testkit::reason(&status).as_str()), (Code::NotFound, reason), "{status:?}");
}

async fn complaints_and_cases(us: &Tenant<'_>, them: &Tenant<'_>) {
    let complaints =
        us.intake().list_complaints(ListComplaintsRequest::default()).await.unwrap().into_inner();
    let ids = complaints.complaints.into_iter().map(|complaint| complaint.complaint_id);
    assert_eq!(ids.collect::<BTreeSet<_>>(), us.mine());
    let cases = us.cases().list_cases(ListCasesRequest::default()).await.unwrap().into_inner().cases;
    assert_eq!(cases.into_iter().map(|case| case.case_id).collect::<BTreeSet<_>>(), us.mine());
    let counted = us.cases().count_cases(CountCasesRequest {}).await.unwrap().into_inner();
    assert_eq!(counted.total, 2);

    let theirs = &them.remedied;
    let case_id = theirs.complaint_id.clone();
    let request = GetComplaintRequest { complaint_id: case_id.clone() };
    not_found(us.intake().get_complaint(request).await, "COMPLAINT_NOT_FOUND");
    let request = GetCaseRequest { case_id: case_id.clone() };
    not_found(us.cases().get_case(request).await, "CASE_NOT_FOUND");
    let request = GetTimelineRequest { case_id: case_id.clone(), ..GetTimelineRequest::default() };
    not_found(us.cases().get_timeline(request).await, "CASE_NOT_FOUND");
    let request = WatchCaseRequest { case_id: case_id.clone() };
    not_found(us.cases().watch_case(request).await.map(|_| ()), "CASE_NOT_FOUND");
    let request = TrackComplaintRequest { receipt_code: theirs.receipt_code.clone(), ..Default::default() };
    not_found(us.cases().track_complaint(request).await, "RECEIPT_CODE_UNKNOWN");
    let request = WithdrawCaseRequest { request_id: request_id(), case_id, ..WithdrawCaseRequest::default() };
    not_found(us.cases().withdraw_case(request).await, "CASE_NOT_FOUND");
    let request =
        TrackComplaintRequest { receipt_code: us.remedied.receipt_code.clone(), ..Default::default() };
    let tracked = us.cases().track_complaint(request).await.unwrap().into_inner();
    assert_eq!(tracked.state(), CaseState::Remedying, "one's own code works");
}

async fn queue(us: &Tenant<'_>, them: &Tenant<'_>) {
    let request = ListQueueRequest { department_id: DEPARTMENT.into(), ..ListQueueRequest::default() };
    let queue = us.assignment().list_queue(request).await.unwrap().into_inner().assignments;
    let waiting: Vec<_> = queue.into_iter().map(|assignment| assignment.case_id).collect();
    assert_eq!(waiting, [us.waiting.complaint_id.as_str()]);
    let agents = us.assignment().list_agents(ListAgentsRequest::default()).await.unwrap().into_inner().agents;
    assert_eq!(agents.iter().map(|agent| agent.load).collect::<Vec<_>>(), [1], "their loads are their own");

    let case_id = them.waiting.complaint_id.clone();
    let request = GetAssignmentRequest { case_id: case_id.clone() };
    not_found(us.assignment().get_assignment(request).await, "ASSIGNMENT_NOT_FOUND");
    let request = AssignCaseRequest { request_id: request_id(), case_id, ..AssignCaseRequest::default() };
    not_found(us.assignment().assign_case(request).await, "ASSIGNMENT_NOT_FOUND");
}

async fn plans_and_tasks(us: &Tenant<'_>, them: &Tenant<'_>) {
    let request = GetPlanRequest { plan_id: them.plan_id.clone() };
    not_found(us.resolution(AGENT).get_plan(request).await, "PLAN_NOT_FOUND");
    let request =
        ListPlansRequest { case_id: them.remedied.complaint_id.clone(), ..ListPlansRequest::default() };
    let plans = us.resolution(AGENT).list_plans(request).await.unwrap().into_inner().plans;
    assert_eq!(plans, []);
    let request = CancelPlanRequest {
        request_id: request_id(),
        plan_id: them.plan_id.clone(),
        expected_version: None,
        reason: "not ours".to_owned(),
    };
    not_found(us.resolution(AGENT).cancel_plan(request).await, "PLAN_NOT_FOUND");

    let ours = ours_to_do(us).await;
    let cases: Vec<_> = ours.iter().map(|task| task.case_id.as_str()).collect();
    assert_eq!(cases, [us.remedied.complaint_id.as_str()], "of the same department id, ours only");
    let theirs = ours_to_do(them).await.remove(0);
    let request = GetTaskRequest { task_id: theirs.task_id.clone() };
    not_found(us.resolution(AGENT).get_task(request).await, "TASK_NOT_FOUND");

    let leases = poll(us).await;
    let held: Vec<_> = leases.iter().filter_map(|lease| lease.task.as_ref()).collect();
    assert!(held.iter().all(|task| task.task_id == ours[0].task_id), "handed out: {held:?}");
    assert_eq!(held.len(), 1);
    let request = CompleteTaskRequest {
        request_id: request_id(),
        task_id: ours[0].task_id.clone(),
        lease_token: leases[0].lease_token.clone(),
        result: None,
    };
    not_found(them.resolution("worker").complete_task(request).await, "TASK_NOT_FOUND");
}

async fn poll(us: &Tenant<'_>) -> Vec<Lease> {
    let request = PollTasksRequest {
        request_id: "poll".into(),
        department_id: "finance".into(),
        worker: "worker".into(),
        max_tasks: 10,
        ..PollTasksRequest::default()
    };
    us.resolution("worker").poll_tasks(request).await.unwrap().into_inner().leases
}

async fn ours_to_do(us: &Tenant<'_>) -> Vec<Task> {
    let request = ListTasksRequest { department_id: "finance".into(), ..ListTasksRequest::default() };
    us.resolution("worker").list_tasks(request).await.unwrap().into_inner().tasks
}

async fn feedback(us: &Tenant<'_>, them: &Tenant<'_>) {
    let notices =
        us.feedback().list_notices(ListNoticesRequest::default()).await.unwrap().into_inner().notices;
    assert_eq!(notices.into_iter().map(|notice| notice.case_id).collect::<BTreeSet<_>>(), us.mine());
    let case_id = them.remedied.complaint_id.clone();
    let request = ListNoticesRequest { case_id: case_id.clone(), ..ListNoticesRequest::default() };
    assert_eq!(us.feedback().list_notices(request).await.unwrap().into_inner().notices, []);
    not_found(us.feedback().get_feedback(GetFeedbackRequest { case_id }).await, "FEEDBACK_NOT_FOUND");
}

/// Who does not say who they are gets nothing at all.
async fn strangers(house: &House) {
    let mut cases = CaseServiceClient::new(house.channel_of_nobody());
    let status = cases.list_cases(ListCasesRequest::default()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    let mut feed = EventFeedClient::new(house.channel_of_nobody());
    let request = SubscribeRequest { source: "cases".into(), ..SubscribeRequest::default() };
    assert_eq!(feed.subscribe(request).await.unwrap_err().code(), Code::Unauthenticated);
}

/// Everything a caller hears of a source, up to its head.
async fn heard(line: CallerChannel, source: &str) -> Vec<Event> {
    let request = SubscribeRequest { source: source.to_owned(), ..SubscribeRequest::default() };
    let mut stream = EventFeedClient::new(line).subscribe(request).await.unwrap().into_inner();
    let mut heard = Vec::new();
    // The first message without events says that there are no more.
    while let Some(batch) = stream.message().await.unwrap() {
        if batch.events.is_empty() {
            break;
        }
        heard.extend(batch.events);
    }
    heard
}

#[tokio::test(flavor = "multi_thread")]
async fn each_tenant_hears_its_own_events_and_the_platform_all() {
    let house = House::builder(&SERVICES).identified().open().await;
    for name in ["tenant-a", "tenant-b"] {
        Tenant::settle_in(&house, name).await;
    }
    let told: Vec<(&str, usize)> = stream::iter(["intake", "cases", "assignment", "resolution", "feedback"])
        .then(async |source| (source, house.published_by(source).await.len()))
        .collect()
        .await;
    for (source, count) in told {
        let of = |tenant: &str, role: Role| house.channel_as(tenant, "listener", &[role.name()]);
        for tenant in ["tenant-a", "tenant-b"] {
            let ours = heard(of(tenant, Role::Reader), source).await;
            assert!(ours.iter().all(|event| event.tenant_id == tenant), "{source} tells {tenant} of others");
            assert_eq!(ours.len(), count / 2, "{source}: both did the same");
        }
        assert_eq!(heard(of("platform", Role::Platform), source).await.len(), count);
        assert_eq!(heard(of("tenant-c", Role::Reader), source).await.len(), 0);
    }
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parked_events_are_shown_to_and_driven_by_their_tenant_only() {
    let house = House::builder(&SERVICES).identified().open().await;
    let ours = Tenant::settle_in(&house, "tenant-a").await;
    let mut owner = house.owner().await;
    // Parked by hand: no event these services tell is one they cannot apply.
    sqlx::query(
        "INSERT INTO cases.parked_event
         SELECT tenant_id, 'assignment', position, event_id, subject, type, occurred_at, traceparent, payload,
                'parked by a test', 5, occurred_at
         FROM assignment.outbox WHERE type LIKE '%CaseQueued'",
    )
    .execute(&mut owner)
    .await
    .unwrap();
    let subject = ours.waiting.complaint_id.clone();
    for (tenant, count) in [("tenant-a", 1), ("tenant-b", 0)] {
        let mut inbox = EventInboxClient::new(house.channel_as(tenant, "operator", &["admin"]));
        let request = ListParkedEventsRequest { consumer: "cases".into(), ..Default::default() };
        let parked = inbox.list_parked_events(request).await.unwrap().into_inner().parked_events;
        assert_eq!(parked.len(), count, "{tenant}");
    }
    let mut stranger = EventInboxClient::new(house.channel_as("tenant-b", "operator", &["admin"]));
    let request = RedriveParkedEventsRequest { consumer: "cases".into(), subject };
    let driven = stranger.redrive_parked_events(request).await.unwrap().into_inner();
    assert_eq!(driven, RedriveParkedEventsResponse { applied: 0, remaining: 0 });
    let left = sqlx::query("DELETE FROM cases.parked_event").execute(&mut owner).await.unwrap();
    assert_eq!(left.rows_affected(), 1, "it stays until its tenant drives it");
    house.done().await;
}
