//! Classifiers, and what was read off texts.

use proto::redress::cases::v1::{
    Classifier, ClassifyTextResponse, EmotionLevel, ListClassifiersResponse, ListUnconfirmedResponse,
    Reading, Threat,
};

use super::{more, none_of};
use crate::lines::time;
use crate::table::{Table, facts};
use crate::words::word;

/// One classifier: how good it is, category by category.
pub fn classifier(classifier: &Classifier) -> String {
    let head = facts(&[
        ("version", classifier.version.to_string()),
        ("active", if classifier.active { "yes".to_owned() } else { "no".to_owned() }),
        ("trained", time(classifier.train_time.as_ref())),
        ("by", classifier.trainer.clone()),
        ("activated", time(classifier.activate_time.as_ref())),
        ("learnt from", format!("{} texts, {} terms", classifier.learnt_count, classifier.term_count)),
        ("held out", format!("{} texts", classifier.held_out_count)),
        ("macro-F1", share(classifier.macro_f1)),
        ("right", share(classifier.accuracy)),
        ("confidence off by", share(classifier.calibration_error)),
        ("threshold", share(classifier.threshold)),
        (
            "sure of",
            format!("{}, right in {} of them", share(classifier.sure_share), share(classifier.sure_accuracy)),
        ),
    ]);
    let mut table = Table::new(["category", "precision", "recall", "F1", "texts", "taken for"]);
    for category in &classifier.categories {
        let said = classifier.categories.iter().zip(&category.confusion);
        let taken = said.filter(|(_, texts)| **texts > 0);
        let taken: Vec<String> = taken.map(|(said, texts)| format!("{texts} {}", said.category)).collect();
        table.row([
            category.category.clone(),
            share(category.precision),
            share(category.recall),
            share(category.f1),
            category.held_out_count.to_string(),
            taken.join(", "),
        ]);
    }
    format!("{head}\n{}", table.render())
}

/// A page of classifiers.
pub fn classifiers(list: &ListClassifiersResponse) -> String {
    if list.classifiers.is_empty() {
        return none_of("classifiers", &list.next_page_token);
    }
    let mut table = Table::new(["version", "active", "trained", "texts", "macro-F1", "by"]);
    for classifier in &list.classifiers {
        table.row([
            classifier.version.to_string(),
            if classifier.active { "yes".to_owned() } else { String::new() },
            time(classifier.train_time.as_ref()),
            classifier.learnt_count.to_string(),
            share(classifier.macro_f1),
            classifier.trainer.clone(),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

/// What a text may be about, and how it is meant.
pub fn classified(answer: &ClassifyTextResponse) -> String {
    let mut table = Table::new(["confidence", "category"]);
    for guess in &answer.guesses {
        table.row([share(guess.confidence), guess.category.clone()]);
    }
    let head = facts(&[
        ("classifier", answer.classifier_version.to_string()),
        ("sure", if answer.sure { "yes".to_owned() } else { "no, a person is to confirm it".to_owned() }),
        ("emotion", word::<EmotionLevel>(answer.emotion)),
        ("threatens", threats(&answer.threats)),
    ]);
    format!("{head}\n{}", table.render())
}

/// A page of what waits to be confirmed.
pub fn unconfirmed(list: &ListUnconfirmedResponse) -> String {
    if list.readings.is_empty() {
        return none_of("cases wait to be confirmed", &list.next_page_token);
    }
    let mut table = Table::new(["case", "sure", "emotion", "category", "subject"]);
    for reading in &list.readings {
        let confidence = reading.guess.as_ref().map_or(0.0, |guess| guess.confidence);
        table.row([
            reading.case_id.clone(),
            share(confidence),
            word::<EmotionLevel>(reading.emotion),
            reading.category.clone(),
            reading.subject.clone(),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

/// What was read off a case.
pub fn reading(reading: &Reading) -> String {
    let guess = reading.guess.as_ref().map(|guess| {
        let (version, sure) = (reading.classifier_version, share(guess.confidence));
        format!("{}, says classifier {version}, {sure} sure", guess.category)
    });
    let confirmed = match (reading.unconfirmed, reading.confirmer.as_str()) {
        (true, _) => "not yet".to_owned(),
        (false, "") => String::new(),
        (false, person) => format!("by {person}, {}", time(reading.confirm_time.as_ref())),
    };
    facts(&[
        ("case", reading.case_id.clone()),
        ("subject", reading.subject.clone()),
        ("category", reading.category.clone()),
        ("read as", guess.unwrap_or_default()),
        ("confirmed", confirmed),
        ("emotion", word::<EmotionLevel>(reading.emotion)),
        ("threatens", threats(&reading.threats)),
    ])
}

fn threats(threats: &[i32]) -> String {
    threats.iter().map(|threat| word::<Threat>(*threat)).collect::<Vec<_>>().join(", ")
}

/// A share in percent.
fn share(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}
