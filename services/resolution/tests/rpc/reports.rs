//! What workers report, and what people do about tasks that need attention.

use std::time::Duration;

use proto::redress::resolution::v1::{
    CompleteTaskRequest, FailTaskRequest, Lease, PlanCompleted, PlanState, RejectTaskRequest, RemedyKind,
    RequeueTaskRequest, TaskCompleted, TaskNeedsAttention, TaskResult, TaskState,
};
use testkit::request_id;
use tonic::{Code, Request};
use uuid::Uuid;

use crate::repeated;
use crate::world::{
    World, apology, completion, exchange, failure, invalid, refund, refused, step, task_id, yuan,
};

/// Where the tests' clock stands at first.
const NOW_SECONDS: i64 = 1_795_424_400;

fn rejection(lease: &Lease) -> RejectTaskRequest {
    RejectTaskRequest {
        request_id: request_id(),
        task_id: task_id(lease).to_owned(),
        lease_token: lease.lease_token.clone(),
        reason: "not our customer".to_owned(),
    }
}

fn requeue(task_id: &str, department_id: &str) -> RequeueTaskRequest {
    RequeueTaskRequest {
        request_id: request_id(),
        task_id: task_id.to_owned(),
        department_id: department_id.to_owned(),
        reason: "the account was corrected".to_owned(),
    }
}

#[tokio::test]
async fn a_task_is_completed_once_and_the_plan_with_its_last() {
    let world = World::open().await;
    let plan = world.approved(vec![refund("a"), step("b", RemedyKind::Exchange, &["a"])]).await;
    let lease = world.take("finance").await;
    let request = completion(&lease);
    let answer =
        repeated!(world.client("worker"), complete_task, request, |other: &mut CompleteTaskRequest| {
            other.result.as_mut().unwrap().remark.push('!');
        });
    let task = answer.task.unwrap();
    assert_eq!(task.state(), TaskState::Completed);
    assert_eq!(task.result.as_ref().unwrap().reference, "REF-a");
    assert_eq!(task.visible_time, None);
    assert_eq!(world.task(&task.task_id).await, task);
    let half = world.plan(&plan).await;
    assert_eq!(half.state(), PlanState::Executing);
    assert_eq!(half.steps.iter().map(|step| step.done).collect::<Vec<_>>(), [true, false]);
    assert_eq!(world.published::<PlanCompleted>().await, 0);

    let lease = world.take("warehouse").await;
    assert_eq!(half.steps[1].task_id, task_id(&lease));
    world.complete(&lease).await.unwrap();
    let whole = world.plan(&plan).await;
    assert_eq!(whole.state(), PlanState::Completed);
    assert!(whole.steps.iter().all(|step| step.done));
    assert!(whole.end_time.is_some());
    let told = world.house.published::<TaskCompleted>("resolution").await;
    assert_eq!(told.len(), 2);
    assert_eq!((told[0].reference.as_str(), told[0].amount.clone()), ("REF-a", Some(yuan(100))));
    assert_eq!((told[0].kind(), told[0].compensation), (RemedyKind::Refund, false));
    assert_eq!(world.published::<PlanCompleted>().await, 1);
    world.house.done().await;
}

#[tokio::test]
async fn a_result_must_fit_its_task() {
    let world = World::open().await;
    world.approved(vec![refund("a"), exchange("b"), apology("c")]).await;
    let mut worker = world.client("worker");
    let (refund, exchange) = (world.take("finance").await, world.take("warehouse").await);
    let with = |lease: &Lease, result| CompleteTaskRequest { result, ..completion(lease) };
    let result = |reference: &str, amount| {
        Some(TaskResult { reference: reference.to_owned(), amount, ..TaskResult::default() })
    };
    let bad: [(&Lease, _, &[&str]); 6] = [
        (&refund, None, &["result.reference", "result.amount"]),
        (&refund, result("P-1", Some(yuan(101))), &["result.amount"]),
        (&refund, result("P-1", Some(yuan(0))), &["result.amount"]),
        (
            &refund,
            result("P-1", Some(proto::google::r#type::Money { currency_code: "USD".to_owned(), ..yuan(1) })),
            &["result.amount"],
        ),
        (&exchange, result("", Some(yuan(1))), &["result.reference", "result.amount"]),
        (&exchange, result(&"x".repeat(201), None), &["result.reference"]),
    ];
    for (lease, result, fields) in bad {
        invalid(worker.complete_task(with(lease, result)).await, "INVALID_RESULT", fields);
    }
    let nothing = CompleteTaskRequest::default();
    let fields = ["request_id", "lease_token", "task_id"];
    invalid(worker.complete_task(nothing).await, "INVALID_RESULT", &fields);
    let partial = with(&refund, result("P-1", Some(yuan(40))));
    worker.complete_task(partial).await.expect("less than approved is fine");
    let apology = world.take("service").await;
    worker.complete_task(with(&apology, None)).await.expect("an apology needs no result");
    world.house.done().await;
}

#[tokio::test]
async fn reports_need_a_task_and_its_token() {
    let world = World::open().await;
    world.approved(vec![refund("a")]).await;
    let lease = world.take("finance").await;
    let mut worker = world.client("worker");
    let forged = Lease { lease_token: "let me in".to_owned(), ..lease.clone() };
    refused(worker.complete_task(completion(&forged)).await, Code::FailedPrecondition, "LEASE_LOST");
    refused(worker.fail_task(failure(&forged, "X", true)).await, Code::FailedPrecondition, "LEASE_LOST");
    refused(worker.reject_task(rejection(&forged)).await, Code::FailedPrecondition, "LEASE_LOST");
    let mut unknown = lease.clone();
    unknown.task.as_mut().unwrap().task_id = Uuid::from_u128(7).to_string();
    refused(worker.complete_task(completion(&unknown)).await, Code::NotFound, "TASK_NOT_FOUND");
    refused(worker.fail_task(failure(&unknown, "X", true)).await, Code::NotFound, "TASK_NOT_FOUND");
    refused(worker.reject_task(rejection(&unknown)).await, Code::NotFound, "TASK_NOT_FOUND");
    let nobody = requeue(task_id(&unknown), "");
    refused(worker.requeue_task(nobody).await, Code::NotFound, "TASK_NOT_FOUND");
    assert_eq!(world.task(task_id(&lease)).await, lease.task.unwrap(), "nothing has changed");
    world.house.done().await;
}

#[tokio::test]
async fn a_failure_is_tried_again_after_a_back_off() {
    let world = World::open().await;
    world.approved(vec![refund("a")]).await;
    let lease = world.take("finance").await;
    let request = failure(&lease, "BANK_DOWN", true);
    let answer = repeated!(world.client("worker"), fail_task, request, |other: &mut FailTaskRequest| {
        other.retryable = false;
    });
    let task = answer.task.unwrap();
    assert_eq!(task.state(), TaskState::Ready);
    assert_eq!(task.last_error, "BANK_DOWN: no answer from the bank");
    let visible = task.visible_time.unwrap();
    let back_off_ms = (visible.seconds - NOW_SECONDS) * 1_000 + i64::from(visible.nanos) / 1_000_000;
    assert!((500..=1_000).contains(&back_off_ms), "{back_off_ms} ms");
    assert!(world.poll("finance").await.is_empty(), "it backs off");
    refused(world.complete(&lease).await, Code::FailedPrecondition, "LEASE_LOST");
    world.house.advance(Duration::from_secs(1));
    assert_eq!(world.take("finance").await.task.unwrap().attempt, 2);
    world.house.done().await;
}

#[tokio::test]
async fn failures_beyond_the_last_attempt_need_attention() {
    let world = World::open().await;
    world.approved(vec![refund("a")]).await;
    for attempt in 1..=5 {
        let lease = world.take("finance").await;
        let request = failure(&lease, "BANK_DOWN", true);
        let task = world.client("worker").fail_task(request).await.unwrap().into_inner().task.unwrap();
        let expected = if attempt < 5 { TaskState::Ready } else { TaskState::NeedsAttention };
        assert_eq!(task.state(), expected, "after attempt {attempt}");
        world.house.advance(Duration::from_mins(5));
    }
    assert_eq!(world.published::<TaskNeedsAttention>().await, 1);
    world.house.done().await;
}

#[tokio::test]
async fn what_cannot_be_retried_or_is_refused_needs_attention_and_is_requeued() {
    let world = World::open().await;
    let plan = world.approved(vec![refund("a"), exchange("b")]).await;
    let mut worker = world.client("worker");
    let lease = world.take("finance").await;
    let request = failure(&lease, "ACCOUNT_CLOSED", false);
    let failed = worker.fail_task(request).await.unwrap().into_inner().task.unwrap();
    assert_eq!(failed.state(), TaskState::NeedsAttention);

    let lease = world.take("warehouse").await;
    let request = rejection(&lease);
    let answer =
        repeated!(worker, reject_task, request, |other: &mut RejectTaskRequest| other.reason.push('!'));
    let rejected = answer.task.unwrap();
    assert_eq!(
        (rejected.state(), rejected.last_error.as_str()),
        (TaskState::NeedsAttention, "not our customer")
    );
    let told = world.house.published::<TaskNeedsAttention>("resolution").await;
    let reasons: Vec<&str> = told.iter().map(|told| told.reason.as_str()).collect();
    assert_eq!(reasons, ["ACCOUNT_CLOSED: no answer from the bank", "not our customer"]);
    assert_eq!(world.plan(&plan).await.state(), PlanState::Executing);

    let mut people = world.client("supervisor");
    let request = requeue(&failed.task_id, "");
    let answer =
        repeated!(people, requeue_task, request, |other: &mut RequeueTaskRequest| other.reason.push('!'));
    let requeued = answer.task.unwrap();
    assert_eq!((requeued.state(), requeued.attempt), (TaskState::Ready, 0));
    assert_eq!(requeued.department_id, "finance");
    let given = people.requeue_task(requeue(&rejected.task_id, "outlet")).await.unwrap().into_inner();
    assert_ne!(given.task.unwrap().task_id, rejected.task_id, "a key of its own");
    assert!(world.poll("warehouse").await.is_empty());
    for department in ["finance", "outlet"] {
        let lease = world.take(department).await;
        assert_eq!(lease.task.as_ref().unwrap().attempt, 1);
        world.complete(&lease).await.unwrap();
    }
    assert_eq!(world.plan(&plan).await.state(), PlanState::Completed);
    let ended = people.requeue_task(requeue(&failed.task_id, "")).await;
    refused(ended, Code::FailedPrecondition, "INVALID_TASK_STATE");
    world.house.done().await;
}

#[tokio::test]
async fn reports_about_tasks_with_bad_arguments_are_refused() {
    let world = World::open().await;
    let mut worker = world.client("worker");
    let nothing = FailTaskRequest::default();
    let fields = ["request_id", "lease_token", "task_id", "code"];
    invalid(worker.fail_task(nothing).await, "INVALID_FAILURE", &fields);
    let bad = FailTaskRequest {
        request_id: request_id(),
        task_id: Uuid::from_u128(7).to_string(),
        lease_token: "x".to_owned(),
        code: "not snake".to_owned(),
        message: "x".repeat(4001),
        retryable: true,
        outcome_unknown: true,
    };
    invalid(worker.fail_task(bad).await, "INVALID_FAILURE", &["code", "message", "retryable"]);
    let nothing = RejectTaskRequest::default();
    let fields = ["request_id", "lease_token", "task_id", "reason"];
    invalid(worker.reject_task(nothing).await, "INVALID_REASON", &fields);
    let bad = RequeueTaskRequest { department_id: "Not A Slug".to_owned(), ..RequeueTaskRequest::default() };
    let fields = ["request_id", "task_id", "department_id", "reason"];
    invalid(worker.requeue_task(bad).await, "INVALID_REASON", &fields);
    world.house.done().await;
}

#[tokio::test]
async fn two_last_tasks_completed_at_once_complete_the_plan_once() {
    let world = World::open().await;
    let mut plans = Vec::new();
    for _ in 0..20 {
        let plan = world.approved(vec![refund("a"), exchange("b"), apology("c")]).await;
        let mut reports = Vec::new();
        for department in ["finance", "warehouse", "service"] {
            let request = completion(&world.take(department).await);
            let mut client = world.client("worker");
            reports.push(tokio::spawn(async move { client.complete_task(request).await }));
        }
        for report in reports {
            report.await.unwrap().unwrap();
        }
        plans.push(plan);
    }
    for plan in &plans {
        let plan = world.plan(plan).await;
        assert_eq!(plan.state(), PlanState::Completed);
        assert!(plan.steps.iter().all(|step| step.done));
    }
    assert_eq!(world.published::<PlanCompleted>().await, plans.len());
    assert_eq!(world.published::<TaskCompleted>().await, 3 * plans.len());
    world.house.done().await;
}

#[tokio::test]
async fn two_steps_done_at_once_hand_out_the_one_that_waits_for_both_once() {
    let world = World::open().await;
    for _ in 0..10 {
        let plan = world
            .approved(vec![refund("a"), exchange("b"), step("c", RemedyKind::Apology, &["a", "b"])])
            .await;
        let requests = [completion(&world.take("finance").await), completion(&world.take("warehouse").await)];
        let reports = requests.map(|request| {
            let mut client = world.client("worker");
            tokio::spawn(async move { client.complete_task(request).await })
        });
        for report in reports {
            report.await.unwrap().unwrap();
        }
        world.complete(&world.take("service").await).await.unwrap();
        assert_eq!(world.plan(&plan).await.state(), PlanState::Completed);
    }
    world.house.done().await;
}

#[tokio::test]
async fn a_report_cut_off_half_way_has_one_effect_when_it_is_repeated() {
    let world = World::open().await;
    let plan = world.approved(vec![refund("a"), step("b", RemedyKind::Exchange, &["a"])]).await;
    let lease = world.take("finance").await;
    let request = completion(&lease);

    // The last statement of the transaction waits for this lock; then its caller
    // is gone.
    let mut owner = world.house.owner().await;
    let lock = "BEGIN; LOCK TABLE resolution.idempotency IN ACCESS EXCLUSIVE MODE";
    sqlx::raw_sql(lock).execute(&mut owner).await.unwrap();
    let mut impatient = Request::new(request.clone());
    impatient.set_timeout(Duration::from_millis(300));
    let cut_off = world.client("worker").complete_task(impatient).await.unwrap_err();
    assert!(matches!(cut_off.code(), Code::DeadlineExceeded | Code::Cancelled), "{cut_off:?}");
    // The report goes on without its caller, who repeats it while it waits and after.
    let mut early = world.client("worker");
    let repeated = request.clone();
    let early = tokio::spawn(async move { early.complete_task(repeated).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    sqlx::raw_sql("ROLLBACK").execute(&mut owner).await.unwrap();

    let early = early.await.unwrap().unwrap().into_inner();
    let late = world.client("worker").complete_task(request).await.unwrap().into_inner();
    assert_eq!(early, late);
    assert_eq!(late.task.unwrap().state(), TaskState::Completed);
    assert_eq!(world.published::<TaskCompleted>().await, 1);
    assert_eq!(world.poll("warehouse").await.len(), 1);
    assert!(world.plan(&plan).await.steps[0].done);
    world.house.done().await;
}
