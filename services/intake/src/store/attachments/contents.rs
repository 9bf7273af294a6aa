//! Where the contents of attachments lie: one function for each thing that is done with
//! them, and in it one arm for each store. A further store keeps the same chunks under the
//! same places; what is written twice is the same.

use fault::Fault;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::attachment::Store;

/// Keeps a chunk: before, or with, the note that it is kept.
pub(crate) async fn put(
    conn: &mut PgConnection,
    store: Store,
    id: Uuid,
    ordinal: i32,
    data: &[u8],
) -> Result<(), Fault> {
    match store {
        Store::Postgres => {
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
    }
}

/// Reads a part of a chunk; none where there is no such chunk any more. `from` and `length`
/// are within it.
pub(crate) async fn part(
    conn: &mut PgConnection,
    store: Store,
    (id, ordinal): (Uuid, i32),
    from: i32,
    length: i32,
) -> Result<Option<Vec<u8>>, Fault> {
    match store {
        Store::Postgres => {
            let data = sqlx::query_scalar(
                "SELECT substring(data FROM $3 + 1 FOR $4) FROM attachment_chunk
                 WHERE tenant_id = current_setting('redress.tenant') AND attachment_id = $1 AND ordinal = $2",
            )
            .bind(id)
            .bind(ordinal)
            .bind(from)
            .bind(length)
            .fetch_optional(conn)
            .await?;
            Ok(data)
        }
    }
}

/// Removes chunks of a content, at most so many; answers how many.
pub(super) async fn remove(conn: &mut PgConnection, store: Store, id: Uuid, most: i64) -> Result<i64, Fault> {
    match store {
        Store::Postgres => {
            let removed = sqlx::query(
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
            .await?;
            Ok(i64::try_from(removed.rows_affected()).unwrap_or(i64::MAX))
        }
    }
}
