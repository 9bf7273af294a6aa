//! Plans of every shape are revised at every moment, and whatever departments, approvers and
//! planners do next, in whatever order: what is kept is never lost, what is executed and taken
//! out is undone once, nobody is paid twice, and it all comes to an end.

mod run;

use kernel::Money;
use proptest::prelude::*;

use super::*;
use crate::approval::tests::{by, needs};
use crate::ledger::{Account, Movement};
use crate::plan::tests::{plan, shuffled_dags, step};
use crate::remedy::RemedyKind;
use run::{NOW, Run, events, is_over, reviser};

proptest! {
    #[test]
    fn whatever_is_revised_and_happens_each_effect_is_once(steps in shuffled_dags(), events in events()) {
        let mut run = Run::approved(steps);
        for event in &events {
            run.happens(event);
            run.check()?;
        }
        run.drain();
        run.check()?;
        let is_cancelled = run.plan.state == PlanState::Cancelled;
        prop_assert!(is_cancelled || run.plan.state == PlanState::Completed, "{:?}", run.plan.state);
        for step in &run.plan.steps {
            let (id, amount) = (&step.step_id, step.remedy.amount.as_ref().map_or(0, |sum| sum.minor));
            let held = step.books.balance(Account::Executed);
            if run.plan.is_part(step) && !is_cancelled {
                prop_assert_eq!((step.state, held), (StepState::Done, amount), "{} is done", id);
            } else {
                prop_assert!(step.is_settled(), "{} is {:?}", id, step.state);
                prop_assert_eq!(held, 0, "of {} nothing is out", id);
            }
            prop_assert_eq!(step.books.sum(Movement::Reversed), run.undone(id), "{} is undone once", id);
            prop_assert_eq!((step.books.balance(Account::Promised), step.books.balance(Account::Approved)), (0, 0));
        }
    }

    #[test]
    fn a_name_is_free_and_one(names in prop::collection::vec("[a-z]{1,3}(-r[0-9]{1,3})?", 1..20), number in 1..=MAX_REVISIONS) {
        let mut taken: Vec<String> = Vec::new();
        for name in names.into_iter().cycle().take(60) {
            let long = format!("{}{name}", "x".repeat(57));
            for name in [name, long.chars().take(MAX_STEP_ID).collect()] {
                let free = free_name(&name, number, &taken);
                prop_assert!(free.len() <= MAX_STEP_ID && !taken.contains(&free));
                taken.push(free);
            }
        }
    }
}

fn refund(id: &str, minor: i64, depends_on: &[&str]) -> Step {
    let mut refund = step(id, RemedyKind::Refund, depends_on);
    refund.remedy.amount = Some(Money { minor, currency: "CNY".to_owned() });
    refund
}

fn states(run: &Run) -> Vec<(&str, StepState)> {
    run.plan.steps.iter().map(|step| (step.step_id.as_str(), step.state)).collect()
}

#[test]
fn what_replaces_a_payment_waits_until_that_is_collected_again() {
    let mut run = Run::approved(vec![refund("money", 500, &[]), step("sorry", RemedyKind::Apology, &[])]);
    run.complete(0, 100);
    run.revise(&[refund("money", 300, &[]), step("sorry", RemedyKind::Apology, &[])], true, true);
    assert_eq!(
        states(&run),
        [("money", StepState::Undoing), ("sorry", StepState::Open), ("money-r1", StepState::Waiting)]
    );
    let undo = run.tasks.len() - 1;
    run.complete(undo, 40);
    assert_eq!(run.step("money-r1").state, StepState::Waiting, "a part of it is out yet");
    run.drain();
    assert_eq!(run.plan.state, PlanState::Completed);
    assert_eq!(run.undone("money"), 500);
}

#[test]
fn what_is_added_waits_while_more_would_be_out_than_is_approved() {
    let mut run = Run::approved(vec![refund("a", 500, &[]), refund("b", 100, &["a"])]);
    run.complete(0, 100);
    run.revise(&[refund("b", 100, &[]), refund("c", 200, &[])], true, true);
    let told = [("a", StepState::Undoing), ("b", StepState::Open), ("c", StepState::Waiting)];
    assert_eq!(states(&run), told, "b was planned from the beginning and goes on");
}

#[test]
fn what_was_done_and_is_taken_out_is_undone_backwards_and_what_is_kept_goes_on() {
    let steps =
        vec![refund("a", 1, &[]), refund("b", 2, &["a"]), refund("c", 3, &["b"]), refund("d", 4, &[])];
    let mut run = Run::approved(steps);
    for _ in 0..2 {
        let at = (0..run.tasks.len()).find(|at| *run.tasks[*at].step_id < *"c" && !is_over(&run.tasks[*at]));
        run.complete(at.unwrap(), 100);
    }
    run.revise(&[refund("d", 4, &[])], true, false);
    assert_eq!(
        states(&run),
        [
            ("a", StepState::Done),
            ("b", StepState::Undoing),
            ("c", StepState::Dropped),
            ("d", StepState::Open)
        ]
    );
    run.drain();
    let undone: Vec<&str> =
        run.tasks.iter().filter(|task| task.is_compensation()).map(|task| task.step_id.as_str()).collect();
    assert_eq!((undone, run.plan.state), (vec!["b", "a"], PlanState::Completed));
}

#[test]
fn what_takes_out_only_is_for_who_may_cancel_and_else_waits() {
    let steps = || vec![refund("a", 1, &[]), refund("b", 2, &["a"])];
    for (supervisor, rule, state) in [
        (true, false, RevisionState::Applied),
        (false, false, RevisionState::Pending),
        (false, true, RevisionState::Pending),
    ] {
        let mut run = Run::approved(steps());
        run.complete(0, 100);
        run.revise(&[refund("b", 2, &[])], supervisor, rule);
        assert_eq!(run.revisions[0].state, state, "{supervisor} {rule}");
        assert_eq!(run.plan.approver, "bob", "who approved the plan still has");
    }
    let mut run = Run::approved(steps());
    run.revise(&[refund("a", 1, &[])], false, true);
    assert_eq!(run.revisions[0].state, RevisionState::Applied, "what has not begun is nobody's loss");
}

#[test]
fn a_plan_with_a_revision_that_waits_does_not_complete() {
    let mut run = Run::approved(vec![refund("a", 1, &[])]);
    run.revise(&[refund("a", 1, &[]), refund("b", 2, &[])], true, false);
    run.complete(0, 100);
    assert_eq!(run.plan.state, PlanState::Executing);
    assert_eq!(run.step("b").books.balance(Account::Promised), 2);
    run.decide(false);
    assert_eq!(run.plan.state, PlanState::Completed);
    assert_eq!(run.step("b").books.sum(Movement::Withdrawn), 2);
}

#[test]
fn nobody_who_planned_approves_and_who_approved_before_may() {
    let mut run = Run::approved(vec![refund("a", 1, &[])]);
    run.revise(&[refund("a", 1, &[]), refund("b", 2, &[])], true, false);
    let mut revision = run.revisions[0].clone();
    let revised = run.plan.as_revised_by(&revision);
    for (who, told) in [
        ("SUE", Err(Refusal::ApproverIsProposer)),
        ("ann", Err(Refusal::ApproverIsProposer)),
        ("bob", Ok(())),
        ("carl", Err(Refusal::InvalidRevisionState)),
    ] {
        let given = (by(who), &Sums::new(), needs(1));
        assert_eq!(run.plan.approve_revision(&mut revision, given, &revised, &mut []), told, "{who}");
    }
    assert_eq!(run.plan.may_be_paid_by("sue"), Err(Refusal::ExecutorIsPlanner));
    assert_eq!(run.plan.may_be_paid_by("bob"), Err(Refusal::ExecutorIsPlanner));
    assert_eq!(run.plan.may_be_paid_by("worker"), Ok(()));
}

#[test]
fn a_plan_that_waits_is_revised_at_once_and_approved_anew() {
    let mut plan = plan(vec![refund("a", 1, &[])]);
    plan.approve(by("bob"), &Sums::new(), needs(2)).unwrap();
    let draft = plan.draft(&[refund("a", 2, &[])]);
    let revision = plan.revise(draft, reviser("lin", false), needs(1), (&mut [], NOW)).unwrap();
    assert_eq!((revision.state, plan.state), (RevisionState::Applied, PlanState::Proposed));
    assert_eq!((plan.approvals.len(), &plan.earlier_approvers), (0, &vec!["bob".to_owned()]));
    assert_eq!(plan.facts().proposer, "lin");
    assert_eq!(plan.approve(by("lin"), &Sums::new(), needs(1)), Err(Refusal::ApproverIsProposer));
    assert_eq!(plan.approve(by("bob"), &Sums::new(), needs(1)), Ok(()));
}

#[test]
fn what_has_begun_is_not_made_to_wait_and_what_is_the_same_is_nothing() {
    let mut run = Run::approved(vec![refund("a", 1, &[]), refund("b", 2, &[])]);
    run.complete(0, 100);
    let due = Some(NOW);
    let asked =
        [Step { due_time: due, ..refund("a", 1, &["n"]) }, refund("b", 2, &["a"]), refund("n", 3, &[])];
    let flaws = run.plan.flaws_of_revision(&asked);
    let fields: Vec<&str> = flaws.iter().map(|flaw| flaw.field.as_str()).collect();
    assert_eq!(fields, ["steps[0].due_time", "steps[0].depends_on[0]"]);
    let same = run.plan.draft(&[refund("b", 2, &["a"]), refund("a", 1, &[])]);
    assert!(!run.plan.is_changed_by(&same));
}
