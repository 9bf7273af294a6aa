//! Letters in both languages, and what citizens write into them.

use kernel::CaseId;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn written(word: &Word, contact: &Contact, zone: &str) -> Letter {
    let (letter, stopped) = Letters::default().write(word, contact, zone);
    assert_eq!(stopped, None);
    letter
}

fn contact(language: &str, name: &str, subject: &str) -> Contact {
    Contact {
        case_id: CaseId(Uuid::nil()),
        recipient: "someone@example.org".to_owned(),
        phone: String::new(),
        channel: 0,
        name: name.to_owned(),
        language: language.to_owned(),
        subject: subject.to_owned(),
        traceparent: String::new(),
        anonymous: false,
        automatic: false,
        mail_token: String::new(),
        version: 1,
    }
}

fn acknowledgement(contact: &Contact) -> Letter {
    written(&Word::Acknowledgement, contact, "")
}

fn outcome(contact: &Contact, outcome: Outcome, reasons: &str) -> Letter {
    let respond_until = "2026-11-28T10:55:00Z".parse().unwrap();
    let ruling = Ruling { outcome, reasons: reasons.to_owned(), respond_until, correction: 0 };
    written(&Word::Outcome(ruling), contact, "Europe/London")
}

fn extension(contact: &Contact, due: Option<&str>) -> Letter {
    let due = due.map(|due| due.parse().unwrap());
    written(
        &Word::Extension(Delay { number: 1, due, reason: "An expert looks at it.".to_owned() }),
        contact,
        "Asia/Shanghai",
    )
}

fn holding(contact: &Contact, next: Option<&str>, due: Option<&str>) -> Letter {
    let time = |text: &str| text.parse().unwrap();
    let holding = Holding {
        number: 7,
        text: "The carrier looks for the parcel.".to_owned(),
        reason: "It was sent twice.".to_owned(),
        next: next.map(time),
        due: due.map(time),
    };
    written(&Word::Holding(holding), contact, "Asia/Shanghai")
}

fn survey(contact: &Contact, reminder: bool) -> Letter {
    let asked = Questionnaire::shipped();
    let wording = asked.wording(&contact.language).cloned().unwrap_or_default();
    let until = "2026-12-11T16:00:00Z".parse().unwrap();
    written(&Word::Survey(Invitation { reminder, until, wording }), contact, "Asia/Shanghai")
}

fn shortage(contact: &Contact) -> Letter {
    let lacking = Lacking {
        number: 9,
        article: "CUP-6 {{ x }}\r\nBcc: all@example.org".to_owned(),
        expected: "2026-12-11T16:00:00Z".parse().unwrap(),
    };
    written(&Word::Shortage(lacking), contact, "Asia/Shanghai")
}

fn closing_soon(contact: &Contact) -> Letter {
    let until = "2026-12-11T16:00:00Z".parse().unwrap();
    written(&Word::ClosingSoon(Closing { number: 0, until }), contact, "Asia/Shanghai")
}

fn withdrawal(contact: &Contact) -> Letter {
    written(&Word::Withdrawal, contact, "")
}

fn calls(contact: &Contact) -> [Letter; 4] {
    let at = |text: &str| text.parse().unwrap();
    let (from, until) = (at("2026-12-11T01:00:00Z"), at("2026-12-11T04:00:00Z"));
    let planned = |from| Word::CallBackPlanned(Planned { number: 1, from, until });
    let missed = |again| Word::CallBackMissed(Missed { number: 1, tried: from, again });
    [planned(None), planned(Some(from)), missed(None), missed(Some(until))]
        .map(|word| written(&word, contact, "Asia/Shanghai"))
}

#[test]
fn an_acknowledgement_speaks_of_a_receipt_code_to_those_who_were_given_one() {
    for (language, words) in [("en", "receipt code"), ("zh", "查询码")] {
        for channel in Channel::ALL {
            let contact = Contact { channel: channel.number(), ..contact(language, "Ada", "late") };
            let is_given = ![Channel::Email, Channel::Social].contains(channel);
            assert_eq!(acknowledgement(&contact).body.contains(words), is_given, "{language} {channel:?}");
        }
    }
}

#[test]
fn word_of_calls_says_when_and_what_can_be_done() {
    let [by, between, last, again] = calls(&contact("en", "Ada", "late")).map(|letter| letter.body);
    assert!(by.contains("about your complaint by 11 December 2026, 12:00 (Beijing time)."), "{by}");
    let window = "between 11 December 2026, 09:00 (Beijing time) and 11 December 2026, 12:00 (Beijing time).";
    assert!(between.contains(window), "{between}");
    assert!(last.contains("on 11 December 2026, 09:00 (Beijing time) and did not reach you."), "{last}");
    assert!(last.contains("We will not call again by ourselves."), "{last}");
    assert!(again.contains("We will call again by 11 December 2026, 12:00 (Beijing time)."), "{again}");
    let [by, between, last, again] = calls(&contact("zh-CN", "", "晚到")).map(|letter| letter.body);
    assert!(by.contains("我们将在2026年12月11日 12:00（北京时间）之前就您的投诉致电回访。"), "{by}");
    assert!(between.contains("09:00（北京时间）至2026年12月11日 12:00（北京时间）之间"), "{between}");
    assert!(last.contains("我们将不再主动致电。") && again.contains("之前再次致电。"), "{last}{again}");
}

fn progress(contact: &Contact, stage: Stage) -> Letter {
    written(&Word::Progress(ProgressUpdate { number: 1, stage, days: 14 }), contact, "")
}

#[test]
fn news_of_an_open_case_say_how_far_it_is_and_when_there_is_more() {
    for (stage, en, zh) in [
        (Stage::Received, "it waits to be taken up.", "正等待专人受理。"),
        (Stage::InHand, "it is being looked into.", "专人正在调查处理。"),
        (Stage::CarryingOut, "a decision has been made", "已作出处理决定，正在落实。"),
    ] {
        let letter = progress(&contact("en", "Ada", "late"), stage);
        assert!(letter.body.contains(&format!("How far it is: {en}")), "{}", letter.body);
        assert!(letter.body.contains("within 14 days in any case."), "{}", letter.body);
        let letter = progress(&contact("zh-CN", "", "晚到"), stage);
        assert!(letter.body.contains(&format!("当前进展：{zh}")), "{}", letter.body);
        assert!(letter.body.contains("最迟在14天内"), "{}", letter.body);
    }
}

#[test]
fn who_withdrew_is_told_what_to_do_if_they_did_not() {
    let letter = withdrawal(&contact("en", "Ada", "late"));
    assert!(letter.body.contains("If you did not ask for this, contact us at once"), "{}", letter.body);
    let letter = withdrawal(&contact("zh-CN", "", "晚到"));
    assert!(letter.body.contains("如您并未申请撤诉，请立即"), "{}", letter.body);
}

#[test]
fn whoever_has_not_answered_is_told_until_when_they_can() {
    let letter = closing_soon(&contact("en", "Ada", "late"));
    assert!(letter.body.contains("until the end of 11 December 2026 (Beijing time). If you do not accept"));
    let letter = closing_soon(&contact("zh-CN", "", "晚到"));
    assert!(letter.body.contains("您可在2026年12月11日 24:00（北京时间）之前答复。"), "{}", letter.body);
}

fn all(contact: &Contact) -> [Letter; 6] {
    let recourse = written(&Word::Recourse, contact, "");
    let extension = extension(contact, None);
    let holding = holding(contact, Some("2026-12-11T16:00:00Z"), None);
    let survey = survey(contact, true);
    [acknowledgement(contact), outcome(contact, Outcome::Upheld, "so"), recourse, extension, holding, survey]
}

#[test]
fn a_survey_asks_its_questions_and_has_a_place_for_its_code() {
    let letter = survey(&contact("en", "Ada", "late"), false);
    for part in [
        "1. How satisfied are you with the way",
        "give this code where you complained: [survey code]\n",
        "until the end of 11 December 2026 (Beijing time)",
    ] {
        assert!(letter.body.contains(part), "{part} is not in {}", letter.body);
    }
    assert!(!letter.body.contains("the last time we ask"));
    assert!(survey(&contact("en", "", "late"), true).body.contains("the last time we ask"));
    let letter = survey(&contact("zh-CN", "", "晚到"), true).with_code("ABC");
    assert!(
        letter.body.contains("调查码：ABC\n") && letter.body.contains("1. 您对投诉处理过程"),
        "{}",
        letter.body
    );
}

#[test]
fn a_holding_reply_says_what_why_and_when_there_is_news() {
    let (next, due) = (Some("2026-12-11T16:00:00Z"), Some("2027-01-08T23:00:00Z"));
    let letter = holding(&contact("en", "Ada", "late"), next, due);
    for part in [
        "Dear Ada,",
        "The carrier looks for the parcel.",
        "Why it takes longer:\nIt was sent twice.",
        "write to you again by the end of 11 December 2026 (Beijing time).",
        "our answer by 9 January 2027, 07:00 (Beijing time).",
    ] {
        assert!(letter.body.contains(part), "{part} is not in {}", letter.body);
    }
    let letter = holding(&contact("zh-CN", "", "晚到"), next, None);
    assert!(
        letter.body.contains("2026年12月11日 24:00（北京时间）之前再次") && !letter.body.contains("向您答复")
    );
    assert!(letter.subject.contains("晚到"), "{}", letter.body);
}

#[test]
fn a_shortage_says_what_is_lacking_and_when_it_goes_on() {
    let letter = shortage(&contact("en", "Ada", "late"));
    for part in
        ["Dear Ada,", "run out of CUP-6 {{ x }} Bcc:", "by the end of 11 December 2026 (Beijing time)"]
    {
        assert!(letter.body.contains(part), "{part} is not in {}", letter.body);
    }
    let letter = shortage(&contact("zh-CN", "", "晚到"));
    assert!(letter.subject.contains("晚到") && letter.body.contains("因CUP-6"), "{}", letter.body);
    assert!(letter.body.contains("预计到货时间：2026年12月11日 24:00（北京时间）"), "{}", letter.body);
}

#[test]
fn a_delay_says_until_when_and_why() {
    let letter = extension(&contact("en", "", "late"), Some("2026-12-11T16:00:00Z"));
    assert!(letter.body.contains("by the end of 11 December 2026 (Beijing time)"), "{}", letter.body);
    assert!(letter.body.contains("Our reasons:\nAn expert looks at it."));
}

#[test]
fn every_place_of_every_template_is_filled() {
    for language in ["en", "zh"] {
        for letter in all(&contact(language, "Ada", "late parcel")) {
            assert!(!letter.subject.contains(['{', '}']), "{}", letter.subject);
            assert!(!letter.body.contains(['{', '}']), "{}", letter.body);
            assert!(letter.subject.contains("late parcel"));
            assert!(letter.body.contains("00000000-0000-0000-0000-000000000000"));
            assert!(letter.body.contains("Ada"));
        }
    }
}

#[test]
fn the_language_asked_for_or_english() {
    for (asked, written) in
        [("zh-CN", "zh-CN"), ("ZH", "ZH"), ("en-GB", "en-GB"), ("fr", "en"), ("zhx", "en"), ("zh-\r\n", "en")]
    {
        let letter = acknowledgement(&contact(asked, "", "包裹"));
        assert_eq!(letter.language, written);
        assert_eq!(letter.body.contains("投诉"), written != "en" && written != "en-GB");
    }
}

#[test]
fn the_outcome_says_what_why_and_until_when() {
    let letter = outcome(&contact("en", "", "late"), Outcome::PartlyUpheld, "It was our fault.");
    for part in [
        "Dear Sir or Madam",
        "upheld in part",
        "Our reasons:\nIt was our fault.",
        "28 November 2026, 10:55 (UK time)",
    ] {
        assert!(letter.body.contains(part), "{part} is not in {}", letter.body);
    }
    let letter = outcome(&contact("zh-CN", "", "晚到"), Outcome::NotUpheld, " ");
    assert!(letter.body.contains("不成立") && letter.body.contains("2026年11月28日 10:55（英国时间）"));
    assert!(!letter.body.contains("处理理由"));
}

#[test]
fn no_citizen_writes_templates_or_lines() {
    let letter = acknowledgement(&contact("en", "{case}", "{greeting}\r\nBcc: all@example.org"));
    assert!(letter.body.starts_with("Dear {case},"));
    assert_eq!(letter.subject, "We have received your complaint: {greeting} Bcc: all@example.org");
}

proptest! {
    #[test]
    fn subject_lines_are_short_lines(subject in any::<String>(), name in any::<String>()) {
        for letter in all(&contact("en", &name, &subject)) {
            prop_assert!(letter.subject.chars().count() <= 220);
            prop_assert!(!letter.subject.chars().any(char::is_control));
        }
    }

    #[test]
    fn what_is_filled_in_is_kept_as_it_is(value in any::<String>()) {
        prop_assert_eq!(fill("a {x} b", &[("x", &value)]), format!("a {value} b"));
    }
}

#[test]
fn a_time_is_told_in_its_zone_and_names_it() {
    let date =
        |language: &str, time: &str, zone: &str| Translation::of(language).date(time.parse().unwrap(), zone);
    for (time, zone, english, chinese) in [
        (
            "2026-12-11T16:00:00Z",
            "Asia/Shanghai",
            "the end of 11 December 2026 (Beijing time)",
            "2026年12月11日 24:00（北京时间）",
        ),
        (
            "2026-12-31T16:00:00Z",
            "Asia/Shanghai",
            "the end of 31 December 2026 (Beijing time)",
            "2026年12月31日 24:00（北京时间）",
        ),
        ("2026-12-11T16:00:00Z", "", "11 December 2026, 16:00 (UTC)", "2026年12月11日 16:00（UTC）"),
        ("2026-12-11T00:00:00Z", "UTC", "the end of 10 December 2026 (UTC)", "2026年12月10日 24:00（UTC）"),
        (
            "2026-07-01T16:30:00Z",
            "America/New_York",
            "1 July 2026, 12:30 (US Eastern time)",
            "2026年7月1日 12:30（美国东部时间）",
        ),
        (
            "2026-12-11T16:30:00Z",
            "America/Port_of_Spain",
            "11 December 2026, 12:30 (Port of Spain time)",
            "2026年12月11日 12:30（Port of Spain时间）",
        ),
        (
            "2026-12-11T16:30:00Z",
            "Mars/Olympus",
            "11 December 2026, 16:30 (UTC)",
            "2026年12月11日 16:30（UTC）",
        ),
    ] {
        assert_eq!(date("en", time, zone), english);
        assert_eq!(date("zh-CN", time, zone), chinese);
    }
}

#[test]
fn every_calendar_that_is_built_in_has_its_zone_named() {
    for zone in [
        "UTC",
        "Europe/London",
        "Europe/Brussels",
        "Australia/Sydney",
        "Asia/Shanghai",
        "Asia/Kolkata",
        "America/New_York",
    ] {
        for translation in &TRANSLATIONS {
            assert!(
                translation.zones.iter().any(|(known, _)| *known == zone),
                "{zone} in {}",
                translation.subtag
            );
        }
    }
}

/// Every letter as it is shipped: kinds, languages, with and without what may be missing.
fn every_letter() -> String {
    let mut text = String::new();
    for language in ["en", "zh-CN"] {
        for (name, subject) in
            [("Ada", "late parcel"), ("", "晚到 {subject} {{ x }}\r\nBcc: all@example.org")]
        {
            let contact = contact(language, name, subject);
            let mut letters = vec![acknowledgement(&contact), written(&Word::Recourse, &contact, "")];
            for decided in [Outcome::Upheld, Outcome::PartlyUpheld, Outcome::NotUpheld] {
                letters.push(outcome(&contact, decided, " It was our fault.\n{{ until }} "));
                letters.push(outcome(&contact, decided, " "));
            }
            letters.push(extension(&contact, None));
            letters.push(extension(&contact, Some("2026-12-11T16:00:00Z")));
            for next in [None, Some("2026-12-11T16:00:00Z")] {
                letters.push(holding(&contact, next, None));
                letters.push(holding(&contact, next, Some("2027-01-08T23:00:00Z")));
            }
            letters.push(survey(&contact, false));
            letters.push(survey(&contact, true));
            letters.push(shortage(&contact));
            letters.push(closing_soon(&contact));
            letters.extend(Stage::ALL.iter().map(|stage| progress(&contact, *stage)));
            for Letter { language, subject, body, short: _ } in letters {
                text.extend(["=== ", &language, "\n", &subject, "\n---\n", &body]);
            }
        }
    }
    text
}

#[test]
fn the_shipped_templates_write_the_letters_that_were_always_written() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/letter/letters.txt");
    let always = std::fs::read_to_string(path).unwrap();
    assert_eq!(every_letter(), always);
}

#[test]
fn a_text_message_of_each_kind_says_whose_it_is_in_no_more_parts_than_are_sent() {
    use crate::text_message::{MAX_PARTS, parts};
    for language in ["en", "zh"] {
        let contact = contact(language, "Ada", &"late parcel ".repeat(40));
        let others = [
            shortage(&contact),
            closing_soon(&contact),
            progress(&contact, Stage::CarryingOut),
            withdrawal(&contact),
        ];
        for letter in all(&contact).into_iter().chain(others).chain(calls(&contact)) {
            let sent = letter.with_code("0000-0000-0000-0000-0000").short;
            assert!(sent.contains(&contact.case_id.to_string()), "{sent}");
            assert!(parts(&sent) <= MAX_PARTS && !sent.ends_with("..."), "{} parts: {sent}", parts(&sent));
            assert!(!sent.contains("{{ ca") && !sent.contains('\n'), "{sent}");
        }
    }
    let sent = survey(&contact("en", "Ada", "late"), false).with_code("ABC").short;
    assert!(sent.ends_with("with this code: ABC"), "{sent}");
}
