//! Telephone numbers as people write them.
//!
//! Where the country is known a number is told as E.164, an extension after it as RFC 3966
//! has it: `+861065529988;ext=8001`. Masked numbers, `138****1234`, stay as they are: what
//! is hidden cannot be told. Numbers of emergency services and short codes are nobody's
//! number to be called at, and are refused.

use std::str::FromStr as _;

use phonenumber::Mode;
use phonenumber::country::Id;
use thiserror::Error;

use crate::narrow;

/// Most bytes of a number; what is longer is something else.
const MAX_TEXT: usize = 100;
/// Fewest and most digits of a number that is masked, the hidden ones counted.
const MASKED: std::ops::RangeInclusive<usize> = 7..=15;
/// Fewest that are hidden in it, and most.
const HIDDEN: std::ops::RangeInclusive<usize> = 2..=11;
/// Most digits of an extension.
const MAX_EXTENSION: usize = 7;
/// What stands before an extension; longer words first, in lower case.
const EXTENSIONS: [&str; 12] =
    [";ext=", "extension", "ext.", "ext", "durchwahl", "内线", "分机", "分機", "转", "轉", "#", "x"];
/// The prefix of international calls in so many countries that it is read as one in all.
const INTERNATIONAL: &str = "00";

/// A country whose numbers are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Country(Id);

impl Country {
    /// Reads the two letters of a country: `CN`, `de`.
    ///
    /// # Errors
    ///
    /// Fails if there is no such country.
    pub fn named(code: &str) -> Result<Self, String> {
        let id = Id::from_str(&code.trim().to_uppercase());
        id.map(Self).map_err(|_| format!("{code:?} is no country of two letters, such as CN"))
    }
}

/// Why a text is no telephone number.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum NotAPhone {
    /// It has what no number has.
    #[error("is no telephone number")]
    Other,
    /// It could not be called: the country has no such numbers.
    #[error("is no number that can be called, in its country")]
    NoSuch,
    /// There are several.
    #[error("has more than one number")]
    Several,
}

/// A number as E.164, or as it is where it is masked; `country` is that of numbers that
/// name none.
///
/// # Errors
///
/// Says why the text is no telephone number.
pub fn normalised(text: &str, country: Country) -> Result<String, NotAPhone> {
    let kept = text.trim();
    if kept.is_empty() || kept.len() > MAX_TEXT {
        return Err(NotAPhone::Other);
    }
    let plain = narrow(kept);
    if is_masked(&plain) {
        return Ok(kept.to_owned());
    }
    let (number, extension) = parted(&plain)?;
    let number = called(number)?;
    let read = phonenumber::parse(Some(country.0), &number).map_err(|_| NotAPhone::Other)?;
    let e164 = read.format().mode(Mode::E164).to_string();
    // The library reads nearly everything as some number: `110` as +86110.
    if !read.is_valid() {
        return Err(NotAPhone::NoSuch);
    }
    Ok(match extension {
        Some(extension) => format!("{e164};ext={extension}"),
        None => e164,
    })
}

/// Whether digits are hidden in it: `138****1234`, `138XXXX1234`.
fn is_masked(plain: &str) -> bool {
    let hides = |c: char| matches!(c, '*' | 'x' | 'X' | '•' | '●');
    let hidden = plain.chars().filter(|c| hides(*c)).count();
    let digits = plain.chars().filter(char::is_ascii_digit).count();
    let rest = plain.chars().filter(|c| !hides(*c) && !c.is_ascii_digit());
    HIDDEN.contains(&hidden)
        && MASKED.contains(&(hidden + digits))
        && digits > 0
        && rest.into_iter().all(|c| matches!(c, ' ' | '-' | '+' | '(' | ')'))
}

/// A number, and its extension.
fn parted(plain: &str) -> Result<(&str, Option<&str>), NotAPhone> {
    let lower = plain.to_ascii_lowercase();
    let found = EXTENSIONS.iter().find_map(|word| Some((lower.find(word)?, word.len())));
    let Some((place, length)) = found else { return Ok((plain, None)) };
    let extension = plain[place + length..].trim_matches([' ', ':', '.', '-']);
    let are_digits = !extension.is_empty() && extension.bytes().all(|b| b.is_ascii_digit());
    if !are_digits || extension.len() > MAX_EXTENSION {
        return Err(NotAPhone::Other);
    }
    Ok((plain[..place].trim_end_matches([' ', ',', ';', '-', '(']), Some(extension)))
}

/// The digits to be called, with a plus where they begin with a country's.
fn called(number: &str) -> Result<String, NotAPhone> {
    let lower = number.to_ascii_lowercase();
    let number = lower.strip_prefix("tel:").unwrap_or(&lower).trim();
    if number.contains(['/', ',', ';', '、']) {
        return Err(NotAPhone::Several);
    }
    let is_plain = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '-' | '.' | '(' | ')' | '+');
    if !number.chars().all(is_plain) || number.matches('+').count() > 1 {
        return Err(NotAPhone::Other);
    }
    // `+44 (0)20 …`: what is dialled within the country is not, from elsewhere.
    let number = if number.starts_with('+') { number.replacen("(0)", "", 1) } else { number.to_owned() };
    let starts_with_plus = number.trim_start_matches(['(', ' ']).starts_with('+');
    if number.contains('+') && !starts_with_plus {
        return Err(NotAPhone::Other);
    }
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    Ok(match digits.strip_prefix(INTERNATIONAL) {
        _ if starts_with_plus => format!("+{digits}"),
        Some(rest) => format!("+{rest}"),
        None => digits,
    })
}
