//! Statements about public replies.

use fault::Fault;
use jiff_sqlx::ToSqlx as _;
use pg::Binds;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::reply_draft::{Filter, ReplyDraft, State};

#[derive(sqlx::FromRow)]
struct Row {
    post_id: Uuid,
    source_id: String,
    language: String,
    text: String,
    state: i16,
    drafter: String,
    approver: String,
    approved_at: Option<jiff_sqlx::Timestamp>,
    reply_uri: String,
    sender: String,
    sent_at: Option<jiff_sqlx::Timestamp>,
    version: i64,
    updated_at: jiff_sqlx::Timestamp,
}

impl TryFrom<Row> for ReplyDraft {
    type Error = Fault;

    fn try_from(row: Row) -> Result<Self, Fault> {
        let time = |time: Option<jiff_sqlx::Timestamp>| time.map(jiff_sqlx::Timestamp::to_jiff);
        let unknown = || Fault::internal("a reply in a state that is not known");
        Ok(Self {
            post: row.post_id,
            source: row.source_id,
            language: row.language,
            text: row.text,
            state: State::of(row.state).ok_or_else(unknown)?,
            drafter: row.drafter,
            approver: row.approver,
            approved: time(row.approved_at),
            reply_uri: row.reply_uri,
            sender: row.sender,
            sent: time(row.sent_at),
            version: row.version,
            updated: row.updated_at.to_jiff(),
        })
    }
}

/// Reads replies: what follows the tenant's condition is given.
macro_rules! select_replies {
    ($rest:literal) => {
        concat!(
            "SELECT post_id, source_id, language, text, state, drafter, approver, approved_at, reply_uri, sender,
                    sent_at, version, updated_at
             FROM reply_draft WHERE tenant_id = current_setting('redress.tenant') ",
            $rest
        )
    };
}

/// The reply to a post, and keeps others from changing it.
pub(crate) async fn lock(conn: &mut PgConnection, post: Uuid) -> Result<Option<ReplyDraft>, Fault> {
    let sql = select_replies!("AND post_id = $1 FOR UPDATE");
    let row: Option<Row> = sqlx::query_as(sql).bind(post).fetch_optional(conn).await?;
    row.map(ReplyDraft::try_from).transpose()
}

/// Replies to posts before an id, newest first.
pub(crate) async fn list(
    conn: &mut PgConnection,
    filter: &Filter,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<ReplyDraft>, Fault> {
    let sql = select_replies!(
        "AND post_id < $1 AND ($2::smallint IS NULL OR state = $2) AND ($3::text IS NULL OR source_id = $3)
         ORDER BY post_id DESC LIMIT $4"
    );
    let rows: Vec<Row> = sqlx::query_as(sql)
        .bind(before.unwrap_or(Uuid::max()))
        .bind(filter.state.map(State::number))
        .bind(&filter.source)
        .bind(limit)
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(ReplyDraft::try_from).collect()
}

/// Writes a reply, new or changed.
pub(crate) async fn save(conn: &mut PgConnection, reply: &ReplyDraft) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .row(reply)
        .column("post_id", |reply| reply.post)
        .column("source_id", |reply| reply.source.as_str())
        .column("language", |reply| reply.language.as_str())
        .column("text", |reply| reply.text.as_str())
        .column("state", |reply| reply.state.number())
        .column("drafter", |reply| reply.drafter.as_str())
        .column("approver", |reply| reply.approver.as_str())
        .column("approved_at", |reply| reply.approved.map(jiff_sqlx::ToSqlx::to_sqlx))
        .column("reply_uri", |reply| reply.reply_uri.as_str())
        .column("sender", |reply| reply.sender.as_str())
        .column("sent_at", |reply| reply.sent.map(jiff_sqlx::ToSqlx::to_sqlx))
        .column("version", |reply| reply.version)
        .column("updated_at", |reply| reply.updated.to_sqlx())
        .done();
    let statement = format!(
        "{insert} ON CONFLICT ON CONSTRAINT reply_draft_pkey DO UPDATE SET {changed}",
        insert = rows.insert_into("reply_draft"),
        // Whose reply it is stays.
        changed = rows.overwrite(&["post_id", "source_id"]),
    );
    binds.execute(&statement, conn).await?;
    Ok(())
}
