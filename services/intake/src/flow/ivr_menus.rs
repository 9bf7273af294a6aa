//! Finds the menu that explains a call, and keeps those in use ready.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fault::Fault;
use kernel::TenantId;
use pg::Db;

use crate::ivr_menu::{Held, Tree};
use crate::store;

/// Most menus that are kept ready, of some hundred kilobytes at most; beyond, all are read
/// anew.
const MAX_READY: usize = 64;

/// The menus of a schema.
pub(crate) struct IvrMenus {
    db: Db,
    ready: Mutex<HashMap<(TenantId, i64), Arc<Tree>>>,
}

impl IvrMenus {
    /// The menus of a schema.
    pub(crate) fn new(db: Db) -> Self {
        Self { db, ready: Mutex::default() }
    }

    /// The menu that a tenant has in force; none where it has none.
    pub(crate) async fn in_force(&self, tenant: &TenantId) -> Result<Option<Held>, Fault> {
        self.version(tenant, 0).await
    }

    /// A version of the menu, 0 for the one in force; none where there is none.
    pub(crate) async fn version(&self, tenant: &TenantId, wanted: i64) -> Result<Option<Held>, Fault> {
        let (version, ready, kept) = self
            .db
            .transact("ivr_menu.read", tenant, async |mut tx| {
                let version = if wanted == 0 { store::ivr_menus::active(&mut tx).await? } else { wanted };
                // A version never changes: what is ready is what is kept.
                let ready = self.lock().get(&(tenant.clone(), version)).cloned();
                let kept = match version {
                    0 => None,
                    _ if ready.is_some() => None,
                    version => store::ivr_menus::get(&mut tx, version).await?,
                };
                Ok((tx, (version, ready, kept)))
            })
            .await?;
        let read = kept.and_then(|kept| kept.menu).map(|menu| {
            let tree = Arc::new(Tree::from(menu));
            let mut ready = self.lock();
            if ready.len() >= MAX_READY {
                ready.clear();
            }
            ready.insert((tenant.clone(), version), Arc::clone(&tree));
            tree
        });
        Ok(ready.or(read).map(|tree| Held { version, tree }))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(TenantId, i64), Arc<Tree>>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
