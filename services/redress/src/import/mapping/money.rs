//! Sums of money as files write them.

/// A sum: `128.50`, `1,280.50`, `-3`, `CNY 128.50`, `128.50 EUR`; none where it is no
/// sum. The currency is empty where none is named.
pub(super) fn sum(text: &str) -> Option<(String, i64, i32)> {
    let text = text.trim();
    let is_code = |word: &str| word.len() == 3 && word.bytes().all(|b| b.is_ascii_uppercase());
    let (code, number) = match text.split_once(char::is_whitespace) {
        Some((code, number)) if is_code(code) => (code, number.trim()),
        _ => match text.rsplit_once(char::is_whitespace) {
            Some((number, code)) if is_code(code) => (code, number.trim()),
            _ => ("", text),
        },
    };
    let (units, nanos) = decimal(number)?;
    Some((code.to_owned(), units, nanos))
}

/// A number with at most nine decimal places, as whole and billionth parts; commas
/// between thousands are passed over where they stand between thousands.
pub(super) fn decimal(text: &str) -> Option<(i64, i32)> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole = ungrouped(whole)?;
    let fraction = fraction.trim_end_matches('0');
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if fraction.len() > 9 || !all_digits(fraction) {
        return None;
    }
    let units: i64 = whole.parse().ok()?;
    let nanos: i32 = format!("{fraction:0<9}").parse().ok()?;
    Some(if negative { (-units, -nanos) } else { (units, nanos) })
}

fn ungrouped(whole: &str) -> Option<String> {
    let mut groups = whole.split(',');
    let first = groups.next()?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let grouped = whole.contains(',');
    if !is_number(first) || (grouped && first.len() > 3) {
        return None;
    }
    let mut digits = first.to_owned();
    for group in groups {
        if group.len() != 3 || !is_number(group) {
            return None;
        }
        digits.push_str(group);
    }
    Some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_read_exactly_or_not_at_all() {
        let read = |text| sum(text).map(|(code, units, nanos)| format!("{code} {units} {nanos}"));
        assert_eq!(read("128.50").as_deref(), Some(" 128 500000000"));
        assert_eq!(read("CNY 1,280.05").as_deref(), Some("CNY 1280 50000000"));
        assert_eq!(read(" 39.90 EUR ").as_deref(), Some("EUR 39 900000000"));
        assert_eq!(read("-3").as_deref(), Some(" -3 0"));
        assert_eq!(read("1,234,567").as_deref(), Some(" 1234567 0"));
        for none in ["", "about 5", "1,23", "1234,567", "12,50", "0.1234567891", "1e3", ".", "¥5", "--1"] {
            assert_eq!(read(none), None, "{none}");
        }
        assert_eq!(decimal(".5"), None);
    }
}
