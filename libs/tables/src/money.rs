//! Sums of money as people write them: a number, and a currency by code, sign or word.

use thiserror::Error;

use crate::narrow;
use crate::number::{Decimal, Mark, NotANumber, decimal};

/// Signs and words of currencies, the longer first: what they may mean, and what they mean
/// where nobody says. A sign that many countries write means none of them by itself.
const SIGNS: [(&str, &[&str], Option<&str>); 19] = [
    ("人民币", &["CNY"], Some("CNY")),
    ("人民幣", &["CNY"], Some("CNY")),
    ("RMB", &["CNY"], Some("CNY")),
    ("US$", &["USD"], Some("USD")),
    ("HK$", &["HKD"], Some("HKD")),
    ("NT$", &["TWD"], Some("TWD")),
    ("欧元", &["EUR"], Some("EUR")),
    ("美元", &["USD"], Some("USD")),
    ("港元", &["HKD"], Some("HKD")),
    ("日元", &["JPY"], Some("JPY")),
    ("¥", &["CNY", "JPY"], Some("CNY")),
    ("元", &["CNY", "TWD", "HKD", "MOP"], Some("CNY")),
    ("圆", &["CNY"], Some("CNY")),
    ("圓", &["TWD", "HKD", "CNY"], None),
    ("円", &["JPY"], Some("JPY")),
    ("€", &["EUR"], Some("EUR")),
    ("£", &["GBP", "EGP", "FKP", "GIP", "SHP"], Some("GBP")),
    ("₩", &["KRW", "KPW"], Some("KRW")),
    ("$", &DOLLARS, None),
];
const DOLLARS: [&str; 17] = [
    "USD", "AUD", "CAD", "HKD", "NZD", "SGD", "TWD", "MXN", "ARS", "CLP", "COP", "BMD", "BSD", "BBD", "BZD",
    "FJD", "JMD",
];

/// A sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    /// ISO 4217 code; none where the text names no currency.
    pub currency: Option<String>,
    /// How much.
    pub amount: Decimal,
}

/// Why a text is no sum.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum NotASum {
    /// What is beside the currency is no number.
    #[error("{0}")]
    Number(#[from] NotANumber),
    /// A sign that several currencies have, and nobody says which.
    #[error("has the sign {0}, which many currencies have: name the currency")]
    WhichCurrency(&'static str),
    /// A sign of another currency than the one that is named.
    #[error("has the sign {sign}, which is not of {named}")]
    AnotherCurrency {
        /// The sign.
        sign: &'static str,
        /// The currency that is named.
        named: String,
    },
    /// Two currencies.
    #[error("names two currencies")]
    TwoCurrencies,
}

/// Reads a sum. `mark` is the decimal mark where somebody says so, and `named` the currency
/// of sums that name none: it also says which one a sign of many stands for.
///
/// # Errors
///
/// Says why the text is no sum, or may be two.
pub fn sum(text: &str, mark: Option<Mark>, named: Option<&str>) -> Result<Sum, NotASum> {
    let text = narrow(text);
    let (minus, rest) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest.trim_start()),
        None => ("", text.as_str()),
    };
    let (before, rest) = currency(rest, named, Side::Before)?;
    let (after, rest) = currency(rest, named, Side::After)?;
    let currency = match (before, after) {
        (Some(before), Some(after)) if before != after => return Err(NotASum::TwoCurrencies),
        (before, after) => before.or(after),
    };
    if !minus.is_empty() && rest.starts_with(['-', '+']) {
        return Err(NotANumber::Other.into());
    }
    Ok(Sum { currency, amount: decimal(&format!("{minus}{rest}"), mark)? })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    After,
}

/// The currency on one side of a number, and the rest.
fn currency<'a>(
    text: &'a str,
    named: Option<&str>,
    side: Side,
) -> Result<(Option<String>, &'a str), NotASum> {
    for (sign, meanings, usual) in SIGNS {
        let Some(rest) = strip(text, sign, side) else { continue };
        let code = match named.filter(|named| meanings.contains(named)) {
            Some(named) => named,
            None if meanings.len() == DOLLARS.len() && named.is_some() => {
                let named = named.unwrap_or_default().to_owned();
                return Err(NotASum::AnotherCurrency { sign, named });
            }
            None => usual.ok_or(NotASum::WhichCurrency(sign))?,
        };
        return Ok((Some(code.to_owned()), rest));
    }
    let is_letter = |c: char| c.is_ascii_alphabetic();
    let (code, rest) = match side {
        Side::Before => text.split_at(text.find(|c| !is_letter(c)).unwrap_or(0)),
        Side::After => {
            let end = text.trim_end_matches(is_letter).len();
            let (rest, code) = text.split_at(end);
            (code, rest)
        }
    };
    let is_code = code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase());
    Ok(if is_code { (Some(code.to_owned()), rest.trim()) } else { (None, text) })
}

fn strip<'a>(text: &'a str, sign: &str, side: Side) -> Option<&'a str> {
    let rest = match side {
        Side::Before => text.strip_prefix(sign).map(str::trim_start),
        Side::After => text.strip_suffix(sign).map(str::trim_end),
    };
    // What is left of `US$` when `$` is taken away is no number, but it is not ours to say.
    rest.filter(|rest| !rest.is_empty())
}
