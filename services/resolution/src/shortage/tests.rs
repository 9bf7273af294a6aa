//! Tasks that wait for goods under every order of what can happen to them; alerts; what is
//! offered instead.

use proptest::prelude::*;

use super::*;
use crate::approval::Sums;
use crate::task::tests::{hand_out, money, requeued, task};
use crate::task::{CANCELLED_CODE, Failure, TaskResult};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
const DAY: Duration = Duration::from_hours(24);

fn days(days: u32) -> Timestamp {
    NOW + DAY * days
}

#[derive(Clone, Debug)]
enum Op {
    HandOut,
    Wait(prop::sample::Index, u32),
    Advance(u32),
    Complete(prop::sample::Index),
    Fail(prop::sample::Index),
    Requeue,
    Cancel,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        4 => Just(Op::HandOut),
        4 => (any::<prop::sample::Index>(), 1..200_u32).prop_map(|(i, days)| Op::Wait(i, days)),
        3 => (0..120_u32).prop_map(Op::Advance),
        1 => any::<prop::sample::Index>().prop_map(Op::Complete),
        1 => any::<prop::sample::Index>().prop_map(Op::Fail),
        1 => Just(Op::Requeue),
        1 => Just(Op::Cancel),
    ];
    prop::collection::vec(op, 0..40)
}

proptest! {
    /// Waiting for goods burns no attempt, is for the last holder to say, is never handed
    /// out before its time, and leaves nothing that is over.
    #[test]
    fn a_task_waits_for_goods_until_they_are_expected(ops in ops()) {
        let mut task = task(RemedyKind::Exchange);
        let mut tokens = vec![Uuid::nil()];
        let mut now = NOW;
        for op in ops {
            let before = task.clone();
            let last = tokens[tokens.len() - 1];
            let pick = |index: prop::sample::Index| tokens[index.index(tokens.len())];
            match op {
                Op::HandOut => {
                    // As the store does: what is not visible yet is handed to nobody.
                    let token = Uuid::from_u128(100 + tokens.len() as u128);
                    if task.visible_at <= now && hand_out(&mut task, token) { tokens.push(token); }
                    prop_assert!(before.state != TaskState::AwaitingStock || task == before, "it waits");
                }
                Op::Wait(index, wait) => {
                    let token = pick(index);
                    let until = now + DAY * wait;
                    let held = task.lease_token == Some(token);
                    let told = task.wait_for_goods(token, until);
                    prop_assert_eq!(told.is_ok(), held, "{:?}", told);
                    if told.is_err() {
                        prop_assert_eq!(&task, &before, "a refusal changes nothing");
                    } else if before.cancel_requested {
                        prop_assert_eq!(task.state, TaskState::Cancelled);
                    } else {
                        prop_assert_eq!((task.state, task.visible_at), (TaskState::AwaitingStock, until));
                        prop_assert_eq!(token, last, "only the last holder is heard");
                        let held = before.state == TaskState::Leased;
                        prop_assert!(!held || task.attempt == before.attempt - 1, "the attempt does not count");
                        prop_assert!(task.attempt <= before.attempt);
                    }
                }
                Op::Advance(by) => {
                    now += DAY * by;
                    let due = before.state == TaskState::AwaitingStock && before.visible_at <= now;
                    prop_assert_eq!(task.goods_expected(now), due);
                    prop_assert_eq!(task.state == TaskState::Ready, due || before.state == TaskState::Ready);
                }
                Op::Complete(index) => { let _ = task.complete(pick(index), TaskResult::default()); }
                Op::Fail(index) => {
                    let code = CANCELLED_CODE.to_owned();
                    let failure = Failure { code, message: String::new(), retryable: true, outcome_unknown: false };
                    let _ = task.fail(pick(index), failure, now, 0.5);
                }
                Op::Requeue => {
                    if task.requeue(requeued(), now).is_ok() {
                        prop_assert_eq!((task.state, task.attempt), (TaskState::Ready, 0));
                        prop_assert!(task.visible_at <= now);
                    }
                }
                Op::Cancel => {
                    task.cancel();
                    prop_assert!(task.state != TaskState::AwaitingStock, "nobody is at work on it: it ends");
                }
            }
            if [TaskState::Completed, TaskState::Cancelled].contains(&before.state) {
                prop_assert_eq!(&task, &before, "the end is final");
            }
            prop_assert!((0..=task.max_attempts).contains(&task.attempt));
            prop_assert!(task.version >= before.version);
        }
    }

    /// Counted by the task, however often it is told of, and in the last seven days only.
    #[test]
    fn an_alert_is_due_when_three_tasks_lack_an_article_within_seven_days(
        reports in prop::collection::vec((0..5_u128, 0..20_i64), 0..12),
        now in 0..20_i64,
    ) {
        let at = |day: i64| Timestamp::from_second(day * 86_400).unwrap();
        let lack = |(task, day): &(u128, i64)| Lack {
            task_id: TaskId(Uuid::from_u128(*task)),
            reported_at: at(*day),
            quantity: 2,
        };
        let told: Vec<_> = reports.iter().map(lack).collect();
        let mut distinct: Vec<u128> = reports
            .iter()
            .filter(|(_, day)| *day <= now && *day > now - 7)
            .map(|(task, _)| *task)
            .collect();
        distinct.sort_unstable();
        distinct.dedup();
        let shortage = Shortage {
            task_id: TaskId(Uuid::nil()),
            number: 1,
            department_id: "warehouse".to_owned(),
            sku: "A-17".to_owned(),
            expected_at: at(now),
            reporter: "worker".to_owned(),
            reported_at: at(now),
        };
        let ids = (TaskId(Uuid::max()), CaseId(Uuid::nil()));
        let due = alert_due(&shortage, &told, ids, at(now));
        prop_assert_eq!(due.is_some(), distinct.len() >= 3);
        if let Some(due) = due {
            let counted = i32::try_from(distinct.len()).unwrap();
            prop_assert_eq!((due.tasks, due.quantity), (counted, 2 * counted));
            prop_assert_eq!((due.sku.as_str(), due.department_id.as_str()), ("A-17", "warehouse"));
        }
    }

    /// Never the thing that is short, never more money than is left, never none.
    #[test]
    fn what_is_offered_instead_is_within_what_may_be_granted(
        number in 1..=12_i16,
        sought in prop::option::of(0..1_000_i64),
        cap in prop::option::of(0..1_000_i64),
        granted in 0..1_000_i64,
    ) {
        let kind = RemedyKind::of(number).unwrap();
        let sum = |minor: i64| Sums::from([("CNY".to_owned(), minor)]);
        let grounds = Grounds {
            sought: sought.map(|minor| money(minor, "CNY")),
            granted: sum(granted),
            caps: cap.map(sum).unwrap_or_default(),
            ..Grounds::default()
        };
        let offered = alternatives(kind, &grounds);
        prop_assert_eq!(offered.is_empty(), !kind.takes_goods(), "something else can always be done");
        for one in offered {
            prop_assert!(one.kind != kind && one.kind.is_remedy());
            prop_assert_eq!(one.up_to.is_some(), one.kind.needs_amount() && sought.is_some());
            if let (Some(up_to), Some(sought)) = (one.up_to, sought) {
                prop_assert!(up_to.minor > 0);
                prop_assert_eq!(up_to.minor, sought.min(cap.unwrap_or(i64::MAX)) - granted);
            }
        }
    }
}

#[test]
fn who_lacks_nothing_and_who_undoes_waits_for_no_goods() {
    let token = Uuid::from_u128(11);
    let wait = |kind: RemedyKind, compensates: Option<TaskId>| {
        let mut task = task(kind);
        task.compensates = compensates;
        hand_out(&mut task, token);
        task.wait_for_goods(token, days(1))
    };
    assert_eq!(wait(RemedyKind::Repair, None), Ok(()));
    assert_eq!(wait(RemedyKind::Refund, None), Err(Refusal::NoGoodsNeeded));
    assert_eq!(wait(RemedyKind::Apology, None), Err(Refusal::NoGoodsNeeded));
    let undoes = Some(TaskId(Uuid::from_u128(9)));
    assert_eq!(wait(RemedyKind::Exchange, undoes), Err(Refusal::NoGoodsNeeded));
}

#[test]
fn what_went_on_as_another_task_waits_for_nothing() {
    let token = Uuid::from_u128(11);
    let mut old = task(RemedyKind::Exchange);
    hand_out(&mut old, token);
    old.wait_for_goods(token, days(9)).unwrap();
    let to = (TaskId(Uuid::from_u128(77)), "outlet".to_owned());
    let next = old.give_to(to, requeued(), days(1)).unwrap();
    assert_eq!((next.state, next.visible_at, old.state), (TaskState::Ready, days(1), TaskState::Reassigned));
    assert_eq!(old.wait_for_goods(token, days(9)), Err(Refusal::LeaseLost));
    assert!(!old.goods_expected(days(10)));
}

#[test]
fn who_waits_for_goods_and_finds_some_is_still_heard() {
    let token = Uuid::from_u128(11);
    let mut task = task(RemedyKind::Exchange);
    hand_out(&mut task, token);
    task.wait_for_goods(token, days(9)).unwrap();
    task.wait_for_goods(token, days(12)).unwrap();
    assert_eq!((task.visible_at, task.attempt), (days(12), 0), "a new date, and no attempt below none");
    assert_eq!(task.complete(token, TaskResult::default()), Ok(()));
}
