//! Bytes to text: of the charset they are said to be of where that fits, else of the one
//! they look like. What is said is often wrong: GB2312 holds characters of GBK and GB18030,
//! ISO-8859-1 those of Windows, and nothing at all is said of raw headers.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, ISO_2022_JP, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE,
    WINDOWS_1252,
};
use mail_parser::decoders::charsets::map::charset_decoder;

use crate::remark::{Remark, Remarks, said};

/// Most bytes that are looked at to guess a charset.
const MAX_LOOK: usize = 64 * 1024;
/// Names that mail programs give charsets, and the standard of browsers does not know.
const ALIASES: [(&str, &Encoding); 33] = [
    ("gb-18030", GB18030),
    ("gb18030-2000", GB18030),
    ("gb18030-2005", GB18030),
    ("gb18030-2022", GB18030),
    ("gb-2312", GB18030),
    ("gb2312-80", GB18030),
    ("gb2312.1980-0", GB18030),
    ("gb2312-1980", GB18030),
    ("gb-k", GB18030),
    ("cp936", GB18030),
    ("ms936", GB18030),
    ("936", GB18030),
    ("windows-936", GB18030),
    ("euc-cn", GB18030),
    ("euccn", GB18030),
    ("cp950", BIG5),
    ("ms950", BIG5),
    ("950", BIG5),
    ("windows-950", BIG5),
    ("big-5", BIG5),
    ("big5hk", BIG5),
    ("big5-eten", BIG5),
    ("cp932", SHIFT_JIS),
    ("ms932", SHIFT_JIS),
    ("iso-2022-jp-ms", ISO_2022_JP),
    ("iso-2022-jp-1", ISO_2022_JP),
    ("eucjp", EUC_JP),
    ("cp949", EUC_KR),
    ("ms949", EUC_KR),
    ("utf8mb4", UTF_8),
    ("utf-8-mac", UTF_8),
    ("latin-1", WINDOWS_1252),
    ("iso-8859-1-windows-1252", WINDOWS_1252),
];

/// What the rest of a mail lets expect of bytes that do not say what they are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hints {
    /// A charset the mail names, but Unicode, or what its unnamed bytes look like together.
    pub(crate) text: Option<&'static Encoding>,
    /// The last label of the sender's domain, in lower case; `cn` if other marks are Chinese.
    pub(crate) country: Option<String>,
}

/// Countries whose old charsets have characters of several bytes.
const MANY_BYTES: [&str; 8] = ["cn", "hk", "jp", "kp", "kr", "mo", "sg", "tw"];

impl Hints {
    /// Whether the mail comes from where characters have several bytes.
    fn is_of_many_bytes(&self) -> bool {
        self.text.is_some_and(|encoding| !encoding.is_single_byte())
            || self.country.as_deref().is_some_and(|country| MANY_BYTES.contains(&country))
    }
}

/// A charset by what a mail calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    Known(&'static Encoding),
    /// UTF-7 of RFC 2152.
    Utf7,
    /// HZ of RFC 1843: Chinese in seven bits.
    Hz,
    /// None is named, or one that says nothing: ASCII cannot hold what it is asked for.
    Silent,
    Unknown,
}

/// The encoding of a charset's name, if it is one of many bytes or an old one of one byte.
pub(crate) fn named(label: &str) -> Option<&'static Encoding> {
    if let Named::Known(encoding) = find(label) { Some(encoding) } else { None }
}

/// Whether the name of a charset is one of Chinese.
pub(crate) fn is_chinese(label: &str) -> bool {
    match find(label) {
        Named::Known(encoding) => encoding == GB18030 || encoding == BIG5,
        Named::Hz => true,
        _ => false,
    }
}

/// Text of bytes that are said to be of a charset; `label` is empty where none is said.
pub(crate) fn decode(bytes: &[u8], label: &str, hints: &Hints, remarks: &mut Remarks) -> String {
    let named = find(label);
    if bytes.is_ascii() && !is_stateful(named, bytes) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    match named {
        Named::Known(encoding) => known(bytes, label, encoding, hints, remarks),
        Named::Utf7 => charset_decoder(b"utf-7").map_or_else(String::new, |decode| decode(bytes)),
        Named::Hz => hz(bytes, remarks),
        Named::Silent => guessed(bytes, "", hints, remarks),
        Named::Unknown => guessed(bytes, label, hints, remarks),
    }
}

/// Whether ASCII bytes may stand for other characters.
fn is_stateful(named: Named, bytes: &[u8]) -> bool {
    match named {
        Named::Utf7 | Named::Hz => true,
        Named::Known(encoding) => !encoding.is_ascii_compatible(),
        Named::Silent | Named::Unknown => bytes.contains(&0x1b),
    }
}

fn find(label: &str) -> Named {
    let label = label.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ';'));
    let label = label.to_ascii_lowercase().replace('_', "-");
    let plain = label.strip_prefix("x-").unwrap_or(&label);
    if let Some((_, encoding)) = ALIASES.iter().find(|(alias, _)| *alias == plain || *alias == label) {
        return Named::Known(encoding);
    }
    match plain {
        "utf-7" | "unicode-1-1-utf-7" | "utf7" => return Named::Utf7,
        "hz-gb-2312" | "hz" | "hzgb2312" => return Named::Hz,
        "" | "us-ascii" | "ascii" | "ansi-x3.4-1968" | "unknown" | "unknown-8bit" | "default" | "binary"
        | "iso646-us" | "646" | "none" | "8bit" | "7bit" => return Named::Silent,
        _ => {}
    }
    // The standard's own names: with `_` as they are written there, or with `-`.
    let forms = [label.as_str(), plain, &label.replace('-', "_"), &plain.replace("gb-2312-80", "gb_2312-80")];
    match forms.iter().find_map(|form| Encoding::for_label_no_replacement(form.as_bytes())) {
        // One decoder for all of them: each holds the one before it.
        Some(encoding) if encoding == GBK => Named::Known(GB18030),
        Some(encoding) => Named::Known(encoding),
        None => Named::Unknown,
    }
}

fn known(
    bytes: &[u8],
    label: &str,
    encoding: &'static Encoding,
    hints: &Hints,
    remarks: &mut Remarks,
) -> String {
    let replaced =
        |used: &'static Encoding| Remark::CharsetReplaced { declared: said(label), used: used.name() };
    // `unicode` is UTF-16 to browsers, and what some programs call UTF-8.
    if (encoding == UTF_16LE || encoding == UTF_16BE)
        && !bytes.contains(&0)
        && let Ok(text) = std::str::from_utf8(bytes)
    {
        remarks.make(replaced(UTF_8));
        return text.to_owned();
    }
    if encoding != UTF_8
        && encoding.is_ascii_compatible()
        && let Some(text) = mistaken_utf8(bytes, encoding)
    {
        remarks.make(replaced(UTF_8));
        return text;
    }
    let bytes = &*without_idle_escapes(bytes, encoding);
    let (text, is_wrong) = encoding.decode_with_bom_removal(bytes);
    let is_latin = !is_wrong && encoding == WINDOWS_1252 && hints.is_of_many_bytes() && is_in_runs(bytes);
    if !is_wrong && !is_latin {
        return text.into_owned();
    }
    // More characters that are wrong than right: of another charset. Else damaged, or cut
    // in one. Nothing is ever wrong in Latin.
    let wrong = text.chars().filter(|c| *c == char::REPLACEMENT_CHARACTER).count();
    let right = text.chars().filter(|c| !c.is_ascii()).count() - wrong;
    let other = match encoding {
        _ if is_latin => Some(guess(bytes, hints)).filter(|other| !other.is_single_byte()),
        _ if wrong > right => Some(likely(bytes, hints)),
        _ => None,
    };
    let other = other.filter(|other| *other != encoding);
    if let Some(other) = other
        && let Some(text) = other.decode_without_bom_handling_and_without_replacement(bytes)
    {
        remarks.make(replaced(other));
        return text.into_owned();
    }
    if is_wrong {
        remarks.make(Remark::CharsetDamaged(encoding.name()));
    }
    text.into_owned()
}

/// Whether most bytes that are not ASCII stand together, as those of Chinese and its
/// neighbours do, and those of umlauts and accents do not.
fn is_in_runs(bytes: &[u8]) -> bool {
    const SHORTEST: usize = 4;
    let runs = bytes.split(u8::is_ascii).filter(|run| !run.is_empty());
    let (mut all, mut long) = (0, 0);
    for run in runs {
        all += run.len();
        long += if run.len() >= SHORTEST { run.len() } else { 0 };
    }
    long * 2 > all
}

/// Text in UTF-8 that is said to be of another charset: nothing of Latin looks like it by
/// chance, and of Chinese only the odd pair does.
fn mistaken_utf8(bytes: &[u8], encoding: &'static Encoding) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    let long = text.chars().filter(|c| c.len_utf8() > 2).count();
    let short = text.chars().filter(|c| c.len_utf8() == 2).count();
    let is_one = if encoding.is_single_byte() { long + short > 0 } else { long >= 2 && short == 0 };
    is_one.then(|| text.to_owned())
}

fn guessed(bytes: &[u8], label: &str, hints: &Hints, remarks: &mut Remarks) -> String {
    let encoding = likely(bytes, hints);
    let bytes = &*without_idle_escapes(bytes, encoding);
    let (text, is_wrong) = encoding.decode_with_bom_removal(bytes);
    if encoding != UTF_8 || !label.is_empty() {
        remarks.make(Remark::CharsetGuessed { declared: said(label), used: encoding.name() });
    }
    if is_wrong {
        remarks.make(Remark::CharsetDamaged(encoding.name()));
    }
    text.into_owned()
}

/// What bytes look like: UTF-8, then what the mail's text is of, then what their letters are
/// most often found in.
fn likely(bytes: &[u8], hints: &Hints) -> &'static Encoding {
    if std::str::from_utf8(bytes).is_ok() && !bytes.contains(&0x1b) {
        return UTF_8;
    }
    let fits = |encoding: &&'static Encoding| {
        let bytes = without_idle_escapes(bytes, encoding);
        encoding.decode_without_bom_handling_and_without_replacement(&bytes).is_some()
    };
    if let Some(encoding) = hints.text.filter(fits) {
        return encoding;
    }
    guess(bytes, hints)
}

/// The charset that letters are most often found in together as here.
pub(crate) fn guess(bytes: &[u8], hints: &Hints) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes.get(..MAX_LOOK).unwrap_or(bytes), true);
    let country = hints.country.as_deref().filter(|tld| tld.bytes().all(|byte| byte.is_ascii_lowercase()));
    let guess = detector.guess(country.map(str::as_bytes), Utf8Detection::Allow);
    if guess == GBK { GB18030 } else { guess }
}

/// ISO-2022-JP without the escapes that another one follows at once. Words of a header that
/// are joined have them, and some texts; the decoder, which is one of browsers, takes each
/// for an attempt to hide something and puts `U+FFFD` there.
fn without_idle_escapes<'a>(bytes: &'a [u8], encoding: &Encoding) -> Cow<'a, [u8]> {
    const ESCAPE: u8 = 0x1b;
    const LENGTH: usize = 3;
    let is_idle = |window: &[u8]| window.first() == Some(&ESCAPE) && window.get(LENGTH) == Some(&ESCAPE);
    if encoding != ISO_2022_JP || !bytes.windows(LENGTH + 1).any(is_idle) {
        return Cow::Borrowed(bytes);
    }
    let (mut kept, mut rest) = (Vec::with_capacity(bytes.len()), bytes);
    while let Some((first, tail)) = rest.split_first() {
        if is_idle(rest) {
            rest = rest.get(LENGTH..).unwrap_or_default();
        } else {
            kept.push(*first);
            rest = tail;
        }
    }
    Cow::Owned(kept)
}

/// HZ: `~{` begins pairs of seven bits that are GB2312 without its highest ones, `~}` ends
/// them, `~~` is a tilde.
fn hz(bytes: &[u8], remarks: &mut Remarks) -> String {
    let (mut gb, mut is_chinese, mut rest) = (Vec::with_capacity(bytes.len()), false, bytes);
    while let Some((first, tail)) = rest.split_first() {
        let second = tail.first().copied().unwrap_or_default();
        let taken = match (*first, second) {
            (b'~', b'{') => {
                is_chinese = true;
                2
            }
            (b'~', b'}') => {
                is_chinese = false;
                2
            }
            (b'~', b'~') if !is_chinese => {
                gb.push(b'~');
                2
            }
            (first, second) if is_chinese && first > b' ' && second > b' ' => {
                gb.extend([first | 0x80, second | 0x80]);
                2
            }
            (first, _) => {
                is_chinese &= first != b'\n';
                gb.push(first);
                1
            }
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    let (text, is_wrong) = GB18030.decode_without_bom_handling(&gb);
    if is_wrong {
        remarks.make(Remark::CharsetDamaged("HZ-GB-2312"));
    }
    text.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], label: &str) -> (String, Vec<&'static str>) {
        let mut remarks = Remarks::default();
        let text = decode(bytes, label, &Hints::default(), &mut remarks);
        (text, remarks.into_vec().iter().map(Remark::code).collect())
    }

    #[test]
    fn gb2312_holds_what_only_gbk_and_gb18030_have() {
        // 镕 is of GBK, € of GBK at 0x80, 㐂 of four bytes of GB18030.
        let (bytes, _, _) = GB18030.encode("朱镕㐂的包裹");
        for label in ["gb2312", "GB_2312-80", "\"GBK\"", "x-gbk", "GB18030", "cp936", "euc-cn"] {
            assert_eq!(read(&bytes, label), ("朱镕㐂的包裹".to_owned(), vec![]), "{label}");
            assert!(is_chinese(label), "{label}");
        }
        assert!(is_chinese("big5") && is_chinese("HZ-GB-2312"));
        assert!(!is_chinese("utf-8") && !is_chinese("us-ascii") && !is_chinese("x-other"));
    }

    #[test]
    fn latin_is_of_windows_and_utf8_is_not_latin() {
        assert_eq!(read(b"\x93\x80 5\x94", "iso-8859-1"), ("“€ 5”".to_owned(), vec![]));
        assert_eq!(
            read("für Händler".as_bytes(), "iso-8859-1"),
            ("für Händler".to_owned(), vec!["CHARSET_REPLACED"])
        );
        assert_eq!(read("包裹坏了".as_bytes(), "gb2312"), ("包裹坏了".to_owned(), vec!["CHARSET_REPLACED"]));
        assert_eq!(read("包裹坏了".as_bytes(), "unicode"), ("包裹坏了".to_owned(), vec!["CHARSET_REPLACED"]));
        assert_eq!(read(b"\x05\x53\xf9\x88 \0", "unicode").0, "包裹 ");
        assert_eq!(read("包裹坏了".as_bytes(), "us-ascii"), ("包裹坏了".to_owned(), vec![]));
        assert_eq!(read("包裹坏了".as_bytes(), "x-other"), ("包裹坏了".to_owned(), vec!["CHARSET_GUESSED"]));
    }

    #[test]
    fn what_is_said_wrongly_is_read_as_what_it_looks_like() {
        let text = "我的包裹坏了，请尽快处理，谢谢。";
        let (bytes, _, _) = GB18030.encode(text);
        assert_eq!(read(&bytes, "utf-8"), (text.to_owned(), vec!["CHARSET_REPLACED"]));
        assert_eq!(read(&bytes, ""), (text.to_owned(), vec!["CHARSET_GUESSED"]));
        let (cut, codes) = read(&bytes[..bytes.len() - 1], "gbk");
        assert_eq!(
            (cut.as_str(), codes),
            ("我的包裹坏了，请尽快处理，谢谢\u{fffd}", vec!["CHARSET_DAMAGED"])
        );
    }

    #[test]
    fn seven_bits_hold_other_scripts_too() {
        assert_eq!(read(b"~{0|9|~}ok~~\n", "hz-gb-2312"), ("包裹ok~\n".to_owned(), vec![]));
        assert_eq!(read(b"\x1b$B>.Jq\x1b(B", "ISO-2022-JP"), ("小包".to_owned(), vec![]));
        let joined = b"\x1b$B>.\x1b(B\x1b$BJq\x1b(B";
        assert_eq!(read(joined, "ISO-2022-JP"), ("小包".to_owned(), vec![]));
        assert_eq!(read(b"\x1b$B>.Jq$,FO$+$J$$\x1b(B", "").0, "小包が届かない");
        assert_eq!(read(b"+UwWI+Q-", "utf-7").0, "包裹");
    }
}
