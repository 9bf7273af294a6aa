//! Taking turns: locks that have a name, and last as long as their transaction.
//!
//! Rows that are not there yet cannot be locked, nor can a rule over many of them. Each
//! function is a statement of its own: one that also read would read what was before it
//! waited.

use fault::Fault;
use sqlx::PgConnection;

/// Has whoever asks for the same name in the tenant of the transaction wait until it ends.
///
/// # Errors
///
/// Fails if the database does.
pub async fn hold(conn: &mut PgConnection, name: &str) -> Result<(), Fault> {
    sqlx::query(
        "SELECT pg_advisory_xact_lock(hashtextextended(current_setting('redress.tenant') || ' ' || $1, 0))",
    )
    .bind(name)
    .execute(conn)
    .await?;
    Ok(())
}

/// The same among many, who wait only for who [`hold`]s the name, and have them wait.
///
/// # Errors
///
/// Fails if the database does.
pub async fn share(conn: &mut PgConnection, name: &str) -> Result<(), Fault> {
    sqlx::query(
        "SELECT pg_advisory_xact_lock_shared(hashtextextended(current_setting('redress.tenant') || ' ' || $1, 0))",
    )
    .bind(name)
    .execute(conn)
    .await?;
    Ok(())
}
