//! The rule sets in use, read once per version: which version holds is asked in the
//! transaction that triages, so that replicas never differ.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use fault::Fault;
use kernel::TenantId;
use pg::Tx;
use server::Length;
use triage::RuleSet;
use triage::rules::Flaw;

use crate::refusal::Refusal;
use crate::store;
use crate::triage_record::ActiveVersions;

/// Rule sets of tenants kept in memory, some megabytes each at most; beyond, all are read
/// anew.
const MOST_KEPT: usize = 32;

/// The rule sets in use, of each tenant the last that was asked for.
#[derive(Debug, Default)]
pub(crate) struct RuleSets {
    /// Serves the tenants that have neither rules nor a tree of their own.
    shipped: Mutex<Option<Arc<RuleSet>>>,
    of_tenants: Mutex<HashMap<TenantId, (ActiveVersions, Arc<RuleSet>)>>,
}

impl RuleSets {
    /// The set of versions.
    pub(crate) async fn get(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        versions: ActiveVersions,
    ) -> Result<Arc<RuleSet>, Fault> {
        if versions == ActiveVersions::default() {
            return self.shipped(tenant).await;
        }
        let kept = self.of_tenants.lock().unwrap_or_else(PoisonError::into_inner).get(tenant).cloned();
        if let Some((_, set)) = kept.filter(|(kept, _)| *kept == versions) {
            return Ok(set);
        }
        let set = Arc::new(read(tx, tenant, versions).await?);
        let mut of_tenants = self.of_tenants.lock().unwrap_or_else(PoisonError::into_inner);
        if of_tenants.len() >= MOST_KEPT && !of_tenants.contains_key(tenant) {
            of_tenants.clear();
        }
        of_tenants.insert(tenant.clone(), (versions, set.clone()));
        Ok(set)
    }

    async fn shipped(&self, tenant: &TenantId) -> Result<Arc<RuleSet>, Fault> {
        let known = self.shipped.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(set) = known {
            return Ok(set);
        }
        let set = Arc::new(compiled(tenant, RuleSet::shipped).await?);
        *self.shipped.lock().unwrap_or_else(PoisonError::into_inner) = Some(set.clone());
        Ok(set)
    }
}

/// Reads a set beside the calls: that takes milliseconds.
async fn compiled(
    tenant: &TenantId,
    read: impl FnOnce() -> Result<RuleSet, Vec<Flaw>> + Send + 'static,
) -> Result<RuleSet, Fault> {
    let set = server::blocking(tenant, Length::Quick, "rules.compile", read).await?;
    set.map_err(|flaws| unreadable(&flaws))
}

/// Reads a set as a tree of categories leaves it.
pub(crate) async fn read(tx: &mut Tx, tenant: &TenantId, versions: ActiveVersions) -> Result<RuleSet, Fault> {
    let ActiveVersions { rule_set, tree } = versions;
    let mut set = if rule_set == 0 {
        compiled(tenant, RuleSet::shipped).await?
    } else {
        let kept = store::rules::get(tx, rule_set).await?.and_then(|kept| kept.definition);
        let kept = kept.ok_or(Refusal::RuleSetNotFound)?;
        compiled(tenant, move || RuleSet::read(rule_set, kept)).await?
    };
    if let Some(tree) = tree {
        let known = store::categories::known(tx, tree, &set.categories()).await?;
        set.keep_to(&known);
    }
    Ok(set)
}

/// A set that was accepted and cannot be read.
fn unreadable(flaws: &[Flaw]) -> Fault {
    let first = flaws.first().map(|flaw| format!("{}: {}", flaw.place, flaw.what));
    Fault::internal(format!("a rule set cannot be read: {}", first.unwrap_or_default()))
}
