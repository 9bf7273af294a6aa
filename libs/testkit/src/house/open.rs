//! Opens a house.

use std::collections::HashMap;
use std::io::Write as _;
use std::net::TcpListener;
use std::sync::Arc;

use events::{Feed, LocalSource, Source};
use kernel::{Clock, RandomIds, SystemClock, TenantId};
use server::{Assembly, Secret, Service, Settings, Stop};
use tempfile::NamedTempFile;
use tonic::transport::Endpoint;

use super::House;
use crate::{Database, FakeSource, MockClock, Proxy, badge};

/// Every feed there is: those that are not hosted are told by the test.
const SOURCES: [&str; 5] = ["intake", "cases", "assignment", "resolution", "feedback"];
/// Fewer than in a real process: tests run side by side on one server.
const CONNECTIONS: u32 = 6;
/// Of a feed that the house reads beside its server: notifier, tail and catching up.
const FEED_CONNECTIONS: u32 = 3;

/// What stands between a feed and its readers.
type Pipe = Box<dyn Fn(Arc<dyn Source>) -> Arc<dyn Source>>;

/// A house about to be opened.
pub struct Builder {
    services: Vec<Service>,
    settings: Settings,
    clock: Option<MockClock>,
    is_identified: bool,
    is_breakable: bool,
    pipe: Option<Pipe>,
}

impl Builder {
    pub(super) fn new(services: &[Service]) -> Self {
        let settings = Settings {
            db_connections: CONNECTIONS,
            receipt_key: Some(Secret::from("a key for tests only".to_owned())),
            ..Settings::default()
        };
        let services = services.to_vec();
        Self { services, settings, clock: None, is_identified: false, is_breakable: false, pipe: None }
    }

    /// Time stands still, but for what the test does with this clock.
    #[must_use]
    pub fn clock(mut self, clock: MockClock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Changes settings.
    #[must_use]
    pub fn settings(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// Callers prove who they are, with tokens: see [`House::channel_as`].
    #[must_use]
    pub fn identified(mut self) -> Self {
        self.is_identified = true;
        self
    }

    /// Puts a proxy before the database: see [`House::proxy`].
    #[must_use]
    pub fn breakable(mut self) -> Self {
        self.is_breakable = true;
        self
    }

    /// Puts something between the feed of each hosted service and those who follow
    /// it: a road that delivers twice, late, or again.
    #[must_use]
    pub fn through(mut self, pipe: impl Fn(Arc<dyn Source>) -> Arc<dyn Source> + 'static) -> Self {
        self.pipe = Some(Box::new(pipe));
        self
    }

    /// Opens the house; it serves when this returns.
    pub async fn open(self) -> House {
        // Boxed: the settings are large, and every test waits here.
        Box::pin(self.try_open()).await.expect("the house can be opened")
    }

    async fn try_open(self) -> anyhow::Result<House> {
        let Self { services, mut settings, clock, is_identified, is_breakable, pipe } = self;
        let names: Vec<&'static str> = services.iter().map(|service| service.name).collect();
        let database =
            Database::copy_of(&names.join(","), async |url| server::migrate(&url, &services).await).await?;
        let (proxy, url) = if is_breakable {
            let (proxy, url) = Proxy::before_database(database.url()).await?;
            (Some(proxy), url)
        } else {
            (None, database.url().to_owned())
        };
        settings.database_url = Some(Secret::from(url.clone()));
        let keys = if is_identified { Some(key_file()?) } else { None };
        // Of tenant `development` those of the platform too: see [`House::channel`].
        settings.identity.platform_tenants.push(TenantId::development());
        settings.identity.jwks = keys.as_ref().map(|file| file.path().display().to_string());
        let fakes: HashMap<_, _> = SOURCES
            .into_iter()
            .filter(|source| !names.contains(source))
            .map(|source| (source, FakeSource::new(source)))
            .collect();
        let time: Arc<dyn Clock> =
            clock.clone().map_or_else(|| Arc::new(SystemClock) as Arc<dyn Clock>, |clock| Arc::new(clock));
        let mut sources: HashMap<_, _> =
            fakes.iter().map(|(name, fake)| (*name, Arc::new(fake.clone()) as Arc<dyn Source>)).collect();
        let feeds = Stop::new();
        if let Some(pipe) = pipe {
            for name in &names {
                sources.insert(*name, pipe(feed(&url, name, &time, &feeds)?));
            }
        }
        let running = server::start(Assembly {
            settings: settings.clone(),
            services,
            clock: time,
            ids: Arc::new(RandomIds),
            listener: Some(TcpListener::bind("127.0.0.1:0")?),
            sources,
        })
        .await?;
        let channel = Endpoint::from_shared(format!("http://{}", running.address()))?.connect_lazy();
        let (running, database) = (Some(running), Some(database));
        let feeds = feeds.drop_guard();
        Ok(House {
            services: names,
            settings,
            running,
            database,
            channel,
            clock,
            fakes,
            proxy,
            keys,
            _feeds: feeds,
        })
    }
}

/// The feed of a hosted service, read beside its server until told to stop.
fn feed(
    url: &str,
    service: &'static str,
    clock: &Arc<dyn Clock>,
    stop: &Stop,
) -> anyhow::Result<Arc<dyn Source>> {
    let db = pg::Db::open(url, FEED_CONNECTIONS, service, Arc::clone(clock), Arc::new(RandomIds))
        .map_err(|fault| anyhow::anyhow!("the feed of {service}: {}", fault.chain()))?;
    let (feed, notifier, stopped) = (Feed::new(db.clone()), db.notifier().clone(), stop.clone());
    tokio::spawn(feed.clone().run(stop.clone()));
    tokio::spawn(async move {
        tokio::select! {
            () = stopped.cancelled() => {}
            () = notifier.run() => {}
        }
    });
    Ok(Arc::new(LocalSource(feed)))
}

fn key_file() -> anyhow::Result<NamedTempFile> {
    let mut file = NamedTempFile::new()?;
    file.write_all(badge::jwks().as_bytes())?;
    file.flush()?;
    Ok(file)
}
