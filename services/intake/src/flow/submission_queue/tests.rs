//! What the writer does about a submission that spoils its batch, and about those that
//! another replica's writer takes in at the same moment.

use std::sync::Arc;

use fault::Kind;
use futures::FutureExt as _;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use jiff::Timestamp;
use kernel::{CaseId, RandomIds, SystemClock};
use prost::Message as _;
use proto::redress::intake::v1::{Complaint, ComplaintRegistered};
use testkit::Database;
use uuid::Uuid;

use super::*;

/// A moment before all that Postgres knows.
const BAD: Timestamp = Timestamp::MIN;

fn new_complaint(number: u8, received: Timestamp) -> NewComplaint {
    NewComplaint {
        tenant: TenantId::development(),
        id: CaseId(Uuid::from_u128(number.into())),
        request_id: format!("key-{number}"),
        request_hash: [number; 32],
        channel: 1,
        external_ref: None,
        content: None,
        customer_id: None,
        receipt_hash: [number; 32],
        registered: received,
        received,
        event: registration(received),
        traceparent: String::new(),
        lane: Lane::Live,
        attachments: Vec::new(),
    }
}

/// A registration that says nothing.
fn registration(received: Timestamp) -> Vec<u8> {
    let time = proto::timestamp(received);
    let complaint = Complaint { receive_time: Some(time), ..Complaint::default() };
    ComplaintRegistered { complaint: Some(complaint), ..ComplaintRegistered::default() }.encode_to_vec()
}

async fn intake() -> anyhow::Result<(Database, Db)> {
    let migrate =
        async |url: String| pg::migrate(&url, "intake", &[&pg::MIGRATIONS, &crate::MIGRATIONS]).await;
    let database = Database::copy_of("submission queue", migrate).await?;
    let db = Db::open(database.url(), 4, "intake", Arc::new(SystemClock), Arc::new(RandomIds))?;
    Ok((database, db))
}

#[tokio::test]
async fn what_cannot_be_stored_is_the_fault_of_one_submission() -> anyhow::Result<()> {
    let (database, db) = intake().await?;
    let (queue, writer) = SubmissionQueue::new(db.clone(), None);
    let now = db.clock().now();
    let pending = futures::future::join3(
        queue.register(new_complaint(1, now)),
        queue.register(new_complaint(2, BAD)),
        queue.register(new_complaint(3, now)),
    );
    let stop = Stop::new();
    let running = tokio::spawn(writer.run(stop.clone()));
    let (first, bad, third) = pending.await;
    assert!(first.is_ok() && third.is_ok(), "{first:?} {third:?}");
    assert_eq!(bad.err().map(|fault| fault.kind()), Some(Kind::Internal));
    assert!(queue.register(new_complaint(4, now)).await.is_ok(), "the writer goes on");
    stop.cancel();
    running.await?;
    db.pool().close().await;
    database.drop().await
}

#[tokio::test]
async fn what_a_person_submits_goes_before_the_rows_of_streams_that_wait() -> anyhow::Result<()> {
    const ROWS: usize = 3 * MAX_BATCH;
    let (database, db) = intake().await?;
    let (queue, writer) = SubmissionQueue::new(db.clone(), None);
    let now = db.clock().now();
    let one = |place: usize, lane: Lane| {
        let id = CaseId(Uuid::from_u128(place as u128 + 1));
        NewComplaint { id, request_id: format!("key-{place}"), lane, ..new_complaint(1, now) }
    };
    let register = async |place: usize, lane: Lane| {
        let registered = queue.register(one(place, lane)).await;
        registered.map(|registered| registered.lane).map_err(|fault| fault.chain())
    };
    let mut under_way: FuturesUnordered<_> =
        (0..ROWS).map(|place| register(place, Lane::Bulk).boxed_local()).collect();
    under_way.push(register(ROWS, Lane::Live).boxed_local());
    assert!(futures::poll!(under_way.next()).is_pending(), "they all wait");
    let stop = Stop::new();
    let running = tokio::spawn(writer.run(stop.clone()));
    let mut order = Vec::new();
    while let Some(lane) = under_way.next().await {
        order.push(lane.map_err(anyhow::Error::msg)?);
    }
    assert_eq!(order.len(), ROWS + 1);
    let live = order.iter().position(|lane| *lane == Lane::Live);
    assert!(live.is_some_and(|place| place <= MAX_BATCH), "answered as number {live:?}");
    stop.cancel();
    running.await?;
    db.pool().close().await;
    database.drop().await
}

#[tokio::test]
async fn rows_of_streams_have_their_share_however_many_others_wait() {
    let (live, live_waiting) = mpsc::channel(MAX_WAITING);
    let (bulk, bulk_waiting) = mpsc::channel(MAX_WAITING);
    let mut waiting = Waiting { live: live_waiting, bulk: bulk_waiting };
    for (lane, sender) in [(Lane::Live, &live), (Lane::Bulk, &bulk)] {
        for _ in 0..1_000 {
            let complaint = NewComplaint { lane, ..new_complaint(1, Timestamp::UNIX_EPOCH) };
            let sent = sender.try_send(PendingSubmission { complaint, verdict: oneshot::channel().0 });
            assert!(sent.is_ok());
        }
    }
    let mut batches = 0;
    while let Some(batch) = Some(waiting.take().await).filter(|batch| !batch.is_empty()) {
        batches += 1;
        let of_bulk = batch.iter().filter(|pending| pending.complaint.lane == Lane::Bulk).count();
        assert!(
            batch.len() <= MAX_BATCH && of_bulk * BULK_SHARE >= batch.len(),
            "{of_bulk} of {}",
            batch.len()
        );
        if batches == 1 {
            assert_eq!(of_bulk * BULK_SHARE, MAX_BATCH, "the others go first");
        }
        if waiting.live.is_empty() && waiting.bulk.is_empty() {
            waiting.close();
        }
    }
    assert!(live.is_closed() && bulk.is_closed());
}

#[tokio::test]
async fn a_submission_at_two_replicas_at_once_is_one_complaint() -> anyhow::Result<()> {
    let (database, db) = intake().await?;
    let now = db.clock().now();
    let stop = Stop::new();
    let replicas = [1, 101].map(|first: u8| {
        let (queue, writer) = SubmissionQueue::new(db.clone(), None);
        tokio::spawn(writer.run(stop.clone()));
        // Both bear the same keys, as a repeated request does, and ids of their own.
        let complaints = (0..99).map(move |place| NewComplaint {
            id: new_complaint(first + place, now).id,
            ..new_complaint(place, now)
        });
        async move { futures::future::join_all(complaints.map(|one| queue.register(one))).await }
    });
    let [here, there] = <[_; 2]>::try_from(futures::future::join_all(replicas).await).unwrap_or_default();
    assert_eq!((here.len(), there.len()), (99, 99));
    for (here, there) in here.into_iter().zip(there) {
        let (here, there) = (here.map_err(|fault| fault.chain()), there.map_err(|fault| fault.chain()));
        assert!(here.is_ok());
        assert_eq!(here, there);
    }
    stop.cancel();
    db.pool().close().await;
    database.drop().await
}

#[tokio::test]
async fn one_number_at_two_replicas_at_once_is_whose_content_was_first() -> anyhow::Result<()> {
    let (database, db) = intake().await?;
    let now = db.clock().now();
    let stop = Stop::new();
    let replicas = [1, 101].map(|first: u8| {
        let (queue, writer) = SubmissionQueue::new(db.clone(), None);
        tokio::spawn(writer.run(stop.clone()));
        // A number both have, contents of their own; their neighbours have neither.
        let complaints = (0..50).map(move |place| {
            let (external_ref, content) = match place % 2 {
                0 => (Some(format!("n-{place}")), Some([first + place; 32])),
                _ => (None, None),
            };
            NewComplaint { external_ref, content, ..new_complaint(first + place, now) }
        });
        async move { futures::future::join_all(complaints.map(|one| queue.register(one))).await }
    });
    let [here, there] = <[_; 2]>::try_from(futures::future::join_all(replicas).await).unwrap_or_default();
    for (place, (here, there)) in here.iter().zip(&there).enumerate() {
        let reused =
            [here, there].map(|one| one.as_ref().err().map(Fault::reason) == Some("EXTERNAL_REF_REUSED"));
        let expected = usize::from(place % 2 == 0);
        assert_eq!(reused.iter().filter(|one| **one).count(), expected, "{here:?} {there:?}");
        assert_eq!([here, there].iter().filter(|one| one.is_ok()).count(), 2 - expected);
    }
    stop.cancel();
    db.pool().close().await;
    database.drop().await
}
