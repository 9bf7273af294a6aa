//! A server whose clock is off is not ready, and does nothing.

use std::collections::HashMap;
use std::net::TcpListener;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use kernel::{Clock, RandomIds, SystemClock, TenantId};
use server::{Assembly, Running, Secret, Settings};
use testkit::{Database, eventually};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::probe::{FEEDBACK, channel};

/// A minute ahead.
struct Fast;

impl Clock for Fast {
    fn now(&self) -> Timestamp {
        SystemClock.now() + SignedDuration::from_mins(1)
    }

    fn is_real(&self) -> bool {
        true
    }
}

async fn serve(database: &Database, clock: Arc<dyn Clock>, max_clock_skew_ms: u32) -> Running {
    let url = Some(Secret::from(database.url().to_owned()));
    server::start(Assembly {
        settings: Settings { database_url: url, max_clock_skew_ms, ..Settings::default() },
        services: vec![FEEDBACK],
        clock,
        ids: Arc::new(RandomIds),
        listener: Some(TcpListener::bind("127.0.0.1:0").unwrap()),
        sources: HashMap::new(),
    })
    .await
    .unwrap()
}

async fn is_serving(running: &Running) -> bool {
    let check = HealthCheckRequest { service: String::new() };
    let answer = HealthClient::new(channel(running)).check(check).await.unwrap().into_inner();
    answer.status() == ServingStatus::Serving
}

#[tokio::test]
async fn a_server_whose_clock_is_off_is_not_ready_and_begins_no_transaction() {
    let migrate = async |url: String| server::migrate(&url, &[FEEDBACK]).await;
    let database = Database::copy_of("clock skew", migrate).await.unwrap();
    let off = serve(&database, Arc::new(Fast), 2_000).await;
    let allowed = serve(&database, Arc::new(Fast), 90_000).await;
    eventually(|| is_serving(&allowed)).await;
    assert!(!is_serving(&off).await);
    let db = off.db("feedback").unwrap().clone();
    let begun = db.transact("test", &TenantId::development(), async |tx| Ok((tx, ()))).await;
    assert_eq!(begun.map_err(|fault| fault.reason()), Err("CLOCK_SKEW"));
    for running in [off, allowed] {
        running.stop().await.unwrap();
    }
    database.drop().await.unwrap();
}
