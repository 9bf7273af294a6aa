//! Lists in a column of text: JSON. Rows written before that hold a line for each item.

/// A list as it is kept.
pub(super) fn written(list: &[String]) -> String {
    serde_json::Value::from(list).to_string()
}

/// A list that was kept.
pub(super) fn read(kept: &str) -> Vec<String> {
    serde_json::from_str(kept).unwrap_or_else(|_| kept.lines().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_of_two_lines_comes_back_as_one() {
        for list in [vec![], vec![String::new()], vec!["P2: two\nlines".to_owned(), "\"[\"".to_owned()]] {
            assert_eq!(read(&written(&list)), list);
        }
    }

    #[test]
    fn a_row_of_before_has_a_line_for_each_item() {
        assert_eq!(read(""), Vec::<String>::new());
        assert_eq!(read("category damage: the text speaks of it\nP3: no rule says otherwise").len(), 2);
    }
}
