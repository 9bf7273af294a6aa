//! The delivery worker.
//!
//! It claims notices that are due, of all tenants, in a short transaction; sends
//! them outside of any; and writes what came of it in another. A worker that
//! dies in between leaves a claim that runs out, and the notice is sent again:
//! mail is delivered at least once, never exactly once, and every copy bears the
//! same Message-ID (`<notice id@redress>`) so that a mailbox can tell. What one means
//! cannot deliver goes on to the next, in the transaction that writes so. A notice
//! left pending when every transport is taken away waits until one is given again. A
//! survey's mail bears a code, another at each attempt: each opens the same survey.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use fault::Fault;
use jiff::Timestamp;
use kernel::receipt::{ReceiptCode, ReceiptKey};
use kernel::time::later;
use kernel::{CaseId, NoticeId, TenantId};
use pg::Db;
use server::Stop;
use tokio::task::{Id, JoinError, JoinSet};
use tracing::Instrument as _;

use crate::call_back::Outcome as Called;
use crate::flow::{after_outcome, follow_up, posting};
use crate::notice::{
    Answer, CALL_BACK_ENDED, CASE_MOVED_ON, CYCLE_ENDED, Contact, Delivery, Kind, Means, Notice, State,
};
use crate::sender::Senders;
use crate::store::{self, Attempt, Claimed, Claims};
use crate::wire;

/// Topic that tells there are notices to deliver.
pub(crate) const TOPIC: &str = "notices";
/// Most notices sent at once.
pub(crate) const CONCURRENT: u32 = 16;
/// How long the worker waits to be notified before it looks by itself.
const POLL: Duration = Duration::from_secs(2);
/// How long it waits when the database cannot be reached.
const RETRY: Duration = Duration::from_secs(1);
/// Longest one attempt may take.
const SEND_LIMIT: Duration = Duration::from_secs(15);
// One that is cut off by the end of the process may have been sent, and is sent again.
const _: () = assert!(SEND_LIMIT.as_secs() < server::WORKERS_STOP.as_secs());
/// How long a claim holds: an attempt, and the time to write what came of it
/// while the database is away for a moment.
const CLAIM: Duration = Duration::from_mins(2);
/// How often what is known of addresses of late is swept.
const CLEAN_UP: Duration = Duration::from_mins(10);

/// Delivers notices until told to stop; what is being sent then is finished.
pub(crate) async fn run(db: Db, senders: Senders, delivery: Delivery, stop: Stop) {
    let mut listener = db.notifier().listen(TOPIC);
    let cleaned = db.clock().now();
    let mut worker = Worker {
        db,
        senders,
        delivery,
        sending: JoinSet::new(),
        tenants: HashMap::new(),
        tried: Vec::new(),
        cleaned,
    };
    while !stop.is_cancelled() {
        if let Err(fault) = worker.turn().await {
            tracing::warn!(fault = fault.chain(), "delivery waits for its database");
            tokio::time::sleep(RETRY).await;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            Some(sent) = worker.sending.join_next_with_id() => worker.note(sent),
            () = listener.notified_within(POLL), if worker.room() > 0 => {}
        }
    }
    worker.finish().await;
}

struct Worker {
    db: Db,
    senders: Senders,
    /// How what follows from a delivery leaves in its turn.
    delivery: Delivery,
    sending: JoinSet<(Claimed, Answer)>,
    /// Whose notices they are.
    tenants: HashMap<Id, TenantId>,
    /// Attempts that ended and are not written yet.
    tried: Vec<Attempt>,
    /// When what is known of addresses of late was swept.
    cleaned: Timestamp,
}

impl Worker {
    /// Writes what came of attempts, and claims as many notices as there is room
    /// for: a claim is made only when its attempt can begin.
    async fn turn(&mut self) -> Result<(), Fault> {
        while let Some(sent) = self.sending.try_join_next_with_id() {
            self.note(sent);
        }
        self.settle().await?;
        self.clean_up().await;
        let limit = self.room();
        if limit == 0 {
            return Ok(());
        }
        for out in self.claim(limit).await? {
            self.send(out);
        }
        Ok(())
    }

    fn room(&self) -> u32 {
        CONCURRENT.saturating_sub(u32::try_from(self.sending.len()).unwrap_or(u32::MAX))
    }

    /// Claims notices that are due; those of surveys with a code each, of which the hash
    /// alone is kept.
    async fn claim(&self, limit: u32) -> Result<Vec<Outgoing>, Fault> {
        self.db
            .transact_as_worker("notices.claim", async |mut tx| {
                let now = tx.now();
                let mut under_way: BTreeMap<TenantId, i64> = BTreeMap::new();
                for tenant in self.tenants.values() {
                    *under_way.entry(tenant.clone()).or_default() += 1;
                }
                let claims = Claims { now, until: later(now, CLAIM), limit: limit.into(), under_way };
                let claimed = store::claim(&mut tx, claims).await?;
                let claimed = without_ended(&mut tx, claimed).await?;
                let mut going = with_codes(&mut tx, claimed).await?;
                with_contacts(&mut tx, &mut going).await?;
                Ok((tx, going))
            })
            .await
    }

    fn send(&mut self, Outgoing { claimed, code, contact }: Outgoing) {
        let tenant = claimed.tenant.clone();
        let senders = self.senders.clone();
        let span = pg::continued_span!(
            &claimed.notice.traceparent,
            "feedback.deliver",
            otel.kind = "client",
            notice.id = %claimed.notice.id,
            notice.attempt = claimed.notice.attempts,
        );
        let attempt = async move {
            let coded = code.map(|code| Notice {
                letter: claimed.notice.letter.with_code(&code.to_string()),
                ..claimed.notice.clone()
            });
            let sent = coded.as_ref().unwrap_or(&claimed.notice);
            let answer = tokio::time::timeout(SEND_LIMIT, senders.send(sent, contact.as_ref())).await;
            let answer = answer
                .unwrap_or_else(|_| Answer::Later("the server did not answer in time".to_owned(), None));
            let traceparent = pg::trace::current();
            let mut claimed = claimed;
            if !traceparent.is_empty() {
                // What is told of it continues from the attempt.
                claimed.notice.traceparent = traceparent;
            }
            (claimed, answer)
        };
        let task = self.sending.spawn(attempt.instrument(span));
        self.tenants.insert(task.id(), tenant);
    }

    fn note(&mut self, sent: Result<(Id, (Claimed, Answer)), JoinError>) {
        let task = sent.as_ref().map_or_else(JoinError::id, |(task, _)| *task);
        self.tenants.remove(&task);
        match sent {
            Ok((_, (Claimed { tenant, mut notice }, answer))) => {
                let again = notice.tried(answer, self.db.clock().now(), self.db.ids().fraction());
                self.tried.push(Attempt { tenant, notice, again });
            }
            Err(error) => tracing::error!(%error, "an attempt to deliver broke off; its claim runs out"),
        }
    }

    /// Writes what came of attempts and tells of notices settled. What cannot be
    /// written is kept and tried again.
    async fn settle(&mut self) -> Result<(), Fault> {
        if self.tried.is_empty() {
            return Ok(());
        }
        let mut tenants: BTreeMap<&TenantId, Vec<&Attempt>> = BTreeMap::new();
        for attempt in &self.tried {
            tenants.entry(&attempt.tenant).or_default().push(attempt);
        }
        let delivery = &self.delivery;
        self.db
            .transact_as_worker("notices.settle", async |mut tx| {
                for (tenant, attempts) in &tenants {
                    tx.act_for(tenant).await?;
                    let written = store::settle(&mut tx, attempts).await?;
                    let is_settled = |attempt: &&&Attempt| {
                        attempt.again.is_none()
                            && written.contains(&(attempt.notice.id, attempt.notice.attempts))
                    };
                    let ended: Vec<Notice> =
                        attempts.iter().filter(is_settled).map(|attempt| attempt.notice.clone()).collect();
                    let (mut ended, undelivered): (Vec<Notice>, Vec<Notice>) =
                        ended.into_iter().partition(|notice| notice.state == State::Delivered);
                    ended.extend(posting::go_on(&mut tx, delivery, undelivered).await?);
                    for notice in &ended {
                        tx.emit_in(notice.traceparent.clone(), notice.case_id.0, &wire::settled(notice));
                    }
                    let ended: Vec<&Notice> = ended.iter().collect();
                    after_outcome::outcomes(&mut tx, delivery, &ended).await?;
                }
                Ok((tx, ()))
            })
            .await?;
        self.tried.drain(..).for_each(|attempt| log(&attempt));
        Ok(())
    }

    /// Forgets of addresses what limits nothing any more. Nothing waits for that: where
    /// it fails it is done the next time.
    async fn clean_up(&mut self) {
        let now = self.db.clock().now();
        if now < later(self.cleaned, CLEAN_UP) {
            return;
        }
        self.cleaned = now;
        let cleaned = self.db.transact_as_worker("notices.sweep", async move |mut tx| {
            store::clean_up_addresses(&mut tx, now).await?;
            Ok((tx, ()))
        });
        if let Err(fault) = cleaned.await {
            tracing::warn!(fault = fault.chain(), "what is known of addresses could not be cleaned");
        }
    }

    /// Waits for the attempts under way, which take [`SEND_LIMIT`] at most.
    async fn finish(&mut self) {
        while let Some(sent) = self.sending.join_next_with_id().await {
            self.note(sent);
        }
        if let Err(fault) = self.settle().await {
            let count = self.tried.len();
            tracing::warn!(fault = fault.chain(), count, "attempts were not written; they are made again");
        }
    }
}

/// A notice on its way.
struct Outgoing {
    claimed: Claimed,
    /// That of the survey it asks for.
    code: Option<ReceiptCode>,
    /// Whom it goes to, where a transport tells more of them than the address.
    contact: Option<Contact>,
}

/// Gives up what has nothing to say any more: word that the time to answer ends, where it was
/// answered or has ended, news of a case that is open no more, and word of calls once they
/// were spoken to, or are called at another time.
async fn without_ended(tx: &mut pg::Tx, mut claimed: Vec<Claimed>) -> Result<Vec<Claimed>, Fault> {
    let tenants: BTreeSet<TenantId> = claimed
        .iter()
        .filter(|claimed| claimed.notice.kind.may_be_out_of_date())
        .map(|claimed| claimed.tenant.clone())
        .collect();
    for tenant in tenants {
        tx.act_for(&tenant).await?;
        let of_kind = |kind: Kind| -> Vec<Notice> {
            let is_one = |one: &&Claimed| one.tenant == tenant && one.notice.kind == kind;
            claimed.iter().filter(is_one).map(|one| one.notice.clone()).collect()
        };
        let (closing, updates) = (of_kind(Kind::ClosingSoon), of_kind(Kind::Progress));
        let mut ended = give_up_closing(tx, &closing).await?;
        ended.extend(give_up_updates(tx, &updates).await?);
        let calls = [of_kind(Kind::CallBackPlanned), of_kind(Kind::CallBackMissed)].concat();
        ended.extend(give_up_calls(tx, &calls).await?);
        claimed.retain(|claimed| claimed.tenant != tenant || !ended.contains(&claimed.notice.id));
    }
    Ok(claimed)
}

async fn give_up_closing(tx: &mut pg::Tx, closing: &[Notice]) -> Result<Vec<NoticeId>, Fault> {
    let cycles: Vec<_> = closing.iter().map(|notice| (notice.case_id, notice.cycle)).collect();
    let now = tx.now();
    let awaited = store::awaited_cycles(tx, &cycles, now).await?;
    let is_awaited = |notice: &Notice| {
        awaited.iter().any(|one| {
            (one.case_id, one.cycle, one.correction) == (notice.case_id, notice.cycle, notice.number)
        })
    };
    give_up(tx, closing, is_awaited, CYCLE_ENDED).await
}

async fn give_up_updates(tx: &mut pg::Tx, updates: &[Notice]) -> Result<Vec<NoticeId>, Fault> {
    let cycles: Vec<_> = updates.iter().map(|notice| (notice.case_id, notice.cycle)).collect();
    let open = store::open_cycles_of(tx, &cycles).await?;
    give_up(tx, updates, |notice| open.contains(&(notice.case_id, notice.cycle)), CASE_MOVED_ON).await
}

async fn give_up_calls(tx: &mut pg::Tx, calls: &[Notice]) -> Result<Vec<NoticeId>, Fault> {
    let cycles: Vec<_> = calls.iter().map(|notice| (notice.case_id, notice.cycle)).collect();
    let standings = store::call_back_standings(tx, &cycles).await?;
    let holds = |notice: &Notice| {
        let mut of =
            standings.iter().filter(|one| (one.case_id, one.cycle) == (notice.case_id, notice.cycle));
        match notice.kind {
            Kind::CallBackPlanned => of.any(|one| one.due.map(follow_up::minute) == Some(notice.number)),
            _ => of.any(|one| one.due.is_some() || one.outcome == Some(Called::NotReached)),
        }
    };
    give_up(tx, calls, holds, CALL_BACK_ENDED).await
}

/// Gives up those that have nothing to say any more, and answers which they are.
async fn give_up(
    tx: &mut pg::Tx,
    notices: &[Notice],
    is_news: impl Fn(&Notice) -> bool,
    reason: &str,
) -> Result<Vec<NoticeId>, Fault> {
    let ended: Vec<NoticeId> =
        notices.iter().filter(|notice| !is_news(notice)).map(|notice| notice.id).collect();
    if !ended.is_empty() {
        let now = tx.now();
        store::give_up(tx, &ended, reason, now).await?;
    }
    Ok(ended)
}

/// Gives those that go to a system of the operator's what is known of whom they are for, and
/// mails the token of their case.
async fn with_contacts(tx: &mut pg::Tx, going: &mut [Outgoing]) -> Result<(), Fault> {
    let mut cases: BTreeMap<TenantId, Vec<CaseId>> = BTreeMap::new();
    for Outgoing { claimed, .. } in going.iter() {
        if matches!(claimed.notice.means, Means::Webhook | Means::Email) {
            cases.entry(claimed.tenant.clone()).or_default().push(claimed.notice.case_id);
        }
    }
    for (tenant, cases) in cases {
        tx.act_for(&tenant).await?;
        let contacts = store::contacts(tx, &cases).await?;
        for out in going.iter_mut().filter(|out| out.claimed.tenant == tenant) {
            out.contact = contacts.get(&out.claimed.notice.case_id).cloned();
        }
    }
    Ok(())
}

/// Gives each notice of a survey a code of its own.
async fn with_codes(tx: &mut pg::Tx, claimed: Vec<Claimed>) -> Result<Vec<Outgoing>, Fault> {
    let mut coded = Vec::with_capacity(claimed.len());
    let mut kept: BTreeMap<TenantId, Vec<_>> = BTreeMap::new();
    for claimed in claimed {
        let notice = &claimed.notice;
        let code = (notice.kind == Kind::Survey).then(|| new_code(tx)).transpose()?;
        if let Some(code) = &code {
            let of_tenant = kept.entry(claimed.tenant.clone()).or_default();
            of_tenant.push((notice.case_id, notice.cycle, code.hash()));
        }
        coded.push(Outgoing { claimed, code, contact: None });
    }
    for (tenant, codes) in kept {
        tx.act_for(&tenant).await?;
        store::keep_codes(tx, &codes).await?;
    }
    Ok(coded)
}

/// A code of random bits: its key is used once and kept nowhere.
fn new_code(tx: &pg::Tx) -> Result<ReceiptCode, Fault> {
    let key = ReceiptKey::new(tx.new_token().as_bytes()).ok_or_else(|| Fault::internal("a short key"))?;
    Ok(ReceiptCode::derive(&key, tx.new_token()))
}

/// The server's words stay out of the log: they repeat addresses.
fn log(Attempt { notice, again, .. }: &Attempt) {
    let (id, attempts) = (notice.id, notice.attempts);
    match notice.state {
        State::Pending => {
            let again = again.map(|at| at.to_string());
            tracing::debug!(notice.id = %id, notice.attempts = attempts, again, "notice is tried again");
        }
        State::Delivered => tracing::debug!(notice.id = %id, notice.attempts = attempts, "notice delivered"),
        State::Undelivered => {
            tracing::warn!(notice.id = %id, notice.attempts = attempts, "notice cannot be delivered");
        }
    }
}

#[cfg(test)]
mod tests;
