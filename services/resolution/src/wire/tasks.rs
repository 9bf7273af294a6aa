//! Tasks: what workers and people ask about them, and how they are shown.

use std::time::Duration;

use fault::{Check, Fault};
use jiff::Timestamp;
use kernel::page::Page;
use kernel::{CaseId, TaskId};
use proto::redress::resolution::v1;
use proto::timestamp;
use uuid::Uuid;

use super::problem_hints::problem_id;
use super::{INVALID_REQUEST, MAX_JSON, MAX_NAME, MAX_REASON, MAX_TEXT, goods, money, note};
use crate::investigation::MAX_EVIDENCE;
use crate::remedy_type::RemedyTypes;
use crate::task::{Failure, HeartbeatStatus, RefusedReport, Settlement, Task, TaskResult, TaskState};

const MAX_POLL: i32 = 100;
const MAX_WAIT: Duration = Duration::from_mins(1);
const DEFAULT_LEASE: Duration = Duration::from_mins(1);
const MIN_LEASE: Duration = Duration::from_secs(1);
const MAX_LEASE: Duration = Duration::from_hours(1);
const MAX_CHECKPOINT: usize = 64 * 1024;
const MAX_CODE: usize = 60;
/// Longest reference to evidence.
const MAX_EVIDENCE_REF: usize = 500;

/// A worker asks for tasks.
#[derive(Clone)]
pub(crate) struct Poll {
    pub(crate) request_id: String,
    pub(crate) request_hash: [u8; 32],
    pub(crate) department_id: String,
    pub(crate) worker: String,
    pub(crate) max_tasks: i32,
    pub(crate) wait: Duration,
    pub(crate) lease: Duration,
    /// Whether it is handed again what it was handed before.
    pub(crate) replays: bool,
}

/// A worker lives, and says how far it is.
#[derive(Clone)]
pub(crate) struct Sign {
    pub(crate) holder: Holder,
    pub(crate) lease: Duration,
    pub(crate) checkpoint: Vec<u8>,
}

/// A task and the proof of holding it.
#[derive(Clone, Copy)]
pub(crate) struct Holder {
    pub(crate) task_id: TaskId,
    pub(crate) token: Uuid,
}

/// A task is handed out again.
#[derive(Clone)]
pub(crate) struct Requeue {
    pub(crate) task_id: TaskId,
    pub(crate) department_id: Option<String>,
    pub(crate) reason: String,
}

/// Which tasks are listed.
#[derive(Clone)]
pub(crate) enum Filter {
    Case(CaseId),
    Department(String, Option<TaskState>, Order),
}

/// Which of a department's tasks, in which order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Newest,
    Oldest,
    LeastSlack,
    /// Only those that go to and fro, newest first.
    Looping,
}

/// Tasks, page by page.
pub(crate) struct TaskListQuery {
    pub(crate) filter: Filter,
    pub(crate) page: Page,
    pub(crate) after: Option<After>,
}

/// The last task of the page before.
#[derive(Clone, Copy)]
pub(crate) struct After {
    /// By when it is due, where that orders the list.
    pub(crate) due_time: Option<Timestamp>,
    pub(crate) task_id: TaskId,
}

impl Filter {
    /// What a page token says of the last task of its page.
    pub(crate) fn key(&self, task: &Task) -> String {
        match (self, task.due_time) {
            (Self::Department(_, _, Order::LeastSlack), Some(due)) => {
                format!("{} {}", due.as_microsecond(), task.task_id)
            }
            _ => task.task_id.to_string(),
        }
    }
}

impl After {
    fn read(key: &str) -> Option<Self> {
        let (due_time, task_id) = match key.split_once(' ') {
            Some((due, id)) => (Some(Timestamp::from_microsecond(due.parse().ok()?).ok()?), id),
            None => (None, key),
        };
        Some(Self { due_time, task_id: TaskId(Uuid::try_parse(task_id).ok()?) })
    }
}

pub(crate) fn poll(request: v1::PollTasksRequest) -> Result<Poll, Fault> {
    let request_hash = pg::request_hash(&request);
    let v1::PollTasksRequest { request_id, department_id, worker, max_tasks, wait_duration, lease_duration } =
        request;
    let mut check = Check::new();
    let request_id = check.request_id(request_id);
    let department_id = check.slug("department_id", department_id);
    let worker = check.required("worker", worker, MAX_NAME);
    check.ensure((0..=MAX_POLL).contains(&max_tasks), "max_tasks", "must be 0 to 100");
    let wait = wait_duration.map_or(Some(Duration::ZERO), |wait| proto::duration(&wait));
    let wait = wait.filter(|wait| *wait <= MAX_WAIT);
    check.ensure(wait.is_some(), "wait_duration", "must be 0 to 60 s");
    let lease = lease(&mut check, lease_duration);
    check.done("INVALID_POLL")?;
    let wait = wait.unwrap_or_default();
    Ok(Poll {
        request_id,
        request_hash,
        department_id,
        worker,
        max_tasks: max_tasks.max(1),
        wait,
        lease,
        replays: true,
    })
}

/// A stream is a poll that goes on: for as many tasks as it has credits.
pub(crate) fn stream(request: v1::StreamTasksRequest) -> Result<Poll, Fault> {
    let request_hash = pg::request_hash(&request);
    let v1::StreamTasksRequest { request_id, department_id, worker, credits, lease_duration } = request;
    let mut check = Check::new();
    let request_id = check.request_id(request_id);
    let department_id = check.slug("department_id", department_id);
    let worker = check.required("worker", worker, MAX_NAME);
    check.ensure((1..=MAX_POLL).contains(&credits), "credits", "must be 1 to 100");
    let lease = lease(&mut check, lease_duration);
    check.done("INVALID_STREAM")?;
    let wait = Duration::ZERO;
    Ok(Poll {
        request_id,
        request_hash,
        department_id,
        worker,
        max_tasks: credits,
        wait,
        lease,
        replays: false,
    })
}

fn lease(check: &mut Check, lease: Option<prost_types::Duration>) -> Duration {
    let lease = lease.map_or(Some(DEFAULT_LEASE), |lease| proto::duration(&lease));
    let lease = lease.filter(|lease| (MIN_LEASE..=MAX_LEASE).contains(lease));
    check.ensure(lease.is_some(), "lease_duration", "must be 1 s to 1 h");
    lease.unwrap_or_default()
}

/// A token is opaque to its bearer: one we never gave out is no malformed
/// request but a lease that is not held. No task has the nil token.
pub(crate) fn holder(check: &mut Check, task_id: &str, token: &str) -> Holder {
    check.ensure(!token.is_empty(), "lease_token", "is required");
    Holder { task_id: check.id("task_id", task_id), token: Uuid::try_parse(token).unwrap_or_default() }
}

pub(crate) fn sign(request: v1::HeartbeatRequest) -> Result<Sign, Fault> {
    let v1::HeartbeatRequest { task_id, lease_token, lease_duration, checkpoint } = request;
    let mut check = Check::new();
    let holder = holder(&mut check, &task_id, &lease_token);
    let lease = lease(&mut check, lease_duration);
    check.ensure(checkpoint.len() <= MAX_CHECKPOINT, "checkpoint", "must have at most 64 KiB");
    check.done("INVALID_HEARTBEAT")?;
    Ok(Sign { holder, lease, checkpoint })
}

pub(crate) fn completion(request: v1::CompleteTaskRequest) -> Result<(Holder, TaskResult), Fault> {
    let v1::CompleteTaskRequest { request_id, task_id, lease_token, result } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let holder = holder(&mut check, &task_id, &lease_token);
    let result = read_result(&mut check, result.unwrap_or_default());
    check.done(INVALID_RESULT)?;
    Ok((holder, result))
}

pub(crate) fn read_result(check: &mut Check, result: v1::TaskResult) -> TaskResult {
    let v1::TaskResult { reference, amount, remark, evidence, output } = result;
    let evidence = check.list("result.evidence", evidence, MAX_EVIDENCE).into_iter().enumerate();
    TaskResult {
        reference: check.text("result.reference", reference, MAX_NAME),
        amount: check.money("result.amount", amount),
        remark: check.text("result.remark", remark, MAX_TEXT),
        evidence: evidence
            .map(|(index, one)| check.required(&format!("result.evidence[{index}]"), one, MAX_EVIDENCE_REF))
            .collect(),
        output: check.text("result.output", output, MAX_JSON),
    }
}

pub(crate) const INVALID_RESULT: &str = "INVALID_RESULT";

/// Refuses a result that does not fit its task, and the version of its type.
pub(crate) fn fitting(task: &Task, result: &TaskResult, types: &RemedyTypes) -> Result<(), Fault> {
    let mut check = Check::new();
    let is_heavy = types.is_heavy_for_output(&task.remedy, &result.output);
    note(&mut check, "result.", server::aside(is_heavy, || task.flaws(result, types)));
    check.done(INVALID_RESULT)
}

pub(crate) fn failure(request: v1::FailTaskRequest) -> Result<(Holder, Failure), Fault> {
    let v1::FailTaskRequest { request_id, task_id, lease_token, code, message, retryable, outcome_unknown } =
        request;
    let mut check = Check::new();
    check.request_id(request_id);
    let holder = holder(&mut check, &task_id, &lease_token);
    let snake = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    let fits = (1..=MAX_CODE).contains(&code.len()) && code.bytes().all(snake);
    check.ensure(fits, "code", "must have 1 to 60 upper-case letters, digits and underscores");
    let message = check.text("message", message, MAX_TEXT);
    let blind = retryable && outcome_unknown;
    check.ensure(!blind, "retryable", "must be false when the outcome is unknown");
    check.done("INVALID_FAILURE")?;
    Ok((holder, Failure { code, message, retryable, outcome_unknown }))
}

pub(crate) fn settlement(request: v1::SettleTaskRequest) -> Result<(TaskId, Settlement), Fault> {
    let v1::SettleTaskRequest { request_id, task_id, done, result, reason } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let task_id = check.id("task_id", &task_id);
    check.ensure(done || result.is_none(), "result", "is for what was done only");
    let given = result.or(done.then(v1::TaskResult::default));
    let result = given.map(|result| read_result(&mut check, result)).filter(|_| done);
    let reason = check.required("reason", reason, MAX_REASON);
    check.done(INVALID_RESULT)?;
    Ok((task_id, Settlement { result, reason }))
}

pub(crate) fn rejection(request: v1::RejectTaskRequest) -> Result<(Holder, String), Fault> {
    let v1::RejectTaskRequest { request_id, task_id, lease_token, reason } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let holder = holder(&mut check, &task_id, &lease_token);
    let reason = check.required("reason", reason, MAX_REASON);
    check.done("INVALID_REASON")?;
    Ok((holder, reason))
}

pub(crate) fn requeue(request: v1::RequeueTaskRequest) -> Result<Requeue, Fault> {
    let v1::RequeueTaskRequest { request_id, task_id, department_id, reason } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let task_id = check.id("task_id", &task_id);
    let department_id = check.optional_slug("department_id", department_id);
    let reason = check.required("reason", reason, MAX_REASON);
    check.done("INVALID_REASON")?;
    Ok(Requeue { task_id, department_id, reason })
}

pub(crate) fn reading(request: v1::GetTaskRequest) -> Result<TaskId, Fault> {
    let v1::GetTaskRequest { task_id } = request;
    let mut check = Check::new();
    let task_id = check.id("task_id", &task_id);
    check.done(INVALID_REQUEST)?;
    Ok(task_id)
}

pub(crate) fn listing(request: v1::ListTasksRequest) -> Result<TaskListQuery, Fault> {
    let v1::ListTasksRequest { page_size, page_token, case_id, department_id, state, order, looping } =
        request;
    let mut check = Check::new();
    let filters = format!("{case_id} {department_id} {state} {order} {looping}");
    let page = check.page(page_size, &page_token, &filters);
    let after = page.after.as_deref().and_then(After::read);
    check.ensure(after.is_some() == page.after.is_some(), "page_token", "is not a token of this list");
    let case = check.optional_id("case_id", &case_id).map(CaseId);
    let department = check.optional_slug("department_id", department_id);
    check.ensure(case.is_some() != department.is_some(), "case_id", "or department_id is required, not both");
    let wanted = i16::try_from(state).ok().and_then(TaskState::of);
    check.ensure(state == 0 || wanted.is_some(), "state", "is not known");
    check.ensure(state == 0 || case.is_none(), "state", "goes with department_id only");
    let order = listing_order(&mut check, order, looping, case.is_some(), wanted);
    check.done(INVALID_REQUEST)?;
    let filter = match case {
        Some(case) => Filter::Case(case),
        None => Filter::Department(department.unwrap_or_default(), wanted, order),
    };
    Ok(TaskListQuery { filter, page, after })
}

fn listing_order(
    check: &mut Check,
    order: i32,
    looping: bool,
    of_case: bool,
    state: Option<TaskState>,
) -> Order {
    let usual = order == 0;
    check.ensure(usual || !of_case, "order", "goes with department_id only");
    check.ensure(!looping || !of_case, "looping", "goes with department_id only");
    check.ensure(!looping || (usual && state.is_none()), "looping", "goes with the usual order and no state");
    match v1::TaskOrder::try_from(order) {
        Ok(v1::TaskOrder::Unspecified) if looping => Order::Looping,
        Ok(v1::TaskOrder::Unspecified) => Order::Newest,
        Ok(v1::TaskOrder::Oldest) => Order::Oldest,
        Ok(v1::TaskOrder::LeastSlack) => {
            check.ensure(state.is_none_or(TaskState::is_open), "state", "has no time left: it has ended");
            Order::LeastSlack
        }
        Err(_) => {
            check.fail("order", "is not known");
            Order::Newest
        }
    }
}

/// A task as it is shown.
pub(crate) fn task(task: &Task) -> v1::Task {
    let waits = matches!(task.state, TaskState::Ready | TaskState::Leased | TaskState::AwaitingStock);
    let custom = task.remedy.custom.as_ref();
    v1::Task {
        task_id: task.task_id.to_string(),
        version: task.version,
        plan_id: plan_id(task),
        step_id: task.step_id.clone(),
        case_id: task.case_id.to_string(),
        department_id: task.department_id.clone(),
        kind: i32::from(task.remedy.kind.number()),
        compensation: task.is_compensation(),
        compensates_task_id: task.compensates.map(|id| id.to_string()).unwrap_or_default(),
        amount: task.remedy.amount.as_ref().map(money),
        goods: task.remedy.goods.as_ref().map(goods),
        instructions: task.remedy.instructions.clone(),
        priority: i32::from(task.priority),
        due_time: task.due_time.map(timestamp),
        state: i32::from(task.state.number()),
        attempt: task.attempt,
        max_attempts: task.max_attempts,
        worker: task.worker.clone(),
        visible_time: waits.then(|| timestamp(task.visible_at)),
        cancel_requested: task.cancel_requested,
        checkpoint: task.checkpoint.clone(),
        last_error: task.last_error.clone(),
        settle_reason: task.settle_reason.clone(),
        result: task.result.as_ref().map(result),
        rejections: task.rejections,
        escalated: task.is_escalated(),
        attempt_end_time: task.attempt_until.map(timestamp),
        create_time: Some(timestamp(task.created_at)),
        first_lease_time: task.first_leased_at.map(timestamp),
        given_to_task_id: task.given_to.map(|id| id.to_string()).unwrap_or_default(),
        inquiry: task.inquiry.map_or(0, |inquiry| i32::from(inquiry.number())),
        requester: task.requester.clone(),
        recall_id: recall_id(task),
        problem_id: problem_id(task),
        hint: task.of_problem.map_or(0, |of| i32::from(of.hint.number())),
        remedy_type: custom.map(|custom| custom.type_id.clone()).unwrap_or_default(),
        remedy_type_version: custom.map_or(0, |custom| custom.version),
        input: custom.map(|custom| custom.input.clone()).unwrap_or_default(),
        moves_value: task.remedy.moves_value(),
    }
}

/// The plan a task belongs to, as it is told; empty where it belongs to none.
pub(crate) fn plan_id(task: &Task) -> String {
    task.plan_id.map(|id| id.to_string()).unwrap_or_default()
}

/// The recall a task belongs to, as it is told; empty where it belongs to none.
pub(crate) fn recall_id(task: &Task) -> String {
    task.recall_id.map(|id| id.to_string()).unwrap_or_default()
}

/// A report that was refused, as it is shown.
pub(crate) fn refused_report(report: &RefusedReport) -> v1::RefusedReport {
    v1::RefusedReport {
        department_id: report.department_id.clone(),
        reporter: report.reporter.clone(),
        result: Some(result(&report.result)),
        report_time: Some(timestamp(report.reported_at)),
    }
}

pub(crate) fn result(result: &TaskResult) -> v1::TaskResult {
    v1::TaskResult {
        reference: result.reference.clone(),
        amount: result.amount.as_ref().map(money),
        remark: result.remark.clone(),
        evidence: result.evidence.clone(),
        output: result.output.clone(),
    }
}

/// A task handed to a worker, with the token that proves it.
pub(crate) fn leased(held: &Task) -> v1::Lease {
    v1::Lease {
        task: Some(task(held)),
        lease_token: held.lease_token.map(|token| token.to_string()).unwrap_or_default(),
        expire_time: Some(timestamp(held.visible_at)),
        traceparent: held.traceparent.clone(),
    }
}

/// The answer to a sign of life.
pub(crate) fn heard(heard: &HeartbeatStatus) -> v1::HeartbeatResponse {
    v1::HeartbeatResponse {
        expire_time: Some(timestamp(heard.until)),
        cancel_requested: heard.cancel_requested,
        pause_requested: heard.pause_requested,
    }
}
