//! A department's own statement, held against the ledger. Pure: which row goes to which
//! entry is found by the store, many rows at a time.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use kernel::Money;
use uuid::Uuid;

use crate::ledger::{Entry, Movement};

/// Most rows of a statement.
pub const MAX_ROWS: i64 = 1_000_000;
/// Most rows of one message of it.
pub const MAX_ROWS_AT_ONCE: usize = 1_000;
/// How long a statement may be under way before it counts as broken off: longer than any
/// call lasts.
pub const UNFINISHED: Duration = Duration::from_hours(1);
/// How long the rows of a statement are kept after it was begun: until the year it belongs to
/// is audited. Its counts stay, and so does which entries it had.
pub const ROWS_KEPT: Duration = Duration::from_hours(400 * 24);

kernel::numbered! {
    /// What becomes of a row, or of an entry that no row is for.
    Verdict {
        /// It waits for the rows that fit whole.
        Pending = 0,
        /// An entry fits, and is no other row's.
        Matched = 1,
        /// No row is for this entry.
        Missing = 2,
        /// Every entry that would fit is another row's.
        Doubled = 3,
        /// An entry fits but for the sum.
        DifferentAmount = 4,
        /// No entry fits.
        Unknown = 5,
        /// It cannot be read.
        Unreadable = 6,
    }
}

/// The days a statement is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first.
    pub start: Date,
    /// The last.
    pub end: Date,
}

/// Whose statement it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The caller's key.
    pub request_id: String,
    /// The department.
    pub department_id: String,
    /// Of which days.
    pub period: Period,
}

/// A row of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its number.
    pub number: i64,
    /// The department's own number for what it did.
    pub reference: String,
    /// The sum; none where it cannot be read.
    pub amount: Option<Money>,
    /// What an entry of it would be: executed or reversed; none where it cannot be read.
    pub movement: Option<Movement>,
    /// The day the statement says, as it says it.
    pub day: String,
    /// Why it cannot be read; empty otherwise.
    pub fault: String,
}

/// What came of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciliation {
    /// Identity.
    pub reconciliation_id: Uuid,
    /// Whose statement it is.
    pub header: Header,
    /// Who brought it.
    pub author: String,
    /// When it was begun.
    pub created_at: Timestamp,
    /// How many rows it has.
    pub row_count: i64,
    /// How many verdicts of each kind there are, in the order of [`Verdict::ALL`].
    pub counts: [i64; Verdict::ALL.len()],
}

/// A row, what became of it, and what tells why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReconciledRow {
    /// What became of it.
    pub verdict: Verdict,
    /// The row; of what is missing, only its number means something.
    pub row: Row,
    /// The entry it is for.
    pub entry: Option<Entry>,
    /// Of what is doubled, the row of this statement that has the entry.
    pub twin: Option<i64>,
    /// Of what is unknown, whether there is an entry of its reference in this department's
    /// books (the other way round) or in another's; none where there is none.
    pub elsewhere: Option<bool>,
}

impl Period {
    /// The ids that entries booked in it have: from the first, up to before the last.
    /// They begin with their moment.
    pub fn ids(&self) -> (Uuid, Uuid) {
        let first_of = |day: Date| {
            let midnight = day.to_zoned(TimeZone::UTC).map(|midnight| midnight.timestamp().as_millisecond());
            let millis = midnight.ok().and_then(|millis| u128::try_from(millis).ok()).unwrap_or_default();
            Uuid::from_u128(millis << 80)
        };
        let next = self.end.tomorrow().map_or(Uuid::max(), first_of);
        (first_of(self.start), next)
    }
}

impl Reconciliation {
    /// How many verdicts of a kind there are.
    pub fn count(&self, verdict: Verdict) -> i64 {
        self.counts[usize::from(verdict.number().unsigned_abs())]
    }
}

impl ReconciledRow {
    /// Why the verdict is what it is.
    pub fn reason(&self) -> String {
        let booked = self.entry.as_ref().map_or_else(String::new, |entry| entry.amount.to_string());
        match self.verdict {
            Verdict::Pending => String::new(),
            Verdict::Matched => "the ledger has it".to_owned(),
            Verdict::Missing => {
                let movement = self.entry.as_ref().map_or_else(String::new, |e| e.movement.to_string());
                format!("{booked} was {movement}, and the statement has no row for it")
            }
            Verdict::Doubled => match self.twin {
                Some(number) => format!("row {number} has its entry already"),
                None => "a statement of other days has its entry already".to_owned(),
            },
            Verdict::DifferentAmount => format!("the ledger has {booked}"),
            Verdict::Unknown => match self.elsewhere {
                Some(true) => "the ledger has it the other way round".to_owned(),
                Some(false) => "the ledger has it in another department's books".to_owned(),
                None => "nobody reported this reference".to_owned(),
            },
            Verdict::Unreadable => self.row.fault.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use kernel::{Ids as _, RandomIds};

    use super::*;

    #[test]
    fn the_ids_of_a_period_are_those_booked_from_its_first_moment_to_its_last() {
        let period = Period { start: date(2026, 11, 1), end: date(2026, 11, 30) };
        let (from, until) = period.ids();
        let booked = |text: &str| {
            let id = RandomIds.id(text.parse::<Timestamp>().expect("a moment"));
            from <= id && id < until
        };
        assert!(booked("2026-11-01T00:00:00Z"));
        assert!(booked("2026-11-30T23:59:59.999999Z"));
        assert!(!booked("2026-10-31T23:59:59.999999Z"));
        assert!(!booked("2026-12-01T00:00:00Z"));
        let ancient = Period { start: date(1, 1, 1), end: date(9999, 12, 31) };
        assert_eq!(ancient.ids().0, Uuid::nil());
    }
}
