//! Who may read an entry, and in what words.

use calendar::Kind as Promised;
use vocabulary::NoticeKind;

use super::*;

fn entry(fact: Fact) -> Entry {
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned();
    Noted { ordinal: 1, cycle: 2, time: Timestamp::UNIX_EPOCH, actor: "ann".to_owned(), traceparent, fact }
        .entry("Asia/Shanghai")
}

#[test]
fn the_public_reads_of_outcomes_but_not_of_who_works_on_it() {
    let assigned = entry(Fact::Handling(Handling::Assigned {
        department: "logistics".to_owned(),
        agent: "bob".to_owned(),
        explanation: "least loaded".to_owned(),
    }));
    assert_eq!(assigned.visibility, Visibility::Internal);
    assert_eq!(assigned.text, "assigned to bob of logistics: least loaded");
    let resolved = entry(Fact::Ruling(Ruling::Resolved {
        outcome: Outcome::PartlyUpheld,
        reasons: "half of it".to_owned(),
        respond_until: Timestamp::UNIX_EPOCH,
    }));
    assert_eq!(resolved.visibility, Visibility::Public);
    assert_eq!(resolved.text, "the complaint is partly upheld: half of it");
}

#[test]
fn why_a_notice_could_not_be_delivered_is_for_staff() {
    for why in ["NO_TRANSPORT", "NO_ADDRESS", "AUTOMATIC_SENDER", "refused by the receiving server"] {
        let failure = Some(why.to_owned());
        let notice =
            entry(Fact::Contact(Contact::Notice { kind: NoticeKind::Acknowledgement, failure, mail: None }));
        assert!(notice.text.ends_with(why), "staff read why: {}", notice.text);
        assert_eq!(notice.public_text(), "the acknowledgement could not be delivered");
    }
    let mail = Mail { notice: uuid::Uuid::nil(), sending: 1 };
    let (kind, status) = (NoticeKind::Outcome, "5.1.1".to_owned());
    let back = entry(Fact::Contact(Contact::NoticeBounced { kind, mail, status }));
    assert_eq!(back.text, "the notice of the outcome came back and was not delivered after all: 5.1.1");
    assert_eq!(back.public_text(), "the notice of the outcome came back and was not delivered after all");
    let note = Fact::Handling(Handling::Note(Written {
        text: "we wrote: soon".to_owned(),
        visibility: Visibility::Public,
        request_id: None,
    }));
    assert_eq!(entry(note).public_text(), "we wrote: soon");
}

#[test]
fn a_time_is_told_in_the_zone_of_the_calendar_and_names_it() {
    let due = Some("2026-12-11T15:00:00Z".parse().expect("a time"));
    let granted = Fact::Timing(Timing::ExtensionGranted {
        kind: Promised::Decide,
        due,
        reason: "an expert looks at it".to_owned(),
        notice_due: true,
        number: 1,
    });
    let noted = |zone: &str| {
        let (actor, traceparent) = (String::new(), String::new());
        let fact = granted.clone();
        let noted = Noted { ordinal: 1, cycle: 1, time: Timestamp::UNIX_EPOCH, actor, traceparent, fact };
        noted.entry(zone).text
    };
    assert!(noted("Asia/Shanghai").contains("until 2026-12-11 23:00 (Asia/Shanghai)"));
    assert!(noted("").contains("until 2026-12-11 15:00 (UTC)"));
}

#[test]
fn an_ending_is_read_off_the_entries() {
    let read = |facts: Vec<Fact>| {
        let mut ending = Ending::default();
        for entry in facts.into_iter().map(entry).filter(|entry| Ending::KINDS.contains(&entry.kind)) {
            ending.take_in(entry.kind, entry.text);
        }
        ending
    };
    let closed = |reason| Fact::Course(Course::Closed { reason, remark: String::new() });
    let work = || "finance carried out the refund".to_owned();
    let first =
        read(vec![Fact::Remedy(Remedy::TaskCompleted { work: work() }), closed(CloseReason::Accepted)]);
    assert_eq!(first, Ending { remedies: vec![work()], accepted: true, satisfied: true });
    let taken_up_again = read(vec![closed(CloseReason::Accepted), closed(CloseReason::Staff)]);
    assert_eq!(taken_up_again, Ending::default());
    let undisputed = read(vec![closed(CloseReason::WindowPassed)]);
    assert_eq!((undisputed.accepted, undisputed.satisfied), (false, true));
    assert!(!read(vec![closed(CloseReason::ReopenLimit)]).satisfied);
    assert_eq!(entry(closed(CloseReason::ReopenLimit)).text, Ending::disputed());
}

#[test]
fn a_remark_of_staff_stays_with_staff() {
    let closed = |reason| entry(Fact::Course(Course::Closed { reason, remark: String::new() })).visibility;
    assert_eq!(closed(CloseReason::Staff), Visibility::Internal);
    assert_eq!(closed(CloseReason::WindowPassed), Visibility::Public);
}

#[test]
fn an_entry_keeps_trace_and_cycle() {
    let reopened =
        entry(Fact::Course(Course::Reopened { reason: String::new(), previous_agent: String::new() }));
    assert_eq!(reopened.trace_id, "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(reopened.text, "taken up again as cycle 2");
}
