//! How sure a share is that was counted, and lots that anybody with the seed can draw again.
//! Pure.
#![warn(clippy::missing_errors_doc)]

use sha2::{Digest as _, Sha256};

/// The 97.5 % point of the normal distribution: of an interval of 95 %.
pub const Z: f64 = 1.959_963_984_540_054;

/// The interval of 95 % of a share, after Wilson (1927): of none of ten it is not empty.
/// None of 0 of 0.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub fn wilson(hits: i64, all: i64) -> Option<(f64, f64)> {
    if all <= 0 {
        return None;
    }
    let (n, p) = (all as f64, hits as f64 / all as f64);
    let middle = (p + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let half = Z / (1.0 + Z * Z / n) * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    let lower = if hits == 0 { 0.0 } else { (middle - half).max(0.0) };
    let upper = if hits == all { 1.0 } else { (middle + half).min(1.0) };
    Some((lower, upper))
}

/// The lot of something, from 0 to 1, exclusive: the first 53 bits of a hash, as a fraction.
/// Who has not got the seed cannot tell what is drawn next.
pub fn ticket(seed: &str, of: &str) -> f64 {
    let digest = Sha256::digest(format!("{seed}/{of}"));
    let bits = digest.iter().take(7).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte)) >> 3;
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    let (bits, all) = (bits as f64, (1_u64 << 53) as f64);
    bits / all
}

#[cfg(test)]
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "small numbers of a test")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_intervals_are_those_of_the_books() {
        let near = |(lower, upper): (f64, f64), (low, high): (f64, f64)| {
            (lower - low).abs() < 5e-4 && (upper - high).abs() < 5e-4
        };
        // Newcombe (1998), table I, method 3.
        assert!(near(wilson(81, 263).unwrap(), (0.2553, 0.3662)));
        assert!(near(wilson(15, 148).unwrap(), (0.0624, 0.1605)));
        assert!(near(wilson(0, 20).unwrap(), (0.0000, 0.1611)));
        assert!(near(wilson(1, 29).unwrap(), (0.0061, 0.1718)));
        assert_eq!(wilson(0, 0), None);
    }

    #[test]
    fn of_none_of_ten_something_may_still_be() {
        let (lower, upper) = wilson(0, 10).unwrap();
        assert!(lower == 0.0 && (upper - 0.2775).abs() < 1e-4);
    }

    proptest! {
        #[test]
        fn an_interval_holds_its_share_and_narrows_with_more(all in 1..10_000_i64, of in 0.0..=1.0_f64) {
            let hits = (all as f64 * of) as i64;
            let share = hits as f64 / all as f64;
            let (lower, upper) = wilson(hits, all).unwrap();
            prop_assert!(0.0 <= lower && lower <= share && share <= upper && upper <= 1.0);
            let (closer, tighter) = wilson(hits * 4, all * 4).unwrap();
            prop_assert!(tighter - closer < upper - lower);
            let (mirror_lower, mirror_upper) = wilson(all - hits, all).unwrap();
            prop_assert!((1.0 - mirror_upper - lower).abs() < 1e-9 && (1.0 - mirror_lower - upper).abs() < 1e-9);
        }
    }
}
