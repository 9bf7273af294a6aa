//! What the work of a handler came to, with its uncertainty.

use statistics::wilson;

use crate::kpi::statistics::student;

/// Longest window, in days.
pub const MAX_DAYS: i32 = 366;
/// With fewer cycles the figures say little of a handler.
pub const FEW: i64 = 30;

/// How many have something, of how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// How many have it.
    pub count: i64,
    /// Of how many.
    pub total: i64,
}

impl Share {
    /// The share and its interval of 95 %; none of none.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    pub fn estimate(&self) -> Option<(f64, f64, f64)> {
        let (lower, upper) = wilson(self.count, self.total)?;
        Some((self.count as f64 / self.total as f64, lower, upper))
    }
}

/// Values, added up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sums {
    /// How many there are.
    pub count: i64,
    /// Their sum.
    pub sum: f64,
    /// The sum of their squares.
    pub squares: f64,
}

impl Sums {
    /// The mean; none of no values.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }

    /// The interval of 95 % of the mean, after Student; none of fewer than two values.
    /// Takes its time.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    pub fn interval(&self) -> Option<(f64, f64)> {
        let mean = self.mean().filter(|_| self.count > 1)?;
        let (n, freedom) = (self.count as f64, (self.count - 1) as f64);
        let variance = ((self.squares - n * mean * mean) / freedom).max(0.0);
        let half = student(freedom) * (variance / n).sqrt();
        Some((mean - half, mean + half))
    }
}

/// A handler's work of some days.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scorecard {
    /// The handler.
    pub agent: String,
    /// Cycles they handled last that were resolved.
    pub resolved: i64,
    /// The same, weighed by how long cases of their categories take.
    pub adjusted: f64,
    /// Cases that were resolved before a promise was broken.
    pub on_time: Share,
    /// Cycles after which the case was reopened.
    pub reopened: Share,
    /// What complainants say of the handling.
    pub satisfaction: Sums,
    /// Scores of reviews.
    pub quality: Sums,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(values: &[f64]) -> Sums {
        let squares = values.iter().map(|value| value * value).sum();
        Sums { count: i64::try_from(values.len()).unwrap_or(0), sum: values.iter().sum(), squares }
    }

    #[test]
    fn a_mean_has_the_interval_of_student() {
        // scipy 1.14, `t.interval(0.95, 4, loc=mean, scale=sem)` of these.
        let five = sums(&[5.0, 4.0, 4.0, 2.0, 5.0]);
        let (lower, upper) = five.interval().unwrap_or_default();
        assert_eq!(five.mean(), Some(4.0));
        assert!((lower - 2.479_278_4).abs() < 1e-6 && (upper - 5.520_721_6).abs() < 1e-6, "{lower} {upper}");
        assert_eq!(sums(&[3.0]).interval(), None, "one value says nothing of how they vary");
        assert_eq!((sums(&[]).mean(), sums(&[]).interval()), (None, None));
        assert_eq!(sums(&[3.0, 3.0]).interval(), Some((3.0, 3.0)));
    }
}
