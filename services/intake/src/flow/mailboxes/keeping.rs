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
use crate::flow::attachments::ordinal;
use crate::inbound_mail::{Envelope, InboundMail};
use crate::refusal::Refusal;
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
    let length = if raw.len() < LONG_MAIL { Length::Quick } else { Length::Long };
    server::blocking(tenant, length, "mail.read", move || mail::read(&raw, &Limits::default())).await
}

/// Keeps mails.
#[derive(Clone)]
pub(crate) struct MailKeeper {
    db: Db,
}

impl MailKeeper {
    /// Keeps in a schema.
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }

    /// Keeps a mail, unless it is known; it is durable when this answers. Whether it was new.
    pub(crate) async fn keep(
        &self,
        tenant: &TenantId,
        envelope: Envelope,
        raw: Bytes,
    ) -> Result<bool, Fault> {
        let id = self.db.ids().id(self.db.clock().now());
        let (tenant_, bytes) = (tenant.clone(), raw.clone());
        let read = read(&tenant_, bytes).await?.ok();
        let hashed = raw.clone();
        let new = move || InboundMail::new(id, envelope, &hashed, read.as_ref());
        let mail = server::blocking(tenant, Length::Quick, "mail.identity", new).await?;
        let (mail, raw) = (Arc::new(mail), raw);
        self.db
            .transact("mail.keep", tenant, async move |mut tx| {
                let kept = keep(&mut tx, (*mail).clone(), &raw).await?;
                Ok((tx, kept))
            })
            .await
    }
}

async fn keep(tx: &mut Tx, mut mail: InboundMail, raw: &[u8]) -> Result<bool, Fault> {
    if mails::is_known(tx, &mail.identity).await? {
        return Ok(false);
    }
    let (now, attachment) = (tx.now(), tx.new_id());
    mail.attachment = Some(attachment);
    // The row first: of two who keep the same, one waits here and then has nothing to do.
    if !mails::insert(tx, &mail, now).await? {
        return Ok(false);
    }
    content(tx, attachment, &mail, raw).await?;
    mailboxes::heard(tx, &mail.mailbox, now).await?;
    tx.notify(MAILS);
    Ok(true)
}

/// Keeps the bytes of a mail as an attachment that nobody can fetch until a complaint has it.
async fn content(tx: &mut Tx, id: Uuid, mail: &InboundMail, raw: &[u8]) -> Result<(), Fault> {
    let settings = attachments::settings(tx).await?;
    if !attachments::reserve(tx, mail.size, settings.quota).await? {
        return Err(Refusal::QuotaExceeded.into());
    }
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
        store: Store::Postgres,
        complaint: None,
        creator: mail.subject_of_reader(),
        created: tx.now(),
    };
    attachments::create(tx, &attachment).await?;
    let mut from = 0;
    for chunk in raw.chunks(CHUNK) {
        attachments::contents::put(tx, attachment.store, id, ordinal(from), chunk).await?;
        from += i64::try_from(chunk.len()).unwrap_or(i64::MAX);
    }
    attachments::received(tx, id, mail.size, MEDIA_TYPE).await
}
