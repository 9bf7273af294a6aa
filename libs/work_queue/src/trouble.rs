//! Why work could not be done.

use fault::{Fault, Kind};

/// What is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// Nothing: the process was told to stop.
    Stop,
    /// What the work needs is away, and would be for any other.
    Outage,
    /// The work itself, or what it alone needs.
    Work,
}

/// Why work could not be done now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What is to blame.
    pub blame: Blame,
    /// The reason, for machines.
    pub reason: &'static str,
    /// The same in words, for people.
    pub words: String,
    /// All that is known of it, for the log.
    pub chain: String,
}

impl Trouble {
    /// Something that the work alone needs.
    pub fn of_work(reason: &'static str, words: String) -> Self {
        Self { blame: Blame::Work, reason, chain: words.clone(), words }
    }

    /// The process was told to stop.
    pub(crate) fn stop() -> Self {
        Self { blame: Blame::Stop, ..Self::from(Fault::stopping()) }
    }
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        let blame = if fault.kind() == Kind::Unavailable { Blame::Outage } else { Blame::Work };
        Self { blame, reason: fault.reason(), words: fault.message().to_owned(), chain: fault.chain() }
    }
}

/// Whether what is asked was refused and will be the next time: what it became is decided, and it
/// is set aside rather than tried again.
pub fn is_final(fault: &Fault) -> bool {
    matches!(
        fault.kind(),
        Kind::Invalid | Kind::NotFound | Kind::Exists | Kind::Precondition | Kind::Forbidden
    )
}
