//! Statements about what posts tell of.

use fault::Fault;
use futures::future::BoxFuture;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::CaseId;
use pg::{Binds, Tx};
use sameness::Sketch;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::post::{Key, KeyKind, Matter, Post, Spread};

/// Most matters whose texts are compared with one.
const MAX_NEAR: i64 = 50;

#[derive(sqlx::FromRow)]
struct Row {
    matter_id: Uuid,
    head_post_id: Uuid,
    account: String,
    complaint_id: Option<Uuid>,
    abandoned: bool,
    mentions: i64,
    accounts: i64,
    reports: i64,
    max_reach: i64,
    total_reach: i64,
    first_at: jiff_sqlx::Timestamp,
    last_at: jiff_sqlx::Timestamp,
    told_mentions: i64,
    told_reach: i64,
}

impl From<Row> for Matter {
    fn from(row: Row) -> Self {
        Self {
            id: row.matter_id,
            head: row.head_post_id,
            account: row.account,
            complaint: row.complaint_id.map(CaseId),
            abandoned: row.abandoned,
            spread: Spread {
                mentions: row.mentions,
                accounts: row.accounts,
                reports: row.reports,
                max_reach: row.max_reach,
                total_reach: row.total_reach,
                first: row.first_at.to_jiff(),
                last: row.last_at.to_jiff(),
            },
            told_mentions: row.told_mentions,
            told_reach: row.told_reach,
        }
    }
}

/// Reads matters: what follows the tenant's condition is given.
macro_rules! select_matters {
    ($rest:literal) => {
        concat!(
            "SELECT matter_id, head_post_id, account, complaint_id, abandoned, mentions, accounts, reports,
                    max_reach, total_reach, first_at, last_at, told_mentions, told_reach
             FROM webhook_matter WHERE tenant_id = current_setting('redress.tenant') ",
            $rest
        )
    };
}

/// These matters.
pub(crate) async fn find(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Matter>, Fault> {
    let rows: Vec<Row> =
        sqlx::query_as(select_matters!("AND matter_id = ANY ($1)")).bind(ids).fetch_all(conn).await?;
    Ok(rows.into_iter().map(Matter::from).collect())
}

/// A matter, and keeps others from changing it.
pub(crate) async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<Option<Matter>, Fault> {
    let sql = select_matters!("AND matter_id = $1 FOR UPDATE");
    let row: Option<Row> = sqlx::query_as(sql).bind(id).fetch_optional(conn).await?;
    Ok(row.map(Matter::from))
}

/// The oldest matter that is known by one of some keys.
pub(crate) async fn by_keys(conn: &mut PgConnection, keys: &[Key]) -> Result<Option<Uuid>, Fault> {
    let kinds: Vec<i16> = keys.iter().map(|key| key.kind.number()).collect();
    let hashes: Vec<&[u8]> = keys.iter().map(|key| key.hash.as_slice()).collect();
    let found = sqlx::query_scalar(
        "SELECT k.matter_id FROM webhook_key k
         JOIN unnest($1::smallint[], $2::bytea[]) AS asked (kind, key) USING (kind, key)
         WHERE k.tenant_id = current_setting('redress.tenant')
         ORDER BY k.matter_id LIMIT 1",
    );
    Ok(found.bind(kinds).bind(hashes).fetch_optional(conn).await?)
}

/// The matters of since a moment whose first text may be like another, and their sketches.
pub(crate) async fn near(
    conn: &mut PgConnection,
    sketch: &Sketch,
    since: Timestamp,
) -> Result<Vec<(Uuid, Sketch)>, Fault> {
    let rows: Vec<(Uuid, Vec<u8>)> = sqlx::query_as(
        "SELECT matter_id, sketch FROM webhook_matter
         WHERE tenant_id = current_setting('redress.tenant') AND bands && $1 AND bands IS NOT NULL
           AND first_at >= $2
         ORDER BY matter_id LIMIT $3",
    )
    .bind(sketch.bands().as_slice())
    .bind(since.to_sqlx())
    .bind(MAX_NEAR)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().filter_map(|(id, bytes)| Some((id, Sketch::from_bytes(&bytes)?))).collect())
}

/// Writes a new matter.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    matter: &Matter,
    sketch: Option<&Sketch>,
) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let bytes = binds.value(sketch.map(Sketch::to_bytes));
    let found_by = binds.value(sketch.map(|sketch| sketch.bands().to_vec()));
    let rows = binds
        .row(matter)
        .column("matter_id", |matter| matter.id)
        .column("head_post_id", |matter| matter.head)
        .column("account", |matter| matter.account.as_str())
        .column("mentions", |matter| matter.spread.mentions)
        .column("accounts", |matter| matter.spread.accounts)
        .column("reports", |matter| matter.spread.reports)
        .column("max_reach", |matter| matter.spread.max_reach)
        .column("total_reach", |matter| matter.spread.total_reach)
        .column("first_at", |matter| matter.spread.first.to_sqlx())
        .column("last_at", |matter| matter.spread.last.to_sqlx())
        .column("told_reach", |matter| matter.told_reach)
        .done();
    // No arrays of arrays: what is looked for by its bands stands beside the row.
    let statement = format!(
        "INSERT INTO webhook_matter (tenant_id, sketch, bands, {names})
         SELECT current_setting('redress.tenant'), {bytes}, {found_by}, {values} FROM {rows} AS r",
        names = rows.names(),
        values = rows.values("r"),
    );
    binds.execute(&statement, conn).await?;
    Ok(())
}

/// Writes how far a matter is: its post, its complaint, its spread, what was told.
pub(crate) async fn save(conn: &mut PgConnection, matter: &Matter) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .row(matter)
        .column("matter_id", |matter| matter.id)
        .column("head_post_id", |matter| matter.head)
        .column("account", |matter| matter.account.as_str())
        .column("complaint_id", |matter| matter.complaint.map(|id| id.0))
        .column("abandoned", |matter| matter.abandoned)
        .column("mentions", |matter| matter.spread.mentions)
        .column("accounts", |matter| matter.spread.accounts)
        .column("reports", |matter| matter.spread.reports)
        .column("max_reach", |matter| matter.spread.max_reach)
        .column("total_reach", |matter| matter.spread.total_reach)
        .column("last_at", |matter| matter.spread.last.to_sqlx())
        .column("told_mentions", |matter| matter.told_mentions)
        .column("told_reach", |matter| matter.told_reach)
        .done();
    let statement = rows.update("webhook_matter", &["matter_id"]);
    binds.execute(&statement, conn).await?;
    Ok(())
}

/// Has a matter known by keys, those that are not another's; whether each of the post's own is
/// its for the first time.
pub(crate) async fn put_keys(conn: &mut PgConnection, id: Uuid, keys: &[Key]) -> Result<bool, Fault> {
    let mut is_new = true;
    for Key { kind, hash, is_own } in keys {
        let written = sqlx::query(
            "INSERT INTO webhook_key (tenant_id, kind, key, matter_id, is_own)
             VALUES (current_setting('redress.tenant'), $1, $2, $3, $4)
             ON CONFLICT ON CONSTRAINT webhook_key_pkey DO UPDATE SET is_own = true
                 WHERE NOT webhook_key.is_own AND excluded.is_own",
        )
        .bind(KeyKind::number(*kind))
        .bind(hash.as_slice())
        .bind(id)
        .bind(is_own)
        .execute(&mut *conn)
        .await?;
        is_new &= !is_own || written.rows_affected() == 1;
    }
    Ok(is_new)
}

/// Counts the account of a post to a matter; answers the reach it was counted with before, and
/// none where it is new.
pub(crate) async fn count_account(
    conn: &mut PgConnection,
    id: Uuid,
    post: &Post,
) -> Result<Option<i64>, Fault> {
    let account = post.account_hash();
    let before: Option<i64> = sqlx::query_scalar(
        "SELECT reach FROM webhook_account
         WHERE tenant_id = current_setting('redress.tenant') AND matter_id = $1 AND account = $2 FOR UPDATE",
    )
    .bind(id)
    .bind(account.as_slice())
    .fetch_optional(&mut *conn)
    .await?;
    sqlx::query(
        "INSERT INTO webhook_account (tenant_id, matter_id, account, reach)
         VALUES (current_setting('redress.tenant'), $1, $2, $3)
         ON CONFLICT ON CONSTRAINT webhook_account_pkey
             DO UPDATE SET reach = greatest(webhook_account.reach, excluded.reach)",
    )
    .bind(id)
    .bind(account.as_slice())
    .bind(post.content.reach)
    .execute(conn)
    .await?;
    Ok(before)
}

/// Forgets the sketches of matters that began before a moment: their texts are compared no
/// more; of all tenants, at most so many.
pub(crate) fn forget_sketches(
    tx: &mut Tx,
    before: Timestamp,
    most: i64,
) -> BoxFuture<'_, Result<bool, Fault>> {
    Box::pin(async move {
        let forgotten = sqlx::query(
            "UPDATE webhook_matter m SET sketch = NULL, bands = NULL
             FROM (SELECT tenant_id, matter_id FROM webhook_matter
                   WHERE bands IS NOT NULL AND first_at < $1
                   ORDER BY first_at LIMIT $2 FOR UPDATE SKIP LOCKED) AS old
             WHERE m.tenant_id = old.tenant_id AND m.matter_id = old.matter_id",
        )
        .bind(before.to_sqlx())
        .bind(most)
        .execute(&mut **tx)
        .await?;
        Ok(i64::try_from(forgotten.rows_affected()).unwrap_or(i64::MAX) >= most)
    })
}

/// Forgets what the posts of matters are known by, and their accounts, of which none has come
/// since a moment; of all tenants, at most so many keys, accounts and matters.
pub(crate) fn forget_keys(tx: &mut Tx, before: Timestamp, most: i64) -> BoxFuture<'_, Result<bool, Fault>> {
    Box::pin(async move {
        for part in [
            "DELETE FROM webhook_key k USING (
                 SELECT k.tenant_id, k.kind, k.key
                 FROM webhook_matter m JOIN webhook_key k
                      ON k.tenant_id = m.tenant_id AND k.matter_id = m.matter_id
                 WHERE m.is_known AND m.last_at < $1 LIMIT $2 FOR UPDATE OF k SKIP LOCKED) AS old
             WHERE k.tenant_id = old.tenant_id AND k.kind = old.kind AND k.key = old.key",
            "DELETE FROM webhook_account a USING (
                 SELECT a.tenant_id, a.matter_id, a.account
                 FROM webhook_matter m JOIN webhook_account a
                      ON a.tenant_id = m.tenant_id AND a.matter_id = m.matter_id
                 WHERE m.is_known AND m.last_at < $1 LIMIT $2 FOR UPDATE OF a SKIP LOCKED) AS old
             WHERE a.tenant_id = old.tenant_id AND a.matter_id = old.matter_id AND a.account = old.account",
            // Last: while it is not written, all of this is done again.
            "UPDATE webhook_matter m SET is_known = false, account = ''
             FROM (SELECT tenant_id, matter_id FROM webhook_matter
                   WHERE is_known AND last_at < $1
                   ORDER BY last_at LIMIT $2 FOR UPDATE SKIP LOCKED) AS old
             WHERE m.tenant_id = old.tenant_id AND m.matter_id = old.matter_id",
        ] {
            let forgotten = sqlx::query(part).bind(before.to_sqlx()).bind(most).execute(&mut **tx).await?;
            if i64::try_from(forgotten.rows_affected()).unwrap_or(i64::MAX) >= most {
                return Ok(true);
            }
        }
        Ok(false)
    })
}
