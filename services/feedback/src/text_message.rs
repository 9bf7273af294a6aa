//! Text messages: in how many parts a text goes, and what of it fits.
//!
//! A text of the GSM 7-bit alphabet (3GPP TS 23.038) has 160 septets in one message, 153 in
//! each of several; signs of its extension table take two. Any other text is UCS-2: 70
//! units of UTF-16, 67 in each of several.

/// Most parts of a text that is sent.
pub const MAX_PARTS: usize = 4;
/// What stands for the rest of a text that was cut.
const REST: &str = "...";
/// Signs of the basic alphabet.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿\
                     abcdefghijklmnopqrstuvwxyzäöñüà";
/// Signs of its extension.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// How the signs of a text are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// In septets of the GSM alphabet.
    Gsm7,
    /// In 16-bit units.
    Ucs2,
}

impl Encoding {
    /// The encoding a text needs.
    pub fn of(text: &str) -> Self {
        if text.chars().all(|sign| septets(sign).is_some()) { Self::Gsm7 } else { Self::Ucs2 }
    }

    /// How many units a sign takes.
    fn units(self, sign: char) -> usize {
        match self {
            Self::Gsm7 => septets(sign).unwrap_or(0),
            Self::Ucs2 => sign.len_utf16(),
        }
    }

    /// Units of one message, and of each part of several.
    const fn room(self) -> (usize, usize) {
        match self {
            Self::Gsm7 => (160, 153),
            Self::Ucs2 => (70, 67),
        }
    }
}

fn septets(sign: char) -> Option<usize> {
    if BASIC.contains(sign) { Some(1) } else { EXTENSION.contains(sign).then_some(2) }
}

/// How many parts a text goes in; no sign is split between two.
pub fn parts(text: &str) -> usize {
    let encoding = Encoding::of(text);
    let (single, each) = encoding.room();
    if text.chars().map(|sign| encoding.units(sign)).sum::<usize>() <= single {
        return 1;
    }
    let (mut parts, mut used) = (1, 0);
    for units in text.chars().map(|sign| encoding.units(sign)) {
        if used + units > each {
            (parts, used) = (parts + 1, 0);
        }
        used += units;
    }
    parts
}

/// A text in at most [`MAX_PARTS`]; of a longer one the beginning.
pub fn fit(text: &str) -> String {
    if parts(text) <= MAX_PARTS {
        return text.to_owned();
    }
    let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    // The longest beginning that fits: the more is kept, the more parts there are.
    let fitting = ends.partition_point(|end| parts(&format!("{}{REST}", &text[..*end])) <= MAX_PARTS);
    let end = ends.get(fitting.saturating_sub(1)).copied().unwrap_or(0);
    format!("{}{REST}", &text[..end])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parts_are_counted_as_gateways_count_them() {
        let many = |sign: &str, count: usize| sign.repeat(count);
        for (text, expected) in [
            (String::new(), 1),
            (many("a", 160), 1),
            (many("a", 161), 2),
            (many("a", 306), 2),
            (many("a", 307), 3),
            (many("€", 80), 1),
            (many("€", 81), 2),
            // Two septets do not fit where one is left of 153: 76 in each part.
            (many("€", 152), 2),
            (many("€", 153), 3),
            (many("投", 70), 1),
            (many("投", 71), 2),
            (many("投", 134), 2),
            (many("投", 135), 3),
            // A pair of units is not split: 33 in each part.
            (many("😀", 35), 1),
            (many("😀", 36), 2),
            (many("😀", 66), 2),
            (many("😀", 67), 3),
            (format!("{}ç", many("a", 69)), 1),
            (format!("{}ç", many("a", 70)), 2),
        ] {
            assert_eq!(parts(&text), expected, "{} signs of {:?}", text.chars().count(), text.chars().next());
        }
    }

    #[test]
    fn one_sign_of_another_alphabet_makes_it_ucs_2() {
        assert_eq!(Encoding::of("Dear Ada, 10 € [x] {y} ~ ^ \\ |"), Encoding::Gsm7);
        assert_eq!(Encoding::of("Ça va"), Encoding::Gsm7);
        assert_eq!(Encoding::of("ça va"), Encoding::Ucs2);
        assert_eq!(Encoding::of("a – b"), Encoding::Ucs2);
        assert_eq!(Encoding::of("投诉"), Encoding::Ucs2);
    }

    proptest! {
        #[test]
        fn what_is_sent_fits_and_is_cut_only_where_it_must(text in "(.|[投诉€😀]){0,700}") {
            let sent = fit(&text);
            prop_assert!(parts(&sent) <= MAX_PARTS);
            let is_whole = sent == text;
            prop_assert_eq!(is_whole, parts(&text) <= MAX_PARTS);
            if let Some(begin) = sent.strip_suffix(REST).filter(|_| !is_whole) {
                prop_assert!(text.starts_with(begin));
            }
        }
    }
}
