//! Statements about what is added to complaints.

use fault::Fault;
use jiff_sqlx::ToSqlx as _;
use kernel::CaseId;
use pg::Binds;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::complaint::Addition;

#[derive(sqlx::FromRow)]
struct Row {
    ordinal: i32,
    source: i16,
    author: String,
    added_at: jiff_sqlx::Timestamp,
    text: String,
    form_data: Option<String>,
    evidence: Vec<u8>,
}

impl From<Row> for Addition {
    fn from(row: Row) -> Self {
        let Row { ordinal, source, author, added_at, text, form_data, evidence } = row;
        Self { ordinal, source, author, added: added_at.to_jiff(), text, form_data, evidence }
    }
}

/// What was added to a complaint, oldest first.
pub(crate) async fn list(conn: &mut PgConnection, id: CaseId) -> Result<Vec<Addition>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT ordinal, source, author, added_at, text, form_data, evidence FROM addition
         WHERE tenant_id = current_setting('redress.tenant') AND complaint_id = $1 ORDER BY ordinal",
    )
    .bind(id.0)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// What a key was used to add, wherever it was: the complaint, the place there, and
/// the hash of the request.
pub(crate) async fn by_key(
    conn: &mut PgConnection,
    request_id: &str,
) -> Result<Option<(Uuid, i32, Vec<u8>)>, Fault> {
    let found = sqlx::query_as(
        "SELECT complaint_id, ordinal, request_hash FROM addition
         WHERE tenant_id = current_setting('redress.tenant') AND request_id = $1",
    )
    .bind(request_id)
    .fetch_optional(conn)
    .await?;
    Ok(found)
}

/// Writes an addition to a complaint this transaction has locked, with the key of its
/// request and the hash of that.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    id: CaseId,
    addition: &Addition,
    (request_id, request_hash): (&str, [u8; 32]),
) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .row(addition)
        .column("complaint_id", |_| id.0)
        .column("ordinal", |addition| addition.ordinal)
        .column("source", |addition| addition.source)
        .column("author", |addition| addition.author.as_str())
        .column("added_at", |addition| addition.added.to_sqlx())
        .column("text", |addition| addition.text.as_str())
        .column("form_data", |addition| addition.form_data.as_deref())
        .column("request_id", |_| request_id)
        .column("request_hash", |_| request_hash.as_slice())
        .column("evidence", |addition| addition.evidence.as_slice())
        .done();
    binds.execute(&rows.insert_into("addition"), conn).await?;
    Ok(())
}
