//! What a tenant settles about a channel, and how the channel is.

use std::time::Duration;

use jiff::Timestamp;

/// Longest that a channel may be silent before that is told, as settled.
pub(crate) const MAX_SILENT: Duration = Duration::from_hours(90 * 24);

/// What is settled about a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Number of the contract's channel.
    pub(crate) channel: i16,
    /// Whether one number of the channel may be several complaints'.
    pub(crate) external_refs_repeat: bool,
    /// Who answers for it; empty where nobody was named.
    pub(crate) owner: String,
    /// How long it may be silent before that is told; none for ever.
    pub(crate) silent_after: Option<Duration>,
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
        Self {
            channel,
            external_refs_repeat: false,
            owner: String::new(),
            silent_after: None,
            version: 0,
            updater: String::new(),
            updated: None,
        }
    }
}

/// A change of what is settled; what is none is left as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// Number of the channel.
    pub(crate) channel: i16,
    /// Whether its numbers may repeat from now on.
    pub(crate) external_refs_repeat: bool,
    /// Who answers for it.
    pub(crate) owner: Option<String>,
    /// How long it may be silent; zero for ever.
    pub(crate) silent_after: Option<Duration>,
}

/// A source of a channel that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FailingSource {
    /// Number of the channel that it is a source of.
    pub(crate) channel: i16,
    /// What it is called, as `mailboxes/shop`.
    pub(crate) name: String,
    /// Who answers for it.
    pub(crate) owner: String,
    /// Why it cannot be read.
    pub(crate) reason: String,
    /// Since when.
    pub(crate) since: Timestamp,
}

/// How a channel is, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Nobody has said how long it may be silent.
    Unwatched,
    /// It was heard of in time.
    Working,
    /// It was not.
    Silent,
    /// A source of it cannot be read.
    Failing,
}

/// What is known of a channel, beside what is settled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Observed {
    /// When a complaint was last registered by it.
    pub(crate) last_registered: Option<Timestamp>,
    /// Its sources that cannot be read.
    pub(crate) failing: Vec<FailingSource>,
}

impl Observed {
    /// How the channel is at a moment. A channel that was never heard of has been silent since
    /// somebody said how long it may be.
    pub(crate) fn state(&self, settings: &Settings, now: Timestamp) -> State {
        if !self.failing.is_empty() {
            return State::Failing;
        }
        let Some(after) = settings.silent_after else { return State::Unwatched };
        let since = self.last_registered.max(settings.updated.filter(|_| self.last_registered.is_none()));
        let told = since.and_then(|since| since.saturating_add(after).ok());
        if told.is_some_and(|told| told < now) { State::Silent } else { State::Working }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(hour * 3_600).expect("a moment")
    }

    #[test]
    fn a_channel_is_silent_once_nothing_came_for_longer_than_it_may() {
        let settings = Settings {
            silent_after: Some(Duration::from_hours(2)),
            updated: Some(at(10)),
            ..Settings::default_of(6)
        };
        let heard = |hour| Observed { last_registered: Some(at(hour)), failing: Vec::new() };
        assert_eq!(heard(9).state(&settings, at(11)), State::Working, "to the moment");
        assert_eq!(heard(9).state(&settings, at(12)), State::Silent);
        let never = Observed::default();
        assert_eq!(never.state(&settings, at(12)), State::Working, "never heard of: since it was settled");
        assert_eq!(never.state(&settings, at(13)), State::Silent);
        assert_eq!(heard(1).state(&Settings::default_of(6), at(99)), State::Unwatched);
    }

    #[test]
    fn a_source_that_cannot_be_read_is_what_is_wrong_with_its_channel() {
        let source = FailingSource {
            channel: 4,
            name: "mailboxes/shop".to_owned(),
            owner: "ada".to_owned(),
            reason: "LOGIN_REFUSED".to_owned(),
            since: at(1),
        };
        let failing = Observed { last_registered: Some(at(1)), failing: vec![source] };
        assert_eq!(failing.state(&Settings::default_of(4), at(2)), State::Failing);
    }
}
