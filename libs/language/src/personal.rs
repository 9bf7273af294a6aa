//! Finds what tells who somebody is: telephone numbers, e-mail addresses, identity numbers,
//! bank cards and accounts, in whatever script they are written.
//!
//! Each is known by its form, and where there is one by its check digit: dates, sums and most
//! order numbers are none of them. Numbers that anybody may call (400, 800 and the like) are
//! not personal. What has the form and is something else is found, too: whoever writes a text
//! for others can say it otherwise, and a number that is told cannot be taken back.

use std::fmt;
use std::ops::Range;

/// What kind of detail it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DetailKind {
    /// A telephone number.
    Telephone,
    /// An e-mail address.
    Email,
    /// The number of a Chinese resident's identity card.
    Identity,
    /// The number of a bank card.
    Card,
    /// The number of a bank account (IBAN).
    Account,
}

impl fmt::Display for DetailKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Telephone => "a telephone number",
            Self::Email => "an e-mail address",
            Self::Identity => "an identity number",
            Self::Card => "the number of a bank card",
            Self::Account => "the number of a bank account",
        })
    }
}

/// A personal detail in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail<K = DetailKind> {
    /// What it is.
    pub kind: K,
    /// The line it begins in, from 1.
    pub line: usize,
    /// Its first character in that line, from 1.
    pub column: usize,
    /// Its characters in the text, from 0.
    pub characters: Range<usize>,
}

/// The personal details of a text, in the order they stand in.
pub fn personal_details(text: &str) -> Vec<Detail> {
    let signs: Vec<char> = text.chars().map(narrow).collect();
    placed(text, by_form(signs))
}

/// What is known by its form among the signs of a text, in the order it stands in.
pub(crate) fn by_form(mut signs: Vec<char>) -> Vec<Found> {
    let mut found = emails(&signs);
    blank(&mut signs, &found);
    let accounts = accounts(&signs);
    blank(&mut signs, &accounts);
    found.extend(accounts);
    found.extend(numbers(&signs));
    found.sort_by_key(|(_, range)| range.start);
    found
}

/// What was found, and which characters it is.
pub(crate) type Found<K = DetailKind> = (K, Range<usize>);

/// What was found is not looked at again.
fn blank(signs: &mut [char], found: &[Found]) {
    for (_, range) in found {
        signs[range.clone()].fill('\n');
    }
}

/// A sign as wide as a Chinese character is the sign itself.
pub(crate) fn narrow(c: char) -> char {
    match c {
        '！'..='～' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{3000}' | '\u{a0}' => ' ',
        '–' | '—' | '‐' | '‑' => '-',
        _ => c,
    }
}

/// Where in a text things stand that were found in it, in their order.
pub(crate) fn placed<K>(text: &str, found: Vec<Found<K>>) -> Vec<Detail<K>> {
    let mut details = Vec::with_capacity(found.len());
    let mut found = found.into_iter().peekable();
    let (mut line, mut column) = (1, 1);
    for (at, c) in text.chars().enumerate() {
        while let Some((kind, characters)) = found.next_if(|(_, range)| range.start == at) {
            details.push(Detail { kind, line, column, characters });
        }
        (line, column) = if c == '\n' { (line + 1, 1) } else { (line, column + 1) };
    }
    details
}

fn emails(signs: &[char]) -> Vec<Found> {
    let is_local = |c: &&char| c.is_ascii_alphanumeric() || "._%+-".contains(**c);
    let is_domain = |c: &&char| c.is_ascii_alphanumeric() || **c == '.' || **c == '-';
    let mut found: Vec<Found> = Vec::new();
    for (at, _) in signs.iter().enumerate().filter(|(_, c)| **c == '@') {
        let start = at - signs[..at].iter().rev().take_while(is_local).count();
        let domain: String = signs[at + 1..].iter().take_while(is_domain).collect();
        let domain = domain.trim_end_matches(['.', '-']);
        let Some((name, top)) = domain.rsplit_once('.') else { continue };
        let is_top = top.len() >= 2 && top.bytes().all(|b| b.is_ascii_alphabetic());
        let is_after_another = found.last().is_some_and(|(_, range)| start < range.end);
        if start < at && !name.is_empty() && is_top && !is_after_another {
            found.push((DetailKind::Email, start..at + 1 + domain.len()));
        }
    }
    found
}

/// Lengths of IBANs by country.
const IBAN_LENGTHS: [(&str, usize); 24] = [
    ("AT", 20),
    ("BE", 16),
    ("CH", 21),
    ("CZ", 24),
    ("DE", 22),
    ("DK", 18),
    ("ES", 24),
    ("FI", 18),
    ("FR", 27),
    ("GB", 22),
    ("GR", 27),
    ("HU", 28),
    ("IE", 22),
    ("IT", 27),
    ("LU", 20),
    ("NL", 18),
    ("NO", 15),
    ("PL", 28),
    ("PT", 25),
    ("RO", 24),
    ("SE", 24),
    ("SA", 24),
    ("AE", 23),
    ("TR", 26),
];

fn accounts(signs: &[char]) -> Vec<Found> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < signs.len() {
        let is_begun = at > 0 && signs[at - 1].is_ascii_alphanumeric();
        match account(&signs[at..]).filter(|_| !is_begun) {
            Some(length) => {
                found.push((DetailKind::Account, at..at + length));
                at += length;
            }
            None => at += 1,
        }
    }
    found
}

/// How long the IBAN is that a text begins with.
fn account(signs: &[char]) -> Option<usize> {
    let first = signs.get(..2)?;
    if !first.iter().all(char::is_ascii_alphabetic) {
        return None;
    }
    let country: String = first.iter().map(char::to_ascii_uppercase).collect();
    let (_, length) = IBAN_LENGTHS.iter().find(|(code, _)| *code == country)?;
    let (mut plain, mut taken) = (String::new(), 0);
    for sign in signs {
        if plain.len() == *length {
            break;
        }
        match sign {
            c if c.is_ascii_alphanumeric() => plain.push(c.to_ascii_uppercase()),
            ' ' if !plain.is_empty() => {}
            _ => return None,
        }
        taken += 1;
    }
    // ISO 13616: what follows the check digits, then country and check digits, of remainder 1.
    let turned = plain.get(4..)?.chars().chain(plain[..4].chars());
    let remainder = turned
        .filter_map(|c| c.to_digit(36))
        .fold(0, |rest, value| if value > 9 { (rest * 100 + value) % 97 } else { (rest * 10 + value) % 97 });
    (plain.len() == *length && remainder == 1).then_some(taken)
}

/// Digits that follow each other.
#[derive(Clone, Debug)]
struct Group {
    digits: String,
    start: usize,
    /// What stands between it and the group before, within the same number.
    parted: String,
}

impl Group {
    fn end(&self) -> usize {
        self.start + self.digits.len()
    }
}

/// Most signs between two groups of a number.
const MOST_BETWEEN: usize = 3;
/// Most groups of a number.
const MOST_GROUPS: usize = 6;

/// Groups of digits that may be one number: what stands between them is no more than a few
/// spaces, hyphens, brackets or points.
fn runs(signs: &[char]) -> Vec<Vec<Group>> {
    let mut runs: Vec<Vec<Group>> = Vec::new();
    let mut at = 0;
    while let Some(start) = (at..signs.len()).find(|at| signs[*at].is_ascii_digit()) {
        let digits: String = signs[start..].iter().take_while(|c| c.is_ascii_digit()).collect();
        let parted: String = signs[at..start].iter().collect();
        let follows = start > 0
            && parted.chars().count() <= MOST_BETWEEN
            && parted.chars().all(|c| " -().".contains(c))
            && !parted.contains(". ");
        at = start + digits.len();
        let group = Group { digits, start, parted };
        match runs.last_mut().filter(|_| follows) {
            Some(run) => run.push(group),
            None => runs.push(vec![Group { parted: String::new(), ..group }]),
        }
    }
    runs
}

fn numbers(signs: &[char]) -> Vec<Found> {
    let mut found = Vec::new();
    for run in runs(signs) {
        let mut first = 0;
        while first < run.len() {
            let most = run.len().min(first + MOST_GROUPS);
            // The longest first: a card is not told apart into telephones.
            let longest = (first + 1..=most).rev().find_map(|end| {
                let (kind, range) = number(signs, &run[first..end])?;
                Some((kind, range, end))
            });
            match longest {
                Some((kind, range, end)) => {
                    found.push((kind, range));
                    first = end;
                }
                None => first += 1,
            }
        }
    }
    found
}

/// What groups of digits are, taken as one number.
fn number(signs: &[char], groups: &[Group]) -> Option<Found> {
    let (first, last) = (groups.first()?, groups.last()?);
    let before = |back: usize| first.start.checked_sub(back).map(|at| signs[at]);
    let after = signs.get(last.end()).copied();
    let bare = first.start..last.end();
    if is_identity(groups, after) {
        let end = bare.end + usize::from(digits(groups).len() == 17);
        return Some((DetailKind::Identity, bare.start..end));
    }
    // Part of a code of letters and digits.
    let is_letter = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if is_letter(before(1)) || is_letter(after) {
        return None;
    }
    if is_card(groups) {
        return Some((DetailKind::Card, bare));
    }
    let back = match (before(1), before(2)) {
        (Some('+'), _) => 1,
        (Some('('), Some('+')) => 2,
        _ => 0,
    };
    let is_international = back > 0;
    is_telephone(groups, is_international).then(|| (DetailKind::Telephone, bare.start - back..bare.end))
}

fn digits(groups: &[Group]) -> String {
    groups.iter().map(|group| group.digits.as_str()).collect()
}

fn lengths(groups: &[Group]) -> Vec<usize> {
    groups.iter().map(|group| group.digits.len()).collect()
}

/// GB 11643: region, day of birth, order and check digit, which may be an X.
fn is_identity(groups: &[Group], after: Option<char>) -> bool {
    if !matches!(lengths(groups)[..], [17 | 18] | [6, 8, 3 | 4]) {
        return false;
    }
    let digits = digits(groups);
    let last = if digits.len() == 18 { digits.chars().next_back() } else { after };
    let number = |range: Range<usize>| digits.get(range).and_then(|part| part.parse::<u32>().ok());
    let year = number(6..10).is_some_and(|year| (1900..2100).contains(&year));
    let month = number(10..12).is_some_and(|month| (1..=12).contains(&month));
    let day = number(12..14).is_some_and(|day| (1..=31).contains(&day));
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = digits.chars().zip(weights).map(|(c, weight)| c.to_digit(10).unwrap_or(0) * weight).sum();
    let check = "10X98765432".chars().nth(usize::try_from(sum % 11).unwrap_or_default());
    year && month && day && last.map(|c| c.to_ascii_uppercase()) == check
}

/// ISO 7812: of networks that issue cards, of remainder 0 after Luhn.
fn is_card(groups: &[Group]) -> bool {
    let is_grouped = matches!(
        lengths(groups)[..],
        [13..=19] | [4, 6, 5] | [4, 4, 4, 1..=4] | [4, 4, 4, 4, 1..=3] | [6, 13]
    );
    let digits = digits(groups);
    let is_issued = digits.starts_with(['3', '4', '5', '6'])
        || digits.get(..2).is_some_and(|two| ("22"..="27").contains(&two));
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let value = u32::from(digit - b'0') * if place % 2 == 1 { 2 } else { 1 };
            value / 10 + value % 10
        })
        .sum();
    is_grouped && is_issued && (13..=19).contains(&digits.len()) && sum.is_multiple_of(10)
}

/// Prefixes of North American numbers that anybody may call.
pub(crate) const TOLL_FREE: [&str; 7] = ["800", "833", "844", "855", "866", "877", "888"];

fn is_telephone(groups: &[Group], is_international: bool) -> bool {
    let (digits, lengths) = (digits(groups), lengths(groups));
    if is_international {
        return (8..=15).contains(&digits.len()) && !digits.starts_with('0');
    }
    if let Some(abroad) = digits.strip_prefix("00") {
        return (9..=15).contains(&abroad.len()) && !abroad.starts_with('0') && lengths[0] != 1;
    }
    let at_home = digits.strip_prefix("86").unwrap_or(&digits);
    let is_mobile = |number: &str| {
        number.len() == 11 && number.starts_with('1') && matches!(number.as_bytes()[1], b'3'..=b'9')
    };
    if is_mobile(&digits) && matches!(lengths[..], [11] | [3, 4, 4] | [3, 8] | [7, 4])
        || is_mobile(at_home) && matches!(lengths[..], [13] | [2, 11] | [2, 3, 4, 4])
    {
        return true;
    }
    // From the prefix of calls within the country.
    if digits.starts_with('0') {
        let is_parted =
            lengths.len() > 1 && (3..=5).contains(&lengths[0]) && (9..=12).contains(&digits.len());
        return is_parted || lengths.len() == 1 && (10..=12).contains(&digits.len());
    }
    let national = match lengths[..] {
        [3, 3, 4] => groups,
        [1, 3, 3, 4] if groups[0].digits == "1" => &groups[1..],
        _ => return false,
    };
    let is_of_area = |group: &Group| matches!(group.digits.as_bytes()[0], b'2'..=b'9');
    let is_alike = national[1].parted == national[2].parted || national[1].parted.contains(')');
    let area = national[0].digits.as_str();
    national[..2].iter().all(is_of_area) && is_alike && !TOLL_FREE.contains(&area) && area != "400"
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kinds(text: &str) -> Vec<DetailKind> {
        personal_details(text).into_iter().map(|detail| detail.kind).collect()
    }

    #[test]
    fn each_kind_is_found_however_it_is_written() {
        use DetailKind::{Account, Card, Email, Identity, Telephone};
        for (text, kind) in [
            ("13800138000", Telephone),
            ("１３８００１３８０００", Telephone),
            ("138-0013-8000", Telephone),
            ("+86 138 0013 8000", Telephone),
            ("0086 13800138000", Telephone),
            ("86 13800138000", Telephone),
            ("010-88886666", Telephone),
            ("0755 8888 6666", Telephone),
            ("+44 (0)20 7946 0018", Telephone),
            ("07911 123456", Telephone),
            ("(212) 555-0143", Telephone),
            ("212.555.0143", Telephone),
            ("1-212-555-0143", Telephone),
            ("ann.lee+shop@mail.example.org", Email),
            ("ann＠example.org", Email),
            ("13800138000@qq.com", Email),
            ("11010519491231002X", Identity),
            ("110105 19491231 002x", Identity),
            ("440308199901101512", Identity),
            ("4111 1111 1111 1111", Card),
            ("4111111111111111", Card),
            ("3782-822463-10005", Card),
            ("6222021234567890128", Card),
            ("DE89 3704 0044 0532 0130 00", Account),
            ("gb82west12345698765432", Account),
        ] {
            let found = personal_details(text);
            let whole = 0..text.chars().count();
            let expected = if text.starts_with('(') && kind == Telephone { 1..whole.end } else { whole };
            let told: Vec<_> = found.iter().map(|one| (one.kind, one.characters.clone())).collect();
            assert_eq!(told, [(kind, expected)], "{text}");
        }
    }

    #[test]
    fn what_says_nothing_of_a_person_is_left_alone() {
        for text in [
            "On 2026-11-29 10:30 the parcel 2026-1129-0001 came, 3 of 12.",
            "Pay EUR 1 234 567.89 or 39.90, version 1.2.3.4, 192.168.10.254",
            "请拨打 400-820-8820 或 95588、12315",
            "call 1-800-555-0143 or 800 555 0143",
            "订单号 JD13800138000，SKU-A17，2026年11月29日24:00",
            "sha 4111111111111112, article A-17, lot L-9, § 24",
            "@everyone write to us @ the shop, a@b, x@y.1",
            "110105194912310021",
            "2026.11.29. 2026.11.30.",
            "",
        ] {
            assert_eq!(kinds(text), [], "{text}");
        }
    }

    #[test]
    fn it_is_told_where_each_stands() {
        let text = "请回电\n电话：13800138000，或写信 ann@example.org";
        let places: Vec<_> =
            personal_details(text).into_iter().map(|one| (one.kind, one.line, one.column)).collect();
        assert_eq!(places, [(DetailKind::Telephone, 2, 4), (DetailKind::Email, 2, 20)]);
    }

    proptest! {
        #[test]
        fn a_number_is_found_wherever_it_stands(
            before in "[a-z，。 ]{0,20}", after in "[，。 ][a-z，。 ]{0,20}", last in 0..10_000_000_u32,
        ) {
            let text = format!("{before} 139{last:08}{after}");
            let found = personal_details(&text);
            prop_assert_eq!(found.len(), 1, "{}", text);
            let start = before.chars().count() + 1;
            prop_assert_eq!(found[0].characters.clone(), start..start + 11);
        }

        #[test]
        fn any_text_is_read(text in "[0-9+()\\-. @a-zX\n]{0,80}") {
            let count = text.chars().count();
            for detail in personal_details(&text) {
                prop_assert!(detail.characters.start < detail.characters.end && detail.characters.end <= count);
            }
        }
    }
}
