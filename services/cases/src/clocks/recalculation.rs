//! Which due times a policy or an edit of a calendar would move, before it is put in
//! force: looked at page by page, in transactions of their own, locking nothing and
//! computing beside the calls.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use calendar::{Calendar, Kind, zones};
use fault::Fault;
use jiff::Timestamp;
use kernel::{CaseId, TenantId};
use pg::{Db, Tx};
use server::Length;
use uuid::Uuid;

use super::jobs::{self, Pending};
use super::policy::Policy;
use super::policy_activation::put_under;
use super::{CaseClock, jobs::Due};
use crate::case::Case;
use crate::store;

/// Cases looked at at once.
const PAGE: i64 = 200;
/// Most due times that are told of one change.
pub(crate) const MAX_TOLD: usize = 10_000;
/// How long a change that is about to be put in force is looked at first.
pub(crate) const LOOK_AHEAD: Duration = Duration::from_secs(5);

/// A due time that moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    /// The case.
    pub(crate) case: CaseId,
    /// The cycle its clock was started in.
    pub(crate) cycle: i32,
    /// What was promised.
    pub(crate) kind: Kind,
    /// When it is due now; none while paused without a cap.
    pub(crate) before: Option<Timestamp>,
    /// When it will be.
    pub(crate) after: Option<Timestamp>,
}

/// The due times that move.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// The soonest first; of very many the first.
    pub(crate) moved: Vec<Moved>,
    /// How many there are.
    pub(crate) count: usize,
    /// Whether time ran out before all were looked at.
    pub(crate) partial: bool,
}

impl Found {
    /// All of them, whatever their order.
    pub(crate) fn of(moved: Vec<Moved>) -> Self {
        let mut found = Self::default();
        found.add(moved);
        found.cut();
        found
    }

    fn add(&mut self, moved: Vec<Moved>) {
        self.count += moved.len();
        self.moved.extend(moved);
        if self.moved.len() > 2 * MAX_TOLD {
            self.cut();
        }
    }

    fn cut(&mut self) {
        self.moved.sort_by_key(|moved| {
            (moved.before.min(moved.after).or(moved.before).or(moved.after), moved.case)
        });
        self.moved.truncate(MAX_TOLD);
    }
}

/// What would be put in force.
pub(crate) enum Edit {
    /// A policy.
    Policy(Box<Policy>),
    /// A calendar of this name as it would be.
    Calendar(String, Box<Calendar>),
    /// The time zones of this process.
    Zones,
}

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

impl Edit {
    /// When an open clock is due under it.
    fn due(&self, case: &Case, mut clock: CaseClock, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Policy(policy) => put_under(case, &mut clock, policy, now),
            Self::Calendar(name, new) if clock.calendar_name == *name => {
                clock.clock.remeasure(new);
                return clock.clock.due(new);
            }
            Self::Calendar(..) => {}
            Self::Zones => {
                clock.adopt_zones();
            }
        }
        clock.due()
    }
}
