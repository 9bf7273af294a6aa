//! In which order cases are listed. Only those there are that an index stands
//! behind: any other would sort every case there is for one page.

use super::Problem;

/// What cases are ordered by; those that are equal, by registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// When the complaint was registered.
    Received,
    /// When the next clock is due; what nothing makes due comes last.
    Due,
}

/// An order of cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// What by.
    pub key: Key,
    /// Whether the latest comes first.
    pub descending: bool,
}

impl Default for Order {
    /// Newest first.
    fn default() -> Self {
        Self { key: Key::Received, descending: true }
    }
}

/// Reads an order; an empty one is newest first.
///
/// # Errors
///
/// Fails if the text names no field that cases are ordered by.
pub fn order(text: &str) -> Result<Order, Problem> {
    let mut words = text.split_whitespace();
    let (name, direction, more) = (words.next(), words.next(), words.next());
    let key = match name {
        None => return Ok(Order::default()),
        Some("receive_time") => Some(Key::Received),
        Some("due_time") => Some(Key::Due),
        Some(_) => None,
    };
    let descending = match direction {
        None => Some(false),
        Some("desc") => Some(true),
        Some(_) => None,
    };
    match (key, descending, more) {
        (Some(key), Some(descending), None) => Ok(Order { key, descending }),
        _ => Err(Problem::new(1, "must be receive_time or due_time, with or without desc")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_orders_parse_and_others_are_refused() {
        assert_eq!(order(""), Ok(Order { key: Key::Received, descending: true }));
        assert_eq!(order(" receive_time"), Ok(Order { key: Key::Received, descending: false }));
        assert_eq!(order("due_time  desc "), Ok(Order { key: Key::Due, descending: true }));
        for wrong in ["priority", "due_time asc", "due_time desc, receive_time", "due_time desc desc", ","] {
            assert!(order(wrong).is_err(), "{wrong}");
        }
    }
}
