//! Persists and publishes what happened to cases: the rows, the timeline, the events, the
//! timers, the notification, all in the transaction in which it happened.

use fault::Fault;
use pg::Tx;

use crate::case::Case;
use crate::flow::clocks::{self, Begun, CaseClocks};
use crate::flow::{merges, reopening, window};
use crate::timeline::{Fact, Grading, Noted, Ruling};
use crate::{store, wire};

/// Topic that is notified on every change of a case.
pub(crate) const TOPIC: &str = "cases";

/// Persists and publishes what happened to cases locked by this transaction.
pub(crate) async fn changed(tx: &mut Tx, cases: &mut [Case]) -> Result<(), Fault> {
    all(tx, cases, None).await
}

/// The same, of cases whose clocks were read before: those are written with them, whatever
/// happened to their cases.
pub(crate) async fn changed_with_clocks(
    tx: &mut Tx,
    cases: &mut [Case],
    case_clocks: CaseClocks,
) -> Result<(), Fault> {
    all(tx, cases, Some(case_clocks)).await
}

async fn all(tx: &mut Tx, cases: &mut [Case], case_clocks: Option<CaseClocks>) -> Result<(), Fault> {
    if cases.is_empty() {
        return clocks::follow(tx, cases, case_clocks).await;
    }
    let mut told = merges::share_outcomes(tx, cases).await?;
    keep(tx, cases, case_clocks).await?;
    if told.is_empty() { Ok(()) } else { keep(tx, &mut told, None).await }
}

async fn keep(tx: &mut Tx, cases: &mut [Case], case_clocks: Option<CaseClocks>) -> Result<(), Fault> {
    clocks::follow(tx, cases, case_clocks).await?;
    reopening::set(tx, cases).await?;
    let moved = store::save(tx, cases).await?;
    for case in cases.iter_mut() {
        case.due_changes = moved.get(&case.id).copied().unwrap_or(case.due_changes);
    }
    publish(tx, cases).await?;
    for case in cases.iter().filter(|case| moved.contains_key(&case.id)) {
        wire::outbound::publish_due_time(tx, case);
    }
    Ok(())
}

/// Persists and publishes that cases, locked by this transaction, are due at other times, where
/// nothing else has happened to them.
pub(crate) async fn redated(tx: &mut Tx, cases: &mut [Case]) -> Result<(), Fault> {
    let moved = store::save(tx, cases).await?;
    for case in cases.iter_mut() {
        if let Some(changes) = moved.get(&case.id) {
            case.due_changes = *changes;
            wire::outbound::publish_due_time(tx, case);
        }
    }
    Ok(())
}

/// Persists and publishes the beginning of cases this transaction has inserted.
pub(crate) async fn opened(tx: &mut Tx, cases: &[Case], begun: Begun) -> Result<(), Fault> {
    if cases.is_empty() {
        return Ok(());
    }
    begun.keep(tx, cases).await?;
    publish(tx, cases).await
}

/// The agents that bear the names by which cases are about somebody, of those that are told
/// of: opened or decided.
async fn named(tx: &mut Tx, cases: &[Case]) -> Result<Vec<(String, String)>, Fault> {
    let told = |noted: &Noted| match &noted.fact {
        Fact::Ruling(ruling) => matches!(ruling, Ruling::Decided { .. } | Ruling::Corrected { .. }),
        Fact::Grading(grading) => matches!(grading, Grading::Triaged { .. }),
        _ => false,
    };
    let told = |case: &&Case| case.journal.iter().any(told);
    let names: Vec<String> = cases.iter().filter(told).filter_map(|case| case.origin.respondent()).collect();
    if names.is_empty() { Ok(Vec::new()) } else { store::staff::named(tx, &names).await }
}

/// Whom a case is about, by every name they are known under.
fn recused(case: &Case, named: &[(String, String)]) -> Vec<String> {
    let Some(about) = case.origin.respondent() else { return Vec::new() };
    let agents = named.iter().filter(|(name, _)| *name == about).map(|(_, agent)| agent.clone());
    let others: Vec<String> = agents.filter(|agent| *agent != about).collect();
    [vec![about], others].concat()
}

async fn publish(tx: &mut Tx, cases: &[Case]) -> Result<(), Fault> {
    store::timeline::append(tx, cases).await?;
    store::timeline::keep_keys(tx, cases).await?;
    store::replies::keep(tx, cases).await?;
    window::set(tx, cases).await?;
    let named = named(tx, cases).await?;
    for case in cases {
        let recused = recused(case, &named);
        for noted in &case.journal {
            wire::outbound::publish(tx, case, noted, &recused);
        }
    }
    tx.notify(TOPIC);
    Ok(())
}
