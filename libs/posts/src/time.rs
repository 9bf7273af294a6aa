//! Moments as networks write them.

use jiff::Timestamp;
use jiff::fmt::{rfc2822, strtime};

/// From this number on, it counts milliseconds: as seconds, it would be in the year 5138.
const MILLISECONDS_FROM: i64 = 100_000_000_000;
/// As X and Weibo write it: `Tue May 31 17:46:55 +0800 2011`.
const OF_NETWORKS: &str = "%a %b %d %H:%M:%S %z %Y";

/// A moment: RFC 3339, RFC 2822, as X and Weibo write it, or the seconds or milliseconds since
/// 1970.
pub(crate) fn moment(text: &str) -> Option<Timestamp> {
    if let Ok(number) = text.parse::<i64>() {
        let is_milliseconds = number.unsigned_abs() >= MILLISECONDS_FROM.unsigned_abs();
        let read = if is_milliseconds {
            Timestamp::from_millisecond(number)
        } else {
            Timestamp::from_second(number)
        };
        return read.ok();
    }
    let plain = text.parse::<Timestamp>().ok();
    let mail = || rfc2822::DateTimeParser::new().parse_timestamp(text).ok();
    let network = || strtime::parse(OF_NETWORKS, text).ok()?.to_timestamp().ok();
    plain.or_else(mail).or_else(network).map(kernel::time::micros)
}
