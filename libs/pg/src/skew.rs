//! Whether the clock of this process agrees with the database's. Leases, timers and
//! windows are decided by what a transaction takes as now, by whichever replica: one
//! whose clock is off would be early with all of them, or late. It does nothing instead.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use fault::{Fault, Kind};
use jiff::SignedDuration;
use kernel::Clock;
use sqlx::PgPool;

/// Nobody has asked the database yet.
const UNKNOWN: u8 = 0;
/// They agree.
const AGREES: u8 = 1;
/// They do not.
const OFF: u8 = 2;
/// When to call again a replica whose clock is off; another may answer at once.
const RETRY: Duration = Duration::from_secs(1);

/// Compares a clock with the database's, from time to time.
pub struct Skew {
    clock: Arc<dyn Clock>,
    allowed: Duration,
    state: AtomicU8,
}

impl Skew {
    /// Compares a real clock, which may be off by so much; none for a clock that tells
    /// another time on purpose.
    pub fn of(clock: &Arc<dyn Clock>, allowed: Duration) -> Option<Arc<Self>> {
        let skew = Self { clock: Arc::clone(clock), allowed, state: AtomicU8::new(UNKNOWN) };
        clock.is_real().then(|| Arc::new(skew))
    }

    /// Whether the clock was off by more than is allowed when it was last compared.
    pub fn is_off(&self) -> bool {
        self.state.load(Ordering::Relaxed) == OFF
    }

    /// Whether it was compared, and was not off.
    pub fn agrees(&self) -> bool {
        self.state.load(Ordering::Relaxed) == AGREES
    }

    /// Compares now; answers how far the clock is ahead of the database's (negative:
    /// behind it), and says in the log when that begins to be too far, or ends to be.
    ///
    /// # Errors
    ///
    /// Fails if the database does not answer.
    pub async fn measure(&self, pool: &PgPool) -> Result<SignedDuration, Fault> {
        let before = self.clock.now();
        let there: jiff_sqlx::Timestamp =
            sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(pool).await?;
        let half = self.clock.now().duration_since(before) / 2;
        let ahead = (before + half).duration_since(there.to_jiff());
        // The database may have looked at any moment of the round trip.
        let surely = ahead.abs() - half.abs();
        let off = Duration::try_from(surely).is_ok_and(|surely| surely > self.allowed);
        let was = self.state.swap(if off { OFF } else { AGREES }, Ordering::Relaxed);
        let (ahead_s, allowed_s) = (ahead.as_secs_f64(), self.allowed.as_secs_f64());
        match (was, off) {
            (OFF, true) | (UNKNOWN | AGREES, false) => {}
            (_, true) => tracing::error!(
                clock.ahead_s = ahead_s,
                clock.allowed_s = allowed_s,
                "this machine's clock and the database's are too far apart \
                 (REDRESS_MAX_CLOCK_SKEW_MS): nothing is read or written until they agree"
            ),
            (_, false) => tracing::info!(clock.ahead_s = ahead_s, "the clocks agree again"),
        }
        Ok(ahead)
    }

    /// Refuses while the clock is off; compares it first where nobody has.
    pub(crate) async fn admit(&self, pool: &PgPool) -> Result<(), Fault> {
        if self.state.load(Ordering::Relaxed) == UNKNOWN {
            self.measure(pool).await?;
        }
        if self.is_off() {
            let sentence = "the clock of this server is off; another may answer";
            return Err(Fault::new(Kind::Unavailable, "CLOCK_SKEW", sentence).retry_after(RETRY));
        }
        Ok(())
    }
}
