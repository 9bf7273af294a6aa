//! Services in one process, over a database of their own, on a free port.

mod look;
mod open;
mod replica;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use kernel::{Lane, Role, TenantId};
use pg::Db;
use prost::Name;
use proto::redress::event::v1::Event;
use server::{Running, Service, Settings};
use sqlx::PgConnection;
use tempfile::NamedTempFile;
use tokio_util::sync::DropGuard;
use tonic::transport::Channel;
use uuid::Uuid;

use crate::badge::{Badge, CallerChannel, token};
use crate::{Database, FakeSource, MockClock, PATIENCE, Proxy};

pub use look::{Parked, Published};
pub use open::Builder;
pub use replica::Replica;

/// A tenant without rows, hence without parked events: a wait on its behalf is for
/// the cursor only.
const NOBODY: &str = "nobody";
/// How long one wait for a cursor takes at most.
const ROUND: Duration = Duration::from_millis(500);

/// A house of services. Ends with [`House::done`], or the test fails.
pub struct House {
    services: Vec<&'static str>,
    /// What its server was started with; replicas are, too.
    settings: Settings,
    running: Option<Running>,
    database: Option<Database>,
    channel: Channel,
    clock: Option<MockClock>,
    fakes: HashMap<&'static str, FakeSource>,
    proxy: Option<Proxy>,
    /// The key set's file, while callers must prove who they are.
    keys: Option<NamedTempFile>,
    /// Ends the feeds that are read beside the server.
    _feeds: DropGuard,
}

impl House {
    /// The services named, with the real clock, for the development tenant.
    pub async fn open(services: &[Service]) -> Self {
        Self::builder(services).open().await
    }

    /// The services named, otherwise than by default.
    pub fn builder(services: &[Service]) -> Builder {
        Builder::new(services)
    }

    /// A channel of the development caller; where callers must prove who they are, one
    /// of tenant `development` who may do everything too.
    pub fn channel(&self) -> CallerChannel {
        self.channel_as(TenantId::development().as_str(), "developer", &[Role::Platform.name()])
    }

    /// A channel of this caller. Without [`Builder::identified`] there is but the
    /// development tenant, whose callers have every role.
    pub fn channel_as(&self, tenant: &str, subject: &str, roles: &[&str]) -> CallerChannel {
        let badge = if self.keys.is_some() {
            Badge::bearer(&token(tenant, subject, roles))
        } else {
            assert_eq!(tenant, TenantId::development().as_str(), "open the house `.identified()`");
            Badge::named(subject)
        };
        CallerChannel::new(self.channel.clone(), badge)
    }

    /// A channel of someone who does not say who they are.
    pub fn channel_of_nobody(&self) -> CallerChannel {
        CallerChannel::new(self.channel.clone(), Badge::none())
    }

    /// Where it listens.
    pub fn address(&self) -> std::net::SocketAddr {
        self.running().address()
    }

    /// The schema of a hosted service.
    pub fn db(&self, service: &str) -> &Db {
        self.running().db(service).unwrap_or_else(|| panic!("{service} is not hosted"))
    }

    /// A connection as the database's owner, to look at everything.
    pub async fn owner(&self) -> PgConnection {
        self.database().connect().await.expect("the owner's connection")
    }

    /// The road to the database, of a house opened [`Builder::breakable`].
    pub fn proxy(&self) -> &Proxy {
        self.proxy.as_ref().expect("open the house `.breakable()`")
    }

    /// Moves the clock of a house opened with [`Builder::clock`], and wakes the timers.
    pub fn advance(&self, by: Duration) {
        self.clock.as_ref().expect("open the house with a `.clock(..)`").advance(by);
        for service in &self.services {
            self.db(service).notifier().notify("timers");
        }
    }

    /// Has a service that is not hosted tell what happened, in the development tenant.
    pub async fn tell<M: Name>(&self, source: &str, subject: Uuid, payload: &M) -> Event {
        self.tell_as(TenantId::development().as_str(), source, subject, payload).await
    }

    /// Has a service that is not hosted tell what happened, in some tenant.
    #[expect(clippy::unused_async, reason = "reads like the other steps of a test")]
    pub async fn tell_as<M: Name>(&self, tenant: &str, source: &str, subject: Uuid, payload: &M) -> Event {
        let tenant = TenantId::parse(tenant).expect("a tenant id");
        let now = self.db(self.services[0]).clock().now();
        self.fake(source).tell(&tenant, subject, now, payload)
    }

    /// Has a service that is not hosted deliver an event as it is: one of before
    /// again, or under a new position, or a broken one.
    #[expect(clippy::unused_async, reason = "reads like the other steps of a test")]
    pub async fn tell_raw(&self, source: &str, event: Event) {
        self.fake(source).tell_raw(event);
    }

    /// The feed of a service that is not hosted, and that somebody here follows.
    pub fn fake(&self, source: &str) -> &FakeSource {
        let is_heard = self.running().consumers().iter().any(|consumer| consumer.follows(source));
        assert!(is_heard, "nobody here follows {source}");
        self.fakes.get(source).unwrap_or_else(|| panic!("{source} is hosted, or no service at all"))
    }

    /// Waits until every consumer here has applied, or parked, everything told to
    /// it, and everything told in consequence.
    pub async fn settled(&self) {
        let started = Instant::now();
        let mut conn = self.owner().await;
        loop {
            let heads = self.heads(&mut conn).await;
            let behind = self.behind(&heads).await;
            // Heads that have not moved meanwhile: nothing was told in consequence.
            if behind.is_empty() && heads == self.heads(&mut conn).await && !self.retries(&mut conn).await {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "not settled: {}", behind.join(", "));
        }
    }

    /// Whether something that was set aside is about to be tried again.
    async fn retries(&self, conn: &mut PgConnection) -> bool {
        for service in &self.services {
            if look::retries(conn, service).await {
                return true;
            }
        }
        false
    }

    /// The last position of each feed.
    async fn heads(&self, conn: &mut PgConnection) -> HashMap<&'static str, i64> {
        let mut heads: HashMap<_, _> =
            self.fakes.iter().map(|(source, fake)| (*source, fake.head())).collect();
        for service in &self.services {
            heads.insert(*service, look::head(conn, service).await);
        }
        heads
    }

    /// Who has not applied what, after waiting a while.
    async fn behind(&self, heads: &HashMap<&'static str, i64>) -> Vec<String> {
        let nobody = TenantId::parse(NOBODY).expect("a tenant id");
        let consumers = self.running().consumers();
        let mut behind = Vec::new();
        for (source, head) in heads {
            for consumer in consumers.iter().filter(|consumer| consumer.follows(source)) {
                if consumer.wait_applied(source, (*head, Lane::Bulk), &nobody, ROUND).await.is_err() {
                    behind.push(format!("{} has not applied {source} up to {head}", consumer.name()));
                }
            }
        }
        behind
    }

    /// What a hosted service has published, of one type, in the order of its feed.
    pub async fn published<M: prost::Message + Name + Default>(&self, service: &str) -> Vec<M> {
        let all = self.published_by(service).await.into_iter();
        all.filter(|event| event.type_name == M::full_name()).map(|event| event.read()).collect()
    }

    /// Everything a hosted service has published, in the order of its feed.
    pub async fn published_by(&self, service: &str) -> Vec<Published> {
        look::published(&mut self.owner().await, service).await
    }

    /// What a hosted service could not apply.
    pub async fn parked(&self, service: &str) -> Vec<Parked> {
        look::parked(&mut self.owner().await, service).await
    }

    /// Ends the test in good order: everything told is applied, nothing is parked,
    /// the process stops when told to. Then the database goes.
    pub async fn done(mut self) {
        self.settled().await;
        for service in &self.services {
            let parked = self.parked(service).await;
            assert!(parked.is_empty(), "{service} has parked events: {parked:#?}");
        }
        let running = self.running.take().expect("it runs until it is done");
        running.stop().await.expect("it stops in good order");
        let database = self.database.take().expect("it has a database until it is done");
        database.drop().await.expect("the database can be dropped");
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("it runs until it is done")
    }

    fn database(&self) -> &Database {
        self.database.as_ref().expect("it has a database until it is done")
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let is_done = self.running.is_none();
        assert!(is_done || std::thread::panicking(), "the test must end with `house.done().await`");
    }
}
