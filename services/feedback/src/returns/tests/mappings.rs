//! Rules, values, periods and their days.

use super::*;
use crate::returns::mapping::{Matched, Values};

#[test]
fn the_first_rule_with_a_code_holds_and_one_that_is_hidden_is_found() {
    let wide = rule("cards", &[("product", "A")]);
    let narrow = rule("cards/fees", &[("product", "B"), ("issue", "I")]);
    let mapping =
        Mapping { rules: vec![wide, narrow, rule("cardsharp", &[("product", "C")])], ..Mapping::default() };
    let of = |category| Matched { category, ..Matched::default() };
    assert_eq!(mapping.code("product", &of("cards/fees")), Some("A"));
    assert_eq!(mapping.code("issue", &of("cards/fees")), Some("I"));
    assert_eq!(mapping.code("product", &of("cardsharp")), Some("C"));
    assert_eq!(mapping.code("product", &of("loans")), None);
    assert_eq!(mapping.shadowed(), [(1, "product")]);
}

#[test]
fn values_that_a_regulator_fixes_must_be_those() {
    for state in cfpb::STATES {
        assert_eq!(Values::OneOf(cfpb::STATES).flaw(state), None);
    }
    assert!(Values::OneOf(cfpb::STATES).flaw("CN").is_some());
    assert!(Values::OneOf(cfpb::SUBMITTED_VIA).flaw("web").is_some_and(|flaw| flaw.contains("Postal mail")));
    assert_eq!(Values::References.flaw("123456,1234567"), None);
    for wrong in ["", "12345", "123456,", "123456, 123456", "12345a"] {
        assert!(Values::References.flaw(wrong).is_some(), "{wrong}");
    }
    assert!(Values::Text(3).flaw("投诉号码").is_some());
}

#[test]
fn periods_are_those_of_the_regime() {
    let term = |start, end| Term { start, end };
    let half = term(date(2027, 1, 1), date(2027, 7, 1));
    let months = term(date(2027, 2, 1), date(2027, 8, 1));
    let across = term(date(2026, 10, 1), date(2027, 4, 1));
    let year = term(date(2026, 1, 1), date(2027, 1, 1));
    for (regime, lawful) in [
        (Regime::Cfpb, [true, true, true, true]),
        (Regime::CnBank, [true, true, true, true]),
        (Regime::AsicIdr, [true, false, false, false]),
        (Regime::FcaDisp1Annex1r, [true, false, false, true]),
    ] {
        let is_lawful = [half, months, across, year].map(|term| term.flaw(regime).is_none());
        assert_eq!(is_lawful, lawful, "{regime:?}");
    }
}

#[test]
fn a_day_that_is_closed_is_no_business_day_and_an_hour_after_midnight_is_the_next() {
    let closed = Mapping { closed_dates: vec![date(2026, 12, 21)], ..of_fca() };
    let of = |mapping| asked(Regime::FcaDisp1Annex1r, Format::Csv, LONDON, SECOND_HALF, mapping);
    let friday = date(2026, 12, 18);
    assert_eq!(of(of_fca()).business_day_after(friday, 3), date(2026, 12, 23));
    assert_eq!(of(closed).business_day_after(friday, 3), date(2026, 12, 24));
    // Boxing Day 2026 is a Saturday: the Monday is off instead.
    assert_eq!(of(of_fca()).business_day_after(date(2026, 12, 24), 1), date(2026, 12, 29));
    // Nobody's holidays are known in a zone without a calendar of ours.
    let bogota = asked(Regime::FcaDisp1Annex1r, Format::Csv, "America/Bogota", SECOND_HALF, of_fca());
    assert_eq!(bogota.business_day_after(date(2026, 12, 24), 1), date(2026, 12, 25));
    // In summer London is an hour ahead.
    assert_eq!(of(of_fca()).date(at("2026-07-31T23:30:00Z")), date(2026, 8, 1));
}
