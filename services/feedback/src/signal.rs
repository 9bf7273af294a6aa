//! Signals: days of a series on which more complaints came than its own past explains.
//!
//! A series is what all complaints, or those of a category, product, region, or two of
//! these, come to by day. Its past gives a [`Baseline`], from which follow how many a day is
//! expected to have, and the most that chance explains. A day above raises a signal, once:
//! the surge is then followed until it is over, and nothing else is raised meanwhile.

pub mod baseline;
pub mod hint;
pub mod same;
pub(crate) mod tail;

use jiff::civil::Date;
use uuid::Uuid;

pub use baseline::{Baseline, LEAST_HISTORY, WINDOW};
use hint::Hint;

use crate::refusal::Refusal;

/// Most series of a tenant that are looked at in one step, those with the most complaints
/// of late first.
pub const MAX_SERIES: usize = 200;
/// Days before today that are looked at: what is told late of them counts still.
pub const LATE_DAYS: usize = 7;
/// A surge that has lasted as long as what a baseline looks back on is no surge any more:
/// it is how things are.
pub const LONGEST: usize = WINDOW;
/// Bounds of the false alarms of a series in a year that a tenant may declare.
pub const FALSE_ALARMS: std::ops::RangeInclusive<f64> = 0.01..=2.0;
/// Most that a day may be asked to have before it raises a signal.
pub const MAX_COUNT: i32 = 10_000;
/// Most days for which a surge may be asked to be quiet before it is over.
pub const MAX_QUIET: i32 = 28;
/// Longest reason for a dismissal.
pub const MAX_REASON: usize = 2_000;

/// How readily signals are raised, and what departments are asked then: what a tenant has settled.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Counts the changes.
    pub version: i64,
    /// How many days a year of a series may be above by chance.
    pub false_alarms: f64,
    /// A day with fewer raises none.
    pub min_count: i32,
    /// A surge is over after so many days in a row that are not above.
    pub quiet_days: i32,
    /// Why it is so.
    pub note: String,
    /// What departments are asked by themselves.
    pub hints: Vec<Hint>,
}

impl Default for Settings {
    fn default() -> Self {
        let (note, hints) = (String::new(), Vec::new());
        Self { version: 0, false_alarms: 0.1, min_count: 5, quiet_days: 7, note, hints }
    }
}

impl Settings {
    /// How likely a day is above by chance.
    pub fn chance(&self) -> f64 {
        self.false_alarms / 365.0
    }

    /// The most complaints on a day that raise nothing.
    pub fn bound(&self, baseline: &Baseline, day: Date) -> i64 {
        baseline.bound(day, self.chance()).max(i64::from(self.min_count) - 1)
    }

    fn quiet(&self) -> usize {
        usize::try_from(self.quiet_days).unwrap_or(1).max(1)
    }
}

/// What complaints have in common; all of them where nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Series {
    /// The category they are about.
    pub category: Option<String>,
    /// The product.
    pub product: Option<String>,
    /// Where their complainants are.
    pub region: Option<String>,
}

impl Series {
    /// How it reads.
    pub fn words(&self) -> String {
        let parts = [("category", &self.category), ("product", &self.product), ("region", &self.region)];
        let named = parts.iter().filter_map(|(name, value)| Some(format!("{name} {}", value.as_ref()?)));
        let named: Vec<String> = named.collect();
        if named.is_empty() { "all complaints".to_owned() } else { named.join(", ") }
    }
}

/// How many complaints came on each of days that follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Days {
    /// The first day.
    pub first: Date,
    /// How many on each.
    pub counts: Vec<i64>,
}

impl Days {
    /// The day of a place.
    pub fn day(&self, place: usize) -> Date {
        after(self.first, place)
    }

    /// What comes before a place, as far back as a baseline looks.
    fn before(&self, place: usize) -> &[i64] {
        self.counts.get(place.saturating_sub(WINDOW)..place).unwrap_or_default()
    }
}

/// The day so many days later; the last there is where there are not so many.
pub fn after(day: Date, days: usize) -> Date {
    let days = i64::try_from(days).unwrap_or(i64::MAX);
    day.checked_add(jiff::Span::new().try_days(days).unwrap_or_default()).unwrap_or(Date::MAX)
}

kernel::numbered! {
    /// Why a surge is over.
    Ending {
        /// It was quiet for as long as is settled.
        Quiet = 1,
        /// It has lasted so long that it is how things are.
        Persisted = 2,
    }
}

/// A surge: its first day, and how it went on.
#[derive(Clone, Debug, PartialEq)]
pub struct Surge {
    /// The first day that was above.
    pub first: Date,
    /// The past it is compared with.
    pub baseline: Baseline,
    /// What each day of that past had, oldest first.
    pub past: Vec<i64>,
    /// What each day had since, the first of them first.
    pub counts: Vec<i64>,
    /// The last day that was above.
    pub last: Date,
    /// Why it is over; none while it is not.
    pub ending: Option<Ending>,
}

impl Surge {
    /// How many complaints came from the first day to the last above.
    pub fn total(&self) -> i64 {
        self.within().map(|(_, count)| count).sum()
    }

    /// How many were expected of those days.
    pub fn expected(&self) -> f64 {
        self.within().map(|(day, _)| self.baseline.expected(day)).sum()
    }

    /// How many more came than were expected.
    #[expect(clippy::cast_precision_loss, reason = "complaints of some days are far below 2^52")]
    pub fn above(&self) -> f64 {
        self.total() as f64 - self.expected()
    }

    fn within(&self) -> impl Iterator<Item = (Date, i64)> {
        let days = self.counts.iter().enumerate().map(|(place, count)| (after(self.first, place), *count));
        days.take_while(|(day, _)| *day <= self.last)
    }

    /// Takes in how many came on its days, up to today, which has not ended yet.
    #[must_use]
    pub fn followed(self, counts: &[i64], settings: &Settings) -> Self {
        let mut followed = Self { counts: Vec::new(), last: self.first, ending: None, ..self };
        let mut quiet = 0;
        for (place, count) in counts.iter().take(LONGEST).enumerate() {
            let day = after(followed.first, place);
            followed.counts.push(*count);
            let is_today = place + 1 == counts.len();
            if *count > settings.bound(&followed.baseline, day) || place == 0 {
                followed.last = day;
                quiet = 0;
            } else if !is_today {
                quiet += 1;
            }
            if quiet >= settings.quiet() {
                followed.ending = Some(Ending::Quiet);
                return followed;
            }
        }
        if counts.len() > LONGEST {
            followed.ending = Some(Ending::Persisted);
        }
        followed
    }
}

/// The first surge of a series that begins at a place or later; its last day is today, which
/// has not ended: what came so far is above only if the whole day is.
pub fn find(days: &Days, from: usize, settings: &Settings) -> Option<Surge> {
    (from..days.counts.len()).find_map(|place| {
        let count = *days.counts.get(place)?;
        if count < i64::from(settings.min_count) {
            return None;
        }
        let (first, past) = (days.day(place), days.before(place));
        let baseline = Baseline::of(past, first)?;
        if count <= settings.bound(&baseline, first) {
            return None;
        }
        let found =
            Surge { first, baseline, past: past.to_vec(), counts: Vec::new(), last: first, ending: None };
        Some(found.followed(days.counts.get(place..)?, settings))
    })
}

/// Every surge of a series from a place on, in order.
pub fn scan(days: &Days, from: usize, settings: &Settings) -> Vec<Surge> {
    let (mut surges, mut from) = (Vec::new(), from);
    while let Some(surge) = find(days, from, settings) {
        let begun = days.first.until(surge.first).map_or(0, |span| span.get_days());
        from = usize::try_from(begun).unwrap_or(usize::MAX).saturating_add(surge.counts.len());
        let is_over = surge.ending.is_some();
        surges.push(surge);
        if !is_over {
            break;
        }
    }
    surges
}

kernel::numbered! {
    /// Where a signal stands.
    State {
        /// Its surge goes on.
        Active = 1,
        /// Its surge is over.
        Ended = 2,
        /// Somebody has said that it means nothing.
        Dismissed = 3,
    }
}

/// Who has dismissed a signal, when and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dismissal {
    /// When.
    pub at: jiff::Timestamp,
    /// Subject of who did.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// A signal: the surge of a series, and what people made of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Signal {
    /// Identity.
    pub id: Uuid,
    /// Counts what is done to it.
    pub version: i64,
    /// The series.
    pub series: Series,
    /// The surge.
    pub surge: Surge,
    /// How readily signals were raised then: it is followed by the same.
    pub settings: Settings,
    /// When it was raised.
    pub raised: jiff::Timestamp,
    /// When its surge was found to be over.
    pub ended: Option<jiff::Timestamp>,
    /// Who has dismissed it.
    pub dismissal: Option<Dismissal>,
    /// The problem that it has opened or joined.
    pub problem: Uuid,
}

impl Signal {
    /// Where it stands.
    pub fn state(&self) -> State {
        match (&self.dismissal, self.ended) {
            (Some(_), _) => State::Dismissed,
            (None, Some(_)) => State::Ended,
            (None, None) => State::Active,
        }
    }

    /// Says that it means nothing. Its surge is followed still, so that no other is raised of
    /// it.
    ///
    /// # Errors
    ///
    /// Somebody has said so already.
    pub fn dismiss(&mut self, dismissal: Dismissal) -> Result<(), Refusal> {
        if self.dismissal.is_some() {
            return Err(Refusal::SignalDismissed);
        }
        self.version += 1;
        self.dismissal = Some(dismissal);
        Ok(())
    }

    /// Takes in how many came on the days of its surge. Answers whether anything has changed.
    pub fn follow(&mut self, counts: &[i64], now: jiff::Timestamp) -> bool {
        let followed = self.surge.clone().followed(counts, &self.settings);
        let has_changed = followed != self.surge;
        self.ended = followed.ending.map(|_| now);
        self.surge = followed;
        has_changed
    }
}

#[cfg(test)]
mod tests;
