//! Small values as text: moments, sums, durations.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use kernel::Money;
use proto::google::r#type::Money as WireMoney;

fn read(time: Option<&prost_types::Timestamp>) -> Option<Timestamp> {
    let time = time?;
    Timestamp::new(time.seconds, time.nanos).ok()
}

fn shown(time: Option<&prost_types::Timestamp>, format: &str) -> String {
    read(time).map_or_else(String::new, |time| time.to_zoned(TimeZone::system()).strftime(format).to_string())
}

/// A moment in the zone of this machine (`TZ`), which is named by how far it is from
/// UTC then: `2026-12-12 00:00:00 +08:00`. Empty for none.
pub fn time(time: Option<&prost_types::Timestamp>) -> String {
    shown(time, "%Y-%m-%d %H:%M:%S %:z")
}

/// The day of a moment in the zone of this machine: `2026-12-12`. Empty for none.
pub fn day(time: Option<&prost_types::Timestamp>) -> String {
    shown(time, "%Y-%m-%d")
}

/// A moment's time of day, to the millisecond, with its zone: `00:00:00.000 +08:00`.
pub fn clock(time: Option<&prost_types::Timestamp>) -> String {
    shown(time, "%H:%M:%S.%3f %:z")
}

/// A sum as people write it; empty for none.
pub fn money(sum: Option<&WireMoney>) -> String {
    sum.and_then(|sum| Money::parse(&sum.currency_code, sum.units, sum.nanos).ok())
        .map_or_else(String::new, |sum| sum.to_string())
}

/// Reads a sum as people write it: `CNY 128` or `USD 9.99`.
///
/// # Errors
///
/// Fails with a sentence if the text is no such sum, or one finer than its currency.
pub fn read_money(text: &str) -> Result<WireMoney, String> {
    let sum = sum(text)
        .ok_or_else(|| format!("must be a currency and a sum such as `CNY 128.50`, unlike {text:?}"))?;
    Money::parse(&sum.currency_code, sum.units, sum.nanos).map_err(|error| error.to_string())?;
    Ok(sum)
}

fn sum(text: &str) -> Option<WireMoney> {
    let (currency, sum) = text.trim().split_once(' ')?;
    let sum = sum.trim();
    let (sum, sign) = sum.strip_prefix('-').map_or((sum, 1), |sum| (sum, -1));
    let (units, decimals) = sum.split_once('.').unwrap_or((sum, "0"));
    let plain = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(units) || !plain(decimals) || decimals.len() > 9 {
        return None;
    }
    let units = units.parse::<i64>().ok()? * i64::from(sign);
    let nanos = format!("{decimals:0<9}").parse::<i32>().ok()? * sign;
    Some(WireMoney { currency_code: currency.to_owned(), units, nanos })
}

/// Milliseconds, as long as needed and no longer.
#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
pub fn millis(millis: i64) -> String {
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..120_000 => format!("{:.1} s", millis as f64 / 1e3),
        120_000..7_200_000 => format!("{:.1} min", millis as f64 / 6e4),
        7_200_000..172_800_000 => format!("{:.1} h", millis as f64 / 3.6e6),
        _ => format!("{:.1} days", millis as f64 / 8.64e7),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_names_its_zone() {
        let moment = prost_types::Timestamp { seconds: 1_796_990_400, nanos: 0 };
        let is_offset = |text: &str| {
            let (sign, digits) = text.split_at(1);
            let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
            matches!(sign, "+" | "-") && digits.len() == 5 && plain
        };
        for text in [time(Some(&moment)), clock(Some(&moment))] {
            assert!(text.rsplit(' ').next().is_some_and(is_offset), "{text}");
        }
        assert_eq!((time(None), clock(None)), (String::new(), String::new()));
    }

    #[test]
    fn sums_shown_read_back() {
        for text in ["CNY 128.00", "USD 9.99", "JPY 500", "USD -0.05", "USD -1.75"] {
            assert_eq!(money(Some(&read_money(text).unwrap())), text);
        }
        for wrong in ["", "128", "CNY", "CNY x", "CNY 1.", "CNY .5", "CNY 0.001", "cny 1", "CNY --1"] {
            assert!(read_money(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn durations_are_short() {
        assert_eq!(millis(12), "12 ms");
        assert_eq!(millis(1_500), "1.5 s");
        assert_eq!(millis(5_400_000), "90.0 min");
        assert_eq!(millis(864_000_000), "10.0 days");
    }
}
