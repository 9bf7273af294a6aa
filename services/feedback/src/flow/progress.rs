//! News of cases that are still open, to those who have heard nothing of theirs for long.
//!
//! What is told and that it was told is one transaction: nobody is told twice, whoever of
//! several replicas does it and whenever it dies.

use std::time::Duration;

use fault::Fault;
use jiff::SignedDuration;
use kernel::{NoticeId, TenantId};
use pg::{Db, Tx};
use server::Stop;

use super::posting;
use crate::notice::{Delivery, Dispatch, Notice, Obstacle, Owed, ProgressUpdate, State, Word};
use crate::store;

/// Wakes who looks for cases of which there is to be news.
const TOPIC: &str = "progress";
/// How often it is looked for them: days are what they wait.
const LOOK: Duration = Duration::from_secs(30);
/// Most that are told in one transaction.
const AT_ONCE: i64 = 200;
/// The least that anybody waits for news.
const LEAST: SignedDuration = SignedDuration::from_hours(24);

/// Tells news until told to stop.
pub(crate) async fn run(db: Db, delivery: Delivery, stop: Stop) {
    let mut listener = db.notifier().listen(TOPIC);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = listener.notified_within(LOOK) => {}
        }
        let done = tokio::select! {
            () = stop.cancelled() => return,
            done = round(&db, &delivery) => done,
        };
        if let Err(fault) = done {
            tracing::warn!(fault = fault.chain(), "there is no news of open cases; trying again");
        }
    }
}

/// Tells those of each tenant: at most so many of one before it is another's turn.
async fn round(db: &Db, delivery: &Delivery) -> Result<(), Fault> {
    let since = db.clock().now() - LEAST;
    let mut tenants = db
        .transact_as_worker("progress.untold", async move |mut tx| {
            let tenants = store::tenants_to_tell(&mut tx, since).await?;
            Ok((tx, tenants))
        })
        .await?;
    while !tenants.is_empty() {
        let mut left = Vec::new();
        for tenant in tenants {
            match tell(db, delivery, &tenant).await {
                Ok(true) => left.push(tenant),
                Ok(false) => {}
                Err(fault) => {
                    tracing::warn!(%tenant, fault = fault.chain(), "there is no news of open cases; trying again");
                }
            }
        }
        tenants = left;
    }
    Ok(())
}

/// Whether there may be more of the tenant.
async fn tell(db: &Db, delivery: &Delivery, tenant: &TenantId) -> Result<bool, Fault> {
    db.transact("progress.tell", tenant, async move |mut tx| {
        let told = tell_untold(&mut tx, delivery).await?;
        Ok((tx, told))
    })
    .await
}

async fn tell_untold(tx: &mut Tx, delivery: &Delivery) -> Result<bool, Fault> {
    let routing = posting::routing(tx).await?;
    let Some(since) = routing.progress_since(tx.now()) else { return Ok(false) };
    let untold = store::take_untold(tx, since, AT_ONCE).await?;
    let is_full = i64::try_from(untold.len()).is_ok_and(|count| count == AT_ONCE);
    let cases: Vec<_> = untold.iter().map(|open| open.case_id).collect();
    let contacts = store::contacts(tx, &cases).await?;
    let letters = posting::letters(tx).await?;
    let dispatch = Dispatch { delivery, letters: &letters, routing: &routing };
    let mut notices = Vec::new();
    for open in untold {
        let Some(contact) = contacts.get(&open.case_id) else { continue };
        let update = ProgressUpdate { number: open.number, stage: open.stage, days: routing.progress_days };
        let owed = Owed {
            case_id: open.case_id,
            cycle: open.cycle,
            word: Word::Progress(update),
            zone: String::new(),
            traceparent: contact.traceparent.clone(),
        };
        let notice = Notice::new(NoticeId(tx.new_id()), owed, contact, dispatch, tx.now());
        // Whom no means reaches is told by nobody; what a template cannot say, a person does.
        let stopped = notice.failure_reason == Obstacle::TemplateStopped.reason();
        if notice.state == State::Pending || stopped {
            notices.push((notice, String::new()));
        }
    }
    posting::post(tx, notices).await?;
    Ok(is_full)
}
