//! What sections say: a report's figures become tables and charts.

use super::super::content::{Answer, Content, When};
use super::super::section::{Ask, BACKLOG, PERCENTILES, SECTIONS, Section, Shape};
use super::super::word::{self, Language, Word};
use super::super::{Length, Term};
use super::{Bar, BarRow, Block, Cell, Chart, Document, Table, grouped, moment, shown};
use crate::kpi::definition::Unit;
use crate::kpi::{Definition, Dimension, Figure, Time};

/// Most groups that a chart shows.
const CHARTED: usize = 12;
/// Most groups that a section lists; all are among the data.
const LISTED: usize = 40;

/// What sections are made of.
struct Maker<'c> {
    content: &'c Content,
    term: &'c Term,
    language: Language,
}

/// The report of a time in a language.
pub fn document(term: &Term, content: &Content, language: Language) -> Document {
    let maker = Maker { content, term, language };
    Document {
        language,
        title: format!("{} – {}", Word::Title.of(language), word::term(term, language)),
        kind: word::length(term.length).of(language).to_owned(),
        notes: maker.notes(),
        blocks: SECTIONS.iter().map(|section| maker.block(section)).collect(),
    }
}

/// The name of a value of a dimension in a language.
pub fn value_name(content: &Content, term: &Term, language: Language, of: (Dimension, &str)) -> String {
    Maker { content, term, language }.value(of.0, of.1)
}

/// Which figure of a KPI a cell shows.
fn cell(figure: Option<&Figure>, unit: Unit, time: Time) -> Cell {
    let Some(figure) = figure else { return Cell::None };
    if figure.suppressed {
        return Cell::Suppressed;
    }
    match (unit, figure.value) {
        (Unit::Count, _) => Cell::Count(figure.denominator),
        (_, None) => Cell::None,
        (Unit::Seconds, Some(_)) => percentile(figure, PERCENTILES[0], time),
        (_, Some(value)) => Cell::Share(value),
    }
}

fn percentile(figure: &Figure, wanted: f64, time: Time) -> Cell {
    let found = figure.percentiles.iter().find(|(percentile, _)| (percentile - wanted).abs() < 1e-9);
    found.map_or(Cell::None, |(_, seconds)| Cell::Duration(*seconds, time))
}

fn range(figure: Option<&Figure>) -> Cell {
    match figure.and_then(|figure| figure.interval) {
        Some((lower, upper)) => Cell::Range(lower, upper),
        None if figure.is_some_and(|figure| figure.suppressed) => Cell::Suppressed,
        None => Cell::None,
    }
}

fn count(figure: Option<&Figure>, of: impl Fn(&Figure) -> i64) -> Cell {
    match figure {
        None => Cell::None,
        Some(figure) if figure.suppressed => Cell::Suppressed,
        Some(figure) => Cell::Count(of(figure)),
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn size(count: i64) -> f64 {
    count as f64
}

fn unit(ask: &Ask) -> Unit {
    Definition::of(ask.kpi).map_or(Unit::Count, Definition::unit)
}

impl Maker<'_> {
    fn say(&self, word: Word) -> String {
        word.of(self.language).to_owned()
    }

    fn notes(&self) -> Vec<String> {
        let Content { as_of, zone, min_group, unfinished, rebuilding, answers: _ } = self.content;
        let mut notes = vec![
            format!("{} {} ({zone})", self.say(Word::AsOf), moment(*as_of, zone)),
            format!("{} {zone}", self.say(Word::Zone)),
        ];
        if *unfinished {
            notes.push(self.say(Word::Unfinished));
        }
        if *rebuilding {
            notes.push(self.say(Word::Rebuilding));
        }
        notes.push(self.say(Word::Intervals));
        if *min_group > 1 {
            notes.push(format!("{} {min_group}", self.say(Word::Suppression)));
        }
        notes
    }

    fn block(&self, section: &Section) -> Block {
        let (title, lead) = word::section(section.name);
        let (table, chart, charted) = match section.shape {
            Shape::Headlines => (self.headlines(section.asks), None, Vec::new()),
            Shape::Trend => self.trend(section.asks),
            Shape::Groups(dimension) => self.groups(section.asks, dimension),
            Shape::Durations => self.durations(section.asks),
            Shape::Shares => self.shares(section.asks),
            Shape::Ages => self.ages(),
            Shape::Sums => self.sums(section.asks),
        };
        Block { name: section.name, title: self.say(title), lead: self.say(lead), chart, charted, table }
    }

    /// The times a figure is compared with, and what they are called.
    fn earlier(&self) -> Vec<(When, String)> {
        let year = (When::YearBefore, self.term_before(When::YearBefore));
        match self.term.length {
            Length::Year => vec![year],
            _ => vec![(When::Before, self.term_before(When::Before)), year],
        }
    }

    fn term_before(&self, when: When) -> String {
        word::term(&when.of(self.term), self.language)
    }

    fn kpi(&self, ask: &Ask) -> String {
        let name = word::kpi(ask.kpi).map_or_else(|| ask.kpi.to_owned(), |word| self.say(word));
        let times = Definition::of(ask.kpi).map(Definition::times).unwrap_or_default();
        if times.is_empty() {
            name
        } else {
            word::in_brackets(&name, word::time(ask.time).of(self.language), self.language)
        }
    }

    fn columns(&self, words: &[Word]) -> Vec<String> {
        words.iter().map(|word| self.say(*word)).collect()
    }

    fn headlines(&self, asks: &[Ask]) -> Table {
        let mut columns = self.columns(&[Word::Figure, Word::ThisTime, Word::Interval, Word::CountedFrom]);
        columns.extend(self.earlier().into_iter().map(|(_, name)| name));
        let row = |ask: &Ask| {
            let figure = self.content.figure(ask, When::Now);
            let mut name = self.kpi(ask);
            if unit(ask) == Unit::Seconds {
                name = word::of_which(&name, Word::Median.of(self.language), self.language);
            }
            let mut row = vec![
                Cell::Text(name),
                cell(figure, unit(ask), ask.time),
                range(figure),
                count(figure, |figure| figure.denominator),
            ];
            let earlier =
                |(when, _): &(When, String)| cell(self.content.figure(ask, *when), unit(ask), ask.time);
            row.extend(self.earlier().iter().map(earlier));
            row
        };
        Table { columns, rows: asks.iter().map(row).collect(), ..Table::default() }
    }

    fn trend(&self, asks: &[Ask]) -> (Table, Option<Chart>, Vec<usize>) {
        let place = if self.term.length == Length::Month { Word::Day } else { Word::MonthOf };
        let mut columns = vec![self.say(place)];
        let mut wanted: Vec<(&Ask, When)> = asks.iter().map(|ask| (ask, When::Now)).collect();
        columns.extend(asks.iter().map(|ask| self.kpi(ask)));
        if let Some(first) = asks.first() {
            for (when, name) in self.earlier() {
                wanted.push((first, when));
                columns.push(word::of_which(&self.kpi(first), &name, self.language));
            }
        }
        let answers: Vec<Option<&Answer>> =
            wanted.iter().map(|(ask, when)| self.content.answer(ask, *when)).collect();
        let of = |answer: Option<&Answer>, place: usize| {
            let row = answer.and_then(|answer| answer.rows.get(place))?;
            Some(row.figure.denominator)
        };
        let now = answers.first().copied().flatten();
        let labels: Vec<String> =
            now.iter().flat_map(|answer| answer.rows.iter().map(|row| row.period.clone())).collect();
        let row = |(place, label): (usize, &String)| {
            let mut row = vec![Cell::Text(label.clone())];
            row.extend(answers.iter().map(|answer| of(*answer, place).map_or(Cell::None, Cell::Count)));
            row
        };
        let rows = labels.iter().enumerate().map(row).collect();
        let series = columns.iter().skip(1).zip(&answers).map(|(name, answer)| {
            let values = (0..labels.len()).map(|place| of(*answer, place).map(size)).collect();
            (name.clone(), values)
        });
        let chart = Chart::Lines { labels: labels.clone(), series: series.collect() };
        let charted: Vec<usize> = (1..columns.len()).collect();
        let table = Table { columns, rows, summed: charted.clone(), notes: Vec::new() };
        (table, Some(chart), charted)
    }

    /// A value of a dimension, as people call it.
    pub(super) fn value(&self, dimension: Dimension, value: &str) -> String {
        let known = match dimension {
            Dimension::Channel => word::channel(value).map(|word| self.say(word)),
            _ => (!value.is_empty()).then(|| value.to_owned()),
        };
        known.unwrap_or_else(|| self.say(Word::NoValue))
    }

    fn groups(&self, asks: &[Ask], dimension: Dimension) -> (Table, Option<Chart>, Vec<usize>) {
        let Some((first, others)) = asks.split_first() else { return (Table::default(), None, Vec::new()) };
        let mut columns = vec![self.say(Word::Group), self.kpi(first)];
        columns.extend(others.iter().map(|ask| self.kpi(ask)));
        let answer = self.content.answer(first, When::Now);
        let told = answer.map_or(&[][..], |answer| answer.rows.as_slice());
        let found = |ask: &Ask, value: &str| {
            let rows = &self.content.answer(ask, When::Now)?.rows;
            rows.iter().find(|row| row.value == value).map(|row| &row.figure)
        };
        let (mut rows, mut bars, mut small, mut more) = (Vec::new(), Vec::new(), 0_usize, 0_usize);
        for group in told {
            let name = self.value(dimension, &group.value);
            let mut row = vec![Cell::Text(name.clone()), cell(Some(&group.figure), Unit::Count, first.time)];
            row.extend(others.iter().map(|ask| cell(found(ask, &group.value), unit(ask), ask.time)));
            if row.iter().skip(1).all(|cell| matches!(cell, Cell::Suppressed | Cell::None)) {
                // A row without a figure says no more than how many of them there are.
                small += 1;
                continue;
            }
            if rows.len() == LISTED {
                more += 1;
                continue;
            }
            rows.push(row);
            if !group.figure.suppressed && bars.len() < CHARTED {
                let bar = Bar { size: size(group.figure.denominator), from: 0.0, interval: None, series: 0 };
                let value = grouped(group.figure.denominator);
                bars.push(BarRow { label: name, value, bars: vec![bar] });
            }
        }
        let mut notes = Vec::new();
        if answer.is_some_and(|answer| answer.too_many) {
            notes.push(self.say(Word::TooMany));
        }
        let counts = [
            (Word::SmallGroups, small),
            (Word::MoreGroups, more + answer.map_or(0, |answer| answer.left_out)),
        ];
        let counted = counts.into_iter().filter(|(_, count)| *count > 0);
        notes.extend(counted.map(|(word, count)| format!("{} {count}", self.say(word))));
        // Where some are not listed, a sum of the others would be taken for all of them.
        let summed = if small > 0 { Vec::new() } else { vec![1] };
        let chart = Chart::Bars { series: Vec::new(), rows: bars, whole: None, stacked: false };
        (Table { columns, rows, summed, notes }, Some(chart), vec![1])
    }

    fn durations(&self, asks: &[Ask]) -> (Table, Option<Chart>, Vec<usize>) {
        let mut columns = self.columns(&[Word::Figure, Word::CountedFrom, Word::Mean, Word::Median]);
        columns.extend(["P75", "P90", "P95"].map(str::to_owned));
        columns.extend(
            self.earlier()
                .into_iter()
                .map(|(_, name)| word::of_which(Word::Median.of(self.language), &name, self.language)),
        );
        let (mut rows, mut bars) = (Vec::new(), Vec::new());
        for ask in asks {
            let figure = self.content.figure(ask, When::Now);
            let mean = figure.and_then(|figure| figure.value);
            let mut row = vec![
                Cell::Text(self.kpi(ask)),
                count(figure, |figure| figure.denominator),
                mean.map_or(Cell::None, |mean| Cell::Duration(mean, ask.time)),
            ];
            let of = |wanted: f64| figure.map_or(Cell::None, |figure| percentile(figure, wanted, ask.time));
            row.extend(PERCENTILES.map(of));
            let earlier =
                |(when, _): &(When, String)| cell(self.content.figure(ask, *when), Unit::Seconds, ask.time);
            row.extend(self.earlier().iter().map(earlier));
            if let (Some(Cell::Duration(median, _)), Some(Cell::Duration(high, _))) = (row.get(3), row.get(5))
            {
                let bar = |size: f64, series| Bar { size, from: 0.0, interval: None, series };
                let value = format!(
                    "{} / {}",
                    self.shown(&Cell::Duration(*median, ask.time)),
                    self.shown(&Cell::Duration(*high, ask.time))
                );
                bars.push(BarRow { label: self.kpi(ask), value, bars: vec![bar(*median, 0), bar(*high, 1)] });
            }
            rows.push(row);
        }
        let series = vec![self.say(Word::Median), "P90".to_owned()];
        let chart = Chart::Bars { series, rows: bars, whole: None, stacked: false };
        (Table { columns, rows, ..Table::default() }, Some(chart), vec![3, 5])
    }

    fn shares(&self, asks: &[Ask]) -> (Table, Option<Chart>, Vec<usize>) {
        let mut columns =
            self.columns(&[Word::Figure, Word::ThisTime, Word::Interval, Word::So, Word::Missed]);
        columns.extend(self.earlier().into_iter().map(|(_, name)| name));
        let (mut rows, mut bars) = (Vec::new(), Vec::new());
        for ask in asks {
            let figure = self.content.figure(ask, When::Now);
            let mut row = vec![
                Cell::Text(self.kpi(ask)),
                cell(figure, Unit::Share, ask.time),
                range(figure),
                count(figure, |figure| figure.numerator),
                count(figure, |figure| figure.denominator - figure.numerator),
            ];
            let earlier =
                |(when, _): &(When, String)| cell(self.content.figure(ask, *when), Unit::Share, ask.time);
            row.extend(self.earlier().iter().map(earlier));
            rows.push(row);
            if let Some((figure, share)) = figure.and_then(|figure| Some((figure, figure.value?))) {
                let bar = Bar { size: share, from: 0.0, interval: figure.interval, series: 0 };
                let value = self.shown(&Cell::Share(share));
                bars.push(BarRow { label: self.kpi(ask), value, bars: vec![bar] });
            }
        }
        let chart = Chart::Bars { series: Vec::new(), rows: bars, whole: Some(1.0), stacked: false };
        (Table { columns, rows, ..Table::default() }, Some(chart), vec![1])
    }

    fn ages(&self) -> (Table, Option<Chart>, Vec<usize>) {
        let columns = self.columns(&[Word::Age, Word::Open, Word::Overdue]);
        let told = self.content.answer(&BACKLOG, When::Now).map_or(&[][..], |answer| answer.rows.as_slice());
        let (mut rows, mut bars) = (Vec::new(), Vec::new());
        for age in told {
            let (open, overdue) = (age.figure.denominator, age.figure.numerator);
            let label = age.period.replace('-', "–");
            rows.push(vec![Cell::Text(label.clone()), Cell::Count(open), Cell::Count(overdue)]);
            let late = Bar { size: size(overdue), from: 0.0, interval: None, series: 1 };
            let rest = Bar { size: size(open - overdue), from: size(overdue), interval: None, series: 0 };
            bars.push(BarRow { label, value: grouped(open), bars: vec![late, rest] });
        }
        let series = self.columns(&[Word::OpenInTime, Word::Overdue]);
        let chart = Chart::Bars { series, rows: bars, whole: None, stacked: true };
        (Table { columns, rows, summed: vec![1, 2], notes: Vec::new() }, Some(chart), vec![1, 2])
    }

    fn sums(&self, asks: &[Ask]) -> (Table, Option<Chart>, Vec<usize>) {
        let mut columns = self.columns(&[Word::Currency, Word::Sum]);
        columns.extend(self.earlier().into_iter().map(|(_, name)| name));
        let mut whens = vec![(When::Now, self.say(Word::ThisTime))];
        whens.extend(self.earlier());
        let figures: Vec<Option<&Figure>> = whens
            .iter()
            .map(|(when, _)| asks.first().and_then(|ask| self.content.figure(ask, *when)))
            .collect();
        let mut currencies: Vec<&String> =
            figures.iter().flatten().flat_map(|figure| figure.amounts.iter().map(|(code, _)| code)).collect();
        currencies.sort();
        currencies.dedup();
        let amount = |figure: Option<&Figure>, currency: &str| {
            let amounts = &figure?.amounts;
            amounts.iter().find(|(code, _)| code == currency).map(|(_, minor)| *minor)
        };
        let row = |currency: &String| {
            let mut row = vec![Cell::Text(currency.clone())];
            row.extend(
                figures
                    .iter()
                    .map(|figure| Cell::Money(currency.clone(), amount(*figure, currency).unwrap_or(0))),
            );
            row
        };
        let rows: Vec<Vec<Cell>> = currencies.iter().map(|currency| row(currency)).collect();
        let mut bars = Vec::new();
        // Sums of several currencies have no common measure.
        if let [currency] = currencies.as_slice() {
            for ((_, label), figure) in whens.iter().zip(&figures) {
                let minor = amount(*figure, currency).unwrap_or(0);
                let value = self.shown(&Cell::Money((*currency).clone(), minor));
                let bar = Bar { size: size(minor.max(0)), from: 0.0, interval: None, series: 0 };
                bars.push(BarRow { label: label.clone(), value, bars: vec![bar] });
            }
        }
        let chart = Chart::Bars { series: Vec::new(), rows: bars, whole: None, stacked: false };
        (Table { columns, rows, ..Table::default() }, Some(chart), vec![1])
    }

    fn shown(&self, cell: &Cell) -> String {
        shown(cell, self.language)
    }
}
