//! The long poll of a department's worker.

use std::sync::Arc;
use std::time::Duration;

use fault::Fault;
use kernel::{Caller, person};
use pg::{Db, Tx};
use proto::redress::resolution::v1::{PollTasksRequest, PollTasksResponse};
use tokio::time::{Instant, sleep, timeout_at};
use tonic::{Request, Response};

use crate::flow::departments::Departments;
use crate::flow::progress::TASKS;
use crate::flow::{problem_hints, undo};
use crate::lookahead::{LOOK, Queue, Taken};
use crate::poll_fairness::PollFairness;
use crate::store;
use crate::store::tasks::{Claim, Claimed};
use crate::task::Task;
use crate::wire;
use crate::wire::tasks::Poll;

/// How long to wait without having heard of new tasks: a notification may be lost, a
/// back-off or a lease may end.
pub(super) const POLL: Duration = Duration::from_millis(500);
/// Least time between two looks: tasks that come in quick succession are handed
/// out together, and many notifications do not keep an idle worker looking.
pub(super) const FLOOR: Duration = Duration::from_millis(5);

/// `PollTasks`. Its replay is its own: what was handed out under a `request_id` and
/// is still held is found again by it. A caller who goes away, or a process that
/// stops, drops the wait; nothing is held then.
pub(in crate::rpc) async fn poll(
    db: &Db,
    fairness: &PollFairness,
    departments: &Departments,
    request: Request<PollTasksRequest>,
) -> Result<Response<PollTasksResponse>, Fault> {
    let caller = server::caller(&request)?;
    let poll = wire::tasks::poll(request.into_inner())?;
    server::serving(&caller, &poll.department_id)?;
    departments.ensure(db, &caller.tenant, &poll.department_id).await?;
    let mut leased = claim(db, departments, &caller, &poll).await?;
    if leased.is_empty() && !poll.wait.is_zero() {
        leased = wait(db, (fairness, departments), &caller, &poll).await?;
    }
    Ok(Response::new(PollTasksResponse { leases: leased.iter().map(wire::tasks::leased).collect() }))
}

/// Waits for the first tasks, until the time the worker gave is over. Only waiting
/// is cut short, never a look: it may have handed tasks out.
async fn wait(
    db: &Db,
    (fairness, departments): (&PollFairness, &Departments),
    caller: &Caller,
    poll: &Poll,
) -> Result<Vec<Task>, Fault> {
    let end = Instant::now() + poll.wait;
    let place = fairness.join(&caller.tenant, &poll.department_id);
    let Ok(_turn) = timeout_at(end, place.turn()).await else { return Ok(Vec::new()) };
    let mut listener = db.notifier().listen(TASKS);
    loop {
        let leased = claim(db, departments, caller, poll).await?;
        let left = end.saturating_duration_since(Instant::now());
        if !leased.is_empty() || left.is_zero() {
            return Ok(leased);
        }
        listener.notified_within(POLL.min(left)).await;
        sleep(FLOOR.min(left)).await;
    }
}

/// Hands out what is due; tells of tasks found without attempts left, and looks
/// again when there was nothing but those.
pub(super) async fn claim(
    db: &Db,
    departments: &Departments,
    caller: &Caller,
    poll: &Poll,
) -> Result<Vec<Task>, Fault> {
    loop {
        let Claimed { leased, exhausted } = claim_once(db, departments, caller, poll).await?;
        if !leased.is_empty() || exhausted.is_empty() {
            return Ok(leased);
        }
    }
}

async fn claim_once(
    db: &Db,
    departments: &Departments,
    caller: &Caller,
    poll: &Poll,
) -> Result<Claimed, Fault> {
    let (tenant, department_id) = (&caller.tenant, poll.department_id.as_str());
    let (claimed, noted, _taken) = db
        .transact("resolution.poll_tasks", tenant, async |mut tx| {
            let (claimed, taken) = look(&mut tx, departments, caller, poll).await?;
            for task in &claimed.exhausted {
                let event = wire::outbound::task_needs_attention(task);
                tx.emit_in(task.traceparent.clone(), task.case_id.0, &event);
                problem_hints::tell_given_up(&mut tx, task);
            }
            undo::note_failed(&mut tx, &claimed.exhausted).await?;
            let noted = departments.is_poll_due(tenant, department_id, tx.now()).then(|| tx.now());
            if let Some(now) = noted
                && let Some((watch, since)) = store::departments::polled(&mut tx, department_id, now).await?
            {
                tx.emit(watch, &wire::departments::attended(department_id, since));
            }
            Ok((tx, (claimed, noted, taken)))
        })
        .await?;
    if let Some(now) = noted {
        departments.poll_noted(tenant, department_id, now);
    }
    Ok(claimed)
}

/// Claims what is due. Where it pays, one look at the queue serves many polls; nobody goes
/// away empty-handed for that: who is handed none of what was found looks for themselves.
/// What was taken of such a look is kept from others until the claim is stored.
async fn look(
    tx: &mut Tx,
    departments: &Departments,
    caller: &Caller,
    poll: &Poll,
) -> Result<(Claimed, Option<Taken>), Fault> {
    let lookahead = &departments.lookahead;
    if lookahead.is_count_due(tx.now()) {
        lookahead.counted_rows(store::tasks::dead_rows(tx).await?, tx.now());
    }
    let executor = person::folded(&caller.subject);
    let claim = |tx: &Tx| Claim {
        poll_id: &poll.request_id,
        poll_hash: &poll.request_hash,
        department_id: &poll.department_id,
        worker: &poll.worker,
        executor: &executor,
        replays: poll.replays,
        now: tx.now(),
        until: kernel::time::micros(tx.now() + poll.lease),
        tokens: (0..poll.max_tasks).map(|_| tx.new_token()).collect(),
    };
    let queue = lookahead.queue(&caller.tenant, &poll.department_id);
    let taken = match &queue {
        Some(queue) => take(tx, queue, poll).await?,
        None => None,
    };
    if let Some(taken) = taken {
        let wanted = claim(tx);
        let claimed = store::tasks::claim_of(tx, wanted, &taken.tasks).await?;
        if !claimed.leased.is_empty() || !claimed.exhausted.is_empty() {
            return Ok((claimed, Some(taken)));
        }
    }
    let wanted = claim(tx);
    Ok((store::tasks::claim(tx, wanted).await?, None))
}

/// As many tasks of the queue as are asked for; none where none was found.
async fn take(tx: &mut Tx, queue: &Arc<Queue>, poll: &Poll) -> Result<Option<Taken>, Fault> {
    let (count, now) = (usize::try_from(poll.max_tasks).unwrap_or(0), tx.now());
    if let Some(taken) = queue.take(count, now) {
        return Ok(Some(taken));
    }
    let _turn = queue.turn().await;
    if let Some(taken) = queue.take(count, now) {
        return Ok(Some(taken));
    }
    let found = store::tasks::ahead(tx, &poll.department_id, now, LOOK, &queue.taken()).await?;
    queue.keep(found, now);
    Ok(queue.take(count, now))
}
