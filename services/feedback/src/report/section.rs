//! What a report asks: a bounded list of sections, each of declared questions.

use jiff::civil::Date;

use super::Term;
use super::content::When;
use crate::kpi::{Definition, Dimension, Query, Scope, Time};

/// Percentiles of durations that are told.
pub const PERCENTILES: [f64; 4] = [0.5, 0.75, 0.9, 0.95];

/// A KPI, and what of it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ask {
    /// The KPI.
    pub kpi: &'static str,
    /// Which time a duration counts.
    pub time: Time,
    /// What its figures are told apart by.
    pub dimension: Option<Dimension>,
    /// Whether it is asked of each day or month.
    pub parts: bool,
    /// Whether it is asked of the times before as well.
    pub compared: bool,
}

/// How a section is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One line for each KPI, whatever it is measured in.
    Headlines,
    /// How counts went, beside the times before.
    Trend,
    /// Groups, with how many complained and how they fared.
    Groups(Dimension),
    /// How long things took.
    Durations,
    /// Shares with their intervals, beside those of the times before.
    Shares,
    /// What is open, by age.
    Ages,
    /// Sums by currency.
    Sums,
}

/// A part of a report.
#[derive(Debug, PartialEq, Eq)]
pub struct Section {
    /// Names it.
    pub name: Name,
    /// How it is shown.
    pub shape: Shape,
    /// What it asks.
    pub asks: &'static [Ask],
}

/// The names of sections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// The most important figures.
    Headlines,
    /// What came in and went out.
    Volume,
    /// By channel.
    Channels,
    /// By category.
    Categories,
    /// By region.
    Regions,
    /// By department.
    Departments,
    /// By product.
    Products,
    /// How long it took.
    Times,
    /// Whether it was in time.
    Timeliness,
    /// What is open.
    Backlog,
    /// How satisfied complainants are.
    Satisfaction,
    /// Whether outcomes hold.
    Quality,
    /// Who was right.
    Decisions,
    /// What was paid.
    Redress,
    /// What was written off.
    Losses,
    /// Who was called back.
    CallBacks,
}

const fn whole(kpi: &'static str) -> Ask {
    Ask { kpi, time: Time::Wall, dimension: None, parts: false, compared: true }
}

const fn timed(kpi: &'static str, time: Time) -> Ask {
    Ask { time, ..whole(kpi) }
}

const fn parted(kpi: &'static str) -> Ask {
    Ask { parts: true, ..whole(kpi) }
}

const fn by(kpi: &'static str, dimension: Dimension) -> Ask {
    Ask { dimension: Some(dimension), compared: false, ..whole(kpi) }
}

const fn groups(dimension: Dimension) -> [Ask; 4] {
    [
        by("received", dimension),
        by("on_time_rate", dimension),
        by("upheld_rate", dimension),
        by("satisfaction", dimension),
    ]
}

const CHANNELS: [Ask; 4] = groups(Dimension::Channel);
const CATEGORIES: [Ask; 4] = groups(Dimension::Category);
const REGIONS: [Ask; 4] = groups(Dimension::Region);
const DEPARTMENTS: [Ask; 4] = groups(Dimension::Department);
const PRODUCTS: [Ask; 4] = groups(Dimension::Product);

/// What is open is asked of the moment.
pub const BACKLOG: Ask = Ask { compared: false, ..whole("backlog") };

/// Every section, in order.
pub const SECTIONS: &[Section] = &[
    Section {
        name: Name::Headlines,
        shape: Shape::Headlines,
        asks: &[
            whole("received"),
            whole("closed"),
            whole("completion_rate"),
            whole("on_time_rate"),
            whole("response_time"),
            whole("first_time_resolution"),
            whole("satisfaction"),
            whole("upheld_rate"),
        ],
    },
    Section { name: Name::Volume, shape: Shape::Trend, asks: &[parted("received"), parted("closed")] },
    Section { name: Name::Channels, shape: Shape::Groups(Dimension::Channel), asks: &CHANNELS },
    Section { name: Name::Categories, shape: Shape::Groups(Dimension::Category), asks: &CATEGORIES },
    Section { name: Name::Regions, shape: Shape::Groups(Dimension::Region), asks: &REGIONS },
    Section { name: Name::Departments, shape: Shape::Groups(Dimension::Department), asks: &DEPARTMENTS },
    Section { name: Name::Products, shape: Shape::Groups(Dimension::Product), asks: &PRODUCTS },
    Section {
        name: Name::Times,
        shape: Shape::Durations,
        asks: &[
            timed("acknowledgement_time", Time::Wall),
            timed("acknowledgement_time", Time::Working),
            timed("response_time", Time::Wall),
            timed("response_time", Time::Working),
            timed("response_time", Time::Net),
        ],
    },
    Section {
        name: Name::Timeliness,
        shape: Shape::Shares,
        asks: &[whole("on_time_rate"), whole("kept_promise_rate"), whole("completion_rate")],
    },
    Section { name: Name::Backlog, shape: Shape::Ages, asks: &[BACKLOG] },
    Section {
        name: Name::Satisfaction,
        shape: Shape::Shares,
        asks: &[whole("satisfaction"), whole("handling_satisfaction"), whole("response_rate")],
    },
    Section {
        name: Name::Quality,
        shape: Shape::Shares,
        asks: &[
            whole("first_time_resolution"),
            whole("reopen_rate"),
            whole("repeat_rate"),
            whole("escalation_rate"),
            whole("complete_rate"),
        ],
    },
    Section { name: Name::Decisions, shape: Shape::Shares, asks: &[whole("upheld_rate")] },
    Section { name: Name::Redress, shape: Shape::Sums, asks: &[whole("redress_paid")] },
    Section { name: Name::Losses, shape: Shape::Sums, asks: &[whole("losses_written_off")] },
    Section { name: Name::CallBacks, shape: Shape::Shares, asks: &[whole("call_back_reach")] },
];

/// A question of a report: what is asked, of which time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Question {
    /// What is asked.
    pub ask: Ask,
    /// Of which time.
    pub when: When,
}

/// All questions, each once.
pub fn questions(term: &Term) -> Vec<Question> {
    // A year's time before it is the year before.
    let before = term.before() != term.year_before();
    let mut all = Vec::new();
    for ask in SECTIONS.iter().flat_map(|section| section.asks) {
        let whens = [When::Now, When::Before, When::YearBefore];
        for when in whens.into_iter().filter(|when| ask.compared || *when == When::Now) {
            let question = Question { ask: *ask, when };
            if (when != When::Before || before) && !all.contains(&question) {
                all.push(question);
            }
        }
    }
    all
}

impl Question {
    /// The question as KPIs are asked; none where there is no such KPI.
    pub fn query(&self, term: &Term, today: Date) -> Option<Query> {
        let Ask { kpi, time, dimension, parts, compared: _ } = self.ask;
        let days = term.days_until(today);
        let mut window = self.when.of(term).window(days);
        window.period = parts.then(|| term.period());
        let is_stock = self.ask == BACKLOG;
        Some(Query {
            name: kpi.to_owned(),
            kpi: Definition::of(kpi)?,
            window: (!is_stock).then_some(window),
            scope: Scope { dimension, filters: Vec::new(), as_of: None },
            comparison: None,
            time,
            percentiles: PERCENTILES.to_vec(),
        })
    }
}
