//! Cases for which another stands: what becomes of that one reaches their people, and
//! what they say reaches it.

use std::collections::HashMap;

use fault::Fault;
use jiff::Timestamp;
use kernel::CaseId;
use pg::Tx;
use uuid::Uuid;

use crate::case::{Case, Occasion};
use crate::store;
use crate::timeline::{Fact, Ruling, SharedOutcome};

/// An outcome that others are to be told.
struct Told {
    outcome: SharedOutcome,
    time: Timestamp,
    actor: String,
}

/// Tells the outcomes that take effect to the people of other cases for which these
/// stand. Answers those of them that are not among these.
pub(crate) async fn share_outcomes(tx: &mut Tx, cases: &mut [Case]) -> Result<Vec<Case>, Fault> {
    let outcomes: HashMap<Uuid, Told> =
        cases.iter().filter_map(|case| Some((case.id.0, told(case)?))).collect();
    if outcomes.is_empty() {
        return Ok(Vec::new());
    }
    let survivors: Vec<Uuid> = outcomes.keys().copied().collect();
    let merged = store::merges::across(tx, &survivors).await?;
    let elsewhere: Vec<Uuid> =
        merged.iter().map(|(id, _)| *id).filter(|id| cases.iter().all(|case| case.id.0 != *id)).collect();
    let mut others = if elsewhere.is_empty() { Vec::new() } else { store::lock_all(tx, &elsewhere).await? };
    for (id, survivor) in merged {
        let case = cases.iter_mut().chain(others.iter_mut()).find(|case| case.id.0 == id);
        let (Some(case), Some(told)) = (case, outcomes.get(&survivor)) else { continue };
        // Unmerged just before it was locked: it has its own outcome to come.
        if case.merged.is_some_and(|merged| merged.across) {
            let traceparent = case.origin.traceparent.clone();
            let at = Occasion { now: told.time, actor: &told.actor, traceparent: &traceparent };
            case.share_outcome(told.outcome.clone(), &at);
        }
    }
    others.retain(|case| !case.journal.is_empty());
    Ok(others)
}

fn told(case: &Case) -> Option<Told> {
    let noted = case
        .journal
        .iter()
        .rev()
        .find(|noted| matches!(noted.fact, Fact::Ruling(Ruling::Resolved { .. })))?;
    Some(Told { outcome: case.shared()?, time: noted.time, actor: noted.actor.clone() })
}

/// Locks the cases that stand for some of these, and for those in turn.
pub(crate) async fn lock_survivors(
    tx: &mut Tx,
    cases: &mut HashMap<Uuid, Case>,
    mut from: Vec<Uuid>,
) -> Result<(), Fault> {
    loop {
        let next = |id: &Uuid| cases.get(id)?.merged.map(|merged| merged.into.0);
        let mut above: Vec<Uuid> = from.iter().filter_map(next).collect();
        above.sort_unstable();
        above.dedup();
        if above.is_empty() {
            return Ok(());
        }
        let missing: Vec<Uuid> = above.iter().copied().filter(|id| !cases.contains_key(id)).collect();
        if !missing.is_empty() {
            let locked = store::lock_all(tx, &missing).await?;
            cases.extend(locked.into_iter().map(|case| (case.id.0, case)));
        }
        from = above;
    }
}

/// The case that stands for one in the end; itself where none does.
pub(crate) fn survivor(cases: &HashMap<Uuid, Case>, id: Uuid) -> Uuid {
    let mut last = id;
    while let Some(merged) = cases.get(&last).and_then(|case| case.merged) {
        last = merged.into.0;
    }
    last
}

/// Of these cases, those that stand for cases of other people.
pub(crate) async fn standing_for_others(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<CaseId>, Fault> {
    let merged = store::merges::across(tx, ids).await?;
    Ok(merged.into_iter().map(|(_, survivor)| CaseId(survivor)).collect())
}
