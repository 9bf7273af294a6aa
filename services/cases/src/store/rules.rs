//! Statements about rule sets.

use fault::Fault;
use jiff::Timestamp;
use kernel::page::Page;
use pg::{Version, Versions};
use sqlx::PgConnection;
use triage::definition::Definition;

use crate::triage_record::KeptSet;

/// The tables of rule sets.
const RULE_SETS: Versions = Versions { table: "triage_rule_set", state_table: "triage_state" };

fn kept(version: Version<Definition>) -> KeptSet {
    KeptSet {
        version: version.number,
        note: version.note,
        creator: version.creator,
        create_time: Some(version.created_at),
        activate_time: version.activated_at,
        active: version.is_active,
        definition: version.data,
    }
}

/// Writes a tenant's next version; answers its number.
pub(crate) async fn create(
    conn: &mut PgConnection,
    definition: &Definition,
    note: &str,
    creator: &str,
    now: Timestamp,
) -> Result<i64, Fault> {
    let created = RULE_SETS.create(conn, definition, (note, creator), i64::MAX, now).await?;
    created.ok_or_else(|| Fault::internal("a rule set was not created"))
}

/// The version cases are triaged by.
pub(crate) async fn active(conn: &mut PgConnection) -> Result<i64, Fault> {
    RULE_SETS.active(conn).await
}

/// Reads a version.
pub(crate) async fn get(conn: &mut PgConnection, version: i64) -> Result<Option<KeptSet>, Fault> {
    Ok(RULE_SETS.get(conn, version).await?.map(kept))
}

/// Lists versions without their data, newest first.
pub(crate) async fn list(conn: &mut PgConnection, page: &Page) -> Result<Vec<KeptSet>, Fault> {
    let before = page.after.as_ref().map(|key| key.parse().map_err(|_| Fault::invalid_page_token()));
    let listed = RULE_SETS.list(conn, before.transpose()?, page.limit()).await?;
    Ok(listed.into_iter().map(kept).collect())
}

/// Makes a version the active one; answers the one before. None when there is no such
/// version; 0 there always is.
pub(crate) async fn activate(
    conn: &mut PgConnection,
    version: i64,
    now: Timestamp,
) -> Result<Option<i64>, Fault> {
    RULE_SETS.activate(conn, version, now).await
}
