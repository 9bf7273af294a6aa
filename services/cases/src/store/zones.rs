//! Which releases of the time zones processes count by.

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;

/// Says that a process counts by a release now; answers the others that were said since
/// a moment.
pub(crate) async fn say(
    conn: &mut PgConnection,
    release: &str,
    now: Timestamp,
    since: Timestamp,
) -> Result<Vec<String>, Fault> {
    sqlx::query(
        "INSERT INTO zone_release (release, first_start_at, last_start_at) VALUES ($1, $2, $2)
         ON CONFLICT ON CONSTRAINT zone_release_pkey
         DO UPDATE SET last_start_at = greatest(zone_release.last_start_at, excluded.last_start_at)",
    )
    .bind(release)
    .bind(now.to_sqlx())
    .execute(&mut *conn)
    .await?;
    let others = sqlx::query_scalar(
        "SELECT release FROM zone_release WHERE release <> $1 AND last_start_at >= $2 ORDER BY release",
    )
    .bind(release)
    .bind(since.to_sqlx())
    .fetch_all(conn)
    .await?;
    Ok(others)
}
