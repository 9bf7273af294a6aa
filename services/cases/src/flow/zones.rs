//! The time zones this process counts by: pinned at its start, and noticed where other
//! processes count by others.

use std::sync::LazyLock;
use std::time::Duration;

use anyhow::Context as _;
use calendar::zones::{self, Zones};
use jiff::SignedDuration;
use opentelemetry::global;
use opentelemetry::metrics::Gauge;
use pg::Db;
use server::Stop;

use crate::store;

/// How often a process says by which release it counts, and looks who counts by others.
const EVERY: Duration = Duration::from_mins(5);
/// For how long a process that has said so is taken to run.
const FRESH: SignedDuration = SignedDuration::from_secs(900);

static RELEASES: LazyLock<Gauge<u64>> = LazyLock::new(|| {
    global::meter("redress")
        .u64_gauge("redress.time_zones.releases")
        .with_description(
            "Releases of the time zones that processes of this service count by now; 1 is right",
        )
        .build()
});

/// Lets this process count by a folder of time zones, or by the bundled ones.
pub(crate) fn pin(folder: Option<&std::path::Path>) -> anyhow::Result<()> {
    let zones = match folder {
        Some(folder) => Zones::from_folder(folder)?,
        None => return Ok(()),
    };
    zones::pin(zones).context("REDRESS_TIME_ZONES")
}

/// Says by which release this process counts, and warns of processes that count by
/// others, until told to stop.
pub(crate) async fn watch(db: Db, stop: Stop) {
    let mut warned = Vec::new();
    loop {
        match others(&db).await {
            Ok(others) => {
                RELEASES.record(1 + others.len() as u64, &[]);
                if !others.is_empty() && others != warned {
                    tracing::warn!(
                        zones.own = zones::version(),
                        zones.others = others.join(", "),
                        "processes of this service count by different time zones: their due times may differ",
                    );
                }
                warned = others;
            }
            Err(fault) => tracing::warn!(fault.chain = fault.chain(), "time zones cannot be compared"),
        }
        if stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_none() {
            return;
        }
    }
}

/// The releases other processes count by now.
pub(crate) async fn others(db: &Db) -> Result<Vec<String>, fault::Fault> {
    db.transact_shared("zones.compare", async move |mut tx| {
        let now = tx.now();
        let since = now.checked_sub(FRESH).unwrap_or(now);
        let others = store::zones::say(&mut tx, zones::version(), now, since).await?;
        Ok((tx, others))
    })
    .await
}
