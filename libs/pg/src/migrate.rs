//! Brings a schema to the version the code was written for.

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{AssertSqlSafe, Connection, Executor as _, PgConnection};

/// The tables every service has.
pub static MIGRATIONS: Migrator = sqlx::migrate!();

/// How often migrations are begun, where what goes on meanwhile stands in their way.
const TRIES: u32 = 5;
/// Postgres' code of a transaction that it ended because two waited for each other.
const DEADLOCK: &str = "40P01";

/// Creates a service's roles and schema as far as they lack, and applies the
/// migrations that are not applied yet. Run as the owner of the database, by one
/// process or many at once.
///
/// # Errors
///
/// Fails if the database cannot be reached, if the caller may not create roles and schemas in
/// it, or if a migration fails or was edited since it was applied.
pub async fn migrate(url: &str, schema: &'static str, migrators: &[&Migrator]) -> anyhow::Result<()> {
    let mut conn = PgConnection::connect(url).await?;
    // One at a time: CREATE ROLE and CREATE SCHEMA race, IF NOT EXISTS or not.
    conn.execute("SELECT pg_advisory_lock(hashtextextended('redress.migrate', 0))").await?;
    conn.execute(sqlx::raw_sql(AssertSqlSafe(prepare(schema)))).await?;
    for migrator in migrators {
        // Each list sees the others' versions in the shared table; that is no fault.
        let migrator = Migrator {
            migrations: migrator.migrations.clone(),
            ignore_missing: true,
            locking: false,
            ..Migrator::DEFAULT
        };
        run(&migrator, &mut conn).await?;
    }
    conn.close().await?;
    Ok(())
}

/// Replicas of the version before go on while migrations run, and one of their transactions may
/// hold what a migration waits for while it waits for what the migration holds. Postgres ends one
/// of the two; where that is the migration, nothing of it was done, and it is begun again.
async fn run(migrator: &Migrator, conn: &mut PgConnection) -> Result<(), MigrateError> {
    for tried in 1..TRIES {
        match migrator.run_direct(None, conn, false).await {
            Err(failed) if is_deadlock(&failed) => {
                tracing::warn!(error = %failed, tried, "a migration and a transaction waited for each other");
            }
            done => return done,
        }
    }
    migrator.run_direct(None, conn, false).await
}

fn is_deadlock(failed: &MigrateError) -> bool {
    let (MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) = failed else {
        return false;
    };
    error.as_database_error().is_some_and(|error| error.code().as_deref() == Some(DEADLOCK))
}

fn prepare(schema: &str) -> String {
    format!(
        "DO $$ BEGIN
             CREATE ROLE redress_{schema} NOLOGIN NOINHERIT;
         EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
         DO $$ BEGIN
             CREATE ROLE redress_{schema}_worker NOLOGIN NOINHERIT;
         EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
         GRANT redress_{schema}, redress_{schema}_worker TO CURRENT_USER;
         CREATE SCHEMA IF NOT EXISTS {schema};
         GRANT USAGE ON SCHEMA {schema} TO redress_{schema}, redress_{schema}_worker;
         SET search_path = {schema};
         CREATE TABLE IF NOT EXISTS _sqlx_migrations (
             version BIGINT PRIMARY KEY, description TEXT NOT NULL,
             installed_on TIMESTAMPTZ NOT NULL DEFAULT now(), success BOOLEAN NOT NULL,
             checksum BYTEA NOT NULL, execution_time BIGINT NOT NULL);
         GRANT SELECT ON _sqlx_migrations TO redress_{schema};"
    )
}

/// Whether a database lacks any of these migrations. Asked over a connection of its
/// own and as whoever the URL names: it works before the service's role exists.
///
/// # Errors
///
/// Fails if the database cannot be reached, or if the caller may not become the service's role.
pub async fn is_behind(url: &str, schema: &'static str, migrators: &[&Migrator]) -> anyhow::Result<bool> {
    let mut conn = PgConnection::connect(url).await?;
    let known: bool = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
        .bind(format!("{schema}._sqlx_migrations"))
        .fetch_one(&mut conn)
        .await?;
    let behind = if known {
        // The table is the service's to read, not everyone's who may become it.
        conn.execute(sqlx::raw_sql(AssertSqlSafe(format!("SET ROLE redress_{schema}")))).await?;
        conn.execute(sqlx::raw_sql(AssertSqlSafe(format!("SET search_path = {schema}")))).await?;
        !applied(&mut conn, migrators).await?
    } else {
        true
    };
    conn.close().await?;
    Ok(behind)
}

/// Whether a schema, which is the one searched, has all these migrations.
pub(crate) async fn applied(conn: &mut PgConnection, migrators: &[&Migrator]) -> Result<bool, sqlx::Error> {
    let wanted: Vec<i64> =
        migrators.iter().flat_map(|migrator| migrator.iter()).map(|migration| migration.version).collect();
    let have: i64 =
        sqlx::query_scalar("SELECT count(*) FROM _sqlx_migrations WHERE success AND version = ANY($1)")
            .bind(&wanted)
            .fetch_one(conn)
            .await?;
    Ok(usize::try_from(have).is_ok_and(|have| have == wanted.len()))
}
