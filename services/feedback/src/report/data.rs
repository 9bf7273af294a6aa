//! All figures of a report, a row each: what tables are turned from, and other programs read.

use jiff::ToSpan as _;

use super::Term;
use super::content::{Answer, Content, Told, When};
use super::document::value_name;
use super::section::PERCENTILES;
use super::word::{self, Language, Word};
use crate::kpi::definition::Unit;
use crate::kpi::{Definition, Dimension, Figure, Time};

/// What a field of a row holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Field {
    /// Nothing.
    Empty,
    /// A text.
    Text(String),
    /// A number.
    Number(f64),
}

/// The headings.
pub fn headings(language: Language) -> Vec<String> {
    let words = [
        Word::ColumnKpi,
        Word::Figure,
        Word::ColumnTerm,
        Word::ColumnFirst,
        Word::ColumnLast,
        Word::ColumnPart,
        Word::ColumnDimension,
        Word::Group,
        Word::ColumnUnit,
        Word::ThisTime,
        Word::ColumnLower,
        Word::ColumnUpper,
        Word::ColumnNumerator,
        Word::ColumnDenominator,
    ];
    let mut all: Vec<String> = words.iter().map(|word| word.of(language).to_owned()).collect();
    // What a figure is called in a row of its own.
    if let Some(value) = all.get_mut(9) {
        Word::Value.of(language).clone_into(value);
    }
    all.extend(["P50", "P75", "P90", "P95"].map(str::to_owned));
    all.push(Word::ColumnSuppressed.of(language).to_owned());
    all
}

/// The rows.
pub fn rows(term: &Term, content: &Content, language: Language) -> Vec<Vec<Field>> {
    let of = |answer: &Answer| -> Vec<Vec<Field>> {
        answer.rows.iter().flat_map(|told| one(*term, content, language, (answer, told))).collect()
    };
    content.answers.iter().flat_map(of).collect()
}

/// The rows of a figure: one, but of money one for each currency.
fn one(
    term: Term,
    content: &Content,
    language: Language,
    (answer, told): (&Answer, &Told),
) -> Vec<Vec<Field>> {
    let unit = Definition::of(&answer.kpi).map_or(Unit::Count, Definition::unit);
    let text = |text: &str| Field::Text(text.to_owned());
    let dimension = answer.dimension.and_then(Dimension::of);
    let mut name = word::kpi(&answer.kpi).map_or(answer.kpi.as_str(), |word| word.of(language)).to_owned();
    if let (Unit::Seconds, Some(time)) = (unit, Time::of(answer.time)) {
        name = word::in_brackets(&name, word::time(time).of(language), language);
    }
    let last = answer.end.checked_sub(1.day()).unwrap_or(answer.end);
    let whole = answer.kpi == "backlog";
    let head = [
        text(&answer.kpi),
        Field::Text(name),
        text(match answer.when {
            When::Now => Word::ThisTime.of(language),
            When::Before => Word::TimeBefore.of(language),
            When::YearBefore => Word::YearBefore.of(language),
        }),
        if whole { Field::Empty } else { Field::Text(answer.start.to_string()) },
        if whole { Field::Empty } else { Field::Text(last.to_string()) },
        text(&told.period),
        dimension.map_or(Field::Empty, |dimension| text(word::dimension(dimension).of(language))),
        dimension.map_or(Field::Empty, |dimension| {
            Field::Text(value_name(content, &term, language, (dimension, &told.value)))
        }),
    ];
    let figures = figures(&told.figure, unit, language);
    figures.into_iter().map(|figure| [head.to_vec(), figure].concat()).collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn number(count: i64) -> Field {
    Field::Number(count as f64)
}

fn figures(figure: &Figure, unit: Unit, language: Language) -> Vec<Vec<Field>> {
    let word = |word: Word| Field::Text(word.of(language).to_owned());
    let name = match unit {
        Unit::Share => Word::UnitShare,
        Unit::Seconds => Word::UnitHours,
        Unit::Count | Unit::Money | Unit::PerThousand => Word::UnitCount,
    };
    if figure.suppressed {
        let mut row = vec![word(name)];
        row.extend(std::iter::repeat_n(Field::Empty, 9));
        row.push(word(Word::Yes));
        return vec![row];
    }
    let hours = |seconds: f64| Field::Number(seconds / 3_600.0);
    let row = |unit_name: Field, value: Option<Field>| {
        let bound = |bound: Option<f64>| bound.map_or(Field::Empty, Field::Number);
        let mut row = vec![
            unit_name,
            value.unwrap_or(Field::Empty),
            bound(figure.interval.map(|(lower, _)| lower)),
            bound(figure.interval.map(|(_, upper)| upper)),
            number(figure.numerator),
            number(figure.denominator),
        ];
        row.extend(PERCENTILES.map(|wanted| {
            let found = figure.percentiles.iter().find(|(known, _)| (known - wanted).abs() < 1e-9);
            found.map_or(Field::Empty, |(_, seconds)| hours(*seconds))
        }));
        row.push(Field::Empty);
        row
    };
    match unit {
        Unit::Money => {
            let sum = |(currency, minor): &(String, i64)| {
                row(Field::Text(currency.clone()), Some(Field::Number(major(currency, *minor))))
            };
            figure.amounts.iter().map(sum).collect()
        }
        Unit::Seconds => vec![row(word(name), figure.value.map(hours))],
        _ => vec![row(word(name), figure.value.map(Field::Number))],
    }
}

/// A sum in units of its currency.
pub fn major(currency: &str, minor: i64) -> f64 {
    let sum = kernel::Money { currency: currency.to_owned(), minor }.to_string();
    sum.split_once(' ').and_then(|(_, sum)| sum.parse().ok()).unwrap_or_default()
}
