//! Sends notices: a transport for each of the means they can go by.

mod gateway;
mod sms;
mod smtp;
mod webhook;

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context as _;
use futures::future::BoxFuture;
use kernel::Clock;
use server::Settings;

use self::sms::Sms;
use self::smtp::Smtp;
use self::webhook::Webhook;
use crate::address::OwnAddresses;
use crate::bounce::{ReturnPath, Sent};
use crate::notice::routing::MEANS;
use crate::notice::{Answer, Contact, Delivery, Means, Notice, Obstacle};

/// A way to deliver notices.
pub(crate) trait Transport: Send + Sync + 'static {
    /// Tries once to deliver a notice, to a contact where more than its address is of use.
    fn send<'a>(&'a self, notice: &'a Notice, contact: Option<&'a Contact>) -> BoxFuture<'a, Answer>;
}

/// The transports that are configured. Copies are the same ones.
#[derive(Clone)]
pub(crate) struct Senders(Arc<HashMap<Means, Arc<dyn Transport>>>);

impl Senders {
    pub(crate) fn new(transports: impl IntoIterator<Item = (Means, Arc<dyn Transport>)>) -> Self {
        Self(Arc::new(transports.into_iter().collect()))
    }

    /// Those that the settings name, with at most so many connections kept of each; and how
    /// notices leave with them.
    pub(crate) fn of(
        settings: &Settings,
        clock: Arc<dyn Clock>,
        connections: u32,
    ) -> anyhow::Result<(Self, Delivery)> {
        let mut transports: Vec<(Means, Arc<dyn Transport>)> = Vec::new();
        let mut own: Vec<String> = settings.mail_own.clone();
        let url = settings.smtp_url.as_ref().map(server::Secret::expose).filter(|url| !url.is_empty());
        if let Some(url) = url {
            let path = return_path(settings)?;
            own.extend(path.as_ref().map(|_| settings.notices.bounce_address.clone()));
            let reply_to = settings.mails.reply_to.trim();
            own.extend(Some(reply_to).filter(|address| !address.is_empty()).map(str::to_owned));
            let smtp = Smtp::new(url, (&settings.mail_from, reply_to), path, connections)?;
            own.push(smtp.sender().to_owned());
            transports.push((Means::Email, Arc::new(smtp)));
        }
        if let Some(sms) = Sms::of(settings)? {
            transports.push((Means::Sms, Arc::new(sms)));
        }
        if let Some(webhook) = Webhook::of(settings, clock)? {
            transports.push((Means::Webhook, Arc::new(webhook)));
        }
        let configured: Vec<Means> = transports.iter().map(|(means, _)| *means).collect();
        let delivery = Delivery {
            means: MEANS.into_iter().filter(|means| configured.contains(means)).collect(),
            own: OwnAddresses::new(own.iter().map(String::as_str)),
            country: settings.notices.sms_country.as_str().into(),
        };
        Ok((Self::new(transports), delivery))
    }

    /// Whether nothing can be sent.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tries once to deliver a notice by its means. One whose means was taken away waits as
    /// one that is not taken, then goes on to the next: replicas may be set up one by one.
    pub(crate) async fn send(&self, notice: &Notice, contact: Option<&Contact>) -> Answer {
        match self.0.get(&notice.means) {
            Some(transport) => transport.send(notice, contact).await,
            None => Answer::Later(Obstacle::NoTransport.reason().to_owned(), None),
        }
    }
}

/// Where mails come back to, where the settings say.
pub(crate) fn return_path(settings: &Settings) -> anyhow::Result<Option<ReturnPath>> {
    let mailbox = settings.notices.bounce_address.as_str();
    let keys = settings.notices.bounce_key.as_ref().map(server::Secret::expose).unwrap_or_default();
    if mailbox.is_empty() && keys.is_empty() {
        return Ok(None);
    }
    let path = ReturnPath::new(mailbox, keys).context(
        "REDRESS_NOTICE_BOUNCE_ADDRESS must be an e-mail address with at most 19 characters before the @ and no +, \
         and REDRESS_NOTICE_BOUNCE_KEY a key of at least 32 characters",
    )?;
    Ok(Some(path))
}

/// The same at every attempt, so that a receiver can tell a second copy; another each time
/// it is sent again.
fn sending_id(notice: &Notice) -> String {
    Sent::of(notice).sending_id()
}
