//! The text of a notice, in the complainant's language.
//!
//! A language is a table of templates: to add one, add its table to
//! `TONGUES`. A template has places in braces; what is put into them is
//! never read as a template itself, whatever a citizen has typed.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::notice::{Contact, Delay, Word};
use crate::response::{Outcome, Ruling};

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

/// The words of one language.
struct Tongue {
    /// Primary subtag of its BCP 47 tags.
    subtag: &'static str,
    greeting: &'static str,
    greeting_without_name: &'static str,
    date: &'static str,
    acknowledgement: Template,
    outcome: Template,
    recourse: Template,
    extension: Template,
    /// Where nobody can say until when.
    until_known: &'static str,
    reasons: &'static str,
    upheld: &'static str,
    partly_upheld: &'static str,
    not_upheld: &'static str,
}

struct Template {
    subject: &'static str,
    body: &'static str,
}

/// Every language there is; the first serves all others.
static TONGUES: [Tongue; 2] = [ENGLISH, CHINESE];

const ENGLISH: Tongue = Tongue {
    subtag: "en",
    greeting: "Dear {name},",
    greeting_without_name: "Dear Sir or Madam,",
    date: "%-d %B %Y, %H:%M UTC",
    acknowledgement: Template {
        subject: "We have received your complaint: {subject}",
        body: "{greeting}

We have received your complaint and have begun to look into it.

Your complaint: {subject}
Its number: {case}

With the receipt code you were given when you complained you can see at any time how far it is. Please keep that code to yourself: whoever has it can follow your complaint.

You need not do anything now. We will write to you again when a decision has been made.
",
    },
    outcome: Template {
        subject: "The outcome of your complaint: {subject}",
        body: "{greeting}

We have decided on your complaint.

Your complaint: {subject}
Its number: {case}
Our decision: {decision}

{reasons}Please tell us by {until} whether you accept this outcome. If you do not, say what has not been put right: your complaint will then be looked at again, one level up. If we do not hear from you by then, we will close it.

Please also tell us, from 1 (very dissatisfied) to 5 (very satisfied), how satisfied you are with the way your complaint was handled, and with what came of it.

To answer, contact us the way you complained and give the number above.
",
    },
    recourse: Template {
        subject: "Your complaint is closed; where else you can turn: {subject}",
        body: "{greeting}

You have told us that you do not accept the outcome of your complaint. We have looked at it as often as our procedure allows and have closed it.

Your complaint: {subject}
Its number: {case}

You may now turn to the ombudsman or the supervisory authority responsible for us, or to a court. Please give them the number above: we will answer their questions and hand over our records of your complaint.
",
    },
    extension: Template {
        subject: "Your complaint takes longer: {subject}",
        body: "{greeting}

We need more time to decide on your complaint.

Your complaint: {subject}
Its number: {case}

{reasons}We will give you our answer by {until}. You need not do anything now.
",
    },
    until_known: "the time we will tell you as soon as we know it",
    reasons: "Our reasons:\n{text}\n\n",
    upheld: "your complaint is upheld.",
    partly_upheld: "your complaint is upheld in part.",
    not_upheld: "your complaint is not upheld.",
};

const CHINESE: Tongue = Tongue {
    subtag: "zh",
    greeting: "尊敬的{name}：",
    greeting_without_name: "尊敬的客户：",
    date: "%Y年%-m月%-d日 %H:%M（UTC）",
    acknowledgement: Template {
        subject: "您的投诉已受理：{subject}",
        body: "{greeting}

我们已收到您的投诉，并已开始处理。

投诉事项：{subject}
投诉编号：{case}

凭您提交投诉时获得的查询码，可随时查询处理进度。请妥善保管查询码：持有该码的人均可查看您的投诉进度。

您目前无需进行任何操作。作出处理决定后，我们会再次通知您。
",
    },
    outcome: Template {
        subject: "您的投诉处理结果：{subject}",
        body: "{greeting}

您的投诉已有处理结果。

投诉事项：{subject}
投诉编号：{case}
处理决定：{decision}

{reasons}请在{until}之前告知我们您是否接受该结果。如不接受，请说明尚未解决的问题，我们将提升一级重新处理。逾期未收到您的答复，该投诉将予以办结。

同时请您以1（非常不满意）至5（非常满意）分别评价：对处理过程的满意度，以及对处理结果的满意度。

答复方式：请通过您提交投诉的渠道与我们联系，并提供上述投诉编号。
",
    },
    recourse: Template {
        subject: "您的投诉已办结及其他救济途径：{subject}",
        body: "{greeting}

您已表示不接受投诉处理结果。我们已按规定次数重新处理，现予以办结。

投诉事项：{subject}
投诉编号：{case}

您可以向负责监管我们的主管部门或行业调解组织反映，也可以依法向人民法院提起诉讼。届时请提供上述投诉编号，我们将配合答复并移交投诉记录。
",
    },
    extension: Template {
        subject: "您的投诉处理时限已延长：{subject}",
        body: "{greeting}

我们需要更多时间处理您的投诉。

投诉事项：{subject}
投诉编号：{case}

{reasons}我们将在{until}之前向您答复。您目前无需进行任何操作。
",
    },
    until_known: "另行通知的时间",
    reasons: "处理理由：\n{text}\n\n",
    upheld: "您的投诉成立。",
    partly_upheld: "您的投诉部分成立。",
    not_upheld: "您的投诉不成立。",
};

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

    fn all(contact: &Contact) -> [Letter; 4] {
        let recourse = Letter::new(&Word::Recourse, contact);
        let extension = extension(contact, None);
        [acknowledgement(contact), outcome(contact, Outcome::Upheld, "so"), recourse, extension]
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
