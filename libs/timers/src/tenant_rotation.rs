//! Whose timers are looked at when more are due than one look takes: every tenant's in
//! turn, a share of each. Pure.
//!
//! What cannot be held now is passed over: the next look at its tenant goes on behind
//! it, and begins anew once it has come to the end.

use std::collections::HashMap;

use jiff::Timestamp;
use kernel::TenantId;
use uuid::Uuid;

use crate::store::Due;

/// Most timers of one look.
pub(crate) const LOOK_MAX: usize = 500;
/// Most tenants of one look.
pub(crate) const TENANTS_MAX: usize = 50;
/// Most timers that are tried alone, of one tenant in one look: each costs a
/// transaction, and the other tenants wait meanwhile.
pub(crate) const ALONE_MAX: usize = 20;

/// A place among the due timers of a tenant, in the order they are looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) try_at: Timestamp,
    pub(crate) kind: String,
    pub(crate) key: Uuid,
}

impl Place {
    fn of(due: &Due) -> Self {
        Self { try_at: due.try_at, kind: due.kind.clone(), key: due.key }
    }
}

/// Where the looks have come to. Forgotten as soon as one look takes all that is due.
#[derive(Debug, Default)]
pub(crate) struct TenantRotation {
    /// The tenant whose turn was last; none when the first tenant is next.
    last: Option<TenantId>,
    /// Up to where tenants were looked at; none of those that begin at their first timer.
    passed: HashMap<TenantId, Place>,
    /// Whether some tenant has more than was looked at since the first tenant's turn.
    more: bool,
}

impl TenantRotation {
    /// The tenant after which the next look goes on.
    pub(crate) fn last(&self) -> Option<&TenantId> {
        self.last.as_ref()
    }

    /// Behind which place each of some tenants is looked at.
    pub(crate) fn places(&self, tenants: &[TenantId]) -> Vec<Option<&Place>> {
        tenants.iter().map(|tenant| self.passed.get(tenant)).collect()
    }

    /// How many timers of each of so many tenants one look takes.
    pub(crate) fn share(tenants: usize) -> usize {
        LOOK_MAX / tenants.clamp(1, TENANTS_MAX)
    }

    /// Notes what a look at these tenants found. Answers whether there is more to look
    /// at before it all begins anew.
    pub(crate) fn looked(&mut self, tenants: &[TenantId], found: &[Due]) -> bool {
        let share = Self::share(tenants.len());
        for tenant in tenants {
            let mut of_tenant = found.iter().filter(|due| due.tenant == *tenant);
            match of_tenant.nth(share - 1) {
                Some(last) => {
                    self.passed.insert(tenant.clone(), Place::of(last));
                    self.more = true;
                }
                None => {
                    self.passed.remove(tenant);
                }
            }
        }
        if tenants.len() < TENANTS_MAX {
            self.last = None;
            std::mem::take(&mut self.more)
        } else {
            self.last = tenants.last().cloned();
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::ops::Bound;

    use proptest::prelude::*;

    use super::*;

    /// Due timers by tenant, each with whether it can be held: what the table is to the
    /// statements of the store.
    type Table = BTreeMap<TenantId, BTreeMap<Place, bool>>;

    fn due_tenants(table: &Table, after: Option<&TenantId>) -> Vec<TenantId> {
        let due = table.iter().filter(|(_, timers)| !timers.is_empty()).map(|(tenant, _)| tenant);
        due.filter(|tenant| after.is_none_or(|after| *tenant > after)).take(TENANTS_MAX).cloned().collect()
    }

    fn shares(table: &Table, tenants: &[TenantId], rotation: &TenantRotation) -> Vec<Due> {
        let mut found = Vec::new();
        for (tenant, after) in tenants.iter().zip(rotation.places(tenants)) {
            let from = after.map_or(Bound::Unbounded, Bound::Excluded);
            let behind = table[tenant].range((from, Bound::Unbounded)).map(|(place, _)| place);
            found.extend(behind.take(TenantRotation::share(tenants.len())).map(|place| Due {
                tenant: tenant.clone(),
                kind: place.kind.clone(),
                key: place.key,
                try_at: place.try_at,
                attempts: 0,
            }));
        }
        found
    }

    /// One look: what can be held fires. Answers what fired, and whether there is more.
    fn look(table: &mut Table, rotation: &mut TenantRotation) -> (Vec<Due>, bool) {
        let tenants = due_tenants(table, rotation.last());
        let found = shares(table, &tenants, rotation);
        let more = rotation.looked(&tenants, &found);
        let fired = |due: &Due| table[&due.tenant][&Place::of(due)];
        let fired: Vec<Due> = found.into_iter().filter(fired).collect();
        for due in &fired {
            table.get_mut(&due.tenant).expect("it has some").remove(&Place::of(due));
        }
        (fired, more)
    }

    fn tenant(number: usize) -> TenantId {
        TenantId::parse(&format!("tenant-{number:04}")).expect("a tenant id")
    }

    fn place(number: usize) -> Place {
        let second = i64::try_from(number).expect("few");
        let try_at = Timestamp::from_second(second / 3).expect("a time");
        Place { try_at, kind: "k".to_owned(), key: Uuid::from_u128(number as u128) }
    }

    /// Of each tenant so many timers, every how-manieth of which can be held.
    fn tables() -> impl Strategy<Value = Table> {
        let timers = (0..700_usize, 1..300_usize);
        proptest::collection::vec(timers, 1..130).prop_map(|tenants| {
            let timers = |(count, every): (usize, usize)| {
                (0..count).map(|number| (place(number), number % every == every - 1)).collect()
            };
            tenants.into_iter().enumerate().map(|(at, one)| (tenant(at), timers(one))).collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

        #[test]
        fn whatever_can_be_held_fires_however_much_cannot(mut table in tables()) {
            let holdable = |table: &Table| table.values().flat_map(BTreeMap::values).filter(|held| **held).count();
            let (mut rotation, mut looks) = (TenantRotation::default(), 0);
            let longest = table.values().map(BTreeMap::len).max().unwrap_or(0);
            let rounds = table.len().div_ceil(TENANTS_MAX) + 1;
            // Each turn of a tenant passes over a share of its timers.
            let bound = rounds * (longest.div_ceil(TenantRotation::share(TENANTS_MAX)) + 2) * 2;
            while holdable(&table) > 0 {
                look(&mut table, &mut rotation);
                looks += 1;
                prop_assert!(looks <= bound, "{} are left after {looks} looks", holdable(&table));
            }
        }

        #[test]
        fn every_tenant_has_its_turn_within_one_round_of_all(mut table in tables()) {
            let mut rotation = TenantRotation::default();
            let all: BTreeSet<TenantId> =
                table.iter().filter(|(_, timers)| !timers.is_empty()).map(|(tenant, _)| tenant.clone()).collect();
            let mut seen = BTreeSet::new();
            for _ in 0..all.len().div_ceil(TENANTS_MAX) {
                let tenants = due_tenants(&table, rotation.last());
                let found = shares(&table, &tenants, &rotation);
                for tenant in &tenants {
                    let count = found.iter().filter(|due| due.tenant == *tenant).count();
                    prop_assert!(count > 0 && count <= TenantRotation::share(tenants.len()));
                }
                seen.extend(tenants);
                look(&mut table, &mut rotation);
            }
            prop_assert_eq!(seen, all);
        }
    }

    #[test]
    fn looks_end_once_all_was_passed_over_for_nothing() {
        let busy = (0..=LOOK_MAX).map(|number| (place(number), false)).collect();
        let mut table = Table::from([(tenant(1), busy)]);
        let mut rotation = TenantRotation::default();
        assert!(look(&mut table, &mut rotation).1, "one is left to look at");
        assert!(!look(&mut table, &mut rotation).1, "then it begins anew");
        assert!(look(&mut table, &mut rotation).1);
    }
}
