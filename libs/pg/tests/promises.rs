//! What a transaction promises, over a real Postgres.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use fault::Fault;
use kernel::{Caller, RandomIds, Roles, SystemClock, TenantId};
use pg::{Db, Done, MutationContext};
use proto::redress::cases::v1::{AddNoteRequest, AddNoteResponse, CaseWithdrawn};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{Connection as _, Executor as _, PgConnection, SqlSafeStr as _};
use testkit::Database;
use uuid::Uuid;

async fn open() -> (Database, Db) {
    let migrate = async |url: String| pg::migrate(&url, "alpha", &[&pg::MIGRATIONS]).await;
    let database = Database::copy_of("promises", migrate).await.unwrap();
    let db = Db::open(database.url(), 4, "alpha", Arc::new(SystemClock), Arc::new(RandomIds)).unwrap();
    (database, db)
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_refused_for_good_while_the_answer_cannot_be_looked_up() {
    let (database, db) = open().await;
    let caller =
        Caller { tenant: TenantId::development(), subject: "tester".into(), roles: Roles::default() };
    let request = AddNoteRequest { request_id: "key".to_owned(), ..AddNoteRequest::default() };
    let stale = async |away: bool| -> Result<Done<AddNoteResponse>, Fault> {
        let pool = db.pool().clone();
        let body = async move |_tx, _caller| {
            if away {
                // Goes on closing once this transaction has given its connection back.
                assert!(futures::poll!(Box::pin(pool.close())).is_pending());
            }
            Err(Fault::version_mismatch(7))
        };
        db.mutate(MutationContext::new(caller.clone(), &request), body).await
    };
    assert_eq!(stale(false).await.unwrap_err().reason(), "VERSION_MISMATCH");
    assert_eq!(stale(true).await.unwrap_err().reason(), "DATABASE_UNAVAILABLE");
    database.drop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_for_nobody_fails_its_transaction() {
    let (database, db) = open().await;
    let told = db.transact_shared("stray", async move |mut tx| {
        tx.emit(Uuid::from_u128(1), &CaseWithdrawn::default());
        // Too late: what was told before was told for nobody.
        tx.act_for(&TenantId::development()).await?;
        tx.emit(Uuid::from_u128(2), &CaseWithdrawn::default());
        Ok((tx, ()))
    });
    let fault = told.await.unwrap_err();
    assert!(fault.chain().ends_with("an event without a tenant"), "{}", fault.chain());
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM alpha.outbox")
        .fetch_one(&mut database.connect().await.unwrap())
        .await
        .unwrap();
    assert_eq!(rows, 0);
    db.pool().close().await;
    database.drop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn turns_are_taken_at_one_name_of_one_tenant() {
    let (database, db) = open().await;
    let (one, other) = (TenantId::development(), TenantId::parse("other").unwrap());
    // Whether a turn is had at once, beside one that is under way.
    let waits = async |tenant: &TenantId, name: &'static str, is_shared: bool| {
        let asked = db.transact("asks", tenant, async move |mut tx| {
            sqlx::query("SET LOCAL lock_timeout = '300ms'").execute(&mut *tx).await?;
            if is_shared {
                pg::share(&mut tx, name).await?;
            } else {
                pg::hold(&mut tx, name).await?;
            }
            Ok((tx, ()))
        });
        asked.await.is_err()
    };
    let held = db.transact("holds", &one, async |mut tx| {
        pg::hold(&mut tx, "a").await?;
        Ok((tx, [waits(&one, "a", false).await, waits(&one, "a", true).await, waits(&one, "b", false).await]))
    });
    assert_eq!(held.await.unwrap(), [true, true, false]);
    let shared = db.transact("shares", &one, async |mut tx| {
        pg::share(&mut tx, "a").await?;
        Ok((
            tx,
            [waits(&one, "a", false).await, waits(&one, "a", true).await, waits(&other, "a", false).await],
        ))
    });
    assert_eq!(shared.await.unwrap(), [true, false, false]);
    assert!(!waits(&one, "a", false).await, "they end with their transaction");
    db.pool().close().await;
    database.drop().await.unwrap();
}

/// How long Postgres lets a migration of the test wait before it looks whether two wait for each
/// other; what has to happen meanwhile is quick.
const BEFORE_A_LOOK: &str = "3s";

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_a_transaction_stands_in_the_way_of_is_begun_again() {
    let (database, db) = open().await;
    drop(db);
    let mut other = PgConnection::connect(database.url()).await.unwrap();
    let prepared = format!(
        "DO $$ BEGIN
             EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = %L', current_database(), '{BEFORE_A_LOOK}');
         END $$;
         CREATE TABLE alpha.first ();
         CREATE TABLE alpha.second ();"
    );
    other.execute(sqlx::raw_sql(pg::AssertSqlSafe(prepared))).await.unwrap();
    // Whoever looks first is ended: that is not to be this one.
    other.execute("SET deadlock_timeout = '10min'").await.unwrap();
    other.execute("BEGIN; LOCK TABLE alpha.second").await.unwrap();

    let url = database.url().to_owned();
    let migrating = tokio::spawn(async move {
        let sql = "LOCK TABLE first; LOCK TABLE second; CREATE TABLE third ()".into_sql_str();
        let migration = Migration::new(i64::MAX, Cow::Borrowed("third"), MigrationType::Simple, sql, false);
        let migrator = Migrator { migrations: Cow::Owned(vec![migration]), ..Migrator::DEFAULT };
        pg::migrate(&url, "alpha", &[&migrator]).await
    });
    let waits =
        "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'alpha.second'::regclass)";
    while !sqlx::query_scalar::<_, bool>(waits).fetch_one(&mut other).await.unwrap() {
        assert!(!migrating.is_finished(), "the migration waits for the second table");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The migration holds this one: only its end lets anybody else have it.
    other.execute("LOCK TABLE alpha.first").await.unwrap();
    let made = "SELECT to_regclass('alpha.third') IS NOT NULL";
    assert!(!sqlx::query_scalar::<_, bool>(made).fetch_one(&mut other).await.unwrap());
    other.execute("COMMIT").await.unwrap();
    migrating.await.unwrap().unwrap();
    assert!(sqlx::query_scalar::<_, bool>(made).fetch_one(&mut other).await.unwrap());
    other.close().await.unwrap();
    database.drop().await.unwrap();
}
