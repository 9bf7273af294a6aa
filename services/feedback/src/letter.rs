//! The text of a notice, in the complainant's language.
//!
//! A language is a table of templates: to add one, add its table to
//! `TONGUES`. A template has places in braces; what is put into them is
//! never read as a template itself, whatever a citizen has typed.

mod tongues;

use std::borrow::Cow;

use jiff::Timestamp;

use crate::notice::{Contact, Delay, Holding, Word};
use crate::response::{Outcome, Ruling};
use tongues::{TONGUES, Template, Tongue};

/// Most characters of the complaint's own subject in a subject line.
const MAX_SUBJECT: usize = 120;

/// A text ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// BCP 47 tag of the language it is written in.
    pub language: String,
    /// Its subject line.
    pub subject: String,
    /// Its text.
    pub body: String,
}

impl Letter {
    /// What a notice has to say, to a contact.
    ///
    /// An acknowledgement does not hold the receipt code: the channel gave it to
    /// the complainant, and this service never knows it.
    pub fn new(word: &Word, contact: &Contact) -> Self {
        let tongue = Tongue::of(&contact.language);
        match word {
            Word::Acknowledgement => tongue.letter(contact, &tongue.acknowledgement, &[]),
            Word::Outcome(ruling) => tongue.outcome(contact, ruling),
            Word::Recourse => tongue.letter(contact, &tongue.recourse, &[]),
            Word::Extension(delay) => tongue.extension(contact, delay),
            Word::Holding(holding) => tongue.holding(contact, holding),
        }
    }
}

impl Tongue {
    fn of(language: &str) -> &'static Self {
        TONGUES.iter().find(|tongue| tongue.speaks(language)).unwrap_or(&TONGUES[0])
    }

    /// A tag with anything but letters, digits and separators in it is none: it
    /// ends up in a header of the mail.
    fn speaks(&self, language: &str) -> bool {
        let plain = language.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        let primary = language.split(['-', '_']).next().unwrap_or_default();
        plain && primary.eq_ignore_ascii_case(self.subtag)
    }

    fn date(&self, time: Timestamp) -> String {
        time.strftime(self.date).to_string()
    }

    fn outcome(&self, contact: &Contact, ruling: &Ruling) -> Letter {
        let decision = match ruling.outcome {
            Outcome::Upheld => self.upheld,
            Outcome::PartlyUpheld => self.partly_upheld,
            Outcome::NotUpheld => self.not_upheld,
        };
        let reasons = self.because(&ruling.reasons);
        let until = self.date(ruling.respond_until);
        let places = [("decision", decision), ("reasons", &reasons), ("until", &until)];
        self.letter(contact, &self.outcome, &places)
    }

    fn extension(&self, contact: &Contact, delay: &Delay) -> Letter {
        let reasons = self.because(&delay.reason);
        let until = delay.due.map_or_else(|| self.until_known.to_owned(), |due| self.date(due));
        self.letter(contact, &self.extension, &[("reasons", &reasons), ("until", &until)])
    }

    fn holding(&self, contact: &Contact, holding: &Holding) -> Letter {
        let by = |sentence: &str, time: Option<Timestamp>| {
            time.map(|time| fill(sentence, &[("time", &self.date(time))])).unwrap_or_default()
        };
        let (next, answer) = (by(self.next, holding.next), by(self.answer_by, holding.due));
        let (text, reason) = (holding.text.trim(), holding.reason.trim());
        let places = [("text", text), ("reason", reason), ("next", &next), ("answer", &answer)];
        self.letter(contact, &self.holding, &places)
    }

    fn because(&self, reasons: &str) -> String {
        match reasons.trim() {
            "" => String::new(),
            text => fill(self.reasons, &[("text", text)]),
        }
    }

    fn letter(&self, contact: &Contact, template: &Template, places: &[(&str, &str)]) -> Letter {
        let name = one_line(&contact.name);
        let greeting = match name.as_ref() {
            "" => self.greeting_without_name.to_owned(),
            name => fill(self.greeting, &[("name", name)]),
        };
        let subject = one_line(&contact.subject);
        let case = contact.case_id.to_string();
        let mut all = vec![("greeting", greeting.as_str()), ("subject", &subject), ("case", &case)];
        all.extend(places);
        Letter {
            language: if self.speaks(&contact.language) { &contact.language } else { self.subtag }.to_owned(),
            subject: fill(template.subject, &[("subject", &abridged(&subject))]),
            body: fill(template.body, &all),
        }
    }
}

/// Puts values into the places of a template, in one pass. A place without a
/// value stays as it is; a test holds that no template has one.
fn fill(template: &str, places: &[(&str, &str)]) -> String {
    let mut text = String::with_capacity(template.len() + 256);
    let mut rest = template;
    while let Some((before, (name, after))) =
        rest.split_once('{').and_then(|(before, from)| Some((before, from.split_once('}')?)))
    {
        text.push_str(before);
        match places.iter().find(|(place, _)| *place == name) {
            Some((_, value)) => text.push_str(value),
            None => text.extend(["{", name, "}"]),
        }
        rest = after;
    }
    text.push_str(rest);
    text
}

/// A text on one line, so that nobody can write headers or extra lines into a
/// notice.
fn one_line(text: &str) -> Cow<'_, str> {
    if text.chars().any(char::is_control) {
        let visible: Vec<&str> = text
            .split(|c: char| c.is_control() || c.is_whitespace())
            .filter(|word| !word.is_empty())
            .collect();
        return Cow::Owned(visible.join(" "));
    }
    Cow::Borrowed(text.trim())
}

fn abridged(subject: &str) -> Cow<'_, str> {
    match subject.char_indices().nth(MAX_SUBJECT) {
        Some((end, _)) => Cow::Owned(format!("{}…", &subject[..end])),
        None => Cow::Borrowed(subject),
    }
}

#[cfg(test)]
mod tests {
    use kernel::CaseId;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn contact(language: &str, name: &str, subject: &str) -> Contact {
        Contact {
            case_id: CaseId(Uuid::nil()),
            recipient: "someone@example.org".to_owned(),
            name: name.to_owned(),
            language: language.to_owned(),
            subject: subject.to_owned(),
            traceparent: String::new(),
        }
    }

    fn acknowledgement(contact: &Contact) -> Letter {
        Letter::new(&Word::Acknowledgement, contact)
    }

    fn outcome(contact: &Contact, outcome: Outcome, reasons: &str) -> Letter {
        let respond_until = "2026-11-28T10:55:00Z".parse().unwrap();
        Letter::new(&Word::Outcome(Ruling { outcome, reasons: reasons.to_owned(), respond_until }), contact)
    }

    fn extension(contact: &Contact, due: Option<&str>) -> Letter {
        let due = due.map(|due| due.parse().unwrap());
        Letter::new(
            &Word::Extension(Delay { number: 1, due, reason: "An expert looks at it.".to_owned() }),
            contact,
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
        Letter::new(&Word::Holding(holding), contact)
    }

    fn all(contact: &Contact) -> [Letter; 5] {
        let recourse = Letter::new(&Word::Recourse, contact);
        let extension = extension(contact, None);
        let holding = holding(contact, Some("2026-12-11T16:00:00Z"), None);
        [acknowledgement(contact), outcome(contact, Outcome::Upheld, "so"), recourse, extension, holding]
    }

    #[test]
    fn a_holding_reply_says_what_why_and_when_there_is_news() {
        let (next, due) = (Some("2026-12-11T16:00:00Z"), Some("2027-01-08T23:00:00Z"));
        let letter = holding(&contact("en", "Ada", "late"), next, due);
        for part in [
            "Dear Ada,",
            "The carrier looks for the parcel.",
            "Why it takes longer:\nIt was sent twice.",
            "write to you again by 11 December 2026, 16:00 UTC.",
            "our answer by 8 January 2027, 23:00 UTC.",
        ] {
            assert!(letter.body.contains(part), "{part} is not in {}", letter.body);
        }
        let letter = holding(&contact("zh-CN", "", "晚到"), next, None);
        assert!(
            letter.body.contains("2026年12月11日 16:00（UTC）之前再次") && !letter.body.contains("向您答复")
        );
        assert!(letter.subject.contains("晚到"), "{}", letter.body);
    }

    #[test]
    fn a_delay_says_until_when_and_why() {
        let letter = extension(&contact("en", "", "late"), Some("2026-12-11T16:00:00Z"));
        assert!(letter.body.contains("by 11 December 2026, 16:00 UTC"), "{}", letter.body);
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
        for (asked, written) in [
            ("zh-CN", "zh-CN"),
            ("ZH", "ZH"),
            ("en-GB", "en-GB"),
            ("fr", "en"),
            ("zhx", "en"),
            ("zh-\r\n", "en"),
        ] {
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
            "28 November 2026, 10:55 UTC",
        ] {
            assert!(letter.body.contains(part), "{part} is not in {}", letter.body);
        }
        let letter = outcome(&contact("zh-CN", "", "晚到"), Outcome::NotUpheld, " ");
        assert!(letter.body.contains("不成立") && letter.body.contains("2026年11月28日 10:55（UTC）"));
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
}
