//! What leases and crashes do: tasks come twice, tokens pass to somebody else, work is
//! not wanted any more.

use std::collections::BTreeSet;
use std::time::Duration;

use proto::google::r#type::Money;
use proto::redress::resolution::v1::Task;
use tokio::time::Instant;

use super::{SETTLED, Seen, same_effect};
use crate::Runner;
use crate::department::{Answer, Granted};
use crate::worker_call::{Outcome, Report, What};

/// Billionths of a currency's unit.
const NANOS: i128 = 1_000_000_000;

pub(super) async fn fitting_result(runner: &Runner) -> Seen {
    let (task, report) = runner.done().await?;
    let granted = runner.granted(&task, 0).await?;
    if report.token != granted.token() {
        return Err(format!("it reported under {:?}, which is not its lease's token", report.token));
    }
    if report.request_id.trim().is_empty() || report.request_id.chars().count() > 100 {
        return Err("the report's request_id is missing or above 100 characters".to_owned());
    }
    fits(&task, &report)?;
    Ok(report.in_words())
}

/// Whether what was reported is what the task allows.
fn fits(task: &Task, report: &Report) -> Result<(), String> {
    let result = report.result()?;
    let needs_reference = task.amount.is_some() || task.goods.is_some();
    if needs_reference && result.reference.trim().is_empty() {
        return Err("the result has no reference, which tasks with an amount or goods need".to_owned());
    }
    match (&task.amount, &result.amount) {
        (None, Some(_)) => Err("the result has an amount, and the task has none".to_owned()),
        (Some(_), None) => Err("the result has no amount, and the task has one".to_owned()),
        (Some(approved), Some(moved)) if approved.currency_code != moved.currency_code => Err(format!(
            "the result is in {:?}, the task in {:?}",
            moved.currency_code, approved.currency_code
        )),
        (Some(approved), Some(moved)) if nanos(moved) <= 0 || nanos(moved) > nanos(approved) => {
            Err("the result's amount is not above zero, or above that of the task".to_owned())
        }
        (None, None) | (Some(_), Some(_)) => Ok(()),
    }
}

fn nanos(money: &Money) -> i128 {
    i128::from(money.units) * NANOS + i128::from(money.nanos)
}

pub(super) async fn duplicate_delivery(runner: &Runner) -> Seen {
    let (task, first) = runner.done().await?;
    runner.offer(&task);
    let again = runner.report(&task, 1).await?;
    same_effect(&first, &again)
}

pub(super) async fn concurrent_delivery(runner: &Runner) -> Seen {
    let task = runner.new_task();
    runner.offer(&task);
    runner.offer(&task);
    let second = runner.granted(&task, 1).await?;
    runner
        .until("report under the second lease", |_| {
            runner.reports(&task).into_iter().find(|report| report.token == second.token())
        })
        .await?;
    tokio::time::sleep(SETTLED).await;
    let references: BTreeSet<String> = runner
        .reports(&task)
        .iter()
        .filter_map(|report| match &report.outcome {
            Outcome::Done(result) => Some(result.reference.clone()),
            Outcome::Failed { .. } | Outcome::Rejected(_) => None,
        })
        .collect();
    match references.len() {
        0 => Err("it was never reported done".to_owned()),
        1 => Ok(format!("one reference under both leases: {references:?}")),
        _ => Err(format!("one task has several effects: references {references:?}")),
    }
}

pub(super) async fn late_token(runner: &Runner) -> Seen {
    let task = runner.new_task();
    runner.department.answer_next_report(Answer::LeaseLost);
    runner.offer(&task);
    let first = runner.report(&task, 0).await?;
    tokio::time::sleep(SETTLED).await;
    let told = runner.reports(&task).len();
    if told > 1 {
        return Err(format!("it reported {told} times under a token that it was told is lost"));
    }
    runner.offer(&task);
    let next = runner.granted(&task, 1).await?;
    let again = runner.report(&task, 1).await?;
    if again.token != next.token() {
        return Err(if again.token == first.token {
            "it reported under the token it had lost".to_owned()
        } else {
            format!("it reported under {:?}, which is not its lease's token", again.token)
        });
    }
    same_effect(&first, &again)
}

pub(super) async fn cancel(runner: &Runner) -> Seen {
    let task = Task { cancel_requested: true, ..runner.new_task() };
    runner.offer(&task);
    let report = runner.report(&task, 0).await?;
    if report.is_cancelled() {
        Ok("failed with code \"CANCELLED\", for good".to_owned())
    } else {
        Err(format!("nobody wanted it any more, and the worker reports: {}", report.in_words()))
    }
}

pub(super) async fn cancel_after_done(runner: &Runner) -> Seen {
    let (task, first) = runner.done().await?;
    runner.offer(&Task { cancel_requested: true, ..task.clone() });
    let again = runner.report(&task, 1).await?;
    same_effect(&first, &again)
}

pub(super) async fn held_lease(runner: &Runner) -> Seen {
    let (task, report) = runner.done().await?;
    let granted = runner.granted(&task, 0).await?;
    held(runner, &granted, &report)
}

/// Whether a lease was held until its task was reported.
pub(super) fn held(runner: &Runner, granted: &Granted, report: &Report) -> Seen {
    let (mut until, mut beats, mut ended) = (granted.at + granted.lasts, 0, None);
    for heard in &runner.department.heard()[granted.heard..] {
        let extended = match &heard.what {
            What::Beat(beat) if beat.task_id == report.task_id => {
                beats += 1;
                let lasts = beat.lease_duration.and_then(|lasts| Duration::try_from(lasts).ok());
                heard.at + lasts.unwrap_or(Duration::from_mins(1))
            }
            What::Report(told) if told.task_id == report.task_id && ended.is_none() => {
                ended = Some(heard.at);
                until
            }
            _ => continue,
        };
        if heard.at > until {
            return Err(format!("its lease of {:?} ran out before a sign of life", granted.lasts));
        }
        until = extended;
    }
    let took = ended.unwrap_or_else(Instant::now).duration_since(granted.at);
    Ok(format!("reported after {took:.1?} and {beats} heartbeats, of a lease of {:?}", granted.lasts))
}
