//! What a transaction promises, over a real Postgres.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::sync::Arc;

use fault::Fault;
use kernel::{Caller, RandomIds, Roles, SystemClock, TenantId};
use pg::{Db, Done, MutationContext};
use proto::redress::cases::v1::{AddNoteRequest, AddNoteResponse, CaseWithdrawn};
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
