//! Statements about replies to answered cases.

use fault::Fault;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;

use crate::case::Case;
use crate::replies::{self, Reply};

/// Keeps which cases have a reply that waits, as their journals tell.
pub(crate) async fn keep(conn: &mut PgConnection, cases: &[Case]) -> Result<(), Fault> {
    let (mut came, mut times, mut seen) = (Vec::new(), Vec::new(), Vec::new());
    for case in cases {
        match replies::of(case) {
            Some(Reply::Came(time)) => {
                came.push(case.id.0);
                times.push(time.to_sqlx());
            }
            Some(Reply::Seen) => seen.push(case.id.0),
            None => {}
        }
    }
    if !came.is_empty() {
        sqlx::query(
            "INSERT INTO reply (tenant_id, case_id, replied_at)
             SELECT current_setting('redress.tenant'), n.*
             FROM (SELECT UNNEST($1::uuid[]), UNNEST($2::timestamptz[])) AS n
             ON CONFLICT ON CONSTRAINT reply_pkey DO NOTHING",
        )
        .bind(came)
        .bind(times)
        .execute(&mut *conn)
        .await?;
    }
    if !seen.is_empty() {
        sqlx::query(
            "DELETE FROM reply WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1)",
        )
        .bind(seen)
        .execute(conn)
        .await?;
    }
    Ok(())
}
