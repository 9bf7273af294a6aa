//! What a series' own past makes of a day.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::tail;

/// Days that a baseline looks back on: eight of each day of the week.
pub const WINDOW: usize = 56;
/// With fewer days of a past nothing is told.
pub const LEAST_HISTORY: usize = 28;
/// Share of the days at either end whose counts are drawn in: an old surge that is shorter
/// moves the level no more than a busy day does.
const DRAWN_IN: f64 = 0.1;
/// Weeks that each factor of a day of the week is drawn towards 1 by.
const WEEKS: f64 = 4.0;
/// What a series is taken to have a day where it has had less, or nothing.
const LEAST_LEVEL: f64 = 0.05;
/// What the spread of residuals is raised by. That of a normal distribution, drawn in above
/// its 90 % point of 1.645, is 0.831 of the variance: 1.2 makes up for that, the rest for
/// the few days a spread is taken from and for counts that are more skewed than those of a
/// negative binomial. Held against invented counts and the shuffled days of a real file.
const RAISED: f64 = 2.2;

/// What a series' past comes to: how many a day has, how that varies by the day of the week,
/// and how it is spread.
///
/// The level is the mean of the counts, drawn in to their 10 % and 90 % points (winsorised:
/// Dixon, "Simplified estimation from censored normal samples", Annals of Mathematical
/// Statistics 31 (1960) 385–391). The factor of a day of the week is the mean of its counts
/// without the least and the most of them, over the level, drawn towards 1. The dispersion φ
/// is the mean square of the Pearson residuals (y − μ)/√μ, drawn in likewise, and at least
/// 1, as of quasi-Poisson counts; a day's variance is φμ(1 + 1/n), n standing for what its
/// mean is known from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// Complaints a day.
    pub level: f64,
    /// What each day of the week has of that, Monday first; 1 on average.
    pub weekdays: [f64; 7],
    /// How much wider counts are spread than by chance alone.
    pub dispersion: f64,
    /// Days that it is taken from.
    pub days: usize,
}

impl Baseline {
    /// What the past, whose last day is the one before `next`, comes to; none where it is too
    /// short.
    pub fn of(past: &[i64], next: Date) -> Option<Self> {
        if past.len() < LEAST_HISTORY {
            return None;
        }
        let counts: Vec<f64> = past.iter().map(|count| real(*count)).collect();
        let weekday = |place: usize| (weekday(next) + 7 * past.len() - (past.len() - place)) % 7;
        let level = drawn_in(&counts).max(LEAST_LEVEL);
        let mut weekdays = [1.0; 7];
        for (day, factor) in weekdays.iter_mut().enumerate() {
            let of_day = counts.iter().enumerate().filter(|(place, _)| weekday(*place) == day);
            let mut of_day: Vec<f64> = of_day.map(|(_, count)| *count).collect();
            of_day.sort_by(f64::total_cmp);
            *factor = (size(of_day.len()) * trimmed(&of_day) / level + WEEKS) / (size(of_day.len()) + WEEKS);
        }
        let whole: f64 = weekdays.iter().sum::<f64>() / 7.0;
        weekdays = weekdays.map(|factor| factor / whole);
        let residual = |(place, count): (usize, &f64)| {
            let mean = level * weekdays.get(weekday(place)).copied().unwrap_or(1.0);
            (count - mean).abs() / mean.sqrt()
        };
        let mut residuals: Vec<f64> = counts.iter().enumerate().map(residual).collect();
        residuals.sort_by(f64::total_cmp);
        let most = quantile(&residuals, 1.0 - DRAWN_IN);
        let squares: f64 = residuals.iter().map(|residual| residual.min(most).powi(2)).sum();
        let dispersion = (RAISED * squares / size(past.len())).max(1.0);
        Some(Self { level, weekdays, dispersion, days: past.len() })
    }

    /// How many a day is expected to have.
    pub fn expected(&self, day: Date) -> f64 {
        self.level * self.weekdays.get(weekday(day)).copied().unwrap_or(1.0)
    }

    /// The most that a day has but with a chance.
    #[expect(clippy::cast_possible_truncation, reason = "saturates, which is as much as can be counted")]
    pub fn bound(&self, day: Date, chance: f64) -> i64 {
        let expected = self.expected(day);
        let variance = self.dispersion * expected * (1.0 + 1.0 / (size(self.days) / 7.0 + WEEKS));
        tail::bound(expected, variance, chance) as i64
    }
}

fn weekday(day: Date) -> usize {
    usize::try_from(day.weekday().to_monday_zero_offset()).unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "a number of days")]
fn size(days: usize) -> f64 {
    days as f64
}

/// A count; what is beyond a million millions is taken for that.
#[expect(clippy::cast_precision_loss, reason = "below 2^53")]
fn real(count: i64) -> f64 {
    count.clamp(0, 1_000_000_000_000) as f64
}

/// The value below which a share of sorted values is, between the two nearest.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place among values")]
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * size(sorted.len().saturating_sub(1));
    let low = sorted.get(place.floor() as usize).copied().unwrap_or_default();
    let high = sorted.get(place.ceil() as usize).copied().unwrap_or(low);
    low + (high - low) * place.fract()
}

/// The mean of values that are drawn in at both ends.
fn drawn_in(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (least, most) = (quantile(&sorted, DRAWN_IN), quantile(&sorted, 1.0 - DRAWN_IN));
    sorted.iter().map(|value| value.clamp(least, most)).sum::<f64>() / size(sorted.len()).max(1.0)
}

/// The mean of sorted values without the least and the most, where enough are left.
fn trimmed(sorted: &[f64]) -> f64 {
    let kept = if sorted.len() < 4 { sorted } else { sorted.get(1..sorted.len() - 1).unwrap_or(sorted) };
    kept.iter().sum::<f64>() / size(kept.len()).max(1.0)
}
