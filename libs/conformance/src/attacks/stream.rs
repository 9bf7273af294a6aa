//! What is done to a worker that has its tasks streamed.

use super::transport::asked_again;
use super::{Seen, same_effect};
use crate::Runner;
use crate::department::{Answer, Granted, Offer};
use crate::worker_call::{Ask, What};

/// Tasks that are offered beyond a stream's credits.
const BEYOND: usize = 3;

/// Waits for a stream to have been begun; answers its first words and its credits.
async fn begun(runner: &Runner) -> Result<(Ask, usize), String> {
    let stream = runner.until("begin a stream of tasks", |heard| {
        heard.iter().find_map(|heard| match &heard.what {
            What::Ask(Ask::Stream(stream)) => Some(stream.clone()),
            _ => None,
        })
    });
    let stream = stream.await?;
    let credits = usize::try_from(stream.credits).unwrap_or_default();
    Ok((Ask::Stream(stream), credits))
}

pub(super) async fn valid_stream(runner: &Runner) -> Seen {
    let (stream, credits) = begun(runner).await?;
    let flaws = stream.flaws(&runner.department.id);
    if flaws.is_empty() {
        Ok(format!("worker {:?} holds up to {credits} tasks", stream.worker()))
    } else {
        Err(flaws.join(", "))
    }
}

pub(super) async fn cut_stream(runner: &Runner) -> Seen {
    begun(runner).await?;
    runner.done().await?;
    // One is at hand when the stream is cut, the other never arrives.
    let (at_hand, lost) = (runner.new_task(), runner.new_task());
    runner.offer(&at_hand);
    runner.department.offer(Offer { task: lost.clone(), answer: Answer::Lost });
    let granted = runner.granted(&lost, 0).await?;
    is_streamed(&granted)?;
    let what = "begin the stream that was cut again: the task is stranded until its lease ends";
    asked_again(runner, &granted, what).await?;
    runner.report(&lost, 0).await?.result()?;
    let first = runner.report(&at_hand, 0).await?;
    first.result()?;
    tokio::time::sleep(super::SETTLED).await;
    for again in runner.reports(&at_hand).iter().skip(1) {
        same_effect(&first, again)?;
    }
    Ok("the same stream was begun again, and what it held was done once".to_owned())
}

pub(super) async fn stream_credits(runner: &Runner) -> Seen {
    let (_, credits) = begun(runner).await?;
    runner.done().await?;
    let tasks: Vec<_> = (0..credits + BEYOND).map(|_| runner.new_task()).collect();
    for task in &tasks {
        runner.offer(task);
    }
    let mut most = 0;
    for task in &tasks {
        let report = runner.report(task, 0).await?;
        report.result()?;
        let granted = runner.granted(task, 0).await?;
        is_streamed(&granted)?;
        super::delivery::held(runner, &granted, &report)?;
        most = most.max(granted.at_once);
    }
    if most > credits {
        return Err(format!("it held {most} tasks at once, and said that it would hold {credits} at most"));
    }
    Ok(format!("{} tasks done, at most {most} at once, of {credits} credits", tasks.len()))
}

pub(super) async fn stream_cancel(runner: &Runner) -> Seen {
    begun(runner).await?;
    let (unwanted, other) = (runner.new_task(), runner.new_task());
    runner.department.offer(Offer { task: unwanted.clone(), answer: Answer::LostAndCancelled });
    is_streamed(&runner.granted(&unwanted, 0).await?)?;
    let report = runner.report(&unwanted, 0).await?;
    if !report.is_cancelled() {
        return Err(format!("nobody wanted it any more, and the worker reports: {}", report.in_words()));
    }
    runner.offer(&other);
    runner.report(&other, 0).await?.result()?;
    Ok("failed with code \"CANCELLED\", for good, and the next one was done".to_owned())
}

fn is_streamed(granted: &Granted) -> Result<(), String> {
    match granted.ask {
        Ask::Stream(_) => Ok(()),
        Ask::Poll(_) => Err("it polled beside its stream, and was handed the task by that".to_owned()),
    }
}
