//! Work that computes for more than a millisecond, off the threads that serve calls.
//!
//! What is quick (a schema compiled, a long text classified, a page of cases replayed)
//! has places of its own beside what is long (a classifier trained), so that nobody
//! who is answered in milliseconds waits behind seconds. A tenant never has all places
//! of a kind: whatever one sends, another's work begins at the next free place.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Instant;

use fault::{Fault, Kind};
use kernel::TenantId;
use opentelemetry::metrics::Histogram;
use opentelemetry::{KeyValue, global};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Span;

use crate::watch;

/// How long a piece of work computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Length {
    /// Milliseconds, a second at worst.
    Quick,
    /// Seconds.
    Long,
}

/// Most work of one tenant and length that waits for a place; more is refused.
pub const MAX_WAITING: usize = 64;

/// The work of this process.
static POOL: LazyLock<Pool> = LazyLock::new(|| Pool::new(cores()));

static WAITED: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    histogram("redress.blocking.wait", "How long work beside the calls waited for its place")
});

static COMPUTED: LazyLock<Histogram<f64>> =
    LazyLock::new(|| histogram("redress.blocking.duration", "How long work beside the calls computed"));

fn histogram(name: &'static str, description: &'static str) -> Histogram<f64> {
    global::meter("redress").f64_histogram(name).with_unit("s").with_description(description).build()
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Computes something for a tenant beside the calls, and answers what comes of it.
/// `work` names it in metrics and logs, as `form.compile`.
///
/// A caller who no longer waits gives their place up; what has begun is finished.
///
/// # Errors
///
/// Fails with `OVERLOADED` where too much of the tenant's work waits already, and as an
/// error of ours where the work panics.
pub async fn blocking<T: Send + 'static>(
    tenant: &TenantId,
    length: Length,
    work: &'static str,
    job: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Fault> {
    let asked = Instant::now();
    let place = POOL.place(tenant, length).await?;
    let span = Span::current();
    let name = [KeyValue::new("work", work)];
    WAITED.record(asked.elapsed().as_secs_f64(), &name);
    let computing = tokio::task::spawn_blocking(move || {
        let begun = Instant::now();
        let done = span.in_scope(job);
        COMPUTED.record(begun.elapsed().as_secs_f64(), &name);
        // Here and not with the one who waits, who may be gone: the thread is taken.
        drop(place);
        done
    });
    computing.await.map_err(|error| match error.try_into_panic() {
        Ok(panic) => fault::panicked(panic.as_ref()),
        Err(error) => Fault::internal(error),
    })
}

/// Computes something here, where what it looks at is at hand and one of a kind does it at
/// a time, as a consumer its batch. Where it is heavy and the runtime has several threads,
/// the other work of this one is given to another first.
pub fn aside<T>(is_heavy: bool, job: impl FnOnce() -> T) -> T {
    let may_move =
        || Handle::try_current().is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread);
    if is_heavy && may_move() { watch::unwatched(|| tokio::task::block_in_place(job)) } else { job() }
}

struct Pool {
    quick: Lane,
    long: Lane,
}

/// The places of one length.
struct Lane {
    places: Arc<Semaphore>,
    /// Most places of one tenant.
    share: usize,
    tenants: Mutex<HashMap<TenantId, Arc<Tenant>>>,
}

/// What one tenant has of a lane.
struct Tenant {
    places: Arc<Semaphore>,
    /// Those it has, and those it waits for.
    begun: Arc<Semaphore>,
}

/// A tenant's place, of its own and of all; given back when it is dropped.
struct Place {
    _begun: OwnedSemaphorePermit,
    _own: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

impl Pool {
    /// As many places as there are cores, for the long half of them; two at least, or
    /// one tenant would have all.
    fn new(cores: usize) -> Self {
        Self { quick: Lane::new(cores.max(2)), long: Lane::new((cores / 2).max(2)) }
    }

    async fn place(&self, tenant: &TenantId, length: Length) -> Result<Place, Fault> {
        match length {
            Length::Quick => self.quick.place(tenant).await,
            Length::Long => self.long.place(tenant).await,
        }
    }
}

impl Lane {
    fn new(width: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(width)), share: width - 1, tenants: Mutex::default() }
    }

    async fn place(&self, tenant: &TenantId) -> Result<Place, Fault> {
        let of_tenant = self.of(tenant);
        let begun = Arc::clone(&of_tenant.begun).try_acquire_owned().map_err(|_| overloaded())?;
        let own = Arc::clone(&of_tenant.places).acquire_owned().await.map_err(Fault::internal)?;
        let of_all = Arc::clone(&self.places).acquire_owned().await.map_err(Fault::internal)?;
        Ok(Place { _begun: begun, _own: own, _of_all: of_all })
    }

    fn of(&self, tenant: &TenantId) -> Arc<Tenant> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = tenants.get(tenant) {
            return Arc::clone(known);
        }
        let all = self.share + MAX_WAITING;
        // Those who have nothing here are forgotten. A permit that is held keeps its
        // semaphore, not its tenant.
        tenants.retain(|_, one| Arc::strong_count(one) > 1 || one.begun.available_permits() < all);
        let new = Arc::new(Tenant {
            places: Arc::new(Semaphore::new(self.share)),
            begun: Arc::new(Semaphore::new(all)),
        });
        tenants.insert(tenant.clone(), Arc::clone(&new));
        new
    }
}

fn overloaded() -> Fault {
    Fault::new(Kind::Exhausted, "OVERLOADED", "too much work of this tenant waits already; try again")
        .retry_after(RETRY)
}

/// When one whose work was refused is told to come back.
const RETRY: std::time::Duration = std::time::Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(name: &str) -> TenantId {
        TenantId::parse(name).expect("it is a name")
    }

    #[tokio::test]
    async fn a_tenant_leaves_a_place_to_the_others() {
        let lane = Lane::new(2);
        let (greedy, other) = (tenant("greedy"), tenant("other"));
        let held = lane.place(&greedy).await.expect("there is a place");
        let mut second = Box::pin(lane.place(&greedy));
        assert!(futures::poll!(second.as_mut()).is_pending(), "one of two is all it gets");
        assert!(matches!(futures::poll!(Box::pin(lane.place(&other))), std::task::Poll::Ready(Ok(_))));
        drop(held);
        assert!(second.await.is_ok());
    }

    #[tokio::test]
    async fn what_a_tenant_has_waiting_is_bounded() {
        let lane = Lane::new(2);
        let greedy = tenant("greedy");
        let _held = lane.place(&greedy).await;
        let mut waiting: Vec<_> = (0..MAX_WAITING).map(|_| Box::pin(lane.place(&greedy))).collect();
        for one in &mut waiting {
            assert!(futures::poll!(one.as_mut()).is_pending());
        }
        let refused = lane.place(&greedy).await.err().map(|fault| fault.reason());
        assert_eq!(refused, Some("OVERLOADED"));
        // Those who no longer wait take no place.
        waiting.clear();
        assert!(futures::poll!(Box::pin(lane.place(&greedy))).is_pending(), "it waits, and is not refused");
    }

    #[tokio::test]
    async fn who_has_nothing_is_forgotten() {
        let lane = Lane::new(2);
        for name in ["one", "two", "three"] {
            drop(lane.place(&tenant(name)).await);
        }
        assert_eq!(lane.tenants.lock().expect("whole").len(), 1);
    }

    #[tokio::test]
    async fn a_panic_is_an_error_of_ours_and_frees_the_place() {
        for _ in 0..8 {
            let done: Result<(), _> =
                blocking(&tenant("one"), Length::Quick, "test", || panic!("number {}", 13)).await;
            assert_eq!(done.map_err(|fault| fault.reason()), Err("INTERNAL"));
        }
        assert_eq!(blocking(&tenant("one"), Length::Long, "test", || 7).await.ok(), Some(7));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn what_else_there_is_to_do_goes_on_beside_heavy_work() {
        let (go, awaited) = std::sync::mpsc::channel();
        let heavy = tokio::spawn(async move { aside(true, || awaited.recv().is_ok()) });
        // The runtime's only thread is the one that waits.
        let other = tokio::spawn(async move { go.send(()).is_ok() });
        assert_eq!((heavy.await.ok(), other.await.ok()), (Some(true), Some(true)));
    }

    #[tokio::test]
    async fn work_runs_on_no_thread_that_serves_calls() {
        let here = std::thread::current().id();
        let there = blocking(&tenant("one"), Length::Quick, "test", || std::thread::current().id()).await;
        assert_ne!(there.ok(), Some(here));
    }
}
