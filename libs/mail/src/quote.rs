//! What of a text its sender has written, and what a mail program has put under it: quoted
//! mails, the lines that say who wrote them, mails passed on, signatures.
//!
//! Line by line, and nothing is lost: each line is of one or the other. Where the sender
//! would be left with no words at all, all are theirs.

mod phrases;

use phrases::{DATE, DEVICES, FROM, OPENINGS, PASSED_ON, SEPARATORS, SUBJECT, TELEPHONES, TO, WROTE};

/// Longest line that says who wrote what follows, in characters, and most lines of it.
const MAX_WROTE: usize = 300;
const MAX_WROTE_LINES: usize = 4;
/// Most lines of a quoted header that are looked at.
const MAX_HEADER_LINES: usize = 10;
/// Most lines of a signature, and of one whose dashes lack their blank: what is longer is text.
const MAX_SIGNATURE_LINES: usize = 15;
const MAX_LOOSE_LINES: usize = 8;
/// Longest line that a telephone puts under a mail, in characters.
const MAX_TELEPHONE: usize = 80;
/// Fewest dashes of a separator.
const MIN_DASHES: usize = 4;

/// The sender's words, and what was folded away.
pub(crate) fn fold(whole: &str) -> (String, String) {
    let lines: Vec<&str> = whole.split('\n').collect();
    let mut folding = Folding { lines: &lines, folded: vec![false; lines.len()] };
    folding.run();
    folding.signatures();
    folding.telephone();
    let own = folding.joined(false);
    if own.is_empty() { (whole.trim().to_owned(), String::new()) } else { (own, folding.joined(true)) }
}

struct Folding<'a> {
    lines: &'a [&'a str],
    folded: Vec<bool>,
}

impl Folding<'_> {
    fn run(&mut self) {
        let mut at = 0;
        while let Some(line) = self.lines.get(at) {
            if is_quoted(line) {
                self.fold(at, at + 1);
                at += 1;
                continue;
            }
            let Some((end, is_certain)) = self.introduction(at) else {
                at += 1;
                continue;
            };
            let is_marked = self.next(end).is_some_and(is_quoted);
            if is_marked {
                self.fold(at, end);
                at = end;
            } else if is_certain {
                // Nothing marks what is quoted: all that follows is.
                return self.fold(at, self.lines.len());
            } else {
                at += 1;
            }
        }
    }

    /// Where the lines end that introduce what is quoted, if such lines begin here, and
    /// whether that is certain without the marks of a quote.
    fn introduction(&self, at: usize) -> Option<(usize, bool)> {
        let line = self.lines.get(at)?;
        if is_separator(line) {
            return Some((at + 1, true));
        }
        if is_rule(line) && self.next_at(at + 1).and_then(|next| self.header(next)).is_some() {
            return Some((at + 1, true));
        }
        self.header(at).map(|end| (end, true)).or_else(|| self.wrote(at))
    }

    /// The header of a quoted mail: who, and when, and to whom or what of; none of a parcel
    /// that went `From:` one town `To:` another.
    fn header(&self, at: usize) -> Option<usize> {
        let first = self.lines.get(at)?;
        if !is_field(first, &FROM) {
            return None;
        }
        let (mut end, mut has_date, mut has_to, mut has_subject) = (at + 1, false, false, false);
        let mut is_mail = first.contains('@');
        for (place, line) in self.lines.iter().enumerate().skip(at + 1).take(MAX_HEADER_LINES) {
            let found = [is_field(line, &DATE), is_field(line, &TO), is_field(line, &SUBJECT)];
            if !found.contains(&true) && !line.trim().is_empty() {
                break;
            }
            if found.contains(&true) {
                end = place + 1;
            }
            // A parcel has a sender, a day and a subject as well, but no address and no hour.
            is_mail |= found.contains(&true) && (line.contains('@') || (found[0] && has_time(line)));
            has_date |= found[0];
            has_to |= found[1];
            has_subject |= found[2];
        }
        let is_header = has_date && (has_subject || (has_to && first.contains('@')));
        (is_mail && is_header).then_some(end)
    }

    /// A line that says who wrote what follows; certain with an address in it.
    fn wrote(&self, at: usize) -> Option<(usize, bool)> {
        let first = self.lines.get(at)?.trim();
        if first.is_empty() {
            return None;
        }
        let is_opening = is_opening(first);
        let mut text = String::new();
        for (count, line) in self.lines.get(at..)?.iter().take(MAX_WROTE_LINES).enumerate() {
            let line = line.trim();
            if line.is_empty() || (count > 0 && (!is_opening || is_quoted(line))) {
                return None;
            }
            text.push_str(if text.is_empty() { "" } else { " " });
            text.push_str(line);
            if text.chars().count() > MAX_WROTE {
                return None;
            }
            if says_wrote(&text) && text.contains(|c: char| c.is_ascii_digit()) {
                return Some((at + count + 1, text.contains('@') && has_moment(&text)));
            }
        }
        None
    }

    /// Signatures, from `-- ` to what is quoted below them or to the end.
    fn signatures(&mut self) {
        for at in (0..self.lines.len()).rev() {
            let is_one = self.lines.get(at).is_some_and(|line| line.trim_end() == "--");
            if !is_one || self.is_folded(at) {
                continue;
            }
            let end =
                (at + 1..self.lines.len()).find(|place| self.is_folded(*place)).unwrap_or(self.lines.len());
            let said = self.lines.get(at + 1..end).unwrap_or_default();
            let is_exact = self.lines.get(at).is_some_and(|line| *line == "-- ");
            let most = if is_exact { MAX_SIGNATURE_LINES } else { MAX_LOOSE_LINES };
            if said.iter().filter(|line| !line.trim().is_empty()).count() <= most {
                self.fold(at, end);
            }
        }
    }

    /// The line that a telephone puts under a mail: the last one of the sender's before what
    /// is quoted first, and the last of all.
    fn telephone(&mut self) {
        let first = self.folded.iter().position(|folded| *folded).unwrap_or(self.lines.len());
        for end in [first, self.lines.len()] {
            let own = |at: &usize| {
                !self.is_folded(*at) && self.lines.get(*at).is_some_and(|line| !line.trim().is_empty())
            };
            let Some(at) = (0..end).rev().find(own) else { continue };
            let line = self.lines.get(at).map(|line| line.trim().to_lowercase()).unwrap_or_default();
            let is_one = TELEPHONES.iter().any(|phrase| line.starts_with(phrase))
                && DEVICES.iter().any(|device| line.contains(device));
            if is_one && line.chars().count() <= MAX_TELEPHONE {
                self.fold(at, at + 1);
            }
        }
    }

    fn next_at(&self, from: usize) -> Option<usize> {
        (from..self.lines.len()).find(|at| self.lines.get(*at).is_some_and(|line| !line.trim().is_empty()))
    }

    /// The next line that is not empty.
    fn next(&self, from: usize) -> Option<&str> {
        self.next_at(from).and_then(|at| self.lines.get(at)).copied()
    }

    fn is_folded(&self, at: usize) -> bool {
        self.folded.get(at).copied().unwrap_or_default()
    }

    fn fold(&mut self, from: usize, to: usize) {
        self.folded.iter_mut().take(to).skip(from).for_each(|folded| *folded = true);
    }

    /// The lines of one side. Where lines of the other side stood between two empty ones, one
    /// is enough.
    fn joined(&self, folded: bool) -> String {
        let (mut kept, mut is_gap): (Vec<&str>, bool) = (Vec::new(), false);
        for (line, is_folded) in self.lines.iter().zip(&self.folded) {
            if *is_folded != folded {
                is_gap = true;
                continue;
            }
            let line = line.trim_end();
            let is_second = is_gap && line.is_empty() && kept.last().is_some_and(|last| last.is_empty());
            if !is_second {
                kept.push(line);
                is_gap = false;
            }
        }
        kept.join("\n").trim_matches('\n').trim_end().to_owned()
    }
}

fn is_quoted(line: &str) -> bool {
    line.trim_start().starts_with('>')
}

/// A line that Outlook draws above the header of what it quotes.
fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 10 && line.bytes().all(|byte| matches!(byte, b'_' | b'-'))
}

fn is_separator(line: &str) -> bool {
    // QQ Mail leaves the entity in its plain text.
    let line = line.trim().to_lowercase().replace("&nbsp;", " ");
    if PASSED_ON.contains(&line.as_str()) {
        return true;
    }
    let is_dash = |c: char| matches!(c, '-' | '=' | '_' | '—' | '－' | '*');
    let dashes = line.chars().take_while(|c| is_dash(*c)).count();
    let inner = line.trim_matches(|c: char| is_dash(c) || c.is_whitespace() || c == ':');
    dashes >= MIN_DASHES
        && (SEPARATORS.contains(&inner)
            || SEPARATORS.iter().any(|phrase| inner.starts_with(phrase) && line.ends_with(is_dash))
            // Lotus Notes: `-----Ada/Shop wrote: -----`.
            || inner.ends_with("wrote"))
}

/// Whether a line is a field of one of these names; programs put them in bold, in tables, and
/// blanks in Chinese ones.
fn is_field(line: &str, names: &[&str]) -> bool {
    let line = line.trim_start_matches(['*', ' ', '|', '\t', '【']);
    let Some((name, _)) = line.split_once([':', '：', '|']) else { return false };
    let name: String = name
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '*')
        .flat_map(char::to_lowercase)
        .take(30)
        .collect();
    names.contains(&name.as_str())
}

fn is_opening(line: &str) -> bool {
    let lower = line.to_lowercase();
    OPENINGS.iter().any(|opening| lower.starts_with(opening))
        || line.contains('@')
        || line.starts_with(|c: char| c.is_ascii_digit())
}

fn says_wrote(text: &str) -> bool {
    let lower = text.to_lowercase();
    WROTE.iter().any(|end| lower.ends_with(end))
        || (lower.ends_with(':') && lower.starts_with("am ") && lower.contains(" schrieb "))
        // Gmail in Japanese, Russian: the date, the name, `<address>:`.
        || (lower.ends_with(">:") && lower.contains('@') && has_moment(&lower))
}

/// Whether a text names a year or a time of day: `2026`, `10:30`.
fn has_moment(text: &str) -> bool {
    let is_year = |four: &[u8]| four.starts_with(b"20") && four.iter().all(u8::is_ascii_digit);
    has_time(text) || text.as_bytes().windows(4).any(is_year)
}

/// Whether a text names a time of day: `10:30`.
fn has_time(text: &str) -> bool {
    let is_time = |four: &[u8]| {
        let [before, mark, ten, one] = four else { return false };
        matches!(mark, b':' | b'.') && [before, ten, one].iter().all(|byte| byte.is_ascii_digit())
    };
    text.as_bytes().windows(4).any(is_time)
}

#[cfg(test)]
mod tests;
