//! Whatever happens to a plan and its tasks, in whatever order: the books are the journal's
//! sums, debits equal credits, and no account is overdrawn.

use std::collections::BTreeMap;

use proptest::prelude::*;

use kernel::TaskId;

use super::*;
use crate::approval::Sums;
use crate::approval::tests::{by, needs};
use crate::plan::tests::{plan, shuffled_dags, step};
use crate::remedy::RemedyKind;
use crate::task::{Failure, Requeued, Settlement, TaskResult};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// Something that happens; what it cannot happen to stays as it is.
#[derive(Clone, Debug)]
enum Event {
    Approve,
    Reject,
    Cancel,
    /// A department moved so many percent of what a task asks for.
    Complete(usize, i64),
    /// It was not done, and was to be cancelled.
    Fail(usize),
    /// Nobody knows.
    Lose(usize),
    /// The department does: so many percent, or nothing.
    Settle(usize, Option<i64>),
    /// It goes to another department.
    Requeue(usize),
    /// Two people give it up, where it undoes a step.
    WriteOff(usize),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let index = any::<usize>;
    let event = prop_oneof![
        6 => (index(), 1..=100_i64).prop_map(|(task, percent)| Event::Complete(task, percent)),
        3 => index().prop_map(|task| Event::Complete(task, 100)),
        1 => Just(Event::Approve),
        1 => Just(Event::Cancel),
        1 => index().prop_map(Event::Fail),
        1 => index().prop_map(Event::Lose),
        2 => (index(), prop::option::of(1..=100_i64)).prop_map(|(task, done)| Event::Settle(task, done)),
        1 => index().prop_map(Event::Requeue),
        2 => index().prop_map(Event::WriteOff),
    ];
    let first = prop_oneof![8 => Just(Event::Approve), 1 => Just(Event::Reject), 1 => Just(Event::Cancel)];
    (first, prop::collection::vec(event, 0..60)).prop_map(|(first, mut rest)| {
        rest.insert(0, first);
        rest
    })
}

/// A plan, what departments have of it, and what was booked.
struct Run {
    plan: Plan,
    tasks: Vec<Task>,
    entries: Vec<Entry>,
    next: u128,
}

impl Run {
    fn proposed(steps: Vec<Step>) -> Self {
        let mut run = Self { plan: plan(steps), tasks: Vec::new(), entries: Vec::new(), next: 10 };
        run.book(&[]);
        run
    }

    /// What the store does with what changed.
    fn book(&mut self, changed: &[Task]) {
        let next = &mut self.next;
        let mut id = || {
            *next += 1;
            Uuid::from_u128(*next)
        };
        let begun = self.plan.advance(NOW, || TaskId(id()));
        let booked = self.plan.book(changed, NOW, id).expect("nothing is overdrawn");
        self.tasks.extend(begun);
        self.entries.extend(booked);
        for step in &mut self.plan.steps {
            step.part.clear(); // it is never kept
        }
    }

    fn picked(&self, index: usize, state: &[TaskState]) -> Option<usize> {
        let open: Vec<usize> =
            (0..self.tasks.len()).filter(|task| state.contains(&self.tasks[*task].state)).collect();
        if open.is_empty() { None } else { Some(open[index % open.len()]) }
    }

    /// Hands a task out; its token.
    fn lease(&mut self, task: usize) -> Uuid {
        let token = Uuid::from_u128(7);
        (self.tasks[task].state, self.tasks[task].lease_token) = (TaskState::Leased, Some(token));
        token
    }

    fn ended(&mut self, task: usize) {
        let ended = self.tasks[task].clone();
        if matches!(ended.state, TaskState::Completed | TaskState::Cancelled | TaskState::WrittenOff) {
            self.plan.task_ended(&ended);
            self.book(&[ended]);
        }
    }

    fn happens(&mut self, event: &Event) {
        const HELD: &[TaskState] = &[TaskState::Ready, TaskState::Leased];
        match event {
            Event::Approve if self.plan.approve(by("bob"), &Sums::new(), needs(1)).is_ok() => self.book(&[]),
            Event::Reject if self.plan.reject("bob", String::new(), NOW).is_ok() => self.book(&[]),
            Event::Cancel => {
                let ended = |task: &Task| {
                    let open = task.state.is_open() || task.state == TaskState::AwaitingStock;
                    !open
                };
                let (mut ended, mut open): (Vec<Task>, Vec<Task>) =
                    std::mem::take(&mut self.tasks).into_iter().partition(ended);
                let cancelled = self.plan.cancel(String::new(), &mut open, NOW);
                ended.extend(open.iter().cloned());
                self.tasks = ended;
                if cancelled.is_ok() {
                    self.book(&open);
                }
            }
            Event::Complete(index, percent) => {
                let Some(task) = self.picked(*index, HELD) else { return };
                let token = self.lease(task);
                let result = done(&self.tasks[task], *percent);
                self.tasks[task].complete(token, result).expect("it is held");
                self.ended(task);
            }
            Event::Fail(index) => {
                let Some(task) = self.picked(*index, HELD) else { return };
                let token = self.lease(task);
                self.tasks[task].fail(token, failure(false), NOW, 0.5).expect("it is held");
                self.ended(task);
            }
            Event::Lose(index) => {
                let Some(task) = self.picked(*index, HELD) else { return };
                let token = self.lease(task);
                self.tasks[task].fail(token, failure(true), NOW, 0.5).expect("it is held");
            }
            Event::Settle(index, percent) => {
                let Some(task) = self.picked(*index, &[TaskState::OutcomeUnknown]) else { return };
                let result = percent.map(|percent| done(&self.tasks[task], percent));
                let settlement = Settlement { result, reason: String::new() };
                self.tasks[task].settle(settlement, NOW).expect("it is not known");
                self.ended(task);
            }
            Event::Requeue(index) => {
                let Some(task) = self.picked(*index, &[TaskState::NeedsAttention]) else { return };
                let requeued = Requeued { by: "bob".to_owned(), reason: String::new() };
                self.next += 1;
                let other = (TaskId(Uuid::from_u128(self.next)), "treasury".to_owned());
                let next = self.tasks[task].give_to(other, requeued, NOW).expect("it needs attention");
                self.plan.task_given_on(&self.tasks[task]);
                self.tasks.push(next);
            }
            Event::WriteOff(index) => {
                let Some(task) = self.picked(*index, &[TaskState::NeedsAttention]) else { return };
                if self.tasks[task].write_off().is_ok() {
                    self.ended(task);
                }
            }
            Event::Approve | Event::Reject => {}
        }
    }

    /// The journal's sums of a step.
    fn journal(&self, step: &Step) -> BTreeMap<Movement, i64> {
        let mut sums = BTreeMap::new();
        for entry in self.entries.iter().filter(|entry| entry.step_id == step.step_id) {
            *sums.entry(entry.movement).or_insert(0) += entry.amount.minor;
        }
        sums
    }

    fn check(&self) -> Result<(), TestCaseError> {
        for step in &self.plan.steps {
            let journal = self.journal(step);
            for movement in Movement::ALL {
                prop_assert_eq!(step.books.sum(*movement), journal.get(movement).copied().unwrap_or(0));
            }
            for account in [Account::Promised, Account::Approved, Account::Executed, Account::WrittenOff] {
                prop_assert!(step.books.balance(account) >= 0, "{account}: {:?}", step.books);
            }
            let all: i64 = Account::ALL.iter().map(|account| step.books.balance(*account)).sum();
            prop_assert_eq!(all, 0, "debits are credits");
            let (executed, approved) =
                (step.books.sum(Movement::Executed), step.books.sum(Movement::Approved));
            prop_assert!(executed - step.books.sum(Movement::Reversed) <= approved);
            let settled = matches!(step.state, StepState::Undone | StepState::WrittenOff);
            let moved = step.moved.as_ref().filter(|_| !settled);
            let moved = moved.map_or(0, |moved| moved.minor);
            prop_assert_eq!(step.books.balance(Account::Executed), moved, "what is moved is booked");
        }
        for department in ["finance", "treasury"] {
            for account in [Account::Promised, Account::Approved] {
                let of = |entry: &&Entry| entry.department_id == department;
                let side = |entry: &Entry| {
                    let gains = i64::from(entry.movement.debit() == account);
                    let gives = i64::from(entry.movement.credit() == account);
                    (gains - gives) * entry.amount.minor
                };
                let balance: i64 = self.entries.iter().filter(of).map(side).sum();
                prop_assert!(balance >= 0, "{department} has {balance} {account}");
            }
        }
        Ok(())
    }
}

fn done(task: &Task, percent: i64) -> TaskResult {
    let amount = task.remedy.amount.clone();
    let part = |whole: Money| Money { minor: (whole.minor * percent / 100).max(1), ..whole };
    TaskResult { reference: "REF".to_owned(), amount: amount.map(part), ..TaskResult::default() }
}

fn failure(outcome_unknown: bool) -> Failure {
    Failure { code: "CANCELLED".to_owned(), message: String::new(), retryable: false, outcome_unknown }
}

proptest! {
    #[test]
    fn whatever_happens_the_books_are_the_journal(steps in shuffled_dags(), events in events()) {
        let mut run = Run::proposed(steps);
        run.check()?;
        for event in &events {
            run.happens(event);
            run.check()?;
        }
        let again = run.plan.book(&[], NOW, Uuid::nil).expect("nothing is overdrawn");
        prop_assert!(again.is_empty(), "what is booked is booked: {again:?}");
        let ended = matches!(run.plan.state, PlanState::Completed | PlanState::Rejected | PlanState::Cancelled);
        for step in run.plan.steps.iter().filter(|_| ended) {
            prop_assert_eq!(step.books.balance(Account::Promised), 0);
            prop_assert_eq!(step.books.balance(Account::Approved), 0, "nothing is left open");
        }
        let mut ids: Vec<Uuid> = run.entries.iter().map(|entry| entry.entry_id).collect();
        ids.sort_unstable();
        ids.dedup();
        prop_assert_eq!(ids.len(), run.entries.len());
    }

    #[test]
    fn an_account_gives_no_more_than_it_has(posts in prop::collection::vec((0..Movement::ALL.len(), any::<i64>()), 0..40)) {
        let mut books = Books::default();
        for (movement, minor) in posts {
            let before = books;
            if books.post(Movement::ALL[movement], minor).is_err() {
                prop_assert_eq!(books, before, "what is refused is not booked");
            }
            for account in [Account::Promised, Account::Approved, Account::Executed, Account::WrittenOff] {
                prop_assert!(books.balance(account) >= 0);
            }
        }
    }
}

fn movements(run: &Run) -> Vec<(Movement, i64, &str)> {
    let short = |entry: &Entry| (entry.movement, entry.amount.minor);
    run.entries.iter().map(|entry| (short(entry).0, short(entry).1, entry.department_id.as_str())).collect()
}

#[test]
fn a_part_payment_is_executed_and_its_rest_released_when_the_plan_is_cancelled() {
    let mut run = Run::proposed(vec![step("a", RemedyKind::Refund, &[])]);
    for event in [Event::Approve, Event::Complete(0, 40), Event::Cancel, Event::Complete(0, 100)] {
        run.happens(&event);
    }
    assert_eq!(
        movements(&run),
        [
            (Movement::Promised, 500, "finance"),
            (Movement::Approved, 500, "finance"),
            (Movement::Executed, 200, "finance"),
            (Movement::Released, 300, "finance"),
            (Movement::Reversed, 200, "finance"),
        ]
    );
    assert_eq!(run.plan.state, PlanState::Cancelled);
}

#[test]
fn what_cannot_be_collected_is_written_off_after_what_could_and_the_plan_ends() {
    // One that is not done yet: else the plan is done, and nothing of it can be cancelled.
    let mut run = Run::proposed(vec![
        step("a", RemedyKind::Refund, &[]),
        step("b", RemedyKind::Refund, &[]),
        step("c", RemedyKind::Apology, &["b"]),
    ]);
    let events = [Event::Approve, Event::Complete(0, 100), Event::Complete(0, 100), Event::Cancel];
    for event in events.iter().chain(&[Event::Complete(0, 40), Event::WriteOff(0)]) {
        run.happens(event);
    }
    assert_eq!(run.plan.state, PlanState::Cancelling, "the other step is still to be undone");
    run.happens(&Event::Fail(0));
    run.happens(&Event::WriteOff(0));
    let losses: Vec<i64> = (run.entries.iter().filter(|entry| entry.movement == Movement::WrittenOff))
        .map(|entry| entry.amount.minor)
        .collect();
    assert_eq!(losses, [300, 500], "the rest of the one, all of the other");
    assert_eq!(run.plan.state, PlanState::Cancelled);
    assert!(run.plan.steps.iter().take(2).all(|step| step.state == StepState::WrittenOff));
}

#[test]
fn what_another_department_pays_passes_through_its_books() {
    let mut run = Run::proposed(vec![step("a", RemedyKind::Refund, &[])]);
    for event in [Event::Approve, Event::Fail(0), Event::Requeue(0), Event::Complete(0, 100)] {
        run.happens(&event);
    }
    assert_eq!(
        movements(&run)[2..],
        [
            (Movement::Released, 500, "finance"),
            (Movement::Promised, 500, "treasury"),
            (Movement::Approved, 500, "treasury"),
            (Movement::Executed, 500, "treasury"),
        ]
    );
    assert_eq!(run.entries.last().map(|entry| entry.reference.as_str()), Some("REF"));
}
