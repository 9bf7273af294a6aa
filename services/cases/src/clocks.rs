//! By when what is owed: the clocks of a case, started by the tenant's policy and
//! moved by what happens to the case. Pure.
//!
//! When the case is taken up again, a regime's clock that was met stays met on record,
//! and another goes on in its place as if it had never been; the organisation's own
//! targets begin anew with each cycle.

mod answered;
mod effects;
pub(crate) mod holding;
#[cfg(test)]
mod invariants;
pub(crate) mod pauses_and_extensions;
pub(crate) mod policy;
pub(crate) mod policy_activation;
#[cfg(test)]
mod properties;
pub(crate) mod recalculation;
#[cfg(test)]
mod regimes;
pub(crate) mod rungs;
pub(crate) mod tellings;

use std::collections::BTreeMap;

use calendar::{Budget, Clock, Complexity, Facts, Kind, Pack, Promise, Reopening, Starts, State, zones};
use jiff::Timestamp;
use kernel::CaseId;
use vocabulary::Level;

use crate::calendars::Counting;
use crate::case::Case;
use crate::promise::KINDS;
use crate::timeline::{Contact, Course, Fact, Noted};
pub(crate) use effects::concerns;
use effects::{ends_all, is_graded_anew, is_unreachable, met_by, starts};
use policy::Policy;
use tellings::Telling;

/// One promise about a case.
#[derive(Clone)]
pub(crate) struct CaseClock {
    /// The case.
    pub(crate) case: CaseId,
    /// The cycle it was started in.
    pub(crate) cycle: i32,
    /// Version of the tenant's policy; 0 is the shipped one.
    pub(crate) policy: i32,
    /// Name of its calendar.
    pub(crate) calendar_name: String,
    /// Its calendar.
    pub(crate) calendar: Counting,
    /// Set by the organisation itself, not by a regime.
    pub(crate) own_target: bool,
    /// The promise was not read in a source.
    pub(crate) unverified: bool,
    /// The steps of its ladder that were taken, and `breach` once that was told.
    pub(crate) rungs: Vec<String>,
    /// By what the complainant was told, of one that is kept by that; the first one first.
    pub(crate) tellings: Vec<Telling>,
    /// The clock itself.
    pub(crate) clock: Clock,
    /// Whether it was changed since it was read.
    pub(crate) changed: bool,
    /// What it keeps of the time zones it was counted by, where this process counts by
    /// others: its due time stands until the others are put in force.
    pub(crate) held: Option<Held>,
}

/// A due time that was worked out by other time zones, and what it follows from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    /// The release, as `2026e`; empty where that was not kept.
    pub(crate) release: String,
    /// The due time; none while paused without a cap.
    pub(crate) due: Option<Timestamp>,
    of: (State, Budget, u32),
}

impl Held {
    /// What a clock keeps as it was read.
    pub(crate) fn of(clock: &Clock, release: String, due: Option<Timestamp>) -> Self {
        Self { release, due, of: Self::follows_from(clock) }
    }

    /// Whether the due time still follows from the clock: paused, extended or ended
    /// since, it is worked out anew.
    fn fits(&self, clock: &Clock) -> bool {
        self.of == Self::follows_from(clock)
    }

    fn follows_from(clock: &Clock) -> (State, Budget, u32) {
        (clock.state, clock.terms.budget, clock.extended)
    }
}

impl CaseClock {
    /// A clock that begins in the cycle a case is in, under a policy; its ladder is
    /// still to be climbed.
    fn begin(case: &Case, policy: &Policy, clock: Clock, own_target: bool, unverified: bool) -> Self {
        Self {
            case: case.id,
            cycle: case.cycle,
            policy: policy.version,
            calendar_name: policy.calendar_name().to_owned(),
            calendar: policy.calendar.clone(),
            own_target,
            unverified,
            rungs: Vec::new(),
            tellings: Vec::new(),
            clock,
            changed: true,
            held: None,
        }
    }

    /// When it is due; none once it has ended, or while it is paused without a
    /// cap.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        if !self.clock.is_open() {
            return None;
        }
        self.held().map_or_else(|| self.clock.due(&self.calendar), |held| held.due)
    }

    /// When it is due; of one that has ended, when it would have been.
    pub(crate) fn promised_due(&self) -> Option<Timestamp> {
        if self.clock.is_open() { self.due() } else { self.clock.due(&self.calendar) }
    }

    /// Whether the promise is broken by a moment.
    pub(crate) fn is_breached(&self, at: Timestamp) -> bool {
        match self.held() {
            Some(held) => held.due.is_some_and(|due| due <= at),
            None => self.clock.is_breached(&self.calendar, at),
        }
    }

    fn held(&self) -> Option<&Held> {
        self.held.as_ref().filter(|held| held.fits(&self.clock))
    }

    /// The release of the time zones its due time is worked out by.
    pub(crate) fn zone_release(&self) -> &str {
        match self.held() {
            Some(held) => &held.release,
            None => zones::version(),
        }
    }

    /// Counts by the time zones of this process from now on; answers whether it did not
    /// before.
    pub(crate) fn adopt_zones(&mut self) -> bool {
        let adopts = self.held.take().is_some();
        self.changed |= adopts;
        adopts
    }

    /// Puts it under another policy, if that promises its kind. A word that was given
    /// is kept, whatever the policy; only its ladder is the policy's.
    pub(crate) fn change(&mut self, policy: &Policy, pack: &Pack, facts: &Facts<'_>, now: Timestamp) {
        if self.is_given_word() {
            self.policy = policy.version;
            self.changed = true;
            return;
        }
        let Some(promise) = pack.promise_for(self.clock.kind, facts) else { return };
        // What was counted by another calendar is counted anew by this one.
        self.clock.change(promise.terms(), &pack.reference(), &policy.calendar, now);
        if self.calendar_name != policy.calendar_name() {
            self.clock.remeasure(&policy.calendar);
        }
        (self.policy, self.held) = (policy.version, None);
        policy.calendar_name().clone_into(&mut self.calendar_name);
        self.calendar = policy.calendar.clone();
        (self.own_target, self.unverified) = (promise.own_target, policy::is_unverified(pack, promise));
        self.changed = true;
    }

    fn end(&mut self, met: bool, now: Timestamp) {
        let ended =
            if met { self.clock.meet(&self.calendar, now) } else { self.clock.stop(&self.calendar, now) };
        // One that has ended already stays as it was.
        self.changed |= ended.is_ok();
    }

    /// The clock that goes on in the next cycle where its policy wants that, as if this
    /// one had never ended or had stood still since; this one stays on record as it
    /// ended. None while it is open: it goes on itself.
    fn continued(&self, cycle: i32, now: Timestamp) -> Option<Self> {
        let mut next = self.clone();
        if let State::Stopped { at } = next.clock.state {
            next.clock.state = State::Met { at };
        }
        match next.clock.reopening(next.own_target) {
            Reopening::Counts => next.clock.reopen().ok()?,
            Reopening::StandsStill => next.clock.reopen_at(now).ok()?,
            Reopening::Anew => return None,
        }
        (next.cycle, next.changed, next.held, next.tellings) = (cycle, true, None, Vec::new());
        Some(next)
    }
}

/// What promises depend on, as far as it is known of a case.
pub(crate) fn facts(case: &Case) -> Facts<'_> {
    let priority = u8::try_from(case.priority.number()).ok();
    // The usual is what nobody has said anything of: a pack's promise for everybody
    // is the stricter one.
    let complexity = match case.complexity {
        Level::Low => Some(Complexity::Simple),
        Level::Medium => None,
        Level::High | Level::Critical => Some(Complexity::Complex),
    };
    let stage = u8::try_from(case.cycle).unwrap_or(u8::MAX);
    let channel = Some(case.origin.channel);
    Facts { complexity, priority, region: &case.origin.region, matter: &case.category, stage, channel }
}

/// The clocks of one case.
#[derive(Clone, Default)]
pub(crate) struct Clocks(pub(crate) Vec<CaseClock>);

impl Clocks {
    /// The clocks a case is opened with, after what is in its journal already. What a
    /// regime promises counts from when an authority forwarded the complaint, if one
    /// did; the organisation's own targets count from when it received it.
    pub(crate) fn open(case: &Case, forwarded: Option<Timestamp>, policies: &[Policy]) -> Self {
        let mut clocks = Self::default();
        let received = case.origin.receive_time;
        if let Some(policy) = policy::in_force(policies, received) {
            for starts in [Starts::Receipt, Starts::HandOver] {
                clocks.start(case, policy, starts, received, |promise| promise.own_target);
                let regime = forwarded.unwrap_or(received);
                clocks.start(case, policy, starts, regime, |promise| !promise.own_target);
            }
        }
        clocks.follow(case, policies);
        clocks
    }

    /// Takes in what happened to the case since it was read.
    pub(crate) fn follow(&mut self, case: &Case, policies: &[Policy]) {
        for noted in &case.journal {
            self.hear(case, noted, policies);
        }
    }

    /// Says on the case when the next of the open ones is due, and in which zone they
    /// are counted; nothing is due while another case stands for it.
    pub(crate) fn date(&self, case: &mut Case) {
        let due = self.0.iter().filter_map(CaseClock::due).min();
        case.due_time = due.filter(|_| case.merged.is_none());
        let zone = self.0.first().and_then(|clock| clock.calendar.zone().iana_name());
        zone.unwrap_or_default().clone_into(&mut case.time_zone);
    }

    /// The latest clock of a kind.
    pub(crate) fn latest(&mut self, kind: Kind) -> Option<&mut CaseClock> {
        self.0.iter_mut().filter(|clock| clock.clock.kind == kind).max_by_key(|clock| clock.cycle)
    }

    /// The policy of a case: the one its clocks are under goes on to hold.
    fn policy<'a>(&self, case: &Case, policies: &'a [Policy]) -> Option<&'a Policy> {
        match self.0.first().map(|clock| clock.policy) {
            Some(version) => policies.iter().find(|policy| policy.version == version),
            None => policy::in_force(policies, case.origin.receive_time),
        }
    }

    fn hear(&mut self, case: &Case, noted: &Noted, policies: &[Policy]) {
        let now = noted.time;
        // What a person did counts from when they did it.
        let told =
            if let Fact::Contact(Contact::NoticeRecorded { told, .. }) = &noted.fact { *told } else { now };
        let met = told.min(now);
        for clock in &mut self.0 {
            if ends_all(&noted.fact) {
                clock.end(false, now);
            } else if met_by(&noted.fact).contains(&clock.clock.kind) && !clock.is_taken_back(&noted.fact) {
                clock.end(true, met);
                clock.note_telling(&noted.fact, met);
            } else if clock.clock.kind == Kind::Acknowledge && is_unreachable(&noted.fact) {
                clock.end(false, now);
            }
        }
        if let Fact::Contact(Contact::NoticeBounced { kind, mail, .. }) = noted.fact {
            self.take_back(case, kind, mail, now);
        }
        let Some(policy) = self.policy(case, policies) else { return };
        if matches!(noted.fact, Fact::Course(Course::Reopened { .. })) {
            self.reopen(case, policy, now);
        }
        if let Some(starts) = starts(&noted.fact) {
            self.start(case, policy, starts, now, |_| true);
        }
        if is_graded_anew(&noted.fact) {
            self.change(case, policy, now);
        }
    }

    /// The next cycle: a regime's clocks run on, own targets begin anew, and all that
    /// is open is promised as for the priority the case has now.
    fn reopen(&mut self, case: &Case, policy: &Policy, now: Timestamp) {
        for (kind, _) in KINDS {
            let continued = self.latest(kind).and_then(|clock| clock.continued(case.cycle, now));
            self.0.extend(continued);
        }
        // Where a regime counts from the receipt, that was in the first cycle.
        self.start(case, policy, Starts::Receipt, now, |promise| {
            promise.own_target
                && promise.reopening() == Reopening::Anew
                && !matches!(promise.kind, Kind::Acknowledge | Kind::Accept | Kind::Object)
        });
        self.change(case, policy, now);
    }

    /// Starts what is promised from a moment on, unless it is running.
    fn start(
        &mut self,
        case: &Case,
        policy: &Policy,
        starts: Starts,
        now: Timestamp,
        wanted: impl Fn(&Promise) -> bool,
    ) {
        let pack = policy.pack(case.origin.receive_time);
        for promise in pack.promises_for(&facts(case)) {
            let kind = promise.kind;
            let is_there = |clock: &CaseClock| {
                clock.clock.kind == kind && (clock.clock.is_open() || clock.cycle == case.cycle)
            };
            if promise.starts != starts || !wanted(promise) || self.0.iter().any(is_there) {
                continue;
            }
            let clock = Clock::start(kind, promise.terms(), &pack.reference(), now).begun_by(starts);
            let unverified = policy::is_unverified(pack, promise);
            self.0.push(CaseClock::begin(case, policy, clock, promise.own_target, unverified));
        }
    }

    /// The case is graded anew: what is promised for what it is now found to be holds,
    /// and the time spent stays spent.
    fn change(&mut self, case: &Case, policy: &Policy, now: Timestamp) {
        let pack = policy.pack(case.origin.receive_time);
        for clock in self.0.iter_mut().filter(|clock| clock.clock.is_open()) {
            let promised = pack.promise_for(clock.clock.kind, &facts(case));
            if promised.is_some_and(|promise| promise.terms() != clock.clock.terms) {
                clock.change(policy, pack, &facts(case), now);
            }
        }
    }
}

/// Clocks by the case they belong to.
pub(crate) fn by_case(clocks: Vec<CaseClock>) -> BTreeMap<CaseId, Clocks> {
    let mut cases: BTreeMap<CaseId, Clocks> = BTreeMap::new();
    for clock in clocks {
        cases.entry(clock.case).or_default().0.push(clock);
    }
    cases
}
