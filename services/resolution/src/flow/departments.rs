//! The departments this process has seen, and when it last noted that a worker asked.
//! They are never removed, so that one that was seen once need not be looked for again:
//! workers poll all the time.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use fault::Fault;
use jiff::Timestamp;
use kernel::TenantId;
use pg::Db;

use crate::department::POLL_NOTED_EVERY;
use crate::lookahead::Lookahead;
use crate::refusal::Refusal;
use crate::store;

type Key = (TenantId, String);

/// Departments that there are, of every tenant.
#[derive(Default)]
pub(crate) struct Departments {
    /// Each with when a poll was noted last.
    polled: Mutex<HashMap<Key, Option<Timestamp>>>,
    /// What their queues begin with.
    pub(crate) lookahead: Lookahead,
}

impl Departments {
    /// Refuses a department that the tenant has not.
    pub(crate) async fn ensure(&self, db: &Db, tenant: &TenantId, id: &str) -> Result<(), Fault> {
        let key = (tenant.clone(), id.to_owned());
        if self.seen().contains_key(&key) {
            return Ok(());
        }
        let known = db
            .transact("resolution.departments", tenant, async |mut tx| {
                let known = store::departments::known(&mut tx, &[id]).await?;
                Ok((tx, known))
            })
            .await?;
        if known.is_empty() {
            return Err(Refusal::DepartmentNotFound.into());
        }
        self.seen().entry(key).or_default();
        Ok(())
    }

    /// Whether a poll is to be noted: not every one is.
    pub(crate) fn is_poll_due(&self, tenant: &TenantId, id: &str, now: Timestamp) -> bool {
        let noted = self.seen().get(&(tenant.clone(), id.to_owned())).copied().flatten();
        noted.is_none_or(|noted| noted + POLL_NOTED_EVERY <= now)
    }

    /// A poll was noted, for good.
    pub(crate) fn poll_noted(&self, tenant: &TenantId, id: &str, now: Timestamp) {
        self.seen().insert((tenant.clone(), id.to_owned()), Some(now));
    }

    fn seen(&self) -> MutexGuard<'_, HashMap<Key, Option<Timestamp>>> {
        self.polled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
