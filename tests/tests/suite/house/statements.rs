//! Reads the SQL out of source files: string literals, put together where
//! `concat!` and the macros of the stores do it.

use std::collections::{BTreeSet, HashMap};

/// What begins a statement.
const VERBS: [&str; 6] = ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH ", "LOCK "];
/// Stands in a template for what a macro is given.
const GIVEN: &str = "\0";

/// The SQL macros of some files: their texts, by name.
pub(super) fn macros<'a>(files: impl Iterator<Item = &'a str>) -> HashMap<&'a str, String> {
    let mut bodies = HashMap::new();
    for file in files {
        for definition in file.split("macro_rules! ").skip(1) {
            let (name, rest) = definition.split_once(" {").unwrap_or_default();
            let (_, body) =
                rest.split("\n}").next().and_then(|body| body.split_once("=>")).unwrap_or_default();
            bodies.insert(name, body.replace("$rest", &format!("\"{GIVEN}\"")));
        }
    }
    // Once more with what was found: a macro may be made of others.
    let found = read(&bodies, &HashMap::new());
    read(&bodies, &found)
}

/// The texts of macros, made of those that are known.
fn read<'a>(bodies: &HashMap<&'a str, String>, known: &HashMap<&'a str, String>) -> HashMap<&'a str, String> {
    let text = |body: &str| Reader { code: body, macros: known }.texts().concat();
    let mut found: HashMap<&str, String> = bodies.iter().map(|(name, body)| (*name, text(body))).collect();
    found.retain(|_, text| is_sql(text) || text.contains("_id"));
    found
}

/// The statements of a file, but for those of its tests, with the names that `pg::sql!`
/// replaces.
pub(super) fn statements(file: &str, macros: &HashMap<&str, String>) -> Vec<String> {
    let code = without_tests(file);
    let mut parts = code.split("macro_rules! ");
    // A macro's own text is part of the statements that use it.
    let first = parts.next().unwrap_or_default();
    let others = parts.filter_map(|part| part.split_once("\n}").map(|(_, after)| after));
    let code: String = std::iter::once(first).chain(others).collect();
    let mut texts = Reader { code: &code, macros }.texts();
    texts.retain(|text| is_sql(text) && !is_of_rows(text));
    texts
}

/// A file without its comments and without what is compiled for tests only.
pub(super) fn without_tests(text: &str) -> String {
    let mut kept = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let code = line.trim_start();
        let indent = line.len() - code.len();
        if code == "#[cfg(test)]" {
            let ends = |line: &&str| {
                let code = line.trim_start();
                line.len() - code.len() == indent && (code.ends_with('}') || code.ends_with(';'))
            };
            lines.find(ends);
        } else if !code.starts_with("//") {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// Every text of a store, of which statements may be put together while it runs, but for those
/// of its tests; also those of its macros.
pub(super) fn pieces(file: &str, macros: &HashMap<&str, String>) -> Vec<String> {
    Reader { code: &without_tests(file), macros }.texts()
}

/// How many values a statement writes, or compares a column with, by their positions alone: one
/// of a list, or right of an equals sign. What an UNNEST brings has a name beside it.
pub(super) fn by_position(statement: &str) -> usize {
    let mut found = BTreeSet::new();
    for (at, _) in statement.match_indices('$') {
        let digits: String = statement[at + 1..].chars().take_while(char::is_ascii_digit).collect();
        let before = statement[..at].trim_end();
        let is_named = ["UNNEST(", "ANY(", "ANY ("].iter().any(|named| before.ends_with(named));
        let is_bare = ["(", ",", "=", "SELECT"].iter().any(|bare| before.ends_with(bare));
        if !digits.is_empty() && is_bare && !is_named {
            found.insert(digits);
        }
    }
    found.len()
}

/// The columns of these that a statement, or a piece of one, compares with a number instead of
/// with a named state.
pub(super) fn bare_numbers(statement: &str, columns: &[String]) -> Vec<String> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let words = statement.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '.'));
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let is_column = |word: &str| {
        let column = word.trim_matches(|c| !is_word(c));
        columns.iter().any(|known| known == column)
    };
    let bare = |place: usize| {
        let after: Vec<&str> =
            words[place + 1..].iter().copied().filter(|word| *word != "NOT").take(4).collect();
        let length = match after.as_slice() {
            ["=" | "<>" | "<" | ">" | "<=" | ">=" | "IN" | "BETWEEN", _, ..] => 2,
            ["IS", "DISTINCT", "FROM", _] => 4,
            _ => return None,
        };
        let is_bare = is_column(words[place]) && after[length - 1].starts_with(|c: char| c.is_ascii_digit());
        is_bare.then(|| format!("{} {}", words[place], after[..length].join(" ")))
    };
    (0..words.len()).filter_map(bare).collect()
}

/// Whether a statement is over `pg::Rows` or `pg::Versions`, whose columns or tables are known
/// only while it runs: the services' own tests run each of those.
fn is_of_rows(text: &str) -> bool {
    ["{rows}", "{table}", "{state_table}"].iter().any(|name| text.contains(name))
        || text.replace("'{}'", "").contains("{}")
}

/// The statement with a number where `pg::sql!` writes that of a named state.
pub(super) fn numbered(text: &str) -> String {
    let mut pieces = text.split('{');
    let mut whole = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        match piece.split_once('}') {
            Some((name, after))
                if !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_') =>
            {
                whole.push('1');
                whole.push_str(after);
            }
            _ => {
                whole.push('{');
                whole.push_str(piece);
            }
        }
    }
    whole
}

fn is_sql(text: &str) -> bool {
    VERBS.iter().any(|verb| text.trim_start().starts_with(verb))
}

struct Reader<'a> {
    code: &'a str,
    macros: &'a HashMap<&'a str, String>,
}

impl Reader<'_> {
    /// The texts of the code, those of one macro call as one.
    fn texts(mut self) -> Vec<String> {
        let mut texts = Vec::new();
        while let Some(at) = self.code.find(['"', '!', '\'']) {
            let (before, rest) = self.code.split_at(at);
            self.code = &rest[1..];
            match &rest[..1] {
                "\"" => texts.push(self.literal()),
                "!" if rest.starts_with("!(") => texts.extend(self.call(before)),
                // A quotation mark as a character is no literal.
                "'" if rest.starts_with("'\"'") => self.code = &rest[3..],
                _ => {}
            }
        }
        texts
    }

    /// Reads on to the end of a literal.
    fn literal(&mut self) -> String {
        let mut end = 0;
        while let Some(at) = self.code[end..].find('"') {
            end += at + 1;
            if !self.code[..end - 1].ends_with('\\') {
                break;
            }
        }
        let text = &self.code[..end.saturating_sub(1)];
        self.code = &self.code[end..];
        text.replace("\\\n", " ").replace("\\\"", "\"")
    }

    /// What a macro makes of its arguments: one text, if it is one of ours.
    fn call(&mut self, before: &str) -> Option<String> {
        let start = before.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |at| at + 1);
        let name = &before[start..];
        let template = if name == "concat" { GIVEN } else { self.macros.get(name)? };
        let (arguments, rest) = self.code.split_at(closing(self.code));
        self.code = rest;
        let given = Reader { code: &arguments[1..], macros: self.macros }.texts().concat();
        Some(template.replace(GIVEN, &given))
    }
}

/// Where the parenthesis closes that opens here.
fn closing(code: &str) -> usize {
    let (mut depth, mut quoted) = (0_u32, false);
    for (at, c) in code.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted && depth == 1 => return at,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_statements_are_read_as_well() {
        let file = r#"
macro_rules! others {
    ($when:literal) => {
        concat!("o.s = 4 AND ", $when)
    };
}
fn f() -> &'static str {
    match g() { 0 => "c.s IN (6, 9) OR c.t", _ => others!("k BETWEEN 1 AND 3") }
}
#[cfg(test)]
fn g() -> &'static str {
    "s = 7"
}"#;
        let states = ["s", "k"].map(str::to_owned);
        let pieces = pieces(file, &macros(std::iter::once(file)));
        let mut bare: Vec<String> = pieces.iter().flat_map(|piece| bare_numbers(piece, &states)).collect();
        bare.sort();
        bare.dedup();
        assert_eq!(bare, ["k BETWEEN 1", "s = 4", "s IN 6,"]);
    }

    #[test]
    fn macros_and_pieces_become_whole_statements() {
        let file = r#"
macro_rules! columns {
    () => {
        "a_id, b"
    };
}
macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT x FROM y ", $rest)
    };
}
// Not "SELECT this".
fn f() {
    query("UPDATE t SET a = '('");
    query(select!("WHERE z")); query(concat!("SELECT ", columns!(), " FROM t"));
    say(format!("SELECTED {x}"), '"', "LOCK TABLE t");
    query(pg::sql!(concat!("SELECT ", columns!(), " WHERE s = {open} AND l = '{}'"), open = State::Open));
    query(format!("INSERT INTO t SELECT * FROM {rows}"));
}
#[cfg(test)]
use other::{this, that};
#[cfg(test)]
fn g() {
    query("UPDATE t SET b = 1");
}
fn h() {
    query("DELETE FROM t WHERE s = 3 AND t.k IN (1, 2) AND l = 4 AND s = $1");
}"#;
        let expected = [
            "UPDATE t SET a = '('",
            "SELECT x FROM y WHERE z",
            "SELECT a_id, b FROM t",
            "LOCK TABLE t",
            "SELECT a_id, b WHERE s = {open} AND l = '{}'",
            "DELETE FROM t WHERE s = 3 AND t.k IN (1, 2) AND l = 4 AND s = $1",
        ];
        assert_eq!(statements(file, &macros(std::iter::once(file))), expected);
        assert_eq!(numbered(expected[4]), "SELECT a_id, b WHERE s = 1 AND l = '{}'");
        let states = ["s", "k"].map(str::to_owned);
        assert_eq!(bare_numbers(expected[4], &states), [""; 0]);
        assert_eq!(bare_numbers(expected[5], &states), ["s = 3", "k IN 1,"]);
        let more = "t.s BETWEEN 1 AND 3 OR k NOT IN (1) OR (t.k IS NOT DISTINCT FROM 2::smallint) OR l BETWEEN 1 AND 2";
        assert_eq!(bare_numbers(more, &states), ["s BETWEEN 1", "k IN 1", "k IS DISTINCT FROM 2::smallint"]);
    }
}
