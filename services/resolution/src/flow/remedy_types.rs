//! The types of remedy in use, each version read once: a version never changes. Which one
//! holds, and whether the type is disabled, is asked in the transaction that proposes a plan.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fault::Fault;
use kernel::TenantId;
use pg::Tx;
use server::Length;

use crate::plan::Step;
use crate::remedy_type::{ReadType, RemedyTypes};
use crate::store;
use crate::task::Task;

/// Most memory, in bytes, of the versions kept ready, roughly; beyond, all are read anew.
const MAX_READY_BYTES: usize = 32 << 20;

/// Versions that were read, and how much memory they take.
#[derive(Debug, Default)]
struct Ready {
    types: HashMap<(TenantId, String, i64), Arc<ReadType>>,
    bytes: usize,
}

/// Finds the types of steps and tasks, and keeps those in use ready.
#[derive(Debug, Default)]
pub(crate) struct TypesInUse(Mutex<Ready>);

impl TypesInUse {
    /// The types that steps name which are proposed, held until their plans are stored.
    pub(crate) async fn of_steps<'a>(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        steps: impl Iterator<Item = &'a Step>,
    ) -> Result<RemedyTypes, Fault> {
        let custom = steps.filter_map(|step| step.remedy.custom.as_ref());
        let names: BTreeSet<&str> = custom.map(|custom| custom.type_id.as_str()).collect();
        if names.is_empty() {
            return Ok(RemedyTypes::default());
        }
        let heads = store::remedy_types::hold(tx, &names.into_iter().collect::<Vec<_>>()).await?;
        let disabled =
            heads.iter().filter(|head| head.is_disabled).map(|head| head.type_id.clone()).collect();
        let keys = heads.into_iter().map(|head| (head.type_id, head.newest)).collect();
        Ok(RemedyTypes::of(self.ready(tx, tenant, keys).await?, disabled))
    }

    /// The versions that tasks are under.
    pub(crate) async fn of_tasks<'a>(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        tasks: impl Iterator<Item = &'a Task>,
    ) -> Result<RemedyTypes, Fault> {
        let custom = tasks.filter_map(|task| task.remedy.custom.as_ref());
        let keys: BTreeSet<(String, i64)> =
            custom.map(|custom| (custom.type_id.clone(), custom.version)).collect();
        Ok(RemedyTypes::of(self.ready(tx, tenant, keys).await?, BTreeSet::new()))
    }

    /// Versions, read beside the calls the first time.
    async fn ready(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        keys: BTreeSet<(String, i64)>,
    ) -> Result<Vec<Arc<ReadType>>, Fault> {
        let mut found = Vec::with_capacity(keys.len());
        for (type_id, version) in keys {
            let key = (tenant.clone(), type_id, version);
            let known = self.lock().types.get(&key).cloned();
            found.push(match known {
                Some(known) => known,
                None => self.read(tx, key).await?,
            });
        }
        Ok(found)
    }

    async fn read(&self, tx: &mut Tx, key: (TenantId, String, i64)) -> Result<Arc<ReadType>, Fault> {
        let (tenant, type_id, version) = &key;
        let kept = store::remedy_types::get(tx, type_id, *version).await?;
        let kept = kept.ok_or_else(|| Fault::internal(format!("there is no {type_id} {version}")))?;
        let read = move || ReadType::read(kept);
        let read = server::blocking(tenant, Length::Quick, "remedy_type.read", read).await?;
        let unreadable = |_| Fault::internal(format!("{type_id} {version} was accepted and cannot be read"));
        let read = Arc::new(read.map_err(unreadable)?);
        let mut ready = self.lock();
        if ready.bytes + read.bytes() > MAX_READY_BYTES {
            *ready = Ready::default();
        }
        if ready.types.insert(key, Arc::clone(&read)).is_none() {
            ready.bytes += read.bytes();
        }
        Ok(read)
    }

    fn lock(&self) -> MutexGuard<'_, Ready> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
