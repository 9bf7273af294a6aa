//! Contract ⇄ domain: classifiers, and what was read off texts.

use fault::{Check, Fault};
use kernel::page::Page;
use language::{ClassFigures, Emotion, Level, Threat, Verdict};
use proto::redress::cases::v1::{
    ActivateClassifierRequest, ClassifiedCategory, Classifier as WireClassifier, ClassifyTextRequest,
    ClassifyTextResponse, ConfirmCategoryRequest, DeactivateClassifierRequest, EmotionLevel,
    GetClassifierRequest, Guess as WireGuess, ListClassifiersRequest, ListUnconfirmedRequest,
    Reading as WireReading, Threat as WireThreat, TrainClassifierRequest,
};
use proto::timestamp;

use super::{CaseTarget, target};
use crate::categories::MAX_PATH;
use crate::classifier::{Classifier, Figures, KeptClassifier, USUAL_THRESHOLD};
use crate::reading::KeptReading;

/// Longest text that is classified.
const MAX_TEXT: usize = 20_000;
/// Guesses told about a text.
const MOST_GUESSES: usize = 5;

const INVALID_CLASSIFIER: &str = "INVALID_CLASSIFIER";

/// Reads the threshold of a classifier to be trained.
pub(crate) fn training(request: TrainClassifierRequest) -> Result<f64, Fault> {
    let TrainClassifierRequest { request_id, threshold } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let threshold = threshold.unwrap_or(USUAL_THRESHOLD);
    check.ensure(threshold > 0.0 && threshold <= 1.0, "threshold", "must be above 0 and at most 1");
    check.done("INVALID_TRAINING")?;
    Ok(threshold)
}

/// Reads which classifier is to be activated.
pub(crate) fn activation(request: ActivateClassifierRequest) -> Result<i64, Fault> {
    let ActivateClassifierRequest { request_id, version } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    check.ensure(version > 0, "version", "must be 1 or more");
    check.done(INVALID_CLASSIFIER)?;
    Ok(version)
}

/// Reads the wish to classify no more.
pub(crate) fn deactivation(request: DeactivateClassifierRequest) -> Result<(), Fault> {
    let DeactivateClassifierRequest { request_id } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    check.done(INVALID_CLASSIFIER)
}

/// Reads which classifier is wanted; none takes the active one.
pub(crate) fn wanted(request: GetClassifierRequest) -> Result<Option<i64>, Fault> {
    let GetClassifierRequest { version } = request;
    let mut check = Check::new();
    let version = version_or_active(&mut check, version);
    check.done(INVALID_CLASSIFIER)?;
    Ok(version)
}

fn version_or_active(check: &mut Check, version: i64) -> Option<i64> {
    check.ensure(version >= 0, "version", "must not be negative");
    Some(version).filter(|version| *version != 0)
}

/// Reads which page of the classifiers is wanted.
pub(crate) fn list(request: ListClassifiersRequest) -> Result<Page, Fault> {
    let ListClassifiersRequest { page_size, page_token } = request;
    let mut check = Check::new();
    let page = check.page(page_size, &page_token, "classifiers");
    check.done("INVALID_LIST")?;
    Ok(page)
}

/// Reads which page of what waits is wanted.
pub(crate) fn unconfirmed(request: ListUnconfirmedRequest) -> Result<Page, Fault> {
    let ListUnconfirmedRequest { page_size, page_token } = request;
    let mut check = Check::new();
    let page = check.page(page_size, &page_token, "unconfirmed");
    check.done("INVALID_LIST")?;
    Ok(page)
}

/// Reads a text to be classified, and by which classifier.
pub(crate) fn text(request: ClassifyTextRequest) -> Result<(String, Option<i64>), Fault> {
    let ClassifyTextRequest { text, version } = request;
    let mut check = Check::new();
    let text = check.required("text", text, MAX_TEXT);
    let version = version_or_active(&mut check, version);
    check.done("INVALID_TEXT")?;
    Ok((text, version))
}

/// Reads what a person says a case is about.
pub(crate) fn confirmation(request: ConfirmCategoryRequest) -> Result<(CaseTarget, String), Fault> {
    let ConfirmCategoryRequest { request_id, case_id, expected_version, category } = request;
    let mut check = Check::new();
    let target = target(&mut check, request_id, &case_id, expected_version);
    let category = check.required("category", category, MAX_PATH);
    check.done("INVALID_CATEGORY")?;
    Ok((target, category.trim().to_owned()))
}

/// A classifier as it is told.
pub(crate) fn classifier(kept: KeptClassifier) -> WireClassifier {
    let KeptClassifier { version, active, trainer, train_time, activate_time, threshold, figures } = kept;
    let Figures { learnt, terms, held_out, macro_f1, accuracy, calibration_error, sure, confusion } = figures;
    let rows = confusion.of_classes().into_iter().zip(&confusion.counts);
    WireClassifier {
        version,
        active,
        train_time: Some(timestamp(train_time)),
        trainer,
        activate_time: activate_time.map(timestamp),
        threshold,
        learnt_count: count(learnt),
        held_out_count: count(held_out),
        term_count: count(terms),
        macro_f1,
        accuracy,
        calibration_error,
        sure_share: sure.share,
        sure_accuracy: sure.right,
        categories: rows.map(|(figures, row)| category(figures, row)).collect(),
    }
}

fn category(figures: ClassFigures, row: &[u32]) -> ClassifiedCategory {
    let ClassFigures { class, precision, recall, f1, texts } = figures;
    let small = |cell: u32| i32::try_from(cell).unwrap_or(i32::MAX);
    ClassifiedCategory {
        category: class,
        precision,
        recall,
        f1,
        held_out_count: small(texts),
        confusion: row.iter().copied().map(small).collect(),
    }
}

fn count(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// What a text may be about, and how it is meant.
pub(crate) fn classified(
    classifier: &Classifier,
    ranking: &[Verdict<'_>],
    emotion: &Emotion,
) -> ClassifyTextResponse {
    let guess = |verdict: &Verdict<'_>| WireGuess {
        category: verdict.class.to_owned(),
        confidence: f64::from(verdict.confidence),
    };
    let guesses: Vec<WireGuess> = ranking.iter().take(MOST_GUESSES).map(guess).collect();
    ClassifyTextResponse {
        sure: guesses.first().is_some_and(|first| first.confidence >= classifier.threshold),
        guesses,
        classifier_version: classifier.version,
        emotion: level(emotion.level).into(),
        threats: threats(&emotion.threats),
    }
}

/// What was read off a case.
pub(crate) fn reading(kept: KeptReading) -> WireReading {
    let KeptReading { case, category, subject, level: kept_level, threats: kept_threats, guess, .. } = kept;
    let (confirmer, confirm_time) = kept.confirmed.unzip();
    WireReading {
        case_id: case.to_string(),
        category,
        classifier_version: guess.as_ref().map_or(0, |(classifier, ..)| *classifier),
        guess: guess.map(|(_, category, confidence)| WireGuess { category, confidence }),
        unconfirmed: kept.unconfirmed,
        confirmer: confirmer.unwrap_or_default(),
        confirm_time: confirm_time.map(timestamp),
        emotion: kept_level.map_or(EmotionLevel::Unspecified, level).into(),
        threats: threats(&kept_threats),
        subject,
    }
}

/// How angry a text is.
pub(super) fn level(level: Level) -> EmotionLevel {
    match level {
        Level::Calm => EmotionLevel::Calm,
        Level::Displeased => EmotionLevel::Displeased,
        Level::Annoyed => EmotionLevel::Annoyed,
        Level::Angry => EmotionLevel::Angry,
        Level::Furious => EmotionLevel::Furious,
    }
}

/// What a text threatens.
pub(super) fn threats(threats: &[Threat]) -> Vec<i32> {
    let told = |threat: &Threat| match threat {
        Threat::Regulator => WireThreat::Regulator,
        Threat::Media => WireThreat::Media,
        Threat::Court => WireThreat::Court,
        Threat::Leaving => WireThreat::Leaving,
    };
    threats.iter().map(|threat| told(threat).into()).collect()
}
