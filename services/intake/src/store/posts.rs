//! Statements about posts that were delivered.

use fault::Fault;
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx as _;
use kernel::CaseId;
use pg::{Binds, Tx};
use posts::Content;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;
use work_queue::Table;

use crate::post::{Filter, Post, SetAside, State};

#[derive(sqlx::FromRow)]
struct Row {
    post_id: Uuid,
    source_id: String,
    mapping: i64,
    item: String,
    content: Json<Content>,
    received_at: jiff_sqlx::Timestamp,
    state: i16,
    set_aside: Option<i16>,
    complaint_id: Option<Uuid>,
    matter_id: Option<Uuid>,
    rule: String,
    remarks: Vec<String>,
    by_hand: bool,
    registrar: String,
    attempts: i32,
}

impl TryFrom<Row> for Post {
    type Error = Fault;

    fn try_from(row: Row) -> Result<Self, Fault> {
        let unknown = || Fault::internal("a post in a state that is not known");
        Ok(Self {
            id: row.post_id,
            source: row.source_id,
            mapping: row.mapping,
            item: row.item,
            content: row.content.0,
            received: row.received_at.to_jiff(),
            state: State::of(row.state).ok_or_else(unknown)?,
            set_aside: row.set_aside.map(|why| SetAside::of(why).ok_or_else(unknown)).transpose()?,
            complaint: row.complaint_id.map(CaseId),
            matter: row.matter_id,
            rule: row.rule,
            remarks: row.remarks,
            by_hand: row.by_hand,
            registrar: row.registrar,
            attempts: row.attempts,
        })
    }
}

/// Reads posts: what follows the tenant's condition is given.
macro_rules! select_posts {
    ($rest:literal) => {
        concat!(
            "SELECT post_id, source_id, mapping, item, content, received_at, state, set_aside, complaint_id,
                    matter_id, rule, remarks, by_hand, registrar, attempts
             FROM webhook_post WHERE tenant_id = current_setting('redress.tenant') ",
            $rest
        )
    };
}

/// Writes a post that was split off a delivery; one that waits is looked at from now on.
pub(crate) async fn insert(conn: &mut PgConnection, post: &Post, now: Timestamp) -> Result<(), Fault> {
    let next = (post.state == State::Waiting).then(|| now.to_sqlx());
    let mut binds = Binds::default();
    let rows = binds
        .row(post)
        .column("post_id", |post| post.id)
        .column("source_id", |post| post.source.as_str())
        .column("mapping", |post| post.mapping)
        .column("item", |post| post.item.as_str())
        .column("content", |post| Json(&post.content))
        .column("external_id", |post| post.content.external_id.as_str())
        .column("account", |post| post.content.account())
        .column("received_at", |post| post.received.to_sqlx())
        .column("state", |post| post.state.number())
        .column("set_aside", |post| post.set_aside.map(SetAside::number))
        .list("remarks", |post| &post.remarks)
        .column("next_at", |_| next)
        .done();
    let statement = rows.insert_into("webhook_post");
    binds.execute(&statement, conn).await?;
    Ok(())
}

/// A post.
pub(crate) async fn get(conn: &mut PgConnection, id: Uuid) -> Result<Option<Post>, Fault> {
    let row: Option<Row> =
        sqlx::query_as(select_posts!("AND post_id = $1")).bind(id).fetch_optional(conn).await?;
    row.map(Post::try_from).transpose()
}

/// These posts.
pub(crate) async fn find(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Post>, Fault> {
    let rows: Vec<Row> =
        sqlx::query_as(select_posts!("AND post_id = ANY ($1)")).bind(ids).fetch_all(conn).await?;
    rows.into_iter().map(Post::try_from).collect()
}

/// A post, and keeps others from changing it.
pub(crate) async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<Option<Post>, Fault> {
    let sql = select_posts!("AND post_id = $1 FOR UPDATE");
    let row: Option<Row> = sqlx::query_as(sql).bind(id).fetch_optional(conn).await?;
    row.map(Post::try_from).transpose()
}

/// Posts before an id, newest first.
pub(crate) async fn list(
    conn: &mut PgConnection,
    filter: &Filter,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Post>, Fault> {
    let sql = select_posts!(
        "AND post_id < $1 AND ($2::text IS NULL OR source_id = $2)
         AND ($3::smallint IS NULL OR state = $3)
         AND ($4::uuid IS NULL OR complaint_id = $4 OR matter_id IN (
                 SELECT matter_id FROM webhook_matter
                 WHERE tenant_id = current_setting('redress.tenant') AND complaint_id = $4))
         AND ($5::uuid IS NULL OR matter_id IN (
                 SELECT matter_id FROM webhook_post
                 WHERE tenant_id = current_setting('redress.tenant') AND post_id = $5))
         ORDER BY post_id DESC LIMIT $6"
    );
    let rows: Vec<Row> = sqlx::query_as(sql)
        .bind(before.unwrap_or(Uuid::max()))
        .bind(&filter.source)
        .bind(filter.state.map(State::number))
        .bind(filter.complaint.map(|id| id.0))
        .bind(filter.head)
        .bind(limit)
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(Post::try_from).collect()
}

/// The latest posts of a source that could be read, newest first.
pub(crate) async fn latest(conn: &mut PgConnection, source: &str, most: i64) -> Result<Vec<Post>, Fault> {
    let sql = select_posts!("AND source_id = $1 AND item <> '' ORDER BY post_id DESC LIMIT $2");
    let rows: Vec<Row> = sqlx::query_as(sql).bind(source).bind(most).fetch_all(conn).await?;
    rows.into_iter().map(Post::try_from).collect()
}

/// Posts that wait to be looked at.
pub(crate) fn waiting() -> Table {
    let open = pg::sql!("w.state = {waiting}", waiting = State::Waiting).0;
    Table { then: Some("post_id"), ..Table::new("webhook_post", "post_id", open) }
}

/// Notes what became of a post, or that it is to be looked at at a moment.
pub(crate) async fn save(conn: &mut PgConnection, post: &Post, next: Option<Timestamp>) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .row(post)
        .column("post_id", |post| post.id)
        .column("state", |post| post.state.number())
        .column("set_aside", |post| post.set_aside.map(SetAside::number))
        .column("complaint_id", |post| post.complaint.map(|id| id.0))
        .column("matter_id", |post| post.matter)
        .column("rule", |post| post.rule.as_str())
        .list("remarks", |post| &post.remarks)
        .column("by_hand", |post| post.by_hand)
        .column("registrar", |post| post.registrar.as_str())
        .column("attempts", |post| post.attempts)
        .column("next_at", |_| next.map(jiff_sqlx::ToSqlx::to_sqlx))
        .column("mapping", |post| post.mapping)
        .column("content", |post| Json(&post.content))
        .column("external_id", |post| post.content.external_id.as_str())
        .column("account", |post| post.content.account())
        .done();
    let statement = rows.update("webhook_post", &["post_id"]);
    binds.execute(&statement, conn).await?;
    Ok(())
}

/// Whether the post that one answers waits to be looked at, and came before it.
pub(crate) async fn parent_waits(conn: &mut PgConnection, post: &Post) -> Result<bool, Fault> {
    let waits = sqlx::query_scalar(pg::sql!(
        "SELECT EXISTS (SELECT FROM webhook_post
                        WHERE tenant_id = current_setting('redress.tenant') AND source_id = $1
                          AND external_id = $2 AND post_id < $3 AND state = {waiting})",
        waiting = State::Waiting,
    ));
    let waits = waits.bind(&post.source).bind(&post.content.parent_id).bind(post.id);
    Ok(waits.fetch_one(conn).await?)
}

/// How many posts of an account became complaints that came within a time before one.
pub(crate) async fn count_of_account(
    conn: &mut PgConnection,
    post: &Post,
    window: SignedDuration,
) -> Result<i64, Fault> {
    let count = sqlx::query_scalar(pg::sql!(
        "SELECT count(*) FROM webhook_post
         WHERE tenant_id = current_setting('redress.tenant') AND source_id = $1 AND account = $2
           AND received_at > $3 AND received_at <= $4 AND post_id <> $5
           AND (state = {registered} OR (state = {waiting} AND matter_id = post_id))",
        registered = State::Registered,
        waiting = State::Waiting,
    ));
    let count = count
        .bind(&post.source)
        .bind(post.content.account())
        .bind((post.received - window).to_sqlx())
        .bind(post.received.to_sqlx())
        .bind(post.id);
    Ok(count.fetch_one(conn).await?)
}

/// Forgets posts that became nothing, or were counted, and came before a moment; of all
/// tenants, at most so many.
pub(crate) fn forget(tx: &mut Tx, before: Timestamp, most: i64) -> BoxFuture<'_, Result<bool, Fault>> {
    Box::pin(async move {
        let over = pg::sql!(
            "w.state IN ({mention}, {set_aside})",
            mention = State::Mention,
            set_aside = State::SetAside
        );
        waiting().forget(tx, (&over.0, "received_at"), before, most).await
    })
}

/// Since when the post waits that waits longest, or the delivery that is not split yet.
pub(crate) fn waiting_since() -> String {
    pg::sql!(
        "SELECT min(received_at) FROM (
             SELECT received_at FROM webhook_post WHERE state = {waiting}
             UNION ALL SELECT received_at FROM webhook_delivery WHERE next_at IS NOT NULL) AS waiting",
        waiting = State::Waiting
    )
    .0
}
