//! Which surges are one: where one product breaks in one region, there are more complaints of
//! that product, of that region, of both, and of all. Pure.

use super::{Series, Surge};

/// What is above in a part is what is above in the whole where it is more than this share of
/// it: then no two parts that have nothing in common are each taken for the whole.
const SHARE: f64 = 0.5;

impl Series {
    /// Whether everything of this series is in the other too, or it is that one.
    pub fn is_within(&self, other: &Self) -> bool {
        let within = |mine: &Option<String>, other: &Option<String>| other.is_none() || mine == other;
        within(&self.category, &other.category)
            && within(&self.product, &other.product)
            && within(&self.region, &other.region)
    }

    /// By how much it is told apart from all complaints.
    pub fn dimensions(&self) -> usize {
        [&self.category, &self.product, &self.region].into_iter().flatten().count()
    }
}

/// Numbers surges, each of a series of its own: those that are one bear one number.
pub fn together(surges: &[(&Series, &Surge)]) -> Vec<usize> {
    let mut numbers: Vec<usize> = (0..surges.len()).collect();
    for (place, one) in surges.iter().enumerate() {
        for (other_place, other) in surges.iter().enumerate().take(place) {
            if is_part(one, other) || is_part(other, one) {
                let numbered = |place: usize| numbers.get(place).copied().unwrap_or(place);
                let (from, to) = (numbered(place), numbered(other_place));
                numbers.iter_mut().filter(|number| **number == from).for_each(|number| *number = to);
            }
        }
    }
    numbers
}

/// Whether a surge makes up most of another, of a series that has all of its own.
fn is_part((narrow, part): &(&Series, &Surge), (broad, whole): &(&Series, &Surge)) -> bool {
    let is_at_once = part.first <= whole.last && whole.first <= part.last;
    is_at_once && narrow.is_within(broad) && part.above() > SHARE * whole.above()
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Date, date};

    use super::*;
    use crate::signal::Baseline;

    fn series(category: &str, product: &str, region: &str) -> Series {
        let named = |name: &str| (!name.is_empty()).then(|| name.to_owned());
        Series { category: named(category), product: named(product), region: named(region) }
    }

    /// A day that has so many where one was expected.
    fn surge(day: Date, count: i64) -> Surge {
        let past = vec![1; 56];
        let baseline = Baseline::of(&past, day).unwrap();
        Surge { first: day, baseline, past, counts: vec![count], last: day, ending: None }
    }

    fn numbers(surges: &[(Series, Surge)]) -> Vec<usize> {
        together(&surges.iter().map(|(series, surge)| (series, surge)).collect::<Vec<_>>())
    }

    const DAY: Date = date(2026, 6, 23);

    #[test]
    fn cups_that_break_in_one_region_are_one_surge_in_every_series_they_are_in() {
        let all = [
            (series("", "", ""), surge(DAY, 51)),
            (series("", "", "CN-SH"), surge(DAY, 41)),
            (series("", "cup", ""), surge(DAY, 50)),
            (series("", "cup", "CN-SH"), surge(DAY, 40)),
            (series("goods", "", ""), surge(DAY, 50)),
            (series("goods", "", "CN-SH"), surge(DAY, 40)),
            (series("goods", "cup", ""), surge(DAY, 50)),
        ];
        assert_eq!(numbers(&all), [0; 7]);
    }

    #[test]
    fn two_surges_that_have_nothing_in_common_are_two_whatever_they_add_up_to() {
        let mut all = [
            (series("", "", ""), surge(DAY, 101)),
            (series("", "cup", ""), surge(DAY, 51)),
            (series("billing", "", ""), surge(DAY, 51)),
        ];
        assert_eq!(numbers(&all), [0, 1, 2]);
        all[1].1 = surge(DAY, 91);
        all[2].1 = surge(DAY, 11);
        assert_eq!(numbers(&all), [0, 0, 2], "most of all is the larger one's");
    }

    #[test]
    fn what_is_over_before_the_other_begins_is_another_surge() {
        let all = [
            (series("", "", ""), surge(DAY, 50)),
            (series("", "cup", ""), surge(DAY.tomorrow().unwrap(), 50)),
        ];
        assert_eq!(numbers(&all), [0, 1]);
    }
}
