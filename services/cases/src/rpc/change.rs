//! Changes people make to cases, those that come together in one transaction.

use std::collections::HashMap;

use fault::Fault;
use jiff::Timestamp;
use kernel::CaseId;
use pg::{Asked, Batch, Tx, Verdicts, Work};
use uuid::Uuid;

use crate::case::{Case, Occasion};
use crate::refusal::Refusal;
use crate::wire::Target;
use crate::{record, store};

/// A change to one case.
pub(super) struct Change {
    /// The case, as the caller has seen it.
    pub(super) target: Target,
    /// The change.
    pub(super) act: Act,
    /// The answer, encoded.
    pub(super) render: Render,
}

type Act = Box<dyn Fn(&mut Case, &Occasion<'_>) -> Result<(), Refusal> + Send + Sync>;
type Render = Box<dyn Fn(&Case) -> Vec<u8> + Send + Sync>;

/// Changes to cases.
pub(super) struct Changes;

impl Batch for Changes {
    type Job = Change;

    fn name(&self) -> &'static str {
        "case.change"
    }

    fn carry_out<'a>(&'a self, tx: &'a mut Tx, asked: &'a [Asked<Change>]) -> Work<'a, Verdicts> {
        Box::pin(carry_out(tx, asked))
    }
}

async fn carry_out(tx: &mut Tx, asked: &[Asked<Change>]) -> Result<Verdicts, Fault> {
    let mut ids: Vec<Uuid> = asked.iter().map(|one| one.job.target.case.0).collect();
    ids.sort_unstable();
    ids.dedup();
    let locked = store::lock_all(tx, &ids).await?;
    let mut cases: HashMap<Uuid, Case> = locked.into_iter().map(|case| (case.id.0, case)).collect();
    let made: Vec<_> = asked.iter().map(|one| change(tx, &mut cases, one)).collect();
    let mut changed: Vec<Case> = cases.into_values().filter(|case| !case.journal.is_empty()).collect();
    changed.sort_unstable_by_key(|case| case.id);
    record::changed(tx, &mut changed).await?;
    let due: HashMap<CaseId, Option<Timestamp>> =
        changed.iter().map(|case| (case.id, case.due_time)).collect();
    let answer = |(one, change): (&Asked<Change>, Result<Case, Fault>)| {
        let mut case = change?;
        // What is due next is known once it is on record.
        case.due_time = due.get(&case.id).copied().unwrap_or(case.due_time);
        Ok((one.job.render)(&case))
    };
    Ok(asked.iter().zip(made).map(answer).collect())
}

/// Makes one change, in memory; a refused one leaves the case as it was. Answers
/// the case as this change left it.
fn change(tx: &mut Tx, cases: &mut HashMap<Uuid, Case>, one: &Asked<Change>) -> Result<Case, Fault> {
    let Change { target, act, render: _ } = &one.job;
    let case = cases.get_mut(&target.case.0).ok_or(Refusal::CaseNotFound)?;
    if target.version.is_some_and(|seen| seen != case.version) {
        return Err(Fault::version_mismatch(case.version));
    }
    // What is told of it belongs to the complaint's own trace.
    one.trace(tx, &case.origin.traceparent);
    let occasion = Occasion { now: tx.now(), actor: &one.caller.subject, traceparent: tx.traceparent() };
    let mut changed = case.clone();
    act(&mut changed, &occasion)?;
    case.clone_from(&changed);
    Ok(changed)
}
