//! In which encoding a text is written.
//!
//! Detectors count on pages of text. A file of complaints may have one short row, or only
//! its headings: of 5 811 pieces of complaints, two to eight characters each, `chardetng` knew
//! 84 of a hundred in GB18030, 91 in Big5 and none in UTF-16 without a mark. Here each
//! encoding a file may have is tried, and the reading that makes most sense is taken, which
//! was right for 99 of a hundred in each:
//!
//! | what a reading has | points, for each of its bytes |
//! |---|---|
//! | a heading that is known: of the mapping, of a complaint, or usual | 4 |
//! | a letter that is frequent in the languages of the encoding | 3 |
//! | a letter that is not rare, punctuation of those languages | 0 to 2 |
//! | a rare letter, or one of a script nobody writes in that encoding | -1 to -3 |
//! | a control character, a place of no character | -6 |
//! | bytes the encoding does not have | -8, for each such place |
//!
//! Equal readings are decided by their order in `CANDIDATES`, so that the same bytes
//! always read the same. A byte order mark is believed, and a text of ASCII alone is UTF-8.

mod letters;
mod score;

use std::fmt;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252,
};

use score::Score;

/// The encodings that are tried, besides one that a detector thinks of.
const CANDIDATES: [&Encoding; 9] =
    [UTF_8, GB18030, BIG5, WINDOWS_1252, SHIFT_JIS, EUC_KR, EUC_JP, UTF_16LE, UTF_16BE];
/// Bytes that are tried: more say nothing new.
const TRIED: usize = 32 * 1024;
/// Of so many bytes one at least is a control character, in UTF-16 of letters that are few.
const CONTROLS_OF_WIDE: usize = 4;

/// An encoding, and what it was recognised by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recognised {
    /// The encoding; GBK, which is part of GB18030, is told as that.
    pub encoding: &'static Encoding,
    /// What tells it.
    pub why: Why,
}

/// What an encoding was recognised by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// Its byte order mark.
    Mark,
    /// Every byte is ASCII.
    Ascii,
    /// Headings that are known are read in it; the first of them.
    Headings(String),
    /// Its letters are the likeliest.
    Letters,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mark => f.write_str("it begins with its mark"),
            Self::Ascii => f.write_str("it is all ASCII"),
            Self::Headings(heading) => write!(f, "so read, {heading} is a heading"),
            Self::Letters => f.write_str("so read, its letters are the likeliest"),
        }
    }
}

/// The encoding people name: `gbk`, `utf-16le`, `windows-1252`, as browsers know them.
///
/// # Errors
///
/// Fails if there is no encoding of that name.
pub fn named(name: &str) -> Result<&'static Encoding, String> {
    let known = Encoding::for_label(name.trim().as_bytes());
    let known = known.ok_or_else(|| format!("{name} is no encoding: utf-8, gb18030, utf-16le, …"))?;
    Ok(if known == GBK { GB18030 } else { known })
}

/// The encoding of a text that begins like this; `headings` are those its first row may
/// have, besides usual ones.
pub fn recognised(sample: &[u8], headings: &[&str]) -> Recognised {
    if let Some((encoding, _)) = Encoding::for_bom(sample) {
        return Recognised { encoding, why: Why::Mark };
    }
    // The zeros of wide English, the fours of wide Russian.
    let is_control = |byte: &&u8| byte.is_ascii_control() && !byte.is_ascii_whitespace();
    let controls = sample.iter().filter(is_control).count();
    if sample.is_ascii() && controls * CONTROLS_OF_WIDE < sample.len().max(1) {
        return Recognised { encoding: UTF_8, why: Why::Ascii };
    }
    let excerpt = excerpt(sample);
    let guess = detected(&excerpt);
    let other = (!CANDIDATES.contains(&guess)).then_some(guess);
    let mut best: Option<(&'static Encoding, Score)> = None;
    for encoding in CANDIDATES.into_iter().chain(other) {
        // UTF-16 has no lines to begin at: its letters are pairs from the first byte on.
        let is_wide = encoding == UTF_16LE || encoding == UTF_16BE;
        let tried = if is_wide { &sample[..sample.len().min(TRIED)] } else { &excerpt };
        let mut score = Score::of(encoding, tried, headings);
        // Of long characters the detector knows no better.
        score.points += i64::from(encoding == guess && guess.is_single_byte());
        if best.as_ref().is_none_or(|(_, best)| score.points > best.points) {
            best = Some((encoding, score));
        }
    }
    let (encoding, score) = best.unwrap_or((UTF_8, Score::default()));
    Recognised { encoding, why: score.heading.map_or(Why::Letters, Why::Headings) }
}

/// What a detector of web pages makes of it.
fn detected(sample: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(sample, false);
    match detector.guess(None, Utf8Detection::Allow) {
        encoding if encoding == GBK => GB18030,
        encoding => encoding,
    }
}

/// The first line, and lines from the first on that is not all ASCII. No byte of a longer
/// character is a line end in any encoding but UTF-16.
fn excerpt(sample: &[u8]) -> Vec<u8> {
    let head = sample.iter().position(|byte| *byte == b'\n').map_or(sample.len(), |end| end + 1);
    let rest = &sample[head..];
    let first = rest.iter().position(|byte| !byte.is_ascii()).unwrap_or(0);
    let begin = rest[..first].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let rest = &rest[begin..];
    [&sample[..head.min(TRIED)], &rest[..rest.len().min(TRIED)]].concat()
}
