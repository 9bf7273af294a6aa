//! Contents beside the database: put before they are noted, read after they are looked up. No
//! transaction waits for the store: whatever it does, calls that need none of it go on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use fault::Fault;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use kernel::TenantId;
use objects::{Bucket, Failure};
use pg::{Db, Tx};
use server::Stop;
use uuid::Uuid;

use super::ordinal;
use crate::attachment::{Attachment, CHUNK, Store};
use crate::refusal::Refusal;
use crate::store::attachments::contents::{self as store, Part, Unwanted};

/// When one who found the store away may come back.
const RETRY: Duration = Duration::from_secs(2);
/// Chunks of one content that are put at once.
const AT_ONCE: usize = 4;
/// How often to look for objects to be removed.
const POLL: Duration = Duration::from_secs(1);
/// How often to look while the store is away.
const POLL_AWAY: Duration = Duration::from_secs(10);
/// Objects that are removed in one go.
const BATCH: usize = 100;
/// Objects of one tenant that are taken at a time: then it is another's turn, so that however many
/// one has, those of others do not wait for them.
const SHARE: i64 = 10;
/// For how long their removal is one replica's: longer than they take, should each take all of
/// its time, with as many at once.
const LEASE: Duration = Duration::from_mins(10);
/// Objects that are removed at once.
const REMOVED_AT_ONCE: usize = 8;

/// Where contents lie beside the database, and what is known of it.
pub(crate) struct Contents {
    db: Db,
    /// None where all of them lie in the database.
    bucket: Option<Bucket>,
    /// Whether the last call failed: told once, not for each.
    is_away: AtomicBool,
}

impl Contents {
    pub(crate) fn new(db: Db, bucket: Option<Bucket>) -> Self {
        Self { db, bucket, is_away: AtomicBool::new(false) }
    }

    /// Where new contents lie.
    pub(crate) fn store(&self) -> Store {
        if self.bucket.is_some() { Store::S3 } else { Store::Postgres }
    }

    /// Announces a chunk in a transaction, to be put after it.
    pub(crate) async fn announce(tx: &mut Tx, id: Uuid, offset: i64) -> Result<Uuid, Fault> {
        let (object, now) = (tx.new_id(), tx.now());
        store::announce(tx, id, &[(object, ordinal(offset))], now).await?;
        Ok(object)
    }

    /// Puts a chunk that was announced.
    pub(crate) async fn put(
        &self,
        tenant: &TenantId,
        (id, object): (Uuid, Uuid),
        data: Bytes,
    ) -> Result<(), Fault> {
        let put = self.bucket()?.put(self.now(), &key(tenant, id, object), data).await;
        self.told(put)
    }

    /// Announces a whole content and puts its chunks; answers their objects, in order.
    pub(crate) async fn put_all(
        &self,
        tenant: &TenantId,
        id: Uuid,
        content: &Bytes,
    ) -> Result<Vec<Uuid>, Fault> {
        let count = content.len().div_ceil(CHUNK);
        let announced = self.db.transact("attachment.announce", tenant, async move |mut tx| {
            let now = tx.now();
            let objects: Vec<(Uuid, i32)> =
                (0..count).map(|place| (tx.new_id(), i32::try_from(place).unwrap_or(i32::MAX))).collect();
            store::announce(&mut tx, id, &objects, now).await?;
            Ok((tx, objects))
        });
        let objects: Vec<Uuid> = announced.await?.into_iter().map(|(object, _)| object).collect();
        let chunks = objects.iter().enumerate().map(|(place, object)| {
            let from = place * CHUNK;
            let data = content.slice(from..content.len().min(from + CHUNK));
            Ok(self.put(tenant, (id, *object), data))
        });
        stream::iter(chunks.collect::<Vec<_>>()).try_buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        Ok(objects)
    }

    /// A part of a content, up to the end of a chunk: from a byte to the one before another.
    pub(crate) async fn part(
        &self,
        tenant: &TenantId,
        of: &Attachment,
        (from, to): (i64, i64),
    ) -> Result<Vec<u8>, Fault> {
        let gone = || Refusal::AttachmentNotFound.into();
        match self.find(tenant, of, (from, to)).await?.ok_or_else(gone)? {
            Part::Bytes(data) => Ok(data),
            Part::Object(object) => {
                let chunk = i64::try_from(CHUNK).unwrap_or(i64::MAX);
                let begin = (from % chunk).unsigned_abs();
                let range = begin..begin + (to - from).unsigned_abs();
                let read = self.bucket()?.get(self.now(), &key(tenant, of.id, object), range).await;
                // Refused or deleted since it was looked up; if not, somebody else removed it.
                if read == Err(Failure::Missing) && self.find(tenant, of, (from, to)).await?.is_none() {
                    return Err(gone());
                }
                Ok(self.told(read)?.to_vec())
            }
        }
    }

    /// The chunk of a content that begins at an offset.
    pub(crate) async fn chunk(
        &self,
        tenant: &TenantId,
        of: &Attachment,
        offset: i64,
    ) -> Result<Vec<u8>, Fault> {
        let end = offset.saturating_add(i64::try_from(CHUNK).unwrap_or(i64::MAX)).min(of.size);
        self.part(tenant, of, (offset, end)).await
    }

    async fn find(
        &self,
        tenant: &TenantId,
        of: &Attachment,
        (from, to): (i64, i64),
    ) -> Result<Option<Part>, Fault> {
        let (id, lies_in) = (of.id, of.store);
        let chunk = i64::try_from(CHUNK).unwrap_or(i64::MAX);
        let within = i32::try_from(from % chunk).unwrap_or(i32::MAX);
        let length = i32::try_from(to - from).unwrap_or(i32::MAX);
        self.db
            .transact("attachment.part", tenant, async move |mut tx| {
                let part = store::part(&mut tx, lies_in, (id, ordinal(from)), within, length).await?;
                Ok((tx, part))
            })
            .await
    }

    /// The bucket; a refusal where none is set any more, and something lies in one.
    fn bucket(&self) -> Result<&Bucket, Fault> {
        self.bucket.as_ref().ok_or_else(|| {
            let cause = "an attachment lies in a bucket, and REDRESS_ATTACHMENT_STORE names none";
            Fault::from(Refusal::StoreUnavailable).because(cause)
        })
    }

    fn now(&self) -> Timestamp {
        self.db.clock().now()
    }

    /// What a call came to, for who waits for it; the log is told when the store goes and comes.
    fn told<T>(&self, came: Result<T, Failure>) -> Result<T, Fault> {
        match came {
            Ok(answer) => {
                if self.is_away.swap(false, Ordering::Relaxed) {
                    tracing::info!("the store of attachments answers again");
                }
                Ok(answer)
            }
            Err(failure) => {
                if !self.is_away.swap(true, Ordering::Relaxed) {
                    let error = failure.to_string();
                    tracing::error!(error, "the store of attachments does not do what it is asked");
                }
                Err(Fault::from(Refusal::StoreUnavailable).because(failure).retry_after(RETRY))
            }
        }
    }

    /// Removes objects that nobody wants, until told to stop.
    pub(crate) async fn collect(self: std::sync::Arc<Self>, stop: Stop) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.collect_for_ever() => {}
        }
    }

    async fn collect_for_ever(&self) {
        let mut last = String::new();
        loop {
            match self.collect_some(&mut last).await {
                Ok(true) => {}
                Ok(false) => tokio::time::sleep(POLL).await,
                Err(fault) => {
                    tracing::debug!(fault = fault.chain(), "objects cannot be removed now");
                    tokio::time::sleep(POLL_AWAY).await;
                }
            }
        }
    }

    /// Removes those that are due, from the tenant after the last on; answers whether there may be
    /// more.
    async fn collect_some(&self, last: &mut String) -> Result<bool, Fault> {
        let before = last.clone();
        let taken = self.db.transact_as_worker("attachment.objects", async move |mut tx| {
            let now = tx.now();
            let until = now.saturating_add(LEASE).unwrap_or(now);
            let (mut taken, mut last) = (Vec::new(), before);
            while taken.len() < BATCH {
                let some = store::take_unwanted(&mut tx, &last, (now, until), SHARE).await?;
                let Some(one) = some.first() else { break };
                last = one.tenant.to_string();
                taken.extend(some);
            }
            Ok((tx, (taken, last)))
        });
        let (taken, reached) = taken.await?;
        *last = reached;
        let more = taken.len() >= BATCH;
        let removing = taken.iter().map(|unwanted| self.remove(unwanted)).collect::<Vec<_>>();
        let removed: Vec<_> = stream::iter(removing).buffer_unordered(REMOVED_AT_ONCE).collect().await;
        // Those that could not be are tried again after their lease; the others are gone.
        removed.into_iter().collect::<Result<(), Fault>>()?;
        Ok(more)
    }

    async fn remove(&self, unwanted: &Unwanted) -> Result<(), Fault> {
        let Unwanted { tenant, attachment, object } = unwanted;
        let removed = self.bucket()?.delete(self.now(), &key(tenant, *attachment, *object)).await;
        self.told(removed)?;
        let object = *object;
        self.db
            .transact("attachment.object_gone", tenant, async move |mut tx| {
                store::forget(&mut tx, object).await?;
                Ok((tx, ()))
            })
            .await
    }
}

/// Where in the bucket an object is, after the prefix.
fn key(tenant: &TenantId, attachment: Uuid, object: Uuid) -> String {
    format!("{tenant}/{attachment}/{object}")
}
