//! Every statement about work that waits. Which table and columns are the service's.

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::TenantId;
use kernel::time::later;
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use crate::Again;

/// Where work waits. What is SQL here speaks of a row as `w`.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name.
    pub table: &'static str,
    /// The column of the work's identity, beside `tenant_id`: a UUID.
    pub key: &'static str,
    /// SQL: whether a row is work that is not done.
    pub open: String,
    /// The column that says when it is taken next.
    pub next: &'static str,
    /// The column that says how often it was in vain.
    pub attempts: &'static str,
    /// The column that says what goes first where two have waited equally long, if it matters.
    pub then: Option<&'static str>,
    /// How a lease is noted that is longer than it is said to be: none where who takes a row
    /// only has it wait until the lease ends.
    pub holding: Option<Holding>,
}

/// A lease that is renewed, in the columns `holder` and `held_until`.
#[derive(Clone, Copy, Debug)]
pub struct Holding {
    /// SQL: whether a row that is open may be taken at `$1`.
    pub free: &'static str,
}

/// A row that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// Whose it is.
    pub tenant: TenantId,
    /// Its identity.
    pub id: Uuid,
    /// Who has it: as its `holder`.
    pub holder: Uuid,
    /// Until when nobody else does.
    pub until: Timestamp,
}

impl Table {
    /// A table whose columns are called as is usual, `next_at` and `attempts`, and whose leases are
    /// not held.
    pub fn new(table: &'static str, key: &'static str, open: impl Into<String>) -> Self {
        let (next, attempts) = ("next_at", "attempts");
        Self { table, key, open: open.into(), next, attempts, then: None, holding: None }
    }

    /// Takes the row that has waited longest, of the tenant after `last` in the order of their
    /// names that has one: so many rows of one never keep those of others waiting. Run as the
    /// worker.
    ///
    /// # Errors
    ///
    /// Fails if the database does.
    pub async fn claim(
        &self,
        conn: &mut PgConnection,
        last: &str,
        holder: Uuid,
        (now, until): (Timestamp, Timestamp),
    ) -> Result<Option<Claimed>, Fault> {
        let Self { table, key, next, then, .. } = self;
        let waits = self.waits();
        let then = then.map(|column| format!(", w.{column}")).unwrap_or_default();
        let lease = match self.holding {
            Some(_) => "holder = $5, held_until = $2".to_owned(),
            None => format!("{next} = $2"),
        };
        let statement = format!(
            "UPDATE {table} t SET {lease}
             FROM (SELECT w.tenant_id, w.{key} FROM {table} w
                   WHERE {waits} AND w.tenant_id > $3 AND ($4::text IS NULL OR w.tenant_id <= $4)
                   ORDER BY w.tenant_id, w.{next}{then} LIMIT 1 FOR UPDATE SKIP LOCKED) AS next
             WHERE t.tenant_id = next.tenant_id AND t.{key} = next.{key}
             RETURNING t.tenant_id, t.{key}"
        );
        for (after, to) in [(last, None), ("", Some(last))] {
            let query = sqlx::query_as(AssertSqlSafe(statement.clone()))
                .bind(now.to_sqlx())
                .bind(until.to_sqlx())
                .bind(after)
                .bind(to);
            let query = if self.holding.is_some() { query.bind(holder) } else { query };
            if let Some((tenant, id)) = query.fetch_optional(&mut *conn).await? {
                let tenant: String = tenant;
                let tenant = TenantId::parse(&tenant).map_err(Fault::internal)?;
                return Ok(Some(Claimed { tenant, id, holder, until }));
            }
        }
        Ok(None)
    }

    /// SQL: whether a row `w` could be taken at `$1`.
    fn waits(&self) -> String {
        let Self { open, next, .. } = self;
        let free = self.holding.map(|holding| format!(" AND {}", holding.free)).unwrap_or_default();
        format!("{open} AND w.{next} <= $1{free}")
    }

    /// Whether there is a row that could be taken. Run as the worker.
    pub(crate) async fn is_any_waiting(
        &self,
        conn: &mut PgConnection,
        now: Timestamp,
    ) -> Result<bool, Fault> {
        let Self { table, .. } = self;
        let statement = format!("SELECT EXISTS (SELECT FROM {table} w WHERE {})", self.waits());
        Ok(sqlx::query_scalar(AssertSqlSafe(statement)).bind(now.to_sqlx()).fetch_one(conn).await?)
    }

    /// Has a lease end later; false where it is somebody else's, or nothing is left to do.
    pub(crate) async fn renew(
        &self,
        conn: &mut PgConnection,
        claimed: &Claimed,
        until: Timestamp,
    ) -> Result<bool, Fault> {
        let Self { table, key, open, .. } = self;
        let statement = format!(
            "UPDATE {table} w SET held_until = $3
             WHERE w.tenant_id = current_setting('redress.tenant') AND w.{key} = $1 AND w.holder = $2 AND {open}"
        );
        let renewed = sqlx::query(AssertSqlSafe(statement))
            .bind(claimed.id)
            .bind(claimed.holder)
            .bind(until.to_sqlx())
            .execute(conn)
            .await?;
        Ok(renewed.rows_affected() == 1)
    }

    /// SQL: whether a row `w` of `$1` is still leased as `$2` says.
    fn mine(&self) -> String {
        let Self { key, next, .. } = self;
        let lease = if self.holding.is_some() { "holder" } else { *next };
        format!("w.tenant_id = current_setting('redress.tenant') AND w.{key} = $1 AND w.{lease} = $2")
    }

    /// Has work wait that was not done, unless its lease is another's by now; answers how often it
    /// was in vain, none where it is not for this one to say.
    pub(crate) async fn again(
        &self,
        conn: &mut PgConnection,
        claimed: &Claimed,
        now: Timestamp,
        decide: impl FnOnce(i32) -> Again + Send,
    ) -> Result<Option<i32>, Fault> {
        let Self { table, key, attempts, open, next, .. } = self;
        let mine = self.mine();
        let statement = format!("SELECT w.{attempts} FROM {table} w WHERE {mine} AND {open} FOR UPDATE OF w");
        let query = sqlx::query_scalar(AssertSqlSafe(statement)).bind(claimed.id);
        let query = match self.holding {
            Some(_) => query.bind(claimed.holder),
            None => query.bind(claimed.until.to_sqlx()),
        };
        let Some(before) = query.fetch_optional(&mut *conn).await? else { return Ok(None) };
        let again = decide(before);
        let free = if self.holding.is_some() { ", holder = NULL, held_until = '-infinity'" } else { "" };
        let statement = format!(
            "UPDATE {table} SET {next} = $2, {attempts} = $3{free}
             WHERE tenant_id = current_setting('redress.tenant') AND {key} = $1"
        );
        sqlx::query(AssertSqlSafe(statement))
            .bind(claimed.id)
            .bind(later(now, again.after).to_sqlx())
            .bind(again.attempts)
            .execute(conn)
            .await?;
        Ok(Some(again.attempts))
    }

    /// Forgets rows of which a condition holds and that are from before a moment by a column; of
    /// all tenants, at most so many. Whether there may be more. Run as the worker.
    ///
    /// # Errors
    ///
    /// Fails if the database does.
    pub async fn forget(
        &self,
        conn: &mut PgConnection,
        (condition, since): (&str, &str),
        before: Timestamp,
        most: i64,
    ) -> Result<bool, Fault> {
        let Self { table, key, .. } = self;
        let statement = format!(
            "DELETE FROM {table} t USING (
                 SELECT w.tenant_id, w.{key} FROM {table} w WHERE {condition} AND w.{since} < $1
                 ORDER BY w.{since} LIMIT $2 FOR UPDATE SKIP LOCKED) AS old
             WHERE t.tenant_id = old.tenant_id AND t.{key} = old.{key}"
        );
        let forgotten =
            sqlx::query(AssertSqlSafe(statement)).bind(before.to_sqlx()).bind(most).execute(conn).await?;
        Ok(i64::try_from(forgotten.rows_affected()).unwrap_or(i64::MAX) >= most)
    }
}
