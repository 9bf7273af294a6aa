//! How far a consumer has applied each feed: the statements about its cursors.
//!
//! A feed has a cursor for each lane. A tenant with a backlog, or whose events resist, is
//! read apart: then it has a cursor of its own in that lane, at or behind the lane's.

use fault::{Fault, Kind};
use jiff::SignedDuration;
use jiff_sqlx::ToSqlx as _;
use kernel::{Lane, TenantId};
use pg::Tx;
use sqlx::PgConnection;
use uuid::Uuid;

/// Reason of a cursor that could not be locked in time.
pub(crate) const LOCKED: &str = "CURSOR_LOCKED";

/// A part of a feed that is applied on its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) source: &'static str,
    pub(crate) lane: Lane,
    /// The tenant that is read apart; none for all the others.
    pub(crate) apart: Option<TenantId>,
}

impl Part {
    fn apart(&self) -> &str {
        self.apart.as_ref().map_or("", TenantId::as_str)
    }
}

/// One cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) lane: i16,
    pub(crate) apart: String,
    /// Last position applied or set aside.
    pub(crate) position: i64,
    /// The feed's epoch it is of; empty when it is not known.
    pub(crate) epoch: String,
}

/// Where a consumer stands with a feed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FeedProgress {
    pub(crate) cursors: Vec<Cursor>,
    /// How many events of the feed are set aside, over all tenants.
    pub(crate) aside: i64,
}

impl FeedProgress {
    /// The cursor of a lane, or of a tenant that is read apart in it.
    pub(crate) fn cursor(&self, lane: Lane, apart: &str) -> Option<&Cursor> {
        self.cursors.iter().find(|cursor| cursor.lane == lane.number() && cursor.apart == apart)
    }

    pub(crate) fn cursor_mut(&mut self, lane: Lane, apart: &str) -> Option<&mut Cursor> {
        self.cursors.iter_mut().find(|cursor| cursor.lane == lane.number() && cursor.apart == apart)
    }

    /// The cursor of a part.
    pub(crate) fn of(&self, part: &Part) -> Option<&Cursor> {
        self.cursor(part.lane, part.apart())
    }

    /// Up to where a tenant's events of a lane have been applied or set aside.
    pub(crate) fn position(&self, lane: Lane, tenant: &TenantId) -> i64 {
        let mine = self.cursor(lane, tenant.as_str()).or_else(|| self.cursor(lane, ""));
        mine.map_or(0, |cursor| cursor.position)
    }

    /// Who is read apart in a lane, in order.
    pub(crate) fn apart(&self, lane: Lane) -> Vec<TenantId> {
        let of_lane = self.cursors.iter().filter(|cursor| cursor.lane == lane.number());
        let mut apart: Vec<TenantId> =
            of_lane.filter_map(|cursor| TenantId::parse(&cursor.apart).ok()).collect();
        apart.sort();
        apart
    }
}

/// Makes the cursors of a feed that is followed for the first time.
pub(crate) async fn ensure(conn: &mut PgConnection, source: &str) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO feed_cursor (source, lane) SELECT $1, lane FROM (VALUES (1), (2)) AS l (lane)
         ON CONFLICT DO NOTHING",
    )
    .bind(source)
    .execute(&mut *conn)
    .await?;
    sqlx::query("INSERT INTO inbox_size (source) VALUES ($1) ON CONFLICT DO NOTHING")
        .bind(source)
        .execute(conn)
        .await?;
    Ok(())
}

/// Takes a lane for a replica unless another holds it; answers whether it has.
pub(crate) async fn try_hold(
    tx: &mut Tx,
    (source, lane): (&str, Lane),
    replica: Uuid,
    hold: SignedDuration,
) -> Result<bool, Fault> {
    let now = tx.now();
    let taken = sqlx::query(
        "UPDATE feed_cursor SET holder = $3, held_until = $5
         WHERE source = $1 AND lane = $2 AND apart = ''
           AND (holder IS NULL OR holder = $3 OR held_until < $4)",
    )
    .bind(source)
    .bind(lane.number())
    .bind(replica)
    .bind(now.to_sqlx())
    .bind((now + hold).to_sqlx())
    .execute(&mut **tx)
    .await?;
    Ok(taken.rows_affected() > 0)
}

/// Lets go of every lane a replica holds.
pub(crate) async fn release(conn: &mut PgConnection, replica: Uuid) -> Result<(), Fault> {
    sqlx::query("UPDATE feed_cursor SET holder = NULL, held_until = NULL WHERE holder = $1")
        .bind(replica)
        .execute(conn)
        .await?;
    Ok(())
}

/// Locks the cursor of a part: whoever else applies it waits here. Answers where the
/// whole feed stands, read after that; the part's cursor is missing there if it is read
/// with the others again.
pub(crate) async fn lock(conn: &mut PgConnection, part: &Part) -> Result<FeedProgress, Fault> {
    sqlx::query("SELECT FROM feed_cursor WHERE source = $1 AND lane = $2 AND apart = $3 FOR UPDATE")
        .bind(part.source)
        .bind(part.lane.number())
        .bind(part.apart())
        .execute(&mut *conn)
        .await
        .map_err(locked)?;
    look(conn, part.source).await
}

/// Locks every cursor that a tenant's events of a feed move: none of them is applied
/// meanwhile.
pub(crate) async fn lock_tenant(
    conn: &mut PgConnection,
    source: &str,
    tenant: &TenantId,
) -> Result<(), Fault> {
    sqlx::query(
        "SELECT FROM feed_cursor WHERE source = $1 AND apart IN ('', $2) ORDER BY lane, apart FOR UPDATE",
    )
    .bind(source)
    .bind(tenant.as_str())
    .execute(conn)
    .await
    .map_err(locked)?;
    Ok(())
}

fn locked(error: sqlx::Error) -> Fault {
    Fault::new(Kind::Unavailable, LOCKED, "another replica applies this feed").because(error)
}

/// Where a feed stands.
pub(crate) async fn look(conn: &mut PgConnection, source: &str) -> Result<FeedProgress, Fault> {
    let rows: Vec<(i16, String, i64, String, i64)> = sqlx::query_as(
        "SELECT lane, apart, position, epoch, coalesce((SELECT events FROM inbox_size i WHERE i.source = $1), 0)
         FROM feed_cursor WHERE source = $1",
    )
    .bind(source)
    .fetch_all(conn)
    .await?;
    let aside = rows.first().map_or(0, |row| row.4);
    let cursor = |(lane, apart, position, epoch, _)| Cursor { lane, apart, position, epoch };
    Ok(FeedProgress { cursors: rows.into_iter().map(cursor).collect(), aside })
}

/// Moves a locked cursor. With a replica and a time, it keeps the lane that long.
pub(crate) async fn store(
    tx: &mut Tx,
    part: &Part,
    (position, epoch): (i64, &str),
    keep: Option<(Uuid, SignedDuration)>,
) -> Result<(), Fault> {
    let until = keep.map(|(_, hold)| (tx.now() + hold).to_sqlx());
    sqlx::query(
        "UPDATE feed_cursor SET position = $4, epoch = coalesce(nullif($5, ''), epoch),
                holder = coalesce($6, holder), held_until = coalesce($7, held_until)
         WHERE source = $1 AND lane = $2 AND apart = $3",
    )
    .bind(part.source)
    .bind(part.lane.number())
    .bind(part.apart())
    .bind(position)
    .bind(epoch)
    .bind(keep.map(|(replica, _)| replica))
    .bind(until)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Has a tenant read apart from where its lane, whose cursor is locked, stands.
pub(crate) async fn set_apart(
    conn: &mut PgConnection,
    (source, lane): (&str, Lane),
    tenant: &TenantId,
) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO feed_cursor (source, lane, apart, position, epoch)
         SELECT source, lane, $3, position, epoch FROM feed_cursor WHERE source = $1 AND lane = $2 AND apart = ''
         ON CONFLICT DO NOTHING",
    )
    .bind(source)
    .bind(lane.number())
    .bind(tenant.as_str())
    .execute(conn)
    .await?;
    Ok(())
}

/// Has a tenant that was read apart read with the others again: its lane's cursor is
/// locked, and its own stands where that does.
pub(crate) async fn rejoin(conn: &mut PgConnection, part: &Part) -> Result<(), Fault> {
    sqlx::query("DELETE FROM feed_cursor WHERE source = $1 AND lane = $2 AND apart = $3 AND apart <> ''")
        .bind(part.source)
        .bind(part.lane.number())
        .bind(part.apart())
        .execute(conn)
        .await?;
    Ok(())
}

/// Has the cursors of a feed go on in another epoch, those that stand where both epochs
/// tell the same; answers whether all do.
pub(crate) async fn adopt(conn: &mut PgConnection, source: &str, common: i64) -> Result<bool, Fault> {
    let beyond: i64 =
        sqlx::query_scalar("SELECT count(*) FROM feed_cursor WHERE source = $1 AND position > $2")
            .bind(source)
            .bind(common)
            .fetch_one(&mut *conn)
            .await?;
    if beyond > 0 {
        return Ok(false);
    }
    sqlx::query("UPDATE feed_cursor SET epoch = '' WHERE source = $1").bind(source).execute(conn).await?;
    Ok(true)
}
