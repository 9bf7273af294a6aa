//! What a tenant settles about a channel.

use jiff::Timestamp;

/// What is settled about a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Number of the contract's channel.
    pub(crate) channel: i16,
    /// Whether one number of the channel may be several complaints'.
    pub(crate) external_refs_repeat: bool,
    /// Counts the changes; 0 before the first.
    pub(crate) version: i64,
    /// Who changed it last.
    pub(crate) updater: String,
    /// When; none before the first change.
    pub(crate) updated: Option<Timestamp>,
}

impl Settings {
    /// Those of a channel nothing was settled about.
    pub(crate) fn default_of(channel: i16) -> Self {
        Self { channel, external_refs_repeat: false, version: 0, updater: String::new(), updated: None }
    }
}
