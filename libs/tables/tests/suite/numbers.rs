//! Numbers and sums, read exactly or refused by name.

use proptest::prelude::*;
use tables::money::{NotASum, sum};
use tables::number::{Decimal, Mark, NotANumber, decimal};

fn read(text: &str, mark: Option<Mark>) -> Result<(i64, i32), NotANumber> {
    decimal(text, mark).map(|Decimal { units, nanos }| (units, nanos))
}

#[test]
fn numbers_are_read_exactly() {
    let cases = [
        ("128.50", 128, 500_000_000),
        ("0", 0, 0),
        ("-3", -3, 0),
        ("-0.05", 0, -50_000_000),
        ("+7", 7, 0),
        ("12.0", 12, 0),
        ("1,280.05", 1_280, 50_000_000),
        ("1,234,567", 1_234_567, 0),
        ("1,234", 1_234, 0),
        ("1.234", 1, 234_000_000),
        ("1.280,50", 1_280, 500_000_000),
        ("1.234.567", 1_234_567, 0),
        ("1.234.567,8", 1_234_567, 800_000_000),
        ("1 280,50", 1_280, 500_000_000),
        ("1 280.50", 1_280, 500_000_000),
        ("1\u{202f}280,50", 1_280, 500_000_000),
        ("1\u{a0}280\u{a0}000", 1_280_000, 0),
        ("1'280.50", 1_280, 500_000_000),
        ("1’280’000.5", 1_280_000, 500_000_000),
        ("１２８．５０", 128, 500_000_000),
        ("１，２８０．５", 1_280, 500_000_000),
        ("－５", -5, 0),
        ("−5", -5, 0),
        ("1.2万", 12_000, 0),
        ("1.23456789万", 12_345, 678_900_000),
        ("3萬", 30_000, 0),
        ("0.5 亿", 50_000_000, 0),
        ("1,200万", 12_000_000, 0),
        ("0.1234567891万", 1_234, 567_891_000),
        ("999999999999999999", 999_999_999_999_999_999, 0),
        ("0.123456789", 0, 123_456_789),
        ("1.500000000000", 1, 500_000_000),
    ];
    for (text, units, nanos) in cases {
        assert_eq!(read(text, None), Ok((units, nanos)), "{text}");
    }
}

#[test]
fn a_mapping_says_what_the_decimal_mark_is() {
    for (text, units, nanos) in [("12,50", 12, 500_000_000), ("1.234", 1_234, 0), ("1,234", 1, 234_000_000)] {
        assert_eq!(read(text, Some(Mark::Comma)), Ok((units, nanos)), "{text}");
    }
    assert_eq!(read("1.280,50", Some(Mark::Point)), Err(NotANumber::Misgrouped));
    assert_eq!(read("1,280.50", Some(Mark::Comma)), Err(NotANumber::Misgrouped));
    assert_eq!(read("12.50", Some(Mark::Comma)), Err(NotANumber::Misgrouped));
    assert_eq!(read("1,280", Some(Mark::Point)), Ok((1_280, 0)));
}

#[test]
fn what_is_no_number_or_two_is_refused_by_name() {
    use NotANumber::{CommaUnexplained, Misgrouped, Other, TooFine, TooLong};
    let cases = [
        ("", Other),
        ("about 5", Other),
        ("1e3", Other),
        (".", Other),
        (".5", Other),
        ("5.", Other),
        ("--1", Other),
        ("1 2 3 kg", Other),
        ("٣", Other),
        ("三百", Other),
        ("NaN", Other),
        ("1,23", CommaUnexplained),
        ("12,50", CommaUnexplained),
        ("1234,567", CommaUnexplained),
        ("1,23,45", Misgrouped),
        ("1,2345", CommaUnexplained),
        ("12 34", Misgrouped),
        ("1,234 567", Misgrouped),
        ("1.2.3", Misgrouped),
        ("1.5,000", Misgrouped),
        ("0.1234567891", TooFine),
        ("1234567890123456789", TooLong),
        ("99999999999万亿", Other),
        ("999999999999999万", TooLong),
    ];
    for (text, why) in cases {
        assert_eq!(read(text, None), Err(why), "{text:?}");
    }
}

fn money(text: &str, named: Option<&str>) -> Result<String, NotASum> {
    sum(text, None, named).map(|sum| {
        let Decimal { units, nanos } = sum.amount;
        format!("{} {units}.{nanos:09}", sum.currency.as_deref().unwrap_or("-"))
    })
}

#[test]
fn sums_name_their_currency_by_code_sign_or_word() {
    let cases = [
        ("128.50", "- 128.500000000"),
        ("CNY 1,280.05", "CNY 1280.050000000"),
        ("CNY128", "CNY 128.000000000"),
        (" 39.90 EUR ", "EUR 39.900000000"),
        ("￥128.50", "CNY 128.500000000"),
        ("¥5", "CNY 5.000000000"),
        ("１２８元", "CNY 128.000000000"),
        ("1.2万元", "CNY 12000.000000000"),
        ("人民币128元", "CNY 128.000000000"),
        ("RMB 128", "CNY 128.000000000"),
        ("128RMB", "CNY 128.000000000"),
        ("128圆", "CNY 128.000000000"),
        ("€ 12.50", "EUR 12.500000000"),
        ("12.50€", "EUR 12.500000000"),
        ("1.280,50 €", "EUR 1280.500000000"),
        ("£3", "GBP 3.000000000"),
        ("US$5", "USD 5.000000000"),
        ("100美元", "USD 100.000000000"),
        ("5000円", "JPY 5000.000000000"),
        ("-¥5", "CNY -5.000000000"),
        ("¥-5", "CNY -5.000000000"),
    ];
    for (text, told) in cases {
        assert_eq!(money(text, None).as_deref(), Ok(told), "{text}");
    }
}

#[test]
fn a_sign_of_many_currencies_needs_a_name() {
    assert_eq!(money("$5", None), Err(NotASum::WhichCurrency("$")));
    assert_eq!(money("$5", Some("CAD")).as_deref(), Ok("CAD 5.000000000"));
    assert_eq!(money("5 $", Some("AUD")).as_deref(), Ok("AUD 5.000000000"));
    let another = NotASum::AnotherCurrency { sign: "$", named: "EUR".to_owned() };
    assert_eq!(money("$5", Some("EUR")), Err(another));
    assert_eq!(money("¥500", Some("JPY")).as_deref(), Ok("JPY 500.000000000"));
    assert_eq!(money("100元", Some("TWD")).as_deref(), Ok("TWD 100.000000000"));
    assert_eq!(money("€5", Some("CNY")).as_deref(), Ok("EUR 5.000000000"), "a cell is believed");
    assert_eq!(money("EUR 5 USD", None), Err(NotASum::TwoCurrencies));
    assert_eq!(money("€5 USD", None), Err(NotASum::TwoCurrencies));
    for none in ["", "€", "EUR", "元", "5 eur", "5 euros", "-¥-5", "ca. 5 EUR", "EUR"] {
        assert!(matches!(money(none, None), Err(NotASum::Number(_))), "{none}: {:?}", money(none, None));
    }
}

proptest! {
    /// However a number is grouped, and whichever its mark, it is the same number.
    #[test]
    fn a_number_is_the_same_however_it_is_written(units in 0_i64..1_000_000_000_000, cents in 0_i32..100) {
        let digits = units.to_string();
        let grouped = |gap: &str| {
            let mut groups: Vec<&str> = digits.as_bytes().rchunks(3).map(|g| std::str::from_utf8(g).unwrap()).collect();
            groups.reverse();
            groups.join(gap)
        };
        let right = Ok((units, cents * 10_000_000));
        for gap in [",", " ", "'", "\u{202f}", ""] {
            prop_assert_eq!(read(&format!("{}.{cents:02}", grouped(gap)), None), right);
        }
        for gap in [".", " ", "’", ""] {
            prop_assert_eq!(read(&format!("{},{cents:02}", grouped(gap)), Some(Mark::Comma)), right);
        }
    }

    /// No text makes it panic, and what is read is what the digits say.
    #[test]
    fn any_text_is_read_or_refused(text in "[-+0-9０-９., '万亿￥$€元A-Z]{0,24}") {
        let _ = sum(&text, None, None);
        let _ = sum(&text, Some(Mark::Comma), Some("USD"));
    }
}
