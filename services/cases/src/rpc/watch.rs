//! `WatchCase`: a case as it is now and after each change. The notifier tells of every
//! case of the schema; one look into the database serves all who watch a tenant's
//! cases.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use fault::Fault;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use kernel::{CaseId, TenantId};
use pg::Db;
use proto::redress::cases::v1::WatchCaseResponse;
use tokio::sync::watch;
use tonic::Status;

use crate::case::Case;
use crate::flow::persist;
use crate::refusal::Refusal;
use crate::{store, wire};

/// Changes in quick succession are one, and looked at no more often.
const REST: Duration = Duration::from_millis(50);
/// And no less often, should a notification be lost.
const POLL: Duration = Duration::from_secs(1);

/// The stream of `WatchCase`.
pub(super) type Changes = BoxStream<'static, Result<WatchCaseResponse, Status>>;

/// Who watches which cases, in this process.
pub(crate) struct Watchers {
    db: Db,
    tenants: Mutex<HashMap<TenantId, Weak<Watched>>>,
}

/// The cases of one tenant that are watched; each is kept by those who watch it.
struct Watched {
    db: Db,
    tenant: TenantId,
    cases: Mutex<HashMap<CaseId, Weak<Latest>>>,
    /// When the last look began.
    looked: tokio::sync::Mutex<Option<Instant>>,
}

/// A case as it was seen last.
type Latest = watch::Sender<Arc<Case>>;

impl Watchers {
    /// Nobody watches yet.
    pub(crate) fn new(db: Db) -> Self {
        Self { db, tenants: Mutex::default() }
    }

    /// Streams a case until work on it has ended. The end of the process ends it as
    /// any stream.
    pub(super) async fn changes(&self, tenant: TenantId, id: CaseId) -> Result<Changes, Fault> {
        // Listens before it looks: no change falls in between.
        let mut listener = self.db.notifier().listen(persist::TOPIC);
        let watched = self.of(tenant);
        let latest = watched.case(id).await?;
        let mut changes = latest.subscribe();
        let stream = async_stream::try_stream! {
            // Kept for as long as the stream is.
            let _latest = latest;
            loop {
                let seen = Arc::clone(&changes.borrow_and_update());
                yield WatchCaseResponse { case: Some(wire::case(&seen)) };
                if seen.state.is_over() {
                    return;
                }
                while !changes.has_changed().map_err(Fault::internal)? {
                    listener.notified_within(POLL).await;
                    watched.look(Instant::now()).await?;
                }
            }
        };
        Ok(stream.boxed())
    }

    fn of(&self, tenant: TenantId) -> Arc<Watched> {
        let mut tenants = lock(&self.tenants);
        if let Some(watched) = tenants.get(&tenant).and_then(Weak::upgrade) {
            return watched;
        }
        let watched = Arc::new(Watched {
            db: self.db.clone(),
            tenant: tenant.clone(),
            cases: Mutex::default(),
            looked: tokio::sync::Mutex::default(),
        });
        tenants.retain(|_, watched| watched.strong_count() > 0);
        tenants.insert(tenant, Arc::downgrade(&watched));
        watched
    }
}

impl Watched {
    /// Reads a case, to be watched from now on.
    async fn case(&self, id: CaseId) -> Result<Arc<Latest>, Fault> {
        let case = self
            .db
            .transact("case.watch", &self.tenant, async move |mut tx| {
                let case = store::get(&mut tx, id).await?;
                Ok((tx, case))
            })
            .await?
            .ok_or(Refusal::CaseNotFound)?;
        let mut cases = lock(&self.cases);
        if let Some(latest) = cases.get(&id).and_then(Weak::upgrade) {
            show(&latest, case);
            return Ok(latest);
        }
        let latest = Arc::new(watch::Sender::new(Arc::new(case)));
        cases.insert(id, Arc::downgrade(&latest));
        Ok(latest)
    }

    /// Looks for changes, unless another has begun to since `heard`.
    async fn look(&self, heard: Instant) -> Result<(), Fault> {
        let mut looked = self.looked.lock().await;
        if let Some(looked) = *looked {
            if looked >= heard {
                return Ok(());
            }
            // Those who hear meanwhile wait for this look.
            tokio::time::sleep_until((looked + REST).into()).await;
        }
        let begun = Instant::now();
        let (ids, versions): (Vec<_>, Vec<_>) = {
            let mut cases = lock(&self.cases);
            cases.retain(|_, latest| latest.strong_count() > 0);
            let known =
                cases.iter().filter_map(|(id, latest)| Some((id.0, latest.upgrade()?.borrow().version)));
            known.unzip()
        };
        let changed = self
            .db
            .transact("case.watch", &self.tenant, async move |mut tx| {
                let changed = store::newer(&mut tx, &ids, &versions).await?;
                Ok((tx, changed))
            })
            .await?;
        let cases = lock(&self.cases);
        for case in changed {
            if let Some(latest) = cases.get(&case.id).and_then(Weak::upgrade) {
                show(&latest, case);
            }
        }
        *looked = Some(begun);
        Ok(())
    }
}

/// Shows a case to who watches it, unless they have seen as much.
fn show(latest: &Latest, case: Case) {
    latest.send_if_modified(|seen| {
        let is_newer = case.version > seen.version;
        if is_newer {
            *seen = Arc::new(case);
        }
        is_newer
    });
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use testkit::House;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn one_look_serves_all_who_heard_before_it() {
        let house = House::open(&[crate::SERVICE]).await;
        let watchers = Watchers::new(house.db("cases").clone());
        let watched = watchers.of(TenantId::development());
        assert!(Arc::ptr_eq(&watched, &watchers.of(TenantId::development())));
        let heard = Instant::now();
        watched.look(heard).await.expect("a look");
        let first = *watched.looked.lock().await;
        assert!(first >= Some(heard));
        futures::future::try_join_all((0..50).map(|_| watched.look(heard))).await.expect("no look");
        assert_eq!(*watched.looked.lock().await, first, "nobody looked again");
        watched.look(Instant::now()).await.expect("a look");
        assert!(*watched.looked.lock().await > first, "what was heard since is looked at");
        drop(watched);
        watchers.of(TenantId::parse("other").expect("a tenant"));
        assert_eq!(lock(&watchers.tenants).len(), 1, "who watches nothing any more is forgotten");
        drop(watchers);
        house.done().await;
    }
}
