//! What does not belong in a text is taken out of it: control characters everywhere, and in
//! what stands on one line what changes the direction of writing as well, with which
//! `exe.fdp` is shown as `pdf.exe`.

use std::borrow::Cow;

/// A text of one line: control characters and runs of blanks become one blank each.
pub(crate) fn line(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars().filter(|c| !is_hidden(*c)) {
        if !c.is_control() && !c.is_whitespace() {
            clean.push(c);
        } else if !clean.is_empty() && !clean.ends_with(' ') {
            clean.push(' ');
        }
    }
    clean.truncate(clean.trim_end().len());
    clean
}

/// A field without the line breaks it was folded at, and else as it came: a boundary may
/// have two blanks.
pub(crate) fn unfolded(text: &str) -> String {
    let kept = text.chars().filter(|c| !is_hidden(*c) && !matches!(c, '\r' | '\n'));
    kept.map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A text of lines, which `\n` ends however they ended, without control characters; no more
/// than so many characters. And whether it was cut.
pub(crate) fn lines(text: &str, most: usize) -> (String, bool) {
    // Some servers end the lines of what they send with one more.
    let text =
        if text.contains("\r\r\n") { Cow::Owned(text.replace("\r\r\n", "\n")) } else { Cow::Borrowed(text) };
    let mut clean = String::with_capacity(text.len().min(most));
    let (mut count, mut rest) = (0, text.chars().peekable());
    while let Some(c) = rest.next() {
        let c = match c {
            '\r' if rest.peek() == Some(&'\n') => continue,
            // Of old Macs, of Unicode, a page's end.
            '\r' | '\u{2028}' | '\u{2029}' | '\u{85}' | '\u{c}' => '\n',
            '\u{feff}' | '\u{fffe}' => continue,
            c if c.is_control() && c != '\n' && c != '\t' => continue,
            c => c,
        };
        if count == most {
            return (clean, true);
        }
        clean.push(c);
        count += 1;
    }
    (clean, false)
}

/// Characters that are not seen and change how others are: the direction of writing, blanks
/// of no width.
fn is_hidden(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_no_line_in_it_and_hides_nothing() {
        assert_eq!(line(" a\r\n\tb\0c  d\u{202e}fdp.exe\u{200b} "), "a b c dfdp.exe");
        assert_eq!(line("\u{3000}包裹\u{3000}坏了\n"), "包裹 坏了");
        assert_eq!(line("\r\n"), "");
    }

    #[test]
    fn every_end_of_a_line_is_the_same_and_nothing_is_beyond_the_limit() {
        assert_eq!(
            lines("\u{feff}a\r\r\nb\rc\n\0\u{7}d\u{2028}\te", 100),
            ("a\nb\nc\nd\n\te".to_owned(), false)
        );
        assert_eq!(lines("包裹坏了", 4), ("包裹坏了".to_owned(), false));
        assert_eq!(lines("包裹坏了", 3), ("包裹坏".to_owned(), true));
    }
}
