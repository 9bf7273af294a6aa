//! How far raters agree.

use statistics::{Z, wilson};

/// How often two raters put the same things into which classes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    size: usize,
    /// A class of the first rater after the other.
    counts: Vec<i64>,
}

/// Cohen's κ, and the interval of 95 %.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kappa {
    /// κ.
    pub value: f64,
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
}

/// Why there is a κ, or none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Chance {
    /// There is one.
    Measured(Kappa),
    /// Nothing was rated.
    Nothing,
    /// Both used one and the same class only.
    OneClass,
}

impl Matrix {
    /// Of so many classes.
    pub fn new(size: usize) -> Self {
        Self { size, counts: vec![0; size * size] }
    }

    /// Counts what two raters say of so many things; a class that is none is not counted.
    pub fn add(&mut self, (first, second): (usize, usize), count: i64) {
        let place = (first < self.size && second < self.size).then(|| first * self.size + second);
        if let Some(cell) = place.and_then(|place| self.counts.get_mut(place)) {
            *cell += count;
        }
    }

    /// The counts, a class of the first rater after the other.
    pub fn counts(&self) -> &[i64] {
        &self.counts
    }

    /// How many things were rated.
    pub fn total(&self) -> i64 {
        self.counts.iter().sum()
    }

    fn agreed(&self) -> i64 {
        self.counts.iter().step_by(self.size + 1).sum()
    }

    /// The share on which they agree, with its interval.
    pub fn observed(&self) -> Option<(f64, f64, f64)> {
        let (agreed, all) = (self.agreed(), self.total());
        wilson(agreed, all).map(|(lower, upper)| (real(agreed) / real(all), lower, upper))
    }

    /// What share of things the first rater puts into each class, and the second.
    fn habits(&self) -> (Vec<f64>, Vec<f64>) {
        let all = real(self.total());
        let (mut first, mut second) = (vec![0.0; self.size], vec![0.0; self.size]);
        for (place, count) in self.counts.iter().enumerate() {
            let share = real(*count) / all;
            if let Some(row) = first.get_mut(place / self.size) {
                *row += share;
            }
            if let Some(column) = second.get_mut(place % self.size) {
                *column += share;
            }
        }
        (first, second)
    }

    /// The share on which raters of the same habits agree by chance.
    pub fn expected(&self) -> Option<f64> {
        (self.total() > 0).then(|| {
            let (first, second) = self.habits();
            first.iter().zip(&second).map(|(one, other)| one * other).sum()
        })
    }

    /// κ (Cohen, "A coefficient of agreement for nominal scales", Educational and
    /// Psychological Measurement 20 (1960) 37–46), with the large-sample standard error of
    /// Fleiss, Cohen and Everitt (Psychological Bulletin 72 (1969) 323–327, formula 13).
    pub fn kappa(&self) -> Chance {
        let (Some((observed, ..)), Some(expected)) = (self.observed(), self.expected()) else {
            return Chance::Nothing;
        };
        // Whole counts, as sums of shares may miss 1 by a bit.
        if self.counts.iter().step_by(self.size + 1).any(|count| *count == self.total()) {
            return Chance::OneClass;
        }
        let value = (observed - expected) / (1.0 - expected);
        let (first, second) = self.habits();
        let all = real(self.total());
        let mut squares = 0.0;
        for (place, count) in self.counts.iter().enumerate() {
            let (row, column) = (place / self.size, place % self.size);
            let share = real(*count) / all;
            let of = |habits: &[f64], class: usize| habits.get(class).copied().unwrap_or_default();
            squares += if row == column {
                let both = of(&first, row) + of(&second, row);
                share * (1.0 - both * (1.0 - value)).powi(2)
            } else {
                share * (1.0 - value).powi(2) * (of(&second, row) + of(&first, column)).powi(2)
            };
        }
        let variance = (squares - (value - expected * (1.0 - value)).powi(2)).max(0.0);
        let error = (variance / all).sqrt() / (1.0 - expected);
        let (lower, upper) = ((value - Z * error).max(-1.0), (value + Z * error).min(1.0));
        Chance::Measured(Kappa { value, lower, upper })
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

    fn matrix(rows: &[&[i64]]) -> Matrix {
        let mut matrix = Matrix::new(rows.len());
        for (first, row) in rows.iter().enumerate() {
            for (second, count) in row.iter().enumerate() {
                matrix.add((first, second), *count);
            }
        }
        matrix
    }

    #[test]
    fn known_tables_have_the_kappa_of_statsmodels() {
        // statsmodels 0.14, `cohens_kappa` of these tables.
        for (rows, [value, lower, upper]) in [
            (matrix(&[&[20, 5], &[10, 15]]), [0.4, 0.151_092_3, 0.648_907_7]),
            (matrix(&[&[44, 5, 1], &[7, 20, 3], &[9, 5, 6]]), [0.491_525_4, 0.350_158_2, 0.632_892_6]),
        ] {
            let Chance::Measured(kappa) = rows.kappa() else { panic!("there is one") };
            let near = |one: f64, other: f64| (one - other).abs() < 1e-6;
            assert!(
                near(kappa.value, value) && near(kappa.lower, lower) && near(kappa.upper, upper),
                "{kappa:?}"
            );
        }
        assert_eq!(
            matrix(&[&[20, 5], &[10, 15]]).expected().map(|share| (share * 1e6).round()),
            Some(500_000.0)
        );
    }

    #[test]
    fn without_reviews_or_with_one_class_there_is_no_kappa() {
        assert_eq!(Matrix::new(3).kappa(), Chance::Nothing);
        assert_eq!(matrix(&[&[0, 0], &[0, 7]]).kappa(), Chance::OneClass);
        assert!(matches!(matrix(&[&[0, 1], &[0, 7]]).kappa(), Chance::Measured(kappa) if kappa.value == 0.0));
        assert_eq!(matrix(&[&[0, 0], &[0, 7]]).observed().map(|(share, ..)| share), Some(1.0));
    }

    proptest! {
        #[test]
        fn kappa_is_1_where_all_agree_and_the_same_seen_from_either_side(
            size in 2..5_usize,
            cells in prop::collection::vec(0..40_i64, 25),
        ) {
            let (mut one, mut other, mut same) = (Matrix::new(size), Matrix::new(size), Matrix::new(size));
            for (place, count) in cells.iter().take(size * size).enumerate() {
                let (row, column) = (place / size, place % size);
                one.add((row, column), *count);
                other.add((column, row), *count);
                same.add((row, row), *count + 1);
            }
            match (one.kappa(), other.kappa()) {
                (Chance::Measured(one), Chance::Measured(other)) => {
                    prop_assert!((one.value - other.value).abs() < 1e-9);
                    prop_assert!((one.lower - other.lower).abs() < 1e-9 && (one.upper - other.upper).abs() < 1e-9);
                    prop_assert!(-1.0 <= one.lower && one.lower <= one.value && one.value <= one.upper);
                    prop_assert!(one.upper <= 1.0);
                }
                (one, other) => prop_assert_eq!(one, other),
            }
            let Chance::Measured(whole) = same.kappa() else { panic!("several classes") };
            prop_assert!((whole.value - 1.0).abs() < 1e-9 && whole.lower > 1.0 - 1e-6);
        }
    }
}
