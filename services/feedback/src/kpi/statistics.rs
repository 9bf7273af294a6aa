//! The arithmetic of figures.

use crate::signal::tail::ln_gamma;

/// Halvings of an interval, after which it is as narrow as numbers tell apart.
const HALVINGS: u32 = 60;
/// Terms of a continued fraction; it is right to 1e-14 after a few times the root of its
/// parameters.
const TERMS: u32 = 20_000;

/// A percentile of values, interpolated between the two nearest as SQL's
/// `percentile_cont` does; none of no values. The values are reordered.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place among values that are held in memory"
)]
pub fn percentile_cont(values: &mut [i32], percentile: f64) -> Option<f64> {
    let last = values.len().checked_sub(1)?;
    let place = percentile.clamp(0.0, 1.0) * last as f64;
    let below = (place.floor() as usize).min(last);
    let (_, low, above) = values.select_nth_unstable(below);
    let low = f64::from(*low);
    let high = above.iter().min().map_or(low, |high| f64::from(*high));
    Some(low + (high - low) * (place - below as f64))
}

/// The mean of values; none of no values.
#[expect(clippy::cast_precision_loss, reason = "sums of seconds are far below 2^53")]
pub fn mean(values: &[i32]) -> Option<f64> {
    let sum: i64 = values.iter().map(|value| i64::from(*value)).sum();
    (!values.is_empty()).then(|| sum as f64 / values.len() as f64)
}

/// The 97.5 % point of Student's distribution: what a mean of so many values more than one is
/// within, in standard errors, of an interval of 95 %.
pub fn student(freedom: f64) -> f64 {
    // Its square over itself and the degrees of freedom is beta distributed.
    let share = beta_point(0.95, 0.5, freedom / 2.0);
    (freedom * share / (1.0 - share)).sqrt()
}

/// The point below which a beta distributed share is with this chance, by halving.
pub fn beta_point(chance: f64, a: f64, b: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if beta_below(middle, a, b) < chance { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// How likely a beta distributed share is below a point: the regularised incomplete beta
/// function (Abramowitz and Stegun 26.5.8), its continued fraction taken where it ends soon.
fn beta_below(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return if x <= 0.0 { 0.0 } else { 1.0 };
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p()).exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(x, a, b) / a
    } else {
        1.0 - front * fraction(1.0 - x, b, a) / b
    }
}

/// The continued fraction, by Lentz's method.
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    let apart = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let (mut upper, mut lower) = (1.0, 1.0 / apart(1.0 - (a + b) * x / (a + 1.0)));
    let mut whole = lower;
    for term in 1..TERMS {
        let m = f64::from(term);
        for step in [
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0)),
        ] {
            lower = 1.0 / apart(1.0 + step * lower);
            upper = apart(1.0 + step / upper);
            whole *= upper * lower;
        }
        if (upper * lower - 1.0).abs() < 1e-14 {
            break;
        }
    }
    whole
}

#[cfg(test)]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small numbers of a test"
)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `percentile_cont` as its definition says: sorted, then interpolated.
    fn by_definition(values: &[i32], percentile: f64) -> f64 {
        let mut sorted = values.to_vec();
        sorted.sort_unstable();
        let place = percentile * (sorted.len() - 1) as f64;
        let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
        f64::from(low) + f64::from(high - low) * (place - place.floor())
    }

    proptest! {
        #[test]
        fn percentiles_are_those_of_the_definition(
            values in prop::collection::vec(0..5_000_000_i32, 1..200),
            percentile in 0.0..=1.0_f64,
        ) {
            let expected = by_definition(&values, percentile);
            let found = percentile_cont(&mut values.clone(), percentile).unwrap();
            prop_assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
    }

    #[test]
    fn of_as_many_hits_as_misses_the_beta_function_is_a_half_however_many() {
        // statrs 0.18.0 has 0.49 of a million and -1.1 of a hundred million.
        for count in [1.0, 1e3, 1e6, 1e8] {
            assert!(
                (beta_below(0.5, count, count) - 0.5).abs() < 1e-6,
                "{count}: {}",
                beta_below(0.5, count, count)
            );
        }
    }

    #[test]
    fn points_of_students_distribution_are_those_of_the_tables() {
        for (freedom, point) in
            [(1.0, 12.706_205), (2.0, 4.302_653), (5.0, 2.570_582), (30.0, 2.042_272), (1_000.0, 1.962_339)]
        {
            assert!((student(freedom) - point).abs() < 1e-6, "{freedom}: {}", student(freedom));
        }
    }

    #[test]
    fn of_no_values_there_is_none() {
        assert_eq!(percentile_cont(&mut [], 0.5), None);
        assert_eq!(mean(&[]), None);
        assert_eq!(percentile_cont(&mut [1, 2, 3, 4], 0.5), Some(2.5));
    }
}
