//! What an edit would do to promises already made, before it is made.

use jiff::Timestamp;

use crate::calendar::Calendar;
use crate::clock::Clock;
use crate::terms::Terms;

/// A due time that an edit moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved<K> {
    /// Whose.
    pub key: K,
    /// When it is due now; none while paused without a cap.
    pub before: Option<Timestamp>,
    /// When it would be due.
    pub after: Option<Timestamp>,
}

/// The open clocks whose due time moves when `old` is replaced by `new`. Each is
/// changed as it will be: what was spent is counted anew.
pub fn calendar_edit<'a, K>(
    clocks: impl IntoIterator<Item = (K, &'a Clock)>,
    old: &Calendar,
    new: &Calendar,
) -> Vec<Moved<K>> {
    moved(clocks, old, new, |_, clock| clock.remeasure(new))
}

/// The open clocks whose due time moves when they are put under other terms now;
/// `edit` says which a clock gets, none if it keeps its own.
pub fn policy_edit<'a, K>(
    clocks: impl IntoIterator<Item = (K, &'a Clock)>,
    calendar: &Calendar,
    policy: &str,
    now: Timestamp,
    edit: impl Fn(&K, &Clock) -> Option<Terms>,
) -> Vec<Moved<K>> {
    moved(clocks, calendar, calendar, |key, clock| {
        if let Some(terms) = edit(key, clock) {
            clock.change(terms, policy, calendar, now);
        }
    })
}

fn moved<'a, K>(
    clocks: impl IntoIterator<Item = (K, &'a Clock)>,
    old: &Calendar,
    new: &Calendar,
    edit: impl Fn(&K, &mut Clock),
) -> Vec<Moved<K>> {
    clocks
        .into_iter()
        .filter(|(_, clock)| clock.is_open())
        .filter_map(|(key, clock)| {
            let before = clock.due(old);
            let mut edited = clock.clone();
            edit(&key, &mut edited);
            let after = edited.due(new);
            (before != after).then_some(Moved { key, before, after })
        })
        .collect()
}
