//! Cases accepted by their agents, those that come together in one transaction.

use std::collections::HashMap;

use fault::Fault;
use pg::{Batch, BatchedMutation, Tx, Verdicts, Work};
use prost::Message as _;
use proto::redress::assignment::v1::AcceptCaseResponse;
use uuid::Uuid;

use super::acting;
use super::steps::{ensure_seen, on_behalf};
use crate::assignment::Assignment;
use crate::flow::allocation::save;
use crate::flow::telling::tell_accepted;
use crate::refusal::Refusal;
use crate::store::assignments;
use crate::wire::{self, Accept};

/// Acceptances of cases.
pub(super) struct Acceptances;

impl Batch for Acceptances {
    type Job = Accept;

    fn name(&self) -> &'static str {
        "assignment.accept"
    }

    fn carry_out<'a>(&'a self, tx: &'a mut Tx, asked: &'a [BatchedMutation<Accept>]) -> Work<'a, Verdicts> {
        Box::pin(carry_out(tx, asked))
    }
}

async fn carry_out(tx: &mut Tx, asked: &[BatchedMutation<Accept>]) -> Result<Verdicts, Fault> {
    let ids: Vec<Uuid> = asked.iter().map(|one| one.job.case_id.0).collect();
    let cases = assignments::lock(tx, &ids).await?;
    let mut cases: HashMap<Uuid, Assignment> = cases.into_iter().map(|case| (case.case_id.0, case)).collect();
    let mut accepters: HashMap<Uuid, &str> = HashMap::new();
    let mut verdicts = Vec::with_capacity(asked.len());
    for one in asked {
        let by = &*one.caller.subject;
        let verdict = match may_accept(tx, &cases, one).await {
            Ok(()) => accept(&mut cases, &one.job, by),
            Err(refused) => Err(refused),
        };
        if let Ok(true) = &verdict {
            accepters.insert(one.job.case_id.0, by);
        }
        verdicts.push(verdict);
    }
    let mut changed: Vec<Assignment> =
        cases.values().filter(|case| accepters.contains_key(&case.case_id.0)).cloned().collect();
    changed.sort_unstable_by_key(|case| case.case_id);
    save(tx, &mut changed).await?;
    for case in changed {
        tell_accepted(tx, &case, accepters.get(&case.case_id.0).copied().unwrap_or_default());
        cases.insert(case.case_id.0, case);
    }
    let answered = asked.iter().zip(verdicts).map(|(one, verdict)| {
        verdict.map(|_| {
            let assignment = cases.get(&one.job.case_id.0).cloned().map(wire::assignment);
            AcceptCaseResponse { assignment }.encode_to_vec()
        })
    });
    Ok(answered.collect())
}

/// Whom it is about does not accept it, not for another either.
async fn may_accept(
    tx: &mut Tx,
    cases: &HashMap<Uuid, Assignment>,
    one: &BatchedMutation<Accept>,
) -> Result<(), Fault> {
    let case = cases.get(&one.job.case_id.0).ok_or(Refusal::AssignmentNotFound)?;
    acting::not_recused(tx, &one.caller, case).await?;
    Ok(acting::speaks_for(&one.caller, &one.job.agent)?)
}

/// Has the agent in charge accept a case, in memory; whether that is new.
fn accept(cases: &mut HashMap<Uuid, Assignment>, wanted: &Accept, by: &str) -> Result<bool, Fault> {
    let case = cases.get_mut(&wanted.case_id.0).ok_or(Refusal::AssignmentNotFound)?;
    ensure_seen(wanted.expected_version, case.version)?;
    let is_new = case.accept(&wanted.agent)?;
    if is_new && by != wanted.agent {
        let accepter = on_behalf(by, &wanted.agent);
        case.explanation = format!("{}; accepted by {accepter}", case.explanation);
    }
    Ok(is_new)
}
