//! Counts of invented cases, against a recount by day.

use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;

/// What may be drawn of a case: received, told and outcome twice, ended and how, paid, what kind
/// of case it is. Times are hours from the middle of the period, or from the receipt.
type Drawn = (i64, Option<(i64, i16)>, Option<(i64, i16)>, Option<(i64, i16)>, Option<(i64, i64)>, u8);

fn drawn() -> impl Strategy<Value = Vec<Drawn>> {
    let outcome = || prop::option::of((0..3_000_i64, 1..4_i16));
    let ended = prop::option::of((0..3_000_i64, 1..5_i16));
    let payment = prop::option::of((0..3_000_i64, -900..9_000_i64));
    let one = (-4_000..2_600_i64, outcome(), outcome(), ended, payment, 0..12_u8);
    prop::collection::vec(one, 0..60)
}

fn invented(number: u128, drawn: Drawn) -> Record {
    let (received, first, second, ended, payment, kind) = drawn;
    let hours = |hours: i64| SignedDuration::from_hours(hours);
    let received = at("2026-10-01T00:00:00Z") + hours(received);
    // Decided a day and a half before it is told.
    let cycle = |drawn: Option<(i64, i16)>| Cycle {
        resolved: drawn.map(|(after, _)| received + hours(after)),
        told: drawn.map(|(after, _)| received + hours(after + 36)),
        outcome: drawn.map(|(_, outcome)| outcome),
        satisfaction: None,
    };
    let payment = payment.map(|(after, minor)| paid(&(received + hours(after)).to_string(), minor, "GBP"));
    Record {
        received,
        category: ["mortgages", "mortgages/rates", "cards"][usize::from(kind % 3)].to_owned(),
        is_report: kind == 11,
        merged_apart: kind == 10,
        ended: ended.and_then(|(after, how)| Some((received + hours(after), Ending::of(how)?))),
        cycles: vec![cycle(first), cycle(second)],
        payments: payment.into_iter().collect(),
        ..case(number, "2026-10-01T00:00:00Z")
    }
}

fn all_invented(drawn: Vec<Drawn>) -> Vec<Record> {
    (1..).zip(drawn).map(|(number, drawn)| invented(number, drawn)).collect()
}

/// When it was closed, and what the complainant was told then, if anything.
fn closed_by_hand(record: &Record) -> Option<(Timestamp, Option<i16>)> {
    let mut moments: Vec<(Timestamp, Option<i16>)> =
        record.cycles.iter().filter_map(|cycle| Some((cycle.told?, cycle.outcome))).collect();
    moments.extend(record.ended.filter(|(_, how)| *how != Ending::Merged).map(|(at, _)| (at, None)));
    // Of two of one moment the telling was first: it is the first in the list.
    moments.sort_by_key(|(at, _)| *at);
    moments.first().copied()
}

/// Whether it was upheld, by what was told, or decided by then, or paid.
fn upheld_by_hand(record: &Record, closed: (Timestamp, Option<i16>), until: Timestamp) -> bool {
    let (at, told) = closed;
    let mut decided =
        record.cycles.iter().filter(|cycle| cycle.resolved.is_some_and(|resolved| resolved <= at));
    match told.or(decided.next_back().and_then(|cycle| cycle.outcome)) {
        Some(outcome) => outcome < 3,
        None => record.payments.iter().any(|one| one.paid < until && one.amount.minor > 0),
    }
}

/// Which band it is in: walks from the receipt to the close, and counts what was worked.
fn band_by_hand(received: Date, closed: Date) -> usize {
    let uk = builtin::get("uk").expect("a calendar");
    let days = received.tomorrow().expect("a day").series(1.day()).take_while(|day| *day <= closed);
    let worked = days.filter(|day| uk.is_worked(*day)).count();
    // On a day off after the third business day it is too late as well.
    if worked < 3 || (worked == 3 && uk.is_worked(closed)) {
        return 0;
    }
    if received.until(closed).expect("days").get_days() <= 56 { 1 } else { 2 }
}

/// What one case comes to: received, closed, the band, whether upheld.
type ByHand = (Date, Option<(Date, usize, bool)>);

fn by_hand(of: &Return, records: &[Record]) -> Vec<ByHand> {
    let ours = records.iter().filter(|record| {
        let is_merged = record.ended.is_some_and(|(_, how)| how == Ending::Merged);
        !record.is_report && (!is_merged || record.merged_apart)
    });
    let one = |record: &Record| {
        let received = of.date(record.received);
        let closed = closed_by_hand(record).map(|closed| {
            let day = of.date(closed.0);
            (day, band_by_hand(received, day), upheld_by_hand(record, closed, of.until))
        });
        (received, closed)
    };
    ours.map(one).collect()
}

proptest! {
    #[test]
    fn counts_of_the_fca_are_those_of_a_recount_by_day(drawn in drawn()) {
        let records = all_invented(drawn);
        let of = asked(Regime::FcaDisp1Annex1r, Format::Csv, LONDON, SECOND_HALF, of_fca());
        let mut counts = fca::Counts::default();
        for record in records.iter().filter(|record| record.belongs_to(&of)) {
            counts.take(&of, record, &mut Problems::new());
        }
        prop_assert_eq!(counts.broken(), Problems::new());

        let cases = by_hand(&of, &records);
        let (mut open, mut opened, mut closed, mut upheld) = (0_i64, 0_i64, 0_i64, 0_i64);
        let mut bands = [0_i64; 3];
        for day in date(2026, 1, 1).series(1.day()).take_while(|day| *day < SECOND_HALF.1) {
            if day == SECOND_HALF.0 {
                prop_assert_eq!(counts.outstanding_start, open);
            }
            let is_within = day >= SECOND_HALF.0;
            for (received, end) in &cases {
                open += i64::from(*received == day);
                opened += i64::from(is_within && *received == day);
                let Some((_, band, is_upheld)) = end.filter(|(end, ..)| *end == day) else { continue };
                open -= 1;
                closed += i64::from(is_within);
                bands[band] += i64::from(is_within);
                upheld += i64::from(is_within && is_upheld);
            }
        }
        prop_assert_eq!((counts.opened, counts.closed, counts.outstanding_end), (opened, closed, open));
        let total = |count: fn(&fca::Product) -> i64| counts.products.values().map(count).sum::<i64>();
        prop_assert_eq!(total(|product| product.within_3_days), bands[0]);
        prop_assert_eq!(total(|product| product.within_8_weeks), bands[1]);
        prop_assert_eq!(total(|product| product.later), bands[2]);
        prop_assert_eq!(total(|product| product.upheld), upheld);
    }

    #[test]
    fn each_payment_counts_in_one_of_all_half_years(drawn in drawn()) {
        let halves = [(2026, 1), (2026, 7), (2027, 1)].map(|(year, month): (i16, i8)| {
            let start = date(year, month, 1);
            let term = (start, start.checked_add(Span::new().months(6)).expect("a day"));
            asked(Regime::FcaDisp1Annex1r, Format::Csv, LONDON, term, of_fca())
        });
        let end = halves[2].until;
        for record in &all_invented(drawn) {
            let counted = halves.iter().map(|of| record.redress(of, "GBP", &mut Problems::new())).sum::<i64>();
            let is_closed = closed_by_hand(record).is_some_and(|(at, _)| at < end);
            let paid = record.payments.iter().filter(|one| one.paid < end).map(|one| one.amount.minor);
            prop_assert_eq!(counted, if is_closed { paid.sum() } else { 0 });
        }
    }

    #[test]
    fn a_file_is_the_same_in_pages_of_any_size(drawn in drawn(), size in 1..70_usize) {
        let records = all_invented(drawn);
        let file = |size: usize| {
            let of = asked(Regime::CnBank, Format::Csv, LONDON, SECOND_HALF, Mapping::default());
            let mut maker = Maker::new(Arc::new(of));
            let head = maker.head();
            let rows: String = records.chunks(size).map(|page| maker.take(page)).collect();
            (head + &rows + &maker.tail(), maker.completeness)
        };
        prop_assert_eq!(file(size), file(1));
    }
}
