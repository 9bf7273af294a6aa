//! Recalls of articles with a defect: one article or lot, many cases, and for each case a
//! task to each department. Pure.
//!
//! A recall outlives the handling of its cases: what it asks of departments stays when a
//! case is decided, closed or withdrawn, and ends with the recall. It moves no money, and so
//! needs no approval: refunds are steps of plans.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use fault::Fault;
use jiff::Timestamp;
use kernel::{CaseId, RecallId, TaskId};

use crate::case::{CaseView, RemedyStatus};
use crate::refusal::Refusal;
use crate::remedy::{Flaw, Remedy, RemedyKind};
use crate::task::{Task, TaskState};

/// Most cases of a recall.
pub const MAX_CASES: i32 = 100_000;
/// Most cases that are added at once.
pub const MAX_CASES_AT_ONCE: usize = 100;
/// Most measures of a recall.
pub const MAX_MEASURES: usize = 10;

kernel::numbered! {
    /// Where a recall stands.
    RecallState {
        /// Cases can be added.
        Open = 1,
        /// Carried out. Final.
        Closed = 2,
        /// Called off. Final.
        Cancelled = 3,
    }
}

kernel::numbered! {
    /// What became of a case that was to be added.
    RecallVerdict {
        /// It is in the recall now.
        Added = 1,
        /// It was in it before, or is named twice.
        AlreadyIn = 2,
        /// There is no such case.
        CaseNotFound = 3,
        /// The case has ended.
        CaseEnded = 4,
        /// The complaint is about who adds it.
        CallerRecused = 5,
    }
}

/// What one department does for each case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measure {
    /// Who does it.
    pub department_id: String,
    /// What is done.
    pub remedy: Remedy,
}

/// How a recall ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// Who ended it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// What is recalled, and what is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defect {
    /// The article.
    pub sku: String,
    /// The lot of it; empty means all.
    pub lot: String,
    /// What is wrong with it, for staff.
    pub reason: String,
    /// What complainants are to know.
    pub notice: String,
    /// What departments do for each case.
    pub measures: Vec<Measure>,
}

/// A recall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recall {
    /// Identity.
    pub recall_id: RecallId,
    /// Counts the changes.
    pub version: i64,
    /// Where it stands.
    pub state: RecallState,
    /// What is recalled.
    pub defect: Defect,
    /// How many cases are in it.
    pub cases: i32,
    /// Who opened it.
    pub opener: String,
    /// When.
    pub opened_at: Timestamp,
    /// How it ended; none while it is open.
    pub end: Option<End>,
}

/// A case in a recall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecallCase {
    /// The case.
    pub case_id: CaseId,
    /// Who added it.
    pub adder: String,
    /// When.
    pub added_at: Timestamp,
}

/// What is known of cases that are to be added: those there are, and those that are in the
/// recall already.
#[derive(Clone, Debug, Default)]
pub struct KnownCases {
    /// The cases that there are.
    pub views: HashMap<CaseId, CaseView>,
    /// Those that are in it.
    pub inside: HashSet<CaseId>,
}

/// What is wrong with measures, each with its place, as fields of them.
pub fn flaws<'a>(measures: impl IntoIterator<Item = (usize, &'a Measure)>) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let mut seen = BTreeSet::new();
    for (index, measure) in measures {
        let kind = measure.remedy.kind;
        if kind.needs_amount() {
            let what = "moves money: that is a step of a plan of each case";
            flaws.push(Flaw::new(format!("measures[{index}].kind"), what));
        } else if kind == RemedyKind::Custom {
            let what = "is a type of the tenant's own: that is a step of a plan of each case";
            flaws.push(Flaw::new(format!("measures[{index}].kind"), what));
        } else {
            let own = measure.remedy.flaws().into_iter();
            flaws.extend(own.map(|flaw| Flaw::new(format!("measures[{index}].{}", flaw.field), flaw.what)));
        }
        if !seen.insert((measure.department_id.as_str(), kind)) {
            let what = "is the second of its department and kind";
            flaws.push(Flaw::new(format!("measures[{index}]"), what));
        }
    }
    flaws
}

impl Recall {
    /// A recall without cases.
    pub fn open(recall_id: RecallId, defect: Defect, opener: &str, now: Timestamp) -> Self {
        Self {
            recall_id,
            version: 1,
            state: RecallState::Open,
            defect,
            cases: 0,
            opener: opener.to_owned(),
            opened_at: now,
            end: None,
        }
    }

    /// Refuses a caller who has seen another version; absent skips the check.
    pub fn seen_as(&self, version: Option<i64>) -> Result<(), Fault> {
        match version {
            Some(seen) if seen != self.version => Err(Fault::version_mismatch(self.version)),
            _ => Ok(()),
        }
    }

    /// Adds what of these cases can be added; answers what became of each, in their order.
    pub fn add(
        &mut self,
        asked: &[CaseId],
        known: &KnownCases,
        adder: &str,
    ) -> Result<Vec<(CaseId, RecallVerdict)>, Refusal> {
        self.must_be_open()?;
        let mut inside = known.inside.clone();
        let mut verdicts = Vec::with_capacity(asked.len());
        for case_id in asked {
            let verdict = match known.views.get(case_id) {
                _ if inside.contains(case_id) => RecallVerdict::AlreadyIn,
                None => RecallVerdict::CaseNotFound,
                Some(case) if case.standing == RemedyStatus::Closed => RecallVerdict::CaseEnded,
                Some(case) if case.not_about_person(adder).is_err() => RecallVerdict::CallerRecused,
                Some(_) => RecallVerdict::Added,
            };
            if verdict == RecallVerdict::Added {
                inside.insert(*case_id);
            }
            verdicts.push((*case_id, verdict));
        }
        let growth = i32::try_from(inside.len() - known.inside.len()).unwrap_or(i32::MAX);
        let cases = self.cases.saturating_add(growth);
        if cases > MAX_CASES {
            return Err(Refusal::TooManyRecallCases(MAX_CASES));
        }
        if growth > 0 {
            self.version += 1;
            self.cases = cases;
        }
        Ok(verdicts)
    }

    /// Its tasks for a case that was added, one for each measure.
    pub fn tasks(
        &self,
        case: &CaseView,
        requester: &str,
        now: Timestamp,
        mut new_id: impl FnMut() -> TaskId,
    ) -> Vec<Task> {
        let measures = self.defect.measures.iter();
        let task = |measure: &Measure| {
            let work = (measure.department_id.clone(), measure.remedy.clone());
            Task {
                recall_id: Some(self.recall_id),
                requester: requester.to_owned(),
                ..Task::new(new_id(), case.origin(), work, now)
            }
        };
        measures.map(task).collect()
    }

    /// Nothing of it is left to do: so many of its tasks have not ended.
    pub fn close(&mut self, end: End, open: i64) -> Result<(), Refusal> {
        self.must_be_open()?;
        if open > 0 {
            return Err(Refusal::RecallTasksOpen(open));
        }
        self.end(RecallState::Closed, end);
        Ok(())
    }

    /// It is called off; one that is stays as it ended. Answers whether it was open.
    pub fn cancel(&mut self, end: End) -> Result<bool, Refusal> {
        match self.state {
            RecallState::Closed => Err(Refusal::InvalidRecallState),
            RecallState::Cancelled => Ok(false),
            RecallState::Open => {
                self.end(RecallState::Cancelled, end);
                Ok(true)
            }
        }
    }

    fn end(&mut self, state: RecallState, end: End) {
        self.version += 1;
        self.state = state;
        self.end = Some(end);
    }

    fn must_be_open(&self) -> Result<(), Refusal> {
        if self.state == RecallState::Open { Ok(()) } else { Err(Refusal::InvalidRecallState) }
    }
}

/// How many tasks stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// May be handed out.
    pub waiting: i64,
    /// Wait for goods.
    pub awaiting_stock: i64,
    /// Held by a worker.
    pub held: i64,
    /// Done.
    pub done: i64,
    /// Need people.
    pub attention: i64,
    /// Cancelled.
    pub cancelled: i64,
}

impl Counts {
    /// Takes in so many tasks in a state. What went on as another task is counted as that.
    pub fn take(&mut self, state: TaskState, tasks: i64) {
        let count = match state {
            TaskState::Ready => &mut self.waiting,
            TaskState::AwaitingStock => &mut self.awaiting_stock,
            TaskState::Leased => &mut self.held,
            TaskState::Completed => &mut self.done,
            TaskState::NeedsAttention | TaskState::OutcomeUnknown => &mut self.attention,
            TaskState::Cancelled => &mut self.cancelled,
            // What recalls ask for undoes nothing.
            TaskState::Reassigned | TaskState::WrittenOff => return,
        };
        *count += tasks;
    }

    /// How many have not ended.
    pub fn open(&self) -> i64 {
        self.waiting + self.awaiting_stock + self.held + self.attention
    }

    /// How many of a hundred are done, of those that were not cancelled; 100 means all.
    pub fn done_percent(&self) -> i64 {
        let all = self.open() + self.done;
        if all == 0 { 0 } else { self.done * 100 / all }
    }
}

/// How far a recall is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Each department with tasks of it, by name.
    pub departments: BTreeMap<String, Counts>,
    /// All its tasks.
    pub counts: Counts,
}

impl Progress {
    /// Of how many tasks each department has in each state.
    pub fn of(counted: impl IntoIterator<Item = (String, TaskState, i64)>) -> Self {
        let mut progress = Self::default();
        for (department, state, tasks) in counted.into_iter().filter(|row| row.1 != TaskState::Reassigned) {
            progress.departments.entry(department).or_default().take(state, tasks);
            progress.counts.take(state, tasks);
        }
        progress
    }
}
