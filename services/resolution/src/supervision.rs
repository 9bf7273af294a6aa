//! What is overdue climbs a ladder (督办): its department is reminded, then its supervisor
//! is told, then its head. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use kernel::TaskId;

/// Most rungs of a ladder.
pub const MAX_RUNGS: usize = 10;
/// Longest after the due time that a rung is climbed.
pub const MAX_AFTER: Duration = Duration::from_hours(365 * 24);
/// How often a step is handed back before it counts as going to and fro.
pub const LOOPING: i16 = 2;

kernel::numbered! {
    /// To whom it is told that a task is overdue.
    SupervisionLevel {
        /// The department is reminded.
        Department = 1 "the department",
        /// Its supervisor.
        Supervisor = 2 "its supervisor",
        /// Its head.
        Head = 3 "its head",
    }
}

/// A step of the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rung {
    /// To whom it is told.
    pub level: SupervisionLevel,
    /// How long after the due time.
    pub after: Duration,
}

/// Who supervises a department; empty where nobody is named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Supervisors {
    /// Subject of its supervisor.
    pub supervisor: String,
    /// Subject of its head.
    pub head: String,
}

/// By which ladder overdue tasks are supervised, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Supervision {
    /// The ladder, from its lowest rung.
    pub rungs: Vec<Rung>,
    /// Who supervises which department.
    pub departments: BTreeMap<String, Supervisors>,
}

impl Default for Supervision {
    /// The shipped ladder: at once, after 4 hours, after a day.
    fn default() -> Self {
        let rung = |level, hours| Rung { level, after: Duration::from_hours(hours) };
        let rungs = vec![
            rung(SupervisionLevel::Department, 0),
            rung(SupervisionLevel::Supervisor, 4),
            rung(SupervisionLevel::Head, 24),
        ];
        Self { rungs, departments: BTreeMap::new() }
    }
}

/// A rung that a task has climbed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The task.
    pub task_id: TaskId,
    /// By when it was due.
    pub due_time: Timestamp,
    /// Which rung, from 1.
    pub rung: i16,
    /// To whom it was told.
    pub level: SupervisionLevel,
    /// Their subject, where one is named.
    pub recipient: String,
    /// Whether it was passed over because a higher rung was due as well.
    pub skipped: bool,
    /// When.
    pub told_at: Timestamp,
}

/// What is told of an overdue task now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Climb {
    /// Whether it is told that it is overdue.
    pub overdue: bool,
    /// The rungs it climbs, from the lowest; the last of them is told.
    pub rungs: Vec<(i16, Rung)>,
    /// How far it was told of then.
    pub step: i16,
}

/// How a department stands beside its queue; counted up to a bound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DepartmentBacklog {
    /// Overdue tasks, by how far that was told.
    pub overdue: Vec<(i16, i32)>,
    /// When the oldest open task was created.
    pub oldest: Option<Timestamp>,
    /// By when the open task is due that is due first.
    pub least_due: Option<Timestamp>,
    /// Open tasks that go to and fro.
    pub looping: i32,
    /// Tasks that undo a step and need attention.
    pub not_undone: i32,
}

impl Supervision {
    /// How long a task must be overdue to be told of next, by how far it was told of.
    pub fn thresholds(&self) -> impl Iterator<Item = (i16, Duration)> + '_ {
        let after = std::iter::once(Duration::ZERO).chain(self.rungs.iter().map(|rung| rung.after));
        (0..).zip(after)
    }

    /// What is told now of a task that was told of so far; none where nothing is.
    pub fn climb(&self, step: i16, due: Timestamp, now: Timestamp) -> Option<Climb> {
        let by = Duration::try_from(now.duration_since(due)).ok()?;
        let climbed = usize::try_from(step.max(1) - 1).unwrap_or(0);
        let rungs = (1..).zip(&self.rungs).skip(climbed).take_while(|(_, rung)| rung.after <= by);
        let rungs: Vec<(i16, Rung)> = rungs.map(|(number, rung)| (number, *rung)).collect();
        let reached = rungs.last().map_or(1, |(number, _)| number + 1);
        (reached > step).then_some(Climb { overdue: step == 0, rungs, step: reached })
    }

    /// Who is told at a level of a department's task; empty where nobody is named.
    pub fn recipient(&self, department_id: &str, level: SupervisionLevel) -> String {
        let named = self.departments.get(department_id);
        let subject = named.map(|named| match level {
            SupervisionLevel::Department => String::new(),
            SupervisionLevel::Supervisor => named.supervisor.clone(),
            SupervisionLevel::Head => named.head.clone(),
        });
        subject.unwrap_or_default()
    }

    /// To whom it was told at last of a task that was told of so far. A ladder that became
    /// shorter since counts its highest rung.
    pub fn level(&self, step: i16) -> Option<SupervisionLevel> {
        let rung = usize::try_from(step - 1).unwrap_or(0).min(self.rungs.len());
        self.rungs.get(rung.checked_sub(1)?).map(|rung| rung.level)
    }

    /// The overdue tasks that are counted, by the level that was told at last.
    pub fn by_level(&self, counts: &[(i16, i32)]) -> Vec<(Option<SupervisionLevel>, i32)> {
        let mut levels: BTreeMap<Option<SupervisionLevel>, i32> = BTreeMap::new();
        for (step, count) in counts.iter().filter(|(_, count)| *count > 0) {
            *levels.entry(self.level(*step)).or_default() += count;
        }
        levels.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(minutes: u64) -> Timestamp {
        Timestamp::UNIX_EPOCH + Duration::from_mins(minutes)
    }

    fn ladder(minutes: &[u64]) -> Supervision {
        let rungs = minutes.iter().map(|minutes| Rung {
            level: SupervisionLevel::Supervisor,
            after: Duration::from_mins(*minutes),
        });
        Supervision { rungs: rungs.collect(), departments: BTreeMap::new() }
    }

    proptest! {
        #[test]
        fn every_rung_that_is_due_is_climbed_once_and_the_highest_is_told(
            delays in prop::collection::btree_set(0..500_u64, 0..MAX_RUNGS),
            looks in prop::collection::btree_set(0..700_u64, 1..20),
        ) {
            let delays: Vec<u64> = delays.into_iter().collect();
            let supervision = ladder(&delays);
            let due = at(100);
            let (mut step, mut climbed, mut told_overdue) = (0, Vec::new(), 0);
            for look in &looks {
                let thresholds: Vec<(i16, Duration)> = supervision.thresholds().collect();
                let found = thresholds.iter().any(|(so_far, after)| *so_far == step && due + *after <= at(*look));
                let climb = supervision.climb(step, due, at(*look));
                prop_assert_eq!(climb.is_some(), found, "what the store finds climbs, and nothing else");
                let Some(climb) = climb else { continue };
                told_overdue += usize::from(climb.overdue);
                climbed.extend(climb.rungs.iter().map(|(number, _)| *number));
                prop_assert!(climb.step > step);
                step = climb.step;
            }
            let last = looks.last().copied().unwrap_or_default();
            let due_by_then = delays.iter().filter(|after| 100 + **after <= last).count();
            let all: Vec<i16> = (1..).take(due_by_then).collect();
            prop_assert_eq!(climbed, all, "each once, in order");
            prop_assert_eq!(told_overdue, usize::from(last >= 100));
        }
    }

    #[test]
    fn a_longer_ladder_goes_on_where_the_shorter_ended_and_a_shorter_one_repeats_nothing() {
        let due = at(0);
        assert_eq!(ladder(&[0, 10, 20]).climb(3, due, at(30)).unwrap().rungs.len(), 1);
        assert_eq!(ladder(&[0]).climb(3, due, at(30)), None);
        assert_eq!(ladder(&[]).climb(0, due, at(0)).unwrap().step, 1);
        assert_eq!(ladder(&[]).climb(1, due, at(900)), None);
    }

    #[test]
    fn a_step_reads_as_the_level_it_was_told_to() {
        let shipped = Supervision::default();
        let levels = [0, 1, 2, 3, 4, 9].map(|step| shipped.level(step).map(SupervisionLevel::number));
        assert_eq!(levels, [None, None, Some(1), Some(2), Some(3), Some(3)]);
        let counted = shipped.by_level(&[(0, 2), (1, 1), (4, 5), (9, 1), (2, 0)]);
        assert_eq!(counted, [(None, 3), (Some(SupervisionLevel::Head), 6)]);
    }
}
