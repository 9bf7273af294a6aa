//! The worker kit against a department that loses and refuses as told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use client::worker::{Failure, Work, Worker};
use proto::redress::resolution::v1::{
    CompleteTaskRequest, CompleteTaskResponse, FailTaskRequest, FailTaskResponse, HeartbeatRequest,
    HeartbeatResponse, Lease, PollTasksRequest, PollTasksResponse, RejectTaskRequest, RejectTaskResponse,
    RemedyKind, ReportShortageRequest, ReportShortageResponse, Task, TaskResult,
};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::fake::{Call, Fake, bytes};

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// What the department has, and what it saw.
#[derive(Default)]
struct FakeDepartment {
    /// What each poll to come is answered.
    polls: Mutex<VecDeque<Result<Vec<Lease>, Status>>>,
    /// What each report to come is answered, before they are taken.
    reports: Mutex<VecDeque<Status>>,
    cancel: bool,
    poll_ids: Mutex<Vec<String>>,
    /// Request ids and trace of reports.
    report_ids: Mutex<Vec<String>>,
    traces: Mutex<Vec<String>>,
    beats: Mutex<Vec<HeartbeatRequest>>,
    completed: Mutex<Vec<CompleteTaskRequest>>,
    failed: Mutex<Vec<FailTaskRequest>>,
    rejected: Mutex<Vec<RejectTaskRequest>>,
    short: Mutex<Vec<ReportShortageRequest>>,
}

impl FakeDepartment {
    fn with(task: &str) -> Self {
        Self::with_kind(task, RemedyKind::Apology)
    }

    fn with_kind(task: &str, kind: RemedyKind) -> Self {
        Self::with_value(task, kind, false)
    }

    fn with_value(task: &str, kind: RemedyKind, moves_value: bool) -> Self {
        let department = Self::default();
        let mut lease = lease(task);
        let held = lease.task.as_mut().expect("a task");
        (held.kind, held.moves_value) = (kind.into(), moves_value);
        department.polls.lock().expect("lock").push_back(Ok(vec![lease]));
        department
    }

    fn report(&self, call: &Call, id: String) -> Result<(), Status> {
        self.report_ids.lock().expect("lock").push(id);
        self.traces.lock().expect("lock").push(call.header("traceparent"));
        self.reports.lock().expect("lock").pop_front().map_or(Ok(()), Err)
    }

    async fn answer(&self, call: Call) -> Result<Vec<u8>, Status> {
        match call.rpc.as_str() {
            "PollTasks" => {
                self.poll_ids.lock().expect("lock").push(call.read::<PollTasksRequest>().request_id);
                let next = self.polls.lock().expect("lock").pop_front();
                if next.is_none() {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                Ok(bytes(&PollTasksResponse { leases: next.unwrap_or(Ok(Vec::new()))? }))
            }
            "Heartbeat" => {
                self.beats.lock().expect("lock").push(call.read());
                Ok(bytes(&HeartbeatResponse {
                    expire_time: None,
                    cancel_requested: self.cancel,
                    pause_requested: false,
                }))
            }
            "CompleteTask" => {
                let request: CompleteTaskRequest = call.read();
                self.report(&call, request.request_id.clone())?;
                self.completed.lock().expect("lock").push(request);
                Ok(bytes(&CompleteTaskResponse::default()))
            }
            "FailTask" => {
                let request: FailTaskRequest = call.read();
                self.report(&call, request.request_id.clone())?;
                self.failed.lock().expect("lock").push(request);
                Ok(bytes(&FailTaskResponse::default()))
            }
            "RejectTask" => {
                let request: RejectTaskRequest = call.read();
                self.report(&call, request.request_id.clone())?;
                self.rejected.lock().expect("lock").push(request);
                Ok(bytes(&RejectTaskResponse::default()))
            }
            "ReportShortage" => {
                let request: ReportShortageRequest = call.read();
                self.report(&call, request.request_id.clone())?;
                self.short.lock().expect("lock").push(request);
                Ok(bytes(&ReportShortageResponse::default()))
            }
            other => Err(Status::unimplemented(other)),
        }
    }

    fn reported(&self) -> usize {
        self.completed.lock().expect("lock").len()
            + self.failed.lock().expect("lock").len()
            + self.rejected.lock().expect("lock").len()
            + self.short.lock().expect("lock").len()
    }
}

fn lease(task: &str) -> Lease {
    Lease {
        task: Some(Task { task_id: task.into(), ..Task::default() }),
        lease_token: format!("token of {task}"),
        expire_time: None,
        traceparent: TRACEPARENT.into(),
    }
}

fn worker() -> Worker {
    Worker { lease: Duration::from_millis(300), ..Worker::new("finance", "test") }
}

/// Runs a worker until it has reported once, then stops it.
async fn work<H, F>(department: FakeDepartment, handler: H) -> Arc<FakeDepartment>
where
    H: Fn(Work) -> F + Send + Sync + 'static,
    F: Future<Output = Result<TaskResult, Failure>> + Send + 'static,
{
    let department = Arc::new(department);
    let served = department.clone();
    let client = Fake::new(move |call| {
        let department = served.clone();
        async move { department.answer(call).await }
    })
    .client()
    .await;
    let stop = CancellationToken::new();
    let until = async {
        while department.reported() == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        stop.cancel();
    };
    let (ran, ()) = tokio::time::timeout(Duration::from_secs(20), async {
        tokio::join!(worker().run(&client, handler, stop.clone()), until)
    })
    .await
    .expect("a report in time");
    ran.expect("a worker that is let work");
    department
}

fn done(reference: &str) -> TaskResult {
    TaskResult { reference: reference.into(), ..TaskResult::default() }
}

#[tokio::test]
async fn a_task_is_done_and_reported_in_its_trace() {
    let department =
        work(FakeDepartment::with("t1"), |work| async move { Ok(done(&work.task.task_id)) }).await;
    let completed = department.completed.lock().expect("lock");
    assert_eq!(completed.len(), 1);
    assert_eq!(completed[0].task_id, "t1");
    assert_eq!(completed[0].lease_token, "token of t1");
    assert_eq!(completed[0].result.as_ref().map(|result| result.reference.as_str()), Some("t1"));
    assert_eq!(*department.traces.lock().expect("lock"), [TRACEPARENT]);
}

#[tokio::test]
async fn a_lost_poll_is_repeated_word_for_word() {
    let department = FakeDepartment::with("t1");
    department.polls.lock().expect("lock").push_front(Err(Status::unavailable("lost")));
    department.polls.lock().expect("lock").push_front(Err(Status::internal("lost deeper")));
    let department = work(department, |_| async { Ok(done("x")) }).await;
    let ids = department.poll_ids.lock().expect("lock");
    assert_eq!(ids[0], ids[1]);
    assert_eq!(ids[1], ids[2]);
    assert_ne!(ids[2], ids[3], "a new poll is a new request");
}

#[tokio::test]
async fn a_lost_report_is_repeated_word_for_word() {
    let department = FakeDepartment::with("t1");
    let lost = [Status::unavailable("lost"), Status::internal("lost deeper")];
    department.reports.lock().expect("lock").extend(lost);
    let department = work(department, |_| async { Ok(done("x")) }).await;
    let ids = department.report_ids.lock().expect("lock");
    assert_eq!(ids.len(), 3);
    assert!(ids.iter().all(|id| *id == ids[0]));
    assert_eq!(department.completed.lock().expect("lock").len(), 1);
}

#[tokio::test]
async fn a_lease_is_kept_alive_with_the_last_note() {
    let department = work(FakeDepartment::with("t1"), |work| async move {
        work.checkpoint("half way");
        tokio::time::sleep(Duration::from_millis(400)).await;
        Ok(done("x"))
    })
    .await;
    let beats = department.beats.lock().expect("lock");
    assert!(beats.len() >= 3, "{}", beats.len());
    assert!(beats.iter().all(|beat| beat.checkpoint == b"half way" && beat.lease_token == "token of t1"));
}

#[tokio::test]
async fn a_cancelled_task_is_given_up_when_it_still_can_be() {
    let department = FakeDepartment { cancel: true, ..FakeDepartment::with("t1") };
    let department = work(department, |work| async move {
        work.cancelled.cancelled().await;
        Err(Failure::cancelled())
    })
    .await;
    let failed = department.failed.lock().expect("lock");
    assert_eq!((failed[0].code.as_str(), failed[0].retryable), ("CANCELLED", false));
}

#[tokio::test]
async fn each_failure_is_told_as_what_it_is() {
    let again = || Failure::Retryable { code: "BANK_CLOSED".into(), message: "until Monday".into() };
    let department = work(FakeDepartment::with("t1"), move |_| async move { Err(again()) }).await;
    let failed = department.failed.lock().expect("lock")[0].clone();
    assert_eq!(
        (failed.code.as_str(), failed.message.as_str(), failed.retryable),
        ("BANK_CLOSED", "until Monday", true)
    );

    let department =
        work(FakeDepartment::with("t1"), |_| async { Err(Failure::Rejected { reason: "not ours".into() }) })
            .await;
    assert_eq!(department.rejected.lock().expect("lock")[0].reason, "not ours");

    let lost = || Failure::Unknown { code: "ANSWER_LOST".into(), message: String::new() };
    let department = work(FakeDepartment::with("t1"), move |_| async move { Err(lost()) }).await;
    let failed = department.failed.lock().expect("lock")[0].clone();
    assert_eq!(
        (failed.code.as_str(), failed.retryable, failed.outcome_unknown),
        ("ANSWER_LOST", false, true)
    );
}

#[tokio::test]
async fn what_is_out_of_stock_is_told_with_its_date_until_it_is_heard() {
    let expected = prost_types::Timestamp { seconds: 1_800_000_000, nanos: 0 };
    let department = FakeDepartment::with_kind("t1", RemedyKind::Exchange);
    department.reports.lock().expect("lock").push_back(Status::unavailable("restarting"));
    let short = move |_| async move { Err(Failure::OutOfStock { sku: "A-17".into(), expected }) };
    let department = work(department, short).await;
    let told = department.short.lock().expect("lock")[0].clone();
    assert_eq!((told.sku.as_str(), told.expect_time), ("A-17", Some(expected)));
    assert_eq!((told.task_id.as_str(), told.lease_token.as_str()), ("t1", "token of t1"));
    let ids = department.report_ids.lock().expect("lock");
    assert_eq!((ids.len(), &ids[0]), (2, &ids[1]), "the same words until they are heard");
}

#[tokio::test]
async fn a_panic_over_money_or_goods_leaves_the_outcome_unknown_and_another_is_tried_again() {
    for (kind, unknown) in
        [(RemedyKind::Apology, false), (RemedyKind::Refund, true), (RemedyKind::Exchange, true)]
    {
        let department = work(FakeDepartment::with_kind("t1", kind), |_| async { panic!("oh") }).await;
        let failed = department.failed.lock().expect("lock")[0].clone();
        assert_eq!(failed.code, "WORKER_PANICKED");
        assert_eq!((failed.retryable, failed.outcome_unknown), (!unknown, unknown), "{kind:?}");
    }
}

#[tokio::test]
async fn a_panic_over_a_type_of_the_tenants_own_is_told_as_the_type_says() {
    for moves_value in [false, true] {
        let department = FakeDepartment::with_value("t1", RemedyKind::Custom, moves_value);
        let department = work(department, |_| async { panic!("oh") }).await;
        let failed = department.failed.lock().expect("lock")[0].clone();
        assert_eq!((failed.retryable, failed.outcome_unknown), (!moves_value, moves_value));
    }
}

#[tokio::test]
async fn a_result_that_is_refused_is_brought_before_people() {
    let department = FakeDepartment::with("t1");
    department.reports.lock().expect("lock").push_back(Status::invalid_argument("above what was approved"));
    let department = work(department, |_| async { Ok(done("x")) }).await;
    let failed = department.failed.lock().expect("lock")[0].clone();
    assert_eq!((failed.code.as_str(), failed.outcome_unknown), ("INVALID_RESULT", true), "it was done");
    assert_eq!(failed.message, "above what was approved");
}

#[tokio::test]
async fn a_stopped_worker_finishes_what_it_holds() {
    let department = Arc::new(FakeDepartment::with("t1"));
    let served = department.clone();
    let client = Fake::new(move |call| {
        let department = served.clone();
        async move { department.answer(call).await }
    })
    .client()
    .await;
    let stop = CancellationToken::new();
    let stopper = stop.clone();
    let handler = move |_| {
        stopper.cancel();
        async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            Ok(done("x"))
        }
    };
    worker().run(&client, handler, stop).await.expect("an orderly end");
    assert_eq!(department.completed.lock().expect("lock").len(), 1);
}

#[tokio::test]
async fn a_worker_waits_for_its_department_to_be_created() {
    let department = FakeDepartment::with("t1");
    department.polls.lock().expect("lock").push_front(Err(Status::not_found("there is no such department")));
    let department = work(department, |_| async { Ok(done("x")) }).await;
    assert_eq!(department.completed.lock().expect("lock").len(), 1);
    let asked = department.poll_ids.lock().expect("lock");
    assert_eq!(asked[0], asked[1], "the same words until they are answered");
}

#[tokio::test]
async fn a_worker_that_is_refused_says_so() {
    let client = Fake::new(|_| async { Err(Status::invalid_argument("no such department")) }).client().await;
    let refused = worker()
        .run(&client, |_| async { Ok(done("x")) }, CancellationToken::new())
        .await
        .expect_err("refused");
    assert_eq!(refused.message(), "no such department");
}
