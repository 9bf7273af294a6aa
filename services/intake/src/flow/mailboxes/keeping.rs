//! Keeps mails as they arrive, each once.

use std::sync::Arc;

use bytes::Bytes;
use fault::Fault;
use kernel::TenantId;
use mail::{Limits, Mail, Unreadable};
use pg::{Db, Tx};
use server::Length;
use uuid::Uuid;

use super::MAILS;
use crate::attachment::{Attachment, CHUNK, State, Store};
use crate::flow::attachments::contents::Contents;
use crate::inbound_mail::{Envelope, InboundMail};
use crate::refusal::Refusal;
use crate::store::attachments::contents::Chunk;
use crate::store::{attachments, mailboxes, mails};

/// Most bytes of a mail: what other servers send is mostly limited to 25 MiB, and grows by a
/// third where it is files.
pub(crate) const MAX_MAIL: usize = 32 << 20;
/// Bytes from which on a mail may take more than a second to be read.
const LONG_MAIL: usize = 4 << 20;
/// What a mail is, as an attachment.
const MEDIA_TYPE: &str = "message/rfc822";
/// The name of its file.
const FILE_NAME: &str = "message.eml";

/// Reads a mail, beside the calls.
pub(crate) async fn read(tenant: &TenantId, raw: Bytes) -> Result<Result<Mail, Unreadable>, Fault> {
    server::blocking(tenant, length(&raw), "mail.read", move || mail::read(&raw, &Limits::default())).await
}

/// How long reading a mail computes.
fn length(raw: &Bytes) -> Length {
    if raw.len() < LONG_MAIL { Length::Quick } else { Length::Long }
}

/// Keeps mails.
#[derive(Clone)]
pub(crate) struct MailKeeper {
    db: Db,
    contents: Arc<Contents>,
}

/// Where the bytes of a mail lie that is about to be kept.
struct Lying {
    attachment: Uuid,
    store: Store,
    /// The objects that have them, in order, if they are not to lie in the database.
    objects: Vec<Uuid>,
}

impl MailKeeper {
    /// Keeps in a schema.
    pub(crate) fn new(db: Db, contents: Arc<Contents>) -> Self {
        Self { db, contents }
    }

    /// The schema.
    pub(crate) fn db(&self) -> &Db {
        &self.db
    }

    /// Keeps a mail, unless it is known; it is durable when this answers. Whether it was new.
    pub(crate) async fn keep(
        &self,
        tenant: &TenantId,
        envelope: Envelope,
        raw: Bytes,
    ) -> Result<bool, Fault> {
        let id = self.db.ids().id(self.db.clock().now());
        let bytes = raw.clone();
        let read = move || {
            let mail = mail::read(&bytes, &Limits::default()).ok();
            InboundMail::new(id, envelope, &bytes, mail.as_ref())
        };
        let mail = server::blocking(tenant, length(&raw), "mail.arrive", read).await?;
        let Some(lying) = self.put(tenant, &mail, &raw).await? else { return Ok(false) };
        self.db
            .transact("mail.keep", tenant, async move |mut tx| {
                let kept = keep(&mut tx, mail, &raw, &lying).await?;
                Ok((tx, kept))
            })
            .await
    }

    /// Puts the bytes of a mail where they lie beside the database, before anything is noted;
    /// none where the mail is known. What is put and not noted then is removed.
    async fn put(&self, tenant: &TenantId, mail: &InboundMail, raw: &Bytes) -> Result<Option<Lying>, Fault> {
        let store = self.contents.store();
        let attachment = self.db.ids().id(self.db.clock().now());
        let objects = match store {
            Store::Postgres => Vec::new(),
            Store::S3 => {
                let identity = mail.identity;
                let known = self.db.transact("mail.is_known", tenant, async move |mut tx| {
                    let known = mails::is_known(&mut tx, &identity).await?;
                    Ok((tx, known))
                });
                if known.await? {
                    return Ok(None);
                }
                self.contents.put_all(tenant, attachment, raw).await?
            }
        };
        Ok(Some(Lying { attachment, store, objects }))
    }
}

async fn keep(tx: &mut Tx, mut mail: InboundMail, raw: &[u8], lying: &Lying) -> Result<bool, Fault> {
    if mails::is_known(tx, &mail.identity).await? {
        return Ok(false);
    }
    let now = tx.now();
    mail.attachment = Some(lying.attachment);
    // The row first: of two who keep the same, one waits here and then has nothing to do.
    if !mails::insert(tx, &mail, now).await? {
        return Ok(false);
    }
    content(tx, lying, &mail, raw).await?;
    mailboxes::heard(tx, &mail.mailbox, now).await?;
    tx.notify(MAILS);
    Ok(true)
}

/// Keeps the bytes of a mail as an attachment that nobody can fetch until a complaint has it.
async fn content(tx: &mut Tx, lying: &Lying, mail: &InboundMail, raw: &[u8]) -> Result<(), Fault> {
    let settings = attachments::settings(tx).await?;
    if !attachments::reserve(tx, mail.size, settings.quota).await? {
        return Err(Refusal::QuotaExceeded.into());
    }
    let Lying { attachment: id, store, ref objects } = *lying;
    let attachment = Attachment {
        id,
        file_name: FILE_NAME.to_owned(),
        media_type: MEDIA_TYPE.to_owned(),
        size: mail.size,
        received: 0,
        declared_sha256: None,
        sha256: None,
        state: State::Receiving,
        reason: None,
        signature: String::new(),
        store,
        complaint: None,
        creator: mail.subject_of_reader(),
        created: tx.now(),
    };
    attachments::create(tx, &attachment).await?;
    let now = tx.now();
    let chunks: Vec<Chunk<'_>> = match store {
        Store::Postgres => raw.chunks(CHUNK).map(Chunk::Bytes).collect(),
        Store::S3 => objects.iter().copied().map(Chunk::Object).collect(),
    };
    for (place, chunk) in (0..).zip(chunks) {
        attachments::contents::put(tx, (id, place), chunk, now).await?;
    }
    attachments::received(tx, id, mail.size, MEDIA_TYPE).await
}
