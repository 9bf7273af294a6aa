//! Of the workers that wait for tasks of one department, one looks and the others
//! wait for their turn: looking costs the same however many wait.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kernel::TenantId;

type Key = (TenantId, String);
type Turn = Arc<tokio::sync::Mutex<()>>;

/// Whose turn it is, by department.
#[derive(Default)]
pub(crate) struct PollFairness(Mutex<HashMap<Key, Turn>>);

/// A place in a department's line; given up when dropped.
pub(crate) struct Place<'a> {
    fairness: &'a PollFairness,
    key: Key,
    turn: Turn,
}

impl PollFairness {
    /// Joins the line of a department.
    pub(crate) fn join(&self, tenant: &TenantId, department_id: &str) -> Place<'_> {
        let key = (tenant.clone(), department_id.to_owned());
        let turn = self.lines().entry(key.clone()).or_default().clone();
        Place { fairness: self, key, turn }
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<Key, Turn>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place<'_> {
    /// Waits, first come first served, and has the turn while the guard lives.
    pub(crate) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }
}

/// The last to leave takes the line away: callers name departments as they like.
impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut lines = self.fairness.lines();
        if Arc::strong_count(&self.turn) == 2 {
            lines.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use futures::FutureExt as _;
    use proptest::prelude::*;

    use super::*;

    fn tenant(number: u8) -> TenantId {
        TenantId::parse(&format!("tenant-{number}")).unwrap()
    }

    proptest! {
        /// Workers come, and whoever has the turn looks once and leaves: however many wait
        /// for the department of one tenant, a tenant's own next turn is kept from it by
        /// none of them, and by one look of its own at most.
        #[test]
        fn a_flood_of_one_tenant_keeps_another_from_no_turn(
            arrivals in prop::collection::vec((0..4_u8, any::<bool>()), 1..80),
        ) {
            let fairness = PollFairness::default();
            let tenants: Vec<TenantId> = (0..4).map(tenant).collect();
            let places: Vec<_> = arrivals
                .iter()
                .map(|(number, flood)| {
                    // The flood is all one tenant's.
                    let number = if *flood { 0 } else { usize::from(*number) };
                    (number, fairness.join(&tenants[number], "finance"))
                })
                .collect();
            let mut waiting: Vec<_> =
                places.iter().map(|(number, place)| (*number, Box::pin(place.turn()))).collect();
            let mut turns = BTreeMap::new();
            let mut looks = 0;
            while !waiting.is_empty() {
                let mut served = Vec::new();
                waiting.retain_mut(|(number, turn)| match turn.as_mut().now_or_never() {
                    Some(guard) => { served.push((*number, guard)); false }
                    None => true,
                });
                let served_now: Vec<usize> = served.iter().map(|(number, _)| *number).collect();
                for (number, _) in &waiting {
                    prop_assert!(served_now.contains(number), "whoever waits, waits for its own line only");
                }
                for number in served_now {
                    *turns.entry(number).or_insert(0) += 1;
                }
                looks += 1;
            }
            let longest = places.iter().fold(BTreeMap::new(), |mut lines, (number, _)| {
                *lines.entry(*number).or_insert(0) += 1;
                lines
            });
            prop_assert_eq!(&turns, &longest);
            prop_assert_eq!(Some(&looks), longest.values().max(), "lines move beside each other");
        }
    }

    #[tokio::test]
    async fn each_department_has_one_turn_and_no_line_stays_behind() {
        let fairness = PollFairness::default();
        let tenant = TenantId::development();
        let first = fairness.join(&tenant, "finance");
        let second = fairness.join(&tenant, "finance");
        let other = fairness.join(&tenant, "warehouse");
        let turn = first.turn().await;
        assert!(second.turn.try_lock().is_err(), "it is the first one's turn");
        assert!(other.turn.try_lock().is_ok(), "another department has its own");
        drop(turn);
        assert!(second.turn.try_lock().is_ok());
        drop((first, second, other));
        assert!(fairness.lines().is_empty());
    }
}
