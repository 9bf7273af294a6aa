//! Submissions that refer to attachments: these become theirs in the transaction that
//! registers them, or they are not registered.

use std::collections::{HashMap, HashSet};

use fault::Fault;
use kernel::CaseId;
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use crate::attachment::Owner;
use crate::complaint::NewComplaint;
use crate::store;

/// What became of a batch.
pub(super) struct Registered {
    /// The feed positions of those that were registered.
    pub(super) positions: HashMap<CaseId, i64>,
    /// The attachments for which others were not: gone, or another complaint's.
    pub(super) unfit: HashMap<CaseId, Vec<Uuid>>,
}

/// Registers the complaints of one tenant that are new and whose attachments are free.
#[expect(
    clippy::disallowed_methods,
    reason = "the batch writer's own connection is bound to the tenant, and the batch is named and measured"
)]
pub(super) async fn register(
    conn: &mut PgConnection,
    complaints: &[NewComplaint],
    doubles: bool,
) -> Result<Registered, Fault> {
    let mut ids: Vec<Uuid> = complaints.iter().flat_map(attachments).collect();
    if ids.is_empty() {
        let positions = store::register(conn, complaints, doubles).await?;
        return Ok(Registered { positions, unfit: HashMap::new() });
    }
    ids.sort_unstable();
    ids.dedup();
    let mut tx = conn.begin().await?;
    let found = store::attachments::lock_all(&mut tx, &ids).await?;
    let free = found.iter().filter(|one| one.unfit(Owner::New).is_none()).map(|one| one.id);
    let (fit, unfit) = split(complaints, free.collect());
    // One that is there already must not end the transaction.
    let positions = store::register(&mut tx, &fit, true).await?;
    let given: Vec<(Uuid, CaseId)> = fit
        .iter()
        .filter(|complaint| positions.contains_key(&complaint.id))
        .flat_map(|complaint| attachments(complaint).map(|one| (one, complaint.id)))
        .collect();
    store::attachments::give(&mut tx, &given).await?;
    tx.commit().await?;
    Ok(Registered { positions, unfit })
}

fn attachments(complaint: &NewComplaint) -> impl Iterator<Item = Uuid> {
    complaint.attachments.iter().map(|(_, id)| *id)
}

/// Those whose attachments are free, the first of several that want one; and of the others
/// which are not.
fn split(
    complaints: &[NewComplaint],
    mut free: HashSet<Uuid>,
) -> (Vec<NewComplaint>, HashMap<CaseId, Vec<Uuid>>) {
    let (mut fit, mut unfit) = (Vec::new(), HashMap::new());
    for complaint in complaints {
        let wanted: HashSet<Uuid> = attachments(complaint).collect();
        let missing: Vec<Uuid> = wanted.difference(&free).copied().collect();
        if missing.is_empty() {
            free.retain(|one| !wanted.contains(one));
            fit.push(complaint.clone());
        } else {
            unfit.insert(complaint.id, missing);
        }
    }
    (fit, unfit)
}
