//! Finds what new cases are to be linked to.

use std::collections::HashMap;

use fault::Fault;
use kernel::CaseId;
use pg::Tx;
use sameness::{self, Keys, Traits, Verdict};

use crate::case::{CASES, Case};
use crate::links::{Link, Pair};
use crate::{store, wire};

/// Makes new cases findable, and links each to those before it that are like it:
/// two statements for a batch, and a third when anything was found.
pub(crate) async fn find(tx: &mut Tx, cases: &[Case], keys: &HashMap<CaseId, Keys>) -> Result<(), Fault> {
    let sketched: Vec<(&Case, &Keys)> =
        cases.iter().filter_map(|case| Some((case, keys.get(&case.id)?))).collect();
    if sketched.is_empty() {
        return Ok(());
    }
    store::sketch::keep(tx, &sketched).await?;
    let mut found: Vec<Vec<((CaseId, bool), Verdict)>> = vec![Vec::new(); sketched.len()];
    for candidate in store::sketch::candidates(tx, &sketched).await? {
        let (case, keys) = sketched[candidate.place];
        if let Some(verdict) = sameness::compare(&traits(case, keys), &candidate.traits) {
            let same_order = keys.order.is_some() && keys.order == candidate.traits.keys.order;
            found[candidate.place].push(((candidate.case, same_order), verdict));
        }
    }
    let now = tx.now();
    let found = sketched.iter().zip(found).flat_map(|((case, _), found)| {
        let best = sameness::best(found).into_iter();
        best.map(|((other, same_order), verdict)| (*case, other, same_order, verdict))
    });
    let mut links = Vec::new();
    for (case, other, same_order, Verdict { kind, standing, score, reasons }) in found {
        let (pair, actor) = (Pair::of(case.id, other), CASES.to_owned());
        let link = Link { pair, kind, standing, score, reasons, actor, change_time: now };
        // What had ended before it came here is told to nobody.
        if !case.state.is_over() {
            wire::outbound::publish_link(tx, &link, same_order, case.origin.traceparent.clone());
        }
        links.push(link);
    }
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
