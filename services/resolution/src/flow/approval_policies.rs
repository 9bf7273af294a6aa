//! The approval policies in use, read once per version: which version holds is asked in the
//! transaction that judges, so that replicas never differ.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use fault::Fault;
use kernel::TenantId;
use pg::Tx;
use server::Length;

use crate::approval::policy::{ApprovalPolicy, Definition};
use crate::refusal::Refusal;
use crate::remedy::Flaw;
use crate::store;

/// Policies of tenants kept in memory; beyond, all are read anew.
const MOST_KEPT: usize = 128;

/// The policies in use, of each tenant the last that was asked for.
#[derive(Debug, Default)]
pub(crate) struct ApprovalPolicies(Mutex<HashMap<TenantId, Arc<ApprovalPolicy>>>);

impl ApprovalPolicies {
    /// The policy by which the tenant's plans are judged now.
    pub(crate) async fn active(&self, tx: &mut Tx, tenant: &TenantId) -> Result<Arc<ApprovalPolicy>, Fault> {
        let version = store::approval_policies::active(tx).await?;
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(tenant).cloned();
        if let Some(policy) = kept.filter(|kept| kept.version == version) {
            return Ok(policy);
        }
        let policy = Arc::new(get(tx, tenant, version).await?);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST_KEPT && !kept.contains_key(tenant) {
            kept.clear();
        }
        kept.insert(tenant.clone(), policy.clone());
        Ok(policy)
    }
}

/// A version, read beside the calls: that takes milliseconds.
pub(crate) async fn get(tx: &mut Tx, tenant: &TenantId, version: i64) -> Result<ApprovalPolicy, Fault> {
    if version == 0 {
        return Ok(ApprovalPolicy::default());
    }
    let kept = store::approval_policies::get(tx, version).await?.and_then(|kept| kept.definition);
    let definition = kept.ok_or(Refusal::ApprovalPolicyNotFound)?;
    read(tenant, version, definition).await?.map_err(|flaws| unreadable(&flaws))
}

/// Reads a definition beside the calls; answers it, or what is wrong with it.
pub(crate) async fn read(
    tenant: &TenantId,
    version: i64,
    definition: Definition,
) -> Result<Result<ApprovalPolicy, Vec<Flaw>>, Fault> {
    let read = move || ApprovalPolicy::read(version, definition);
    server::blocking(tenant, Length::Quick, "approval_policy.read", read).await
}

/// A policy that was accepted and cannot be read.
fn unreadable(flaws: &[Flaw]) -> Fault {
    let first = flaws.first().map(|flaw| format!("{}: {}", flaw.field, flaw.what));
    Fault::internal(format!("an approval policy cannot be read: {}", first.unwrap_or_default()))
}
