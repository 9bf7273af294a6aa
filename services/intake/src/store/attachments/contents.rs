//! Where the contents of attachments lie: one function for each thing that is done with
//! them, and in it one arm for each store. All stores keep the same chunks under the same
//! places. What lies in a store beside the database is announced here before it is put there,
//! and forgotten after it is gone: nothing is there that no row knows.

use std::time::Duration;

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::TenantId;
use kernel::time::later;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::attachment::Store;
use crate::refusal::Refusal;

/// How long after its announcement an object may become a chunk. Longer than it takes to put
/// all of a mail's.
const CONFIRMED_WITHIN: Duration = Duration::from_mins(10);
/// How long after its announcement an object is removed that became none. Nobody puts it any
/// more by then, nor makes it a chunk.
const UNCONFIRMED_KEPT: Duration = Duration::from_hours(1);

/// A chunk that is to be kept.
#[derive(Clone, Debug)]
pub(crate) enum Chunk<'a> {
    /// Its bytes.
    Bytes(&'a [u8]),
    /// The object that has them already.
    Object(Uuid),
}

/// A part of a chunk.
#[derive(Debug)]
pub(crate) enum Part {
    /// Its bytes.
    Bytes(Vec<u8>),
    /// The object that has the chunk.
    Object(Uuid),
}

/// Announces objects, one for each place: from now on they may be put.
pub(crate) async fn announce(
    conn: &mut PgConnection,
    id: Uuid,
    objects: &[(Uuid, i32)],
    now: Timestamp,
) -> Result<(), Fault> {
    let (objects, ordinals): (Vec<Uuid>, Vec<i32>) = objects.iter().copied().unzip();
    sqlx::query(
        "INSERT INTO attachment_object (tenant_id, object_id, attachment_id, ordinal, announced_at, remove_at)
         SELECT current_setting('redress.tenant'), o.object_id, $1, o.ordinal, $4, $5
         FROM (SELECT UNNEST($2::uuid[]) AS object_id, UNNEST($3::integer[]) AS ordinal) AS o",
    )
    .bind(id)
    .bind(objects)
    .bind(ordinals)
    .bind(now.to_sqlx())
    .bind(later(now, UNCONFIRMED_KEPT).to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps a chunk, with the note that it is kept.
pub(crate) async fn put(
    conn: &mut PgConnection,
    (id, ordinal): (Uuid, i32),
    chunk: Chunk<'_>,
    now: Timestamp,
) -> Result<(), Fault> {
    match chunk {
        Chunk::Bytes(data) => {
            sqlx::query(
                "INSERT INTO attachment_chunk (tenant_id, attachment_id, ordinal, data)
                 VALUES (current_setting('redress.tenant'), $1, $2, $3)",
            )
            .bind(id)
            .bind(ordinal)
            .bind(data)
            .execute(conn)
            .await?;
            Ok(())
        }
        Chunk::Object(object) => {
            let earliest = now.saturating_sub(CONFIRMED_WITHIN).unwrap_or(now);
            let kept = sqlx::query(
                "UPDATE attachment_object SET remove_at = NULL
                 WHERE tenant_id = current_setting('redress.tenant') AND object_id = $1
                   AND attachment_id = $2 AND ordinal = $3 AND announced_at > $4",
            )
            .bind(object)
            .bind(id)
            .bind(ordinal)
            .bind(earliest.to_sqlx())
            .execute(conn)
            .await?;
            // Too late: it may be removed any time. What was sent is sent again.
            if kept.rows_affected() == 1 { Ok(()) } else { Err(Refusal::StoreUnavailable.into()) }
        }
    }
}

/// A part of a chunk, or the object it is in; none where there is no such chunk any more.
/// `from` and `length` are within it.
pub(crate) async fn part(
    conn: &mut PgConnection,
    store: Store,
    (id, ordinal): (Uuid, i32),
    from: i32,
    length: i32,
) -> Result<Option<Part>, Fault> {
    match store {
        Store::Postgres => {
            let data: Option<Vec<u8>> = sqlx::query_scalar(
                "SELECT substring(data FROM $3 + 1 FOR $4) FROM attachment_chunk
                 WHERE tenant_id = current_setting('redress.tenant') AND attachment_id = $1 AND ordinal = $2",
            )
            .bind(id)
            .bind(ordinal)
            .bind(from)
            .bind(length)
            .fetch_optional(conn)
            .await?;
            Ok(data.filter(|data| !data.is_empty()).map(Part::Bytes))
        }
        Store::S3 => {
            let object = sqlx::query_scalar(
                "SELECT object_id FROM attachment_object
                 WHERE tenant_id = current_setting('redress.tenant') AND attachment_id = $1 AND ordinal = $2
                   AND remove_at IS NULL",
            )
            .bind(id)
            .bind(ordinal)
            .fetch_optional(conn)
            .await?;
            Ok(object.map(Part::Object))
        }
    }
}

/// Removes chunks of a content, at most so many; answers how many. Objects go later.
pub(super) async fn remove(
    conn: &mut PgConnection,
    store: Store,
    id: Uuid,
    (most, now): (i64, Timestamp),
) -> Result<i64, Fault> {
    let removed = match store {
        Store::Postgres => {
            sqlx::query(
                "DELETE FROM attachment_chunk
                 WHERE tenant_id = current_setting('redress.tenant') AND attachment_id = $1
                   AND ordinal = ANY (ARRAY(
                       SELECT ordinal FROM attachment_chunk
                       WHERE tenant_id = current_setting('redress.tenant') AND attachment_id = $1
                       ORDER BY ordinal LIMIT $2))",
            )
            .bind(id)
            .bind(most)
            .execute(conn)
            .await?
        }
        Store::S3 => {
            sqlx::query(
                "UPDATE attachment_object SET remove_at = $3
                 WHERE tenant_id = current_setting('redress.tenant') AND attachment_id = $1
                   AND remove_at IS NULL AND ordinal = ANY (ARRAY(
                       SELECT ordinal FROM attachment_object
                       WHERE tenant_id = current_setting('redress.tenant') AND attachment_id = $1
                         AND remove_at IS NULL
                       ORDER BY ordinal LIMIT $2))",
            )
            .bind(id)
            .bind(most)
            .bind(now.to_sqlx())
            .execute(conn)
            .await?
        }
    };
    Ok(i64::try_from(removed.rows_affected()).unwrap_or(i64::MAX))
}

/// An object that is to be removed, and whose it was.
#[derive(Clone, Debug)]
pub(crate) struct Unwanted {
    /// The tenant.
    pub(crate) tenant: TenantId,
    /// The attachment.
    pub(crate) attachment: Uuid,
    /// The object.
    pub(crate) object: Uuid,
}

/// Takes objects that are to be removed, at most so many, of the tenant after `last` in the order
/// of their names that has one; until a moment nobody else does.
pub(crate) async fn take_unwanted(
    conn: &mut PgConnection,
    last: &str,
    (now, until): (Timestamp, Timestamp),
    most: i64,
) -> Result<Vec<Unwanted>, Fault> {
    for (after, to) in [(last, None), ("", Some(last))] {
        let rows: Vec<(String, Uuid, Uuid)> = sqlx::query_as(
            "UPDATE attachment_object o SET remove_at = $2
             FROM (SELECT tenant_id, object_id FROM attachment_object
                   WHERE remove_at <= $1
                     AND tenant_id = (SELECT tenant_id FROM attachment_object
                                      WHERE remove_at <= $1 AND tenant_id > $3
                                        AND ($4::text IS NULL OR tenant_id <= $4)
                                      ORDER BY tenant_id, remove_at LIMIT 1 FOR UPDATE SKIP LOCKED)
                   ORDER BY remove_at LIMIT $5 FOR UPDATE SKIP LOCKED) AS due
             WHERE o.tenant_id = due.tenant_id AND o.object_id = due.object_id
             RETURNING o.tenant_id, o.attachment_id, o.object_id",
        )
        .bind(now.to_sqlx())
        .bind(until.to_sqlx())
        .bind(after)
        .bind(to)
        .bind(most)
        .fetch_all(&mut *conn)
        .await?;
        if rows.is_empty() {
            continue;
        }
        let read = |(tenant, attachment, object): (String, Uuid, Uuid)| {
            let tenant = TenantId::parse(&tenant).map_err(Fault::internal)?;
            Ok(Unwanted { tenant, attachment, object })
        };
        return rows.into_iter().map(read).collect();
    }
    Ok(Vec::new())
}

/// Forgets an object of this transaction's tenant that is gone.
pub(crate) async fn forget(conn: &mut PgConnection, object: Uuid) -> Result<(), Fault> {
    sqlx::query(
        "DELETE FROM attachment_object
         WHERE tenant_id = current_setting('redress.tenant') AND object_id = $1 AND remove_at IS NOT NULL",
    )
    .bind(object)
    .execute(conn)
    .await?;
    Ok(())
}

/// Since when the object has been waiting to be removed that waits longest.
pub(crate) fn unwanted_since() -> String {
    "SELECT min(remove_at) FROM attachment_object WHERE remove_at <= now()".to_owned()
}
