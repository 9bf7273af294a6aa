//! Numbers as people write them, read exactly.
//!
//! `1,280.50`, `1.280,50`, `1 280,50`, `1'280.50`, `１２８．５０` and `1.2万` are numbers.
//! Where nobody says what the decimal mark is, it is the point, and commas stand between
//! thousands; a number that both marks are in says by itself which is which. What would
//! be a number only if the comma were the decimal mark (`12,50`) is not guessed.

use thiserror::Error;

use crate::narrow;

/// Most digits of a number; no sum that is true has more.
const MAX_DIGITS: usize = 18;
/// Most digits after the decimal mark.
const MAX_DECIMALS: usize = 9;
/// What stands between thousands besides the mark that is not the decimal one.
const GAPS: [char; 2] = [' ', '\''];
/// What a word after a number multiplies it by: so many zeros.
const MYRIADS: [(char, usize); 4] = [('万', 4), ('萬', 4), ('亿', 8), ('億', 8)];

/// What of a number is the decimal mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// `1,280.50`.
    Point,
    /// `1.280,50`.
    Comma,
}

impl Mark {
    /// The mark as it is written.
    pub fn as_char(self) -> char {
        match self {
            Self::Point => '.',
            Self::Comma => ',',
        }
    }

    fn other(self) -> char {
        match self {
            Self::Point => ',',
            Self::Comma => '.',
        }
    }
}

/// A number: whole and billionth parts, both of the same sign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decimal {
    /// The whole part.
    pub units: i64,
    /// Billionth parts, less than 1 000 000 000.
    pub nanos: i32,
}

/// Why a text is no number.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum NotANumber {
    /// It is something else.
    #[error("is no number such as 128.50")]
    Other,
    /// It would be one if the comma were the decimal mark, which nobody says.
    #[error("may have a comma for its decimal mark: [numbers] decimal = \",\" says so")]
    CommaUnexplained,
    /// The marks between thousands do not stand between thousands.
    #[error("has marks that stand neither between thousands nor before decimals")]
    Misgrouped,
    /// More decimal places than can be kept.
    #[error("has more than nine decimal places")]
    TooFine,
    /// More digits than a number may have.
    #[error("has more than 18 digits")]
    TooLong,
}

/// Reads a number; `mark` is the decimal mark, where somebody says so.
///
/// # Errors
///
/// Says why the text is no number, or may be two.
pub fn decimal(text: &str, mark: Option<Mark>) -> Result<Decimal, NotANumber> {
    let text = narrow(text);
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest.trim_start()),
        None => (false, text.strip_prefix('+').unwrap_or(&text)),
    };
    let (digits, zeros) =
        match MYRIADS.iter().find_map(|(word, zeros)| Some((text.strip_suffix(*word)?, *zeros))) {
            Some((rest, zeros)) => (rest.trim_end(), zeros),
            None => (text, 0),
        };
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',') || GAPS.contains(&c);
    if !digits.starts_with(|c: char| c.is_ascii_digit()) || !digits.chars().all(is_number) {
        return Err(NotANumber::Other);
    }
    let (mark, said) = match mark {
        Some(mark) => (mark, true),
        None => shown(digits),
    };
    let (whole, fraction) = match digits.split_once(mark.as_char()) {
        Some((_, "")) => return Err(NotANumber::Other),
        Some(parts) => parts,
        None => (digits, ""),
    };
    if fraction.contains(|c: char| !c.is_ascii_digit()) {
        return Err(NotANumber::Misgrouped);
    }
    let whole = ungrouped(whole, mark).ok_or({
        let comma_only = !said && mark == Mark::Point && fraction.is_empty() && digits.contains(',');
        if comma_only && digits.matches(',').count() == 1 {
            NotANumber::CommaUnexplained
        } else {
            NotANumber::Misgrouped
        }
    })?;
    exact(negative, &whole, fraction, zeros)
}

/// The decimal mark a number shows by itself, and whether it does.
fn shown(digits: &str) -> (Mark, bool) {
    let (points, commas) = (digits.matches('.').count(), digits.matches(',').count());
    let last_is_comma = digits.rfind(',') > digits.rfind('.');
    match (points, commas) {
        // 1.280,50
        (1.., 1) if last_is_comma => (Mark::Comma, true),
        // 1.280.500
        (2.., 0) => (Mark::Comma, true),
        // 1 280,50
        (0, 1) if digits.contains(GAPS) => (Mark::Comma, true),
        _ => (Mark::Point, false),
    }
}

/// The digits of a whole number, if what stands between them stands between thousands.
fn ungrouped(whole: &str, mark: Mark) -> Option<String> {
    let between = |c: char| c == mark.other() || GAPS.contains(&c);
    let Some(gap) = whole.chars().find(|c| between(*c)) else {
        return (!whole.is_empty()).then(|| whole.to_owned());
    };
    let mut groups = whole.split(gap);
    let first = groups.next()?;
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let mut digits = are_digits(first).then(|| first.to_owned()).filter(|first| first.len() <= 3)?;
    for group in groups {
        if group.len() != 3 || !are_digits(group) {
            return None;
        }
        digits.push_str(group);
    }
    Some(digits)
}

fn exact(negative: bool, whole: &str, fraction: &str, zeros: usize) -> Result<Decimal, NotANumber> {
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > MAX_DECIMALS + zeros {
        return Err(NotANumber::TooFine);
    }
    // The decimal mark moves to the right by as many places as there are zeros.
    let moved = format!("{fraction:0<zeros$}");
    let (more, fraction) = moved.split_at(zeros);
    let whole = format!("{whole}{more}");
    let whole = whole.trim_start_matches('0');
    if whole.len() > MAX_DIGITS {
        return Err(NotANumber::TooLong);
    }
    let units: i64 = format!("0{whole}").parse().map_err(|_| NotANumber::TooLong)?;
    let nanos: i32 = format!("{fraction:0<9}").parse().map_err(|_| NotANumber::TooFine)?;
    Ok(if negative { Decimal { units: -units, nanos: -nanos } } else { Decimal { units, nanos } })
}
