//! Wrong guesses at secret codes, counted for all replicas together: a leaky bucket kept as
//! one moment for each who guesses (GCRA).

use std::time::Duration;

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::{Timestamp as Stored, ToSqlx as _};
use sqlx::PgConnection;

/// Most rows of the forgiven that one wrong guess clears away.
const CLEARED: i64 = 20;

/// How many wrong guesses there may be.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    /// In a row, free of charge.
    pub burst: u32,
    /// After them, one more in this time.
    pub interval: Duration,
}

/// Counts a wrong guess of who has this key; answers how long they have to wait where it is
/// one too many, which is not counted.
///
/// # Errors
///
/// Fails if the database does.
pub async fn count_wrong_code(
    conn: &mut PgConnection,
    key: [u8; 32],
    allowance: Allowance,
    now: Timestamp,
) -> Result<Option<Duration>, Fault> {
    sqlx::query(
        "DELETE FROM wrong_code WHERE tenant_id = current_setting('redress.tenant') AND key = ANY (ARRAY(
             SELECT key FROM wrong_code
             WHERE tenant_id = current_setting('redress.tenant') AND forgiven_at < $1
             ORDER BY forgiven_at LIMIT $2 FOR UPDATE SKIP LOCKED))",
    )
    .bind(now.to_sqlx())
    .bind(CLEARED)
    .execute(&mut *conn)
    .await?;
    let Allowance { burst, interval } = allowance;
    let after = |time: Timestamp, pause: Duration| time.saturating_add(pause).unwrap_or(time);
    let latest = after(now, interval.saturating_mul(burst.saturating_sub(1)));
    let counted = sqlx::query(
        "INSERT INTO wrong_code AS known (tenant_id, key, forgiven_at)
         VALUES (current_setting('redress.tenant'), $1, $2::timestamptz + make_interval(secs => $4))
         ON CONFLICT ON CONSTRAINT wrong_code_pkey DO UPDATE
         SET forgiven_at = greatest(known.forgiven_at, $2) + make_interval(secs => $4)
         WHERE greatest(known.forgiven_at, $2) <= $3",
    )
    .bind(key.as_slice())
    .bind(now.to_sqlx())
    .bind(latest.to_sqlx())
    .bind(interval.as_secs_f64())
    .execute(&mut *conn)
    .await?;
    if counted.rows_affected() > 0 {
        return Ok(None);
    }
    let forgiven: Option<Stored> = sqlx::query_scalar(
        "SELECT forgiven_at FROM wrong_code WHERE tenant_id = current_setting('redress.tenant') AND key = $1",
    )
    .bind(key.as_slice())
    .fetch_optional(conn)
    .await?;
    let forgiven = forgiven.map_or(latest, Stored::to_jiff);
    // Whoever was refused waits for a moment at least, whatever happened meanwhile.
    Ok(Some(
        Duration::try_from(forgiven.duration_since(latest)).unwrap_or_default().max(Duration::from_millis(1)),
    ))
}
