//! How far the clock of this machine is from the database's, measured from time to time.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::global;
use pg::{Db, Skew};

use crate::service::Stop;

/// How often.
const EVERY: Duration = Duration::from_secs(10);

/// Measures until told to stop.
pub(crate) async fn run(skew: Arc<Skew>, db: Db, stop: Stop) {
    let gauge = global::meter("redress")
        .f64_gauge("redress.clock.skew")
        .with_unit("s")
        .with_description("How far this machine's clock is ahead of the database's")
        .build();
    let measure = async {
        loop {
            match skew.measure(db.pool()).await {
                Ok(ahead) => gauge.record(ahead.as_secs_f64(), &[]),
                Err(fault) => tracing::debug!(fault.chain = fault.chain(), "the clocks cannot be compared"),
            }
            tokio::time::sleep(EVERY).await;
        }
    };
    // A process that stops does not wait for a database that does not answer.
    tokio::select! {
        () = stop.cancelled() => {}
        () = measure => {}
    }
}
