//! What a complaint says that came without words: a call nobody took.

use super::primary;

/// What stands between the labels of choices.
const BETWEEN: &str = " > ";

/// Labels in one line of at most so many characters.
pub(crate) fn joined(labels: &[String], most: usize) -> String {
    cut(labels.join(BETWEEN), most)
}

/// What a call says that nobody took, in a language, in at most so many characters.
pub(crate) fn missed_call(labels: &[String], language: &str, most: usize) -> String {
    let chinese = primary(language).eq_ignore_ascii_case("zh");
    let (alone, menu) = if chinese { ("未接来电", "；菜单：") } else { ("Missed call", "; menu: ") };
    let said = match labels {
        [] => alone.to_owned(),
        labels => format!("{alone}{menu}{}", labels.join(BETWEEN)),
    };
    cut(said, most)
}

fn cut(text: String, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => text[..end].to_owned(),
        None => text,
    }
}
