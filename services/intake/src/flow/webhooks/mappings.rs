//! Mappings, ready to be used. A version never changes, so it is read once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use fault::Fault;
use kernel::TenantId;
use pg::Db;
use posts::{Mapping, Spec};
use server::Length;

use crate::refusal::Refusal;
use crate::store::webhook_sources;

/// Most mappings that are kept ready; beyond, all are forgotten, and read anew as they are
/// needed.
const MAX_READY: usize = 256;

/// Whose mapping it is, of which source, which version.
type Key = (TenantId, String, i64);

/// A mapping, and what it was made of.
pub(crate) struct Ready {
    /// As it was written.
    pub(crate) spec: Spec,
    /// As it is used.
    pub(crate) mapping: Mapping,
}

/// Keeps mappings ready.
pub(crate) struct Mappings {
    db: Db,
    ready: Mutex<HashMap<Key, Arc<Ready>>>,
}

impl Mappings {
    /// Those of a schema.
    pub(crate) fn new(db: Db) -> Self {
        Self { db, ready: Mutex::default() }
    }

    /// A version of a source's mapping.
    pub(crate) async fn get(
        &self,
        tenant: &TenantId,
        source: &str,
        number: i64,
    ) -> Result<Arc<Ready>, Fault> {
        let key = (tenant.clone(), source.to_owned(), number);
        let known = self.ready.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let of = source.to_owned();
        let read = self.db.transact("webhook.mapping", tenant, async move |mut tx| {
            let kept = webhook_sources::mapping(&mut tx, &of, number).await?;
            Ok((tx, kept))
        });
        let spec = read.await?.ok_or(Refusal::WebhookMappingNotFound)?.spec;
        let ready = Arc::new(compiled(tenant, spec).await?);
        let mut all = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MAX_READY {
            all.clear();
        }
        all.insert(key, ready.clone());
        Ok(ready)
    }
}

/// Makes a mapping ready that was refused by nobody.
pub(crate) async fn compiled(tenant: &TenantId, spec: Spec) -> Result<Ready, Fault> {
    let compile = move || {
        let mapping = spec.compile();
        (spec, mapping)
    };
    let (spec, mapping) = server::blocking(tenant, Length::Quick, "webhook.compile", compile).await?;
    match mapping {
        Ok(mapping) => Ok(Ready { spec, mapping }),
        Err(wrong) => Err(Fault::internal(format!("a mapping that is kept is wrong: {wrong:?}"))),
    }
}
