//! The classifiers in use, read once per version: which version is active is asked
//! in the transaction that classifies.
//!
//! A tenant known to have none is not asked about again for some seconds: most never
//! train one, and their cases cost no statement. Another replica therefore notices a
//! first activation that much later.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use fault::Fault;
use kernel::TenantId;
use language::Model;
use pg::Tx;
use server::Length;

use crate::classifier::Classifier;
use crate::store;

/// How long a tenant is taken to have no active classifier.
const NONE_FOR: Duration = Duration::from_secs(5);
/// Classifiers kept in memory; up to 20 MB each.
const MOST_KEPT: usize = 16;

/// The classifiers in use, of each tenant the last that was asked for.
#[derive(Debug, Default)]
pub(crate) struct Classifiers {
    known: Mutex<HashMap<TenantId, Known>>,
}

/// What is known of a tenant.
#[derive(Clone, Debug)]
enum Known {
    /// None was active then.
    None(Instant),
    /// This one was last used then.
    Kept(Arc<Classifier>, Instant),
}

impl Classifiers {
    /// The tenant's active classifier.
    pub(crate) async fn active(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
    ) -> Result<Option<Arc<Classifier>>, Fault> {
        if matches!(self.known(tenant), Some(Known::None(since)) if since.elapsed() < NONE_FOR) {
            return Ok(None);
        }
        let version = store::classifiers::active(tx).await?;
        if version == 0 {
            self.know(tenant, Known::None(Instant::now()));
            return Ok(None);
        }
        self.get(tx, tenant, version).await
    }

    /// A version of the tenant's; none when there is no such version.
    pub(crate) async fn get(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        version: i64,
    ) -> Result<Option<Arc<Classifier>>, Fault> {
        if let Some(Known::Kept(kept, _)) = self.known(tenant)
            && kept.version == version
        {
            self.know(tenant, Known::Kept(kept.clone(), Instant::now()));
            return Ok(Some(kept));
        }
        let Some((threshold, bytes)) = store::classifiers::model(tx, version).await? else { return Ok(None) };
        // The dictionary too: nobody's first text waits for it on a thread of the calls.
        let read = move || {
            language::prepare();
            Model::from_bytes(&bytes)
        };
        let model = server::blocking(tenant, Length::Quick, "classifier.load", read).await?;
        let model = model.map_err(Fault::internal)?;
        let classifier = Arc::new(Classifier { version, threshold, model });
        self.know(tenant, Known::Kept(classifier.clone(), Instant::now()));
        Ok(Some(classifier))
    }

    /// Asks again next time: one was activated.
    pub(crate) fn ask_again(&self, tenant: &TenantId) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(known.get(tenant), Some(Known::None(_))) {
            known.remove(tenant);
        }
    }

    fn known(&self, tenant: &TenantId) -> Option<Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(tenant).cloned()
    }

    /// Keeps what is known, and of the classifiers those used last.
    fn know(&self, tenant: &TenantId, known_now: Known) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(tenant.clone(), known_now);
        let kept = known.iter().filter_map(|(tenant, known)| match known {
            Known::Kept(_, used) => Some((*used, tenant)),
            Known::None(_) => None,
        });
        let kept: Vec<(Instant, &TenantId)> = kept.collect();
        if kept.len() > MOST_KEPT
            && let Some(oldest) =
                kept.into_iter().min_by_key(|(used, _)| *used).map(|(_, tenant)| tenant.clone())
        {
            known.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classifier::tests::{classifier, lessons};

    #[test]
    fn memory_stays_bounded_and_the_last_used_stay() {
        let classifiers = Classifiers::default();
        let kept = Arc::new(classifier(&lessons(), 0.5));
        let tenant = |number: usize| TenantId::parse(&format!("t-{number}")).expect("a tenant");
        let start = Instant::now();
        let later = |number: usize| start + Duration::from_secs(u64::try_from(number).expect("few"));
        for number in 0..MOST_KEPT + 3 {
            classifiers.know(&tenant(number), Known::Kept(kept.clone(), later(number)));
        }
        let held = |number| classifiers.known(&tenant(number)).is_some();
        assert_eq!((0..MOST_KEPT + 3).filter(|number| held(*number)).count(), MOST_KEPT);
        assert!(!held(2) && held(3));
    }

    #[test]
    fn only_what_was_not_there_is_asked_for_again() {
        let classifiers = Classifiers::default();
        let (some, none) =
            (TenantId::parse("some").expect("a tenant"), TenantId::parse("none").expect("a tenant"));
        classifiers.know(&some, Known::Kept(Arc::new(classifier(&lessons(), 0.5)), Instant::now()));
        classifiers.know(&none, Known::None(Instant::now()));
        classifiers.ask_again(&some);
        classifiers.ask_again(&none);
        assert!(classifiers.known(&some).is_some() && classifiers.known(&none).is_none());
    }
}
