//! What networks and servers do: answers are lost or late, connections break.

use std::time::Duration;

use super::{SETTLED, Seen, same_words};
use crate::Runner;
use crate::department::{Answer, Granted, Offer};
use crate::worker_call::{Ask, What, WorkerCall};

/// How late a slow answer is.
const SLOW: Duration = Duration::from_secs(3);
/// How long a server is not there after it broke off.
const AWAY: Duration = Duration::from_millis(500);
/// How long a server is overloaded.
const OVERLOADED: Duration = Duration::from_secs(2);
/// Most polls an overloaded server is asked meanwhile: 20 a second.
const OVERLOAD_POLLS: usize = 40;

fn is_ask(heard: &WorkerCall) -> bool {
    matches!(heard.what, What::Ask(_))
}

pub(super) async fn valid_poll(runner: &Runner) -> Seen {
    let poll = runner.until("ask for tasks", |heard| {
        heard.iter().find_map(|heard| match &heard.what {
            What::Ask(Ask::Poll(poll)) => Some(poll.clone()),
            What::Ask(Ask::Stream(_)) | What::Beat(_) | What::Report(_) => None,
        })
    });
    let poll = poll.await?;
    let flaws = Ask::Poll(poll.clone()).flaws(&runner.department.id);
    if flaws.is_empty() {
        Ok(format!("worker {:?} asks for up to {} tasks", poll.worker, poll.max_tasks.max(1)))
    } else {
        Err(flaws.join(", "))
    }
}

pub(super) async fn lost_poll_answer(runner: &Runner) -> Seen {
    let task = runner.new_task();
    runner.department.offer(Offer { task: task.clone(), answer: Answer::Lost });
    let granted = runner.granted(&task, 0).await?;
    let what =
        "ask again under the request_id whose answer was lost: the task is stranded until its lease ends";
    asked_again(runner, &granted, what).await?;
    runner.report(&task, 0).await?.result()?;
    Ok("the same poll came again, and its task was done".to_owned())
}

pub(super) async fn lost_report_answer(runner: &Runner) -> Seen {
    let task = runner.new_task();
    runner.department.answer_next_report(Answer::Lost);
    runner.offer(&task);
    let first = runner.report(&task, 0).await?;
    let again = runner.report(&task, 1).await?;
    same_words(&first, &again)?;
    Ok(format!("{} came again as it was", first.words.0))
}

/// Whether a worker asks again in the same words for what was handed out.
pub(super) async fn asked_again(runner: &Runner, granted: &Granted, what: &str) -> Result<(), String> {
    let again = runner.until(what, |heard| {
        heard[granted.heard..].iter().find_map(|heard| match &heard.what {
            What::Ask(ask) if ask.request_id() == granted.ask.request_id() => Some(ask.clone()),
            _ => None,
        })
    });
    if again.await? == granted.ask {
        Ok(())
    } else {
        Err("it asked for other things under the same request_id".to_owned())
    }
}

pub(super) async fn slow_report_answer(runner: &Runner) -> Seen {
    let task = runner.new_task();
    runner.department.answer_next_report(Answer::Late(SLOW));
    runner.offer(&task);
    let first = runner.report(&task, 0).await?;
    tokio::time::sleep(SLOW + SETTLED).await;
    let all = runner.reports(&task);
    for again in &all {
        same_words(&first, again)?;
    }
    Ok(format!("{} {} under one request_id", all.len(), if all.len() == 1 { "report" } else { "reports" }))
}

pub(super) async fn broken_connection(runner: &Runner) -> Seen {
    runner.until("ask for tasks", |heard| heard.iter().any(is_ask).then_some(())).await?;
    runner.front.break_for(AWAY).await;
    let task = runner.new_task();
    // The answer never comes: the connection breaks before.
    runner.department.answer_next_report(Answer::Late(Duration::MAX));
    runner.offer(&task);
    let first = runner.report(&task, 0).await?;
    runner.front.break_for(AWAY).await;
    let again = runner.report(&task, 1).await?;
    same_words(&first, &again)?;
    Ok(format!("it came back twice, and {} came again as it was", first.words.0))
}

pub(super) async fn overload(runner: &Runner) -> Seen {
    runner.until("ask for tasks", |heard| heard.iter().any(is_ask).then_some(())).await?;
    let before = runner.department.heard().len();
    runner.department.overload(true);
    tokio::time::sleep(OVERLOADED).await;
    let polls = runner.department.heard()[before..].iter().filter(|heard| is_ask(heard)).count();
    runner.department.overload(false);
    if polls > OVERLOAD_POLLS {
        return Err(format!("{polls} polls within {OVERLOADED:?} while the server said UNAVAILABLE"));
    }
    runner.done().await?;
    Ok(format!("{polls} polls within {OVERLOADED:?}, and back at work afterwards"))
}
