//! A message to a department: when it is tried, what an answer makes of it, and when it
//! is given up. Pure.
//!
//! A task is leased for its delivery, and stays so from try to try: the same lease is told
//! each time, under the same id. While nothing can have arrived the attempt has not begun;
//! from the first try that may have, it is limited as any attempt is.

#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::Timestamp;
use kernel::TaskId;
use kernel::time::later;
use uuid::Uuid;

use crate::endpoint::{Endpoint, EndpointState};
use crate::task::{Failure, Task, TaskResult, TaskState};

/// How long a delivery is tried.
pub const GIVE_UP_AFTER: Duration = Duration::from_hours(72);
/// Back-off after the first try; doubles with each further one.
pub const FIRST_BACK_OFF: Duration = Duration::from_secs(5);
/// Longest back-off, also where a department asks for more.
pub const MAX_BACK_OFF: Duration = Duration::from_hours(1);
/// How long a try holds its delivery: another process makes it again after that.
pub const TRY_HOLD: Duration = Duration::from_mins(1);
/// How much longer than its delivery a task is leased for it: it ends with the delivery,
/// also where nobody was there to end it for less than a day.
pub const LEASE_SLACK: Duration = Duration::from_hours(24);
/// How long deliveries are kept after their end.
pub const KEPT: Duration = Duration::from_hours(90 * 24);
/// Code of a task that was not brought to its department.
pub const UNDELIVERABLE_CODE: &str = "UNDELIVERABLE";

kernel::numbered! {
    /// What a delivery tells.
    DeliveryKind {
        /// Here is a task.
        Task = 1,
        /// A task that was taken is no longer wanted.
        Cancel = 2,
    }
}

kernel::numbered! {
    /// What became of a delivery.
    DeliveryState {
        /// It is tried until it is answered.
        Pending = 1,
        /// The department took it.
        Taken = 2,
        /// The department did it, or stopped.
        Done = 3,
        /// The department handed the task back.
        Rejected = 4,
        /// The department says that it failed.
        Failed = 5,
        /// Nobody answered in time.
        Undeliverable = 6,
        /// There is nothing to deliver any more.
        Superseded = 7,
    }
}

/// A message to a department.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Identity.
    pub delivery_id: Uuid,
    /// The task.
    pub task_id: TaskId,
    /// The department.
    pub department_id: String,
    /// What it tells.
    pub kind: DeliveryKind,
    /// What became of it.
    pub state: DeliveryState,
    /// The lease it tells of.
    pub token: Uuid,
    /// When it was first due.
    pub created_at: Timestamp,
    /// When it is tried next.
    pub due_at: Timestamp,
    /// When it is no longer tried.
    pub give_up_at: Timestamp,
    /// How often it was tried.
    pub tries: i32,
    /// Whether a try is under way.
    pub is_under_way: bool,
    /// Whether a try may have reached the department.
    pub may_have_arrived: bool,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Trace of the case.
    pub traceparent: String,
}

/// One try of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Try {
    /// Counts within the delivery.
    pub number: i32,
    /// When it began.
    pub at: Timestamp,
    /// How long it took; none where it was cut off.
    pub took: Option<Duration>,
    /// What was seen of the answer.
    pub seen: Seen,
}

/// What the log keeps of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Its status; empty where there was none.
    pub status: String,
    /// Why it did not count, or what was wrong with it.
    pub reason: String,
    /// Its beginning.
    pub excerpt: String,
}

/// What a department answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It took it, and reports later.
    Taken,
    /// The task is done.
    Done(TaskResult),
    /// It hands the task back.
    Rejected(String),
    /// The task failed.
    Failed(Failure),
    /// It has stopped what it was asked to stop: it was not done.
    Stopped,
    /// Nothing that counts.
    None(NoAnswer),
}

/// Why an answer does not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoAnswer {
    /// Whether the message may have reached the department.
    pub may_have_arrived: bool,
    /// Whether the endpoint says that it is gone for good.
    pub is_gone: bool,
    /// How long it asks to be left alone.
    pub retry_after: Option<Duration>,
}

/// How a task is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Until when, without a sign of life.
    pub until: Timestamp,
    /// Until when its attempt may go on.
    pub attempt_until: Timestamp,
}

/// What is done about a delivery that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is tried; a task is held so once it is taken.
    Try(Hold),
    /// Nothing reached the department: the task goes back into the queue.
    Release(&'static str),
    /// It is cancelled: nobody was ever told of it.
    Cancel,
    /// It has been tried for long enough.
    GiveUp,
    /// There is nothing to deliver any more.
    Supersede(&'static str),
    /// The task may be handed out to others: its endpoint is no more.
    Leave,
    /// Not now.
    Wait(Timestamp),
}

impl Delivery {
    /// A delivery of a task that is leased for it.
    pub fn of_task(delivery_id: Uuid, task: &Task, token: Uuid, now: Timestamp) -> Self {
        Self {
            delivery_id,
            task_id: task.task_id,
            department_id: task.department_id.clone(),
            kind: DeliveryKind::Task,
            state: DeliveryState::Pending,
            token,
            created_at: now,
            due_at: now,
            give_up_at: later(now, GIVE_UP_AFTER),
            tries: 0,
            is_under_way: false,
            may_have_arrived: false,
            ended_at: None,
            traceparent: task.traceparent.clone(),
        }
    }

    /// Word that a task which was taken is no longer wanted.
    pub fn of_cancel(delivery_id: Uuid, task: &Task, token: Uuid, now: Timestamp) -> Self {
        Self { kind: DeliveryKind::Cancel, ..Self::of_task(delivery_id, task, token, now) }
    }

    /// How its task is leased while it is tried: to the end of the delivery, and no further
    /// than an attempt that may have begun may go on.
    pub fn lease(&self, attempt_until: Option<Timestamp>) -> Hold {
        let end = later(self.give_up_at, LEASE_SLACK);
        let attempt_until = attempt_until.filter(|_| self.may_have_arrived).unwrap_or(end);
        Hold { until: end.min(attempt_until), attempt_until }
    }

    /// What is done about it now that it is due.
    pub fn next(
        &self,
        task: Option<&Task>,
        endpoint: Option<&Endpoint>,
        is_department_paused: bool,
        now: Timestamp,
    ) -> Next {
        let held = |task: &&Task| task.state == TaskState::Leased && task.lease_token == Some(self.token);
        let Some(task) = task.filter(held) else {
            return Next::Supersede("the task is no longer held for it");
        };
        let is_new = !self.may_have_arrived && self.kind == DeliveryKind::Task;
        let Some(endpoint) = endpoint else {
            return if is_new { Next::Release("the endpoint is no more") } else { Next::Leave };
        };
        if is_new && task.cancel_requested && task.attempt <= 1 {
            return Next::Cancel;
        }
        if is_new && endpoint.state() == EndpointState::Paused {
            return Next::Release("the endpoint is paused");
        }
        if is_new && is_department_paused {
            return Next::Release("the department is paused");
        }
        if self.give_up_at <= now {
            return Next::GiveUp;
        }
        if endpoint.state() == EndpointState::Paused {
            return Next::Wait(self.give_up_at);
        }
        let attempt_until = match task.attempt_until.filter(|_| self.may_have_arrived) {
            Some(until) => until,
            None => later(now, task.remedy.start_to_close()),
        };
        if attempt_until <= now {
            return Next::Supersede("the attempt took longer than it may");
        }
        Next::Try(Hold { until: later(now, endpoint.hold).min(attempt_until), attempt_until })
    }

    /// What an answer makes of it. `jitter` is drawn from `0.0..1.0`.
    pub fn answered(&mut self, answer: &Answer, now: Timestamp, jitter: f64) {
        match answer {
            Answer::Taken => self.end(DeliveryState::Taken, now),
            Answer::Done(_) | Answer::Stopped => self.end(DeliveryState::Done, now),
            Answer::Rejected(_) => self.end(DeliveryState::Rejected, now),
            Answer::Failed(_) => self.end(DeliveryState::Failed, now),
            Answer::None(none) => {
                self.is_under_way = false;
                self.may_have_arrived |= none.may_have_arrived;
                let asked = none.retry_after.unwrap_or_default().min(MAX_BACK_OFF);
                let pause = back_off(self.tries, jitter).max(asked);
                self.due_at = kernel::time::micros(later(now, pause).min(self.give_up_at));
            }
        }
    }

    /// It ends so.
    pub fn end(&mut self, state: DeliveryState, now: Timestamp) {
        self.is_under_way = false;
        self.state = state;
        self.ended_at = Some(now);
    }

    /// Whether it can be made again: it waits for its next try, or was taken.
    pub fn can_be_made_again(&self) -> bool {
        matches!(self.state, DeliveryState::Pending | DeliveryState::Taken)
    }

    /// It was no try after all: it waits.
    pub fn wait(&mut self, until: Timestamp) {
        self.is_under_way = false;
        self.due_at = until;
    }

    /// It is made again, at once; one that is being made just now is not made beside that.
    pub fn make_again(&mut self, now: Timestamp) {
        self.may_have_arrived |= self.state == DeliveryState::Taken;
        self.state = DeliveryState::Pending;
        self.ended_at = None;
        if !self.is_under_way {
            self.due_at = now;
        }
        self.give_up_at = later(now, GIVE_UP_AFTER);
    }

    /// The failure of a task whose delivery was given up.
    pub fn undeliverable(&self, task: &Task) -> Failure {
        Failure {
            code: UNDELIVERABLE_CODE.to_owned(),
            message: format!("its department did not answer within {} tries", self.tries),
            retryable: false,
            outcome_unknown: self.may_have_arrived && task.remedy.moves_value(),
        }
    }
}

/// How long to wait before the next try: doubling, capped, and half of it by chance.
pub fn back_off(tries: i32, jitter: f64) -> Duration {
    let full = kernel::time::doubled(FIRST_BACK_OFF, MAX_BACK_OFF, tries.saturating_sub(1));
    full.mul_f64(0.5 + 0.5 * jitter.clamp(0.0, 1.0))
}
