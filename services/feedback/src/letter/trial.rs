//! Templates tried on what real notices have to say, before they are put in force.

use std::collections::BTreeMap;

use minijinja::Value;
use serde::{Deserialize, Serialize};

use super::template::{Flaw, Template, Values, places};
use super::{Translation, Word, abridged, sample_words};
use crate::contact::Contact;
use crate::owed::Kind;

/// Most notices that a template is tried on at once.
pub const MAX_TRIED: i32 = 200;
/// Places whose text says who somebody is, or may.
const PERSONAL: [&str; 7] = ["greeting", "name", "subject", "reasons", "text", "reason", "article"];
/// Stands for each letter and digit that is not shown.
const MASK: char = '•';

/// What is put into the places of a notice's template, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places(BTreeMap<String, serde_json::Value>);

impl Places {
    /// What a notice has to say to a contact, its times told in a zone of this name.
    pub fn of(word: &Word, contact: &Contact, zone: &str) -> Self {
        Self::written(Translation::of(&contact.language), word, contact, zone)
    }

    fn written(translation: &Translation, word: &Word, contact: &Contact, zone: &str) -> Self {
        let (_, for_body) = translation.values(word, contact, zone);
        let kept = for_body
            .iter()
            .filter_map(|(place, value)| Some(((*place).to_owned(), serde_json::to_value(value).ok()?)));
        Self(kept.collect())
    }

    /// What the next notice of a kind would have to say to a contact, as far as that is known:
    /// what the last one had; and the places that a sample fills, because there was none.
    pub fn next(
        kind: Kind,
        language: &str,
        last: Option<Self>,
        contact: &Contact,
    ) -> (Self, Vec<&'static str>) {
        let own = ["greeting", "name", "subject", "case"];
        let sample = sample_words(kind, language).pop();
        let sample =
            sample.map(|(_, word)| Self::written(Translation::of(language), &word, contact, "Asia/Shanghai"));
        let mut next = sample.unwrap_or_default();
        let of_the_kind =
            places(kind).into_iter().map(|(place, _)| place).filter(|place| !own.contains(place));
        let Some(last) = last else { return (next, of_the_kind.collect()) };
        for place in of_the_kind {
            let said = last.0.get(place).cloned().unwrap_or_default();
            next.0.insert(place.to_owned(), said);
        }
        (next, Vec::new())
    }

    /// The same for who may not see whom and what it is about: letters and digits are hidden.
    #[must_use]
    pub fn masked(mut self) -> Self {
        for (place, value) in &mut self.0 {
            if let (true, serde_json::Value::String(text)) = (PERSONAL.contains(&place.as_str()), value) {
                *text = text.chars().map(|c| if c.is_alphanumeric() { MASK } else { c }).collect();
            }
        }
        self
    }

    /// The values of every place of a kind: of the subject line, and of the text. What a notice
    /// of before had no place for is an empty text.
    fn values(&self, kind: Kind) -> (Values, Values) {
        let value = |place: &'static str| match self.0.get(place) {
            Some(serde_json::Value::Bool(holds)) => Value::from(*holds),
            Some(serde_json::Value::String(text)) => Value::from(text.as_str()),
            _ => Value::from(""),
        };
        let for_body: Values = places(kind).into_iter().map(|(place, _)| (place, value(place))).collect();
        let mut for_subject = for_body.clone();
        if let Some(serde_json::Value::String(subject)) = self.0.get("subject") {
            for_subject.insert("subject", Value::from(abridged(subject).into_owned()));
        }
        (for_subject, for_body)
    }
}

/// The subject line and the text that a template writes of a notice, or what stops it.
pub fn write_of(template: &Template, kind: Kind, places: &Places) -> Result<(String, String), Flaw> {
    let (for_subject, for_body) = places.values(kind);
    template.write(&for_subject, &for_body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::letter::{languages, shipped};

    fn template(subject: &str, body: &str) -> Template {
        Template { subject: subject.to_owned(), body: body.to_owned() }
    }

    #[test]
    fn what_was_kept_of_a_notice_writes_the_notice_again() {
        for language in languages() {
            for kind in Kind::ALL {
                for (contact, word) in sample_words(*kind, language) {
                    let translation = Translation::of(language);
                    let shipped = shipped(*kind, language).unwrap();
                    let letter = translation.write(shipped, &word, &contact, "UTC").unwrap();
                    let kept = serde_json::to_string(&Places::of(&word, &contact, "UTC")).unwrap();
                    let kept: Places = serde_json::from_str(&kept).unwrap();
                    let again = write_of(shipped, *kind, &kept).unwrap();
                    assert_eq!(again, (letter.subject, letter.body), "{kind:?} in {language}");
                }
            }
        }
    }

    #[test]
    fn a_sample_fills_what_the_case_has_not_and_nothing_else() {
        let (contact, word) = sample_words(Kind::Outcome, "en").remove(0);
        let contact = Contact { name: "Bo".to_owned(), subject: "a torn sleeve".to_owned(), ..contact };
        let (next, sampled) = Places::next(Kind::Outcome, "en", None, &contact);
        assert_eq!(sampled, ["decision", "reasons", "until"]);
        let own =
            template("{{ name }}: {{ subject }}", "{{ decision }} {{ reasons }} {{ until }} {{ case }}");
        let (subject, body) = write_of(&own, Kind::Outcome, &next).unwrap();
        assert_eq!(subject, "Bo: a torn sleeve");
        assert!(body.starts_with("your complaint is upheld. It was our fault."), "{body}");
        let last = Places::of(&word, &contact, "UTC");
        let (next, sampled) = Places::next(Kind::Outcome, "en", Some(last), &contact);
        assert_eq!(sampled, [""; 0]);
        let (_, body) = write_of(&own, Kind::Outcome, &next).unwrap();
        assert!(body.starts_with("your complaint is not upheld.  "), "the reasons were none: {body}");
    }

    #[test]
    fn what_says_who_somebody_is_is_masked_and_the_rest_is_not() {
        let (contact, word) = sample_words(Kind::Outcome, "en").pop().unwrap();
        let masked = Places::of(&word, &contact, "UTC").masked();
        let own = template("{{ subject }}", "{{ greeting }} {{ decision }} {{ reasons }}");
        let (subject, body) = write_of(&own, Kind::Outcome, &masked).unwrap();
        assert_eq!(subject, "•••• ••••••");
        assert_eq!(body, "•••• •••, your complaint is upheld. •• ••• ••• •••••.");
    }

    #[test]
    fn what_stops_a_real_letter_is_named() {
        let (contact, word) = sample_words(Kind::Outcome, "en").pop().unwrap();
        let places = Places::of(&word, &contact, "UTC");
        let flaw = write_of(&template("x", "{{ unknown }}"), Kind::Outcome, &places).unwrap_err();
        assert_eq!(flaw.field, "body");
        assert!(flaw.problem.contains("undefined"), "{}", flaw.problem);
        let flaw = write_of(&template("{{ subject }}\n", "x"), Kind::Outcome, &places).unwrap_err();
        assert_eq!(flaw.field, "subject");
    }
}
