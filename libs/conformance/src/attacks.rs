//! The attacks, one for each rule: what is done to the worker, and what it must do then.

mod delivery;
mod stream;
mod transport;

use std::time::Duration;

use kernel::{Clock as _, Ids as _, RandomIds, SystemClock};
use proto::redress::resolution::v1::Task;

use crate::department::{Answer, Granted, Offer};
use crate::worker_call::{Report, WorkerCall};
use crate::{Rule, Runner};

/// How long a worker is listened to before it counts as silent.
const SETTLED: Duration = Duration::from_millis(1_500);

/// What was seen, where the rule is kept; what was wrong, where it is not.
type Seen = Result<String, String>;

/// Tries a rule.
pub(crate) async fn attack(rule: Rule, runner: &Runner) -> Seen {
    match rule {
        Rule::ValidPoll => transport::valid_poll(runner).await,
        Rule::LostPollAnswer => transport::lost_poll_answer(runner).await,
        Rule::LostReportAnswer => transport::lost_report_answer(runner).await,
        Rule::SlowReportAnswer => transport::slow_report_answer(runner).await,
        Rule::BrokenConnection => transport::broken_connection(runner).await,
        Rule::Overload => transport::overload(runner).await,
        Rule::FittingResult => delivery::fitting_result(runner).await,
        Rule::DuplicateDelivery => delivery::duplicate_delivery(runner).await,
        Rule::ConcurrentDelivery => delivery::concurrent_delivery(runner).await,
        Rule::LateToken => delivery::late_token(runner).await,
        Rule::Cancel => delivery::cancel(runner).await,
        Rule::CancelAfterDone => delivery::cancel_after_done(runner).await,
        Rule::HeldLease => delivery::held_lease(runner).await,
        Rule::ValidStream => stream::valid_stream(runner).await,
        Rule::CutStream => stream::cut_stream(runner).await,
        Rule::StreamCredits => stream::stream_credits(runner).await,
        Rule::StreamCancel => stream::stream_cancel(runner).await,
        Rule::EffectsOnce => Err("is judged by the worker's books, not by an attack".to_owned()),
    }
}

/// What attacks are made of.
impl Runner {
    /// A task nobody has seen.
    fn new_task(&self) -> Task {
        let now = SystemClock.now();
        let id = || RandomIds.id(now).to_string();
        Task {
            task_id: id(),
            plan_id: id(),
            case_id: id(),
            step_id: "conformance".to_owned(),
            max_attempts: 5,
            priority: 3,
            ..self.options.task.clone()
        }
    }

    /// Has a task handed to whoever asks next, with no malice about it.
    fn offer(&self, task: &Task) {
        self.department.offer(Offer { task: task.clone(), answer: Answer::Given });
    }

    /// Waits for something to have been heard.
    async fn until<T>(
        &self,
        what: &str,
        mut find: impl FnMut(&[WorkerCall]) -> Option<T>,
    ) -> Result<T, String> {
        let mut changes = self.department.changes();
        let deadline = tokio::time::Instant::now() + self.options.patience;
        loop {
            if let Some(found) = find(&self.department.heard()) {
                return Ok(found);
            }
            if tokio::time::timeout_at(deadline, changes.changed()).await.is_err() {
                return Err(format!("within {:?} it did not {what}", self.options.patience));
            }
        }
    }

    /// The reports of a task, the oldest first.
    fn reports(&self, task: &Task) -> Vec<Report> {
        let mut reports = self.department.reports();
        reports.retain(|report| report.task_id == task.task_id);
        reports
    }

    /// Waits for a task's report of this number, from 0.
    async fn report(&self, task: &Task, number: usize) -> Result<Report, String> {
        let what = if number == 0 { "report a task it was handed" } else { "report the task again" };
        self.until(what, |_| self.reports(task).into_iter().nth(number)).await
    }

    /// Waits for a task's hand-out of this number, from 0.
    async fn granted(&self, task: &Task, number: usize) -> Result<Granted, String> {
        self.until("ask for tasks", |_| self.department.granted(&task.task_id).into_iter().nth(number)).await
    }

    /// Has a new task done, and answers what was reported.
    async fn done(&self) -> Result<(Task, Report), String> {
        let task = self.new_task();
        self.offer(&task);
        let report = self.report(&task, 0).await?;
        report.result()?;
        Ok((task, report))
    }
}

/// Whether a report tells what one before told of the same task.
fn same_effect(first: &Report, again: &Report) -> Seen {
    let (was, is) = (first.result()?, again.result()?);
    if was.reference == is.reference && was.amount == is.amount {
        Ok(format!("reference {:?} both times", was.reference))
    } else {
        Err(format!(
            "one task has two effects: reference {:?} at first, {:?} when it came again",
            was.reference, is.reference
        ))
    }
}

/// Whether a report tells in the same words what one before told.
fn same_words(first: &Report, again: &Report) -> Result<(), String> {
    if first.request_id != again.request_id {
        Err(format!(
            "it reported again under another request_id: {:?} at first, then {:?}",
            first.request_id, again.request_id
        ))
    } else if first.words == again.words {
        Ok(())
    } else {
        Err(format!("it reported other things under request_id {:?}", first.request_id))
    }
}
