//! Mails that mail servers hand over, by SMTP or LMTP.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use fault::Fault;
use mailbox::smtp::{self, Accept, Protocol, Recipient};
use mailbox::{Arrived, Keep, Kept, Origin};
use pg::Db;
use server::{MailProtocol, Settings, Stop};
use tokio::net::TcpListener;
use tokio_rustls::rustls::ServerConfig;

use super::keeping::{MAX_MAIL, MailKeeper};
use crate::inbound_mail::Envelope;
use crate::mailbox::untagged;
use crate::store::mailboxes::{self, Found};

/// Most connections at once: each may have a mail of 32 MiB in memory. Further ones are told to
/// come again.
const CONNECTIONS: usize = 32;
/// How the listener names itself.
const NAME: &str = "redress";

/// Takes what mail servers hand over.
pub(crate) struct Handover {
    db: Db,
    keeper: MailKeeper,
    listen: SocketAddr,
    protocol: Protocol,
    tls: Option<Arc<ServerConfig>>,
}

/// Whose mails there are, and who keeps them.
#[derive(Clone)]
struct MailHandler {
    db: Db,
    keeper: MailKeeper,
}

impl Handover {
    /// Listens at an address; encrypts where there is a certificate.
    pub(crate) fn new(keeper: MailKeeper, listen: SocketAddr, settings: &Settings) -> anyhow::Result<Self> {
        let protocol = match settings.mails.smtp_protocol {
            MailProtocol::Smtp => Protocol::Smtp,
            MailProtocol::Lmtp => Protocol::Lmtp,
        };
        let tls = server::mail_certificate(settings)?;
        Ok(Self { db: keeper.db().clone(), keeper, listen, protocol, tls })
    }

    /// Takes mails until told to stop. An address that cannot be listened at is tried again.
    pub(crate) async fn run(self, stop: Stop) {
        let mut is_told = false;
        loop {
            match TcpListener::bind(self.listen).await.context("cannot be listened at") {
                Ok(listener) => return self.serve(listener, stop).await,
                Err(error) if !std::mem::replace(&mut is_told, true) => {
                    tracing::error!(address = %self.listen, error = format!("{error:#}"), "no mails are handed over");
                }
                Err(_) => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(BIND_AGAIN) => {}
            }
        }
    }

    async fn serve(self, listener: TcpListener, stop: Stop) {
        let options = smtp::Options {
            tls: self.tls,
            largest: MAX_MAIL,
            most_connections: CONNECTIONS,
            ..smtp::Options::new(NAME, self.protocol)
        };
        let handler = MailHandler { db: self.db, keeper: self.keeper };
        tracing::info!(address = %self.listen, "mails are taken by hand-over");
        smtp::serve(listener, options, handler.clone(), handler, stop).await;
    }
}

/// When the address is tried again.
const BIND_AGAIN: std::time::Duration = std::time::Duration::from_secs(1);

impl MailHandler {
    /// The mailbox an address is of, and whether it is left alone.
    async fn mailbox(&self, address: &str) -> Result<Option<(Found, bool)>, Fault> {
        let Some(address) = untagged(address) else { return Ok(None) };
        let found = self.db.transact_as_worker("mailbox.by_address", async move |mut tx| {
            let found = mailboxes::by_address(&mut tx, &address).await?;
            Ok((tx, found))
        });
        found.await
    }

    /// Keeps a mail for each mailbox that it is for.
    async fn keep_all(&self, message: Arrived) -> Result<Option<String>, Fault> {
        let Origin::Smtp { recipients, .. } = message.origin else { return Ok(None) };
        let mut boxes: Vec<(Found, Vec<String>)> = Vec::new();
        for recipient in recipients {
            let Some((found, _)) = self.mailbox(&recipient).await? else { continue };
            match boxes.iter_mut().find(|(known, _)| *known == found) {
                Some((_, addresses)) => addresses.push(recipient),
                None => boxes.push((found, vec![recipient])),
            }
        }
        if boxes.is_empty() {
            return Ok(Some("there is no such mailbox here any more".to_owned()));
        }
        for (found, recipients) in boxes {
            let envelope = Envelope { mailbox: found.id, recipients, received: self.db.clock().now() };
            self.keeper.keep(&found.tenant, envelope, message.raw.clone()).await?;
        }
        Ok(None)
    }
}

impl Accept for MailHandler {
    async fn recipient(&self, address: &str) -> Recipient {
        match self.mailbox(address).await {
            Ok(Some((_, false))) => Recipient::Yes,
            // Who sends it keeps it, and tries again for days: until it is resumed.
            Ok(Some((_, true))) => Recipient::TryLater,
            Ok(None) => Recipient::Unknown,
            Err(fault) => {
                tracing::warn!(fault = fault.chain(), "whether an address is ours cannot be read now");
                Recipient::TryLater
            }
        }
    }
}

impl Keep for MailHandler {
    async fn keep(&self, message: Arrived) -> Kept {
        match self.keep_all(message).await {
            Ok(None) => Kept::Kept,
            Ok(Some(refused)) => Kept::Refuse(refused),
            Err(fault) => {
                tracing::warn!(fault = fault.chain(), "a mail that is handed over cannot be kept now");
                Kept::TryLater(fault.message().to_owned())
            }
        }
    }
}
