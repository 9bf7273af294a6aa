//! Changes people make to cases, those that come together in one transaction.

use std::collections::HashMap;

use fault::Fault;
use jiff::Timestamp;
use kernel::CaseId;
use pg::{Batch, BatchedMutation, Tx, Verdicts, Work};
use prost::Message as _;
use proto::redress::cases::v1::AddNoteResponse;
use uuid::Uuid;

use super::acting::Names;
use crate::acting::Act;
use crate::case::{Case, Occasion};
use crate::clocks::policy::Policy;
use crate::flow::reopening::InForce;
use crate::flow::{merges, persist};
use crate::ground::Claim;
use crate::refusal::Refusal;
use crate::store;
use crate::timeline::{Entry, Written};
use crate::wire::{self, CaseTarget};

/// A change to one case.
pub(super) struct Change {
    /// The case, as the caller has seen it.
    pub(super) target: CaseTarget,
    /// What it takes to make it.
    pub(super) takes: Act,
    /// The note it writes, once for its key; none for other changes.
    pub(super) note: Option<Written>,
    /// The ground it must have; none for other changes.
    pub(super) claim: Option<Claim>,
    /// The change.
    pub(super) act: Step,
    /// The answer, encoded.
    pub(super) render: Render,
}

/// Makes a change, on a ground where it has one.
type Step = Box<dyn Fn(&mut Case, &Occasion<'_>, Option<&str>) -> Result<(), Refusal> + Send + Sync>;
pub(super) type Render = Box<dyn Fn(&Case) -> Vec<u8> + Send + Sync>;

/// Changes to cases.
pub(super) struct Changes;

impl Batch for Changes {
    type Job = Change;

    fn name(&self) -> &'static str {
        "case.change"
    }

    fn carry_out<'a>(&'a self, tx: &'a mut Tx, asked: &'a [BatchedMutation<Change>]) -> Work<'a, Verdicts> {
        Box::pin(carry_out(tx, asked))
    }
}

async fn carry_out(tx: &mut Tx, asked: &[BatchedMutation<Change>]) -> Result<Verdicts, Fault> {
    let mut ids: Vec<Uuid> = asked.iter().map(|one| one.job.target.case.0).collect();
    ids.sort_unstable();
    ids.dedup();
    let locked = store::lock_all(tx, &ids).await?;
    let mut cases: HashMap<Uuid, Case> = locked.into_iter().map(|case| (case.id.0, case)).collect();
    let names = Names::of(tx, asked.iter().map(|one| &one.caller), cases.values()).await?;
    let written = written(tx, asked).await?;
    let withdrawn = asked.iter().filter(|one| one.job.takes.withdraws());
    let withdrawn: Vec<Uuid> = withdrawn.map(|one| one.job.target.case.0).collect();
    let others =
        if withdrawn.is_empty() { Vec::new() } else { merges::standing_for_others(tx, &withdrawn).await? };
    let claimed = asked.iter().any(|one| one.job.claim.is_some());
    let policies = if claimed { store::policies::in_force(tx).await? } else { Vec::new() };
    let known = Known { names: &names, standing_for_others: &others, policies: &policies };
    let mut in_force = InForce::default();
    let mut made = Vec::with_capacity(asked.len());
    for one in asked {
        made.push(match written.get(&key_of(one)) {
            Some(entry) => repeated(one, entry).map(Made::Before),
            None => change(tx, &mut cases, &known, one).map(Made::Now),
        });
        if let (Some(Ok(Made::Now(left))), Some(case)) =
            (made.last_mut(), cases.get_mut(&one.job.target.case.0))
        {
            in_force.settle(tx, case).await?;
            left.reopening = case.reopening;
        }
    }
    let mut changed: Vec<Case> = cases.into_values().filter(|case| !case.journal.is_empty()).collect();
    changed.sort_unstable_by_key(|case| case.id);
    persist::changed(tx, &mut changed).await?;
    let due: HashMap<CaseId, Option<Timestamp>> =
        changed.iter().map(|case| (case.id, case.due_time)).collect();
    let answer = |(one, made): (&BatchedMutation<Change>, Result<Made, Fault>)| {
        let mut case = match made? {
            Made::Before(answer) => return Ok(answer),
            Made::Now(case) => case,
        };
        // What is due next is known once it is on record.
        case.due_time = due.get(&case.id).copied().unwrap_or(case.due_time);
        Ok((one.job.render)(&case))
    };
    Ok(asked.iter().zip(made).map(answer).collect())
}

/// What came of a change.
enum Made {
    /// The case as this change left it.
    Now(Box<Case>),
    /// It was made before: the answer.
    Before(Vec<u8>),
}

/// The case and the key of a note; of another change, a key that no note has.
fn key_of(one: &BatchedMutation<Change>) -> (Uuid, String) {
    let key = one.job.note.as_ref().and_then(|note| note.request_id.clone());
    (one.job.target.case.0, key.unwrap_or_default())
}

/// The notes among these that were written before, whenever that was: the memory of
/// requests is shorter than that of cases.
async fn written(
    tx: &mut Tx,
    asked: &[BatchedMutation<Change>],
) -> Result<HashMap<(Uuid, String), Entry>, Fault> {
    let keys: Vec<_> = asked.iter().filter(|one| one.job.note.is_some()).map(key_of).collect();
    if keys.is_empty() { Ok(HashMap::new()) } else { store::timeline::written(tx, &keys).await }
}

/// The answer to a note that was written before.
fn repeated(one: &BatchedMutation<Change>, entry: &Entry) -> Result<Vec<u8>, Fault> {
    let same = |note: &Written| note.text == entry.text && note.visibility == entry.visibility;
    if !one.job.note.as_ref().is_some_and(same) || *entry.actor != *one.caller.subject {
        return Err(pg::key_reused());
    }
    Ok(AddNoteResponse { entry: Some(wire::entry(entry.clone())) }.encode_to_vec())
}

/// What changes are judged by, besides the cases.
struct Known<'a> {
    names: &'a Names,
    standing_for_others: &'a [CaseId],
    policies: &'a [Policy],
}

/// Makes one change, in memory; a refused one leaves the case as it was. Answers
/// the case as this change left it.
fn change(
    tx: &mut Tx,
    cases: &mut HashMap<Uuid, Case>,
    known: &Known<'_>,
    one: &BatchedMutation<Change>,
) -> Result<Box<Case>, Fault> {
    let Change { target, takes, act, claim, .. } = &one.job;
    let case = cases.get_mut(&target.case.0).ok_or(Refusal::CaseNotFound)?;
    case.authorize(*takes, &known.names.actor(&one.caller))?;
    if takes.withdraws() && known.standing_for_others.contains(&case.id) {
        return Err(Refusal::StandsForOthers.into());
    }
    if target.version.is_some_and(|seen| seen != case.version) {
        return Err(Fault::version_mismatch(case.version));
    }
    // What is told of it belongs to the complaint's own trace.
    one.trace(tx, &case.origin.traceparent);
    let occasion = Occasion { now: tx.now(), actor: &one.caller.subject, traceparent: tx.traceparent() };
    let mut changed = case.clone();
    let ground = claim.as_ref().map(|claim| claim.words(known.policies, case)).transpose()?.flatten();
    act(&mut changed, &occasion, ground.as_deref())?;
    case.clone_from(&changed);
    Ok(Box::new(changed))
}
