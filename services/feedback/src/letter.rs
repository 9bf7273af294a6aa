//! The text of a notice, in the complainant's language.
//!
//! A language is a table of templates: to add one, add its table to
//! `TRANSLATIONS`. A template has places in braces; what is put into them is
//! never read as a template itself, whatever a citizen has typed.

mod translations;

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::notice::{Contact, Delay, Holding, Word};
use crate::response::{Outcome, Ruling};
use crate::survey::Invitation;
use translations::{TRANSLATIONS, Template, Translation};

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
}

impl Letter {
    /// What a notice has to say, to a contact. Times are told in a zone of this IANA
    /// name, and name it; a midnight is the end of the day before. Where the zone is
    /// not known they are told in UTC.
    ///
    /// An acknowledgement does not hold the receipt code: the channel gave it to
    /// the complainant, and this service never knows it.
    pub fn new(word: &Word, contact: &Contact, zone: &str) -> Self {
        let translation = Translation::of(&contact.language);
        match word {
            Word::Acknowledgement => translation.letter(contact, &translation.acknowledgement, &[]),
            Word::Outcome(ruling) => translation.outcome(contact, ruling, zone),
            Word::Recourse => translation.letter(contact, &translation.recourse, &[]),
            Word::Extension(delay) => translation.extension(contact, delay, zone),
            Word::Holding(holding) => translation.holding(contact, holding, zone),
            Word::Survey(invitation) => translation.survey(contact, invitation, zone),
        }
    }
}

impl Letter {
    /// The same with a survey's code in its place.
    #[must_use]
    pub fn with_code(&self, code: &str) -> Self {
        Self { body: self.body.replace(SURVEY_CODE, code), ..self.clone() }
    }
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

    fn outcome(&self, contact: &Contact, ruling: &Ruling, zone: &str) -> Letter {
        let decision = match ruling.outcome {
            Outcome::Upheld => self.upheld,
            Outcome::PartlyUpheld => self.partly_upheld,
            Outcome::NotUpheld => self.not_upheld,
        };
        let reasons = self.because(&ruling.reasons);
        let until = self.date(ruling.respond_until, zone);
        let places = [("decision", decision), ("reasons", &reasons), ("until", &until)];
        self.letter(contact, &self.outcome, &places)
    }

    fn extension(&self, contact: &Contact, delay: &Delay, zone: &str) -> Letter {
        let reasons = self.because(&delay.reason);
        let until = delay.due.map_or_else(|| self.until_known.to_owned(), |due| self.date(due, zone));
        self.letter(contact, &self.extension, &[("reasons", &reasons), ("until", &until)])
    }

    fn holding(&self, contact: &Contact, holding: &Holding, zone: &str) -> Letter {
        let by = |sentence: &str, time: Option<Timestamp>| {
            time.map(|time| fill(sentence, &[("time", &self.date(time, zone))])).unwrap_or_default()
        };
        let (next, answer) = (by(self.next, holding.next), by(self.answer_by, holding.due));
        let (text, reason) = (holding.text.trim(), holding.reason.trim());
        let places = [("text", text), ("reason", reason), ("next", &next), ("answer", &answer)];
        self.letter(contact, &self.holding, &places)
    }

    fn survey(&self, contact: &Contact, invitation: &Invitation, zone: &str) -> Letter {
        let until = self.date(invitation.until, zone);
        let again = if invitation.reminder { self.reminder } else { "" };
        let asked = &invitation.wording;
        let places = [
            ("reminder", again),
            ("handling", asked.handling.as_str()),
            ("outcome", &asked.outcome),
            ("effort", &asked.effort),
            ("comment", &asked.comment),
            ("code", SURVEY_CODE),
            ("until", &until),
        ];
        self.letter(contact, &self.survey, &places)
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
mod tests;
