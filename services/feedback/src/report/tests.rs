//! Each way a report is written, of figures that are made up.

use std::io::Cursor;

use calamine::{Data, Reader as _, Xlsx};
use jiff::civil::date;
use proptest::prelude::*;
use quick_xml::Reader;
use quick_xml::events::Event;
use statistics::wilson;

use super::content::{Answer, Content, When};
use super::document::{Cell, Chart, document, grouped, shown};
use super::section::{Question, SECTIONS, questions};
use super::word::{self, Word};
use super::{Language, Length, Schedule, Term, csv, data, html, xlsx};
use crate::kpi::definition::Unit;
use crate::kpi::{Definition, Dimension, Figure, Row, Time};

/// What somebody may call a category, to take over whoever reads it.
const HOSTILE: &str = "=cmd|' /C calc'!A0<script>alert(1)</script>&\"\u{202e}\u{1}]]>";

fn november() -> Term {
    Term::new(Length::Month, date(2026, 11, 1)).unwrap()
}

#[expect(clippy::cast_precision_loss, reason = "small numbers of a test")]
fn figure(unit: Unit, seed: i64) -> Figure {
    let group = 40 + seed * 37 % 160;
    let base = Figure { numerator: group, denominator: group, group, ..Figure::default() };
    match unit {
        Unit::Share => {
            let hits = group * (60 + seed * 13 % 38) / 100;
            let value = Some(hits as f64 / group as f64);
            Figure { value, interval: wilson(hits, group), numerator: hits, ..base }
        }
        Unit::Seconds => {
            let mean = 3_600.0 * (5 + seed % 40) as f64;
            let percentiles = vec![(0.5, mean * 0.7), (0.75, mean), (0.9, mean * 1.9), (0.95, mean * 2.6)];
            Figure { value: Some(mean), percentiles, ..base }
        }
        Unit::Money => Figure { amounts: vec![("CNY".into(), 1_234_560 + seed * 1_000)], ..base },
        Unit::Count | Unit::PerThousand => Figure { value: Some(group as f64), ..base },
    }
}

fn values(dimension: Option<Dimension>) -> Vec<String> {
    match dimension {
        None => vec![String::new()],
        Some(Dimension::Channel) => (1..=10).map(|number: i32| number.to_string()).collect(),
        Some(Dimension::Category) => {
            ["物流配送/包裹破损", "billing/charged-twice", HOSTILE, ""].map(str::to_owned).into()
        }
        Some(Dimension::Product) => ["00123456789012345678", "A-17"].map(str::to_owned).into(),
        Some(_) => ["CN-SH", "CN-BJ", "GB-LND"].map(str::to_owned).into(),
    }
}

fn rows(question: &Question, term: Term, seed: &mut i64) -> Vec<Row> {
    let unit = Definition::of(question.ask.kpi).unwrap().unit();
    let query = question.query(&term, date(2027, 3, 1)).unwrap();
    let labels: Vec<String> = match query.window {
        Some(window) => window.buckets().into_iter().map(|bucket| bucket.label).collect(),
        None => (0..8).map(crate::kpi::figure::age).collect(),
    };
    let mut rows = Vec::new();
    for period in labels {
        for value in values(question.ask.dimension) {
            *seed += 1;
            let mut figure = figure(unit, *seed);
            if query.window.is_none() {
                figure.numerator = figure.denominator / 3;
            }
            if value == "CN-BJ" {
                figure = Figure { suppressed: true, ..Figure::default() };
            }
            rows.push(Row { period: period.clone(), value, figure, previous: None });
        }
    }
    rows
}

/// Figures of a time, all that are asked.
fn content(term: Term) -> Content {
    let mut seed = 0;
    let answer = |question: &Question| {
        let rows = rows(question, term, &mut seed);
        Answer::new(question, &term, 366, Some(rows))
    };
    Content {
        as_of: "2026-12-01T01:30:00Z".parse().unwrap(),
        zone: "Asia/Shanghai".to_owned(),
        min_group: 5,
        unfinished: false,
        rebuilding: false,
        answers: questions(&term).iter().map(answer).collect(),
    }
}

fn terms() -> Vec<Term> {
    let of = |length: &Length| Term::around(*length, date(2026, 11, 15));
    Length::ALL.iter().map(of).collect()
}

/// Reads a page as XML; answers its text. Fails where an element is not closed, or a text is
/// not lawful.
fn read_page(page: &str) -> String {
    let mut reader = Reader::from_str(page);
    reader.config_mut().check_end_names = true;
    let (mut text, mut depth) = (String::new(), 0_i32);
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) => {
                depth += 1;
                assert_ne!(tag.name().as_ref(), "script", "scripts run");
            }
            Event::End(_) => depth -= 1,
            Event::Text(read) => text += &read,
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0, "an element is not closed");
    text
}

#[test]
fn a_page_is_well_formed_in_each_language_and_for_each_length_whatever_groups_are_called() {
    for term in terms() {
        for language in Language::ALL {
            let page = html::render(&document(&term, &content(term), *language));
            let text = read_page(&page);
            for block in document(&term, &content(term), *language).blocks {
                assert!(text.contains(&block.title.replace('&', "&amp;")), "{} is missing", block.title);
            }
            assert!(page.contains("=cmd|&#39; /C calc&#39;!A0&lt;script&gt;alert(1)"), "it is text");
            assert!(!page.contains('\u{202e}') && !page.contains('\u{1}'));
            assert!(
                !page.contains("http://")
                    || page.matches("http://").count() == page.matches("http://www.w3.org/").count()
            );
        }
    }
}

#[test]
fn each_chart_has_a_title_a_description_and_a_table_beside_it() {
    let page = html::render(&document(&november(), &content(november()), Language::English));
    let charts = page.matches("role=\"img\"").count();
    assert!(charts >= 12, "{charts}");
    assert_eq!(page.matches("<title id=").count(), charts);
    assert_eq!(page.matches("<desc id=").count(), charts);
    assert!(page.matches("<table>").count() > charts);
    assert_eq!(page.matches("<caption>").count(), page.matches("<table>").count());
}

#[test]
fn no_word_is_left_in_another_language() {
    for word in Word::ALL {
        let is_chinese = |text: &str| text.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter));
        assert!(!is_chinese(word.of(Language::English)), "{word:?}");
        assert!(is_chinese(word.of(Language::Chinese)), "{word:?}");
    }
    for kpi in SECTIONS.iter().flat_map(|section| section.asks).map(|ask| ask.kpi) {
        assert!(Definition::of(kpi).is_some() && word::kpi(kpi).is_some(), "{kpi}");
    }
}

#[test]
fn what_is_suppressed_is_told_nowhere_nor_added_up() {
    let content = content(november());
    let document = document(&november(), &content, Language::English);
    let regions = document.blocks.iter().find(|block| block.title == "By region").unwrap();
    assert!(regions.table.rows.iter().all(|row| row[0] != Cell::Text("CN-BJ".into())));
    assert_eq!(regions.table.notes, ["Groups too small to be told apart: 1"]);
    assert!(regions.table.summed.is_empty(), "the sum would tell it");
    let Some(Chart::Bars { rows, .. }) = &regions.chart else { panic!("no chart") };
    assert!(rows.iter().all(|row| row.label != "CN-BJ"));
    let told = data::rows(&november(), &content, Language::English);
    let beijing: Vec<_> = told.iter().filter(|row| row[7] == data::Field::Text("CN-BJ".into())).collect();
    assert!(!beijing.is_empty());
    for row in beijing {
        assert!(row[9..18].iter().all(|field| *field == data::Field::Empty), "{row:?}");
        assert_eq!(row[18], data::Field::Text("yes".into()));
    }
}

#[test]
fn a_table_of_values_has_a_mark_crlf_and_no_formula() {
    for language in Language::ALL {
        let file = csv::render(&november(), &content(november()), *language);
        assert!(file.starts_with('\u{feff}') && file.ends_with("\r\n"));
        let text = file.trim_start_matches('\u{feff}');
        assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
        assert!(file.contains("物流配送/包裹破损"));
        assert!(file.contains("\"'=cmd|' /C calc'!A0<script>alert(1)</script>&\"\""));
    }
    for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n=1"] {
        let field = csv::field(text);
        assert!(field.trim_start_matches('"').starts_with('\''), "{text:?} is {field:?}");
    }
    assert_eq!(csv::field("a,b"), "\"a,b\"");
    assert_eq!(csv::field("plain"), "plain");
}

fn open(file: Vec<u8>) -> Xlsx<Cursor<Vec<u8>>> {
    Xlsx::new(Cursor::new(file)).unwrap()
}

#[test]
fn a_workbook_opens_with_another_reader_and_tells_the_same() {
    for term in terms() {
        for language in Language::ALL {
            let content = content(term);
            let file = xlsx::render(&term, &content, *language).unwrap();
            assert_eq!(file, xlsx::render(&term, &content, *language).unwrap(), "made again, it is the same");
            let mut book = open(file);
            let names = book.sheet_names();
            assert_eq!(names.len(), SECTIONS.len() + 1);
            let all = book.worksheet_range(Word::Data.of(*language)).unwrap();
            let told = data::rows(&term, &content, *language);
            assert_eq!(all.height(), told.len() + 1);
            let received = all.rows().find(|row| row[0] == Data::String("received".into())).unwrap();
            assert!(matches!(received[9], Data::Float(number) if number > 0.0), "{received:?}");
            for name in &names {
                let sheet = book.worksheet_range(name).unwrap();
                for cell in sheet.used_cells().map(|(_, _, cell)| cell) {
                    let Data::String(text) = cell else { continue };
                    assert!(!text.contains('\r') && text.encode_utf16().count() <= xlsx::MAX_CELL);
                }
            }
        }
    }
}

#[test]
fn a_workbook_keeps_long_numbers_as_text_and_sums_beside_their_formula() {
    let mut book = open(xlsx::render(&november(), &content(november()), Language::English).unwrap());
    let products = book.worksheet_range("By product").unwrap();
    let cells: Vec<&Data> = products.used_cells().map(|(_, _, cell)| cell).collect();
    assert!(cells.contains(&&Data::String("00123456789012345678".into())), "{cells:?}");
    let total = products.rows().find(|row| row[0] == Data::String("Total".into())).unwrap();
    let rows = products.rows().filter_map(|row| match (&row[0], &row[1]) {
        (Data::String(name), Data::Float(count)) if name != "Total" => Some(*count),
        _ => None,
    });
    let sum: f64 = rows.sum();
    let told = match &total[1] {
        Data::Float(number) => *number,
        other => other.to_string().parse().unwrap(),
    };
    assert!((told - sum).abs() < 1e-9 && sum > 0.0, "{told} {sum}");
    let formulas = book.worksheet_formula("By product").unwrap();
    assert!(formulas.used_cells().any(|(_, _, formula)| formula.contains("SUM(B")));
}

#[test]
fn a_text_that_a_cell_cannot_hold_is_cut_between_letters() {
    assert_eq!(xlsx::cell_text("a\r\nb\rc"), "a\nb\nc");
    let long = xlsx::cell_text(&"𝄞".repeat(20_000));
    assert_eq!(long.encode_utf16().count(), 32_766);
    assert_eq!(xlsx::cell_text("a\u{0}b"), "a\u{fffd}b");
}

#[test]
fn a_year_is_compared_with_the_year_before_once() {
    let year = Term::new(Length::Year, date(2026, 1, 1)).unwrap();
    assert!(questions(&year).iter().all(|question| question.when != When::Before));
    assert!(questions(&november()).iter().any(|question| question.when == When::Before));
    let all = questions(&november());
    assert!(all.len() <= 95, "{} questions", all.len());
}

#[test]
fn a_time_that_has_not_ended_is_compared_with_as_many_days() {
    let november = november();
    let today = date(2026, 11, 10);
    let days = november.days_until(today);
    assert_eq!(days, 10);
    assert_eq!(november.window(days).end, date(2026, 11, 11));
    assert_eq!(november.before().window(days).end, date(2026, 10, 11));
    assert_eq!(november.window(november.days_until(date(2027, 1, 1))).end, date(2026, 12, 1));
    let february = Term::new(Length::Month, date(2026, 2, 1)).unwrap();
    assert_eq!(february.window(31).end, date(2026, 3, 1), "no day of the next");
}

#[test]
fn durations_and_sums_read_as_people_write_them() {
    let of = |seconds: f64, time| shown(&Cell::Duration(seconds, time), Language::English);
    assert_eq!(of(12.0, Time::Wall), "12 s");
    assert_eq!(of(600.0, Time::Wall), "10 min");
    assert_eq!(of(36_000.0, Time::Wall), "10.0 h");
    assert_eq!(of(864_000.0, Time::Wall), "10.0 d");
    assert_eq!(of(864_000.0, Time::Working), "240.0 h", "working days are no days");
    assert_eq!(shown(&Cell::Money("CNY".into(), -50), Language::English), "CNY -0.50");
    assert_eq!(shown(&Cell::Money("JPY".into(), 1_234_567), Language::English), "JPY 1,234,567");
    assert_eq!(grouped(-1_234), "-1,234");
}

proptest! {
    #[test]
    fn a_schedule_is_due_for_the_last_time_that_ended(
        days in 0..4_000_i32,
        after_days in 0..=super::MAX_AFTER_DAYS,
        length in prop::sample::select(Length::ALL.to_vec()),
    ) {
        let today = date(2024, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap();
        let schedule = Schedule { length, languages: Vec::new(), formats: Vec::new(), after_days };
        let term = schedule.due(today).term;
        let due = |term: &Term| term.end().checked_add(jiff::Span::new().days(after_days)).unwrap();
        prop_assert!(due(&term) <= today, "it has ended so long ago");
        let next = Term { start: term.end(), ..term };
        prop_assert!(due(&next) > today, "and no later one has");
        prop_assert_eq!(Term::new(length, term.start), Some(term));
        prop_assert_eq!(next.before(), term);
    }

    #[test]
    fn whatever_text_is_escaped_it_is_one_text(text in ".{0,60}") {
        let page = format!("<p title=\"{0}\">{0}</p>", charts::escaped(&text));
        read_page(&page);
    }
}
