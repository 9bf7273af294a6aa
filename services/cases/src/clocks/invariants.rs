//! Whatever people do to a case and its clocks, in whatever order and however late
//! somebody looks: what is refused changes nothing, what was spent stays spent, a word
//! that was given is due when it was promised, and no step is taken twice.

use std::sync::LazyLock;

use calendar::{Action, Pack, Reason, Rung, State as ClockState};
use jiff::SignedDuration;
use proptest::prelude::*;
use triage::Triage;
use uuid::Uuid;
use vocabulary::Priority;

use super::holding::{Granting, Reply};
use super::policy::KindLadder;
use super::*;
use crate::calendars::Calendars;
use crate::case::properties::{Op, apply, occasion, opened};
use crate::refusal::Refusal;
use crate::reopening::ReopeningLimits;

/// A promise that may stand still and depends on complexity, and one that a holding
/// reply prolongs.
const PACK: &str = r#"
    name = "test"
    version = 1
    title = "for tests"
    source = "none"
    calendar = "always"
    effective_from = "1900-01-01"
    promises = [
        { kind = "decide", budget = "240 hours", pause = { reasons = ["appraisal"], cap = "100 hours" } },
        { kind = "decide", when = { complexity = "complex" }, budget = "480 hours",
          pause = { reasons = ["appraisal"], cap = "100 hours" } },
        { kind = "decide", when = { complexity = "simple" }, budget = "96 hours" },
        { kind = "final", budget = "360 hours",
          extension = { most = 240, total = 480, times = 2, approval = false, holding_reply = true } },
    ]
"#;

static POLICIES: LazyLock<[Policy; 1]> = LazyLock::new(|| {
    let at = |at: &str| at.parse().expect("a trigger");
    let rung = |name: &str, at, action| Rung { name: name.to_owned(), at, actions: vec![action] };
    let rungs =
        vec![rung("half", at("50%"), Action::Remind), rung("late", at("1 day after"), Action::Escalate)];
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

#[derive(Clone, Debug)]
enum Act {
    Wait { hours: i64 },
    Look,
    Pause,
    Resume,
    Hold { hours: Option<i64>, more: Option<u32> },
    Retriage { complexity: Level },
    Merge,
    Unmerge,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        6 => (1..200_i64).prop_map(|hours| Act::Wait { hours }),
        3 => Just(Act::Look),
        2 => Just(Act::Pause),
        1 => Just(Act::Resume),
        3 => (proptest::option::of(-5..300_i64), proptest::option::of(0..200_u32))
            .prop_map(|(hours, more)| Act::Hold { hours, more }),
        2 => proptest::sample::select(Level::ALL).prop_map(|complexity| Act::Retriage { complexity }),
        2 => Just(Act::Merge),
        2 => Just(Act::Unmerge),
    ];
    proptest::collection::vec(act, 0..40)
}

/// A case, its clocks, and the time.
#[derive(Clone)]
struct World {
    case: Case,
    clocks: Clocks,
    now: Timestamp,
    /// When there is news, as was promised last.
    promised: Option<Timestamp>,
}

impl World {
    fn new() -> Self {
        let now = Timestamp::UNIX_EPOCH;
        let mut case = opened(&occasion(now));
        let clocks = Clocks::open(&case, None, &*POLICIES);
        clocks.date(&mut case);
        case.journal.clear();
        Self { case, clocks, now, promised: None }
    }

    /// As the service does: what is in the journal is taken in afterwards.
    fn act(&mut self, act: &Act) -> Result<(), Refusal> {
        let (case, clocks, at) = (&mut self.case, &mut self.clocks, occasion(self.now));
        let merged = case.merged.is_some();
        match act {
            Act::Wait { hours } => self.now += SignedDuration::from_hours(*hours),
            Act::Look => clocks.fire(case, &*POLICIES, &at),
            Act::Merge => apply(case, &Op::Merge, &at)?,
            Act::Unmerge => apply(case, &Op::Unmerge, &at)?,
            Act::Retriage { complexity } => {
                let (category, reasons) = (case.category.clone(), Vec::new());
                let triage = Triage { category, priority: Priority::P4, complexity: *complexity, reasons };
                case.retriage(triage, None, &at)?;
            }
            Act::Pause | Act::Resume | Act::Hold { .. } if merged => {
                return Err(Refusal::InvalidCaseState(case.state));
            }
            Act::Pause => clocks.pause(case, &[], Reason::Appraisal, "", &at)?,
            Act::Resume => clocks.resume(case, &[], "", &at)?,
            Act::Hold { hours, more } => {
                let next = hours.map(|hours| self.now + SignedDuration::from_hours(hours));
                let (text, reason) = ("soon".to_owned(), "it is hard".to_owned());
                let reply = Reply { text, reason, next, more: *more, cause: String::new() };
                clocks.hold(case, &*POLICIES, reply, Granting { id: Uuid::nil(), number: 1 }, &at)?;
                self.promised = next;
            }
        }
        self.clocks.follow(&self.case, &*POLICIES);
        self.clocks.date(&mut self.case);
        self.case.journal.clear();
        Ok(())
    }

    fn rows(&self) -> Vec<(Clock, i32, Vec<String>)> {
        self.clocks.0.iter().map(|row| (row.clock.clone(), row.cycle, row.rungs.clone())).collect()
    }

    /// What was spent of the promises that are never renewed.
    fn spent(&self) -> Vec<SignedDuration> {
        let kept = self.clocks.0.iter().filter(|row| row.clock.kind != Kind::Update);
        kept.map(|row| row.clock.consumed(&row.calendar, self.now)).collect()
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let (case, clocks) = (&self.case, &self.clocks);
        let next = clocks.next(case, &*POLICIES);
        let due = clocks.0.iter().filter_map(CaseClock::due).min();
        prop_assert_eq!(case.due_time, due.filter(|_| case.merged.is_none()));
        prop_assert!(case.merged.is_none() || next.is_none(), "nothing fires while merged");
        for row in &clocks.0 {
            let clock = &row.clock;
            let others = clocks.0.iter().filter(|other| other.clock.kind == clock.kind);
            prop_assert_eq!(others.count(), 1, "one of each kind in a cycle");
            prop_assert!(clock.extended <= clock.terms.most_extension());
            let mut rungs = row.rungs.clone();
            rungs.sort();
            rungs.dedup();
            prop_assert_eq!(rungs.len(), row.rungs.len(), "a step taken twice");
            let stood: SignedDuration =
                clock.pauses.iter().map(|pause| pause.until.duration_since(pause.from)).sum();
            prop_assert!(stood <= SignedDuration::from_hours(100));
            if clock.kind == Kind::Update {
                let running = matches!(clock.state, ClockState::Running { .. });
                prop_assert_eq!(row.due(), self.promised.filter(|_| running));
                prop_assert!(running == self.promised.is_some(), "a word is kept by the next news alone");
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn clocks_stay_sound_whatever_people_do(acts in acts()) {
        let mut world = World::new();
        world.check()?;
        for act in &acts {
            let before = world.clone();
            match world.act(act) {
                Err(_) => {
                    prop_assert_eq!(&world.case, &before.case, "a refusal changes nothing");
                    prop_assert_eq!(world.rows(), before.rows());
                }
                Ok(()) => world.check()?,
            }
            for (spent, spent_before) in world.spent().iter().zip(before.spent()) {
                prop_assert!(*spent >= spent_before, "{act:?} gave time back");
                prop_assert!(matches!(act, Act::Wait { .. }) || *spent == spent_before, "{act:?} took time");
            }
            if matches!(act, Act::Look) {
                let next = world.clocks.next(&world.case, &*POLICIES);
                prop_assert!(next.is_none_or(|next| next > world.now), "all is done by now");
            }
        }
    }
}
