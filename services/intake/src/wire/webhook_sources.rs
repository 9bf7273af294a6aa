//! Proto ⇄ domain: webhook sources and what they deliver.

use std::time::Duration;

use fault::{Check, Fault};
use jiff::Timestamp;
use kernel::TenantId;
use posts::limits::MAX_BODY;
use proto::redress::intake::v1::{self as wire, Channel};
use proto::timestamp;
use server::Secret;

use super::MAX_WORD;
use crate::webhook_delivery::{Challenge, Signed};
use crate::webhook_source::{
    DEFAULT_PER_AUTHOR, DEFAULT_REPLY_LENGTH, MAX_PER_AUTHOR, MAX_REPLY_LENGTH, MAX_SILENT, Settings,
    Signature, WebhookSource,
};

const INVALID_SOURCE: &str = "INVALID_WEBHOOK_SOURCE";
const INVALID_SOURCE_ID: &str = "INVALID_WEBHOOK_SOURCE_ID";
/// What is kept of a delivery is what is read of one over plain HTTP.
const _: () = assert!(MAX_BODY == server::WebhookRequest::MAX_BYTES);
/// Longest secret, as text.
const MAX_SECRET: usize = 200;
/// Shortest secret of a hub.
const MIN_HUB_SECRET: usize = 16;
/// Longest header of a signature.
const MAX_SIGNATURE: usize = 2_000;
/// The channels that nothing is pushed for: what comes by them has a road of its own.
const OTHERS: [Channel; 5] =
    [Channel::Phone, Channel::Email, Channel::Letter, Channel::Branch, Channel::Regulator];

/// A source as somebody wants it.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) settings: Settings,
    pub(crate) finish_rotation: bool,
    pub(crate) expected: Option<i64>,
}

/// Reads how a source is to be.
pub(crate) fn setting(request: wire::SetWebhookSourceRequest) -> Result<Setting, Fault> {
    let wire::SetWebhookSourceRequest {
        request_id,
        source,
        secret,
        next_secret,
        finish_rotation,
        expected_version: expected,
    } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    check.ensure(source.is_some(), "source", "is required");
    check.ensure(expected.is_none_or(|seen| seen >= 0), "expected_version", "must not be negative");
    let mut settings = settings(&mut check, source.unwrap_or_default());
    settings.secret = checked_secret(&mut check, "secret", secret, settings.signature);
    settings.next_secret = checked_secret(&mut check, "next_secret", next_secret, settings.signature);
    check.done(INVALID_SOURCE)?;
    Ok(Setting { settings, finish_rotation, expected })
}

fn checked_secret(check: &mut Check, field: &str, secret: String, signature: Signature) -> Option<Secret> {
    if secret.is_empty() {
        return None;
    }
    match signature {
        Signature::Standard => {
            let is_one = secret.len() <= MAX_SECRET && secret.parse::<webhook::Secret>().is_ok();
            check.ensure(is_one, field, "must be whsec_ and 24 to 64 bytes in base64");
        }
        Signature::HubSha256 => {
            let fits = (MIN_HUB_SECRET..=MAX_SECRET).contains(&secret.len());
            let is_plain = secret.bytes().all(|byte| byte.is_ascii_graphic());
            check.ensure(fits && is_plain, field, "must have 16 to 200 characters in ASCII, without blanks");
        }
    }
    Some(Secret::from(secret))
}

fn settings(check: &mut Check, source: wire::WebhookSource) -> Settings {
    let wire::WebhookSource {
        source_id,
        channel,
        owner,
        language,
        category_hint,
        signature,
        has_next_secret: _, // output only
        silent_after,
        paused,
        max_per_author_hour,
        max_reply_length,
        // Output only, as is what follows.
        active_mapping: _,
        state: _,
        error_reason: _,
        error: _,
        error_time: _,
        last_delivery_time: _,
        uri_path: _,
        version: _,
        update_time: _,
        updater: _,
        verify_token: _,
    } = source;
    let channel = if channel == i32::from(Channel::Unspecified) { Channel::Social.into() } else { channel };
    let is_open = Channel::try_from(channel).is_ok_and(|channel| !OTHERS.contains(&channel));
    check.ensure(is_open, "source.channel", "must be SOCIAL, CHAT, PARTNER, IN_APP or WEB");
    let known = wire::WebhookSignature::try_from(signature);
    check.ensure(known.is_ok(), "source.signature", "must be one of the kinds of signatures");
    let signature = match known {
        Ok(wire::WebhookSignature::HubSha256) => Signature::HubSha256,
        _ => Signature::Standard,
    };
    let is_rate = (0..=MAX_PER_AUTHOR).contains(&max_per_author_hour);
    check.ensure(is_rate, "source.max_per_author_hour", "must be 0 to 1000");
    let is_length = (0..=MAX_REPLY_LENGTH).contains(&max_reply_length);
    check.ensure(is_length, "source.max_reply_length", "must be 0 to 10000");
    let silent = Duration::ZERO..=MAX_SILENT;
    let silent_after = check.duration("source.silent_after", silent_after, silent, "0 s to 90 d");
    let or = |given: i32, usual: i32| if given == 0 { usual } else { given };
    Settings {
        id: check.slug("source.source_id", source_id),
        channel: i16::try_from(channel).unwrap_or_default(),
        owner: check.required("source.owner", owner, MAX_WORD),
        language: check.language("source.language", language),
        category_hint: check.text("source.category_hint", category_hint, MAX_WORD),
        signature,
        secret: None,
        next_secret: None,
        silent_after: silent_after.filter(|after| !after.is_zero()),
        paused,
        max_per_author_hour: or(max_per_author_hour, DEFAULT_PER_AUTHOR),
        max_reply_length: or(max_reply_length, DEFAULT_REPLY_LENGTH),
    }
}

/// Refuses a source for something that only what is kept tells.
pub(crate) fn refused(field: &str, what: &str) -> Fault {
    let mut check = Check::new();
    check.fail(field, what);
    check.done(INVALID_SOURCE).err().unwrap_or_else(|| Fault::internal("a violation was lost"))
}

/// Reads which source is wanted.
pub(crate) fn source_id(request: wire::GetWebhookSourceRequest) -> Result<String, Fault> {
    let wire::GetWebhookSourceRequest { source_id } = request;
    let mut check = Check::new();
    let id = check.slug("source_id", source_id);
    check.done(INVALID_SOURCE_ID)?;
    Ok(id)
}

/// Reads which source is to be forgotten.
pub(crate) fn deleted(request: wire::DeleteWebhookSourceRequest) -> Result<(String, Option<i64>), Fault> {
    let wire::DeleteWebhookSourceRequest { request_id, source_id, expected_version } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let id = check.slug("source_id", source_id);
    check.done(INVALID_SOURCE_ID)?;
    Ok((id, expected_version))
}

/// Reads a delivery. What is wrong with its signature is not told.
pub(crate) fn delivery(request: wire::ReceiveWebhookRequest) -> Result<Signed, Fault> {
    let wire::ReceiveWebhookRequest {
        source_id,
        webhook_id,
        webhook_timestamp,
        webhook_signature,
        hub_signature,
        body,
    } = request;
    let mut check = Check::new();
    check.ensure(!source_id.is_empty(), "source_id", "is required");
    check.ensure(!body.is_empty(), "body", "is required");
    check.ensure(body.len() <= MAX_BODY, "body", "must have at most 262144 bytes");
    check.done("INVALID_WEBHOOK_DELIVERY")?;
    Ok(Signed {
        source: known_slug(source_id),
        webhook_id: short(webhook_id, MAX_WORD),
        timestamp: webhook_timestamp,
        signature: short(webhook_signature, MAX_SIGNATURE),
        hub_signature: short(hub_signature, MAX_SIGNATURE),
        body,
    })
}

/// Reads a question whether to deliver. What is wrong with its proof is not told.
pub(crate) fn challenge(request: wire::CheckWebhookChallengeRequest) -> Result<Challenge, Fault> {
    let wire::CheckWebhookChallengeRequest { source_id, mode, verify_token, challenge } = request;
    let mut check = Check::new();
    check.ensure(!source_id.is_empty(), "source_id", "is required");
    // Nothing that a browser would take for more than a text.
    let is_plain = |c: u8| c.is_ascii_alphanumeric() || b"-._~+/=".contains(&c);
    let is_one = !challenge.is_empty() && challenge.len() <= MAX_WORD && challenge.bytes().all(is_plain);
    check.ensure(is_one, "challenge", "must be 1 to 200 letters, digits and -._~+/=");
    check.done("INVALID_WEBHOOK_CHALLENGE")?;
    Ok(Challenge {
        source: known_slug(source_id),
        mode,
        token: short(verify_token, MAX_WORD),
        echo: challenge,
    })
}

/// A text that is not too long; empty otherwise: then it is not good.
fn short(text: String, most: usize) -> String {
    if text.len() <= most { text } else { String::new() }
}

/// Nothing else is a name of a source; what is none is nobody's.
fn known_slug(id: String) -> String {
    short(id, fault::MAX_SLUG).replace('\0', "")
}

/// A source as it is shown.
pub(crate) fn source(source: WebhookSource, tenant: &TenantId, now: Timestamp) -> wire::WebhookSource {
    let (state, error) = (source.state(now), source.error());
    let WebhookSource {
        settings,
        version,
        updater,
        updated,
        active_mapping,
        last_delivery,
        // Told together.
        refused: _,
        unsigned: _,
    } = source;
    let Settings {
        id,
        channel,
        owner,
        language,
        category_hint,
        signature,
        secret: _,
        next_secret,
        silent_after,
        paused,
        max_per_author_hour,
        max_reply_length,
    } = settings;
    let (error_reason, error, since) =
        error.map(|one| (one.reason, one.words, Some(timestamp(one.since)))).unwrap_or_default();
    wire::WebhookSource {
        uri_path: format!("/v1/webhookSources/{tenant}/{id}/posts"),
        source_id: id,
        channel: channel.into(),
        owner,
        language,
        category_hint,
        signature: i32::from(signature.number()),
        has_next_secret: next_secret.is_some(),
        silent_after: silent_after.and_then(|after| after.try_into().ok()),
        paused,
        max_per_author_hour,
        max_reply_length,
        active_mapping,
        state: i32::from(state.number()),
        error_reason,
        error,
        error_time: since,
        last_delivery_time: last_delivery.map(timestamp),
        version,
        update_time: Some(timestamp(updated)),
        updater,
        verify_token: String::new(),
    }
}
