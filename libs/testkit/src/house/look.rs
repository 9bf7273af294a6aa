//! Looks into a house's database, past row-level security.

use prost::{Message, Name};
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

/// A whole feed: from its beginning to its end, however long.
const WHOLE: &str = "0, 9223372036854775807, 9223372036854775807, 0::smallint, '', '{}', '{}'";

/// An event of a hosted service.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Published {
    /// Its place in the feed.
    pub position: i64,
    /// Whose data it is.
    pub tenant_id: String,
    /// The case it is about.
    pub subject: Uuid,
    /// Full protobuf name of the payload.
    #[sqlx(rename = "type")]
    pub type_name: String,
    /// The trace it belongs to; empty when untraced.
    pub traceparent: String,
    /// The payload, protobuf-encoded.
    pub payload: Vec<u8>,
}

impl Published {
    /// The payload.
    pub fn read<M: Message + Name + Default>(&self) -> M {
        assert_eq!(self.type_name, M::full_name());
        M::decode(self.payload.as_slice()).expect("a payload of its type")
    }
}

/// An event a hosted service could not apply.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Parked {
    /// Whose data it is.
    pub tenant_id: String,
    /// The service that told it.
    pub source: String,
    /// Its place in that feed.
    pub position: i64,
    /// The case it is about.
    pub subject: Uuid,
    /// Full protobuf name of the payload.
    #[sqlx(rename = "type")]
    pub type_name: String,
    /// Why; empty for one that only waits behind another.
    pub error: String,
}

pub(super) async fn head(conn: &mut PgConnection, service: &str) -> i64 {
    let sql = format!("SELECT coalesce(max(position), 0) FROM {service}.feed_page({WHOLE})");
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(conn).await.expect("the feed can be read")
}

pub(super) async fn published(conn: &mut PgConnection, service: &str) -> Vec<Published> {
    let sql = format!(
        "SELECT position, tenant_id, subject, type, traceparent, payload
         FROM {service}.feed_page({WHOLE}) ORDER BY position"
    );
    sqlx::query_as(AssertSqlSafe(sql)).fetch_all(conn).await.expect("the feed can be read")
}

/// Whether events are set aside that are tried again by themselves, or a tenant is read
/// apart and may be behind the others.
pub(super) async fn retries(conn: &mut PgConnection, service: &str) -> bool {
    let sql = format!(
        "SELECT EXISTS (SELECT FROM {service}.parked_event WHERE retry_at IS NOT NULL)
             OR EXISTS (SELECT FROM {service}.feed_cursor WHERE apart <> '')"
    );
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(conn).await.expect("parked events can be read")
}

pub(super) async fn parked(conn: &mut PgConnection, service: &str) -> Vec<Parked> {
    let sql = format!(
        "SELECT tenant_id, source, position, subject, type, error
         FROM {service}.parked_event ORDER BY source, position"
    );
    sqlx::query_as(AssertSqlSafe(sql)).fetch_all(conn).await.expect("parked events can be read")
}
