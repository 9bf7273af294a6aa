//! What is let through, when what fails is tried again, and when it is given up.

use proptest::prelude::*;
use serde_json::json;

use super::filter::{Filter, Seen};
use super::*;

fn at(seconds: u64) -> Timestamp {
    Timestamp::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn failed(why: &str) -> Failed {
    Failed { why: why.to_owned(), retry_after: None, is_gone: false }
}

fn subscription() -> EventSubscription {
    EventSubscription {
        id: Uuid::from_u128(1),
        version: 1,
        wanted: Wanted {
            title: "CRM".to_owned(),
            url: "https://crm.example.com/hooks".to_owned(),
            types: Vec::new(),
            filter: String::new(),
            timeout: DEFAULT_TIMEOUT,
        },
        secret: Secret::from("first".to_owned()),
        old_secret: None,
        pause: None,
        creator: "ann".to_owned(),
        created: at(0),
        updated: at(0),
    }
}

#[test]
fn a_filter_lets_through_what_it_says() {
    let data = json!({
        "case": {"priority": "PRIORITY_P1", "tags": ["vip", "late"], "version": "7", "open": true},
        "steps": [{"kind": "REFUND"}, {"kind": "APOLOGY"}],
    });
    let seen = Seen {
        kind: "redress.cases.v1.CaseOpened",
        source: "cases",
        subject: "c-1",
        is_bulk: false,
        data: &data,
    };
    for (filter, holds) in [
        ("", true),
        ("true", true),
        ("type.endsWith('CaseOpened')", true),
        ("source == 'intake'", false),
        ("subject == 'c-1' && !bulk", true),
        ("field('case.priority', 'PRIORITY_P1')", true),
        ("field('case.priority', 'PRIORITY_P2')", false),
        ("field('case.tags', 'vip')", true),
        ("field('case.version', '7') && field('case.open', 'true')", true),
        ("field('steps.kind', 'APOLOGY')", true),
        ("field('case', 'PRIORITY_P1') || field('case.priority.x', 'PRIORITY_P1')", false),
    ] {
        assert_eq!(Filter::read(filter).map(|filter| filter.holds(&seen)), Ok(holds), "{filter}");
    }
    for wrong in
        ["priority == 1", "source == 'billing'", "field('a')", "field('a..b', 'x')", "type == 1", "("]
    {
        assert!(Filter::read(wrong).is_err(), "{wrong}");
    }
    let deep = ["a"; 9].join(".");
    assert!(Filter::read(&format!("field('{deep}', 'x')")).is_err_and(|why| why.contains("up to 8")));
}

#[test]
fn two_secrets_sign_while_one_is_changed_and_never_three() {
    let secret = |text: &str| Secret::from(text.to_owned());
    let mut one = subscription();
    one.rotate(secret("second"), Duration::from_mins(1), at(100));
    assert_eq!(one.secrets(at(159)), [&secret("second"), &secret("first")]);
    assert_eq!(one.secrets(at(160)), [&secret("second")]);
    one.rotate(secret("third"), Duration::from_mins(1), at(110));
    assert_eq!(one.secrets(at(111)), [&secret("third"), &secret("second")]);
    one.rotate(secret("fourth"), Duration::ZERO, at(112));
    assert_eq!((one.secrets(at(112)), one.version), (vec![&secret("fourth")], 4));
}

#[test]
fn it_is_paused_once_and_resumed_once() {
    let mut one = subscription();
    let pause = Pause { reason: "moving".to_owned(), by: "ann".to_owned(), at: at(1) };
    assert_eq!(one.resume(at(1)), Err(Refusal::EventSubscriptionNotPaused));
    assert_eq!(one.pause(pause.clone()), Ok(()));
    assert_eq!(one.pause(pause), Err(Refusal::EventSubscriptionPaused));
    assert_eq!((one.state(), one.version), (SubscriptionState::Paused, 2));
    assert_eq!(one.resume(at(2)), Ok(()));
    assert_eq!((one.state(), one.version, one.updated), (SubscriptionState::Enabled, 3, at(2)));
    assert!(one.seen_as(3).is_ok() && one.seen_as(2).is_err());
}

#[test]
fn what_is_gone_is_given_up_at_once_and_what_asks_for_time_gets_it() {
    let mut progress = Progress { source: "cases".to_owned(), ..Progress::default() };
    let busy = Failed { retry_after: Some(Duration::from_mins(2)), ..failed("503") };
    assert_eq!(progress.failed(busy, at(0)), None);
    assert_eq!(progress.next_try, Some(at(120)));
    let forever = Failed { retry_after: Some(Duration::from_hours(9)), ..failed("503") };
    assert_eq!(progress.failed(forever, at(120)), None);
    assert_eq!(progress.next_try, Some(at(120 + 3_600)), "an hour is the most");
    let gone = Failed { is_gone: true, ..failed("410") };
    assert!(progress.failed(gone, at(4_000)).is_some_and(|why| why.contains("gone")));
    progress.taken(7, at(5_000));
    let expected = Progress { position: 7, posted: 1, posted_at: Some(at(5_000)), ..Progress::default() };
    assert_eq!(progress, Progress { source: "cases".to_owned(), ..expected });
}

proptest! {
    #[test]
    fn an_event_is_tried_at_growing_intervals_for_three_days(late in prop::collection::vec(0..600_u64, 200)) {
        let mut progress = Progress { source: "cases".to_owned(), ..Progress::default() };
        let (mut now, mut before) = (0, 0);
        for late in late {
            let given_up = progress.failed(failed("500"), at(now));
            prop_assert_eq!(given_up.is_some(), now >= GIVE_UP_AFTER.as_secs());
            if given_up.is_some() {
                return Ok(());
            }
            let next = progress.next_try.expect("it is tried again").as_second().cast_unsigned();
            let wait = next - now;
            prop_assert!(wait == 3_600 || (before == 0 && wait == 5) || wait == before * 2, "{wait} after {before}");
            (now, before) = (next + late, wait);
        }
        prop_assert!(false, "it is given up");
    }
}
