//! Finds what new cases are to be linked to.

use std::collections::HashMap;

use fault::Fault;
use kernel::CaseId;
use pg::Tx;
use sameness::{self, Keys, Traits, Verdict};

use crate::case::{CASES, Case};
use crate::links::{Link, Pair};
use crate::store;

/// Makes new cases findable, and links each to those before it that are like it:
/// two statements for a batch, and a third when anything was found.
pub(crate) async fn find(tx: &mut Tx, cases: &[Case], keys: &HashMap<CaseId, Keys>) -> Result<(), Fault> {
    let sketched: Vec<(&Case, &Keys)> =
        cases.iter().filter_map(|case| Some((case, keys.get(&case.id)?))).collect();
    if sketched.is_empty() {
        return Ok(());
    }
    store::sketch::keep(tx, &sketched).await?;
    let mut found: Vec<Vec<(CaseId, Verdict)>> = vec![Vec::new(); sketched.len()];
    for candidate in store::sketch::candidates(tx, &sketched).await? {
        let (case, keys) = sketched[candidate.place];
        if let Some(verdict) = sameness::compare(&traits(case, keys), &candidate.traits) {
            found[candidate.place].push((candidate.case, verdict));
        }
    }
    let now = tx.now();
    let links: Vec<Link> = sketched
        .iter()
        .zip(found)
        .flat_map(|((case, _), found)| {
            sameness::best(found).into_iter().map(|(other, v)| (case.id, other, v))
        })
        .map(|(case, other, Verdict { kind, standing, score, reasons })| Link {
            pair: Pair::of(case, other),
            kind,
            standing,
            score,
            reasons,
            actor: CASES.to_owned(),
            change_time: now,
        })
        .collect();
    if links.is_empty() { Ok(()) } else { store::links::found(tx, &links).await }
}

fn traits(case: &Case, keys: &Keys) -> Traits {
    Traits {
        matter: case.origin.matter,
        category: case.category.clone(),
        customer: case.origin.customer_id.clone(),
        received: case.origin.receive_time,
        keys: keys.clone(),
    }
}
