//! Keeps the clocks of cases in step with them: a few statements, whatever the
//! number of cases; none where nothing happened that concerns a clock.
//!
//! Within a transaction the clocks of a case are read once and written once, as
//! [`CaseClocks`]: who has changed them hands them on with the case.

pub(crate) mod alarm;
pub(crate) mod jobs;
pub(crate) mod recalculation;
pub(crate) mod zoned;

use std::collections::{BTreeMap, BTreeSet};

use fault::Fault;
use jiff::Timestamp;
use kernel::CaseId;
use pg::Tx;
use timers::Timer;
use uuid::Uuid;

use crate::calendars::Calendars;
use crate::case::Case;
use crate::clocks::policy::Policy;
use crate::clocks::policy_activation::Job;
use crate::clocks::{Clocks, by_case, concerns};
use crate::store::{self, Opening};

/// The kind of the timers; the key is the case, for the next thing to be done
/// about any of its clocks.
pub(crate) const KIND: &str = "clock";

/// The clocks of cases that are about to be opened.
pub(crate) struct Begun {
    case_clocks: CaseClocks,
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
    let case_clocks = CaseClocks { clocks, policies, pending: false, timers: BTreeMap::new() };
    Ok(Begun { case_clocks, unfinished })
}

impl Begun {
    /// Keeps the clocks of the cases that were opened.
    pub(crate) async fn keep(self, tx: &mut Tx, cases: &[Case]) -> Result<(), Fault> {
        let Self { mut case_clocks, unfinished } = self;
        let opened: BTreeSet<CaseId> = cases.iter().map(|case| case.id).collect();
        case_clocks.clocks.retain(|case, _| opened.contains(case));
        for case in cases {
            case_clocks.arm(case);
        }
        jobs::pass_by(tx, &unfinished, cases).await?;
        case_clocks.write(tx).await
    }
}

/// Takes in what happened to cases, which bear their next due time afterwards. Clocks of
/// theirs that were read before, and perhaps changed, are handed in; they are written here.
pub(crate) async fn follow(
    tx: &mut Tx,
    cases: &mut [Case],
    in_hand: Option<CaseClocks>,
) -> Result<(), Fault> {
    let concerned = |case: &Case| case.journal.iter().any(|noted| concerns(&noted.fact));
    let ids: Vec<Uuid> = cases.iter().filter(|case| concerned(case)).map(|case| case.id.0).collect();
    let mut case_clocks = match in_hand {
        Some(case_clocks) => case_clocks,
        None if ids.is_empty() => return Ok(()),
        None => CaseClocks::open(tx, &ids).await?,
    };
    for case in cases.iter_mut().filter(|case| concerned(case)) {
        case_clocks.follow(case);
    }
    case_clocks.write(tx).await
}

/// The clocks of cases locked by this transaction, and what is promised by them.
pub(crate) struct CaseClocks {
    /// By case.
    pub(crate) clocks: BTreeMap<CaseId, Clocks>,
    /// Those the clocks are under.
    pub(crate) policies: Vec<Policy>,
    /// Whether a policy or calendar may not have reached them yet.
    pending: bool,
    /// What becomes of the timers: armed or moved, or, without one, disarmed.
    timers: BTreeMap<CaseId, Option<Timer>>,
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
        Ok(Self { clocks, policies, pending, timers: BTreeMap::new() })
    }

    /// When something is to be done next about a case.
    pub(crate) fn next(&self, case: &Case) -> Option<Timestamp> {
        self.clocks.get(&case.id)?.next(case, &self.policies)
    }

    /// Takes in what happened to a case, which bears its next due time afterwards.
    fn follow(&mut self, case: &mut Case) {
        let Some(clocks) = self.clocks.get_mut(&case.id) else { return };
        // What the timer is set to, unless they were changed before they came here.
        let is_as_read = !case.was_merged() && !self.timers.contains_key(&case.id);
        let before = if is_as_read { clocks.upcoming(&self.policies) } else { None };
        clocks.take_answer(case);
        clocks.follow(case, &self.policies);
        clocks.date(case);
        let next = clocks.next(case, &self.policies);
        if next != before || self.timers.contains_key(&case.id) {
            self.set_timer(case, next);
        }
    }

    /// Arms or moves the timer of a case, where there is something to be done next.
    pub(crate) fn arm(&mut self, case: &Case) {
        let next = self.next(case);
        if next.is_some() {
            self.set_timer(case, next);
        }
    }

    /// Arms or moves the timer of a case, whatever it was before, or disarms it.
    pub(crate) fn rearm(&mut self, case: &Case) {
        let next = self.next(case);
        self.set_timer(case, next);
    }

    /// Sets the timer of a case to a moment, or disarms it.
    pub(crate) fn set_timer(&mut self, case: &Case, next: Option<Timestamp>) {
        let traceparent = || case.origin.traceparent.clone();
        let timer =
            next.map(|fire_at| Timer { kind: KIND, key: case.id.0, fire_at, traceparent: traceparent() });
        self.timers.insert(case.id, timer);
    }

    /// Writes the timers, and the clocks that were changed.
    pub(crate) async fn write(self, tx: &mut Tx) -> Result<(), Fault> {
        let clocks = self.clocks.values().flat_map(|clocks| &clocks.0);
        let changed: Vec<_> = clocks.filter(|clock| clock.changed).collect();
        store::clocks::save(tx, &changed).await?;
        let (armed, disarmed): (Vec<_>, Vec<_>) =
            self.timers.into_iter().partition(|(_, timer)| timer.is_some());
        let armed: Vec<Timer> = armed.into_iter().filter_map(|(_, timer)| timer).collect();
        let disarmed: Vec<Uuid> = disarmed.into_iter().map(|(case, _)| case.0).collect();
        timers::arm(tx, &armed).await?;
        timers::disarm(tx, KIND, &disarmed).await
    }
}
