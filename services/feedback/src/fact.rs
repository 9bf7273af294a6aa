//! Facts: what is counted of each case.
//!
//! An event adds to them, and what they come to depends neither on the order in which
//! events arrive nor on how often: of two times of one kind the earlier holds, of two
//! values the one of the higher rank, and what is told once fills what was empty. So feeds
//! may be read again from any place, by the side of what arrives.

mod loss;
mod past;
mod task;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use jiff::Timestamp;
use kernel::{CaseId, Money, NoticeId, TaskId};
use uuid::Uuid;

use crate::notice::Kind;
use crate::process::ProcessEvent;

pub use loss::LossFact;
pub use past::{EndingFact, OutcomeFact, Past, ScoreFact};
pub use task::TaskFact;

/// A value, and where it stands among others of its kind: the highest rank holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranked<T> {
    /// The value.
    pub value: T,
    /// The position of the event that told it, or a count of its kind.
    pub rank: i64,
}

impl<T> Ranked<T> {
    /// A value of a rank.
    pub fn new(value: T, rank: i64) -> Self {
        Self { value, rank }
    }
}

kernel::numbered! {
    /// How a case ended.
    Ending {
        /// Closed, whoever did it.
        Closed = 1,
        /// Withdrawn by its complainant.
        Withdrawn = 2,
        /// Another organisation's matter.
        Declined = 3,
        /// Merged into another case.
        Merged = 4,
    }
}

/// What a complaint says that regulators ask for; told once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "facts that say nothing of each other")]
pub struct Filing {
    /// Legal entity or brand complained about; empty when none is named.
    pub organisation: String,
    /// Branch complained about; empty when none is named.
    pub branch: String,
    /// Whether it is a report of a violation, and no complaint.
    pub is_report: bool,
    /// Whether anything that asks for extra care was told or seen.
    pub vulnerable: bool,
    /// Whether that is that the complainant is elderly.
    pub older: bool,
    /// Whether that is that the complainant serves in the forces.
    pub servicemember: bool,
    /// The regulator's number for it, else the channel's; empty where there is none.
    pub outside_id: String,
    /// When a regulator handed it over.
    pub forwarded: Option<Timestamp>,
}

/// What is known of a case; what is none was not told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaseFact {
    /// When its complaint counts as received.
    pub received: Option<Timestamp>,
    /// Number of the channel it came by.
    pub channel: Option<i16>,
    /// Where its complainant is; empty when unknown.
    pub region: Option<String>,
    /// Product or service complained about; empty when unknown.
    pub product: Option<String>,
    /// Tells complainants apart.
    pub complainant: Option<[u8; 16]>,
    /// Whether it had ended before it was brought here.
    pub history: Option<bool>,
    /// What else its complaint says.
    pub filing: Option<Filing>,
    /// Whether it was ever merged into a case of other people.
    pub merged_apart: Option<bool>,
    /// Who submitted its complaint.
    pub recorder: Option<String>,
    /// Whether it could be worked on as it was recorded; none where that is nobody's to say:
    /// the complainant wants to stay unknown, or it was history.
    pub complete: Option<bool>,
    /// What it is about.
    pub category: Option<Ranked<String>>,
    /// How urgent it is, from 1.
    pub priority: Option<Ranked<i16>>,
    /// The department it lies with.
    pub department: Option<Ranked<String>>,
    /// Who has it; empty while it waits for somebody.
    pub holder: Option<Ranked<String>>,
    /// How much is asked for; told once.
    pub sought: Option<Money>,
    /// When its first outcome took effect.
    pub resolved: Option<Timestamp>,
    /// When it was first reopened.
    pub reopened: Option<Timestamp>,
    /// When it first went one level up within a cycle.
    pub escalated: Option<Timestamp>,
    /// When a promise to answer was first broken.
    pub breached: Option<Timestamp>,
    /// The same of those that a regime makes.
    pub limit_breached: Option<Timestamp>,
    /// Whether its promise to decide ever stood still.
    pub paused: Option<bool>,
    /// When and how it ended; a rank without a value opened it again.
    pub ended: Option<Ranked<Option<(Timestamp, Ending)>>>,
}

/// What is known of a cycle of a case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CycleFact {
    /// Who handles, or last handled it.
    pub agent: Option<Ranked<String>>,
    /// When its outcome first took effect.
    pub resolved: Option<Timestamp>,
    /// Number of the outcome, by its corrections.
    pub outcome: Option<Ranked<i16>>,
    /// When the next cycle began.
    pub reopened: Option<Timestamp>,
    /// When a promise to answer was first broken in it.
    pub breached: Option<Timestamp>,
    /// Whether the complainant disputed its outcome.
    pub disputed: Option<bool>,
    /// Satisfaction with the handling, 1–5, and when it was answered.
    pub handling: Option<Ranked<(i16, Timestamp)>>,
    /// Satisfaction with the outcome.
    pub satisfaction: Option<Ranked<(i16, Timestamp)>>,
}

/// What is known of a call-back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallBackFact {
    /// The case.
    pub case_id: CaseId,
    /// When its last attempt was made.
    pub ended: Option<Timestamp>,
    /// Number of what came of the last attempt.
    pub outcome: Option<Ranked<i16>>,
}

/// Money that was paid, or taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentFact {
    /// The case.
    pub case_id: CaseId,
    /// When.
    pub paid: Timestamp,
    /// How much; negative where it undid another.
    pub amount: Money,
}

/// The promise to decide stood still, or ran on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PauseFact {
    /// When.
    pub at: Timestamp,
    /// Whether it stands still from then on.
    pub pauses: bool,
}

/// Which telling of a complainant it is: the case, the number of the kind of notice, the
/// cycle, the notice, and which of its sendings; 0 of what a person recorded.
pub type TellingKey = (CaseId, i16, i32, NoticeId, i32);

/// That a complainant was told something. Of all tellings that were not taken back, the
/// earliest counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TellingFact {
    /// When.
    pub told: Option<Timestamp>,
    /// When it came back.
    pub bounced: Option<Timestamp>,
}

/// What events add, or all that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Of cases.
    pub cases: BTreeMap<CaseId, CaseFact>,
    /// Of cycles.
    pub cycles: BTreeMap<(CaseId, i32), CycleFact>,
    /// Of call-backs.
    pub call_backs: BTreeMap<Uuid, CallBackFact>,
    /// Of payments.
    pub payments: BTreeMap<TaskId, PaymentFact>,
    /// Of losses that were written off.
    pub losses: BTreeMap<TaskId, LossFact>,
    /// Of the time that stood still, by its place in the case's timeline.
    pub pauses: BTreeMap<(CaseId, i32), PauseFact>,
    /// What has happened to cases; one told twice is kept once.
    pub events: Vec<ProcessEvent>,
    /// Of what complainants were told.
    pub tellings: BTreeMap<TellingKey, TellingFact>,
    /// What was so before.
    pub past: Past,
    /// Of what departments are asked to do.
    pub tasks: BTreeMap<TaskId, TaskFact>,
}

impl Facts {
    /// Whether there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        let Self { cases, cycles, call_backs, payments, losses, pauses, events, tellings, past, tasks } =
            self;
        cases.is_empty()
            && cycles.is_empty()
            && call_backs.is_empty()
            && payments.is_empty()
            && losses.is_empty()
            && pauses.is_empty()
            && events.is_empty()
            && tellings.is_empty()
            && past.is_empty()
            && tasks.is_empty()
    }

    /// The cases that anything is known of.
    pub fn case_ids(&self) -> Vec<CaseId> {
        let cases = self.cases.keys().copied();
        let cycles = self.cycles.keys().map(|(case, _)| *case);
        let call_backs = self.call_backs.values().map(|fact| fact.case_id);
        let payments = self.payments.values().map(|fact| fact.case_id);
        let losses = self.losses.values().map(|fact| fact.case_id);
        let pauses = self.pauses.keys().map(|(case, _)| *case);
        let tellings = self.tellings.keys().map(|(case, ..)| *case);
        let tasks = self.tasks.values().map(|fact| fact.case_id);
        let mut all: Vec<CaseId> = cases
            .chain(cycles)
            .chain(call_backs)
            .chain(payments)
            .chain(losses)
            .chain(pauses)
            .chain(tellings)
            .chain(tasks)
            .collect();
        all.sort();
        all.dedup();
        all
    }

    /// Adds what is told of a case.
    pub fn case(&mut self, case: CaseId, told: CaseFact) {
        self.cases.entry(case).or_default().merge(told);
    }

    /// Adds what is told of a cycle.
    pub fn cycle(&mut self, case: CaseId, cycle: i32, told: CycleFact) {
        self.cycles.entry((case, cycle)).or_default().merge(told);
    }

    /// Adds what is told of a call-back.
    pub fn call_back(&mut self, id: Uuid, told: CallBackFact) {
        match self.call_backs.entry(id) {
            Entry::Vacant(none) => {
                none.insert(told);
            }
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                known.ended = earlier(known.ended, told.ended);
                highest(&mut known.outcome, told.outcome);
            }
        }
    }

    /// Adds a payment; one is told once.
    pub fn payment(&mut self, task: TaskId, told: PaymentFact) {
        self.payments.entry(task).or_insert(told);
    }

    /// Adds a loss; one is told once.
    pub fn loss(&mut self, task: TaskId, told: LossFact) {
        self.losses.entry(task).or_insert(told);
    }

    /// Adds what is told of a task of a department.
    pub fn task(&mut self, id: TaskId, told: TaskFact) {
        match self.tasks.entry(id) {
            Entry::Vacant(none) => {
                none.insert(told);
            }
            Entry::Occupied(mut known) => known.get_mut().merge(told),
        }
    }

    /// Adds what is told of a telling. What it is of is known from then on.
    pub fn telling(&mut self, key: TellingKey, told: TellingFact) {
        let (case, kind, cycle, ..) = key;
        self.case(case, CaseFact::default());
        if kind == Kind::Outcome.number() {
            self.cycle(case, cycle, CycleFact::default());
        }
        let known = self.tellings.entry(key).or_default();
        known.told = earlier(known.told, told.told);
        known.bounced = earlier(known.bounced, told.bounced);
    }

    /// Adds when time stood still or ran on; each place of a timeline is told once.
    pub fn pause(&mut self, case: CaseId, ordinal: i32, told: PauseFact) {
        self.pauses.entry((case, ordinal)).or_insert(told);
    }
}

impl CaseFact {
    fn merge(&mut self, told: Self) {
        let Self { received, channel, region, product, complainant, history, filing, .. } = told;
        self.received = earlier(self.received, received);
        self.channel = self.channel.or(channel);
        self.region = self.region.take().or(region);
        self.product = self.product.take().or(product);
        self.complainant = self.complainant.or(complainant);
        self.history = self.history.or(history);
        self.filing = self.filing.take().or(filing);
        self.merged_apart = self.merged_apart.or(told.merged_apart);
        self.recorder = self.recorder.take().or(told.recorder);
        self.complete = self.complete.or(told.complete);
        let Self { category, priority, department, holder, sought, ended, paused, .. } = told;
        highest(&mut self.category, category);
        highest(&mut self.priority, priority);
        highest(&mut self.department, department);
        highest(&mut self.holder, holder);
        self.sought = self.sought.take().or(sought);
        highest(&mut self.ended, ended);
        self.paused = self.paused.or(paused);
        self.resolved = earlier(self.resolved, told.resolved);
        self.reopened = earlier(self.reopened, told.reopened);
        self.escalated = earlier(self.escalated, told.escalated);
        self.breached = earlier(self.breached, told.breached);
        self.limit_breached = earlier(self.limit_breached, told.limit_breached);
    }
}

impl CycleFact {
    fn merge(&mut self, told: Self) {
        let Self { agent, resolved, outcome, reopened, breached, disputed, handling, satisfaction } = told;
        highest(&mut self.agent, agent);
        self.resolved = earlier(self.resolved, resolved);
        self.reopened = earlier(self.reopened, reopened);
        self.breached = earlier(self.breached, breached);
        self.disputed = self.disputed.or(disputed);
        highest(&mut self.outcome, outcome);
        highest(&mut self.handling, handling);
        highest(&mut self.satisfaction, satisfaction);
    }
}

/// A rebuild of the facts from one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuild {
    /// The service whose feed is read again.
    pub source: String,
    /// When it was asked for.
    pub requested: Timestamp,
    /// How far it has been read; -1 while the facts of before are still thrown away.
    pub position: i64,
    /// How far it is read; none before it began.
    pub until: Option<i64>,
    /// When it had been read that far.
    pub finished: Option<Timestamp>,
}

impl Rebuild {
    /// Whether the facts of before are still thrown away.
    pub fn is_throwing(&self) -> bool {
        self.position < 0
    }

    /// Takes in that a feed, which stands at its head, was read up to a position.
    pub fn read(&mut self, position: i64, head: i64, now: Timestamp) {
        self.position = self.position.max(position);
        let until = *self.until.get_or_insert(head);
        if self.position >= until {
            self.finished = Some(now);
        }
    }
}

fn earlier(known: Option<Timestamp>, told: Option<Timestamp>) -> Option<Timestamp> {
    match (known, told) {
        (Some(known), Some(told)) => Some(known.min(told)),
        (known, told) => known.or(told),
    }
}

fn highest<T>(known: &mut Option<Ranked<T>>, told: Option<Ranked<T>>) {
    let Some(told) = told else { return };
    if known.as_ref().is_none_or(|known| told.rank > known.rank) {
        *known = Some(told);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What an event of a case may tell; its place in the list is its position.
    fn told(kind: u8, place: i64) -> Facts {
        let case = CaseId(Uuid::from_u128(7));
        let at = Timestamp::from_second(1_790_000_000 + place * 3_600).unwrap();
        let rank = place + 1;
        let mut facts = Facts::default();
        let fact = match kind {
            0 => CaseFact { received: Some(at), ..CaseFact::default() },
            1 => CaseFact { category: Some(Ranked::new(format!("c{place}"), rank)), ..CaseFact::default() },
            2 => {
                CaseFact { ended: Some(Ranked::new(Some((at, Ending::Closed)), rank)), ..CaseFact::default() }
            }
            3 => CaseFact { ended: Some(Ranked::new(None, rank)), ..CaseFact::default() },
            4 => CaseFact { resolved: Some(at), breached: Some(at), ..CaseFact::default() },
            5 => CaseFact { department: Some(Ranked::new(format!("d{place}"), rank)), ..CaseFact::default() },
            _ => CaseFact { holder: Some(Ranked::new(format!("a{place}"), rank)), ..CaseFact::default() },
        };
        facts.case(case, fact);
        let disputed = (kind == 4).then_some(true);
        let cycle = CycleFact { resolved: Some(at), breached: Some(at), disputed, ..CycleFact::default() };
        facts.cycle(case, 1, cycle);
        let sending = i32::from(kind);
        let key = (case, Kind::Outcome.number(), 1, NoticeId(Uuid::nil()), sending);
        let bounced = (place % 3 == 0).then_some(at);
        facts.telling(key, TellingFact { told: Some(at).filter(|_| bounced.is_none()), bounced });
        facts
    }

    fn add(facts: &mut Facts, told: &Facts) {
        for (case, fact) in told.cases.clone() {
            facts.case(case, fact);
        }
        for ((case, cycle), fact) in told.cycles.clone() {
            facts.cycle(case, cycle, fact);
        }
        for (key, fact) in told.tellings.clone() {
            facts.telling(key, fact);
        }
    }

    proptest! {
        #[test]
        fn events_in_any_order_and_told_again_come_to_the_same(
            kinds in prop::collection::vec(0..7_u8, 1..20),
            order in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
        ) {
            let all: Vec<Facts> = (0..).zip(&kinds).map(|(place, kind)| told(*kind, place)).collect();
            let mut in_order = Facts::default();
            for told in &all {
                add(&mut in_order, told);
            }
            let mut shuffled = Facts::default();
            for index in &order {
                add(&mut shuffled, &all[index.index(all.len())]);
            }
            for told in all.iter().rev() {
                add(&mut shuffled, told);
            }
            prop_assert_eq!(in_order, shuffled);
        }
    }
}
