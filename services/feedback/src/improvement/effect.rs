//! Whether fewer complaints come after an action than before: the ratio of two rates over
//! equal times, with its interval.

use crate::kpi::statistics::beta_point;

/// Most days on either side.
pub const MOST_DAYS: usize = 56;
/// With fewer days on either side nothing is told.
pub const LEAST_DAYS: usize = 14;
/// What lies beyond either end of an interval of 95 %.
const BEYOND: f64 = 0.025;

/// Complaints before and after, on as many days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compared {
    /// Days on either side.
    pub days: usize,
    /// Complaints on those before.
    pub before: i64,
    /// Complaints on those after.
    pub after: i64,
}

/// The ratio of what came after to what came before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// The ratio; none where nothing came before.
    pub ratio: Option<f64>,
    /// Lower end of the 95 % interval.
    pub lower: f64,
    /// Upper end; none where nothing came before: there is none then.
    pub upper: Option<f64>,
}

impl Compared {
    /// How many days on either side can be compared, of those there were before and whole ones
    /// since.
    pub fn days(before: usize, since: usize) -> usize {
        before.min(since).min(MOST_DAYS)
    }

    /// Complaints a day, before and after; none where there are no days.
    pub fn rates(&self) -> (f64, f64) {
        let days = real(i64::try_from(self.days).unwrap_or(i64::MAX)).max(1.0);
        (real(self.before) / days, real(self.after) / days)
    }

    /// The ratio; none where there is too little to tell.
    ///
    /// Given how many came in all, n, those that came after are binomial with the share p =
    /// ρ/(1 + ρ), ρ being the ratio of the rates (Przyborowski and Wilenski, "Homogeneity of
    /// results in testing samples from Poisson series", Biometrika 31 (1940) 313–323). The
    /// exact interval of p, of Clopper and Pearson (Biometrika 26 (1934) 404–413), has the
    /// ends B(0.025; x, n − x + 1) and B(0.975; x + 1, n − x), B being points of the beta
    /// distribution.
    pub fn ratio(&self) -> Option<Ratio> {
        if self.days < LEAST_DAYS || self.before + self.after == 0 {
            return None;
        }
        let (before, after) = (real(self.before), real(self.after));
        let lower = if self.after == 0 { 0.0 } else { beta_point(BEYOND, after, before + 1.0) };
        let upper = if self.before == 0 { 1.0 } else { beta_point(1.0 - BEYOND, after + 1.0, before) };
        Some(Ratio {
            ratio: (self.before > 0).then(|| after / before),
            lower: lower / (1.0 - lower),
            upper: (self.before > 0).then(|| upper / (1.0 - upper)),
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn real(count: i64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ratio(before: i64, after: i64) -> Ratio {
        Compared { days: 28, before, after }.ratio().unwrap()
    }

    #[test]
    fn the_interval_is_that_of_the_tables() {
        // 5 of 10: 0.1871 to 0.8129; none of 10: up to 1 - 0.025^(1/10).
        let half = ratio(5, 5);
        assert!((half.lower - 0.187_1 / 0.812_9).abs() < 1e-3, "{half:?}");
        assert!((half.upper.unwrap() - 0.812_9 / 0.187_1).abs() < 1e-2 && half.ratio == Some(1.0));
        let none = ratio(10, 0);
        let upper = 1.0 - 0.025_f64.powf(0.1);
        assert!(none.lower == 0.0 && none.ratio == Some(0.0), "{none:?}");
        assert!((none.upper.unwrap() - upper / (1.0 - upper)).abs() < 1e-9, "{none:?}");
        let new = ratio(0, 10);
        assert!(
            new.upper.is_none() && new.ratio.is_none() && (new.lower - (1.0 - upper) / upper).abs() < 1e-9
        );
    }

    #[test]
    fn the_interval_has_the_exact_ends_that_sums_of_binomial_terms_give() {
        // Ends of the share p, solved of the sums of its terms in whole, by p / (1 - p).
        for (before, after, lower, upper) in [
            (10, 2, 0.021_307_044_212, 0.938_501_988_569),
            (28, 7, 0.092_187_167_730, 0.585_738_111_249),
            (40, 10, 0.111_484_369_141, 0.508_712_304_481),
            (30, 60, 1.269_893_140_833, 3.211_724_618_999),
            (1, 0, 0.0, 39.0),
        ] {
            let told = ratio(before, after);
            let off = (told.lower - lower).abs().max((told.upper.unwrap() - upper).abs() / upper);
            assert!(off < 1e-9, "{before} before, {after} after: {told:?}");
        }
        assert_eq!(ratio(10, 2).ratio, Some(0.2));
    }

    #[test]
    fn too_few_days_or_nothing_at_all_tell_nothing() {
        assert_eq!(Compared { days: 13, before: 50, after: 5 }.ratio(), None);
        assert_eq!(Compared { days: 28, before: 0, after: 0 }.ratio(), None);
        assert_eq!((Compared::days(100, 90), Compared::days(20, 90), Compared::days(90, 3)), (56, 20, 3));
    }

    #[test]
    fn many_complaints_tell_a_narrow_interval() {
        let many = ratio(100_000, 100_000);
        assert!(many.lower > 0.99 && many.upper.unwrap() < 1.01, "{many:?}");
    }

    proptest! {
        #[test]
        fn the_ratio_is_within_its_interval_and_turns_with_its_sides(
            before in 0..3_000_i64,
            after in 0..3_000_i64,
        ) {
            prop_assume!(before + after > 0);
            let (one, other) = (ratio(before, after), ratio(after, before));
            if let (Some(ratio), Some(upper)) = (one.ratio, one.upper) {
                prop_assert!(one.lower <= ratio && ratio <= upper);
                if after > 0 {
                    prop_assert!((1.0 / other.lower / upper - 1.0).abs() < 1e-6);
                }
            }
            prop_assert!(one.lower.is_finite() && one.lower >= 0.0);
        }
    }
}
