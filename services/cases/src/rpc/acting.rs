//! Who calls, as far as it matters for cases.

use std::collections::HashMap;

use fault::Fault;
use kernel::{Caller, person};
use pg::Tx;

use crate::acting::Actor;
use crate::case::Case;
use crate::store;

/// The callers by the name the roster has for each, looked up only where one of the
/// cases is about somebody.
pub(super) struct Names(HashMap<String, String>);

impl Names {
    /// Of those who act on cases.
    pub(super) async fn of<'a>(
        tx: &mut Tx,
        callers: impl IntoIterator<Item = &'a Caller>,
        mut cases: impl Iterator<Item = &Case>,
    ) -> Result<Self, Fault> {
        if cases.all(|case| case.origin.respondent().is_none()) {
            return Ok(Self(HashMap::new()));
        }
        let subjects: Vec<String> =
            callers.into_iter().map(|caller| person::folded(&caller.subject)).collect();
        Ok(Self(store::staff::names(tx, &subjects).await?))
    }

    /// One of them.
    pub(super) fn actor(&self, caller: &Caller) -> Actor {
        let name = self.0.get(&person::folded(&caller.subject)).cloned();
        Actor::new(caller, name.unwrap_or_default())
    }
}

/// Who acts on cases, by themselves.
pub(super) async fn actor(
    tx: &mut Tx,
    caller: &Caller,
    cases: impl Iterator<Item = &Case>,
) -> Result<Actor, Fault> {
    Ok(Names::of(tx, [caller], cases).await?.actor(caller))
}
