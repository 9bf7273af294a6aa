//! Statements about the menus of telephone systems.

use fault::Fault;
use jiff::Timestamp;
use kernel::page::Page;
use pg::{Version, Versions};
use sqlx::PgConnection;

use crate::ivr_menu::{KeptMenu, MAX_VERSIONS, Menu};

/// The tables of menus.
const MENUS: Versions = Versions { table: "ivr_menu", state_table: "ivr_menu_state" };

fn kept(version: Version<Menu>) -> KeptMenu {
    KeptMenu {
        version: version.number,
        note: version.note,
        creator: version.creator,
        created: version.created_at,
        activated: version.activated_at,
        is_active: version.is_active,
        menu: version.data,
    }
}

/// Writes a tenant's next version; answers its number, or none where there are too many.
pub(crate) async fn create(
    conn: &mut PgConnection,
    menu: &Menu,
    note: &str,
    creator: &str,
    now: Timestamp,
) -> Result<Option<i64>, Fault> {
    MENUS.create(conn, menu, (note, creator), MAX_VERSIONS, now).await
}

/// The version in force; 0 while none is.
pub(crate) async fn active(conn: &mut PgConnection) -> Result<i64, Fault> {
    MENUS.active(conn).await
}

/// Reads a version.
pub(crate) async fn get(conn: &mut PgConnection, version: i64) -> Result<Option<KeptMenu>, Fault> {
    Ok(MENUS.get(conn, version).await?.map(kept))
}

/// Lists versions without their choices, newest first.
pub(crate) async fn list(conn: &mut PgConnection, page: &Page) -> Result<Vec<KeptMenu>, Fault> {
    let before = page.after.as_ref().map(|key| key.parse().map_err(|_| Fault::invalid_page_token()));
    let listed = MENUS.list(conn, before.transpose()?, page.limit()).await?;
    Ok(listed.into_iter().map(kept).collect())
}

/// Puts a version in force, or none with 0; answers the one before. None where there is no
/// such version.
pub(crate) async fn activate(
    conn: &mut PgConnection,
    version: i64,
    now: Timestamp,
) -> Result<Option<i64>, Fault> {
    MENUS.activate(conn, version, now).await
}
