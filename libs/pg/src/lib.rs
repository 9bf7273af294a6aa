//! Postgres as Redress uses it.
//!
//! - [`Db`] is one service's schema. A connection becomes the service's role, and
//!   row-level security shows it one tenant at a time.
//! - [`Db::transact`] is the only way to a transaction: named, measured, bound to a
//!   tenant.
//! - [`Db::mutate`] is a transaction that answers a request: the same request again
//!   gets the same answer and has one effect.
//! - [`Group`] does the same for mutations of one kind that come together: one
//!   transaction for many of them.
//! - [`DedicatedConnection`] is a connection of its own for one writer, whose statements are
//!   transactions each.
//! - [`hold`] and [`share`] have transactions take turns at what has a name.
//! - Events leave through [`Tx::emit`]: they are written with the state they tell of.
//! - [`count_wrong_code`] counts wrong guesses at secret codes, for all replicas together.
//! - [`notifier`] wakes who waits for rows, in this process and in others.
#![warn(clippy::missing_errors_doc)]

mod dedicated;
mod group;
mod migrate;
mod mutate;
pub mod notifier;
mod probe;
mod rows;
mod skew;
mod sql;
pub mod trace;
mod turns;
mod tx;
mod versions;
mod wrong_codes;

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use fault::Fault;
use kernel::{Clock, Ids};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, Executor as _, PgConnection, PgPool};

pub use dedicated::{DedicatedConnection, is_connection_lost};
pub use group::{Batch, BatchedMutation, Group, Verdicts, Work};
pub use migrate::{MIGRATIONS, is_behind, migrate};
pub use mutate::{Done, IDEMPOTENCY_KEPT, MutationContext, key_reused, request_hash};
pub use notifier::Notifier;
pub use probe::Probe;
pub use rows::{Binds, Rows, RowsBuilder};
pub use skew::Skew;
#[doc(hidden)]
pub use sqlx::AssertSqlSafe;
pub use turns::{hold, share};
pub use tx::{Patience, Tx};
pub use versions::{Version, Versions};
pub use wrong_codes::{Allowance, count_wrong_code};

/// How long a call waits for a connection before it is refused.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest a statement may run, and a transaction may idle: a stuck one would
/// hold the event feed's horizon back.
const STATEMENT_TIMEOUT: &str = "15s";

/// One service's schema, and what its transactions take as given: time, ids, the
/// notifications they send.
#[derive(Clone)]
pub struct Db {
    pool: PgPool,
    schema: &'static str,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    notifier: Notifier,
    skew: Option<Arc<Skew>>,
}

impl Db {
    /// Opens a schema. Connects when first used, so that a service starts while
    /// its database is down; [`Probe::migrated`] tells when it is ready.
    ///
    /// # Errors
    ///
    /// Fails if the URL is none of a Postgres.
    pub fn open(
        url: &str,
        connections: u32,
        schema: &'static str,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Result<Self, Fault> {
        let options = PgConnectOptions::from_str(url)
            .map_err(Fault::from)?
            .application_name(&format!("redress-{schema}"));
        // Every statement is prepared and reads by key: planning it anew for each set
        // of values would cost more than running it, and a plan that reads a table
        // whole is never right, though it seems so while the table is new and has no
        // statistics.
        let become_service = format!(
            "SET ROLE redress_{schema}; SET search_path = {schema}; \
             SET statement_timeout = '{STATEMENT_TIMEOUT}'; \
             SET plan_cache_mode = force_generic_plan; \
             SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off; \
             SET idle_in_transaction_session_timeout = '{STATEMENT_TIMEOUT}'"
        );
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            // A ping before each use would cost a round trip; beginning a transaction retries instead.
            .test_before_acquire(false)
            .after_connect(move |conn, _| {
                let become_service = become_service.clone();
                Box::pin(async move {
                    conn.execute(sqlx::raw_sql(AssertSqlSafe(become_service))).await?;
                    Ok(())
                })
            })
            .connect_lazy_with(options);
        let notifier = Notifier::new(pool.clone(), schema, ids.token());
        Ok(Self { pool, schema, clock, ids, notifier, skew: None })
    }

    /// Begins no transaction while its clock is off; without, or with none, nobody looks.
    #[must_use]
    pub fn with_skew(self, skew: Option<Arc<Skew>>) -> Self {
        Self { skew, ..self }
    }

    /// Refuses while the clock is off.
    pub(crate) async fn admit(&self) -> Result<(), Fault> {
        match &self.skew {
            Some(skew) => skew.admit(&self.pool).await,
            None => Ok(()),
        }
    }

    /// The schema's name, which is the service's.
    pub fn schema(&self) -> &'static str {
        self.schema
    }

    /// The connections.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// A connection of its own, outside the pool, as the role that serves all
    /// tenants: for one reader that lives as long as the process.
    ///
    /// # Errors
    ///
    /// Fails if no connection is free in time, or if the database cannot be reached.
    pub async fn worker_connection(&self) -> Result<PgConnection, Fault> {
        let mut conn = self.own_connection().await?;
        let schema = self.schema;
        // By the executor, not by the query: only so is the future known to be `Send`.
        let become_worker = AssertSqlSafe(format!("SET ROLE redress_{schema}_worker"));
        conn.execute(sqlx::raw_sql(become_worker)).await?;
        Ok(conn)
    }

    /// A connection of its own, outside the pool, as the service's role, bound to no
    /// tenant.
    pub(crate) async fn own_connection(&self) -> Result<PgConnection, Fault> {
        // As when a transaction begins, each failure discards a dead one of the pool.
        let mut spare = self.pool.options().get_max_connections();
        loop {
            let mut conn = self.pool.acquire().await?.detach();
            match conn.ping().await {
                Ok(()) => return Ok(conn),
                Err(error) if spare > 0 && tx::is_dead(&error) => spare -= 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The clock transactions read.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Where transactions take new ids from.
    pub fn ids(&self) -> &Arc<dyn Ids> {
        &self.ids
    }

    /// What wakes those who wait for rows of this schema.
    pub fn notifier(&self) -> &Notifier {
        &self.notifier
    }
}
