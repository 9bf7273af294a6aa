//! Surges of invented counts and of a real file, and those there are by chance.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;

use flate2::read::GzDecoder;
use jiff::civil::date;
use proptest::prelude::*;

use super::*;

/// Invented chance, the same in every run (xorshift).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Between none and one.
    fn share(&mut self) -> f64 {
        f64::from(u32::try_from(self.next() >> 32).unwrap()) / f64::from(u32::MAX)
    }

    /// A Poisson count, by multiplying shares (Knuth); of large means in parts.
    fn poisson(&mut self, mean: f64) -> i64 {
        if mean > 30.0 {
            return self.poisson(30.0) + self.poisson(mean - 30.0);
        }
        let (limit, mut product, mut count) = ((-mean).exp(), self.share(), 0);
        while product > limit {
            product *= self.share();
            count += 1;
        }
        count
    }

    /// A count `spread` times as wide as a Poisson one: of a Poisson number of groups, each of
    /// so many as give that spread (geometric groups: Pólya and Aeppli).
    fn spread(&mut self, mean: f64, spread: f64) -> i64 {
        let size = f64::midpoint(spread, 1.0);
        let groups = self.poisson(mean / size);
        let more = (1.0 - 1.0 / size).ln();
        (0..groups).map(|_| if size > 1.0 { 1 + floor(self.share().max(1e-9).ln() / more) } else { 1 }).sum()
    }

    fn shuffle(&mut self, counts: &mut [i64]) {
        for place in (1..counts.len()).rev() {
            let other = usize::try_from(self.next() % u64::try_from(place + 1).unwrap()).unwrap();
            counts.swap(place, other);
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "small counts")]
fn floor(value: f64) -> i64 {
    value.floor() as i64
}

fn days(counts: Vec<i64>) -> Days {
    Days { first: date(2015, 4, 1), counts }
}

fn declared(false_alarms: f64) -> Settings {
    Settings { false_alarms, ..Settings::default() }
}

/// Surges a year of series that have none, each day looked at on its own past.
fn false_alarms(series: impl Iterator<Item = Vec<i64>>, settings: &Settings) -> f64 {
    let (mut alarms, mut looked_at) = (0_u32, 0_u32);
    for counts in series {
        let days = days(counts);
        looked_at += u32::try_from(days.counts.len() - LEAST_HISTORY).unwrap();
        let above = |place: &usize| {
            let today = Days { first: days.first, counts: days.counts[..=*place].to_vec() };
            find(&today, *place, settings).is_some()
        };
        alarms += u32::try_from((LEAST_HISTORY..days.counts.len()).filter(above).count()).unwrap();
    }
    f64::from(alarms) / f64::from(looked_at) * 365.0
}

#[test]
fn a_flat_series_has_the_baseline_of_its_counts() {
    let baseline = Baseline::of(&[20; 56], date(2026, 3, 2)).unwrap();
    assert!((baseline.level - 20.0).abs() < 1e-9 && (baseline.dispersion - 1.0).abs() < 1e-9);
    assert!(baseline.weekdays.iter().all(|factor| (factor - 1.0).abs() < 1e-9));
    assert_eq!(Baseline::of(&[20; 27], date(2026, 3, 2)), None, "too short");
}

#[test]
fn quiet_weekends_are_expected_and_a_busy_one_is_not() {
    // From a Monday on.
    let counts: Vec<i64> = (0..56).map(|day| if day % 7 < 5 { 40 } else { 6 }).collect();
    let monday = date(2026, 3, 2);
    let baseline = Baseline::of(&counts, monday).unwrap();
    let (work, rest) = (baseline.expected(monday), baseline.expected(after(monday, 6)));
    assert!(work > 34.0 && rest < 20.0, "{work} {rest}");
    let settings = Settings::default();
    assert!(settings.bound(&baseline, after(monday, 6)) < settings.bound(&baseline, monday));
}

#[test]
fn an_old_surge_does_not_hide_a_new_one() {
    let mut chance = Chance(7);
    let calm: Vec<i64> = (0..100).map(|_| chance.poisson(20.0)).collect();
    let mut with_old = calm.clone();
    for count in &mut with_old[50..53] {
        *count += 400;
    }
    let bound = |counts: &[i64]| {
        let next = after(date(2015, 4, 1), 100);
        Settings::default().bound(&Baseline::of(&counts[44..], next).unwrap(), next)
    };
    let (before, after) = (bound(&calm), bound(&with_old));
    assert!(after <= before * 3 / 2, "{before} {after}");
}

#[test]
fn a_surge_is_one_signal_that_is_followed_until_it_was_quiet_for_a_week() {
    let mut counts = vec![10; 60];
    counts.extend([80, 95, 9, 70, 10, 10, 10, 10, 10, 10, 10, 10, 10]);
    let found = scan(&days(counts), LEAST_HISTORY, &Settings::default());
    assert_eq!(found.len(), 1, "{found:?}");
    let surge = &found[0];
    let first = after(date(2015, 4, 1), 60);
    assert_eq!((surge.first, surge.last, surge.ending), (first, after(first, 3), Some(Ending::Quiet)));
    assert_eq!((surge.total(), surge.counts.len()), (254, 11));
    assert!((surge.expected() - 40.0).abs() < 1e-6);
}

#[test]
fn what_stays_high_becomes_how_things_are() {
    let mut counts = vec![10; 60];
    counts.extend([60; 130]);
    let found = scan(&days(counts), LEAST_HISTORY, &Settings::default());
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].ending, found[0].counts.len()), (Some(Ending::Persisted), LONGEST));
}

#[test]
fn a_day_that_has_not_ended_raises_as_soon_as_it_is_above_and_ends_nothing() {
    let mut counts = vec![10; 60];
    counts.extend([80, 0, 0, 0, 0, 0, 0, 0]);
    let at = |days_seen: usize| scan(&days(counts[..days_seen].to_vec()), 28, &Settings::default());
    assert_eq!(at(60).len(), 0);
    assert_eq!(at(61)[0].ending, None);
    assert_eq!(at(68)[0].ending, None, "the seventh quiet day has only begun");
    counts.push(0);
    let done = scan(&days(counts), 28, &Settings::default());
    assert_eq!(done[0].ending, Some(Ending::Quiet));
}

#[test]
fn fewer_than_are_asked_for_raise_nothing_and_a_new_series_has_nothing_to_hide_behind() {
    let mut counts = vec![0; 60];
    counts.push(4);
    assert!(scan(&days(counts.clone()), 28, &Settings::default()).is_empty());
    counts[60] = 5;
    assert_eq!(scan(&days(counts), 28, &Settings::default()).len(), 1);
}

#[test]
fn invented_counts_without_a_surge_raise_no_more_than_is_declared() {
    let week = [1.2, 1.2, 1.1, 1.1, 1.1, 0.7, 0.6];
    for (mean, spread) in [(0.3, 1.0), (3.0, 1.0), (3.0, 3.0), (18.0, 1.0), (18.0, 4.0), (60.0, 8.0)] {
        for rate in [0.1, 1.0] {
            let mut chance = Chance(11);
            let year = |_| -> Vec<i64> {
                (0..365).map(|day: usize| chance.spread(mean * week[day % 7], spread)).collect()
            };
            let told = false_alarms((0..40).map(year), &declared(rate));
            // 37 years: one alarm more or less is 0.03 a year.
            assert!(told <= rate + 0.05, "{mean} {spread}: {told} a year, declared {rate}");
        }
    }
}

#[test]
fn shuffled_days_of_invented_counts_raise_no_more_than_is_declared() {
    let mut chance = Chance(23);
    let counts: Vec<i64> = (0..120).map(|_| chance.spread(17.0, 4.0)).collect();
    let shuffled = (0..200).map(|_| {
        let mut counts = counts.clone();
        chance.shuffle(&mut counts);
        counts
    });
    let told = false_alarms(shuffled, &Settings::default());
    assert!(told <= Settings::default().false_alarms, "{told} a year");
}

fn counted(events: &[usize]) -> Days {
    let mut counts = vec![0; 90];
    for day in events {
        counts[*day] += 1;
    }
    days(counts)
}

proptest! {
    #[test]
    fn the_order_of_events_decides_nothing(
        mut events in prop::collection::vec(0..90_usize, 0..2_000),
        seed in 1..u64::MAX,
    ) {
        let settings = declared(2.0);
        let before = scan(&counted(&events), LEAST_HISTORY, &settings);
        let mut chance = Chance(seed);
        for place in (1..events.len()).rev() {
            let other = usize::try_from(chance.next() % u64::try_from(place + 1).unwrap()).unwrap();
            events.swap(place, other);
        }
        prop_assert_eq!(scan(&counted(&events), LEAST_HISTORY, &settings), before);
    }

    #[test]
    fn any_counts_with_gaps_are_read_and_surges_follow_each_other(
        counts in prop::collection::vec(prop_oneof![Just(0_i64), 0..50_i64, any::<i64>()], 0..200),
        from in 0..250_usize,
    ) {
        let days = days(counts);
        let surges = scan(&days, from, &declared(2.0));
        for (one, next) in surges.iter().zip(surges.iter().skip(1)) {
            prop_assert!(one.last < next.first && one.ending.is_some());
        }
        for surge in &surges {
            prop_assert!(surge.first <= surge.last && surge.baseline.level.is_finite());
        }
    }

    #[test]
    fn complaints_added_to_a_day_never_take_a_signal_away(
        calm in prop::collection::vec(0..40_i64, 80..120),
        surge_at in 60..79_usize,
        height in 0..200_i64,
        more in 1..500_i64,
        later in 0..20_usize,
    ) {
        let settings = Settings::default();
        let mut counts = calm;
        counts[surge_at] += height;
        let before = scan(&days(counts.clone()), LEAST_HISTORY, &settings);
        let Some(raised) = before.first() else { return Ok(()) };
        let begun = usize::try_from(days(vec![]).first.until(raised.first).unwrap().get_days()).unwrap();
        let place = (begun + later).min(counts.len() - 1);
        counts[place] += more;
        let after = scan(&days(counts), LEAST_HISTORY, &settings);
        prop_assert_eq!(after[0].first, raised.first);
        prop_assert!(after[0].last >= raised.last);
    }
}

/// Complaints of each day, of the file of complaints to the FCC.
fn comcast() -> Days {
    let Some(folder) = std::env::var_os("REDRESS_DATA") else {
        panic!("REDRESS_DATA does not name the folder with the real files");
    };
    let path = PathBuf::from(folder).join("en_comcast_fcc_2224.csv.gz");
    let mut reader = csv::Reader::from_reader(GzDecoder::new(File::open(path).unwrap()));
    let column = reader.headers().unwrap().iter().position(|name| name == "date_iso_derived").unwrap();
    let mut by_day: BTreeMap<Date, i64> = BTreeMap::new();
    for row in reader.records() {
        *by_day.entry(row.unwrap()[column].parse().unwrap()).or_default() += 1;
    }
    let first = *by_day.keys().next().unwrap();
    let counts: Vec<i64> = (0..91).map(|place| by_day.remove(&after(first, place)).unwrap_or(0)).collect();
    assert!(by_day.is_empty() && first == date(2015, 4, 1));
    assert_eq!(counts.iter().sum::<i64>(), 2_224);
    Days { first, counts }
}

#[test]
#[ignore = "needs the real files: `make real` runs it"]
fn real_complaints_raise_one_signal_on_the_day_of_the_known_surge() {
    let found = scan(&comcast(), 0, &Settings::default());
    assert_eq!(found.len(), 1, "{found:?}");
    let surge = &found[0];
    assert_eq!((surge.first, surge.last), (date(2015, 6, 23), date(2015, 6, 25)));
    assert_eq!((surge.counts[..3].to_vec(), surge.total()), (vec![190, 218, 98], 506));
    let bound = Settings::default().bound(&surge.baseline, surge.first);
    assert!(surge.baseline.level > 16.0 && surge.baseline.level < 22.0 && bound < 98, "{surge:?} {bound}");
}

#[test]
#[ignore = "needs the real files: `make real` runs it"]
fn real_days_that_are_shuffled_raise_no_more_than_is_declared() {
    let mut chance = Chance(5);
    // Without the three days of the surge itself, which are no false alarms wherever they stand.
    let days = comcast().counts;
    let calm: Vec<i64> = [&days[..83], &days[86..]].concat();
    for rate in [0.1, 1.0, 2.0] {
        let shuffled = (0..500).map(|_| {
            let mut counts = calm.clone();
            chance.shuffle(&mut counts);
            counts
        });
        let told = false_alarms(shuffled, &declared(rate));
        assert!(told <= rate, "{told} a year, declared {rate}");
    }
}
