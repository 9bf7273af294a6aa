//! The operator's own system, by webhooks signed after Standard Webhooks.

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use futures::future::BoxFuture;
use http::{HeaderMap, HeaderValue};
use kernel::Clock;
use serde::Serialize;
use server::Settings;
use webhook::{Message, Secret};

use super::gateway::{Gateway, said, unsuccessful};
use super::{Transport, sending_id};
use crate::notice::{Answer, Contact, Kind, Notice};

/// What the message is.
const TYPE: &str = "notice.owed";
/// Statuses that another attempt may mend: too slow, too early, too many.
const PASSING: [u16; 3] = [408, 425, 429];

/// Posts notices to a system that passes them on.
pub(super) struct Webhook {
    gateway: Gateway,
    /// Each signs; more than one while they are changed.
    secrets: Vec<Secret>,
    clock: Arc<dyn Clock>,
}

/// The message.
#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    timestamp: String,
    data: Data<'a>,
}

/// A notice, as its receiver sees it.
#[derive(Serialize)]
struct Data<'a> {
    notice_id: String,
    sending: i32,
    case_id: String,
    cycle: i32,
    kind: &'static str,
    language: &'a str,
    subject: &'a str,
    body: &'a str,
    short_text: &'a str,
    recipient: Recipient<'a>,
}

/// Whom it goes to: what is known of them.
#[derive(Serialize)]
struct Recipient<'a> {
    name: &'a str,
    email: &'a str,
    phone: &'a str,
}

impl Webhook {
    /// The one that the settings name, if they do.
    pub(super) fn of(settings: &Settings, clock: Arc<dyn Clock>) -> anyhow::Result<Option<Self>> {
        let notices = &settings.notices;
        let url = notices.webhook_url.as_ref().map(server::Secret::expose).unwrap_or_default();
        let secret = notices.webhook_secret.as_ref().map(server::Secret::expose).unwrap_or_default();
        if url.is_empty() {
            ensure!(
                secret.is_empty(),
                "REDRESS_NOTICE_WEBHOOK_SECRET is of use with REDRESS_NOTICE_WEBHOOK_URL"
            );
            return Ok(None);
        }
        ensure!(
            !secret.is_empty(),
            "REDRESS_NOTICE_WEBHOOK_URL needs REDRESS_NOTICE_WEBHOOK_SECRET to sign with"
        );
        let secrets =
            secret.split(',').map(|one| one.trim().parse::<Secret>()).collect::<Result<Vec<_>, _>>();
        let secrets = secrets.context("REDRESS_NOTICE_WEBHOOK_SECRET")?;
        let gateway = Gateway::new(settings, "REDRESS_NOTICE_WEBHOOK_URL", url)?;
        Ok(Some(Self { gateway, secrets, clock }))
    }

    fn headers(&self, id: &str, body: &[u8]) -> Option<HeaderMap> {
        let timestamp = self.clock.now().as_second();
        let signature = webhook::signatures(&self.secrets, &Message { id, timestamp, body });
        let mut headers = HeaderMap::new();
        for (name, value) in [
            (webhook::ID, id.to_owned()),
            (webhook::TIMESTAMP, timestamp.to_string()),
            (webhook::SIGNATURE, signature),
        ] {
            headers.insert(name, HeaderValue::from_str(&value).ok()?);
        }
        let traceparent = HeaderValue::from_str(&pg::trace::current()).ok();
        if let Some(traceparent) = traceparent.filter(|traceparent| !traceparent.is_empty()) {
            headers.insert("traceparent", traceparent);
        }
        Some(headers)
    }

    async fn post(&self, notice: &Notice, contact: Option<&Contact>) -> Answer {
        let id = sending_id(notice);
        let written = body(notice, contact).and_then(|body| Some((self.headers(&id, &body)?, body)));
        let Some((headers, body)) = written else {
            return Answer::Refused("the message cannot be written".to_owned());
        };
        match self.gateway.post(headers, body).await {
            Ok(reply) if (200..=299).contains(&reply.status) => Answer::Taken(said(&reply)),
            Ok(reply) => unsuccessful(&reply, |status| status < 500 && !PASSING.contains(&status)),
            Err(none) => none,
        }
    }
}

impl Transport for Webhook {
    fn send<'a>(&'a self, notice: &'a Notice, contact: Option<&'a Contact>) -> BoxFuture<'a, Answer> {
        Box::pin(self.post(notice, contact))
    }
}

fn body(notice: &Notice, contact: Option<&Contact>) -> Option<Vec<u8>> {
    let known = |part: fn(&Contact) -> &String| contact.map_or("", |contact| part(contact).as_str());
    let data = Data {
        notice_id: notice.id.to_string(),
        sending: notice.sending,
        case_id: notice.case_id.to_string(),
        cycle: notice.cycle,
        kind: kind(notice.kind),
        language: &notice.letter.language,
        subject: &notice.letter.subject,
        body: &notice.letter.body,
        short_text: &notice.letter.short,
        recipient: Recipient {
            name: known(|contact| &contact.name),
            email: known(|contact| &contact.recipient),
            phone: known(|contact| &contact.phone),
        },
    };
    serde_json::to_vec(&Body { r#type: TYPE, timestamp: notice.created.to_string(), data }).ok()
}

/// As the contract names it.
fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Acknowledgement => "ACKNOWLEDGEMENT",
        Kind::Outcome => "OUTCOME",
        Kind::Recourse => "RECOURSE",
        Kind::Extension => "EXTENSION",
        Kind::Holding => "HOLDING",
        Kind::Survey => "SURVEY",
        Kind::Shortage => "SHORTAGE",
        Kind::ClosingSoon => "CLOSING_SOON",
        Kind::Progress => "PROGRESS",
        Kind::Withdrawal => "WITHDRAWAL",
        Kind::CallBackPlanned => "CALL_BACK_PLANNED",
        Kind::CallBackMissed => "CALL_BACK_MISSED",
    }
}
