//! Looks at a database over a connection kept for that, beside the pools: whether it
//! answers, whether it has every migration, how many connections it allows.

use std::str::FromStr as _;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _, PgConnection};

use crate::migrate::applied;

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// A connection that only looks. Made when it is first used, and again when it breaks.
pub struct Probe {
    options: PgConnectOptions,
    connection: Option<PgConnection>,
}

impl Probe {
    /// One for the database a URL names.
    ///
    /// # Errors
    ///
    /// Fails if the URL is none of a Postgres.
    pub fn new(url: &str) -> Result<Self, sqlx::Error> {
        let options = PgConnectOptions::from_str(url)?.application_name("redress-probe");
        Ok(Self { options, connection: None })
    }

    /// Whether a service's schema has all these migrations: what it waits for before it
    /// says it is ready.
    ///
    /// # Errors
    ///
    /// Fails if the database does not answer in time, or if the service's role is not there
    /// yet.
    pub async fn migrated(
        &mut self,
        schema: &'static str,
        migrators: &[&Migrator],
    ) -> Result<bool, sqlx::Error> {
        let look = async {
            let mut conn = self.connected().await?;
            let become_service = format!("SET ROLE redress_{schema}; SET search_path = {schema}");
            conn.execute(sqlx::raw_sql(AssertSqlSafe(become_service))).await?;
            let migrated = applied(&mut conn, migrators).await?;
            conn.execute(sqlx::raw_sql("RESET ROLE")).await?;
            self.connection = Some(conn);
            Ok(migrated)
        };
        tokio::time::timeout(PATIENCE, look).await.map_err(|_| sqlx::Error::PoolTimedOut)?
    }

    /// How many connections the login of the URL may have at once, all its processes
    /// together: what Postgres allows but for those it keeps for superusers, and what
    /// the database and the login are limited to.
    ///
    /// # Errors
    ///
    /// Fails if the database does not answer in time.
    pub async fn connections_allowed(&mut self) -> Result<i64, sqlx::Error> {
        let look = async {
            let mut conn = self.connected().await?;
            let allowed = sqlx::query_scalar(CONNECTIONS_ALLOWED).fetch_one(&mut conn).await?;
            self.connection = Some(conn);
            Ok(allowed)
        };
        tokio::time::timeout(PATIENCE, look).await.map_err(|_| sqlx::Error::PoolTimedOut)?
    }

    /// The connection, taken while it is asked: one that was cut off in the middle, or
    /// has failed, is not used again.
    async fn connected(&mut self) -> Result<PgConnection, sqlx::Error> {
        match self.connection.take() {
            Some(conn) => Ok(conn),
            None => self.options.connect().await,
        }
    }
}

const CONNECTIONS_ALLOWED: &str = "
    SELECT least(
        current_setting('max_connections')::bigint
            - current_setting('superuser_reserved_connections')::bigint
            - coalesce(current_setting('reserved_connections', true)::bigint, 0),
        (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database()),
        (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = session_user))";
