//! Mails that stay in their folder: one that is too large, and one that the server does not give
//! however often it is asked. Each becomes a row that is set aside, in the transaction that notes
//! that reading goes on after it: once, wherever that breaks off.

use std::time::Duration;

use fault::Fault;
use mail::Limits;
use mailbox::Outline;
use mailbox::imap::{self, Position};
use server::Length;
use tokio::time::timeout;

use super::{HOLD, MAX_MAIL, Reader};
use crate::inbound_mail::{InboundMail, SetAside};
use crate::mailbox::{self as domain, Mailbox, NotGiven};
use crate::store::mailboxes::{self as store, Found};
use crate::store::mails;

/// How long is waited for what can be known of a mail that the server does not give: less than the
/// mailbox is held without a word.
const OUTLINE_WITHIN: Duration = Duration::from_secs(20);

/// A mail that is passed over.
struct PassedOver {
    /// Where it is.
    position: Position,
    /// What becomes of it; none where it is no more.
    mail: Option<InboundMail>,
    /// Whether the server did not give it, and not whether it was not asked for it.
    is_given_up: bool,
}

impl Reader {
    /// Sets aside a mail that is too large.
    pub(super) async fn set_aside_large(&self, outline: Outline) -> Result<(), Fault> {
        let (size, position) = (outline.size.unwrap_or_default(), position(&outline));
        let words = format!("it has {size} bytes, more than {MAX_MAIL}: it stays in its folder");
        let mail = Some(self.unfetched(outline, (SetAside::TooLarge, &words)).await?);
        self.pass_over(PassedOver { position, mail, is_given_up: false }).await
    }

    /// Notes that the server did not give a mail; whether it was asked often enough, and the mail
    /// is set aside so that those behind it are read.
    pub(super) async fn gives_up(
        &self,
        mailbox: &Mailbox,
        (uid, error): (u32, &imap::Error),
    ) -> Result<bool, Fault> {
        if !self.note_not_given(uid).await?.is_given_up() || !self.is_mine().await {
            return Ok(false);
        }
        let Some(imap) = &mailbox.settings.imap else { return Ok(false) };
        let Ok(options) = self.fetcher.options(imap) else { return Ok(false) };
        let position = Position { last_uid: uid, ..self.position() };
        let nothing = || Outline {
            uid_validity: position.uid_validity,
            uid,
            size: None,
            internal_date: None,
            header: bytes::Bytes::new(),
        };
        let outline = match timeout(OUTLINE_WITHIN, imap::outline(&options, position)).await {
            Ok(Ok(outline)) => outline,
            // The server is away: it may give the mail when it is back.
            Ok(Err(_)) => return Ok(false),
            Err(_) => Some(nothing()),
        };
        let mail = match outline {
            Some(outline) => {
                let words = format!("its server has it and does not give it ({error})");
                Some(self.unfetched(outline, (SetAside::FetchFailed, &words)).await?)
            }
            None => None,
        };
        self.pass_over(PassedOver { position, mail, is_given_up: true }).await?;
        Ok(true)
    }

    async fn note_not_given(&self, uid: u32) -> Result<NotGiven, Fault> {
        let (id, holder) = (self.found.id.clone(), self.holder);
        let noted = self.fetcher.db.transact("mailbox.not_given", &self.found.tenant, async move |mut tx| {
            let before = store::lock(&mut tx, &id).await?.map(|mailbox| mailbox.not_given);
            let now = before.unwrap_or_default().again(uid);
            store::not_given(&mut tx, &id, holder, now).await?;
            Ok((tx, now))
        });
        noted.await
    }

    /// The row of a mail that stays in its folder: its header is read beside the calls.
    async fn unfetched(
        &self,
        outline: Outline,
        (why, words): (SetAside, &str),
    ) -> Result<InboundMail, Fault> {
        let now = self.fetcher.db.clock().now();
        let (id, mailbox, words) = (self.fetcher.db.ids().id(now), self.found.id.clone(), words.to_owned());
        let read = move || {
            let header = mail::read(&outline.header, &Limits::default()).ok();
            InboundMail::unfetched(id, (mailbox, now), &outline, header.as_ref(), (why, &words))
        };
        server::blocking(&self.found.tenant, Length::Quick, "mail.outline", read).await
    }

    /// Keeps what is known of a mail, unless that is known, and goes on behind it; nothing where
    /// the mailbox is somebody else's by now, who meets the mail as well.
    async fn pass_over(&self, passed: PassedOver) -> Result<(), Fault> {
        let PassedOver { position, mail, is_given_up } = passed;
        let (id, holder) = (self.found.id.clone(), self.holder);
        let after = domain::Position { uid_validity: position.uid_validity, last_uid: position.last_uid };
        let is_new = self.fetcher.db.transact("mail.pass_over", &self.found.tenant, async move |mut tx| {
            let now = tx.now();
            if !store::keep_hold(&mut tx, &id, (holder, now + HOLD)).await? {
                return Ok((tx, None));
            }
            let mut is_new = false;
            if let Some(mail) = &mail
                && !mails::is_taken(&mut tx, mail).await?
            {
                is_new = mails::insert(&mut tx, mail, now).await?;
                store::heard(&mut tx, &id, now).await?;
            }
            store::read_to(&mut tx, &id, holder, after).await?;
            if is_given_up {
                store::passed_over(&mut tx, &id, holder).await?;
            }
            Ok((tx, Some(is_new)))
        });
        let Some(is_new) = is_new.await? else { return Ok(()) };
        self.reached(position);
        if is_new {
            let Found { tenant, id } = &self.found;
            tracing::error!(%tenant, mailbox = id, uid = position.last_uid, "a mail stays on its server: `redress mail list --state set-aside` shows it");
        }
        Ok(())
    }
}

/// Where a mail is.
fn position(outline: &Outline) -> Position {
    Position { uid_validity: outline.uid_validity, last_uid: outline.uid }
}
