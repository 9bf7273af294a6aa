//! Notifications as mail servers write them, forged and broken ones, and what notices make of
//! them.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::address::OwnAddresses;
use crate::letter::Letters;
use crate::notice::routing::Routing;
use crate::notice::{Contact, Delivery, Dispatch, Means, Owed, Record, Requester, Word};
use kernel::CaseId;

const KEY: &str = "0123456789abcdef0123456789abcdef";

fn path() -> ReturnPath {
    ReturnPath::new("bounces@example.org", KEY).unwrap()
}

fn first() -> Sent {
    Sent { notice: NoticeId(Uuid::from_u128(7)), sending: 1 }
}

/// As a mail server writes it, about a mail of ours.
fn bounced(of: Sent, status: &str) -> String {
    let to = path().address(of).unwrap();
    let id = of.message_id();
    format!(
        "Return-Path: <>\r\nDelivered-To: {to}\r\nFrom: MAILER-DAEMON@mx.example.com\r\nTo: {to}\r\n\
         Subject: Undelivered Mail Returned to Sender\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"B/1\"\r\n\r\n\
         --B/1\r\nContent-Type: text/plain\r\n\r\nI am sorry.\r\n\r\n\
         --B/1\r\nContent-Type: message/delivery-status\r\n\r\n{status}\r\n\
         --B/1\r\nContent-Type: message/rfc822\r\n\r\nReturn-Path: <{to}>\r\nMessage-ID: <{id}>\r\n\
         To: ada@example.com\r\nSubject: Your complaint\r\n\r\nWe have it.\r\n--B/1--\r\n"
    )
}

const FAILED: &str = "Reporting-MTA: dns; mx.example.com\r\nX-Postfix-Queue-ID: 4711\r\n\r\n\
    Final-Recipient: rfc822; ada@example.com\r\nOriginal-Recipient: rfc822;Ada@example.com\r\nAction: failed\r\n\
    Status: 5.1.1\r\nRemote-MTA: dns; mail.example.com\r\n\
    Diagnostic-Code: smtp; 550 5.1.1 <ada@example.com>:\r\n    no such user\r\n";

#[test]
fn a_notification_says_which_mail_and_what_became_of_it() {
    let told = Notification::read(bounced(first(), FAILED).as_bytes()).unwrap();
    assert_eq!(sent(&path(), "", &told), Ok(first()));
    assert_eq!(told.message_id, Some(first().message_id()));
    assert_eq!(told.server, "mx.example.com");
    let report = told.of("ada@EXAMPLE.com").unwrap();
    assert_eq!((report.action, report.status.as_str()), (Action::Failed, "5.1.1"));
    assert_eq!(report.diagnostic, "smtp; 550 5.1.1 <ada@example.com>: no such user");
    assert_eq!(told.of("sent.on@example.net"), Some(report), "the one there is");
}

#[test]
fn the_returned_headers_alone_name_the_mail_as_well() {
    let text = bounced(first(), FAILED).replace("message/rfc822", "text/rfc822-headers");
    let text = text.replace("Delivered-To", "X-Else").replacen("To: bounces", "To: somebody", 1);
    let told = Notification::read(text.as_bytes()).unwrap();
    assert_eq!(sent(&path(), "", &told), Ok(first()));
    assert_eq!(told.message_id, Some(first().message_id()));
}

#[test]
fn of_several_recipients_the_one_written_to_counts() {
    let other = "\r\nFinal-Recipient: rfc822; bob@example.com\r\nAction: delivered\r\nStatus: 2.0.0\r\n";
    let told = Notification::read(bounced(first(), &format!("{FAILED}{other}")).as_bytes()).unwrap();
    assert_eq!(told.of("bob@example.com").map(|report| report.action), Some(Action::Delivered));
    assert_eq!(told.of("ada@example.com").map(|report| report.action), Some(Action::Failed));
    assert_eq!(told.of("eve@example.com"), None);
}

#[test]
fn what_is_forged_or_of_nobody_is_told_apart() {
    let told = Notification::read(bounced(first(), FAILED).as_bytes()).unwrap();
    let other = Sent { sending: 2, ..first() };
    let address = path().address(other).unwrap();
    assert_eq!(sent(&path(), &address, &told), Err(Refusal::BounceForged), "another mail was returned");
    let strange = ReturnPath::new("bounces@example.org", &KEY.to_uppercase()).unwrap();
    assert_eq!(sent(&strange, "", &told), Err(Refusal::BounceForged));
    let elsewhere = ReturnPath::new("bounces@example.net", KEY).unwrap();
    assert_eq!(sent(&elsewhere, "", &told), Err(Refusal::BounceUnknown));
}

#[test]
fn what_is_no_notification_or_contradicts_itself_is_not_read() {
    let good = bounced(first(), FAILED);
    for (what, with) in [
        ("report-type=delivery-status", "report-type=disposition-notification"),
        ("multipart/report", "multipart/mixed"),
        ("message/delivery-status", "text/plain"),
        ("Action: failed", "Action: pondered"),
        ("Action: failed", "Action: delivered"),
        ("Status: 5.1.1", "Status: 2.0.0"),
        ("Status: 5.1.1", "Status: 550"),
        ("Status: 5.1.1", "Status: 5.1.1111"),
        ("Status: 5.1.1\r\n", ""),
    ] {
        assert!(good.contains(what), "{what}");
        assert_eq!(Notification::read(good.replacen(what, with, 1).as_bytes()), None, "{what} → {with}");
    }
    assert_eq!(Notification::read(b"Subject: I am away\r\nAuto-Submitted: auto-replied\r\n\r\nhello"), None);
    assert_eq!(Notification::read(&vec![b'a'; MAX_MESSAGE + 1]), None);
}

#[test]
fn messages_within_messages_without_end_are_not_taken_apart() {
    let header = "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n";
    let nested = "Content-Type: message/rfc822\r\n\r\n".repeat(MAX_MESSAGE / 40);
    assert_eq!(Notification::read(format!("{header}{nested}").as_bytes()), None);
    let nested = "Content-Type: message/rfc822\r\n\r\n".repeat(90);
    assert_eq!(Notification::read(format!("{header}{nested}").as_bytes()), None);
}

fn notice(state: State) -> Notice {
    let contact = Contact {
        case_id: CaseId(Uuid::nil()),
        recipient: "ada@example.com".to_owned(),
        phone: String::new(),
        channel: 0,
        name: String::new(),
        language: "en".to_owned(),
        subject: "late".to_owned(),
        traceparent: String::new(),
        anonymous: false,
        automatic: false,
        mail_token: String::new(),
        version: 1,
    };
    let owed = Owed {
        case_id: contact.case_id,
        cycle: 1,
        word: Word::Acknowledgement,
        zone: String::new(),
        traceparent: String::new(),
    };
    let (delivery, letters) = (Delivery::mail(OwnAddresses::default()), Letters::default());
    let dispatch = Dispatch { delivery: &delivery, letters: &letters, routing: &Routing::shipped() };
    let mut notice = Notice::new(first().notice, owed, &contact, dispatch, Timestamp::UNIX_EPOCH);
    match state {
        State::Pending => {}
        State::Delivered => {
            notice.tried(Answer::Taken("250 queued".to_owned()), Timestamp::UNIX_EPOCH, 0.0);
        }
        State::Undelivered => {
            notice.tried(Answer::Refused("550 no".to_owned()), Timestamp::UNIX_EPOCH, 0.0);
        }
    }
    notice
}

fn report(sending: i32, action: Action) -> Report {
    Report {
        sent: Sent { sending, ..first() },
        action,
        status: if action == Action::Failed { "5.1.1" } else { "2.0.0" }.to_owned(),
        diagnostic: "smtp; 550 no such user".to_owned(),
        server: String::new(),
        reported: Timestamp::UNIX_EPOCH,
    }
}

fn taken(notice: &mut Notice, report: &Report, earlier: &[Sending]) -> Effect {
    notice.take_report(report, false, earlier, Timestamp::UNIX_EPOCH)
}

#[test]
fn a_failure_takes_a_delivery_back_and_keeps_what_was_answered_before() {
    let mut notice = notice(State::Delivered);
    assert_eq!(taken(&mut notice, &report(1, Action::Failed), &[]), Effect::Failed { taken_back: true });
    assert_eq!((notice.state, notice.due), (State::Undelivered, None));
    assert_eq!(notice.failure_reason, "5.1.1 smtp; 550 no such user");
    assert_eq!(notice.evidence, "250 queued");
    assert_eq!(taken(&mut notice, &report(1, Action::Failed), &[]), Effect::Noted);
}

#[test]
fn a_failure_that_is_faster_than_our_own_record_settles_the_notice() {
    let mut notice = notice(State::Pending);
    assert_eq!(taken(&mut notice, &report(1, Action::Failed), &[]), Effect::Failed { taken_back: false });
    assert_eq!((notice.state, notice.due), (State::Undelivered, None));
}

#[test]
fn a_mail_of_before_is_put_right_and_the_notice_stays() {
    let mut notice = notice(State::Delivered);
    let (contact, delivery) = (notice.recipient.clone(), Delivery::mail(OwnAddresses::default()));
    let contact = Contact { recipient: contact, ..contact_of(&notice) };
    let by = Requester { requester: "ann".to_owned(), reason: "they asked".to_owned() };
    let now = Timestamp::UNIX_EPOCH;
    let before = notice.send_again(&contact, (&delivery, &Routing::shipped()), by, now).unwrap();
    notice.tried(Answer::Taken("250 again".to_owned()), now, 0.0);
    let kept = notice.clone();
    let effect = taken(&mut notice, &report(1, Action::Failed), std::slice::from_ref(&before));
    let Effect::Corrected { sending, taken_back: true } = effect else { panic!("{effect:?}") };
    assert_eq!((sending.state, sending.number), (State::Undelivered, 1));
    assert_eq!(sending.evidence, "250 queued");
    assert_eq!(notice, kept);
    assert_eq!(taken(&mut notice, &report(1, Action::Failed), &[sending]), Effect::Noted);
}

fn contact_of(notice: &Notice) -> Contact {
    Contact {
        case_id: notice.case_id,
        recipient: notice.recipient.clone(),
        phone: String::new(),
        channel: 0,
        name: String::new(),
        language: "en".to_owned(),
        subject: String::new(),
        traceparent: String::new(),
        anonymous: false,
        automatic: false,
        mail_token: String::new(),
        version: 1,
    }
}

#[test]
fn what_a_person_recorded_stands_whatever_comes_back() {
    let mut notice = notice(State::Undelivered);
    let record = Record { means: Means::Telephone, recorder: "ann".to_owned(), told: Timestamp::UNIX_EPOCH };
    notice.take_record(record, "recording 1".to_owned(), Timestamp::UNIX_EPOCH).unwrap();
    let kept = notice.clone();
    for action in Action::ALL {
        assert_eq!(taken(&mut notice, &report(1, *action), &[]), Effect::Noted, "{action:?}");
    }
    assert_eq!(notice, kept);
}

proptest! {
    #[test]
    fn only_a_failure_takes_back_and_nothing_delivers_again(
        actions in prop::collection::vec(0..5_usize, 0..12), sendings in prop::collection::vec(0..3_i32, 12),
    ) {
        let mut notice = notice(State::Delivered);
        let mut failed = std::collections::BTreeSet::new();
        let mut taken_back = 0;
        for (action, sending) in actions.into_iter().zip(sendings) {
            let report = report(sending, Action::ALL[action]);
            let effect = notice.take_report(&report, failed.contains(&sending), &[], Timestamp::UNIX_EPOCH);
            if report.action == Action::Failed {
                failed.insert(sending);
            }
            taken_back += i32::from(effect == Effect::Failed { taken_back: true });
            let undelivered = notice.state == State::Undelivered;
            prop_assert_eq!(undelivered, failed.contains(&1), "after {:?}", report);
        }
        prop_assert!(taken_back <= 1);
    }

    #[test]
    fn any_bytes_can_be_read(bytes in prop::collection::vec(any::<u8>(), 0..400), place in 0..1_000_usize) {
        let _ = Notification::read(&bytes);
        let mut text = bounced(first(), FAILED).into_bytes();
        let place = place % text.len();
        text.splice(place..place, bytes);
        let _ = Notification::read(&text);
    }
}
