//! What the tests share: a house with resolution in it, people and workers.

use std::time::Duration;

use proto::google::r#type::Money;
use proto::redress::assignment::v1::DepartmentCreated;
use proto::redress::cases::v1::{CaseDecided, Outcome};
use proto::redress::resolution::v1::resolution_service_client::ResolutionServiceClient;
use proto::redress::resolution::v1::{
    ApprovePlanRequest, CancelPlanRequest, CompleteTaskRequest, CompleteTaskResponse, FailTaskRequest,
    GetPlanRequest, GetTaskRequest, Goods, Lease, Plan, PollTasksRequest, ProposePlanRequest, RemedyKind,
    SettleTaskRequest, Step, Task, TaskResult,
};
use testkit::{CallerChannel, House, MockClock, request_id};
use tonic::{Code, Status};
use uuid::Uuid;

/// Departments of a tenant.
pub(crate) async fn found_departments(house: &House, tenant: &str) {
    for department in ["finance", "warehouse", "service", "outlet", "audit", "other"] {
        let created = DepartmentCreated { department_id: department.to_owned() };
        house.tell_as(tenant, "assignment", Uuid::try_parse(&request_id()).unwrap(), &created).await;
    }
    house.settled().await;
}

/// A caller's stub.
pub(crate) type Client = ResolutionServiceClient<CallerChannel>;

/// Longest that a lease of [`World::poll`] holds.
pub(crate) const LEASE: Duration = Duration::from_mins(1);

/// Resolution, with time that stands still.
pub(crate) struct World {
    pub(crate) house: House,
}

impl World {
    pub(crate) async fn open() -> Self {
        let house = House::builder(&[resolution::SERVICE]).clock(MockClock::default()).open().await;
        Self::with_departments(house).await
    }

    /// As [`Self::open`]; who calls must prove it.
    pub(crate) async fn identified() -> Self {
        let house =
            House::builder(&[resolution::SERVICE]).clock(MockClock::default()).identified().open().await;
        Self::with_departments(house).await
    }

    async fn with_departments(house: House) -> Self {
        found_departments(&house, "development").await;
        Self { house }
    }

    /// A caller who may do everything here.
    pub(crate) fn client(&self, subject: &str) -> Client {
        self.client_as(subject, &["supervisor", "department-worker"])
    }

    /// A caller who may do what roles let them.
    pub(crate) fn client_as(&self, subject: &str, roles: &[&str]) -> Client {
        Client::new(self.house.channel_as("development", subject, roles))
    }

    /// Who proposes.
    pub(crate) fn handler(&self) -> Client {
        self.client("handler")
    }

    /// Who approves.
    pub(crate) fn approver(&self) -> Client {
        self.client("approver")
    }

    /// A case for which a remedy is due.
    pub(crate) async fn decided_case(&self) -> Uuid {
        self.case_decided(3, true).await
    }

    pub(crate) async fn case_decided(&self, priority: i32, remedy_due: bool) -> Uuid {
        let case = Uuid::try_parse(&request_id()).unwrap();
        self.house.tell("cases", case, &decided(case, 1, priority, remedy_due)).await;
        self.house.settled().await;
        case
    }

    pub(crate) async fn proposed(&self, case: Uuid, steps: Vec<Step>) -> Plan {
        let request = proposal(case, steps);
        self.handler().propose_plan(request).await.unwrap().into_inner().plan.unwrap()
    }

    /// A plan of a case of its own, whose first tasks wait.
    pub(crate) async fn approved(&self, steps: Vec<Step>) -> Plan {
        let case = self.decided_case().await;
        self.approved_for(case, steps).await
    }

    pub(crate) async fn approved_for(&self, case: Uuid, steps: Vec<Step>) -> Plan {
        let plan = self.proposed(case, steps).await;
        self.approve(&plan).await
    }

    pub(crate) async fn approve(&self, plan: &Plan) -> Plan {
        let plan_id = plan.plan_id.clone();
        let request = ApprovePlanRequest {
            request_id: request_id(),
            plan_id,
            expected_version: None,
            on_behalf_of: String::new(),
        };
        self.approver().approve_plan(request).await.unwrap().into_inner().plan.unwrap()
    }

    /// Up to ten of a department's tasks.
    pub(crate) async fn poll(&self, department: &str) -> Vec<Lease> {
        self.client("worker").poll_tasks(poll(department)).await.unwrap().into_inner().leases
    }

    /// The one task of a department.
    pub(crate) async fn take(&self, department: &str) -> Lease {
        let mut leases = self.poll(department).await;
        assert_eq!(leases.len(), 1, "one task waits for {department}");
        leases.remove(0)
    }

    pub(crate) async fn complete(&self, lease: &Lease) -> Result<CompleteTaskResponse, Status> {
        Ok(self.client("worker").complete_task(completion(lease)).await?.into_inner())
    }

    pub(crate) async fn cancel(&self, plan: &Plan) -> Plan {
        let request = cancellation(plan);
        self.approver().cancel_plan(request).await.unwrap().into_inner().plan.unwrap()
    }

    pub(crate) async fn plan(&self, plan: &Plan) -> Plan {
        let request = GetPlanRequest { plan_id: plan.plan_id.clone() };
        self.handler().get_plan(request).await.unwrap().into_inner().plan.unwrap()
    }

    pub(crate) async fn task(&self, task_id: &str) -> Task {
        let request = GetTaskRequest { task_id: task_id.to_owned() };
        self.handler().get_task(request).await.unwrap().into_inner().task.unwrap()
    }

    /// How many of its events of one type resolution has told.
    pub(crate) async fn published<M: prost::Message + prost::Name + Default>(&self) -> usize {
        self.house.published::<M>("resolution").await.len()
    }
}

pub(crate) fn decided(case: Uuid, cycle: i32, priority: i32, remedy_due: bool) -> CaseDecided {
    let outcome = Outcome::Upheld.into();
    CaseDecided {
        case_id: case.to_string(),
        cycle,
        outcome,
        priority,
        remedy_due,
        amount_sought: None,
        due_time: None,
        category: "delivery/damaged".to_owned(),
        recused_subjects: vec!["mallory".to_owned(), "m.jones".to_owned()],
        ..CaseDecided::default()
    }
}

/// A step of a kind with what it needs, for its department: money for `finance`,
/// goods for `warehouse`, the rest for `service`.
pub(crate) fn step(id: &str, kind: RemedyKind, depends_on: &[&str]) -> Step {
    let (mut amount, mut goods, mut department_id) = (None, None, "service");
    match kind {
        RemedyKind::Refund | RemedyKind::Compensation | RemedyKind::FeeWaiver => {
            amount = Some(yuan(100));
            department_id = "finance";
        }
        RemedyKind::Exchange | RemedyKind::Redelivery => {
            goods = Some(Goods { sku: "A-17".to_owned(), quantity: 1 });
            department_id = "warehouse";
        }
        _ => {}
    }
    Step {
        step_id: id.to_owned(),
        kind: kind.into(),
        department_id: department_id.to_owned(),
        amount,
        goods,
        depends_on: depends_on.iter().map(|&id| id.to_owned()).collect(),
        instructions: format!("do {id}"),
        ..Step::default()
    }
}

pub(crate) fn refund(id: &str) -> Step {
    step(id, RemedyKind::Refund, &[])
}

pub(crate) fn exchange(id: &str) -> Step {
    step(id, RemedyKind::Exchange, &[])
}

pub(crate) fn apology(id: &str) -> Step {
    step(id, RemedyKind::Apology, &[])
}

pub(crate) fn yuan(units: i64) -> Money {
    Money { currency_code: "CNY".to_owned(), units, nanos: 0 }
}

pub(crate) fn proposal(case: Uuid, steps: Vec<Step>) -> ProposePlanRequest {
    ProposePlanRequest { request_id: request_id(), case_id: case.to_string(), steps }
}

pub(crate) fn cancellation(plan: &Plan) -> CancelPlanRequest {
    CancelPlanRequest {
        request_id: request_id(),
        plan_id: plan.plan_id.clone(),
        expected_version: None,
        reason: "the customer keeps the goods".to_owned(),
    }
}

pub(crate) fn poll(department: &str) -> PollTasksRequest {
    PollTasksRequest {
        request_id: request_id(),
        department_id: department.to_owned(),
        worker: "worker-1".to_owned(),
        max_tasks: 10,
        wait_duration: None,
        lease_duration: Some(prost_types::Duration {
            seconds: LEASE.as_secs().try_into().unwrap(),
            nanos: 0,
        }),
    }
}

/// Done as approved.
pub(crate) fn completion(lease: &Lease) -> CompleteTaskRequest {
    let task = lease.task.as_ref().unwrap();
    let result = TaskResult {
        reference: format!("REF-{}", task.step_id),
        amount: task.amount.clone(),
        ..TaskResult::default()
    };
    CompleteTaskRequest {
        request_id: request_id(),
        task_id: task.task_id.clone(),
        lease_token: lease.lease_token.clone(),
        result: Some(result),
    }
}

pub(crate) fn failure(lease: &Lease, code: &str, retryable: bool) -> FailTaskRequest {
    FailTaskRequest {
        request_id: request_id(),
        task_id: task_id(lease).to_owned(),
        lease_token: lease.lease_token.clone(),
        code: code.to_owned(),
        message: "no answer from the bank".to_owned(),
        retryable,
        outcome_unknown: false,
    }
}

/// The worker cannot say whether it was done.
pub(crate) fn unknown_outcome(lease: &Lease) -> FailTaskRequest {
    FailTaskRequest { outcome_unknown: true, ..failure(lease, "ANSWER_LOST", false) }
}

/// What the department says of it: done as asked, or not.
pub(crate) fn settlement(task: &Task, done: bool) -> SettleTaskRequest {
    let result = TaskResult {
        reference: "REF-found".to_owned(),
        amount: task.amount.clone(),
        ..TaskResult::default()
    };
    SettleTaskRequest {
        request_id: request_id(),
        task_id: task.task_id.clone(),
        done,
        result: done.then_some(result),
        reason: "the bank's statement says so".to_owned(),
    }
}

pub(crate) fn task_id(lease: &Lease) -> &str {
    &lease.task.as_ref().unwrap().task_id
}

pub(crate) fn step_id(lease: &Lease) -> &str {
    &lease.task.as_ref().unwrap().step_id
}

/// That a call was refused, with this code and reason.
pub(crate) fn refused<T: std::fmt::Debug>(answer: Result<T, Status>, code: Code, reason: &str) {
    let status = answer.unwrap_err();
    assert_eq!((status.code(), testkit::reason(&status).as_str()), (code, reason), "{status:?}");
}

/// That a request was refused for these fields.
pub(crate) fn invalid<T: std::fmt::Debug>(answer: Result<T, Status>, reason: &str, fields: &[&str]) {
    let status = answer.unwrap_err();
    assert_eq!(testkit::violations(&status), fields);
    assert_eq!((status.code(), testkit::reason(&status).as_str()), (Code::InvalidArgument, reason));
}

/// That a repeated request gets the same answer, and one with another body none.
#[macro_export]
macro_rules! repeated {
    ($client:expr, $rpc:ident, $request:expr, $change:expr) => {{
        let request = $request;
        let first = $client.$rpc(request.clone()).await.unwrap().into_inner();
        let second = $client.$rpc(request.clone()).await.unwrap().into_inner();
        assert_eq!(first, second, "the same answer");
        let mut other = request;
        let change: fn(&mut _) = $change;
        change(&mut other);
        $crate::world::refused(
            $client.$rpc(other).await,
            tonic::Code::AlreadyExists,
            "IDEMPOTENCY_KEY_REUSED",
        );
        first
    }};
}
