//! The text of a notice, in the complainant's language.
//!
//! Its words are a [`Template`]: the tenant's own that is in force, or the shipped one. A
//! language is a table in `TRANSLATIONS`: to add one, add its table. What is put into a
//! place is never read as a template itself, whatever a citizen has typed.

pub mod template;
pub mod trial;

mod translations;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use minijinja::Value;
use vocabulary::Channel;

use crate::contact::Contact;
use crate::obstacle::Obstacle;
use crate::open_case::Stage;
use crate::owed::{Closing, Delay, Holding, Kind, Lacking, Missed, Planned, ProgressUpdate, Word};
use crate::response::{Outcome, Ruling};
use crate::survey::{Invitation, Questionnaire};
use crate::text_message::fit;
use template::{Flaw, Template, Values};
use translations::{Source, TRANSLATIONS, Translation};

/// Most characters of the complaint's own subject in a subject line.
const MAX_SUBJECT: usize = 120;
/// Stands in a survey's text for the code, which is made when it is sent.
pub const SURVEY_CODE: &str = "[survey code]";
/// The zone of times whose zone is not known.
const UTC: &str = "UTC";

/// A text ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// BCP 47 tag of the language it is written in.
    pub language: String,
    /// Its subject line.
    pub subject: String,
    /// Its text.
    pub body: String,
    /// What it says in a text message.
    pub short: String,
}

/// The templates in force.
#[derive(Clone, Debug, Default)]
pub struct Letters {
    /// Those of the tenant, by kind and subtag of the language.
    own: HashMap<(Kind, String), Template>,
}

/// The shipped templates, by kind and subtag of the language.
static SHIPPED: LazyLock<HashMap<(Kind, &'static str), Template>> = LazyLock::new(|| {
    let of = |translation: &'static Translation| {
        Kind::ALL.iter().map(|kind| ((*kind, translation.subtag), translation.source(*kind).template()))
    };
    TRANSLATIONS.iter().flat_map(of).collect()
});

/// The template that is shipped for notices of a kind; none where there is no such
/// language.
pub fn shipped(kind: Kind, language: &str) -> Option<&'static Template> {
    SHIPPED.get(&(kind, TRANSLATIONS.iter().map(|one| one.subtag).find(|subtag| *subtag == language)?))
}

/// The language that is written to somebody whose own has this tag.
pub fn language(tag: &str) -> &'static str {
    Translation::of(tag).subtag
}

/// The subtags of the languages there are.
pub fn languages() -> impl Iterator<Item = &'static str> {
    TRANSLATIONS.iter().map(|translation| translation.subtag)
}

/// Samples on which the template of a notice is tried: with and without what may be
/// missing.
pub fn samples(kind: Kind, language: &str) -> Vec<(Values, Values)> {
    let sample = |(contact, word): &(Contact, Word)| {
        let translation = Translation::of(&contact.language);
        translation.values(word, contact, "Asia/Shanghai")
    };
    sample_words(kind, language).iter().map(sample).collect()
}

/// What a template writes of a sample, or what stops it.
pub fn preview(kind: Kind, language: &str, template: &Template) -> Result<Letter, Flaw> {
    let samples = sample_words(kind, language);
    let (contact, word) = samples.last().ok_or_else(|| Flaw { field: "kind", problem: String::new() })?;
    Translation::of(language).write(template, word, contact, "Asia/Shanghai")
}

fn sample_words(kind: Kind, language: &str) -> Vec<(Contact, Word)> {
    let time = Timestamp::from_second(1_796_832_000).ok();
    let is_chinese = language.starts_with("zh");
    let sample = |full: bool| {
        let contact = Contact {
            case_id: kernel::CaseId(uuid::Uuid::nil()),
            recipient: "ada@example.org".to_owned(),
            phone: String::new(),
            channel: if full { 0 } else { Channel::Email.number() },
            name: if full { "Ada" } else { "" }.to_owned(),
            language: language.to_owned(),
            subject: if is_chinese { "包裹晚到" } else { "late parcel" }.to_owned(),
            traceparent: String::new(),
            anonymous: false,
            automatic: false,
            mail_token: String::new(),
            version: 1,
        };
        let why = if is_chinese { "是我们的差错。" } else { "It was our fault." };
        let (text, due) = (if full { why } else { "" }.to_owned(), time.filter(|_| full));
        let until = time.unwrap_or_default();
        let word = match kind {
            Kind::Acknowledgement => Word::Acknowledgement,
            Kind::Recourse => Word::Recourse,
            Kind::Withdrawal => Word::Withdrawal,
            Kind::CallBackPlanned => Word::CallBackPlanned(Planned { number: 1, from: due, until }),
            Kind::CallBackMissed => Word::CallBackMissed(Missed { number: 1, tried: until, again: due }),
            Kind::Outcome => {
                let outcome = if full { Outcome::Upheld } else { Outcome::NotUpheld };
                Word::Outcome(Ruling { outcome, reasons: text, respond_until: until, correction: 0 })
            }
            Kind::Extension => Word::Extension(Delay { number: 1, due, reason: text }),
            Kind::Holding => {
                Word::Holding(Holding { number: 1, text: text.clone(), reason: text, next: due, due })
            }
            Kind::Shortage => {
                Word::Shortage(Lacking { number: 1, article: "CUP-6".to_owned(), expected: until })
            }
            Kind::ClosingSoon => Word::ClosingSoon(Closing { number: 0, until }),
            Kind::Progress => {
                let stage = if full { Stage::CarryingOut } else { Stage::Received };
                Word::Progress(ProgressUpdate { number: 1, stage, days: 14 })
            }
            Kind::Survey => {
                let wording = Questionnaire::shipped().wording(language).cloned().unwrap_or_default();
                Word::Survey(Invitation { reminder: full, until, wording })
            }
        };
        (contact, word)
    };
    vec![sample(false), sample(true)]
}

impl Letters {
    /// These of a tenant; the shipped ones where it has none.
    pub fn of_tenant(own: HashMap<(Kind, String), Template>) -> Self {
        Self { own }
    }

    /// What a notice has to say, to a contact. Times are told in a zone of this IANA
    /// name, and name it; a midnight is the end of the day before. Where the zone is
    /// not known they are told in UTC. Where the tenant's template stops, it is the
    /// shipped letter, and says that it is not to be sent by itself.
    ///
    /// An acknowledgement does not hold the receipt code: the channel gave it to
    /// the complainant, and this service never knows it.
    pub fn write(&self, word: &Word, contact: &Contact, zone: &str) -> (Letter, Option<Obstacle>) {
        let translation = Translation::of(&contact.language);
        let own = self.own.get(&(word.kind(), translation.subtag.to_owned()));
        if let Some(written) = own.and_then(|own| translation.write(own, word, contact, zone).ok()) {
            return (written, None);
        }
        let stopped = own.map(|_| Obstacle::TemplateStopped);
        let shipped = SHIPPED.get(&(word.kind(), translation.subtag));
        match shipped.and_then(|shipped| translation.write(shipped, word, contact, zone).ok()) {
            Some(written) => (written, stopped),
            None => (
                translation.addressed(contact, String::new(), String::new(), String::new()),
                Some(Obstacle::TemplateStopped),
            ),
        }
    }
}

impl Letter {
    /// The same with a survey's code in its place.
    #[must_use]
    pub fn with_code(&self, code: &str) -> Self {
        let coded = |text: &str| text.replace(SURVEY_CODE, code);
        Self {
            language: self.language.clone(),
            subject: coded(&self.subject),
            body: coded(&self.body),
            short: coded(&self.short),
        }
    }
}

/// Whether a complainant is given a receipt code as they complain: who writes a mail or posts
/// something is not, since nobody answers them at once.
fn is_given_code(channel: i16) -> bool {
    ![Channel::Email.number(), Channel::Social.number()].contains(&channel)
}

impl Translation {
    fn of(language: &str) -> &'static Self {
        TRANSLATIONS.iter().find(|translation| translation.speaks(language)).unwrap_or(&TRANSLATIONS[0])
    }

    /// A tag with anything but letters, digits and separators in it is none: it
    /// ends up in a header of the mail.
    fn speaks(&self, language: &str) -> bool {
        let plain = language.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        let primary = language.split(['-', '_']).next().unwrap_or_default();
        plain && primary.eq_ignore_ascii_case(self.subtag)
    }

    fn date(&self, time: Timestamp, zone: &str) -> String {
        let known = if zone.is_empty() { None } else { calendar::zones::get(zone) };
        let name = known.as_ref().map_or(UTC, |_| zone);
        let there = time.to_zoned(known.unwrap_or(TimeZone::UTC));
        // What is due when a day begins is due when the day before ends.
        let is_midnight = (there.hour(), there.minute()) == (0, 0);
        let day = if is_midnight { there.yesterday().ok() } else { None };
        let text = match day {
            Some(day) => day.strftime(self.end_of_day).to_string(),
            None => there.strftime(self.date).to_string(),
        };
        format!("{text}{}", fill(self.in_zone, &[("zone", &self.zone_name(name))]))
    }

    /// What people call a zone; where that is not known, after its city.
    fn zone_name(&self, zone: &str) -> String {
        if let Some((_, name)) = self.zones.iter().find(|(known, _)| *known == zone) {
            return (*name).to_owned();
        }
        let city = zone.rsplit('/').next().unwrap_or(zone).replace('_', " ");
        fill(self.other_zone, &[("city", &city)])
    }

    /// The shipped words of a kind.
    fn source(&self, kind: Kind) -> &Source {
        match kind {
            Kind::Acknowledgement => &self.acknowledgement,
            Kind::Outcome => &self.outcome,
            Kind::Recourse => &self.recourse,
            Kind::Extension => &self.extension,
            Kind::Holding => &self.holding,
            Kind::Survey => &self.survey,
            Kind::Shortage => &self.shortage,
            Kind::ClosingSoon => &self.closing_soon,
            Kind::Progress => &self.progress,
            Kind::Withdrawal => &self.withdrawal,
            Kind::CallBackPlanned => &self.call_back_planned,
            Kind::CallBackMissed => &self.call_back_missed,
        }
    }

    /// What goes into the places of a word's template: of its subject line, and of its
    /// text. Every place has its value; what is missing is an empty text.
    fn values(&self, word: &Word, contact: &Contact, zone: &str) -> (Values, Values) {
        let date = |time: Option<Timestamp>| time.map(|time| self.date(time, zone)).unwrap_or_default();
        let trimmed = |text: &str| text.trim().to_owned();
        let own: Vec<(&'static str, String)> = match word {
            Word::Acknowledgement | Word::Recourse | Word::Withdrawal => Vec::new(),
            Word::Outcome(ruling) => vec![
                ("decision", self.decision(ruling.outcome).to_owned()),
                ("reasons", trimmed(&ruling.reasons)),
                ("until", date(Some(ruling.respond_until))),
            ],
            Word::Extension(delay) => vec![("reasons", trimmed(&delay.reason)), ("until", date(delay.due))],
            Word::Holding(holding) => vec![
                ("text", trimmed(&holding.text)),
                ("reason", trimmed(&holding.reason)),
                ("next", date(holding.next)),
                ("until", date(holding.due)),
            ],
            Word::Shortage(lacking) => vec![
                ("article", one_line(&lacking.article).into_owned()),
                ("until", date(Some(lacking.expected))),
            ],
            Word::ClosingSoon(closing) => vec![("until", date(Some(closing.until)))],
            Word::CallBackPlanned(planned) => {
                vec![("from", date(planned.from)), ("until", date(Some(planned.until)))]
            }
            Word::CallBackMissed(missed) => {
                vec![("tried", date(Some(missed.tried))), ("until", date(missed.again))]
            }
            Word::Progress(update) => {
                vec![("stage", self.stage(update.stage).to_owned()), ("days", update.days.to_string())]
            }
            Word::Survey(Invitation { reminder: _, until, wording }) => vec![
                ("handling", wording.handling.clone()),
                ("outcome", wording.outcome.clone()),
                ("effort", wording.effort.clone()),
                ("comment", wording.comment.clone()),
                ("code", SURVEY_CODE.to_owned()),
                ("until", date(Some(*until))),
            ],
        };
        let name = one_line(&contact.name);
        let greeting = match name.as_ref() {
            "" => self.greeting_without_name.to_owned(),
            name => fill(self.greeting, &[("name", name)]),
        };
        let subject = one_line(&contact.subject);
        let mut values: Values = own.into_iter().map(|(place, text)| (place, Value::from(text))).collect();
        values.insert("greeting", Value::from(greeting));
        values.insert("name", Value::from(name.into_owned()));
        values.insert("case", Value::from(contact.case_id.to_string()));
        if matches!(word, Word::Acknowledgement) {
            values.insert("has_code", Value::from(is_given_code(contact.channel)));
        }
        if let Word::Survey(invitation) = word {
            values.insert("reminder", Value::from(invitation.reminder));
        }
        let mut for_subject = values.clone();
        for_subject.insert("subject", Value::from(abridged(&subject).into_owned()));
        values.insert("subject", Value::from(subject.into_owned()));
        (for_subject, values)
    }

    fn decision(&self, outcome: Outcome) -> &'static str {
        match outcome {
            Outcome::Upheld => self.upheld,
            Outcome::PartlyUpheld => self.partly_upheld,
            Outcome::NotUpheld => self.not_upheld,
        }
    }

    fn stage(&self, stage: Stage) -> &'static str {
        match stage {
            Stage::Received => self.received,
            Stage::InHand => self.in_hand,
            Stage::CarryingOut => self.carrying_out,
        }
    }

    fn write(&self, template: &Template, word: &Word, contact: &Contact, zone: &str) -> Result<Letter, Flaw> {
        let (for_subject, for_body) = self.values(word, contact, zone);
        let (subject, body) = template.write(&for_subject, &for_body)?;
        let short = template::write("short", self.source(word.kind()).short, &for_subject)?;
        Ok(self.addressed(contact, subject, body, fit(&short)))
    }

    fn addressed(&self, contact: &Contact, subject: String, body: String, short: String) -> Letter {
        let language =
            if self.speaks(&contact.language) { &contact.language } else { self.subtag }.to_owned();
        Letter { language, subject, body, short }
    }
}

impl Source {
    fn template(&self) -> Template {
        Template { subject: self.subject.to_owned(), body: self.body.to_owned() }
    }
}

/// Puts values into the places of a phrase, in one pass. A place without a value stays as
/// it is.
fn fill(phrase: &str, places: &[(&str, &str)]) -> String {
    let mut text = String::with_capacity(phrase.len() + 256);
    let mut rest = phrase;
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
mod tests;
