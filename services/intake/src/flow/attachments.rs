//! Attachments: how a content is taken in, chunk by chunk, and finished; `scanner` has it
//! looked at, `collector` removes what nobody refers to.
//!
//! A chunk is kept in the transaction that notes how much is kept, under the lock of its
//! attachment: whatever crashes and whoever sends the same at once, what is noted is there.

pub(crate) mod clamd;
pub(crate) mod collector;
pub(crate) mod scanner;

use fault::Fault;
use kernel::TenantId;
use pg::{Db, Tx};
use server::Length;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::attachment::{Attachment, CHUNK, Reason, State, content};
use crate::refusal::Refusal;
use crate::store::attachments as store;
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
    /// Whether what is whole is scanned before it can be fetched.
    scans: bool,
}

impl Receiver {
    pub(crate) fn new(db: Db, scans: bool) -> Self {
        Self { db, scans }
    }

    /// Keeps the chunk that begins at an offset, unless it is kept already; answers the
    /// attachment as it then is. The first chunk shows what the content is.
    pub(crate) async fn keep(
        &self,
        tenant: &TenantId,
        id: Uuid,
        (offset, data): (i64, &[u8]),
    ) -> Result<Attachment, Fault> {
        self.db
            .transact("attachment.receive", tenant, async |mut tx| {
                let mut attachment = store::lock(&mut tx, id).await?.ok_or(Refusal::AttachmentNotFound)?;
                if attachment.state == State::Receiving && attachment.received == offset {
                    keep(&mut tx, &mut attachment, data).await?;
                }
                Ok((tx, attachment))
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
            attachment = self.keep(tenant, id, (attachment.received, next)).await?;
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
            let chunk = chunk(&self.db, tenant, of, offset).await?;
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

async fn keep(tx: &mut Tx, attachment: &mut Attachment, data: &[u8]) -> Result<(), Fault> {
    if attachment.received == 0 {
        let settings = store::settings(tx).await?;
        match content::judge(&settings, &attachment.media_type, data) {
            Ok(media_type) => attachment.media_type = media_type,
            Err(reason) => return refuse(tx, attachment, reason).await,
        }
    }
    let (id, place) = (attachment.id, ordinal(attachment.received));
    store::contents::put(tx, attachment.store, id, place, data).await?;
    attachment.received += i64::try_from(data.len()).unwrap_or(i64::MAX);
    store::received(tx, id, attachment.received, &attachment.media_type).await
}

async fn refuse(tx: &mut Tx, attachment: &mut Attachment, reason: Reason) -> Result<(), Fault> {
    store::refuse(tx, attachment.id, reason, "").await?;
    (attachment.state, attachment.reason) = (State::Refused, Some(reason));
    Ok(())
}

/// The chunk of a content that begins at an offset.
pub(crate) async fn chunk(
    db: &Db,
    tenant: &TenantId,
    of: &Attachment,
    offset: i64,
) -> Result<Vec<u8>, Fault> {
    let end = offset.saturating_add(i64::try_from(CHUNK).unwrap_or(i64::MAX)).min(of.size);
    part(db, tenant, of, (offset, end)).await
}

/// A part of a content, up to the end of a chunk: from a byte to the one before another.
pub(crate) async fn part(
    db: &Db,
    tenant: &TenantId,
    of: &Attachment,
    (from, to): (i64, i64),
) -> Result<Vec<u8>, Fault> {
    let (id, store) = (of.id, of.store);
    let chunk = i64::try_from(CHUNK).unwrap_or(i64::MAX);
    let within = i32::try_from(from % chunk).unwrap_or(i32::MAX);
    let length = i32::try_from(to - from).unwrap_or(i32::MAX);
    let data = db
        .transact("attachment.part", tenant, async move |mut tx| {
            let data = store::contents::part(&mut tx, store, (id, ordinal(from)), within, length).await?;
            Ok((tx, data))
        })
        .await?;
    // Refused or deleted since it was begun to be read.
    let data = data.filter(|data| !data.is_empty());
    data.ok_or_else(|| Refusal::AttachmentNotFound.into())
}
