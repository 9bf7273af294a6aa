//! `WatchCase`: a case as it is now and after each change.

use std::time::Duration;

use fault::Fault;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use kernel::{CaseId, TenantId};
use pg::Db;
use proto::redress::cases::v1::WatchCaseResponse;
use tonic::Status;

use crate::case::Case;
use crate::refusal::Refusal;
use crate::{record, store, wire};

/// The bell rings for every case of the schema: a watcher looks no more often.
const REST: Duration = Duration::from_millis(50);
/// And no less often, should a ring be lost.
const POLL: Duration = Duration::from_secs(1);

/// The stream of `WatchCase`.
pub(super) type Changes = BoxStream<'static, Result<WatchCaseResponse, Status>>;

/// Streams a case until work on it has ended. The end of the process ends it as
/// any stream.
pub(crate) async fn changes(db: Db, tenant: TenantId, id: CaseId) -> Result<Changes, Fault> {
    // Listens before it looks: no change falls in between.
    let mut ear = db.bell().listen(record::TOPIC);
    let mut seen = newer(&db, &tenant, id, 0).await?.ok_or(Refusal::CaseNotFound)?;
    let stream = async_stream::try_stream! {
        loop {
            yield WatchCaseResponse { case: Some(wire::case(&seen)) };
            if seen.state.is_over() {
                return;
            }
            seen = loop {
                tokio::time::sleep(REST).await;
                ear.heard_within(POLL).await;
                if let Some(changed) = newer(&db, &tenant, id, seen.version).await? {
                    break changed;
                }
            };
        }
    };
    Ok(stream.boxed())
}

async fn newer(db: &Db, tenant: &TenantId, id: CaseId, version: i64) -> Result<Option<Case>, Fault> {
    db.transact("case.watch", tenant, async move |mut tx| {
        let case = store::get_newer(&mut tx, id, version).await?;
        Ok((tx, case))
    })
    .await
}
