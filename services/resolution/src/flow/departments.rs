//! The departments this process has seen. They are never removed, so that one that was
//! seen once need not be looked for again: workers poll all the time.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use fault::Fault;
use kernel::TenantId;
use pg::Db;

use crate::refusal::Refusal;
use crate::store;

/// Departments that there are, of every tenant.
#[derive(Debug, Default)]
pub(crate) struct Departments(Mutex<HashSet<(TenantId, String)>>);

impl Departments {
    /// Refuses a department that the tenant has not.
    pub(crate) async fn ensure(&self, db: &Db, tenant: &TenantId, id: &str) -> Result<(), Fault> {
        let key = (tenant.clone(), id.to_owned());
        if self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&key) {
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
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
        Ok(())
    }
}
