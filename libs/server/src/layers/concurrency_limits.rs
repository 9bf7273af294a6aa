//! Bounded concurrency: a call gets a place at once or is refused; nothing queues.
//!
//! There are two lanes of equal width, so that calls which wait by design (streams,
//! long polls) cannot take the places of those which are answered at once. The
//! event feed has no lane: the other services live on it, and they are few.
//!
//! A lane is fair. A call takes a place before anything else is done for it, and once
//! its caller is known, the place counts against the shares of that caller and of the
//! tenant: a caller may hold as many places as are free, a tenant three times as many
//! (dynamic thresholds, as in the shared buffers of switches: Choudhury and Hahne, 1998).
//! Alone, a caller thus has half of a lane and a tenant three quarters, and the more
//! there are, the less each has. The last eighth is for tenants who have none yet.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use fault::{Fault, Kind};
use http::{Request, Response};
use http_body::Body as _;
use kernel::{Caller, TenantId};
use tonic::body::Body;

use super::held_body::HeldBody;
use super::middle::{Inner, Middle};
use super::refuse;
use crate::call::Call;
use crate::connections::{Busy, Connection};
use crate::contracts::Method;
use crate::limits::TOOL_STREAMS;

/// When a refused caller is told to come back.
const RETRY: Duration = Duration::from_millis(250);
/// How many places a tenant may hold for each that is free; a caller one.
const TENANT_SHARE: u32 = 3;
/// The part of a lane that is for tenants who hold no place yet: one in so many.
const NEWCOMERS: u32 = 8;
/// What is asked of health that is answered at once: no stranger may stand in its way.
const HEALTH_CHECK: &str = "/grpc.health.v1.Health/Check";

/// Gives each call a place, or refuses it.
#[derive(Clone)]
pub(crate) struct ConcurrencyLimits {
    calls: Arc<Lane>,
    waits: Arc<Lane>,
    tools: Arc<Lane>,
}

impl ConcurrencyLimits {
    pub(crate) fn new(width: u32) -> Self {
        Self { calls: Lane::new(width), waits: Lane::new(width), tools: Lane::new(TOOL_STREAMS) }
    }

    fn of(&self, request: &Request<Body>) -> Option<&Arc<Lane>> {
        match Call::of(request) {
            Some(Call { method: Method { is_feed: true, .. }, .. }) => None,
            Some(Call { method, .. }) if method.pace.waits() => Some(&self.waits),
            Some(_) => Some(&self.calls),
            None if request.uri().path() == HEALTH_CHECK => None,
            None => Some(&self.tools),
        }
    }
}

impl Middle for ConcurrencyLimits {
    async fn handle<S: Inner>(self, mut request: Request<Body>, inner: S) -> Response<Body> {
        let busy = Connection::of(&request).map(Busy::new);
        let place = match self.of(&request).map(Lane::enter) {
            Some(None) => return refuse(overloaded()),
            Some(Some(place)) => Some(Arc::new(place)),
            None => None,
        };
        if let Some(place) = &place {
            request.extensions_mut().insert(Arc::clone(place));
        }
        // Until the last byte of the answer: who does not read it holds places of their own.
        let response = inner.answer(request).await;
        response.map(|body| if body.is_end_stream() { body } else { HeldBody::around(body, (place, busy)) })
    }
}

/// Counts the place of a call against the shares of its caller. Below the layer that
/// says who calls.
#[derive(Clone)]
pub(crate) struct Shares;

impl Middle for Shares {
    async fn handle<S: Inner>(self, mut request: Request<Body>, inner: S) -> Response<Body> {
        if let Some(place) = request.extensions_mut().remove::<Arc<Place>>()
            && let Some(caller) = request.extensions().get::<Caller>()
            && let Err(fault) = place.count_against(caller)
        {
            return refuse(fault);
        }
        inner.answer(request).await
    }
}

/// So many calls at once.
struct Lane {
    width: u32,
    taken: Mutex<Taken>,
}

/// The places of a lane that are taken, and by whom.
#[derive(Default)]
struct Taken {
    all: u32,
    tenants: HashMap<TenantId, u32>,
    callers: HashMap<(TenantId, Arc<str>), u32>,
}

impl Lane {
    fn new(width: u32) -> Arc<Self> {
        Arc::new(Self { width, taken: Mutex::default() })
    }

    /// A place, while there is one.
    fn enter(self: &Arc<Self>) -> Option<Place> {
        self.with(|taken| {
            (taken.all < self.width).then(|| {
                taken.all += 1;
                Place { lane: Arc::clone(self), holder: OnceLock::new() }
            })
        })
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut Taken) -> T) -> T {
        use_it(&mut self.taken.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A place in a lane, given back when dropped.
struct Place {
    lane: Arc<Lane>,
    /// Whose it is, once that is known.
    holder: OnceLock<(TenantId, Arc<str>)>,
}

impl Place {
    /// Makes it the caller's, or refuses one who holds their share already.
    fn count_against(&self, caller: &Caller) -> Result<(), Fault> {
        let (tenant, holder) = (&caller.tenant, (caller.tenant.clone(), Arc::clone(&caller.subject)));
        self.lane.with(|taken| {
            // This place is taken already, and not yet anybody's.
            let free = (self.lane.width + 1).saturating_sub(taken.all);
            let (of_tenant, of_caller) = (held(&taken.tenants, tenant), held(&taken.callers, &holder));
            if of_caller >= free.max(1) {
                return Err(share_exceeded("caller", of_caller));
            }
            let is_reserved = of_tenant > 0 && free <= self.lane.width / NEWCOMERS;
            if is_reserved || of_tenant >= free.saturating_mul(TENANT_SHARE) {
                return Err(share_exceeded("tenant", of_tenant));
            }
            if self.holder.set(holder.clone()).is_ok() {
                *taken.tenants.entry(tenant.clone()).or_default() += 1;
                *taken.callers.entry(holder).or_default() += 1;
            }
            Ok(())
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let holder = self.holder.take();
        self.lane.with(|taken| {
            taken.all = taken.all.saturating_sub(1);
            if let Some(holder) = &holder {
                give_back(&mut taken.tenants, &holder.0);
                give_back(&mut taken.callers, holder);
            }
        });
    }
}

fn held<K: Eq + Hash>(places: &HashMap<K, u32>, holder: &K) -> u32 {
    places.get(holder).copied().unwrap_or_default()
}

fn give_back<K: Eq + Hash>(places: &mut HashMap<K, u32>, holder: &K) {
    if let Some(count) = places.get_mut(holder) {
        *count -= 1;
        if *count == 0 {
            places.remove(holder);
        }
    }
}

fn overloaded() -> Fault {
    Fault::new(Kind::Exhausted, "OVERLOADED", "the server is working on as many calls as it can; try again")
        .retry_after(RETRY)
}

fn share_exceeded(whose: &'static str, held: u32) -> Fault {
    let sentence = format!(
        "this {whose} has {held} calls of this kind under way, which is its share of the server while others \
         call too; end some, or try again"
    );
    Fault::new(Kind::Exhausted, "SHARE_EXCEEDED", sentence)
        .with("share_of", whose)
        .with("calls_under_way", held.to_string())
        .retry_after(RETRY)
}

#[cfg(test)]
mod tests {
    use kernel::{Role, Roles};

    use super::*;

    fn caller(tenant: &str, subject: &str) -> Caller {
        let tenant = TenantId::parse(tenant).unwrap();
        Caller { tenant, subject: subject.into(), roles: Roles::one(Role::Reader) }
    }

    /// As many calls as a caller gets places for, or what they are refused for.
    fn fill(lane: &Arc<Lane>, caller: &Caller) -> (Vec<Place>, &'static str) {
        let mut places = Vec::new();
        loop {
            let Some(place) = lane.enter() else { return (places, "OVERLOADED") };
            match place.count_against(caller) {
                Ok(()) => places.push(place),
                Err(fault) => return (places, fault.reason()),
            }
        }
    }

    #[test]
    fn a_caller_gets_half_of_a_lane_and_a_tenant_three_quarters() {
        let lane = Lane::new(1024);
        let (first, refused) = fill(&lane, &caller("acme", "portal"));
        assert_eq!((first.len(), refused), (512, "SHARE_EXCEEDED"));
        let mut all = first.len();
        let others: Vec<_> = (0..20).map(|n| fill(&lane, &caller("acme", &n.to_string())).0).collect();
        all += others.iter().map(Vec::len).sum::<usize>();
        assert_eq!(all, 768, "however many callers it has");
        let (theirs, _) = fill(&lane, &caller("globex", "portal"));
        assert_eq!(theirs.len(), 128, "another tenant is served at once");
        drop(others);
        let (more, _) = fill(&lane, &caller("globex", "worker"));
        assert!(more.len() > 64, "and has more when there is more");
        drop((first, theirs, more));
        lane.with(|taken| {
            assert_eq!((taken.all, taken.tenants.len(), taken.callers.len()), (0, 0, 0), "nothing is left");
        });
    }

    #[test]
    fn somebody_new_is_served_however_many_are_there() {
        let lane = Lane::new(1024);
        let mut held = Vec::new();
        for tenant in 0..100 {
            for subject in 0..3 {
                held.push(fill(&lane, &caller(&format!("tenant-{tenant}"), &subject.to_string())).0);
            }
            let have = lane.with(|taken| taken.tenants.len());
            assert_eq!(have, tenant + 1, "tenant {tenant} is shut out");
        }
    }

    #[test]
    fn who_is_not_known_counts_for_the_lane_only() {
        let lane = Lane::new(2);
        let strangers = (lane.enter(), lane.enter());
        assert!(lane.enter().is_none());
        drop(strangers);
        let place = lane.enter().unwrap();
        place.count_against(&caller("acme", "portal")).unwrap();
        assert!(
            lane.enter().unwrap().count_against(&caller("acme", "portal")).is_err(),
            "the last is another's"
        );
        assert!(lane.enter().unwrap().count_against(&caller("globex", "portal")).is_ok());
    }

    #[test]
    fn one_place_alone_is_anybodys() {
        let lane = Lane::new(1);
        let place = lane.enter().unwrap();
        place.count_against(&caller("acme", "portal")).unwrap();
        assert!(lane.enter().is_none());
    }
}
