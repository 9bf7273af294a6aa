//! KPIs: what facts come to. What each means is `definition`, what is counted for it
//! `measure`, how a window is cut `window`; `figure` makes figures of counts, with the
//! arithmetic of `statistics`, and suppresses those of small groups.

pub mod definition;
pub mod figure;
pub mod measure;
pub mod statistics;
pub mod window;

use jiff::Timestamp;

pub use definition::{DEFINITIONS, Definition, Unit};
pub use figure::{Figure, Row};
pub use measure::{Counts, Measure, Span};
pub use window::{Bucket, Comparison, Period, Window};

/// Most questions of a batch.
pub const MAX_QUERIES: usize = 30;
/// Most values of a filter.
pub const MAX_VALUES: usize = 50;
/// Most characters of a value.
pub const MAX_VALUE: usize = 200;
/// Most percentiles of a question.
pub const MAX_PERCENTILES: usize = 10;
/// Most rows of an answer.
pub const MAX_ROWS: usize = 5_000;
/// Largest group that may be suppressed as small.
pub const MAX_MIN_GROUP: i32 = 100;
/// From how many on groups are told, until a tenant says otherwise.
pub const MIN_GROUP: i32 = 5;
/// Most regions with their customers.
pub const MAX_REGIONS: usize = 1_000;
/// Most customers of a region.
pub const MAX_CUSTOMERS: i64 = 1_000_000_000_000;

kernel::numbered! {
    /// What figures are told apart by.
    Dimension {
        /// The road it came by.
        Channel = 1,
        /// What it is about.
        Category = 2,
        /// Where the complainant is.
        Region = 3,
        /// The department it lies with.
        Department = 4,
        /// Product or service.
        Product = 5,
        /// How urgent it is.
        Priority = 6,
        /// Who submitted it.
        Recorder = 7,
    }
}

kernel::numbered! {
    /// Which time a duration counts.
    Time {
        /// As a stop watch does.
        Wall = 1,
        /// In working hours.
        Working = 2,
        /// Wall time, but for that which stood still.
        Net = 3,
    }
}

/// A choice of cases.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Filter {
    /// By what.
    pub dimension: Dimension,
    /// Any of these.
    pub values: Vec<String>,
}

/// Which facts are counted together: questions that agree in it are counted once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scope {
    /// What they are told apart by.
    pub dimension: Option<Dimension>,
    /// Which are counted: those that meet all.
    pub filters: Vec<Filter>,
    /// What happened later is left out.
    pub as_of: Option<Timestamp>,
}

impl Scope {
    /// Whether what days come to tells it: all cases, as they are now.
    pub fn is_of_totals(&self) -> bool {
        self.filters.is_empty() && self.as_of.is_none()
    }

    /// Whether its groups may be small.
    pub fn is_parted(&self) -> bool {
        self.dimension.is_some() || !self.filters.is_empty()
    }
}

/// One question.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// What the answer is called.
    pub name: String,
    /// What is asked.
    pub kpi: &'static Definition,
    /// Of which days; none of a stock.
    pub window: Option<Window>,
    /// Which facts.
    pub scope: Scope,
    /// What it is compared with.
    pub comparison: Option<Comparison>,
    /// Which time a duration counts.
    pub time: Time,
    /// Which percentiles of a duration are told.
    pub percentiles: Vec<f64>,
}

/// Customers by region.
pub type Customers = std::collections::BTreeMap<String, i64>;

/// What a tenant's figures are counted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Counts the changes.
    pub version: i64,
    /// IANA name of the zone of days, months and working time.
    pub time_zone: String,
    /// Groups of fewer are suppressed.
    pub min_group: i32,
    /// Customers by region.
    pub customers: Customers,
    /// Why it is so.
    pub note: String,
}

impl Default for Settings {
    fn default() -> Self {
        let customers = Customers::new();
        let (time_zone, note) = (crate::working_hours::UTC.to_owned(), String::new());
        Self { version: 0, time_zone, min_group: MIN_GROUP, customers, note }
    }
}
