//! Keeps the clocks of cases in step with them: a few statements, whatever the
//! number of cases; none where nothing happened that concerns a clock.

use std::collections::{BTreeMap, BTreeSet};

use fault::Fault;
use jiff::Timestamp;
use kernel::CaseId;
use pg::Tx;
use timers::Timer;
use uuid::Uuid;

use super::policy::Policy;
use super::policy_activation::Job;
use super::{Clocks, by_case, concerns, jobs};
use crate::calendars::Calendars;
use crate::case::Case;
use crate::store::{self, Opening};

/// The kind of the timers; the key is the case, for the next thing to be done
/// about any of its clocks.
pub(crate) const KIND: &str = "clock";

/// The clocks of cases that are about to be opened.
pub(crate) struct Begun {
    clocks: BTreeMap<CaseId, Clocks>,
    policies: Vec<Policy>,
    unfinished: Vec<Job>,
}

/// Starts the clocks of cases about to be opened, and says when they are due.
pub(crate) async fn begin(tx: &mut Tx, openings: &mut [Opening]) -> Result<Begun, Fault> {
    store::calendars::hold(tx).await?;
    let policies = store::policies::in_force(tx).await?;
    let unfinished = store::jobs::unfinished(tx).await?;
    let mut clocks = BTreeMap::new();
    // Nothing is promised any more about one that ended before it came here.
    for Opening { case, forwarded, .. } in openings.iter_mut().filter(|one| !one.case.state.is_over()) {
        let started = Clocks::open(case, *forwarded, &policies);
        started.date(case);
        clocks.insert(case.id, started);
    }
    Ok(Begun { clocks, policies, unfinished })
}

impl Begun {
    /// Keeps the clocks of the cases that were opened.
    pub(crate) async fn keep(mut self, tx: &mut Tx, cases: &[Case]) -> Result<(), Fault> {
        let opened: BTreeSet<CaseId> = cases.iter().map(|case| case.id).collect();
        self.clocks.retain(|case, _| opened.contains(case));
        let mut changes = Changes::default();
        for case in cases {
            if let Some(clocks) = self.clocks.get(&case.id) {
                changes.timer(case, None, clocks.next(case, &self.policies));
            }
        }
        jobs::pass_by(tx, &self.unfinished, cases).await?;
        changes.write(tx, &self.clocks).await
    }
}

/// Takes in what happened to cases, which bear their next due time afterwards.
pub(crate) async fn follow(tx: &mut Tx, cases: &mut [Case]) -> Result<(), Fault> {
    let concerned = |case: &&mut Case| case.journal.iter().any(|noted| concerns(&noted.fact));
    let ids: Vec<Uuid> = cases.iter_mut().filter(concerned).map(|case| case.id.0).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let mut case_clocks = CaseClocks::open(tx, &ids).await?;
    let mut changes = Changes::default();
    for case in cases {
        let Some(clocks) = case_clocks.clocks.get_mut(&case.id) else { continue };
        let before = if case.was_merged() { None } else { clocks.upcoming(&case_clocks.policies) };
        clocks.take_answer(case);
        clocks.follow(case, &case_clocks.policies);
        clocks.date(case);
        changes.timer(case, before, clocks.next(case, &case_clocks.policies));
    }
    changes.write(tx, &case_clocks.clocks).await
}

/// The clocks of cases locked by this transaction, and what is promised by them.
pub(crate) struct CaseClocks {
    /// By case.
    pub(crate) clocks: BTreeMap<CaseId, Clocks>,
    /// Those the clocks are under.
    pub(crate) policies: Vec<Policy>,
    /// Whether a policy or calendar may not have reached them yet.
    pending: bool,
}

impl CaseClocks {
    /// Reads them: with the cases, what is promised was locked. What was put in force and
    /// has not reached them does first.
    pub(crate) async fn open(tx: &mut Tx, cases: &[Uuid]) -> Result<Self, Fault> {
        let case_clocks = Self::read(tx, cases).await?;
        if case_clocks.pending && jobs::reach(tx, cases).await? {
            Self::read(tx, cases).await
        } else {
            Ok(case_clocks)
        }
    }

    /// Reads them as they are kept.
    pub(crate) async fn read(tx: &mut Tx, cases: &[Uuid]) -> Result<Self, Fault> {
        let (clocks, mut pending) = store::clocks::of(tx, cases).await?;
        let mut clocks = by_case(clocks);
        pending |= cases.iter().any(|case| !clocks.contains_key(&CaseId(*case)));
        let versions = clocks.values().flat_map(|clocks| clocks.0.iter().map(|clock| clock.policy)).collect();
        let policies = if cases.iter().all(|case| clocks.contains_key(&CaseId(*case))) {
            let mut calendars = Calendars::default();
            for clock in clocks.values().flat_map(|clocks| &clocks.0) {
                calendars.add(clock.calendar_name.clone(), clock.calendar.clone());
            }
            store::policies::of(tx, versions, &calendars).await?
        } else {
            // Nothing was promised for some so far: today's policy says what is from
            // now on. Whatever others are under was activated as well.
            store::policies::in_force(tx).await?
        };
        for case in cases {
            clocks.entry(CaseId(*case)).or_default();
        }
        Ok(Self { clocks, policies, pending })
    }
}

/// What becomes of the timers.
#[derive(Default)]
pub(crate) struct Changes {
    arm: Vec<Timer>,
    disarm: Vec<Uuid>,
}

impl Changes {
    /// Arms, moves or disarms the timer of a case.
    pub(crate) fn timer(&mut self, case: &Case, before: Option<Timestamp>, next: Option<Timestamp>) {
        match next {
            _ if next == before => {}
            Some(fire_at) => {
                let traceparent = case.origin.traceparent.clone();
                self.arm.push(Timer { kind: KIND, key: case.id.0, fire_at, traceparent });
            }
            None => self.disarm.push(case.id.0),
        }
    }

    /// Arms or disarms the timer of a case, whatever it was before.
    pub(crate) fn timer_anew(&mut self, case: &Case, next: Option<Timestamp>) {
        match next {
            Some(_) => self.timer(case, None, next),
            None => self.disarm.push(case.id.0),
        }
    }

    /// Writes the timers, and the clocks that were changed.
    pub(crate) async fn write(self, tx: &mut Tx, clocks: &BTreeMap<CaseId, Clocks>) -> Result<(), Fault> {
        let changed: Vec<_> =
            clocks.values().flat_map(|clocks| &clocks.0).filter(|clock| clock.changed).collect();
        store::clocks::save(tx, &changed).await?;
        timers::arm(tx, &self.arm).await?;
        timers::disarm(tx, KIND, &self.disarm).await
    }
}
