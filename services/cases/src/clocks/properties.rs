//! Whatever happens to a case and whenever somebody looks at its clocks: no step
//! is taken twice, none is forgotten, and what is over owes nothing.

use std::sync::LazyLock;

use calendar::{Action, Pack, Reason as PauseReason, Rung, State as ClockState};
use jiff::SignedDuration;
use proptest::prelude::*;
use vocabulary::{NoticeKind, Outcome};

use super::policy::{BREACH, KindLadder};
use super::*;
use crate::calendars::Calendars;
use crate::case::properties::{Op, apply, occasion, opened, ops};
use crate::case::{Decision, Move};
use crate::external_event::{ANONYMOUS, Event, ExternalEvent};
use crate::promise::number;
use crate::reopening::ReopeningLimits;
use crate::timeline::{Grading, Timing, Together, Urgency, WithdrawalSource};

/// A regime's answer in 10 days beside own targets, and what is counted from
/// later moments.
const PACK: &str = r#"
    name = "test"
    version = 3
    title = "for tests"
    source = "none"
    calendar = "always"
    effective_from = "1900-01-01"
    promises = [
        { kind = "acknowledge", budget = "24 hours", own_target = true },
        { kind = "decide", budget = "240 hours" },
        { kind = "decide", budget = "96 hours", when = { priority = 1 } },
        { kind = "update", budget = "120 hours", own_target = true, pause = { reasons = ["appraisal"] } },
        { kind = "accept", budget = "48 hours", starts = "hand-over" },
        { kind = "tell", budget = "72 hours", starts = "decision" },
        { kind = "remedy", budget = "72 hours", starts = "approval", own_target = true },
        { kind = "review", budget = "720 hours", starts = "review-request" },
    ]
"#;

static POLICIES: LazyLock<[Policy; 1]> = LazyLock::new(|| {
    let rung = |name: &str, at: &str, actions: &[Action]| Rung {
        name: name.to_owned(),
        at: at.parse().expect("a trigger"),
        actions: actions.to_vec(),
    };
    let rungs = vec![
        rung("half", "50%", &[Action::Remind]),
        rung("soon", "1 day before", &[Action::Reassign, Action::RaisePriority]),
        rung("late", "1 day after", &[Action::Escalate]),
    ];
    let pack = Pack::from_toml(PACK).expect("a sound pack");
    [Policy::of(
        1,
        vec![pack],
        vec![KindLadder { kind: None, rungs }],
        ReopeningLimits::SHIPPED,
        &Calendars::default(),
    )
    .expect("a sound policy")]
});

fn start() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

pub(super) fn day(days: i64) -> Timestamp {
    start() + SignedDuration::from_hours(24 * days)
}

pub(super) fn new_case() -> (Case, Clocks) {
    let mut case = opened(&occasion(start()));
    let clocks = Clocks::open(&case, None, &*POLICIES);
    case.journal.clear();
    (case, clocks)
}

impl Clocks {
    /// As `follow` does: what is in the journal has been taken in afterwards.
    fn take_in(&mut self, case: &mut Case) -> Vec<Fact> {
        self.follow(case, &*POLICIES);
        self.date(case);
        case.journal.drain(..).map(|noted| noted.fact).collect()
    }

    fn fire_at(&mut self, case: &mut Case, now: Timestamp) -> Vec<Fact> {
        self.fire(case, &*POLICIES, &occasion(now));
        self.take_in(case)
    }

    fn of(&self, kind: Kind, cycle: i32) -> &CaseClock {
        let wanted = |clock: &&CaseClock| clock.clock.kind == kind && clock.cycle == cycle;
        self.0.iter().find(wanted).expect("there is such a clock")
    }
}

/// Takes in what is in the journal.
pub(super) fn take_in(clocks: &mut Clocks, case: &mut Case) -> Vec<Fact> {
    clocks.take_in(case)
}

pub(super) fn hear(case: &mut Case, event: Event, now: Timestamp) {
    let external = ExternalEvent { cycle: case.cycle, actor: String::new(), event };
    case.hear(external, &occasion(now)).expect("it fits");
}

pub(super) fn assign(case: &mut Case, now: Timestamp) {
    let (department, agent) = ("d".to_owned(), "ann".to_owned());
    hear(case, Event::Assigned { department, agent, explanation: String::new() }, now);
}

pub(super) fn decide(case: &mut Case, now: Timestamp) {
    let decision = Decision { outcome: Outcome::Upheld, reasons: String::new(), remedy_due: false };
    case.decide(decision, &occasion(now)).expect("assigned");
}

#[test]
fn each_step_is_taken_in_its_time() {
    let (mut case, mut clocks) = new_case();
    assign(&mut case, start());
    clocks.take_in(&mut case);
    clocks.0.retain(|clock| clock.clock.kind == Kind::Decide);
    let mut taken = Vec::new();
    for days in 1..=13 {
        for fact in clocks.fire_at(&mut case, day(days)) {
            taken.push((days, fact));
        }
    }
    let due = day(10);
    let why = |rung: &str| format!("step {rung} of the promise to decide and tell the complainant");
    let kind = Kind::Decide;
    assert_eq!(
        taken,
        [
            (5, Fact::Timing(Timing::Reminded { kind, rung: "half".to_owned(), due: Some(due) })),
            (9, Fact::Urgency(Urgency::Returned { reason: why("soon") })),
            (
                9,
                Fact::Urgency(Urgency::PriorityRaised {
                    priority: vocabulary::Priority::P3,
                    reason: why("soon")
                })
            ),
            (
                10,
                Fact::Timing(Timing::Breached { kind, due, policy: "test@3".to_owned(), own_target: false })
            ),
            (11, Fact::Urgency(Urgency::Escalated { tier: 1, reason: why("late") })),
        ]
    );
    assert_eq!((case.tier, case.due_time, clocks.next(&case, &*POLICIES)), (1, Some(due), None));
}

#[test]
fn after_a_downtime_only_the_newest_step_is_taken() {
    let (mut case, mut clocks) = new_case();
    clocks.0.retain(|clock| clock.clock.kind == Kind::Decide);
    let facts = clocks.fire_at(&mut case, day(40));
    let missed = |rung: &str| Fact::Timing(Timing::RungMissed { kind: Kind::Decide, rung: rung.to_owned() });
    assert_eq!(facts[..2], [missed("half"), missed("soon")]);
    assert!(matches!(facts[2], Fact::Timing(Timing::Breached { .. })), "a breach is no step to be skipped");
    assert!(matches!(facts[3], Fact::Urgency(Urgency::Escalated { .. })));
    assert_eq!(facts.len(), 4);
    assert_eq!(clocks.fire_at(&mut case, day(41)), []);
}

#[test]
fn a_regimes_clock_runs_on_in_the_next_cycle_and_own_targets_begin_anew() {
    let (mut case, mut clocks) = new_case();
    assign(&mut case, day(0));
    decide(&mut case, day(3));
    clocks.take_in(&mut case);
    assert_eq!(clocks.of(Kind::Decide, 1).clock.state, ClockState::Met { at: day(3) });
    assert_eq!(clocks.of(Kind::Tell, 1).due(), Some(day(6)));
    hear(&mut case, Event::Disputes { comment: String::new() }, day(5));
    clocks.take_in(&mut case);
    assert_eq!(clocks.of(Kind::Decide, 1).clock.state, ClockState::Met { at: day(3) }, "kept stays kept");
    assert_eq!(clocks.of(Kind::Decide, 2).due(), Some(day(10)), "as if it had never been met");
    assert_eq!(clocks.of(Kind::Update, 2).due(), Some(day(10)), "five days from the next cycle on");
    assert_eq!(clocks.of(Kind::Review, 2).due(), Some(day(35)));
    assert!(clocks.of(Kind::Tell, 1).clock.state == ClockState::Met { at: day(5) }, "they answered it");
    let anew = clocks.0.iter().filter(|clock| clock.cycle == 2).count();
    assert_eq!(anew, 3, "a complaint is acknowledged once");
}

#[test]
fn reopened_more_urgent_what_is_promised_for_that_counts_from_the_start() {
    let (mut case, mut clocks) = new_case();
    case.priority = vocabulary::Priority::P2;
    assign(&mut case, day(0));
    decide(&mut case, day(3));
    clocks.take_in(&mut case);
    hear(&mut case, Event::Disputes { comment: String::new() }, day(5));
    assert_eq!(case.priority, vocabulary::Priority::P1, "one level up");
    clocks.take_in(&mut case);
    assert_eq!(clocks.of(Kind::Decide, 2).due(), Some(day(4)), "4 days from the receipt, as for a P1");
    assert_eq!(clocks.of(Kind::Decide, 1).clock.terms.budget.to_string(), "240 hours", "kept as for a P2");
}

#[test]
fn a_forwarded_complaint_counts_for_the_regime_from_its_forwarding_and_for_us_from_its_receipt() {
    let case = opened(&occasion(start()));
    let clocks = Clocks::open(&case, Some(day(-8)), &*POLICIES);
    assert_eq!(clocks.of(Kind::Decide, 1).due(), Some(day(2)));
    assert_eq!(clocks.of(Kind::Accept, 1).due(), Some(day(-6)), "counted from the hand-over");
    assert_eq!(clocks.of(Kind::Acknowledge, 1).due(), Some(day(1)), "our own target");
    assert_eq!(clocks.of(Kind::Update, 1).due(), Some(day(5)), "our own target");
}

#[test]
fn a_pause_without_a_cap_reminds_every_week_until_it_ends() {
    let (mut case, mut clocks) = new_case();
    clocks.0.retain(|clock| clock.clock.kind == Kind::Review || clock.clock.kind == Kind::Update);
    clocks.pause(&mut case, &[Kind::Update], PauseReason::Appraisal, "", &occasion(day(1))).expect("lawful");
    clocks.take_in(&mut case);
    assert_eq!(clocks.next(&case, &*POLICIES), Some(day(8)));
    let reminder = Fact::Timing(Timing::Reminded {
        kind: Kind::Update,
        rung: rungs::STILL_PAUSED.to_owned(),
        due: None,
    });
    assert_eq!(clocks.fire_at(&mut case, day(7)), []);
    assert_eq!(clocks.fire_at(&mut case, day(8)), std::slice::from_ref(&reminder));
    assert_eq!(clocks.fire_at(&mut case, day(8)), [], "once");
    assert_eq!(clocks.fire_at(&mut case, day(40)), [reminder], "after a downtime once, not once a week");
    assert_eq!(clocks.next(&case, &*POLICIES), Some(day(43)));
    clocks.resume(&mut case, &[], "", &occasion(day(41))).expect("paused");
    clocks.take_in(&mut case);
    assert_eq!(clocks.of(Kind::Update, 1).due(), Some(day(45)), "a day of five was spent");
}

#[test]
fn withdrawn_or_unreachable_nothing_is_owed() {
    let (mut case, mut clocks) = new_case();
    let failure = Some(ANONYMOUS.to_owned());
    hear(&mut case, Event::NoticeSettled { kind: NoticeKind::Acknowledgement, failure, mail: None }, day(0));
    clocks.take_in(&mut case);
    assert_eq!(clocks.of(Kind::Acknowledge, 1).clock.state, ClockState::Stopped { at: day(0) });
    assert_eq!(case.due_time, Some(day(2)), "what is counted from the hand-over is from the receipt here");
    case.withdraw(WithdrawalSource::Staff, String::new(), &occasion(day(1))).expect("open");
    clocks.take_in(&mut case);
    assert_eq!((case.due_time, clocks.next(&case, &*POLICIES)), (None, None));
    assert_eq!(clocks.of(Kind::Decide, 1).clock.state, ClockState::Stopped { at: day(1) });
}

#[test]
fn somebody_without_an_address_is_owed_an_acknowledgement_until_it_is_recorded() {
    for failure in ["NO_ADDRESS", "AUTOMATIC_SENDER", "OWN_ADDRESS", "NO_TRANSPORT"] {
        let (mut case, mut clocks) = new_case();
        let failure = Some(failure.to_owned());
        hear(
            &mut case,
            Event::NoticeSettled { kind: NoticeKind::Acknowledgement, failure, mail: None },
            day(0),
        );
        clocks.take_in(&mut case);
        assert_eq!(clocks.of(Kind::Acknowledge, 1).due(), Some(day(1)));
        // Called before it was due, recorded after.
        let half = day(0) + SignedDuration::from_hours(12);
        let by = "telephone".to_owned();
        let kind = NoticeKind::Acknowledgement;
        hear(&mut case, Event::NoticeRecorded { kind, by: format!("by {by}"), told: half }, day(2));
        clocks.take_in(&mut case);
        let clock = clocks.of(Kind::Acknowledge, 1);
        assert_eq!(clock.clock.state, ClockState::Met { at: half });
        assert!(!clock.clock.is_breached(&clock.calendar, day(3)));
    }
}

#[test]
fn a_failed_delivery_keeps_no_promise() {
    let (mut case, mut clocks) = new_case();
    let failure = Some("NO_TRANSPORT".to_owned());
    hear(&mut case, Event::NoticeSettled { kind: NoticeKind::Acknowledgement, failure, mail: None }, day(0));
    clocks.take_in(&mut case);
    assert_eq!(clocks.of(Kind::Acknowledge, 1).due(), Some(day(1)));
    hear(&mut case, Event::NoticeSettled { kind: NoticeKind::Outcome, failure: None, mail: None }, day(2));
    clocks.take_in(&mut case);
    assert!(clocks.of(Kind::Acknowledge, 1).clock.is_breached(&clocks.0[0].calendar, day(2)));
}

#[test]
fn triaged_again_the_time_spent_stays_spent() {
    let (mut case, mut clocks) = new_case();
    case.priority = vocabulary::Priority::P1;
    case.note(
        &occasion(day(2)),
        Fact::Grading(Grading::Retriaged {
            category: case.category.clone(),
            priority: case.priority,
            reasons: Vec::new(),
        }),
    );
    clocks.take_in(&mut case);
    assert_eq!(clocks.of(Kind::Decide, 1).due(), Some(day(4)));
}

#[test]
fn one_of_very_many_is_promised_what_is_most_urgent_but_not_one_that_is_late() {
    let (mut case, mut clocks) = new_case();
    let usual = clocks.of(Kind::Decide, 1).due();
    case.raise_priority_to(vocabulary::Priority::P1, "late".to_owned(), &occasion(day(1)));
    clocks.take_in(&mut case);
    assert_eq!(clocks.of(Kind::Decide, 1).due(), usual, "its own delay makes no deadline shorter");
    let alarm = Together::GroupAlarm { group: uuid::Uuid::nil(), members: 20 };
    case.note(&occasion(day(2)), Fact::Together(alarm));
    clocks.take_in(&mut case);
    assert_eq!(clocks.of(Kind::Decide, 1).due(), Some(day(4)));
}

#[test]
fn the_policy_that_applies_to_the_day_of_receipt_is_in_force() {
    let pack = |name: &str, from: &str| {
        Pack::from_toml(&PACK.replace("\"test\"", name).replace("1900-01-01", from)).expect("sound")
    };
    let old = Policy::of(
        1,
        vec![pack("\"old\"", "1900-01-01")],
        Vec::new(),
        ReopeningLimits::SHIPPED,
        &Calendars::default(),
    )
    .expect("sound");
    let new = Policy::of(
        2,
        vec![pack("\"new\"", "1970-02-01")],
        Vec::new(),
        ReopeningLimits::SHIPPED,
        &Calendars::default(),
    )
    .expect("sound");
    let shipped = Policy::shipped(&Calendars::default()).expect("sound");
    let policies = [new, old, shipped];
    let version = |time| in_force_version(&policies, time);
    assert_eq!((version(day(30)), version(day(31))), (1, 2));
    assert_eq!(in_force_version(&policies[2..], day(0)), 0, "the shipped one is for whoever has no other");
}

fn in_force_version(policies: &[Policy], received: Timestamp) -> i32 {
    policy::in_force(policies, received).expect("one is").version
}

/// How often each step of each clock was taken or noted.
fn count(seen: &mut BTreeMap<(i16, String), usize>, facts: &[Fact]) {
    for fact in facts {
        let step = match fact {
            Fact::Timing(Timing::Reminded { kind, rung, .. } | Timing::RungMissed { kind, rung }) => {
                (number(*kind), rung.clone())
            }
            Fact::Timing(Timing::Breached { kind, .. }) => (number(*kind), BREACH.to_owned()),
            _ => continue,
        };
        *seen.entry(step).or_default() += 1;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn no_step_is_taken_twice_and_none_is_left_behind(ops in ops(), looks in any::<u64>()) {
        let (mut case, mut clocks) = new_case();
        let (mut now, mut seen) = (start(), BTreeMap::new());
        for (place, op) in ops.iter().enumerate() {
            now = pass(op, now);
            apply(&mut case, op, &occasion(now)).ok();
            clocks.take_in(&mut case);
            // Somebody looks, or is down.
            if looks >> (place % 64) & 1 == 1 {
                let facts = clocks.fire_at(&mut case, now);
                count(&mut seen, &facts);
                prop_assert!(clocks.next(&case, &*POLICIES).is_none_or(|next| next > now), "all is done by now");
                prop_assert_eq!(clocks.fire_at(&mut case, now), Vec::new());
            }
            let open = clocks.0.iter().filter(|clock| clock.clock.is_open()).count();
            prop_assert!(!case.state.is_over() || open == 0, "what is over owes nothing");
            prop_assert_eq!(case.due_time.is_some(), open > 0 && case.merged.is_none());
            prop_assert!(case.merged.is_none() || clocks.next(&case, &*POLICIES).is_none());
            let stands = case.merged.map_or(case.state, |merged| merged.stood);
            let deciding = Move::DecideNoRemedy.from(stands).is_ok();
            prop_assert!(!deciding || clocks.0.iter().any(|clock| clock.clock.kind == Kind::Decide && clock.clock.is_open()));
        }
        let cycles = usize::try_from(case.cycle).unwrap_or(0);
        for ((kind, rung), times) in seen {
            let clocks = clocks.0.iter().filter(|clock| number(clock.clock.kind) == kind).count();
            prop_assert!(times <= clocks && clocks <= cycles, "{rung} was taken {times} times on {clocks} clocks");
        }
    }

    /// Whatever happens while a case is merged: nothing fires, and unmerged it has the
    /// clocks, the due time and the steps it would have had.
    #[test]
    fn a_merge_leaves_the_clocks_as_if_it_had_not_been(
        before in ops(),
        meanwhile in ops(),
        looks in any::<u64>(),
    ) {
        let (mut case, mut clocks) = new_case();
        let mut now = start();
        for op in &before {
            now = pass(op, now);
            apply(&mut case, op, &occasion(now)).ok();
            clocks.take_in(&mut case);
        }
        clocks.fire_at(&mut case, now);
        let (mut merged, mut of_merged) = (case.clone(), clocks.clone());
        if apply(&mut merged, &Op::Merge, &occasion(now)).is_err() {
            return Ok(());
        }
        of_merged.take_in(&mut merged);
        for (place, op) in meanwhile.iter().enumerate() {
            now = pass(op, now);
            if matches!(op, Op::Hear { .. } | Op::Note) {
                apply(&mut merged, op, &occasion(now)).ok();
                of_merged.take_in(&mut merged);
                apply(&mut case, op, &occasion(now)).ok();
                clocks.take_in(&mut case);
            }
            if looks >> (place % 64) & 1 == 1 {
                prop_assert_eq!(of_merged.fire_at(&mut merged, now), Vec::new());
            }
            prop_assert_eq!((merged.due_time, of_merged.next(&merged, &*POLICIES)), (None, None));
        }
        apply(&mut merged, &Op::Unmerge, &occasion(now)).expect("it is merged");
        of_merged.take_in(&mut merged);
        let kept = |clocks: &Clocks| -> Vec<_> {
            clocks.0.iter().map(|clock| (clock.clock.clone(), clock.cycle, clock.rungs.clone())).collect()
        };
        prop_assert_eq!(kept(&of_merged), kept(&clocks));
        prop_assert_eq!(merged.due_time, case.due_time);
        prop_assert_eq!(of_merged.next(&merged, &*POLICIES), clocks.next(&case, &*POLICIES));
        prop_assert_eq!(of_merged.fire_at(&mut merged, now), clocks.fire_at(&mut case, now));
    }
}

/// The time after an op.
fn pass(op: &Op, now: Timestamp) -> Timestamp {
    match op {
        Op::Wait { hours } => now + SignedDuration::from_hours(*hours),
        _ => now,
    }
}
