//! Whose complaint it is, as far as it is known: by customer number, e-mail address
//! and telephone, each compared without what is only its way of writing.

use super::{Keys, hash, number};

/// What is known of a complainant, each hashed; none when unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// The organisation's number for the customer.
    pub customer: Option<i64>,
    /// The e-mail address.
    pub email: Option<i64>,
    /// The telephone.
    pub phone: Option<i64>,
}

impl Person {
    /// Of a customer number, and what else a case is compared by.
    pub fn of(customer: &str, keys: &Keys) -> Self {
        Self { customer: number(customer), email: keys.email, phone: keys.phone }
    }

    /// Whether something known of both is not the same.
    pub fn differs_from(&self, other: &Self) -> bool {
        self.both_know(other, |one, other| one != other)
    }

    /// Whether something known of both is the same.
    pub fn shares_with(&self, other: &Self) -> bool {
        self.both_know(other, |one, other| one == other)
    }

    fn both_know(&self, other: &Self, holds: impl Fn(i64, i64) -> bool) -> bool {
        let pairs = [(self.customer, other.customer), (self.email, other.email), (self.phone, other.phone)];
        pairs.into_iter().any(|(one, other)| one.zip(other).is_some_and(|(one, other)| holds(one, other)))
    }
}

/// An e-mail address as a hash of 48 bits, whatever its letter case. None for none.
pub fn email(text: &str) -> Option<i64> {
    let plain = text.trim().to_lowercase();
    (!plain.is_empty()).then(|| hash(&plain))
}

/// Fewest digits of a telephone number.
const FEWEST_DIGITS: usize = 6;
/// Most digits that are compared, from the end: a number without its country.
const COMPARED_DIGITS: usize = 10;

/// A telephone number as a hash of 48 bits: what is dialled within the country, so
/// that it is the same with and without the country, the trunk prefix and an
/// extension. None when it has fewer than six digits.
pub fn phone(text: &str) -> Option<i64> {
    // What follows a letter, `;` or `,` is an extension, not a number.
    let text = text.trim().trim_start_matches(char::is_alphabetic).trim_start_matches([':', ' ']);
    let number = text.split(|c: char| c.is_alphabetic() || matches!(c, ';' | ',' | '#')).next().unwrap_or("");
    let abroad = number.trim_start_matches(['(', ' ']).starts_with('+');
    let digits: String = number.chars().filter_map(ascii_digit).collect();
    let national = match digits.strip_prefix("00") {
        Some(digits) => without_country(digits),
        None if abroad => without_country(&digits),
        None => &digits,
    };
    let plain = national.trim_start_matches('0');
    (plain.len() >= FEWEST_DIGITS).then(|| hash(&plain[plain.len().saturating_sub(COMPARED_DIGITS)..]))
}

/// A digit as keyboards write it, also the wide ones of Chinese and Japanese.
fn ascii_digit(c: char) -> Option<char> {
    match c {
        '0'..='9' => Some(c),
        '０'..='９' => char::from_digit(c as u32 - '０' as u32, 10),
        _ => None,
    }
}

/// What follows the calling code of a country (ITU-T E.164): of one digit, of the two
/// that the plan lists, else of three.
fn without_country(digits: &str) -> &str {
    const TWO: [&str; 44] = [
        "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48",
        "49", "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81",
        "82", "84", "86", "90", "91", "92", "93", "94", "95", "98",
    ];
    let length = match digits.as_bytes() {
        [b'1' | b'7', ..] => 1,
        [_, _, ..] if TWO.iter().any(|code| digits.starts_with(code)) => 2,
        _ => 3,
    };
    digits.get(length..).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_telephone_is_one_however_it_is_written() {
        for forms in [
            &[
                "+86 138 0013 8000",
                "13800138000",
                "0086-13800138000",
                "138-0013-8000",
                "１３８００１３８０００",
            ][..],
            &["+44 7911 123456", "07911 123456", "0044 7911 123456", "(+44) 7911123456"],
            &[
                "+1 (212) 555-0100",
                "212-555-0100",
                "1 212 555 0100",
                "+1 212 555 0100 ext. 12",
                "tel: 212 555 0100",
            ],
            &["+47 22 12 34 56", "22123456"],
            &["+49 30 123456", "030 123456"],
            &["+353 1 234 5678", "01 234 5678"],
            &["+39 06 1234567", "06 1234567"],
        ] {
            let keys: Vec<_> = forms.iter().map(|form| phone(form)).collect();
            assert!(keys[0].is_some() && keys.iter().all(|key| *key == keys[0]), "{forms:?}: {keys:?}");
        }
        assert_ne!(phone("+86 138 0013 8000"), phone("+86 138 0013 8001"));
        for none in ["", "12345", "+86 123", "unknown", "+", "00"] {
            assert_eq!(phone(none), None, "{none}");
        }
    }

    #[test]
    fn an_address_is_one_whatever_its_letter_case() {
        assert_eq!(email(" Ann@Example.ORG "), email("ann@example.org"));
        assert_ne!(email("ann@example.org"), email("bob@example.org"));
        assert_eq!(email("  "), None);
    }

    #[test]
    fn people_differ_where_anything_known_of_both_does() {
        let person = |customer, mail, telephone| Person {
            customer: number(customer),
            email: email(mail),
            phone: phone(telephone),
        };
        let ann = person("C-1", "ann@example.org", "+86 138 0013 8000");
        for (other, differs, shares) in [
            (person("c1", "ANN@example.org", "13800138000"), false, true),
            (person("c-2", "", ""), true, false),
            (person("", "bob@example.org", ""), true, false),
            (person("", "", "13900139000"), true, false),
            (person("c-1", "bob@example.org", ""), true, true),
            (person("", "", ""), false, false),
        ] {
            assert_eq!((ann.differs_from(&other), other.differs_from(&ann)), (differs, differs), "{other:?}");
            assert_eq!((ann.shares_with(&other), other.shares_with(&ann)), (shares, shares), "{other:?}");
        }
        assert!(!person("c-1", "", "").differs_from(&person("", "ann@example.org", "")));
    }
}
