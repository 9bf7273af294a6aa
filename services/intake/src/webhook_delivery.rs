//! A delivery of a webhook source, and the question whether to deliver: whether it is believed. Pure.

use jiff::Timestamp;
use webhook::{Message, Secret, hub};

use crate::webhook_source::{Settings, Signature};

/// A secret that nobody has: what is for nobody is held against it, so that it takes as long.
const NOBODYS: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A delivery as it came.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    /// The source it says that it is of.
    pub(crate) source: String,
    /// What its sender calls it.
    pub(crate) webhook_id: String,
    /// When it was sent, as it says.
    pub(crate) timestamp: String,
    /// Its signatures after Standard Webhooks.
    pub(crate) signature: String,
    /// Its signature as GitHub and Meta make it.
    pub(crate) hub_signature: String,
    /// Its body.
    pub(crate) body: Vec<u8>,
}

/// A question whether to deliver, as it came.
#[derive(Clone, Debug)]
pub(crate) struct Challenge {
    /// The source it says that it is for.
    pub(crate) source: String,
    /// What is asked.
    pub(crate) mode: String,
    /// What proves that its sender was told to ask.
    pub(crate) token: String,
    /// What is answered.
    pub(crate) echo: String,
}

/// What is asked by who is to deliver.
const SUBSCRIBE: &str = "subscribe";

/// What who is to deliver to a source is given to ask with; none where it is signed otherwise.
pub(crate) fn verify_token(settings: &Settings, tenant: &str) -> Option<String> {
    let secret = settings.next_secret.as_ref().or(settings.secret.as_ref())?;
    let is_hub = settings.signature == Signature::HubSha256;
    is_hub.then(|| hub::verify_token(secret.expose().as_bytes(), &webhook_of(tenant, &settings.id)))
}

/// Whether a question is of who is to deliver to the source with these settings; never where there
/// is none, after as much work.
pub(crate) fn is_meant(settings: Option<&Settings>, tenant: &str, asked: &Challenge) -> bool {
    let settings = settings.filter(|settings| settings.signature == Signature::HubSha256);
    let secrets: Vec<&str> = settings.map_or_else(|| vec![NOBODYS], |settings| settings.secrets().collect());
    let webhook = webhook_of(tenant, &asked.source);
    let is_good = hub::is_verify_token(secrets.into_iter().map(str::as_bytes), &webhook, &asked.token);
    is_good && settings.is_some() && asked.mode == SUBSCRIBE
}

/// What tells a webhook from all others of this installation.
fn webhook_of(tenant: &str, source: &str) -> String {
    format!("{tenant}/{source}")
}

/// Whether a delivery is of the source with these settings; never where there is none, after
/// as much work.
pub(crate) fn is_believed(settings: Option<&Settings>, signed: &Signed, now: Timestamp) -> bool {
    let secrets: Vec<&str> = settings.map(|settings| settings.secrets().collect()).unwrap_or_default();
    let signature = settings.map_or(Signature::Standard, |settings| settings.signature);
    let is_good = match signature {
        Signature::Standard => {
            let secrets = if secrets.is_empty() { vec![NOBODYS] } else { secrets };
            is_standard(&secrets, signed, now)
        }
        Signature::HubSha256 => {
            hub::verify(secrets.into_iter().map(str::as_bytes), &signed.body, &signed.hub_signature)
        }
    };
    is_good && settings.is_some()
}

fn is_standard(secrets: &[&str], signed: &Signed, now: Timestamp) -> bool {
    let secrets: Vec<Secret> = secrets.iter().filter_map(|text| text.parse().ok()).collect();
    let Ok(timestamp) = signed.timestamp.parse() else { return false };
    if signed.webhook_id.is_empty() {
        return false;
    }
    let message = Message { id: &signed.webhook_id, timestamp, body: &signed.body };
    webhook::verify(&secrets, &message, &signed.signature, now.as_second()).is_ok()
}
