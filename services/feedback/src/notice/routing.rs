//! By which means notices go: a tenant's rules, the first that fits decides.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Kind, Means};

/// Most rules.
pub const MAX_RULES: usize = 50;
/// Most days before the time to answer ends.
pub const MAX_CLOSING_SOON_DAYS: i16 = 30;
/// How many they are, as shipped.
pub const CLOSING_SOON_DAYS: i16 = 2;
/// Most days from one news of an open case to the next.
pub const MAX_PROGRESS_DAYS: i16 = 90;
/// How many they are, as shipped.
pub const PROGRESS_DAYS: i16 = 14;
/// The means that notices can go by, in the order that is shipped.
pub const MEANS: [Means; 3] = [Means::Email, Means::Sms, Means::Webhook];

/// By which means notices go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routing {
    /// The first that fits decides.
    pub rules: Vec<Rule>,
    /// How many days before the time to answer ends those who have not answered are told so;
    /// 0 for never.
    pub closing_soon_days: i16,
    /// How many days after they last heard of it complainants have news of a case that is
    /// still open; 0 for never.
    #[serde(default = "progress_days")]
    pub progress_days: i16,
}

/// What those have who settled their routing before there was such news.
fn progress_days() -> i16 {
    PROGRESS_DAYS
}

/// By which means some notices go. Kinds, channels and means by their numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The kinds it fits; empty for all.
    pub kinds: Vec<i16>,
    /// The channels it fits; empty for all.
    pub channels: Vec<i16>,
    /// The means, the first one first.
    pub means: Vec<i16>,
}

impl Routing {
    /// What everybody has who has settled nothing.
    pub fn shipped() -> Self {
        let means = MEANS.iter().map(|means| means.number()).collect();
        Self {
            rules: vec![Rule { kinds: Vec::new(), channels: Vec::new(), means }],
            closing_soon_days: CLOSING_SOON_DAYS,
            progress_days: PROGRESS_DAYS,
        }
    }

    /// By which means a notice goes, the first one first; never none.
    pub fn means(&self, kind: Kind, channel: i16) -> Vec<Means> {
        let rule = self.rules.iter().find(|rule| rule.fits(kind.number(), channel));
        let means = |rule: &Rule| -> Vec<Means> {
            let known = rule.means.iter().filter_map(|number| Means::of(*number));
            known.filter(|means| MEANS.contains(means)).collect()
        };
        rule.map(means).filter(|means| !means.is_empty()).unwrap_or_else(|| MEANS.to_vec())
    }

    /// When somebody is told that the time to answer ends, if they are.
    pub fn closing_soon(&self, until: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let ahead = SignedDuration::from_hours(24 * i64::from(self.closing_soon_days));
        let at = until.checked_sub(ahead).ok()?;
        (self.closing_soon_days > 0 && at > now).then_some(at)
    }

    /// Whoever last heard of their open case then, or earlier, has news of it; none where
    /// nobody has.
    pub fn progress_since(&self, now: Timestamp) -> Option<Timestamp> {
        let days = SignedDuration::from_hours(24 * i64::from(self.progress_days));
        if self.progress_days > 0 { now.checked_sub(days).ok() } else { None }
    }

    /// The rules that can never decide, because of one before them.
    pub fn shadowed(&self) -> Vec<usize> {
        let is_shadowed = |place: &usize| {
            let (before, rule) = (&self.rules[..*place], &self.rules[*place]);
            before.iter().any(|earlier| {
                covers(&earlier.kinds, &rule.kinds) && covers(&earlier.channels, &rule.channels)
            })
        };
        (0..self.rules.len()).filter(is_shadowed).collect()
    }
}

impl Rule {
    fn fits(&self, kind: i16, channel: i16) -> bool {
        let of = |listed: &[i16], one: i16| listed.is_empty() || listed.contains(&one);
        of(&self.kinds, kind) && of(&self.channels, channel)
    }
}

/// Whether a list fits whatever another one fits; empty is all.
fn covers(wide: &[i16], narrow: &[i16]) -> bool {
    wide.is_empty() || (!narrow.is_empty() && narrow.iter().all(|one| wide.contains(one)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rule(kinds: &[i16], channels: &[i16], means: &[i16]) -> Rule {
        Rule { kinds: kinds.to_vec(), channels: channels.to_vec(), means: means.to_vec() }
    }

    #[test]
    fn the_first_rule_that_fits_decides_and_the_shipped_order_where_none_does() {
        let routing = Routing {
            rules: vec![rule(&[1], &[3], &[7]), rule(&[1, 2], &[], &[6, 1]), rule(&[], &[9], &[1])],
            ..Routing::default()
        };
        for (kind, channel, means) in [
            (Kind::Acknowledgement, 3, vec![Means::Webhook]),
            (Kind::Acknowledgement, 4, vec![Means::Sms, Means::Email]),
            (Kind::Outcome, 3, vec![Means::Sms, Means::Email]),
            (Kind::Recourse, 9, vec![Means::Email]),
            (Kind::Recourse, 3, MEANS.to_vec()),
        ] {
            assert_eq!(routing.means(kind, channel), means, "{kind:?} {channel}");
        }
        assert_eq!(Routing::shipped().means(Kind::Survey, 0), MEANS);
    }

    fn rules() -> impl Strategy<Value = Vec<Rule>> {
        let list = |most: i16| prop::collection::vec(1..most, 0..3);
        let rule = (list(4), list(4)).prop_map(|(kinds, channels)| rule(&kinds, &channels, &[1]));
        prop::collection::vec(rule, 0..5)
    }

    #[test]
    fn who_has_not_answered_is_told_days_before_the_end_or_not_at_all() {
        let at = |hours: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours);
        let days = |closing_soon_days| Routing { closing_soon_days, ..Routing::shipped() };
        assert_eq!(days(2).closing_soon(at(72), at(0)), Some(at(24)));
        assert_eq!(days(2).closing_soon(at(48), at(0)), None, "the outcome itself tells it");
        assert_eq!(days(0).closing_soon(at(72), at(0)), None);
    }

    #[test]
    fn news_are_due_so_many_days_after_the_last_or_never() {
        let at = |hours: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours);
        let days = |progress_days| Routing { progress_days, ..Routing::shipped() };
        assert_eq!(days(2).progress_since(at(72)), Some(at(24)));
        assert_eq!(days(0).progress_since(at(72)), None);
        let before = serde_json::json!({ "rules": [], "closing_soon_days": 3 });
        let before: Routing = serde_json::from_value(before).expect("it is kept so");
        assert_eq!((before.closing_soon_days, before.progress_days), (3, PROGRESS_DAYS));
    }

    proptest! {
        #[test]
        fn a_shadowed_rule_never_decides(rules in rules(), kind in 1..5_i16, channel in 1..5_i16) {
            let routing = Routing { rules, ..Routing::default() };
            let decides = routing.rules.iter().position(|rule| rule.fits(kind, channel));
            prop_assert!(decides.is_none_or(|place| !routing.shadowed().contains(&place)));
        }
    }
}
