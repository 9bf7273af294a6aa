//! Statements about policies.

use std::collections::BTreeSet;

use calendar::Pack;
use fault::Fault;
use sqlx::PgConnection;
use sqlx::types::Json;

use crate::calendars::Calendars;
use crate::clocks::policy::{KindLadder, Policy, shipped_pack};

#[derive(sqlx::FromRow)]
struct Row {
    version: i32,
    pack: Json<Pack>,
    ladders: Json<Vec<KindLadder>>,
}

impl Row {
    fn into_policy(self, calendars: &Calendars) -> Result<Policy, Fault> {
        Policy::of(self.version, self.pack.0, self.ladders.0, calendars)
    }
}

/// Reads the policies that are in force, the latest first; the shipped one is the
/// last.
pub(crate) async fn in_force(conn: &mut PgConnection) -> Result<Vec<Policy>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT version, pack, ladders FROM policy
         WHERE tenant_id = current_setting('redress.tenant') AND activated_at IS NOT NULL
         ORDER BY activated_at DESC, version DESC",
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut names = vec![shipped_pack()?.calendar.as_str()];
    names.extend(rows.iter().map(|row| row.pack.calendar.as_str()));
    let calendars = super::calendars::resolve(conn, &names).await?;
    policies(rows, &calendars)
}

/// Reads policies; asks nobody for the shipped one, which is the last of them, nor
/// for the calendars: they are those of the clocks that are under them.
pub(crate) async fn of(
    conn: &mut PgConnection,
    mut versions: BTreeSet<i32>,
    calendars: &Calendars,
) -> Result<Vec<Policy>, Fault> {
    versions.remove(&0);
    if versions.is_empty() {
        return policies(Vec::new(), calendars);
    }
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT version, pack, ladders FROM policy
         WHERE tenant_id = current_setting('redress.tenant') AND version = ANY($1)",
    )
    .bind(versions.into_iter().collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    policies(rows, calendars)
}

fn policies(rows: Vec<Row>, calendars: &Calendars) -> Result<Vec<Policy>, Fault> {
    let kept = rows.into_iter().map(|row| row.into_policy(calendars));
    kept.chain([Policy::shipped(calendars)]).collect()
}
