//! Plans of every shape are carried out, and cancelled at every moment.

use std::collections::BTreeSet;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::approval::Sums;
use crate::approval::tests::{by, needs};
use crate::remedy::{Flaw, Goods, RemedyKind};
use crate::task::{Failure, TaskResult};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

pub(crate) fn step(id: &str, kind: RemedyKind, depends_on: &[&str]) -> Step {
    let amount = kind.needs_amount().then(|| Money { minor: 500, currency: "CNY".to_owned() });
    let goods = kind.needs_goods().then(|| Goods { sku: "A".to_owned(), quantity: 1 });
    Step {
        step_id: id.to_owned(),
        department_id: "finance".to_owned(),
        remedy: Remedy { kind, amount, goods, instructions: String::new(), custom: None },
        depends_on: depends_on.iter().map(|&id| id.to_owned()).collect(),
        due_time: None,
        state: StepState::Waiting,
        done_order: None,
        moved: None,
        part: String::new(),
        task_id: None,
        books: Books::default(),
        put_in_by: 0,
        taken_out_by: None,
        replaces: String::new(),
    }
}

fn refund(id: &str, depends_on: &[&str]) -> Step {
    step(id, RemedyKind::Refund, depends_on)
}

pub(crate) fn plan(steps: Vec<Step>) -> Plan {
    Plan {
        plan_id: PlanId(Uuid::from_u128(1)),
        version: 1,
        case_id: CaseId(Uuid::from_u128(2)),
        cycle: 1,
        state: PlanState::Proposed,
        steps,
        revisions: 0,
        pending_revision: None,
        revisers: Vec::new(),
        reviser_roles: Vec::new(),
        earlier_approvers: Vec::new(),
        proposer: "ann".to_owned(),
        approver: String::new(),
        proposer_roles: Vec::new(),
        first_approver: String::new(),
        second_reason: String::new(),
        approvals: Vec::new(),
        ruling: None,
        approved_at: None,
        reason: String::new(),
        priority: 3,
        traceparent: String::new(),
        created_at: NOW,
        ended_at: None,
    }
}

fn fields(flaws: &[Flaw]) -> Vec<&str> {
    flaws.iter().map(|flaw| flaw.field.as_str()).collect()
}

/// A department that does what it is given, one task at a time.
struct Run {
    plan: Plan,
    tasks: Vec<Task>,
    next: u128,
}

impl Run {
    fn approved(steps: Vec<Step>) -> Self {
        let mut run = Self { plan: plan(steps), tasks: Vec::new(), next: 10 };
        run.plan.approve(by("bob"), &Sums::new(), needs(1)).unwrap();
        run.advance();
        run
    }

    fn advance(&mut self) {
        let next = &mut self.next;
        let begun = self.plan.advance(NOW, || {
            *next += 1;
            TaskId(Uuid::from_u128(*next))
        });
        self.tasks.extend(begun);
    }

    fn lease(&mut self, index: usize) -> Uuid {
        let token = Uuid::from_u128(1000 + index as u128);
        let task = &mut self.tasks[index];
        (task.state, task.lease_token, task.attempt) = (TaskState::Leased, Some(token), task.attempt + 1);
        token
    }

    fn complete(&mut self, index: usize) {
        let token = self.lease(index);
        let task = &mut self.tasks[index];
        let result = TaskResult { amount: task.remedy.amount.clone(), ..TaskResult::default() };
        task.complete(token, result).unwrap();
        self.plan.task_ended(task);
        self.advance();
    }

    fn cancel(&mut self) {
        self.plan.cancel("withdrawn".to_owned(), &mut self.tasks, NOW).unwrap();
        self.advance();
    }

    fn open(&self) -> Vec<usize> {
        let open = |index: &usize| matches!(self.tasks[*index].state, TaskState::Ready | TaskState::Leased);
        (0..self.tasks.len()).filter(open).collect()
    }

    fn steps_of(&self, compensation: bool) -> Vec<&str> {
        let wanted = |task: &&Task| task.is_compensation() == compensation;
        self.tasks.iter().filter(wanted).map(|task| task.step_id.as_str()).collect()
    }
}

#[test]
fn every_flaw_is_told_at_once_and_circles_are_named() {
    let steps = vec![
        refund("a", &["c"]),
        refund("b", &["a", "a", "nowhere"]),
        refund("c", &["b"]),
        refund("c", &[]),
        refund("Not a name", &[]),
        refund("self", &["self"]),
        refund("x", &["y"]),
        refund("y", &["x"]),
    ];
    let flaws = dag::flaws(&steps);
    assert_eq!(
        fields(&flaws),
        [
            "steps[3].step_id",
            "steps[4].step_id",
            "steps[1].depends_on[1]",
            "steps[1].depends_on[2]",
            "steps[1].depends_on",
            "steps[5].depends_on",
            "steps[7].depends_on",
        ]
    );
    assert_eq!(flaws[4].what, "makes a circle: a → c → b → a");
    assert_eq!(flaws[5].what, "makes a circle: self → self");
    assert_eq!(flaws[6].what, "makes a circle: x → y → x");
}

#[test]
fn a_plan_has_one_to_fifty_steps() {
    let names: Vec<String> = (0..51).map(|n| format!("s{n}")).collect();
    let steps: Vec<Step> = names.iter().map(|name| refund(name, &[])).collect();
    assert_eq!(fields(&dag::flaws(&steps)), ["steps"]);
    assert_eq!(fields(&dag::flaws(&[])), ["steps"]);
    assert!(dag::flaws(&steps[..50]).is_empty());
    assert_eq!(fields(&dag::flaws(&[refund(&"x".repeat(61), &[])])), ["steps[0].step_id"]);
}

#[test]
fn nobody_approves_their_own_plan() {
    let mut plan = plan(vec![refund("a", &[])]);
    assert_eq!(plan.approve(by("ann"), &Sums::new(), needs(1)), Err(Refusal::ApproverIsProposer));
    assert_eq!(plan.approve(by("bob"), &Sums::new(), needs(1)), Ok(()));
    assert_eq!(
        plan.approve(by("bob"), &Sums::new(), needs(1)),
        Err(Refusal::InvalidPlanState(PlanState::Executing))
    );
    assert_eq!(plan.reject("bob", String::new(), NOW), Err(Refusal::InvalidPlanState(PlanState::Executing)));
}

#[test]
fn a_step_begins_once_all_it_depends_on_is_done() {
    let mut run = Run::approved(vec![refund("a", &[]), refund("b", &[]), refund("c", &["a", "b"])]);
    assert_eq!(run.steps_of(false), ["a", "b"]);
    run.complete(1);
    assert_eq!(run.steps_of(false), ["a", "b"]);
    run.complete(0);
    assert_eq!(run.steps_of(false), ["a", "b", "c"]);
    run.complete(2);
    assert_eq!(run.plan.state, PlanState::Completed);
    assert_eq!(run.plan.ended_at, Some(NOW));
}

#[test]
fn what_is_done_is_undone_backwards_one_after_another() {
    let steps = vec![
        refund("a", &[]),
        step("sorry", RemedyKind::Apology, &[]),
        refund("b", &[]),
        refund("c", &["a"]),
    ];
    let mut run = Run::approved(steps);
    run.complete(2);
    run.complete(1);
    run.complete(0);
    run.cancel();
    assert_eq!(run.tasks[3].state, TaskState::Cancelled, "c had not begun");
    assert_eq!(run.steps_of(true), ["a"], "a was done last");
    assert_eq!(run.tasks[4].compensates, Some(run.tasks[0].task_id));
    run.complete(4);
    assert_eq!(run.steps_of(true), ["a", "b"], "the apology stands");
    assert_eq!(run.plan.state, PlanState::Cancelling);
    run.complete(5);
    assert_eq!(run.plan.state, PlanState::Cancelled);
}

#[test]
fn a_task_held_while_cancelling_may_end_either_way() {
    let steps = || vec![refund("a", &[]), refund("b", &[])];
    let mut done_late = Run::approved(steps());
    done_late.complete(0);
    let token = done_late.lease(1);
    done_late.cancel();
    assert!(done_late.tasks[1].cancel_requested);
    assert!(done_late.steps_of(true).is_empty(), "nothing is undone while b may still be done");
    let result = TaskResult {
        amount: Some(Money { minor: 300, currency: "CNY".to_owned() }),
        ..TaskResult::default()
    };
    done_late.tasks[1].complete(token, result).unwrap();
    done_late.plan.task_ended(&done_late.tasks[1]);
    done_late.advance();
    assert_eq!(done_late.steps_of(true), ["b"]);
    assert_eq!(done_late.tasks[2].remedy.amount.as_ref().unwrap().minor, 300, "as much as was moved");

    let mut not_done = Run::approved(steps());
    not_done.complete(0);
    let token = not_done.lease(1);
    not_done.cancel();
    let failure = Failure {
        code: "CANCELLED".to_owned(),
        message: String::new(),
        retryable: false,
        outcome_unknown: false,
    };
    not_done.tasks[1].fail(token, failure, NOW, 0.5).unwrap();
    assert_eq!(not_done.tasks[1].state, TaskState::Cancelled);
    not_done.plan.task_ended(&not_done.tasks[1]);
    not_done.advance();
    assert_eq!(not_done.steps_of(true), ["a"]);
}

#[test]
fn what_needs_attention_while_cancelling_is_given_up_by_cancelling_again() {
    let mut run = Run::approved(vec![refund("a", &[])]);
    let token = run.lease(0);
    run.cancel();
    run.tasks[0].reject(token, "cannot tell".to_owned()).unwrap();
    run.advance();
    assert_eq!(run.plan.state, PlanState::Cancelling);
    run.cancel();
    assert_eq!(run.plan.state, PlanState::Cancelled);
    assert_eq!(
        run.plan.cancel(String::new(), &mut run.tasks, NOW),
        Err(Refusal::InvalidPlanState(PlanState::Cancelled))
    );
}

/// Steps that depend on earlier ones only, then shuffled by the caller.
fn dags() -> impl Strategy<Value = Vec<Step>> {
    let edges = prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..4), 1..12);
    let kinds = prop::collection::vec(1..=12_i16, 12);
    (edges, kinds).prop_map(|(edges, kinds)| {
        let names: Vec<String> = (0..edges.len()).map(|n| format!("s{n}")).collect();
        let mut steps = Vec::new();
        for (n, picks) in edges.iter().enumerate() {
            let needed: BTreeSet<usize> = picks.iter().filter(|_| n > 0).map(|pick| pick.index(n)).collect();
            let needed: Vec<&str> = needed.into_iter().map(|index| names[index].as_str()).collect();
            steps.push(step(&names[n], RemedyKind::of(kinds[n]).unwrap(), &needed));
        }
        steps
    })
}

pub(crate) fn shuffled_dags() -> impl Strategy<Value = Vec<Step>> {
    dags().prop_flat_map(|steps| Just(steps).prop_shuffle())
}

proptest! {
    #[test]
    fn steps_without_circles_make_a_plan(steps in shuffled_dags()) {
        prop_assert_eq!(dag::flaws(&steps), Vec::new());
    }

    #[test]
    fn a_circle_is_always_found_and_is_one(steps in shuffled_dags(), from in any::<prop::sample::Index>(), length in 1..5_usize) {
        let mut steps = steps;
        // Follow dependencies down from a step, then tie the end back to it.
        let start = from.index(steps.len());
        let mut end = start;
        for _ in 0..length {
            let Some(needed) = steps[end].depends_on.first().cloned() else { break };
            end = steps.iter().position(|step| step.step_id == needed).unwrap();
        }
        let back = steps[start].step_id.clone();
        steps[end].depends_on.push(back);
        let flaws = dag::flaws(&steps);
        prop_assert!(!flaws.is_empty());
        for flaw in flaws {
            let names: Vec<&str> = flaw.what.strip_prefix("makes a circle: ").unwrap().split(" → ").collect();
            prop_assert_eq!(names.first(), names.last());
            for pair in names.windows(2) {
                let step = steps.iter().find(|step| step.step_id == pair[0]).unwrap();
                prop_assert!(step.depends_on.iter().any(|needed| needed == pair[1]));
            }
        }
    }

    #[test]
    fn any_plan_completes_in_the_order_of_its_dependencies(steps in shuffled_dags(), picks in prop::collection::vec(any::<prop::sample::Index>(), 12)) {
        let mut run = Run::approved(steps);
        let mut done: Vec<String> = Vec::new();
        for pick in picks {
            let open = run.open();
            if open.is_empty() { break; }
            let index = open[pick.index(open.len())];
            let name = run.tasks[index].step_id.clone();
            let step = run.plan.steps.iter().find(|step| step.step_id == name).unwrap();
            prop_assert!(step.depends_on.iter().all(|needed| done.contains(needed)));
            prop_assert_eq!(run.plan.state, PlanState::Executing);
            run.complete(index);
            done.push(name);
        }
        prop_assert_eq!(run.plan.state, PlanState::Completed);
        prop_assert_eq!(run.tasks.len(), run.plan.steps.len(), "each step was one task");
    }

    #[test]
    fn cancelled_at_any_moment_everything_done_is_undone_once_backwards(
        steps in shuffled_dags(),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        held in any::<prop::sample::Index>(),
    ) {
        let mut run = Run::approved(steps);
        let mut done: Vec<String> = Vec::new();
        for pick in picks {
            let open = run.open();
            if open.is_empty() { break; }
            let index = open[pick.index(open.len())];
            done.push(run.tasks[index].step_id.clone());
            run.complete(index);
        }
        if run.plan.state == PlanState::Completed { return Ok(()); }
        let open = run.open();
        let late = open[held.index(open.len())];
        run.lease(late);
        run.cancel();
        done.push(run.tasks[late].step_id.clone());
        run.complete(late);
        while let Some(&index) = run.open().first() {
            prop_assert_eq!(run.open().len(), 1, "one after another");
            run.complete(index);
        }
        prop_assert_eq!(run.plan.state, PlanState::Cancelled);
        let kind = |name: &String| run.plan.steps.iter().find(|step| step.step_id == *name).unwrap().remedy.kind;
        let expected: Vec<&str> = done.iter().rev().filter(|name| kind(name).can_be_undone()).map(String::as_str).collect();
        prop_assert_eq!(run.steps_of(true), expected);
        prop_assert!(run.plan.steps.iter().all(|step| !matches!(step.state, StepState::Waiting | StepState::Open | StepState::Undoing)));
    }
}
