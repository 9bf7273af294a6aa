//! Attachments: how a content is taken in, chunk by chunk, and finished; `scanner` has it
//! looked at, `collector` removes what nobody refers to.
//!
//! A chunk is kept in the transaction that notes how much is kept, under the lock of its
//! attachment: whatever crashes and whoever sends the same at once, what is noted is there.
//! Where contents lie beside the database (`contents`), a chunk is announced, put under a
//! name that nobody else uses, and noted, each after the other is done.

pub(crate) mod clamd;
pub(crate) mod collector;
pub(crate) mod contents;
pub(crate) mod scanner;

use std::sync::Arc;

use bytes::Bytes;
use fault::Fault;
use kernel::TenantId;
use pg::{Db, Tx};
use server::Length;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use self::contents::Contents;
use crate::attachment::{Attachment, CHUNK, Reason, State, Store, content};
use crate::refusal::Refusal;
use crate::store::attachments as store;
use crate::store::attachments::contents::Chunk;
use crate::wire::evidence::Attachments;

/// Topic of those who wait for attachments to scan.
pub(crate) const UNSCANNED: &str = "attachments";

/// Which chunk of a content a byte is in.
pub(crate) fn ordinal(offset: i64) -> i32 {
    i32::try_from(offset / i64::try_from(CHUNK).unwrap_or(i64::MAX)).unwrap_or(i32::MAX)
}

/// Attachments, by id; others are kept from changing them.
pub(crate) async fn locked(tx: &mut Tx, ids: &[Uuid]) -> Result<Attachments, Fault> {
    if ids.is_empty() {
        return Ok(Attachments::new());
    }
    Ok(store::lock_all(tx, ids).await?.into_iter().map(|one| (one.id, one)).collect())
}

/// Takes contents in.
pub(crate) struct Receiver {
    db: Db,
    contents: Arc<Contents>,
    /// Whether what is whole is scanned before it can be fetched.
    scans: bool,
}

impl Receiver {
    pub(crate) fn new(db: Db, contents: Arc<Contents>, scans: bool) -> Self {
        Self { db, contents, scans }
    }

    /// Where contents lie.
    pub(crate) fn contents(&self) -> &Arc<Contents> {
        &self.contents
    }

    /// Keeps the chunk that begins at an offset, unless it is kept already; answers the
    /// attachment as it then is. The first chunk shows what the content is.
    pub(crate) async fn keep(
        &self,
        tenant: &TenantId,
        (id, lies_in): (Uuid, Store),
        (offset, data): (i64, &[u8]),
    ) -> Result<Attachment, Fault> {
        let chunk = match lies_in {
            Store::Postgres => Chunk::Bytes(data),
            Store::S3 => {
                let (attachment, object) = self.announce(tenant, id, (offset, data)).await?;
                let Some(object) = object else { return Ok(attachment) };
                self.contents.put(tenant, (id, object), Bytes::copy_from_slice(data)).await?;
                Chunk::Object(object)
            }
        };
        self.db
            .transact("attachment.receive", tenant, async |mut tx| {
                let mut attachment = store::lock(&mut tx, id).await?.ok_or(Refusal::AttachmentNotFound)?;
                if attachment.awaits(offset) && is_fit(&mut tx, &mut attachment, data).await? {
                    keep(&mut tx, &mut attachment, data.len(), chunk).await?;
                }
                Ok((tx, attachment))
            })
            .await
    }

    /// Announces a chunk that is about to be put beside the database; no object where it is not
    /// waited for any more.
    async fn announce(
        &self,
        tenant: &TenantId,
        id: Uuid,
        (offset, data): (i64, &[u8]),
    ) -> Result<(Attachment, Option<Uuid>), Fault> {
        self.db
            .transact("attachment.announce_chunk", tenant, async |mut tx| {
                let mut attachment = store::lock(&mut tx, id).await?.ok_or(Refusal::AttachmentNotFound)?;
                let mut object = None;
                if attachment.awaits(offset) && is_fit(&mut tx, &mut attachment, data).await? {
                    object = Some(Contents::announce(&mut tx, id, offset).await?);
                }
                Ok((tx, (attachment, object)))
            })
            .await
    }

    /// Finishes an attachment that is whole: what is kept is read once more, so that what
    /// is promised of it is so. A call that ends in the middle is made again.
    pub(crate) async fn finish(
        &self,
        tenant: &TenantId,
        attachment: Attachment,
    ) -> Result<Attachment, Fault> {
        let sha256 = self.hashed(tenant, &attachment).await?;
        let state = if self.scans { State::Scanning } else { State::Ready };
        self.db
            .transact("attachment.finish", tenant, async move |mut tx| {
                let id = attachment.id;
                let mut attachment = store::lock(&mut tx, id).await?.ok_or(Refusal::AttachmentNotFound)?;
                if attachment.is_to_be_finished() {
                    let is_other = attachment.declared_sha256.as_ref().is_some_and(|told| *told != sha256);
                    if is_other {
                        refuse(&mut tx, &mut attachment, Reason::Sha256Mismatch).await?;
                    } else {
                        let now = tx.now();
                        store::finish(&mut tx, id, &sha256, state, now).await?;
                        attachment.state = state;
                        attachment.sha256 = Some(sha256);
                        tx.notify(UNSCANNED);
                    }
                }
                Ok((tx, attachment))
            })
            .await
    }

    /// Takes in a content that is here whole. None where the tenant does not accept it, for what
    /// it says it is, its size or its quota; one that is not what it says is refused. What was
    /// begun under the same id is gone on with.
    pub(crate) async fn take_whole(
        &self,
        tenant: &TenantId,
        new: Attachment,
        content: &[u8],
    ) -> Result<Option<Attachment>, Fault> {
        let id = new.id;
        let announced = self.db.transact("attachment.announce", tenant, async move |mut tx| {
            if let Some(known) = store::lock(&mut tx, id).await? {
                return Ok((tx, Some(known)));
            }
            let settings = store::settings(&mut tx).await?;
            let is_accepted = settings.accepts(&new.media_type) && new.size <= settings.max_size;
            if !is_accepted || !store::reserve(&mut tx, new.size, settings.quota).await? {
                return Ok((tx, None));
            }
            store::create(&mut tx, &new).await?;
            Ok((tx, Some(new.clone())))
        });
        let Some(mut attachment) = announced.await? else { return Ok(None) };
        while attachment.state == State::Receiving && attachment.received < attachment.size {
            let from = usize::try_from(attachment.received).unwrap_or(usize::MAX);
            let rest = content.get(from..).unwrap_or_default();
            let next = &rest[..rest.len().min(CHUNK)];
            attachment = self.keep(tenant, (id, attachment.store), (attachment.received, next)).await?;
        }
        if attachment.is_to_be_finished() {
            attachment = self.finish(tenant, attachment).await?;
        }
        Ok(Some(attachment))
    }

    /// The SHA-256 of what is kept.
    async fn hashed(&self, tenant: &TenantId, of: &Attachment) -> Result<Vec<u8>, Fault> {
        let mut hash = Sha256::new();
        let mut offset = 0;
        while offset < of.size {
            let chunk = self.contents.chunk(tenant, of, offset).await?;
            offset += i64::try_from(chunk.len()).unwrap_or(i64::MAX);
            let add = move || {
                hash.update(&chunk);
                hash
            };
            hash = server::blocking(tenant, Length::Quick, "attachment.hash", add).await?;
        }
        Ok(hash.finalize().to_vec())
    }
}

/// Whether a chunk that is waited for may be kept: the first shows what the content is, and the
/// attachment is refused if that is not accepted.
async fn is_fit(tx: &mut Tx, attachment: &mut Attachment, data: &[u8]) -> Result<bool, Fault> {
    if attachment.received == 0 {
        let settings = store::settings(tx).await?;
        match content::inspect(&settings, &attachment.media_type, data) {
            Ok(media_type) => attachment.media_type = media_type,
            Err(reason) => return refuse(tx, attachment, reason).await.map(|()| false),
        }
    }
    Ok(true)
}

async fn keep(
    tx: &mut Tx,
    attachment: &mut Attachment,
    length: usize,
    chunk: Chunk<'_>,
) -> Result<(), Fault> {
    let (id, place, now) = (attachment.id, ordinal(attachment.received), tx.now());
    store::contents::put(tx, (id, place), chunk, now).await?;
    attachment.received += i64::try_from(length).unwrap_or(i64::MAX);
    store::received(tx, id, attachment.received, &attachment.media_type).await
}

async fn refuse(tx: &mut Tx, attachment: &mut Attachment, reason: Reason) -> Result<(), Fault> {
    store::refuse(tx, attachment.id, reason, "").await?;
    (attachment.state, attachment.reason) = (State::Refused, Some(reason));
    Ok(())
}
