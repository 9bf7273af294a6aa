//! Which department takes a category.

use std::collections::HashMap;

use crate::roster::{ANYTHING, Department};

/// Departments by the prefixes they take.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    by_prefix: HashMap<String, String>,
}

impl Directory {
    /// Of all departments of a tenant. A prefix that several take is the first's
    /// by id.
    pub fn of(departments: &[Department]) -> Self {
        let mut by_prefix = HashMap::<String, String>::new();
        for Department { profile, .. } in departments {
            for prefix in &profile.categories {
                by_prefix
                    .entry(prefix.clone())
                    .and_modify(|first| {
                        if profile.id < *first {
                            first.clone_from(&profile.id);
                        }
                    })
                    .or_insert_with(|| profile.id.clone());
            }
        }
        Self { by_prefix }
    }

    /// The department that takes a category, by the longest prefix.
    pub fn department_for(&self, category: &str) -> Option<&str> {
        let mut prefix = category;
        loop {
            if let Some(department) = self.by_prefix.get(prefix) {
                return Some(department);
            }
            match prefix.rsplit_once('/') {
                Some((shorter, _)) => prefix = shorter,
                None => return self.by_prefix.get(ANYTHING).map(String::as_str),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::DepartmentProfile;

    fn department(id: &str, categories: &[&str]) -> Department {
        let profile = DepartmentProfile {
            id: id.to_owned(),
            display_name: id.to_owned(),
            categories: categories.iter().map(|&category| category.to_owned()).collect(),
        };
        Department { profile, version: 1 }
    }

    #[test]
    fn the_longest_prefix_of_whole_segments_wins() {
        let directory = Directory::of(&[
            department("general", &["*"]),
            department("delivery", &["delivery"]),
            department("damage", &["delivery/damaged"]),
        ]);
        assert_eq!(directory.department_for("delivery/damaged/glass"), Some("damage"));
        assert_eq!(directory.department_for("delivery/damaged"), Some("damage"));
        assert_eq!(directory.department_for("delivery/late"), Some("delivery"));
        assert_eq!(directory.department_for("delivery/damagedish"), Some("delivery"));
        assert_eq!(directory.department_for("deliveries"), Some("general"));
        assert_eq!(directory.department_for(""), Some("general"));
    }

    #[test]
    fn without_a_match_nobody_takes_it() {
        let directory = Directory::of(&[department("delivery", &["delivery"])]);
        assert_eq!(directory.department_for("billing"), None);
        assert_eq!(directory.department_for(""), None);
    }

    #[test]
    fn a_shared_prefix_is_the_first_departments() {
        let (a, b) = (department("a", &["x"]), department("b", &["x"]));
        assert_eq!(Directory::of(&[a.clone(), b.clone()]).department_for("x"), Some("a"));
        assert_eq!(Directory::of(&[b, a]).department_for("x"), Some("a"));
    }
}
