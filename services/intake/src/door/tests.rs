//! What the writer does about a submission that spoils its batch.

use std::sync::Arc;

use fault::Kind;
use jiff::Timestamp;
use kernel::{CaseId, RandomIds, SystemClock};
use testkit::Database;
use uuid::Uuid;

use super::*;

/// A moment before all that Postgres knows.
const BAD: Timestamp = Timestamp::MIN;

fn filing(number: u8, received: Timestamp) -> Filing {
    Filing {
        tenant: TenantId::development(),
        id: CaseId(Uuid::from_u128(number.into())),
        request_id: format!("key-{number}"),
        request_hash: [number; 32],
        channel: 1,
        external_ref: None,
        customer_id: None,
        received,
        event: vec![number],
        traceparent: String::new(),
    }
}

#[tokio::test]
async fn what_cannot_be_stored_is_the_fault_of_one_submission() -> anyhow::Result<()> {
    let migrate =
        async |url: String| pg::migrate(&url, "intake", &[&pg::MIGRATIONS, &crate::MIGRATIONS]).await;
    let database = Database::copy_of("door", migrate).await?;
    let db = Db::open(database.url(), 2, "intake", Arc::new(SystemClock), Arc::new(RandomIds))?;
    let (door, writer) = Door::new(db.clone(), None);
    let now = db.clock().now();
    let knocks = futures::future::join3(
        door.register(filing(1, now)),
        door.register(filing(2, BAD)),
        door.register(filing(3, now)),
    );
    let stop = Stop::new();
    let running = tokio::spawn(writer.run(stop.clone()));
    let (first, bad, third) = knocks.await;
    assert!(first.is_ok() && third.is_ok(), "{first:?} {third:?}");
    assert_eq!(bad.err().map(|fault| fault.kind()), Some(Kind::Internal));
    assert!(door.register(filing(4, now)).await.is_ok(), "the writer goes on");
    stop.cancel();
    running.await?;
    db.pool().close().await;
    database.drop().await
}
