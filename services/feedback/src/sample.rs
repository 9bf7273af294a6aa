//! Who is called back by chance: a sample that anybody with the seed can draw again.
//!
//! Each complainant has a ticket, which seed and case decide; drawn is whose ticket is
//! below their chance (Chromy's sequential sampling, 1979). Seen from before, everybody's
//! chance is the same share, wherever they stand in line; at no time is the number drawn
//! of a stratum a whole one away from its share; and who has not got the seed cannot tell
//! who is next.

use kernel::CaseId;
use serde::{Deserialize, Serialize};

/// How a complainant came into the sample, or did not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Draw {
    /// Year and month, as `2026-11`.
    pub month: String,
    /// What it is drawn from.
    pub stratum: String,
    /// What those of the stratum before came to: the percents of each, added up.
    pub owed_before: i64,
    /// How many of those were drawn.
    pub drawn_before: i64,
    /// From 0 to 1, exclusive.
    pub ticket: f64,
    /// Of a hundred, how many are drawn.
    pub percent: i16,
}

impl Draw {
    /// Whether they are drawn.
    pub fn is_drawn(&self) -> bool {
        self.ticket < self.chance()
    }

    /// How likely they are drawn, given who was drawn before. The draw is behind its share
    /// or ahead of it by a part of one; who takes the share over a whole number is drawn
    /// for certain where the draw is behind.
    pub fn chance(&self) -> f64 {
        let (before, after) = (self.owed_before, self.owed_before + i64::from(self.percent));
        let (whole, part) = (before.div_euclid(100), before.rem_euclid(100));
        let (next_whole, next_part) = (after.div_euclid(100), after.rem_euclid(100));
        let is_behind = self.drawn_before <= whole;
        let (of, all) = match (is_behind, next_whole > whole) {
            (true, true) => (1, 1),
            (true, false) => (next_part - part, 100 - part),
            (false, true) => (next_part, part.max(1)),
            (false, false) => (0, 1),
        };
        #[expect(clippy::cast_precision_loss, reason = "they are hundreds")]
        let (of, all) = (of as f64, all as f64);
        of / all
    }
}

/// The ticket of a case.
pub fn ticket(seed: &str, case: CaseId) -> f64 {
    statistics::ticket(seed, &case.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    /// Draws from strata, one complainant after the other; answers who was drawn.
    fn sample(seed: &str, percent: i16, told: &[(u8, u128)]) -> Vec<bool> {
        let mut counts = std::collections::HashMap::<u8, (i64, i64)>::new();
        let draw = |(stratum, case): &(u8, u128)| {
            let (owed, drawn) = counts.entry(*stratum).or_default();
            let draw = Draw {
                month: "2026-11".to_owned(),
                stratum: stratum.to_string(),
                owed_before: *owed,
                drawn_before: *drawn,
                ticket: ticket(seed, CaseId(Uuid::from_u128(*case))),
                percent,
            };
            *owed += i64::from(percent);
            *drawn += i64::from(draw.is_drawn());
            draw.is_drawn()
        };
        told.iter().map(draw).collect()
    }

    proptest! {
        #[test]
        fn of_every_stratum_the_share_is_drawn_at_any_time(
            seed in "[a-z]{0,8}",
            percent in 0..=100_i16,
            told in prop::collection::vec((0..4_u8, any::<u128>()), 1..400),
        ) {
            let drawn = sample(&seed, percent, &told);
            let mut counts = [(0_i64, 0_i64); 4];
            for ((stratum, _), drawn) in told.iter().zip(&drawn) {
                let (owed, count) = &mut counts[usize::from(*stratum)];
                (*owed, *count) = (*owed + i64::from(percent), *count + i64::from(*drawn));
                prop_assert!((*count * 100 - *owed).abs() < 100, "{count} drawn, {owed} owed");
            }
            prop_assert_eq!(&drawn, &sample(&seed, percent, &told), "reproducible from the seed");
        }

        #[test]
        fn a_ticket_is_a_fraction_that_seed_and_case_decide(seed in ".{0,20}", case in any::<u128>()) {
            let case = CaseId(Uuid::from_u128(case));
            prop_assert!((0.0..1.0).contains(&ticket(&seed, case)));
            prop_assert_eq!(ticket(&seed, case).to_bits(), ticket(&seed, case).to_bits());
        }
    }

    #[test]
    fn another_seed_draws_others_and_as_many() {
        let told: Vec<(u8, u128)> = (0..10_000_u128).map(|case| (0, case)).collect();
        let (one, other) = (sample("one", 10, &told), sample("other", 10, &told));
        assert_ne!(one, other);
        for drawn in [one, other] {
            let count = drawn.iter().filter(|drawn| **drawn).count();
            assert!((999..=1_001).contains(&count), "{count}");
        }
    }

    #[test]
    fn wherever_one_stands_in_line_the_chance_is_the_same() {
        let told: Vec<(u8, u128)> = (0..30_u128).map(|case| (0, case)).collect();
        for percent in [10, 30, 65] {
            let mut at = [0_i32; 30];
            for seed in 0..4_000 {
                for (place, drawn) in sample(&seed.to_string(), percent, &told).into_iter().enumerate() {
                    at[place] += i32::from(drawn);
                }
            }
            // Five standard deviations of 4 000 draws are less than 4 %.
            let expected = i32::from(percent) * 40;
            assert!(at.iter().all(|count| (count - expected).abs() < 160), "{percent}: {at:?}");
        }
    }

    #[test]
    fn a_share_that_changes_goes_on_from_what_is_owed() {
        let draw = |owed_before, drawn_before, percent| Draw {
            month: String::new(),
            stratum: String::new(),
            owed_before,
            drawn_before,
            ticket: 0.5,
            percent,
        };
        for (draw, chance) in [
            (draw(0, 0, 0), 0.0),
            (draw(0, 0, 100), 1.0),
            (draw(90, 0, 10), 1.0),
            (draw(90, 1, 10), 0.0),
            (draw(90, 1, 100), 1.0),
            (draw(90, 1, 20), 10.0 / 90.0),
            (draw(50, 0, 25), 0.5),
        ] {
            assert!((draw.chance() - chance).abs() < 1e-12, "{draw:?}: {}", draw.chance());
        }
    }

    #[test]
    fn a_ticket_is_what_it_was() {
        assert_eq!(ticket("seed", CaseId(Uuid::nil())).to_string(), "0.11910307198732362");
    }
}
