//! A plan, its departments, approvers and planners, and what happens among them.

use std::collections::BTreeMap;

use kernel::{Money, TaskId};
use proptest::prelude::*;
use proptest::sample::Index;
use uuid::Uuid;

use super::super::*;
use crate::approval::tests::{by, needs};
use crate::ledger::{Books, Entry, Movement};
use crate::plan::tests::{plan, step};
use crate::remedy::RemedyKind;
use crate::task::{Failure, Requeued, Settlement, TaskResult};

pub(super) const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// What a revision does about a step that there is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Choice {
    Keep,
    TakeOut,
    /// It is to be of another sum, or told otherwise.
    Change(i64),
}

#[derive(Clone, Debug)]
pub(super) enum Event {
    /// A department moves so many percent of what a task asks for.
    Complete(Index, i64),
    /// It fails for good, or answers that it has stopped.
    Fail(Index, bool),
    /// Nobody knows whether it was done.
    Lose(Index),
    /// The department does.
    Settle(Index, bool),
    /// A person has it tried again, there or by another department.
    Requeue(Index, bool),
    /// The plan is revised, by a supervisor or an agent; a rule approves it, or people must.
    Revise {
        choices: Vec<Choice>,
        new: Vec<(i16, Option<Index>)>,
        supervisor: bool,
        rule: bool,
    },
    Approve,
    Reject,
    Cancel,
}

pub(super) fn choices() -> impl Strategy<Value = Choice> {
    prop_oneof![
        4 => Just(Choice::Keep),
        2 => Just(Choice::TakeOut),
        2 => (1..=900_i64).prop_map(Choice::Change),
    ]
}

pub(super) fn events() -> impl Strategy<Value = Vec<Event>> {
    let index = any::<Index>;
    let new = prop::collection::vec((1..=12_i16, prop::option::of(index())), 0..3);
    let revise = (prop::collection::vec(choices(), 50), new, any::<bool>(), any::<bool>());
    let event = prop_oneof![
        8 => (index(), prop_oneof![3 => Just(100_i64), 1 => 1..100_i64]).prop_map(|(at, part)| Event::Complete(at, part)),
        2 => (index(), any::<bool>()).prop_map(|(at, stopped)| Event::Fail(at, stopped)),
        1 => index().prop_map(Event::Lose),
        2 => (index(), any::<bool>()).prop_map(|(at, done)| Event::Settle(at, done)),
        2 => (index(), any::<bool>()).prop_map(|(at, other)| Event::Requeue(at, other)),
        4 => revise.prop_map(|(choices, new, supervisor, rule)| Event::Revise { choices, new, supervisor, rule }),
        3 => Just(Event::Approve),
        1 => Just(Event::Reject),
    ];
    let ending = prop_oneof![9 => Just(None), 1 => Just(Some(Event::Cancel))];
    (prop::collection::vec(event, 0..40), ending).prop_map(|(mut events, ending)| {
        events.extend(ending);
        events
    })
}

/// A plan, what departments have of it, what was booked, and how it was revised.
pub(super) struct Run {
    pub(super) plan: Plan,
    pub(super) tasks: Vec<Task>,
    entries: Vec<Entry>,
    pub(super) revisions: Vec<Revision>,
    next: u128,
}

pub(super) fn is_over(task: &Task) -> bool {
    matches!(task.state, TaskState::Completed | TaskState::Cancelled | TaskState::Reassigned)
}

impl Run {
    pub(super) fn approved(steps: Vec<Step>) -> Self {
        let (tasks, entries, revisions) = (Vec::new(), Vec::new(), Vec::new());
        let mut run = Self { plan: plan(steps), tasks, entries, revisions, next: 10 };
        run.go_on(&[]);
        run.plan.approve(by("bob"), &Sums::new(), needs(1)).unwrap();
        run.go_on(&[]);
        run
    }

    pub(super) fn id(&mut self) -> Uuid {
        self.next += 1;
        Uuid::from_u128(self.next)
    }

    /// What the store does with what changed. What a revision put in begins beside no more
    /// than it may.
    pub(super) fn go_on(&mut self, changed: &[Task]) {
        let mut next = self.next;
        let mut id = || {
            next += 1;
            Uuid::from_u128(next)
        };
        let begun = self.plan.advance(NOW, || TaskId(id()));
        let booked = self.plan.book(changed, NOW, id).expect("nothing is overdrawn");
        self.next = next;
        for task in begun.iter().filter(|task| !task.is_compensation()) {
            self.began_alone(task);
        }
        self.tasks.extend(begun);
        self.entries.extend(booked);
        for step in &mut self.plan.steps {
            step.part.clear(); // it is never kept
        }
    }

    pub(super) fn began_alone(&self, task: &Task) {
        let begun = self.step(&task.step_id);
        assert!(self.plan.is_part(begun), "{} is no part of the plan", task.step_id);
        let replaced = self.plan.steps.iter().find(|one| one.step_id == begun.replaces);
        if begun.moved.is_some() || begun.put_in_by == 0 {
            return; // the rest of a part payment, or planned from the beginning
        }
        assert!(replaced.is_none_or(Step::is_settled), "{} replaces what is out", task.step_id);
        let sums = |of: &dyn Fn(&Step) -> i64| self.plan.steps.iter().map(of).sum::<i64>();
        let whole = |one: &Step| one.remedy.amount.as_ref().map_or(0, |sum| sum.minor);
        let out = sums(&|one| match one.state {
            StepState::Open => whole(one),
            StepState::Undone => 0,
            _ => one.moved.as_ref().map_or(0, |sum| sum.minor),
        });
        let most = sums(&|one| if self.plan.is_part(one) { whole(one) } else { 0 });
        assert!(task.remedy.amount.is_none() || out <= most, "{out} may be out, {most} are approved");
    }

    pub(super) fn step(&self, id: &str) -> &Step {
        self.plan.steps.iter().find(|step| step.step_id == id).unwrap()
    }

    pub(super) fn picked(&self, index: Index, states: &[TaskState]) -> Option<usize> {
        let open: Vec<usize> =
            (0..self.tasks.len()).filter(|at| states.contains(&self.tasks[*at].state)).collect();
        if open.is_empty() { None } else { Some(open[index.index(open.len())]) }
    }

    pub(super) fn lease(&mut self, at: usize) -> Uuid {
        let token = Uuid::from_u128(7);
        (self.tasks[at].state, self.tasks[at].lease_token) = (TaskState::Leased, Some(token));
        token
    }

    pub(super) fn ended(&mut self, at: usize) {
        let task = self.tasks[at].clone();
        if is_over(&task) {
            self.plan.task_ended(&task);
            self.go_on(&[task]);
        }
    }

    /// The tasks that have not ended, as the store locks them, while something is done about
    /// them and the plan.
    pub(super) fn with_open<T>(&mut self, act: impl FnOnce(&mut Plan, &mut [Task]) -> T) -> T {
        let (mut over, mut open): (Vec<Task>, Vec<Task>) =
            std::mem::take(&mut self.tasks).into_iter().partition(is_over);
        let done = act(&mut self.plan, &mut open);
        over.extend(open.iter().cloned());
        over.sort_unstable_by_key(|task| task.task_id.0);
        self.tasks = over;
        self.go_on(&open);
        done
    }

    pub(super) fn happens(&mut self, event: &Event) {
        const HELD: &[TaskState] = &[TaskState::Ready, TaskState::Leased];
        match event {
            Event::Complete(index, percent) => {
                if let Some(at) = self.picked(*index, HELD) {
                    self.complete(at, *percent);
                }
            }
            Event::Fail(index, stopped) => {
                let Some(at) = self.picked(*index, HELD) else { return };
                let token = self.lease(at);
                let code = if *stopped { "CANCELLED" } else { "ACCOUNT_CLOSED" };
                self.tasks[at].fail(token, failure(code, false), NOW, 0.5).unwrap();
                self.ended(at);
            }
            Event::Lose(index) => {
                let Some(at) = self.picked(*index, HELD) else { return };
                let token = self.lease(at);
                self.tasks[at].fail(token, failure("LOST", true), NOW, 0.5).unwrap();
            }
            Event::Settle(index, done) => {
                let Some(at) = self.picked(*index, &[TaskState::OutcomeUnknown]) else { return };
                let result = done.then(|| result(&self.tasks[at], 100));
                let settlement = Settlement { result, reason: String::new() };
                self.tasks[at].settle(settlement, NOW).unwrap();
                self.ended(at);
            }
            Event::Requeue(index, other) => {
                let Some(at) = self.picked(*index, &[TaskState::NeedsAttention]) else { return };
                self.requeue(at, *other);
            }
            Event::Revise { choices, new, supervisor, rule } => {
                self.revise(&self.asked(choices, new), *supervisor, *rule);
            }
            Event::Approve => self.decide(true),
            Event::Reject => self.decide(false),
            Event::Cancel => {
                self.with_open(|plan, open| plan.cancel(String::new(), open, NOW)).ok();
            }
        }
    }

    pub(super) fn complete(&mut self, at: usize, percent: i64) {
        let token = self.lease(at);
        let result = result(&self.tasks[at], percent);
        self.tasks[at].complete(token, result).unwrap();
        self.ended(at);
    }

    pub(super) fn requeue(&mut self, at: usize, other: bool) {
        let requeued = Requeued { by: "bob".to_owned(), reason: String::new() };
        if other {
            let next = (TaskId(self.id()), "treasury".to_owned());
            let next = self.tasks[at].give_to(next, requeued, NOW).unwrap();
            self.plan.task_given_on(&self.tasks[at]);
            self.tasks.push(next);
        } else {
            self.tasks[at].requeue(requeued, NOW).unwrap();
        }
    }

    /// A new set of steps: of those there are, and some that depend on them.
    pub(super) fn asked(&self, choices: &[Choice], new: &[(i16, Option<Index>)]) -> Vec<Step> {
        let mut asked: Vec<Step> = Vec::new();
        for (step, choice) in self.plan.parts().zip(choices) {
            let mut step = step.clone();
            match choice {
                Choice::Keep => {}
                Choice::TakeOut => continue,
                Choice::Change(minor) => match &mut step.remedy.amount {
                    Some(amount) => amount.minor = *minor,
                    None => step.remedy.instructions = format!("{minor} times"),
                },
            }
            asked.push(step);
        }
        for (at, (kind, after)) in new.iter().enumerate() {
            let mut added = step(&format!("new-{at}"), RemedyKind::of(*kind).unwrap(), &[]);
            if let Some(after) = after.filter(|_| !asked.is_empty()) {
                added.depends_on = vec![asked[after.index(asked.len())].step_id.clone()];
            }
            if !asked.iter().any(|one| one.step_id == added.step_id) {
                asked.push(added);
            }
        }
        let names: Vec<String> = asked.iter().map(|step| step.step_id.clone()).collect();
        for step in &mut asked {
            step.depends_on.retain(|needed| names.contains(needed));
            (step.state, step.done_order, step.moved) = (StepState::Waiting, None, None);
            (step.task_id, step.books, step.put_in_by) = (None, Books::default(), 0);
            step.replaces.clear();
        }
        asked
    }

    pub(super) fn revise(&mut self, asked: &[Step], supervisor: bool, rule: bool) {
        if asked.is_empty() || self.plan.may_be_revised().is_err() {
            return;
        }
        // One that is taken out and put in again may close a circle: that is refused.
        let is_plan = crate::plan::dag::flaws(asked).is_empty();
        if !is_plan || !self.plan.flaws_of_revision(asked).is_empty() {
            return;
        }
        let draft = self.plan.draft(asked);
        assert_eq!(dag_of(&draft), Vec::new(), "a draft is a plan");
        let reviser = reviser(if supervisor { "sue" } else { "ann" }, supervisor);
        let (before, held) = (self.plan.clone(), self.tasks.clone());
        let mut ruling = needs(1);
        if rule {
            ruling.outcome = Outcome::Automatic;
        }
        let outcome = self.with_open(|plan, open| plan.revise(draft, reviser, ruling, (open, NOW)));
        let revision = outcome.expect("it may be revised");
        if revision.state == RevisionState::Pending {
            self.unchanged(&before, &held);
        } else {
            self.kept(&before, &held, &revision);
        }
        self.revisions.push(revision);
    }

    pub(super) fn decide(&mut self, approves: bool) {
        let Some(number) = self.plan.pending_revision else { return };
        let at = self.revisions.iter().position(|one| one.number == number).unwrap();
        let mut revision = self.revisions[at].clone();
        let (before, held) = (self.plan.clone(), self.tasks.clone());
        if approves {
            let revised = self.plan.as_revised_by(&revision);
            self.with_open(|plan, open| {
                let given = (by("carl"), &Sums::new(), needs(1));
                plan.approve_revision(&mut revision, given, &revised, open).unwrap();
            });
            self.kept(&before, &held, &revision);
        } else {
            self.plan.reject_revision(&mut revision, ("carl", "no".to_owned()), NOW).unwrap();
            self.unchanged(&before, &held);
            self.go_on(&[]);
        }
        self.revisions[at] = revision;
    }

    /// Nothing of a revision that waits, or is rejected, has had an effect.
    pub(super) fn unchanged(&self, before: &Plan, held: &[Task]) {
        let shape = |plan: &Plan| {
            let of = |step: &Step| (step.step_id.clone(), step.state, step.task_id, step.depends_on.clone());
            plan.parts().map(of).collect::<Vec<_>>()
        };
        assert_eq!(shape(&self.plan), shape(before));
        assert_eq!(self.tasks, held);
        assert_eq!((&self.plan.approvals, &self.plan.revisers), (&before.approvals, &before.revisers));
    }

    /// What is kept is what it was, under its task; nobody is asked to stop working on it.
    pub(super) fn kept(&self, before: &Plan, held: &[Task], revision: &Revision) {
        for step in before.parts().filter(|step| !revision.removed.contains(&step.step_id)) {
            let now = self.step(&step.step_id);
            if step.has_begun() {
                assert_eq!((now.state, now.task_id, &now.moved), (step.state, step.task_id, &step.moved));
            }
            for task in held.iter().filter(|task| task.step_id == step.step_id) {
                assert!(self.tasks.contains(task), "{task:?} goes on");
            }
        }
        for id in &revision.removed {
            let state = self.step(id).state;
            assert!(state != StepState::Waiting, "{id} is {state:?}");
        }
    }

    /// Everybody does their part until nothing is left to do.
    pub(super) fn drain(&mut self) {
        for _ in 0..10_000 {
            if self.plan.pending_revision.is_some() {
                self.decide(true);
            } else if let Some(at) = (0..self.tasks.len()).find(|at| !is_over(&self.tasks[*at])) {
                match self.tasks[at].state {
                    TaskState::NeedsAttention => self.requeue(at, false),
                    TaskState::OutcomeUnknown => {
                        let settlement = Settlement { result: None, reason: String::new() };
                        self.tasks[at].settle(settlement, NOW).unwrap();
                        self.ended(at);
                    }
                    _ => self.complete(at, 100),
                }
            } else {
                return;
            }
        }
        panic!("it goes on for ever");
    }

    /// Each task, done or undone, is booked once; no account is overdrawn.
    pub(super) fn check(&self) -> Result<(), TestCaseError> {
        for step in &self.plan.steps {
            let mut journal: BTreeMap<Movement, i64> = BTreeMap::new();
            for entry in self.entries.iter().filter(|entry| entry.step_id == step.step_id) {
                *journal.entry(entry.movement).or_default() += entry.amount.minor;
            }
            for movement in Movement::ALL {
                prop_assert_eq!(step.books.sum(*movement), journal.get(movement).copied().unwrap_or(0));
            }
            let approved = step.books.sum(Movement::Approved);
            prop_assert!(step.books.sum(Movement::Executed) <= approved, "Σ executed ≤ Σ approved");
            if self.plan.is_pending(step) {
                prop_assert_eq!(approved, 0, "what waits is promised, and not approved");
            }
        }
        Ok(())
    }

    /// How often a step was done and undone: tasks that moved all they were asked for.
    pub(super) fn undone(&self, id: &str) -> i64 {
        let undoing = self.tasks.iter().filter(|task| {
            task.step_id == id && task.is_compensation() && task.state == TaskState::Completed
        });
        undoing.filter_map(|task| task.result.as_ref()?.amount.as_ref()).map(|sum| sum.minor).sum()
    }
}

/// What is wrong with what a draft makes of a plan; what was dropped of it is none of it.
pub(super) fn dag_of(draft: &Draft) -> Vec<Flaw> {
    let of = |place: &Place| Step {
        step_id: place.step_id.clone(),
        depends_on: place.depends_on.clone(),
        ..step("x", RemedyKind::Apology, &[])
    };
    crate::plan::dag::flaws(&draft.places.iter().map(of).collect::<Vec<_>>())
}

pub(super) fn reviser(subject: &str, may_cancel: bool) -> Reviser {
    let (roles, reason) = (vec!["agent".to_owned()], "it is short".to_owned());
    Reviser { subject: subject.to_owned(), roles, may_cancel, reason }
}

pub(super) fn result(task: &Task, percent: i64) -> TaskResult {
    let amount = task.remedy.amount.clone();
    let part = |whole: Money| Money { minor: (whole.minor * percent / 100).max(1), ..whole };
    TaskResult { reference: "REF".to_owned(), amount: amount.map(part), ..TaskResult::default() }
}

pub(super) fn failure(code: &str, outcome_unknown: bool) -> Failure {
    Failure { code: code.to_owned(), message: String::new(), retryable: false, outcome_unknown }
}
