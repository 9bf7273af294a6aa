//! Text to bytes, as mail programs do it, well and badly.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use encoding_rs::Encoding;

/// Characters of an encoded word that is cut where it should be.
const WORD: usize = 12;
/// Bytes of one that is cut where it should not be.
const CUT: usize = 11;

/// A charset: what the mail says, and what its bytes are.
#[derive(Clone)]
pub(super) struct Charset {
    pub(super) label: String,
    pub(super) encoding: &'static Encoding,
}

impl Charset {
    /// Of `label = encoding`.
    pub(super) fn of(text: &str) -> Self {
        let (label, encoding) = text.split_once('=').unwrap();
        let encoding = Encoding::for_label(encoding.trim().as_bytes()).unwrap();
        Self { label: label.trim().to_owned(), encoding }
    }

    pub(super) fn bytes(&self, text: &str) -> Vec<u8> {
        let (bytes, _, is_wrong) = self.encoding.encode(text);
        assert!(!is_wrong, "{} does not hold {text}", self.encoding.name());
        bytes.into_owned()
    }

    /// What names it where bytes are encoded: what is not said there is UTF-8.
    fn named(&self) -> &str {
        if self.label.is_empty() || self.label == "us-ascii" { "utf-8" } else { &self.label }
    }
}

/// A text of a header.
pub(super) fn words(text: &str, mode: &str, charset: &Charset, odd: &str) -> Vec<u8> {
    if text.is_ascii() && mode != "q" {
        return text.as_bytes().to_vec();
    }
    let label = charset.named();
    let b = |label: &str, bytes: &[u8]| format!("=?{label}?B?{}?=", STANDARD.encode(bytes));
    let characters: Vec<char> = text.chars().collect();
    let pieces: Vec<String> = characters.chunks(WORD).map(|chunk| chunk.iter().collect()).collect();
    let all: Vec<String> = match mode {
        "raw" => return charset.bytes(text),
        "b" => pieces.iter().map(|piece| b(label, &charset.bytes(piece))).collect(),
        "q" => pieces.iter().map(|piece| format!("=?{label}?q?{}?=", q(&charset.bytes(piece)))).collect(),
        "split" => charset.bytes(text).chunks(CUT).map(|chunk| b(label, chunk)).collect(),
        "odd" => {
            let encoding = Encoding::for_label(odd.as_bytes()).unwrap();
            let (bytes, _, is_wrong) = encoding.encode(text);
            assert!(!is_wrong, "{odd} does not hold {text}");
            vec![b(odd, &bytes)]
        }
        _ => panic!("{mode} is no way to write a header"),
    };
    all.join("\r\n ").into_bytes()
}

fn q(bytes: &[u8]) -> String {
    let one = |byte: &u8| {
        if byte.is_ascii_alphanumeric() { char::from(*byte).to_string() } else { format!("={byte:02X}") }
    };
    bytes.iter().map(one).collect()
}

/// The parameter that names a file, and the one of the type, if there is one.
pub(super) fn name(name: &str, mode: &str, charset: &Charset) -> (Vec<u8>, Vec<u8>) {
    let label = charset.named();
    let percent = |bytes: &[u8]| -> Vec<String> { bytes.iter().map(|byte| format!("%{byte:02X}")).collect() };
    let coded = percent(&charset.bytes(name));
    let none = Vec::new();
    match mode {
        "2231" => (format!("; filename*={label}''{}", coded.concat()).into_bytes(), none),
        "2231-cut" => {
            let piece = |(at, piece): (usize, &[String])| {
                let start = if at == 0 { format!("{label}''") } else { String::new() };
                format!(";\r\n filename*{at}*={start}{}", piece.concat())
            };
            (coded.chunks(CUT).enumerate().map(piece).collect::<String>().into_bytes(), none)
        }
        "2047" => {
            let word = words(name, "b", charset, "");
            let quoted = |start: &str| [start.as_bytes(), &word, b"\""].concat();
            (quoted("; filename=\""), quoted(";\r\n name=\""))
        }
        "raw" => ([b"; filename=\"", charset.bytes(name).as_slice(), b"\""].concat(), none),
        "both" => {
            (format!("; filename=\"_____.dat\"; filename*={label}''{}", coded.concat()).into_bytes(), none)
        }
        _ => panic!("{mode} is no way to name a file"),
    }
}

/// A body, encoded for transfer.
pub(super) fn transfer(bytes: &[u8], mode: &str) -> Vec<u8> {
    match mode {
        "base64" => {
            let text = STANDARD.encode(bytes);
            let lines: Vec<&[u8]> = text.as_bytes().chunks(76).collect();
            lines.join(&b"\r\n"[..])
        }
        "quoted-printable" => quoted_printable(bytes),
        "8bit" => bytes.to_vec(),
        _ => panic!("{mode} is no way to encode for transfer"),
    }
}

fn quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let (mut out, mut width) = (String::new(), 0);
    for (at, byte) in bytes.iter().enumerate() {
        let is_last = matches!(bytes.get(at + 1), None | Some(b'\r' | b'\n'));
        let one = match byte {
            b'\r' | b'\n' => char::from(*byte).to_string(),
            b' ' if is_last => "=20".to_owned(),
            b' '..=b'~' if *byte != b'=' => char::from(*byte).to_string(),
            byte => format!("={byte:02X}"),
        };
        if width + one.len() > 75 && !one.starts_with(['\r', '\n']) {
            out.push_str("=\r\n");
            width = 0;
        }
        width = if *byte == b'\n' { 0 } else { width + one.len() };
        out.push_str(&one);
    }
    out.into_bytes()
}

/// Breaks lines as `format=flowed` does: after a blank, or anywhere where that blank is no
/// part of the text.
pub(super) fn flowed(text: &str, is_anywhere: bool) -> String {
    let broken = |line: &str| -> String {
        let (mark, rest) = line.strip_prefix("> ").map_or(("", line), |rest| ("> ", rest));
        let middle = rest.chars().count() / 2;
        let places: Vec<(usize, char)> = rest.char_indices().skip(middle).collect();
        let place = places.iter().find(|(_, c)| *c == ' ' || (is_anywhere && c.is_alphabetic()));
        match place {
            Some((at, ' ')) if !is_anywhere && rest != "-- " => {
                let (first, second) = rest.split_at(at + 1);
                if second.is_empty() { line.to_owned() } else { format!("{mark}{first}\n{mark}{second}") }
            }
            Some((at, c)) if is_anywhere && *c != ' ' => {
                let (first, second) = rest.split_at(*at);
                format!("{mark}{first} \n{mark}{second}")
            }
            _ => line.to_owned(),
        }
    };
    text.lines().map(broken).collect::<Vec<String>>().join("\n")
}
