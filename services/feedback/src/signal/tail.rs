//! The upper tail of counts that vary more than by chance alone.

/// Beyond this standard deviation the tail is that of the gamma distribution, approximated: a
/// sum over so many counts would take too long.
const SUMMED: f64 = 2_000.0;
/// Terms of a tail that no sum can tell from none.
const NEGLIGIBLE: f64 = 1e-18;

/// The most that a count of this mean and variance, greater than the mean, comes to but with
/// this chance: the least b for which P(Y > b) ≤ chance.
///
/// Y is negative binomial, the Poisson distribution whose rate itself varies as gamma, by
/// its moments: with r = μ²/(σ² − μ) and q = μ/σ², P(Y = k) = Γ(k + r)/(Γ(r) k!) qʳ (1 − q)ᵏ.
/// Noufaily, Enki, Farrington et al., "An improved algorithm for outbreak detection in
/// multiple surveillance systems", Statistics in Medicine 32 (2013) 1206–1222, take the bound
/// from it.
pub(super) fn bound(mean: f64, variance: f64, chance: f64) -> f64 {
    let deviation = variance.sqrt();
    if deviation > SUMMED { transformed(mean, deviation, chance) } else { summed(mean, variance, chance) }
}

fn summed(mean: f64, variance: f64, chance: f64) -> f64 {
    let (r, q) = (mean * mean / (variance - mean), mean / variance);
    let first = mean.floor();
    let logarithm =
        ln_gamma(first + r) - ln_gamma(r) - ln_gamma(first + 1.0) + r * q.ln() + first * (-q).ln_1p();
    let next = |k: f64, term: f64| term * (k + r) / (k + 1.0) * (1.0 - q);
    let (mut k, mut term, mut tail) = (first, logarithm.exp(), 0.0_f64);
    while term > tail * NEGLIGIBLE {
        tail += term;
        term = next(k, term);
        k += 1.0;
    }
    // P(Y > k), from the mean on, until it is no more than the chance.
    (k, term) = (first, logarithm.exp());
    loop {
        tail -= term;
        if tail <= chance {
            return k;
        }
        term = next(k, term);
        k += 1.0;
    }
}

/// Counts so many are spread as gamma, whose cube root is nearly normal: Wilson and Hilferty,
/// "The distribution of chi-square", Proceedings of the National Academy of Sciences 17 (1931)
/// 684–688.
fn transformed(mean: f64, deviation: f64, chance: f64) -> f64 {
    let ninth = (deviation / mean).powi(2) / 9.0;
    (mean * (1.0 - ninth + upper_point(chance) * ninth.sqrt()).powi(3)).floor()
}

/// The point that a standard normal value is above with this chance, of at most a half:
/// Abramowitz and Stegun, Handbook of Mathematical Functions, 26.2.23; within 4.5e-4.
fn upper_point(chance: f64) -> f64 {
    let t = (-2.0 * chance.ln()).sqrt();
    t - (2.515_517 + t * (0.802_853 + t * 0.010_328))
        / (1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308)))
}

/// ln Γ of a positive number, by Stirling's series from 10 on, where it is right to 1e-12.
pub(crate) fn ln_gamma(x: f64) -> f64 {
    let (mut shifted, mut product) = (x, 1.0_f64);
    while shifted < 10.0 {
        product *= shifted;
        shifted += 1.0;
    }
    let inverse = 1.0 / shifted;
    let square = inverse * inverse;
    let series =
        inverse * (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1_260.0 - square / 1_680.0)));
    (shifted - 0.5) * shifted.ln() - shifted + 0.5 * std::f64::consts::TAU.ln() + series - product.ln()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_gamma_function_is_that_of_the_tables() {
        for (x, expected) in [
            (0.5, 0.572_364_942_924_700_1),
            (1.0, 0.0),
            (4.0, 1.791_759_469_228_055),
            (100.0, 359.134_205_369_575_4),
        ] {
            assert!((ln_gamma(x) - expected).abs() < 1e-10, "{x}: {}", ln_gamma(x));
        }
    }

    #[test]
    fn the_bound_of_a_geometric_count_is_the_one_its_formula_says() {
        // r = 1 and q = 1/4: P(Y > b) = (3/4)^(b + 1), at most 1 % from b = 16 on.
        assert!((summed(3.0, 12.0, 0.01) - 16.0).abs() < 1e-9, "{}", summed(3.0, 12.0, 0.01));
    }

    #[test]
    fn both_ways_to_the_bound_agree_where_they_meet() {
        for (mean, variance) in [(5_000.0, 3_900_000.0), (20_000.0, 3_990_000.0)] {
            for chance in [1e-3, 1e-4, 3e-5] {
                let exact = summed(mean, variance, chance);
                let near = transformed(mean, f64::sqrt(variance), chance);
                assert!((near / exact - 1.0).abs() < 0.02, "{mean} {variance} {chance}: {exact} {near}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_smaller_chance_never_lowers_the_bound(
            mean in 0.01_f64..1e6,
            over in 0.05_f64..20.0,
            one in 1e-5_f64..0.1,
            other in 1e-5_f64..0.1,
        ) {
            let variance = mean * (1.0 + over);
            let (rare, common) = (one.min(other), one.max(other));
            let (high, low) = (bound(mean, variance, rare), bound(mean, variance, common));
            prop_assert!(high.is_finite() && high >= low && low >= mean.floor());
        }
    }
}
