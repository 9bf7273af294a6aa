//! Telephone numbers as gateways want them: E.164, `+` and country code and number.

/// Digits of a number with its country code, at least.
const FEWEST: usize = 8;
/// And at most, by E.164.
const MOST: usize = 15;

/// A number as people write it, in E.164; none where it is none, or says no country and
/// none is given. `country` is the calling code, digits only, of numbers that name none;
/// empty where there is none.
pub fn e164(text: &str, country: &str) -> Option<String> {
    let text = text.trim().replace("(0)", "");
    let mut plain = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '0'..='9' => plain.push(sign),
            // As Chinese keyboards write them.
            '０'..='９' => plain.extend(char::from_digit(u32::from(sign) - u32::from('０'), 10)),
            '+' | '＋' if plain.is_empty() => plain.push('+'),
            ' ' | '\u{a0}' | '-' | '–' | '.' | '/' | '(' | ')' | '（' | '）' => {}
            _ => return None,
        }
    }
    let digits = match (plain.strip_prefix('+'), plain.strip_prefix("00")) {
        (Some(digits), _) | (None, Some(digits)) => digits.to_owned(),
        (None, None) if country.is_empty() => return None,
        (None, None) => format!("{country}{}", national(&plain, country)),
    };
    let is_number = !digits.starts_with('0') && (FEWEST..=MOST).contains(&digits.len());
    is_number.then(|| format!("+{digits}"))
}

/// Without the prefix of calls within the country.
fn national<'a>(digits: &'a str, country: &str) -> &'a str {
    match country {
        // Ten digits, one before them.
        "1" if digits.len() == 11 => digits.strip_prefix('1').unwrap_or(digits),
        "7" if digits.len() == 11 => digits.strip_prefix(['8', '7']).unwrap_or(digits),
        _ => digits.strip_prefix('0').unwrap_or(digits),
    }
}

/// Whether a text is a calling code, as numbers without one are given.
pub fn is_calling_code(text: &str) -> bool {
    (1..=3).contains(&text.len()) && !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_is_one_however_it_is_written() {
        for (text, country, number) in [
            ("+86 138 0013 8000", "", "+8613800138000"),
            ("0086-138-0013-8000", "", "+8613800138000"),
            ("138 0013 8000", "86", "+8613800138000"),
            ("＋８６（138）00138000", "", "+8613800138000"),
            ("+44 (0)20 7946 0018", "86", "+442079460018"),
            ("07700 900123", "44", "+447700900123"),
            ("1 (202) 555-0143", "1", "+12025550143"),
            ("202.555.0143", "1", "+12025550143"),
            ("8 916 123-45-67", "7", "+79161234567"),
        ] {
            assert_eq!(e164(text, country).as_deref(), Some(number), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_or_says_no_country_is_none() {
        for (text, country) in [
            ("", "86"),
            ("138 0013 8000", ""),
            ("110", "86"),
            ("+86 010 8888 转 8001", ""),
            ("ext. 5", "86"),
            ("+1234567890123456", ""),
            ("+0123456789", ""),
            ("12+345678901", "86"),
        ] {
            assert_eq!(e164(text, country), None, "{text}");
        }
        assert!(is_calling_code("86") && is_calling_code("1") && is_calling_code("852"));
        assert!(!is_calling_code("+86") && !is_calling_code("") && !is_calling_code("086"));
    }

    proptest! {
        #[test]
        fn whatever_is_written_a_number_is_plus_and_digits(text in "[+0-9 ()/.-]{0,24}", country in "[1-9][0-9]{0,2}") {
            if let Some(number) = e164(&text, &country) {
                prop_assert!(number.starts_with('+') && number[1..].bytes().all(|b| b.is_ascii_digit()));
                prop_assert!((FEWEST..=MOST).contains(&(number.len() - 1)));
                prop_assert_eq!(e164(&number, ""), Some(number.clone()), "it is one already");
            }
        }
    }
}
