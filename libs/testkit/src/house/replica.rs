//! A second server over the database of a house.

use std::net::TcpListener;
use std::sync::Arc;

use events::Source;
use kernel::{Clock, RandomIds, SystemClock};
use server::{Assembly, Running, Secret, Service, Settings};
use tonic::transport::{Channel, Endpoint};

use super::House;
use crate::badge::{Badge, CallerChannel};

/// Database connections of a replica.
const CONNECTIONS: u32 = 6;

/// A second server; ends with [`Replica::done`], before its house does.
pub struct Replica {
    running: Running,
    channel: Channel,
}

impl House {
    /// Starts another server of these services beside this house's own: over its database,
    /// by its clock and settings, hearing what it hears. For callers who need not prove who
    /// they are.
    pub async fn replica(&self, services: &[Service]) -> Replica {
        self.try_replica(services).await.expect("a replica can be started")
    }

    async fn try_replica(&self, services: &[Service]) -> anyhow::Result<Replica> {
        let settings = Settings {
            db_connections: CONNECTIONS,
            database_url: Some(Secret::from(self.database().url().to_owned())),
            ..self.settings.clone()
        };
        let clock = self.clock.clone();
        let clock: Arc<dyn Clock> =
            clock.map_or_else(|| Arc::new(SystemClock) as _, |clock| Arc::new(clock) as _);
        let fakes = self.fakes.iter();
        let running = server::start(Assembly {
            settings,
            services: services.to_vec(),
            clock,
            ids: Arc::new(RandomIds),
            listener: Some(TcpListener::bind("127.0.0.1:0")?),
            sources: fakes.map(|(name, fake)| (*name, Arc::new(fake.clone()) as Arc<dyn Source>)).collect(),
        })
        .await?;
        let channel = Endpoint::from_shared(format!("http://{}", running.address()))?.connect_lazy();
        Ok(Replica { running, channel })
    }
}

impl Replica {
    /// Where it listens.
    pub fn address(&self) -> std::net::SocketAddr {
        self.running.address()
    }

    /// A channel of the development caller.
    pub fn channel(&self) -> CallerChannel {
        CallerChannel::new(self.channel.clone(), Badge::named("developer"))
    }

    /// Stops in good order.
    pub async fn done(self) {
        self.running.stop().await.expect("a replica stops in good order");
    }
}
