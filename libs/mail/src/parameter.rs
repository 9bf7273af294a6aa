//! Content-Type and Content-Disposition with their parameters, after RFC 2045, 2183 and 2231
//! and after what is sent: names in raw GBK, in encoded words, in pieces cut inside a
//! character, unquoted with blanks.

use crate::charset::{self, Hints};
use crate::remark::Remarks;
use crate::{transfer, word};

/// Most parameters of a field, pieces of one counted each.
const MAX_PARAMETERS: usize = 100;

/// A field with parameters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parameters {
    /// What stands before the first `;`, in lower case.
    pub(crate) value: String,
    /// Names in lower case and values, as they came.
    pairs: Vec<(String, String)>,
}

impl Parameters {
    pub(crate) fn read(field: &[u8], hints: &Hints, remarks: &mut Remarks) -> Self {
        let line = word::joined(field, hints, remarks);
        let mut parts = parts(&line).into_iter();
        let value = parts.next().unwrap_or_default();
        let value = value.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        let pairs = parts.filter_map(|part| pair(&part)).take(MAX_PARAMETERS).collect();
        Self { value, pairs }
    }

    /// The value of a parameter: that of RFC 2231 before the one that is for old programs.
    pub(crate) fn get(&self, name: &str, hints: &Hints, remarks: &mut Remarks) -> Option<String> {
        let extended =
            self.extended(name).map(|(bytes, label)| charset::decode(&bytes, &label, hints, remarks));
        let plain = || self.pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let found = extended.filter(|value| !value.is_empty()).or_else(plain)?;
        // Encoded words have no place here, and are in the names of half of all attachments.
        let found = if found.contains("=?") { word::text(found.as_bytes(), hints, remarks) } else { found };
        Some(found)
    }

    /// The bytes of a parameter in pieces or with a charset, and that charset: `name*`,
    /// `name*0`, `name*1*`. Put together before they are decoded.
    fn extended(&self, name: &str) -> Option<(Vec<u8>, String)> {
        let mut pieces: Vec<(u32, bool, &str)> = self
            .pairs
            .iter()
            .filter_map(|(known, value)| {
                let rest = known.strip_prefix(name)?.strip_prefix('*')?;
                let is_coded = rest.is_empty() || rest.ends_with('*');
                let number = rest.trim_end_matches('*');
                let number = if number.is_empty() { 0 } else { number.parse().ok()? };
                Some((number, is_coded, value.as_str()))
            })
            .collect();
        pieces.sort_by_key(|(number, ..)| *number);
        pieces.dedup_by_key(|(number, ..)| *number);
        let (mut bytes, mut label) = (Vec::new(), String::new());
        for (at, (_, is_coded, value)) in pieces.iter().enumerate() {
            let value = match value.split_once('\'') {
                Some((charset, rest)) if at == 0 && *is_coded => {
                    charset.clone_into(&mut label);
                    rest.split_once('\'').map_or(rest, |(_, value)| value)
                }
                _ => value,
            };
            if *is_coded {
                bytes.extend(percent_decoded(value));
            } else {
                bytes.extend_from_slice(value.as_bytes());
            }
        }
        // What is not coded came as it is, and has been read as UTF-8.
        let is_plain = pieces.iter().all(|(_, is_coded, _)| !is_coded);
        let label = if is_plain { "utf-8".to_owned() } else { label };
        (!pieces.is_empty()).then_some((bytes, label))
    }
}

fn percent_decoded(value: &str) -> Vec<u8> {
    let (bytes, mut decoded, mut at) = (value.as_bytes(), Vec::with_capacity(value.len()), 0);
    while let Some(byte) = bytes.get(at) {
        let coded = (*byte == b'%').then(|| bytes.get(at + 1..at + 3).and_then(transfer::hex)).flatten();
        decoded.push(coded.unwrap_or(*byte));
        at += if coded.is_some() { 3 } else { 1 };
    }
    decoded
}

/// What `;` parts, but for those within quotes; without comments and line breaks. Within
/// quotes only `\"` and `\\` are taken for what they stand for: `C:\new.pdf` is a path.
fn parts(line: &str) -> Vec<String> {
    let (mut parts, mut part, mut is_quoted, mut depth) = (Vec::new(), String::new(), false, 0_u32);
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' if is_quoted && matches!(rest.peek(), Some('"' | '\\')) => part.extend(rest.next()),
            '"' if depth == 0 => {
                is_quoted = !is_quoted;
                // Kept as a mark where a value begins, for it may have blanks then.
                part.push('\u{1}');
            }
            '(' if !is_quoted && starts_comment(&part) => depth += 1,
            ')' if depth > 0 => depth -= 1,
            ';' if !is_quoted && depth == 0 => parts.push(std::mem::take(&mut part)),
            c if depth == 0 => part.push(c),
            _ => {}
        }
        if parts.len() > MAX_PARAMETERS {
            return parts;
        }
    }
    parts.push(part);
    parts
}

/// A comment follows a blank, a bracket within a name does not.
fn starts_comment(before: &str) -> bool {
    before.is_empty() || (before.ends_with(' ') && !before.contains("name"))
}

fn pair(part: &str) -> Option<(String, String)> {
    let (name, value) = part.split_once('=')?;
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_graphic());
    let name = name.trim().to_ascii_lowercase();
    let value = value.trim();
    let value = match value.strip_prefix('\u{1}') {
        // What follows the closing quote is not of the value.
        Some(quoted) => quoted.split('\u{1}').next().unwrap_or_default().to_owned(),
        None => value.replace('\u{1}', ""),
    };
    is_name(&name).then_some((name, value))
}

#[cfg(test)]
mod tests {
    use encoding_rs::{BIG5, GB18030};

    use super::*;

    fn get(field: &[u8], name: &str) -> Option<String> {
        let (hints, mut remarks) = (Hints::default(), Remarks::default());
        Parameters::read(field, &hints, &mut remarks).get(name, &hints, &mut remarks)
    }

    fn name(field: &str) -> String {
        get(format!("attachment; {field}\r\n").as_bytes(), "filename").unwrap_or_default()
    }

    #[test]
    fn a_value_is_read_however_it_is_written() {
        assert_eq!(name("filename=a.pdf"), "a.pdf");
        assert_eq!(name("FileName = \"a; b.pdf\"; size=3"), "a; b.pdf");
        assert_eq!(name("filename=my file (1).pdf"), "my file (1).pdf");
        assert_eq!(name(r#"filename="a\"b\\c.pdf""#), r#"a"b\c.pdf"#);
        assert_eq!(name(r#"filename="C:\new\x.pdf""#), r"C:\new\x.pdf");
        assert_eq!(name("filename==?utf-8?B?5YyF6KO5LnBkZg==?="), "包裹.pdf");
        assert_eq!(name("filename=\"=?utf-8?B?5YyF6KM=?=\r\n =?utf-8?B?uS5wZGY=?=\""), "包裹.pdf");
        assert_eq!(
            get(b"text/plain; charset=\"utf-8\" (Unicode); format=flowed", "format").as_deref(),
            Some("flowed")
        );
        assert_eq!(get(b"text/plain; charset=\"utf-8\" (Unicode)", "charset").as_deref(), Some("utf-8"));
    }

    #[test]
    fn pieces_are_put_together_before_they_are_decoded() {
        assert_eq!(name("filename*0*=utf-8''%E5%8C%85%E8%A3;\r\n filename*1*=%B9.pdf"), "包裹.pdf");
        assert_eq!(name("filename*1*=%B9%FC; filename*0*=gbk''%B0%FC; filename*2=\".pdf\""), "包裹.pdf");
        assert_eq!(name("filename*0=\"a long \"; filename*1=name.pdf"), "a long name.pdf");
        assert_eq!(name("filename*=GB2312'zh-cn'%B0%FC%B9%FC.pdf"), "包裹.pdf");
        assert_eq!(name("filename*0=\"=?utf-8?B?5YyF6KO5\"; filename*1=\"LnBkZg==?=\""), "包裹.pdf");
    }

    #[test]
    fn the_newer_form_comes_first_wherever_it_stands() {
        assert_eq!(name("filename=old.pdf; filename*=utf-8''%E5%8C%85.pdf"), "包.pdf");
        assert_eq!(name("filename*=utf-8''%E5%8C%85.pdf; filename=old.pdf"), "包.pdf");
        assert_eq!(name("filename*=; filename=old.pdf"), "old.pdf");
    }

    #[test]
    fn raw_bytes_are_decoded_before_quotes_and_backslashes_are_looked_for() {
        let (gbk, _, _) = GB18030.encode("我的包裹照片和收据.jpg");
        let field = [b"attachment; filename=\"", &*gbk, b"\""].concat();
        assert_eq!(get(&field, "filename").as_deref(), Some("我的包裹照片和收据.jpg"));
        // 功 ends with the byte of a backslash in Big5.
        let (big5, _, _) = BIG5.encode("投遞成功的郵件與收據照片.jpg");
        let field = [b"attachment; filename=\"", &*big5, b"\""].concat();
        let hints = Hints { text: Some(BIG5), country: None };
        let mut remarks = Remarks::default();
        let read = Parameters::read(&field, &hints, &mut remarks).get("filename", &hints, &mut remarks);
        assert_eq!(read.as_deref(), Some("投遞成功的郵件與收據照片.jpg"));
    }
}
