//! Deliveries: what departments are told, what their answers say, what is asked about
//! deliveries, and how they are shown.

use std::sync::LazyLock;
use std::time::Duration;

use fault::{Check, Fault};
use jiff::Timestamp;
use kernel::page::Page;
use kernel::{TaskId, TenantId};
use prost::{Message, Name};
use prost_reflect::{DescriptorPool, DeserializeOptions, DynamicMessage, MessageDescriptor};
use proto::redress::resolution::v1;
use proto::redress::resolution::v1::deliver_task_response::Outcome;
use proto::timestamp;
use serde_json::json;
use uuid::Uuid;

use super::{INVALID_REQUEST, MAX_REASON, MAX_TEXT, page_by_id};
use crate::delivery::{Answer, Delivery, DeliveryKind, Hold, Try};
use crate::task::{Failure, Task};

/// Longest beginning of an answer that is kept.
pub(crate) const MAX_EXCERPT: usize = 500;
/// Longest code of a failure.
const MAX_CODE: usize = 60;
/// What stands for a code that cannot be read.
const FAILED: &str = "FAILED";

static CONTRACTS: LazyLock<Option<DescriptorPool>> =
    LazyLock::new(|| DescriptorPool::decode(proto::BARE_DESCRIPTOR_SET).ok());

/// What a department is told.
pub(crate) enum Outgoing {
    Task(Box<v1::DeliverTaskRequest>),
    Cancel(v1::CancelTaskRequest),
}

/// An answer, and what was wrong with it, if anything.
pub(crate) type Read = (Answer, String);

impl Outgoing {
    /// What a delivery says of its task, which is held so once it is taken.
    pub(crate) fn of(delivery: &Delivery, tenant: &TenantId, task: &Task, hold: Hold) -> Self {
        let (delivery_id, tenant_id) = (delivery.delivery_id.to_string(), tenant.to_string());
        match delivery.kind {
            DeliveryKind::Task => {
                let told =
                    Task { visible_at: hold.until, attempt_until: Some(hold.attempt_until), ..task.clone() };
                let lease = Some(super::tasks::leased(&told));
                Self::Task(Box::new(v1::DeliverTaskRequest { delivery_id, tenant_id, lease }))
            }
            DeliveryKind::Cancel => Self::Cancel(v1::CancelTaskRequest {
                delivery_id,
                tenant_id,
                task_id: delivery.task_id.to_string(),
                lease_token: delivery.token.to_string(),
            }),
        }
    }

    /// It as the body of a webhook.
    pub(crate) fn body(&self, at: Timestamp) -> Result<Vec<u8>, Fault> {
        let (kind, data) = match self {
            Self::Task(request) => ("task.delivered", dynamic(request.as_ref())?),
            Self::Cancel(request) => ("task.cancelled", dynamic(request)?),
        };
        let body = json!({ "type": kind, "timestamp": at.to_string(), "data": data });
        serde_json::to_vec(&body).map_err(Fault::internal)
    }

    /// What the body of a webhook's answer says. One that is no JSON object says nothing;
    /// what it has beside the fields of the response is the department's.
    pub(crate) fn read(&self, body: &[u8]) -> Read {
        if body.trim_ascii_start().first() != Some(&b'{') {
            return (Answer::Taken, String::new());
        }
        let read = match self {
            Self::Task(_) => message::<v1::DeliverTaskResponse>(body).map(task_answer),
            Self::Cancel(_) => message::<v1::CancelTaskResponse>(body).map(cancel_answer),
        };
        read.unwrap_or_else(|error| {
            (Answer::Taken, cut(&format!("its body is no response: {error}"), MAX_REASON))
        })
    }
}

fn descriptor<M: Name>() -> Result<MessageDescriptor, Fault> {
    let known = CONTRACTS.as_ref().and_then(|pool| pool.get_message_by_name(&M::full_name()));
    known.ok_or_else(|| Fault::internal("the contracts cannot be read"))
}

fn dynamic<M: Message + Name>(message: &M) -> Result<DynamicMessage, Fault> {
    let mut dynamic = DynamicMessage::new(descriptor::<M>()?);
    dynamic.transcode_from(message).map_err(Fault::internal)?;
    Ok(dynamic)
}

fn message<M: Message + Name + Default>(body: &[u8]) -> Result<M, String> {
    let descriptor = descriptor::<M>().map_err(|fault| fault.to_string())?;
    let mut reader = serde_json::Deserializer::from_slice(body);
    let options = DeserializeOptions::new().deny_unknown_fields(false);
    let dynamic = DynamicMessage::deserialize_with_options(descriptor, &mut reader, &options);
    dynamic.map_err(|error| error.to_string())?.transcode_to().map_err(|error| error.to_string())
}

/// What a department answered to a task.
pub(crate) fn task_answer(response: v1::DeliverTaskResponse) -> Read {
    let v1::DeliverTaskResponse { outcome } = response;
    match outcome {
        None => (Answer::Taken, String::new()),
        Some(Outcome::Done(result)) => {
            let mut check = Check::new();
            let result = super::tasks::read_result(&mut check, result);
            match flaws(&check) {
                None => (Answer::Done(result), String::new()),
                Some(flaws) => (Answer::Taken, flaws),
            }
        }
        Some(Outcome::Rejected(reason)) => {
            let reason = if reason.trim().is_empty() { "no reason was given" } else { &reason };
            (Answer::Rejected(cut(reason, MAX_REASON)), String::new())
        }
        Some(Outcome::Failed(failed)) => (Answer::Failed(failure(failed)), String::new()),
    }
}

fn failure(failed: v1::DeliveryFailure) -> Failure {
    let v1::DeliveryFailure { code, message, retryable, outcome_unknown } = failed;
    let snake = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    let fits = (1..=MAX_CODE).contains(&code.len()) && code.bytes().all(snake);
    Failure {
        code: if fits { code } else { FAILED.to_owned() },
        message: cut(&message, MAX_TEXT),
        retryable: retryable && !outcome_unknown,
        outcome_unknown,
    }
}

/// What a department answered to a cancellation.
pub(crate) fn cancel_answer(response: v1::CancelTaskResponse) -> Read {
    let v1::CancelTaskResponse { stopped } = response;
    (if stopped { Answer::Stopped } else { Answer::Taken }, String::new())
}

/// What is wrong with a result, in one line.
fn flaws(check: &Check) -> Option<String> {
    let each: Vec<String> =
        check.violations().map(|one| format!("{} {}", one.field, one.description)).collect();
    (!each.is_empty()).then(|| cut(&each.join("; "), MAX_REASON))
}

/// The beginning of a text, without what Postgres cannot keep.
pub(crate) fn cut(text: &str, max: usize) -> String {
    text.chars().filter(|letter| *letter != '\0').take(max).collect()
}

/// Whose deliveries are listed.
#[derive(Clone)]
pub(crate) enum Whose {
    Department(String),
    Task(TaskId),
}

/// Deliveries, page by page.
pub(crate) struct DeliveryQuery {
    pub(crate) whose: Whose,
    pub(crate) page: Page,
    pub(crate) after: Option<Uuid>,
}

pub(crate) fn listing(request: v1::ListDeliveriesRequest) -> Result<DeliveryQuery, Fault> {
    let v1::ListDeliveriesRequest { page_size, page_token, department_id, task_id } = request;
    let mut check = Check::new();
    let filters = format!("{department_id} {task_id}");
    let (page, after) = page_by_id(&mut check, page_size, &page_token, &filters);
    let task = check.optional_id("task_id", &task_id).map(TaskId);
    let department = check.optional_slug("department_id", department_id);
    check.ensure(task.is_some() != department.is_some(), "department_id", "or task_id is required, not both");
    check.done(INVALID_REQUEST)?;
    let whose = match task {
        Some(task) => Whose::Task(task),
        None => Whose::Department(department.unwrap_or_default()),
    };
    Ok(DeliveryQuery { whose, page, after })
}

pub(crate) fn to_redeliver(request: v1::RedeliverTaskRequest) -> Result<TaskId, Fault> {
    let v1::RedeliverTaskRequest { request_id, task_id } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let task_id = check.id("task_id", &task_id);
    check.done(INVALID_REQUEST)?;
    Ok(task_id)
}

/// A delivery as it is shown.
pub(crate) fn delivery(delivery: &Delivery, tries: &[Try]) -> v1::Delivery {
    let waits = delivery.ended_at.is_none();
    v1::Delivery {
        delivery_id: delivery.delivery_id.to_string(),
        task_id: delivery.task_id.to_string(),
        department_id: delivery.department_id.clone(),
        kind: i32::from(delivery.kind.number()),
        state: i32::from(delivery.state.number()),
        create_time: Some(timestamp(delivery.created_at)),
        next_try_time: waits.then(|| timestamp(delivery.due_at)),
        end_time: delivery.ended_at.map(timestamp),
        try_count: delivery.tries,
        tries: tries.iter().map(one_try).collect(),
    }
}

fn one_try(one: &Try) -> v1::DeliveryTry {
    v1::DeliveryTry {
        number: one.number,
        try_time: Some(timestamp(one.at)),
        duration: one.took.map(duration),
        status: one.seen.status.clone(),
        reason: one.seen.reason.clone(),
        excerpt: one.seen.excerpt.clone(),
    }
}

pub(super) fn duration(duration: Duration) -> prost_types::Duration {
    let (seconds, nanos) = (duration.as_secs().cast_signed(), duration.subsec_nanos().cast_signed());
    prost_types::Duration { seconds, nanos }
}
