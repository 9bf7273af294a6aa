//! Tasks under every order of hand-outs, reports, requeues and cancellations.

use proptest::prelude::*;

use super::*;
use crate::remedy::{Goods, RemedyKind};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

pub(crate) fn money(minor: i64, currency: &str) -> Money {
    Money { minor, currency: currency.to_owned() }
}

pub(crate) fn task(kind: RemedyKind) -> Task {
    let amount = kind.needs_amount().then(|| money(500, "CNY"));
    let goods = kind.needs_goods().then(|| Goods { sku: "A".to_owned(), quantity: 1 });
    let remedy = Remedy { kind, amount, goods, instructions: String::new(), custom: None };
    let origin = TaskOrigin { case_id: CaseId(Uuid::from_u128(3)), cycle: 1, priority: 3, traceparent: "" };
    Task {
        plan_id: Some(PlanId(Uuid::from_u128(2))),
        step_id: "a".to_owned(),
        ..Task::new(TaskId(Uuid::from_u128(1)), origin, ("finance".to_owned(), remedy), NOW)
    }
}

/// What the store's statement does when the task is due.
pub(crate) fn hand_out(task: &mut Task, token: Uuid) -> bool {
    let may = matches!(task.state, TaskState::Ready | TaskState::Leased);
    if may && task.attempt < task.max_attempts {
        (task.state, task.attempt, task.lease_token) = (TaskState::Leased, task.attempt + 1, Some(token));
        return true;
    }
    if may {
        let valuable = task.remedy.kind.moves_value();
        task.state = if valuable { TaskState::OutcomeUnknown } else { TaskState::NeedsAttention };
    }
    false
}

fn failure(code: &str, retryable: bool) -> Failure {
    Failure { code: code.to_owned(), message: "no answer".to_owned(), retryable, outcome_unknown: false }
}

pub(crate) fn requeued() -> Requeued {
    Requeued { by: "ann".to_owned(), reason: "bank is back".to_owned() }
}

#[test]
fn a_result_has_what_its_kind_needs() {
    let fields = |kind, reference: &str, amount| {
        let result = TaskResult { reference: reference.to_owned(), amount, ..TaskResult::default() };
        task(kind)
            .flaws(&result, &RemedyTypes::default())
            .into_iter()
            .map(|flaw| flaw.field)
            .collect::<Vec<_>>()
    };
    assert!(fields(RemedyKind::Refund, "P-1", Some(money(500, "CNY"))).is_empty());
    assert!(fields(RemedyKind::Exchange, "S-1", None).is_empty());
    assert!(fields(RemedyKind::Apology, "", None).is_empty());
    assert_eq!(fields(RemedyKind::Refund, " ", None), ["reference", "amount"]);
    assert_eq!(fields(RemedyKind::Refund, "P-1", Some(money(501, "CNY"))), ["amount"]);
    assert_eq!(fields(RemedyKind::Refund, "P-1", Some(money(0, "CNY"))), ["amount"]);
    assert_eq!(fields(RemedyKind::Refund, "P-1", Some(money(500, "USD"))), ["amount"]);
    assert_eq!(fields(RemedyKind::Exchange, "", Some(money(1, "CNY"))), ["reference", "amount"]);
}

#[test]
fn the_last_holder_may_report_late_until_somebody_else_holds_it() {
    let (first, second) = (Uuid::from_u128(11), Uuid::from_u128(12));
    let mut expired = task(RemedyKind::Apology);
    hand_out(&mut expired, first);
    assert_eq!(expired.complete(first, TaskResult::default()), Ok(()));

    let mut taken_over = task(RemedyKind::Apology);
    hand_out(&mut taken_over, first);
    hand_out(&mut taken_over, second);
    assert_eq!(taken_over.complete(first, TaskResult::default()), Err(Refusal::LeaseLost));
    assert_eq!(taken_over.complete(second, TaskResult::default()), Ok(()));
    assert_eq!(taken_over.complete(second, TaskResult::default()), Err(Refusal::LeaseLost));
}

#[test]
fn a_task_out_of_attempts_needs_attention_and_a_requeue_gives_fresh_ones() {
    let mut task = task(RemedyKind::Apology);
    for attempt in 1..=MAX_ATTEMPTS {
        let token = Uuid::from_u128(attempt.unsigned_abs().into());
        assert!(hand_out(&mut task, token));
        task.fail(token, failure("BANK_DOWN", true), NOW, 0.0).unwrap();
    }
    assert_eq!(task.state, TaskState::NeedsAttention);
    assert_eq!(task.last_error, "BANK_DOWN: no answer");
    assert_eq!(task.requeue(requeued(), NOW), Ok(()));
    assert_eq!((task.state, task.attempt, task.department_id.as_str()), (TaskState::Ready, 0, "finance"));
    assert_eq!(task.requeue(requeued(), NOW), Err(Refusal::InvalidTaskState(TaskState::Ready)));
}

#[test]
fn what_another_department_is_given_is_a_task_of_its_own() {
    let token = Uuid::from_u128(11);
    let mut old = task(RemedyKind::Refund);
    hand_out(&mut old, token);
    let to = (TaskId(Uuid::from_u128(77)), "audit".to_owned());
    let held = old.give_to(to.clone(), requeued(), NOW);
    assert_eq!(held, Err(Refusal::InvalidTaskState(TaskState::Leased)), "its holder may be at work");
    old.reject(token, "not ours".to_owned()).unwrap();
    let next = old.give_to(to.clone(), requeued(), NOW).unwrap();
    assert_eq!(
        (old.state, old.given_to, old.department_id.as_str()),
        (TaskState::Reassigned, Some(to.0), "finance")
    );
    assert_eq!((next.state, next.task_id, next.attempt, next.rejections), (TaskState::Ready, to.0, 0, 1));
    assert_eq!((next.department_id.as_str(), &next.remedy), ("audit", &old.remedy));
    assert_eq!(old.must_be_open(), Err(Refusal::InvalidTaskState(TaskState::Reassigned)));
}

#[test]
fn the_old_department_is_heard_until_the_new_one_was_handed_the_task() {
    let token = Uuid::from_u128(11);
    let given_on = || {
        let mut old = task(RemedyKind::Apology);
        for attempt in 1..=MAX_ATTEMPTS {
            hand_out(&mut old, if attempt == MAX_ATTEMPTS { token } else { Uuid::from_u128(12) });
        }
        hand_out(&mut old, Uuid::nil());
        let to = (TaskId(Uuid::from_u128(77)), "audit".to_owned());
        let next = old.give_to(to, requeued(), NOW).unwrap();
        (old, next)
    };
    let (mut old, mut next) = given_on();
    assert_eq!(old.complete(token, TaskResult::default()), Err(Refusal::LeaseLost), "not by itself");
    assert_eq!(
        old.complete_reassigned(Uuid::from_u128(12), TaskResult::default(), &mut next),
        Err(Refusal::LeaseLost)
    );
    assert_eq!(old.complete_reassigned(token, TaskResult::default(), &mut next), Ok(()));
    assert_eq!((old.state, next.state), (TaskState::Completed, TaskState::Cancelled));

    let (mut old, mut next) = given_on();
    hand_out(&mut next, Uuid::from_u128(13));
    next.worker = "somebody".to_owned();
    next.fail(Uuid::from_u128(13), failure("X", true), NOW, 0.0).unwrap();
    assert_eq!(old.complete_reassigned(token, TaskResult::default(), &mut next), Err(Refusal::LeaseLost));
    assert_eq!((old.state, next.state), (TaskState::Reassigned, TaskState::Ready), "it may be doing it");
}

#[test]
fn the_third_time_a_step_is_handed_back_it_is_escalated() {
    let mut task = task(RemedyKind::Apology);
    for time in 1..=MAX_REJECTIONS {
        assert!(!task.is_escalated());
        let token = Uuid::from_u128(time.unsigned_abs().into());
        hand_out(&mut task, token);
        task.reject(token, "not ours".to_owned()).unwrap();
        assert_eq!(task.rejections, time);
        if time < MAX_REJECTIONS {
            // Whoever it goes to: what is counted is the step's.
            let to = (TaskId(Uuid::from_u128(70)), "audit".to_owned());
            task = task.give_to(to, requeued(), NOW).unwrap();
        }
    }
    assert!(task.is_escalated());
}

#[test]
fn only_an_asked_holder_can_answer_cancelled() {
    let token = Uuid::from_u128(11);
    let mut unasked = task(RemedyKind::Apology);
    hand_out(&mut unasked, token);
    unasked.fail(token, failure(CANCELLED_CODE, false), NOW, 0.0).unwrap();
    assert_eq!(unasked.state, TaskState::NeedsAttention);

    let mut asked = task(RemedyKind::Apology);
    hand_out(&mut asked, token);
    asked.cancel();
    assert_eq!((asked.state, asked.cancel_requested), (TaskState::Leased, true));
    asked.fail(token, failure(CANCELLED_CODE, false), NOW, 0.0).unwrap();
    assert_eq!(asked.state, TaskState::Cancelled);
}

#[test]
fn back_off_doubles_up_to_its_cap() {
    assert_eq!(back_off(1, 1.0), FIRST_BACK_OFF);
    assert_eq!(back_off(1, 0.0), FIRST_BACK_OFF / 2);
    assert_eq!(back_off(3, 1.0), FIRST_BACK_OFF * 4);
    assert_eq!(back_off(i32::MAX, 1.0), MAX_BACK_OFF);
}

#[derive(Clone, Debug)]
enum Op {
    HandOut,
    Complete(prop::sample::Index),
    Fail(prop::sample::Index, bool, bool),
    Reject(prop::sample::Index),
    Requeue,
    GiveOn,
    Extend,
    CompleteWithoutLease,
    Cancel,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        4 => Just(Op::HandOut),
        2 => any::<prop::sample::Index>().prop_map(Op::Complete),
        2 => (any::<prop::sample::Index>(), any::<bool>(), any::<bool>()).prop_map(|(i, r, c)| Op::Fail(i, r, c)),
        1 => any::<prop::sample::Index>().prop_map(Op::Reject),
        2 => Just(Op::Requeue),
        1 => Just(Op::GiveOn),
        1 => Just(Op::Extend),
        1 => Just(Op::CompleteWithoutLease),
        1 => Just(Op::Cancel),
    ];
    prop::collection::vec(op, 0..40)
}

proptest! {
    #[test]
    fn only_the_last_token_counts_and_ends_are_final(ops in ops(), compensation in any::<bool>()) {
        let mut task = task(RemedyKind::Apology);
        task.compensates = compensation.then(|| TaskId(Uuid::from_u128(99)));
        let mut tokens = vec![Uuid::nil()];
        for op in ops {
            let before = task.clone();
            let last = tokens[tokens.len() - 1];
            let pick = |index: prop::sample::Index| tokens[index.index(tokens.len())];
            let reported = match op {
                Op::HandOut => {
                    let token = Uuid::from_u128(100 + tokens.len() as u128);
                    if hand_out(&mut task, token) { tokens.push(token); }
                    None
                }
                Op::Complete(i) => { let t = pick(i); Some((t, task.complete(t, TaskResult::default()))) }
                Op::Fail(i, retryable, cancelled) => {
                    let t = pick(i);
                    let code = if cancelled { CANCELLED_CODE } else { "X" };
                    Some((t, task.fail(t, failure(code, retryable), NOW, 0.5)))
                }
                Op::Reject(i) => { let t = pick(i); Some((t, task.reject(t, "no".to_owned()))) }
                Op::Requeue => { let _ = task.requeue(requeued(), NOW); None }
                Op::GiveOn => {
                    let to = (TaskId(Uuid::from_u128(50)), "audit".to_owned());
                    if let Ok(next) = task.give_to(to, requeued(), NOW) {
                        prop_assert_ne!(next.task_id, task.task_id, "a key of its own");
                        prop_assert_eq!((next.attempt, next.lease_token, next.rejections), (0, None, task.rejections));
                    }
                    None
                }
                Op::Extend => { let _ = task.extend(NOW); None }
                Op::CompleteWithoutLease => { let _ = task.complete_without_lease(TaskResult::default()); None }
                Op::Cancel => { task.cancel(); None }
            };
            match reported {
                Some((token, Ok(()))) => prop_assert_eq!(token, last, "only the last holder is heard"),
                Some((_, Err(_))) => prop_assert_eq!(&task, &before, "a refusal changes nothing"),
                None => {}
            }
            let ends = [TaskState::Completed, TaskState::Cancelled, TaskState::Reassigned];
            if ends.contains(&before.state) {
                prop_assert_eq!(&task, &before, "the end is final");
            }
            prop_assert!(task.version >= before.version && task.rejections >= before.rejections);
            prop_assert_eq!(task.given_to.is_some(), task.state == TaskState::Reassigned);
            prop_assert!((0..=task.max_attempts).contains(&task.attempt));
            prop_assert!(task.state != TaskState::Leased || task.lease_token.is_some());
            prop_assert!(!(compensation && task.state == TaskState::Cancelled), "an undoing is never cancelled");
            prop_assert_eq!(task.result.is_some(), task.state == TaskState::Completed);
        }
    }

    #[test]
    fn back_off_is_between_half_and_all_of_the_doubled_delay(attempt in 1..40_i32, jitter in 0.0..1.0_f64) {
        let delay = back_off(attempt, jitter);
        let full = back_off(attempt, 1.0);
        prop_assert!(full / 2 <= delay && delay <= full && full <= MAX_BACK_OFF);
    }
}

#[test]
fn more_time_begins_the_ladder_anew_and_so_does_another_department() {
    let mut late = Task { due_time: Some(NOW), overdue_step: 3, ..task(RemedyKind::Refund) };
    late.extend(NOW + Duration::from_hours(1)).unwrap();
    assert_eq!(late.overdue_step, 0);
    let mut late = Task { due_time: Some(NOW), overdue_step: 3, ..task(RemedyKind::Refund) };
    let requeued = Requeued { by: "boss".to_owned(), reason: "theirs".to_owned() };
    let next = late.give_to((TaskId(Uuid::from_u128(9)), "audit".to_owned()), requeued, NOW).unwrap();
    assert_eq!((next.overdue_step, next.due_time, next.first_leased_at), (0, Some(NOW), None));
}
