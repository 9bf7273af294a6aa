//! Sums, as people write and read them.

use kernel::Money;
use proto::google::r#type::Money as WireMoney;

/// Billionths of a unit.
const NANOS: i64 = 1_000_000_000;
/// Digits of them.
const NANO_DIGITS: usize = 9;

/// `EUR 39.90`; empty where there is none.
pub(crate) fn text(sum: Option<&WireMoney>) -> String {
    let Some(sum) = sum else { return String::new() };
    match Money::parse(&sum.currency_code, sum.units, sum.nanos) {
        Ok(money) => money.to_string(),
        Err(_) => format!("{} {}", sum.currency_code, sum.units),
    }
}

/// A sum from what somebody wrote: `39.90`, `1,250.5`, in full units; none if it is no number,
/// or finer than a billionth.
pub(crate) fn read(currency: &str, amount: &str) -> Option<WireMoney> {
    let plain: String = amount.chars().filter(|c| !c.is_whitespace() && *c != ',').collect();
    let (units, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
    let is_number = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let fits =
        is_number(units) && (fraction.is_empty() || (is_number(fraction) && fraction.len() <= NANO_DIGITS));
    if !fits {
        return None;
    }
    let nanos = format!("{fraction:0<NANO_DIGITS$}").parse::<i64>().ok()? % NANOS;
    let nanos = i32::try_from(nanos).ok()?;
    Some(WireMoney { currency_code: currency.to_owned(), units: units.parse().ok()?, nanos })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_read_as_they_are_written() {
        let read = |amount: &str| read("EUR", amount).map(|sum| (sum.units, sum.nanos));
        assert_eq!(read("39.90"), Some((39, 900_000_000)));
        assert_eq!(read(" 1,250.5 "), Some((1250, 500_000_000)));
        assert_eq!(read("7"), Some((7, 0)));
        for odd in ["", "-1", "1e3", "a", "1.2.3", ".5", "1.1234567891", "99999999999999999999"] {
            assert_eq!(read(odd), None, "{odd}");
        }
        let sum = super::read("EUR", "39.9");
        assert_eq!(text(sum.as_ref()), "EUR 39.90");
    }
}
