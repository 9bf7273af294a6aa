//! Tells of versions of calendars that were there before others were told of them: once,
//! tenant by tenant, in whatever process comes first.

use std::time::Duration;

use fault::Fault;
use kernel::TenantId;
use pg::Db;
use server::Stop;

use crate::store::calendars;
use crate::wire;

/// Tenants looked at at once.
const TENANTS: i64 = 200;
/// How long it waits after a failure.
const AGAIN: Duration = Duration::from_secs(5);

/// Tells until all is told, or told to stop.
pub(crate) async fn run(db: Db, stop: Stop) {
    while !stop.is_cancelled() {
        match round(&db, &stop).await {
            Ok(true) => break,
            Ok(false) => {}
            Err(fault) => {
                tracing::warn!(fault.chain = fault.chain(), "calendars cannot be told of; trying again");
                if stop.run_until_cancelled(tokio::time::sleep(AGAIN)).await.is_none() {
                    return;
                }
            }
        }
    }
    stop.cancelled().await;
}

/// Tells of some tenants' calendars; answers whether none are left.
async fn round(db: &Db, stop: &Stop) -> Result<bool, Fault> {
    let tenants = db
        .transact_as_worker("calendars.untold", async |mut tx| {
            let tenants = calendars::untold_tenants(&mut tx, TENANTS).await?;
            Ok((tx, tenants))
        })
        .await?;
    for tenant in &tenants {
        if stop.is_cancelled() {
            return Ok(false);
        }
        tell(db, tenant).await?;
    }
    Ok(tenants.is_empty())
}

async fn tell(db: &Db, tenant: &TenantId) -> Result<(), Fault> {
    db.transact("calendars.tell", tenant, async |mut tx| {
        calendars::seize(&mut tx).await?;
        for (id, edition) in calendars::take_untold(&mut tx).await? {
            tx.emit(id, &wire::calendars::changed(&edition)?);
        }
        Ok((tx, ()))
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use kernel::{RandomIds, SystemClock};
    use testkit::Database;

    use super::*;
    use crate::calendars::Edition;

    #[tokio::test]
    async fn what_was_there_before_it_was_told_is_told_once_in_the_version_in_force() -> anyhow::Result<()> {
        let lists = [&pg::MIGRATIONS, &events::MIGRATIONS, &timers::MIGRATIONS, &crate::MIGRATIONS];
        let migrate = async |url: String| pg::migrate(&url, "cases", &lists).await;
        let database = Database::copy_of("untold calendars", migrate).await?;
        let db = Db::open(database.url(), 2, "cases", Arc::new(SystemClock), Arc::new(RandomIds))?;
        let tenant = TenantId::development();
        db.transact("test.calendars", &tenant, async |mut tx| {
            let mut before = None;
            for _ in 0..2 {
                let draft = calendar::builtin::draft("uk").unwrap_or_default();
                let edition = Edition::after(before.as_ref(), "uk", draft, tx.now());
                let id = tx.new_id();
                calendars::insert(&mut tx, &edition, id, "ann").await?;
                before = Some(edition);
            }
            let untold =
                "UPDATE calendars SET told = false WHERE tenant_id = current_setting('redress.tenant')";
            sqlx::query(untold).execute(&mut *tx).await?;
            Ok((tx, ()))
        })
        .await?;
        let told = async || {
            db.transact("test.told", &tenant, async |mut tx| {
                let told: i64 = sqlx::query_scalar(
                    "SELECT count(*) FROM outbox WHERE tenant_id = current_setting('redress.tenant')
                     AND type = 'redress.cases.v1.CalendarChanged'",
                )
                .fetch_one(&mut *tx)
                .await?;
                Ok((tx, told))
            })
            .await
        };
        let stop = Stop::new();
        assert!(!round(&db, &stop).await?, "there was something");
        assert_eq!(told().await?, 1, "the version in force, and not the one before");
        assert!(round(&db, &stop).await?);
        assert_eq!(told().await?, 1);
        db.pool().close().await;
        database.drop().await
    }
}
