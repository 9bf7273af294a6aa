//! Has cases take in what happened elsewhere, in order; whatever arrives before its case is
//! kept for it.

use std::collections::HashMap;

use events::Delivered;
use fault::Fault;
use kernel::CaseId;
use pg::Tx;
use uuid::Uuid;

use super::opening::Known;
use super::reopening::InForce;
use super::{merges, persist, triage_batch};
use crate::case::{Case, Occasion};
use crate::external_event::{Event, ExternalEvent};
use crate::refusal::Refusal;
use crate::store;
use crate::store::early::{self, EarlyNotice};

/// Moves cases on by the external events about them, in order.
pub(crate) async fn hear(
    tx: &mut Tx,
    known: &Known,
    batch: &[Delivered],
    externals: Vec<ExternalEvent>,
) -> Result<(), Fault> {
    let mut changed = changed(tx, batch, externals).await?;
    if let Some(first) = batch.first() {
        triage_batch::raise_for_information(tx, &known.rule_sets, &first.tenant, &mut changed).await?;
    }
    persist::changed(tx, &mut changed).await
}

/// Has cases take in the external events about them, in order; answers those that changed.
async fn changed(
    tx: &mut Tx,
    batch: &[Delivered],
    externals: Vec<ExternalEvent>,
) -> Result<Vec<Case>, Fault> {
    let mut cases = lock(tx, batch.iter().map(|event| event.subject).collect()).await?;
    if batch.iter().any(|event| !cases.contains_key(&event.subject)) {
        let missing = batch.iter().map(|event| event.subject).filter(|id| !cases.contains_key(id));
        let missing: Vec<Uuid> = missing.collect();
        early::hold_openings(tx, &missing).await?;
        let opened_meanwhile = lock(tx, missing).await?;
        cases.extend(opened_meanwhile);
    }
    let passed_on = |(event, external): &(&Delivered, &ExternalEvent)| {
        let merged = cases.get(&event.subject).is_some_and(|case| case.merged.is_some());
        external.event.is_passed_on() && merged
    };
    let passing: Vec<Uuid> =
        batch.iter().zip(&externals).filter(passed_on).map(|(event, _)| event.subject).collect();
    merges::lock_survivors(tx, &mut cases, passing).await?;
    let now = tx.now();
    let (mut early, mut returned, mut in_force) = (Vec::new(), Vec::new(), InForce::default());
    for (event, external) in batch.iter().zip(externals) {
        if !cases.contains_key(&event.subject) {
            if let Event::NoticeBounced { mail, .. } = external.event {
                // What came back before its case was opened was never told to it.
                early.retain(|notice: &EarlyNotice| notice.mail != Some(mail));
                returned.push((CaseId(event.subject), mail));
            } else {
                early.extend(before_its_case(event, external)?);
            }
            continue;
        }
        let actor = external.actor.clone();
        let at = Occasion { now, actor: &actor, traceparent: &event.traceparent };
        if let Err(refusal) = take_in(&mut cases, event.subject, external, &at) {
            let (case, event) = (event.subject, &event.type_name);
            tracing::debug!(case.id = %case, event.type = event, %refusal, "an event that no longer fits is skipped");
        }
        if let Some(case) = cases.get_mut(&event.subject) {
            in_force.settle(tx, case).await?;
        }
    }
    if !returned.is_empty() {
        early::forget(tx, &returned).await?;
    }
    if !early.is_empty() {
        early::keep(tx, &early).await?;
    }
    let mut changed: Vec<Case> = cases.into_values().filter(|case| !case.journal.is_empty()).collect();
    changed.sort_unstable_by_key(|case| case.id);
    Ok(changed)
}

/// Has a case take an event in; what its complainant says while another stands for it goes
/// on to that one.
fn take_in(
    cases: &mut HashMap<Uuid, Case>,
    id: Uuid,
    external: ExternalEvent,
    at: &Occasion<'_>,
) -> Result<(), Refusal> {
    let survivor = if external.event.is_passed_on() { merges::survivor(cases, id) } else { id };
    let mut case = cases.remove(&id).ok_or(Refusal::CaseNotFound)?;
    let heard = match cases.get_mut(&survivor).filter(|_| survivor != id) {
        Some(survivor) => case.pass_on(survivor, external, at),
        None => case.hear(external, at),
    };
    cases.insert(id, case);
    heard
}

async fn lock(tx: &mut Tx, mut ids: Vec<Uuid>) -> Result<HashMap<Uuid, Case>, Fault> {
    ids.sort_unstable();
    ids.dedup();
    let cases = store::lock_all(tx, &ids).await?;
    Ok(cases.into_iter().map(|case| (case.id.0, case)).collect())
}

/// Only feedback does not wait for a case: whatever else is told of one that is
/// not there is a mistake. That its contact was corrected feedback keeps itself.
fn before_its_case(event: &Delivered, external: ExternalEvent) -> Result<Option<EarlyNotice>, Fault> {
    let (kind, failure, mail) = match external.event {
        Event::NoticeSettled { kind, failure, mail } => (kind, failure, mail),
        Event::NoticeRecorded { kind, .. } => (kind, None, None),
        Event::ContactCorrected { .. } => return Ok(None),
        _ => return Err(Refusal::CaseNotFound.into()),
    };
    Ok(Some(EarlyNotice {
        case: CaseId(event.subject),
        kind,
        cycle: external.cycle,
        failure,
        mail,
        traceparent: event.traceparent.clone(),
    }))
}
