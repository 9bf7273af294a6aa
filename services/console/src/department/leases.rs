//! The tasks in somebody's hands: what proves that they hold them is kept by their browser in a
//! sealed cookie, for the session it was given in.

use http::HeaderMap;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::session::{Visitor, cookie, set_cookie};

/// The cookie, and what it is sealed for.
const NAME: &str = "redress-tasks";
/// Most tasks in somebody's hands; the oldest is let go beyond them, and handed out anew.
pub(super) const HELD_MAX: usize = 8;

/// A task and what proves that it is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Held {
    /// The task.
    pub(super) task: String,
    /// Proof of holding it.
    pub(super) token: String,
}

/// Those in somebody's hands, the newest last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Leases {
    /// The session they were taken in: nobody else's.
    session: String,
    /// The tasks.
    pub(super) held: Vec<Held>,
}

impl Leases {
    /// Those of who looks.
    pub(super) fn of(visitor: &Visitor, headers: &HeaderMap) -> Self {
        let session = &visitor.session.id;
        let opened = cookie(headers, NAME).and_then(|sealed| visitor.app.seals.open(NAME, &sealed));
        let kept: Option<Self> = opened.and_then(|text| serde_json::from_slice(&text).ok());
        let none = || Self { session: session.clone(), held: Vec::new() };
        kept.filter(|kept| kept.session == *session).unwrap_or_else(none)
    }

    /// What proves that a task is held; none where it is not.
    pub(super) fn token(&self, task: &str) -> Option<&str> {
        self.held.iter().find(|held| held.task == task).map(|held| held.token.as_str())
    }

    /// The same with one more.
    pub(super) fn with(mut self, task: &str, token: &str) -> Self {
        self.held.retain(|held| held.task != task);
        self.held.push(Held { task: task.to_owned(), token: token.to_owned() });
        let beyond = self.held.len().saturating_sub(HELD_MAX);
        self.held.drain(..beyond);
        self
    }

    /// The same without one that is over.
    pub(super) fn without(mut self, task: &str) -> Self {
        self.held.retain(|held| held.task != task);
        self
    }

    /// Has the browser keep them.
    pub(super) fn keep(&self, app: &App, headers: &mut HeaderMap) {
        let text = serde_json::to_vec(self).unwrap_or_default();
        let sealed = app.seals.seal(NAME, &text).unwrap_or_default();
        set_cookie(app, headers, NAME, &sealed, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_and_each_once() {
        let mut leases = Leases::default();
        for number in 0..HELD_MAX + 2 {
            leases = leases.with(&format!("task-{number}"), "old");
        }
        let leases = leases.with("task-5", "new");
        assert_eq!(leases.held.len(), HELD_MAX);
        assert_eq!((leases.token("task-1"), leases.token("task-2")), (None, Some("old")));
        assert_eq!(leases.token("task-5"), Some("new"));
        assert_eq!(leases.without("task-5").token("task-5"), None);
    }
}
