//! Deliveries under every order of answers, pauses, cancellations and cut-off tries.

use kernel::{CaseId, Money, PlanId};
use proptest::prelude::*;
use server::Secret;

use super::*;
use crate::endpoint::{DEFAULT_HOLD, DEFAULT_TIMEOUT, EndpointKind, EndpointPause, Setting};
use crate::remedy::{Remedy, RemedyKind};
use crate::task::TaskOrigin;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
const TOKEN: Uuid = Uuid::from_u128(9);

fn at(seconds: u64) -> Timestamp {
    NOW + Duration::from_secs(seconds)
}

fn task(kind: RemedyKind) -> Task {
    let amount = kind.needs_amount().then(|| Money { minor: 500, currency: "CNY".to_owned() });
    let remedy = Remedy { kind, amount, goods: None, instructions: String::new(), custom: None };
    let origin = TaskOrigin { case_id: CaseId(Uuid::from_u128(3)), cycle: 1, priority: 3, traceparent: "" };
    Task {
        plan_id: Some(PlanId(Uuid::from_u128(2))),
        step_id: "a".to_owned(),
        state: TaskState::Leased,
        attempt: 1,
        lease_token: Some(TOKEN),
        ..Task::new(TaskId(Uuid::from_u128(1)), origin, ("finance".to_owned(), remedy), NOW)
    }
}

fn endpoint() -> Endpoint {
    let setting = Setting {
        department_id: "finance".to_owned(),
        kind: EndpointKind::Webhook,
        url: "https://pay.example.com/".to_owned(),
        secret: Some(Secret::from("x".to_owned())),
        timeout: DEFAULT_TIMEOUT,
        hold: DEFAULT_HOLD,
    };
    setting.set(None, NOW)
}

fn paused() -> Endpoint {
    let pause = EndpointPause { reason: "x".to_owned(), by: String::new(), at: NOW };
    Endpoint { pause: Some(pause), ..endpoint() }
}

fn delivery(task: &Task) -> Delivery {
    Delivery::of_task(Uuid::from_u128(7), task, TOKEN, NOW)
}

fn none(may_have_arrived: bool) -> Answer {
    Answer::None(NoAnswer { may_have_arrived, ..NoAnswer::default() })
}

#[test]
fn what_is_held_by_somebody_else_or_has_ended_is_not_delivered() {
    let task = task(RemedyKind::Refund);
    let delivery = delivery(&task);
    let endpoint = endpoint();
    for other in [
        Task { lease_token: Some(Uuid::from_u128(8)), ..task.clone() },
        Task { state: TaskState::Completed, lease_token: None, ..task.clone() },
        Task { state: TaskState::OutcomeUnknown, ..task.clone() },
    ] {
        assert!(matches!(delivery.next(Some(&other), Some(&endpoint), false, NOW), Next::Supersede(_)));
    }
    assert!(matches!(delivery.next(None, Some(&endpoint), false, NOW), Next::Supersede(_)));
    assert!(matches!(delivery.next(Some(&task), Some(&endpoint), false, NOW), Next::Try(_)));
}

#[test]
fn what_reached_nobody_goes_back_and_what_may_have_waits_with_its_endpoint() {
    let task = task(RemedyKind::Refund);
    let (fresh, mut told) = (delivery(&task), delivery(&task));
    told.may_have_arrived = true;
    for (endpoint, is_department_paused) in [(None, false), (Some(paused()), false), (Some(endpoint()), true)]
    {
        let next = fresh.next(Some(&task), endpoint.as_ref(), is_department_paused, NOW);
        assert!(matches!(next, Next::Release(_)), "{next:?}");
    }
    assert_eq!(told.next(Some(&task), Some(&paused()), false, NOW), Next::Wait(told.give_up_at));
    assert_eq!(told.next(Some(&task), None, false, NOW), Next::Leave);
    assert!(matches!(told.next(Some(&task), Some(&endpoint()), true, NOW), Next::Try(_)));
}

#[test]
fn a_cancelled_task_is_told_of_unless_nobody_ever_was() {
    let task = Task { cancel_requested: true, ..task(RemedyKind::Refund) };
    let fresh = delivery(&task);
    assert_eq!(fresh.next(Some(&task), Some(&endpoint()), false, NOW), Next::Cancel);
    let second = Task { attempt: 2, ..task.clone() };
    assert!(matches!(fresh.next(Some(&second), Some(&endpoint()), false, NOW), Next::Try(_)));
    let told = Delivery { may_have_arrived: true, ..fresh };
    assert!(matches!(told.next(Some(&task), Some(&endpoint()), false, NOW), Next::Try(_)));
}

#[test]
fn a_department_that_asks_for_time_gets_an_hour_at_most() {
    let task = task(RemedyKind::Refund);
    for (asked, waits) in [(0, 2), (600, 600), (1_000_000, 3_600)] {
        let mut delivery = Delivery { tries: 1, ..delivery(&task) };
        let retry_after = Some(Duration::from_secs(asked));
        delivery.answered(&Answer::None(NoAnswer { retry_after, ..NoAnswer::default() }), NOW, 0.0);
        assert_eq!(delivery.due_at.as_second(), waits, "{asked}");
    }
}

#[test]
fn one_that_is_being_made_is_not_made_beside_that() {
    let task = task(RemedyKind::Refund);
    let mut busy = Delivery { is_under_way: true, due_at: at(60), ..delivery(&task) };
    busy.make_again(at(5));
    assert_eq!((busy.due_at, busy.is_under_way), (at(60), true));
    let mut taken = delivery(&task);
    taken.answered(&Answer::Taken, at(1), 0.0);
    taken.make_again(at(5));
    assert_eq!((taken.state, taken.due_at, taken.may_have_arrived), (DeliveryState::Pending, at(5), true));
}

proptest! {
    /// Tries come, each arriving or not, whatever time passes between them: an attempt has
    /// its limit from the first that may have arrived, not before; and a delivery ends.
    #[test]
    fn an_attempt_is_limited_from_the_first_try_that_may_have_arrived(
        pauses in prop::collection::vec((0..20_000_u64, any::<bool>(), 0.0..1.0_f64), 1..200),
        is_money in any::<bool>(),
    ) {
        let kind = if is_money { RemedyKind::Refund } else { RemedyKind::Apology };
        let (mut task, endpoint) = (task(kind), endpoint());
        let mut delivery = delivery(&task);
        let (mut clock, mut arrived_at) = (0, None);
        for (pause, arrives, jitter) in pauses {
            clock += pause;
            let now = at(clock).max(delivery.due_at);
            clock = u64::try_from(now.as_second()).unwrap();
            match delivery.next(Some(&task), Some(&endpoint), false, now) {
                Next::Try(hold) => {
                    let began = arrived_at.unwrap_or(now);
                    prop_assert_eq!(hold.attempt_until, began + kind.start_to_close());
                    prop_assert!(now < delivery.give_up_at && hold.until <= hold.attempt_until);
                    delivery.tries += 1;
                    delivery.answered(&none(arrives), now, jitter);
                    if arrives {
                        arrived_at = Some(began);
                    }
                    let lease = delivery.lease(Some(hold.attempt_until));
                    task.attempt_until = Some(lease.attempt_until);
                    let end = delivery.give_up_at + LEASE_SLACK;
                    prop_assert_eq!(lease.until, if arrived_at.is_some() { end.min(hold.attempt_until) } else { end });
                    let wait = Duration::try_from(delivery.due_at.duration_since(now)).unwrap();
                    prop_assert!(wait <= MAX_BACK_OFF && (wait >= FIRST_BACK_OFF / 2 || delivery.due_at == delivery.give_up_at));
                }
                Next::GiveUp => {
                    prop_assert!(delivery.give_up_at <= now);
                    let unknown = delivery.undeliverable(&task).outcome_unknown;
                    prop_assert_eq!(unknown, is_money && arrived_at.is_some());
                    break;
                }
                Next::Supersede(_) => {
                    prop_assert!(arrived_at.is_some_and(|began| began + kind.start_to_close() <= now));
                    break;
                }
                next => prop_assert!(false, "{:?}", next),
            }
        }
    }
}
