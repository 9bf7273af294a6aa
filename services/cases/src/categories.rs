//! A tenant's tree of categories: what makes it one.

use std::collections::{HashMap, HashSet};

/// Most levels of a tree.
pub(crate) const MAX_DEPTH: usize = 8;
/// Longest path.
pub(crate) const MAX_PATH: usize = 200;

/// A category in its tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Category {
    /// Its names from the root down, with slashes between.
    pub(crate) path: String,
    /// Title for people; empty when the last name says it all.
    pub(crate) title: String,
    /// Whether no category is below it.
    pub(crate) leaf: bool,
}

/// The path of what a category is directly below; none for a root.
pub(crate) fn parent(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(parent, _)| parent)
}

/// Makes a tree of categories, each a path and a title; or tells what is wrong, by
/// place.
pub(crate) fn tree(rows: Vec<(String, String)>) -> Result<Vec<Category>, Vec<(usize, String)>> {
    let mut wrong = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::with_capacity(rows.len());
    for (at, (path, _)) in rows.iter().enumerate() {
        if let Some(flaw) = malformed(path) {
            wrong.push((at, flaw));
        } else if let Some(first) = places.insert(path, at) {
            wrong.push((at, format!("{path} is there already, at {first}")));
        }
    }
    for (at, (path, _)) in rows.iter().enumerate() {
        let orphan = parent(path).filter(|parent| !places.contains_key(parent));
        if let Some(parent) = orphan.filter(|_| malformed(path).is_none()) {
            wrong.push((at, format!("{path} is an orphan: there is no {parent}")));
        }
    }
    if !wrong.is_empty() {
        wrong.sort();
        return Err(wrong);
    }
    let inner: HashSet<String> =
        rows.iter().filter_map(|(path, _)| parent(path)).map(str::to_owned).collect();
    let category = |(path, title)| Category { leaf: !inner.contains(&path), path, title };
    Ok(rows.into_iter().map(category).collect())
}

/// What is wrong with a path as such.
fn malformed(path: &str) -> Option<String> {
    let depth = path.split('/').count();
    if path.is_empty() {
        Some("is required".to_owned())
    } else if depth > MAX_DEPTH {
        Some(format!("{path} is {depth} levels deep; a tree has at most {MAX_DEPTH}"))
    } else if path.split('/').any(|name| name.is_empty() || name.trim() != name) {
        Some(format!("{path:?} has a name that is empty or begins or ends with white space"))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows(paths: &[&str]) -> Vec<(String, String)> {
        paths.iter().map(|path| ((*path).to_owned(), String::new())).collect()
    }

    #[test]
    fn a_tree_knows_its_leaves() {
        let tree = tree(rows(&["loan", "loan/rate", "card"])).expect("it is a tree");
        assert_eq!(tree.iter().map(|one| one.leaf).collect::<Vec<_>>(), [false, true, true]);
    }

    #[test]
    fn everything_wrong_is_told_by_its_place() {
        let deep = "a/b/c/d/e/f/g/h/i";
        let wrong =
            tree(rows(&["loan", "loan", "card/fee", "", "x//y", " z", deep])).expect_err("much is wrong");
        let expected = [
            (1, "loan is there already, at 0".to_owned()),
            (2, "card/fee is an orphan: there is no card".to_owned()),
            (3, "is required".to_owned()),
            (4, "\"x//y\" has a name that is empty or begins or ends with white space".to_owned()),
            (5, "\" z\" has a name that is empty or begins or ends with white space".to_owned()),
            (6, format!("{deep} is 9 levels deep; a tree has at most 8")),
        ];
        assert_eq!(wrong, expected);
    }

    proptest! {
        #[test]
        fn in_a_tree_all_parents_are_there_and_not_leaves(
            paths in proptest::collection::vec("[ab](/[ab]){0,3}", 0..12),
        ) {
            let given: Vec<_> = paths.iter().map(String::as_str).collect();
            if let Ok(tree) = tree(rows(&given)) {
                for category in &tree {
                    if let Some(parent) = parent(&category.path) {
                        let found = tree.iter().find(|one| one.path == parent);
                        prop_assert!(found.is_some_and(|one| !one.leaf));
                    }
                    let below = format!("{}/", category.path);
                    prop_assert_eq!(category.leaf, !tree.iter().any(|one| one.path.starts_with(&below)));
                }
            } else {
                let orphan = given.iter().any(|path| parent(path).is_some_and(|up| !given.contains(&up)));
                let twice = given.iter().collect::<HashSet<_>>().len() < given.len();
                prop_assert!(orphan || twice);
            }
        }
    }
}
