//! What is owed again once a mail has come back, and what is not.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::clocks::properties::{assign, day, decide, hear, new_case, take_in};
use crate::external_event::Event;
use crate::timeline::{Mail, WithdrawalSource};

fn mail(notice: u128) -> Mail {
    Mail { notice: Uuid::from_u128(notice), sending: 1 }
}

fn delivered(kind: NoticeKind, notice: u128) -> Event {
    Event::NoticeSettled { kind, failure: None, mail: Some(mail(notice)) }
}

fn bounced(kind: NoticeKind, notice: u128) -> Event {
    Event::NoticeBounced { kind, mail: mail(notice), status: "5.1.1".to_owned() }
}

const ACKNOWLEDGEMENT: NoticeKind = NoticeKind::Acknowledgement;
const OUTCOME: NoticeKind = NoticeKind::Outcome;

fn state(clocks: &Clocks, kind: Kind, cycle: i32) -> State {
    let clock = clocks.0.iter().find(|clock| clock.clock.kind == kind && clock.cycle == cycle);
    clock.expect("there is such a clock").clock.state
}

fn is_running(clocks: &Clocks, kind: Kind) -> bool {
    matches!(state(clocks, kind, 1), State::Running { .. })
}

#[test]
fn an_acknowledgement_that_came_back_is_owed_again_by_the_same_time() {
    let (mut case, mut clocks) = new_case();
    hear(&mut case, delivered(ACKNOWLEDGEMENT, 1), day(0));
    take_in(&mut clocks, &mut case);
    assert_eq!(state(&clocks, Kind::Acknowledge, 1), State::Met { at: day(0) });
    hear(&mut case, bounced(ACKNOWLEDGEMENT, 1), day(3));
    take_in(&mut clocks, &mut case);
    let clock = clocks.0.iter().find(|clock| clock.clock.kind == Kind::Acknowledge).expect("there is one");
    assert_eq!((clock.due(), clock.is_breached(day(3))), (Some(day(1)), true));
    assert_eq!(case.due_time, Some(day(1)));
}

#[test]
fn old_evidence_keeps_it_no_more_and_new_evidence_does() {
    let (mut case, mut clocks) = new_case();
    for (event, running) in [
        (delivered(ACKNOWLEDGEMENT, 1), false),
        (bounced(ACKNOWLEDGEMENT, 1), true),
        (delivered(ACKNOWLEDGEMENT, 1), true),
        (bounced(ACKNOWLEDGEMENT, 1), true),
        (delivered(ACKNOWLEDGEMENT, 2), false),
        (bounced(ACKNOWLEDGEMENT, 1), false),
    ] {
        hear(&mut case, event.clone(), day(0));
        take_in(&mut clocks, &mut case);
        assert_eq!(is_running(&clocks, Kind::Acknowledge), running, "after {event:?}");
    }
}

#[test]
fn what_stands_beside_it_keeps_the_promise_as_of_its_own_time() {
    let recorded =
        Event::NoticeRecorded { kind: ACKNOWLEDGEMENT, by: "by telephone".to_owned(), told: day(2) };
    let by_text = Event::NoticeSettled { kind: NoticeKind::Holding, failure: None, mail: None };
    for other in [recorded, by_text, delivered(NoticeKind::Extension, 2)] {
        let (mut case, mut clocks) = new_case();
        hear(&mut case, delivered(ACKNOWLEDGEMENT, 1), day(0));
        hear(&mut case, other.clone(), day(2));
        hear(&mut case, bounced(ACKNOWLEDGEMENT, 1), day(3));
        take_in(&mut clocks, &mut case);
        assert_eq!(state(&clocks, Kind::Acknowledge, 1), State::Met { at: day(2) }, "{other:?}");
    }
}

#[test]
fn what_was_kept_before_tellings_were_noted_stays_kept() {
    let (mut case, mut clocks) = new_case();
    hear(&mut case, delivered(ACKNOWLEDGEMENT, 1), day(0));
    take_in(&mut clocks, &mut case);
    for clock in &mut clocks.0 {
        clock.tellings.clear();
    }
    hear(&mut case, bounced(ACKNOWLEDGEMENT, 1), day(1));
    take_in(&mut clocks, &mut case);
    assert_eq!(state(&clocks, Kind::Acknowledge, 1), State::Met { at: day(0) });
}

#[test]
fn an_outcome_that_came_back_is_still_to_be_told() {
    let (mut case, mut clocks) = new_case();
    assign(&mut case, day(0));
    decide(&mut case, day(1));
    hear(&mut case, delivered(OUTCOME, 1), day(1));
    take_in(&mut clocks, &mut case);
    assert_eq!(state(&clocks, Kind::Tell, 1), State::Met { at: day(1) });
    hear(&mut case, bounced(OUTCOME, 1), day(2));
    take_in(&mut clocks, &mut case);
    assert!(is_running(&clocks, Kind::Tell) && is_running(&clocks, Kind::Acknowledge));
    hear(&mut case, Event::Disputes { comment: "no".to_owned() }, day(2));
    take_in(&mut clocks, &mut case);
    assert!(!is_running(&clocks, Kind::Tell), "who answers has been told");
}

#[test]
fn an_outcome_of_an_earlier_cycle_and_a_case_that_is_over_owe_nothing_again() {
    let (mut case, mut clocks) = new_case();
    assign(&mut case, day(0));
    decide(&mut case, day(1));
    hear(&mut case, delivered(OUTCOME, 1), day(1));
    take_in(&mut clocks, &mut case);
    let (mut over, mut its) = (case.clone(), clocks.clone());
    over.withdraw(WithdrawalSource::Staff, String::new(), &crate::case::properties::occasion(day(2)))
        .expect("open");
    hear(&mut over, bounced(OUTCOME, 1), day(3));
    take_in(&mut its, &mut over);
    assert!(its.0.iter().all(|clock| !clock.clock.is_open()));
    hear(&mut case, Event::Disputes { comment: "no".to_owned() }, day(2));
    take_in(&mut clocks, &mut case);
    let open = |clocks: &Clocks| -> Vec<(Kind, i32)> {
        let open = clocks.0.iter().filter(|clock| clock.clock.is_open());
        open.map(|clock| (clock.clock.kind, clock.cycle)).collect()
    };
    let before = open(&clocks);
    hear(&mut case, bounced(OUTCOME, 1), day(3));
    take_in(&mut clocks, &mut case);
    assert_eq!(open(&clocks), before);
    assert_eq!(state(&clocks, Kind::Tell, 1), State::Met { at: day(2) }, "by their answer");
}

proptest! {
    #[test]
    fn the_promise_is_kept_exactly_while_a_telling_stands(steps in prop::collection::vec((any::<bool>(), 0..4_u128), 0..20)) {
        let (mut case, mut clocks) = new_case();
        let (mut told, mut back) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
        for (comes_back, notice) in steps {
            let event = if comes_back { bounced(ACKNOWLEDGEMENT, notice) } else { delivered(ACKNOWLEDGEMENT, notice) };
            hear(&mut case, event, day(0));
            take_in(&mut clocks, &mut case);
            if comes_back {
                back.insert(notice);
            } else if !back.contains(&notice) {
                told.insert(notice);
            }
            let stands = told.difference(&back).count() > 0;
            prop_assert_eq!(is_running(&clocks, Kind::Acknowledge), !stands);
        }
    }
}
