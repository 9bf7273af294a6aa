//! Which due times a policy or an edit of a calendar would move, before it is put in
//! force: looked at page by page, in transactions of their own, locking nothing and
//! computing beside the calls.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use calendar::zones;
use fault::Fault;
use jiff::Timestamp;
use kernel::{CaseId, TenantId};
use pg::{Db, Tx};
use server::Length;
use uuid::Uuid;

use super::jobs::{self, Due, Pending};
use crate::case::Case;
use crate::clocks::CaseClock;
use crate::clocks::recalculation::{Edit, Found, Moved};
use crate::store;

/// Cases looked at at once.
const PAGE: i64 = 200;
/// How long a change that is about to be put in force is looked at first.
pub(crate) const LOOK_AHEAD: Duration = Duration::from_secs(5);

/// The due times that move, were it put in force now; those that were looked at in time,
/// where that is limited. Changes nothing.
pub(crate) async fn moves(
    db: &Db,
    tenant: &TenantId,
    edit: Edit,
    patience: Option<Duration>,
) -> Result<Found, Fault> {
    let (edit, begun) = (Arc::new(edit), Instant::now());
    let (mut found, mut last) = (Found::default(), Uuid::nil());
    loop {
        let page = Page::read(db, tenant, &edit, last).await?;
        let Some(end) = page.clocks.last() else { break };
        if patience.is_some_and(|patience| begun.elapsed() > patience) {
            found.partial = true;
            break;
        }
        last = end.case.0;
        let edit = edit.clone();
        let moved =
            server::blocking(tenant, Length::Quick, "clocks.moves", move || page.moved(&edit)).await?;
        found.add(moved);
    }
    found.cut();
    Ok(found)
}

/// Some cases with their open clocks, and what has not reached them yet.
struct Page {
    clocks: Vec<CaseClock>,
    cases: BTreeMap<CaseId, Case>,
    pending: Pending,
    awaited: BTreeSet<Due>,
    now: Timestamp,
}

impl Page {
    async fn read(db: &Db, tenant: &TenantId, edit: &Edit, after: Uuid) -> Result<Self, Fault> {
        db.transact("clocks.moves", tenant, async |mut tx| {
            let page = Self::read_in(&mut tx, edit, after).await?;
            Ok((tx, page))
        })
        .await
    }

    async fn read_in(tx: &mut Tx, edit: &Edit, after: Uuid) -> Result<Self, Fault> {
        let pending = jobs::pending(tx).await?;
        let clocks = match edit {
            // What is pending may put others under this calendar.
            Edit::Calendar(name, _) if pending.is_empty() => {
                store::clocks::open_by(tx, name, after, PAGE).await?
            }
            Edit::Zones => store::clocks::open_of_other_zones(tx, zones::version(), after, PAGE).await?,
            _ => store::clocks::open_after(tx, after, PAGE).await?,
        };
        let mut ids: Vec<Uuid> = clocks.iter().map(|clock| clock.case.0).collect();
        ids.dedup();
        let awaited = jobs::awaited(tx, &pending, &ids).await?;
        let cases = store::get_all(tx, &ids).await?;
        let cases = cases.into_iter().map(|case| (case.id, case)).collect();
        Ok(Self { clocks, cases, pending, awaited, now: tx.now() })
    }

    fn moved(self, edit: &Edit) -> Vec<Moved> {
        let Self { clocks, cases, pending, awaited, now } = self;
        let moved = |mut clock: CaseClock| {
            let case = cases.get(&clock.case)?;
            jobs::apply(&pending, &awaited, case, std::slice::from_mut(&mut clock));
            let before = clock.due();
            let after = edit.due(case, clock.clone(), now);
            let (case, cycle, kind) = (case.id, clock.cycle, clock.clock.kind);
            (before != after).then_some(Moved { case, cycle, kind, before, after })
        };
        clocks.into_iter().filter_map(moved).collect()
    }
}
