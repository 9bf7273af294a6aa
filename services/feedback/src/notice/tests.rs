//! What becomes of notices: sent, refused, recorded, sent again.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::address::OwnAddresses;

fn contact(recipient: &str) -> Contact {
    Contact {
        case_id: CaseId(Uuid::nil()),
        recipient: recipient.to_owned(),
        phone: String::new(),
        channel: 0,
        name: String::new(),
        language: "en".to_owned(),
        subject: "late parcel".to_owned(),
        traceparent: String::new(),
        anonymous: false,
        automatic: false,
        mail_token: String::new(),
        version: 1,
    }
}

fn mail() -> Delivery {
    Delivery::mail(OwnAddresses::new(["complaints@example.org"]))
}

fn to(contact: &Contact, word: Word, delivery: &Delivery) -> Notice {
    let owed =
        Owed { case_id: contact.case_id, cycle: 1, word, zone: String::new(), traceparent: String::new() };
    Notice::new(
        NoticeId(Uuid::nil()),
        owed,
        contact,
        Dispatch { delivery, letters: &Letters::default(), routing: &Routing::shipped() },
        Timestamp::UNIX_EPOCH,
    )
}

fn owed(recipient: &str, delivery: &Delivery) -> Notice {
    to(&contact(recipient), Word::Acknowledgement, delivery)
}

fn by() -> Requester {
    Requester { requester: "lin".to_owned(), reason: "a slip of the pen".to_owned() }
}

fn record(told: Timestamp) -> Record {
    Record { means: Means::Telephone, recorder: "lin".to_owned(), told }
}

#[test]
fn what_cannot_leave_says_why_at_once() {
    for (recipient, delivery, reason) in [
        ("a@b.example", Delivery::default(), "NO_TRANSPORT"),
        ("", mail(), "NO_ADDRESS"),
        ("", Delivery::default(), "NO_ADDRESS"),
        ("noreply@b.example", mail(), "AUTOMATIC_SENDER"),
        ("MAILER-DAEMON@b.example", Delivery::default(), "AUTOMATIC_SENDER"),
        ("Complaints+7@example.org", mail(), "OWN_ADDRESS"),
    ] {
        let notice = owed(recipient, &delivery);
        assert_eq!((notice.state, notice.failure_reason.as_str()), (State::Undelivered, reason));
        assert_eq!((notice.ended, notice.due), (Some(Timestamp::UNIX_EPOCH), None));
    }
    let notice = owed("a@b.example", &mail());
    assert_eq!((notice.state, notice.ended, notice.detail()), (State::Pending, None, ""));
    assert_eq!(notice.due, Some(Timestamp::UNIX_EPOCH));
}

#[test]
fn nobody_to_tell_is_not_somebody_without_an_address() {
    let nobody = Contact { anonymous: true, ..contact("") };
    assert_eq!(to(&nobody, Word::Acknowledgement, &mail()).failure_reason, "ANONYMOUS");
    let found = Contact { anonymous: true, ..contact("a@b.example") };
    assert_eq!(to(&found, Word::Acknowledgement, &mail()).state, State::Pending, "corrected since");
}

#[test]
fn what_a_program_wrote_is_not_acknowledged_but_told_of_later() {
    let program = Contact { automatic: true, ..contact("a@b.example") };
    let acknowledgement = to(&program, Word::Acknowledgement, &mail());
    assert_eq!(acknowledgement.failure_reason, "AUTOMATIC_MESSAGE");
    assert_eq!(to(&program, Word::Recourse, &mail()).state, State::Pending, "a person decided that");
    let mut asked_for = acknowledgement;
    assert!(
        asked_for.send_again(&program, (&mail(), &Routing::shipped()), by(), Timestamp::UNIX_EPOCH).is_ok()
    );
}

#[test]
fn whoever_was_told_by_other_means_is_told() {
    let now = Timestamp::UNIX_EPOCH;
    for mut notice in [owed("", &mail()), owed("a@b.example", &mail())] {
        notice.take_record(record(now), "recording 7".to_owned(), now).expect("not delivered");
        assert_eq!((notice.state, notice.detail(), notice.due), (State::Delivered, "recording 7", None));
        assert_eq!(notice.failure_reason, "");
        let again = notice.take_record(record(now), "recording 8".to_owned(), now);
        assert_eq!(again, Err(Refusal::NoticeDelivered));
        assert_eq!(notice.evidence, "recording 7");
    }
}

#[test]
fn sent_again_it_goes_to_the_address_now_known() {
    let now = Timestamp::UNIX_EPOCH;
    let mut notice = owed("wrong@b.example", &mail());
    assert_eq!(
        notice.send_again(&contact("wrong@b.example"), (&mail(), &Routing::shipped()), by(), now),
        Err(Refusal::NoticePending)
    );
    notice.tried(Answer::Refused("550 no".into()), now, 0.0);
    for (to, delivery, obstacle) in [
        ("", mail(), Obstacle::NoAddress),
        ("a@b.example", Delivery::default(), Obstacle::NoTransport),
        ("no-reply@b.example", mail(), Obstacle::AutomaticSender),
    ] {
        let before = notice.clone();
        assert_eq!(
            notice.send_again(&contact(to), (&delivery, &Routing::shipped()), by(), now),
            Err(Refusal::Obstacle(obstacle))
        );
        assert_eq!(notice, before);
    }
    let before = notice
        .send_again(&contact("a@b.example"), (&mail(), &Routing::shipped()), by(), now)
        .expect("undelivered");
    assert_eq!((before.number, before.recipient.as_str()), (1, "wrong@b.example"));
    assert_eq!((before.state, before.failure_reason.as_str()), (State::Undelivered, "550 no"));
    assert_eq!((notice.state, notice.sending, notice.due), (State::Pending, 2, Some(now)));
    assert_eq!((notice.recipient.as_str(), notice.attempts, notice.detail()), ("a@b.example", 0, ""));
    // Still tried at an address that was found to be wrong meanwhile.
    let before = notice
        .send_again(&contact("c@d.example"), (&mail(), &Routing::shipped()), by(), now)
        .expect("another address");
    assert_eq!((before.state, notice.sending), (State::Pending, 3));
}

#[test]
fn it_is_not_sent_for_ever() {
    let now = Timestamp::UNIX_EPOCH;
    let mut notice = owed("a@b.example", &mail());
    let mut sent = 1;
    let refusal = loop {
        notice.tried(Answer::Refused("550 no".into()), now, 0.0);
        match notice.send_again(&contact("a@b.example"), (&mail(), &Routing::shipped()), by(), now) {
            Ok(_) => sent += 1,
            Err(refusal) => break refusal,
        }
    };
    assert_eq!((sent, refusal), (MAX_SENDINGS, Refusal::TooManySendings));
}

#[test]
fn an_answer_of_the_mail_server_settles_a_notice() {
    let mut taken = owed("a@b.example", &mail());
    assert_eq!(taken.tried(Answer::Taken("250 ok".into()), Timestamp::UNIX_EPOCH, 0.0), None);
    assert_eq!((taken.state, taken.detail()), (State::Delivered, "250 ok"));
    let mut refused = owed("a@b.example", &mail());
    assert_eq!(refused.tried(Answer::Refused("550 no".into()), Timestamp::UNIX_EPOCH, 0.0), None);
    assert_eq!((refused.state, refused.detail()), (State::Undelivered, "550 no"));
    assert_eq!(refused.ended, Some(Timestamp::UNIX_EPOCH));
}

#[test]
fn attempts_at_a_notice_end() {
    let mut notice = owed("a@b.example", &mail());
    let mut now = Timestamp::UNIX_EPOCH;
    loop {
        notice.attempts += 1;
        match notice.tried(Answer::Later("451 greylisted".into(), None), now, 1.0) {
            Some(again) => now = again,
            None => break,
        }
    }
    assert_eq!((notice.attempts, notice.state), (MAX_ATTEMPTS, State::Undelivered));
    assert_eq!(notice.detail(), "451 greylisted");
    let hours = (now - Timestamp::UNIX_EPOCH).get_seconds() / 3600;
    assert!((44..=52).contains(&hours), "given up after {hours} hours");
}

#[test]
fn what_a_server_asks_for_is_kept_up_to_the_longest() {
    let now = Timestamp::UNIX_EPOCH;
    let again = |asked: u64, fraction: f64| {
        let mut notice = owed("a@b.example", &mail());
        notice.attempts = 1;
        let asked = Some(Duration::from_secs(asked));
        let due = notice.tried(Answer::Later("429".into(), asked), now, fraction);
        u64::try_from(due.expect("tried again").as_second()).expect("ahead")
    };
    assert_eq!((again(600, 0.0), again(1, 0.0)), (600, 7), "a shorter time than our own is passed over");
    assert!((600..=615).contains(&again(600, 1.0)), "not all come at once");
    assert_eq!(again(1_000_000, 0.0), LONGEST_RETRY_AFTER.as_secs());
}

#[test]
fn it_goes_on_to_what_was_not_tried_yet_and_is_configured() {
    let all = [Means::Email, Means::Sms, Means::Webhook];
    let delivery = Delivery { means: all.into(), ..mail() };
    let without_sms = Delivery { means: [Means::Email, Means::Webhook].into(), ..mail() };
    let reached = Contact { phone: "+86 138 0013 8000".to_owned(), ..contact("a@b.example") };
    let (now, shipped) = (Timestamp::UNIX_EPOCH, Routing::shipped());
    let mut notice = to(&reached, Word::Recourse, &delivery);
    let mut earlier = Vec::new();
    for means in [Means::Sms, Means::Webhook] {
        notice.tried(Answer::Refused("no".into()), now, 0.0);
        earlier.push(notice.go_on(&earlier, &reached, (&delivery, &shipped), now).expect("one is left"));
        assert_eq!((notice.means, notice.state, notice.due), (means, State::Pending, Some(now)));
    }
    notice.tried(Answer::Refused("x".repeat(900)), now, 0.0);
    assert_eq!(notice.go_on(&earlier, &reached, (&delivery, &shipped), now), None);
    assert!(notice.failure_reason.starts_with("EMAIL: no; SMS: no; WEBHOOK: xxx"));
    assert!(notice.failure_reason.chars().count() <= MAX_DETAIL);

    let mut notice = to(&reached, Word::Recourse, &without_sms);
    notice.tried(Answer::Refused("no".into()), now, 0.0);
    assert!(notice.go_on(&[], &reached, (&without_sms, &shipped), now).is_some());
    assert_eq!(notice.means, Means::Webhook);
    notice.sending = MAX_SENDINGS;
    notice.tried(Answer::Refused("no".into()), now, 0.0);
    assert_eq!(notice.go_on(&[], &reached, (&delivery, &shipped), now), None, "not for ever");
}

#[test]
fn what_only_a_program_reads_is_no_way_of_a_system_that_mails() {
    let delivery = Delivery { means: [Means::Email, Means::Webhook].into(), ..mail() };
    for address in ["noreply@b.example", "complaints@example.org"] {
        assert_eq!(to(&contact(address), Word::Recourse, &delivery).state, State::Undelivered, "{address}");
    }
    let nobody = Contact { anonymous: true, ..contact("") };
    assert_eq!(to(&nobody, Word::Recourse, &delivery).failure_reason, "ANONYMOUS");
}

proptest! {
    #[test]
    fn pauses_grow_up_to_the_longest(attempts in 1..200_i32, fraction in 0.0..1.0_f64) {
        let this = pause(attempts, fraction);
        prop_assert!(this >= FIRST_PAUSE / 2 && this <= LONGEST_PAUSE);
        prop_assert!(pause(attempts + 1, fraction) >= this);
    }

    #[test]
    fn what_servers_say_is_bounded(text in "\\PC{0,600}") {
        prop_assert!(abridged(&text).chars().count() <= MAX_DETAIL);
    }
}
