//! What putting a policy in force does to open clocks: which due times it would
//! move, and moving them.

use std::collections::BTreeMap;

use fault::Fault;
use jiff::Timestamp;
use kernel::CaseId;
use pg::Tx;
use uuid::Uuid;

use super::follow::{Book, Changes};
use super::policy::Policy;
use super::recount::{Moved, PAGE, sort};
use super::{CaseClock, facts};
use crate::case::Case;
use crate::store;

/// The due times that a policy would move, the soonest first. Changes nothing.
pub(crate) async fn moves(tx: &mut Tx, policy: &Policy) -> Result<Vec<Moved>, Fault> {
    let mut all = Vec::new();
    let mut last = Uuid::nil();
    loop {
        let clocks = store::clocks::open_after(tx, last, PAGE).await?;
        let Some(end) = clocks.last() else { break };
        last = end.case.0;
        let cases = store::get_all(tx, &ids(&clocks)).await?;
        let cases: BTreeMap<CaseId, Case> = cases.into_iter().map(|case| (case.id, case)).collect();
        for clock in clocks {
            let moved = cases.get(&clock.case).and_then(|case| moved(case, &clock, policy, tx.now()));
            all.extend(moved);
        }
    }
    sort(&mut all);
    Ok(all)
}

fn moved(case: &Case, clock: &CaseClock, policy: &Policy, now: Timestamp) -> Option<Moved> {
    let mut edited = clock.clone();
    put_under(case, &mut edited, policy, now);
    let (before, after) = (clock.due(), edited.due());
    let (case, cycle, kind) = (case.id, clock.cycle, clock.clock.kind);
    (before != after).then_some(Moved { case, cycle, kind, before, after })
}

/// An open clock is put under the policy if it holds for its case.
fn put_under(case: &Case, clock: &mut CaseClock, policy: &Policy, now: Timestamp) {
    if clock.clock.is_open() && policy.applies(case.origin.receive_time) {
        clock.change(policy, policy.pack(case.origin.receive_time), &facts(case), now);
    }
}

/// Puts the open clocks under a policy that has just been activated.
pub(crate) async fn switch(tx: &mut Tx, policy: &Policy) -> Result<(), Fault> {
    let mut last = Uuid::nil();
    loop {
        let clocks = store::clocks::open_after(tx, last, PAGE).await?;
        let Some(end) = clocks.last() else { return Ok(()) };
        last = end.case.0;
        switch_page(tx, policy, &ids(&clocks)).await?;
    }
}

async fn switch_page(tx: &mut Tx, policy: &Policy, ids: &[Uuid]) -> Result<(), Fault> {
    let cases = store::lock_all(tx, ids).await?;
    let mut book = Book::open(tx, ids).await?;
    book.policies.retain(|other| other.version != policy.version);
    book.policies.push(policy.clone());
    let mut changes = Changes::default();
    let mut dated = Vec::new();
    for mut case in cases {
        let Some(clocks) = book.clocks.get_mut(&case.id) else { continue };
        for clock in &mut clocks.0 {
            put_under(&case, clock, policy, tx.now());
        }
        changes.timer(&case, None, clocks.next(&case, &book.policies));
        clocks.date(&mut case);
        dated.push(case);
    }
    store::save(tx, &dated).await?;
    changes.write(tx, &book.clocks).await
}

/// The cases of clocks, each once.
fn ids(clocks: &[CaseClock]) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = clocks.iter().map(|clock| clock.case.0).collect();
    ids.dedup();
    ids
}
