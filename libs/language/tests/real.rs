//! What is learnt from, and read off, real complaints and reviews. Extra tests:
//! `REDRESS_DATA` names the folder they lie in; `make real` runs them.
//!
//! What another implementation reaches on the same splits is told by the example
//! `evaluate`; here stand floors a little below what was measured.

#![expect(clippy::expect_used, reason = "a test whose data cannot be read has failed")]

use std::path::Path;

use flate2::read::GzDecoder;
use language::{Evaluation, Example, Level, Model, emotion, train};

/// The named columns of a packed table.
fn table<const N: usize>(file: &str, columns: [&str; N]) -> Vec<[String; N]> {
    let Some(folder) = std::env::var_os("REDRESS_DATA") else {
        panic!("REDRESS_DATA does not name the folder with {file}");
    };
    let packed = std::fs::File::open(Path::new(&folder).join(file)).expect("the table can be opened");
    let mut reader = csv::Reader::from_reader(GzDecoder::new(packed));
    let header = reader.headers().expect("the table has a header").clone();
    let place = |column: &str| header.iter().position(|name| name.trim_start_matches('\u{feff}') == column);
    let places = columns.map(|column| place(column).expect("the table has the column"));
    let rows = reader.records().map(|row| {
        let row = row.expect("a row can be read");
        places.map(|place| row.get(place).unwrap_or_default().to_owned())
    });
    rows.collect()
}

fn examples(rows: &[[String; 2]]) -> Vec<Example<'_>> {
    rows.iter().map(|[class, text]| Example { class, text }).collect()
}

fn trained(file: &str, columns: [&str; 2]) -> (Model, Evaluation) {
    let rows = table(file, columns);
    let (model, found) = train(&examples(&rows)).expect("there is enough to learn from");
    let (macro_f1, accuracy) = (found.confusion.macro_f1(), found.confusion.accuracy());
    let off = found.calibration_error();
    let sure = found.sure(0.6);
    println!("{file}: {} texts, macro-F1 {macro_f1:.4}, accuracy {accuracy:.4}", found.confusion.texts());
    println!("  off by {off:.3}; at 0.6 {:.3} are sure, {:.3} of them right", sure.share, sure.right);
    (model, found)
}

#[test]
#[ignore = "needs the real files: `make real` runs it"]
fn products_of_real_american_narratives() {
    let columns = ["Product", "Consumer complaint narrative"];
    let (model, found) = trained("en_cfpb_narratives_3947.csv.gz", columns);
    assert_eq!(model.classes().len(), 11);
    assert!(found.confusion.macro_f1() > 0.59, "{}", found.confusion.macro_f1());
    assert!(found.confusion.accuracy() > 0.79, "{}", found.confusion.accuracy());
    assert!(found.calibration_error() < 0.06, "{}", found.calibration_error());
}

#[test]
#[ignore = "needs the real files: `make real` runs it"]
fn shelves_of_real_chinese_reviews() {
    let (_, found) = trained("zh_online_shopping_10_cats_62774.csv.gz", ["cat", "review"]);
    assert!(found.confusion.macro_f1() > 0.87, "{}", found.confusion.macro_f1());
    assert!(found.confusion.accuracy() > 0.88, "{}", found.confusion.accuracy());
    assert!(found.calibration_error() < 0.03, "{}", found.calibration_error());
}

#[test]
#[ignore = "needs the real files: `make real` runs it"]
fn departments_of_real_chinese_letters_to_the_government() {
    let (_, found) = trained("zh_gov_messages_labelled_495.csv.gz", ["一级分类", "留言详情"]);
    assert!(found.confusion.macro_f1() > 0.70, "{}", found.confusion.macro_f1());
}

/// Chance that an angry text scores higher than a content one.
fn area(mut scored: Vec<(f32, bool)>) -> f64 {
    scored.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut pairs, mut won) = (0_u32, 0.0, 0.0);
    for tie in scored.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let angry = tie.iter().filter(|(_, angry)| *angry).count();
        let content = u32::try_from(tie.len() - angry).expect("few texts");
        let angry = f64::from(u32::try_from(angry).expect("few texts"));
        won += angry * (f64::from(below) + f64::from(content) / 2.0);
        pairs += angry;
        below += content;
    }
    won / (pairs * f64::from(below))
}

#[test]
#[ignore = "needs the real files: `make real` runs it"]
fn real_chinese_reviews_by_polarity() {
    let rows = table("zh_online_shopping_10_cats_62774.csv.gz", ["label", "review"]);
    let read: Vec<(bool, language::Emotion)> =
        rows.iter().map(|[label, text]| (label == "0", emotion(text))).collect();
    let share = |angry: bool, holds: fn(&language::Emotion) -> bool| {
        let of_side = read.iter().filter(|(side, _)| *side == angry);
        let (all, hits) = of_side.fold((0.0, 0.0), |(all, hits), (_, emotion)| {
            (all + 1.0, hits + f64::from(u8::from(holds(emotion))))
        });
        hits / all
    };
    let area = area(read.iter().map(|(angry, emotion)| (emotion.score, *angry)).collect());
    let (seen, mistaken) = (share(true, |e| e.level > Level::Calm), share(false, |e| e.level > Level::Calm));
    let (fury, false_fury) =
        (share(true, |e| e.level >= Level::Angry), share(false, |e| e.level >= Level::Angry));
    println!("area {area:.4}; above calm: {seen:.3} of the negative, {mistaken:.3} of the positive");
    println!("angry or more: {fury:.3} of the negative, {false_fury:.3} of the positive");
    assert!(area > 0.80, "{area}");
    assert!(fury > 5.0 * false_fury, "{fury} {false_fury}");
}

#[test]
#[ignore = "needs the real files: `make real` runs it"]
fn real_american_narratives_are_complaints_and_threaten() {
    let rows = table("en_cfpb_narratives_3947.csv.gz", ["Consumer complaint narrative"]);
    let mut levels = [0_u32; 5];
    let mut threatening = 0;
    for [text] in &rows {
        let emotion = emotion(text);
        levels[usize::from(emotion.level.number())] += 1;
        threatening += u32::from(emotion.threatens_escalation());
    }
    println!("levels {levels:?}, {threatening} threaten of {}", rows.len());
    assert!(levels[0] * 10 < 3 * u32::try_from(rows.len()).expect("few texts"), "most are not calm");
}
