//! Event subscriptions: what is asked about them, and how they are shown.

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::time::Duration;

use fault::{Check, Fault};
use prost_types::Duration as WireDuration;
use proto::redress::feedback::v1 as wire;
use proto::timestamp;
use server::Secret;
use uuid::Uuid;
use webhook::Target;

use super::INVALID_REQUEST;
use crate::event_subscription::filter::Filter;
use crate::event_subscription::{
    DEFAULT_KEEP, DEFAULT_TIMEOUT, EventSubscription, MAX_FILTER, MAX_KEEP, MAX_TIMEOUT, MAX_TYPES,
    MIN_TIMEOUT, Progress, SOURCES, Wanted,
};

const INVALID_EVENT_SUBSCRIPTION: &str = "INVALID_EVENT_SUBSCRIPTION";
/// Longest title, and name of a message.
const MAX_TITLE: usize = 200;
/// Longest reason.
const MAX_REASON: usize = 2_000;

/// Full names of the messages that services tell: those of their `events.proto`.
static EVENT_TYPES: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let files = proto::descriptors().file.into_iter().filter(|file| file.name().ends_with("events.proto"));
    let names = files.flat_map(|file| {
        let package = file.package().to_owned();
        file.message_type.into_iter().map(move |message| format!("{package}.{}", message.name()))
    });
    names.collect()
});

/// A subscription somebody makes.
#[derive(Clone, Debug)]
pub(crate) struct CreatedSubscription {
    pub(crate) wanted: Wanted,
    pub(crate) secret: Secret,
    pub(crate) from_beginning: bool,
}

/// A subscription as somebody has seen it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SeenSubscription {
    pub(crate) id: Uuid,
    pub(crate) version: i64,
}

/// Reads the fields that say what is wanted. The filter is parsed here, which takes a thread of
/// its own: this is no work for the threads of calls.
fn wanted(
    check: &mut Check,
    (title, url, filter): (String, String, String),
    types: Vec<String>,
    timeout: Option<WireDuration>,
) -> Wanted {
    let title = check.required("title", title, MAX_TITLE);
    if url.trim().is_empty() {
        check.fail("url", "is required");
    } else if let Err(error) = url.parse::<Target>() {
        check.fail("url", error.to_string());
    }
    let mut types = check.list("types", types, MAX_TYPES);
    for (place, name) in types.iter().enumerate() {
        let known = EVENT_TYPES.contains(name);
        check.ensure(known, &format!("types[{place}]"), "is no message that a service tells");
    }
    types.sort_unstable();
    types.dedup();
    let filter = check.text("filter", filter, MAX_FILTER);
    if filter.chars().count() <= MAX_FILTER
        && let Err(wrong) = Filter::read(&filter)
    {
        check.fail("filter", wrong);
    }
    let timeout = check.duration("timeout_duration", timeout, MIN_TIMEOUT..=MAX_TIMEOUT, "1 s to 15 s");
    Wanted { title, url, types, filter, timeout: timeout.unwrap_or(DEFAULT_TIMEOUT) }
}

fn secret(check: &mut Check, secret: String) -> Secret {
    let is_one = secret.parse::<webhook::Secret>().is_ok();
    check.ensure(is_one, "secret", "must be whsec_ and 24 to 64 bytes in base64");
    Secret::from(secret)
}

fn seen(check: &mut Check, id: &str, version: i64) -> SeenSubscription {
    let id = check.id("event_subscription_id", id);
    check.ensure(version > 0, "expected_version", "is required");
    SeenSubscription { id, version }
}

pub(crate) fn created_subscription(
    request: wire::CreateEventSubscriptionRequest,
) -> Result<CreatedSubscription, Fault> {
    let wire::CreateEventSubscriptionRequest {
        request_id,
        title,
        url,
        secret: given,
        types,
        filter,
        timeout_duration,
        from_beginning,
    } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let secret = secret(&mut check, given);
    let wanted = wanted(&mut check, (title, url, filter), types, timeout_duration);
    check.done(INVALID_EVENT_SUBSCRIPTION)?;
    Ok(CreatedSubscription { wanted, secret, from_beginning })
}

pub(crate) fn updated_subscription(
    request: wire::UpdateEventSubscriptionRequest,
) -> Result<(SeenSubscription, Wanted), Fault> {
    let wire::UpdateEventSubscriptionRequest {
        request_id,
        event_subscription_id,
        expected_version,
        title,
        url,
        types,
        filter,
        timeout_duration,
    } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let seen = seen(&mut check, &event_subscription_id, expected_version);
    let wanted = wanted(&mut check, (title, url, filter), types, timeout_duration);
    check.done(INVALID_EVENT_SUBSCRIPTION)?;
    Ok((seen, wanted))
}

pub(crate) fn rotated_secret(
    request: wire::RotateEventSubscriptionSecretRequest,
) -> Result<(SeenSubscription, Secret, Duration), Fault> {
    let wire::RotateEventSubscriptionSecretRequest {
        request_id,
        event_subscription_id,
        expected_version,
        secret: given,
        keep_duration,
    } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let seen = seen(&mut check, &event_subscription_id, expected_version);
    let secret = secret(&mut check, given);
    let keep = check.duration("keep_duration", keep_duration, Duration::ZERO..=MAX_KEEP, "0 s to 30 d");
    check.done(INVALID_EVENT_SUBSCRIPTION)?;
    Ok((seen, secret, keep.unwrap_or(DEFAULT_KEEP)))
}

pub(crate) fn paused_subscription(
    request: wire::PauseEventSubscriptionRequest,
) -> Result<(Uuid, String), Fault> {
    let wire::PauseEventSubscriptionRequest { request_id, event_subscription_id, reason } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let id = check.id("event_subscription_id", &event_subscription_id);
    let reason = check.required("reason", reason, MAX_REASON);
    check.done(INVALID_EVENT_SUBSCRIPTION)?;
    Ok((id, reason))
}

pub(crate) fn resumed_subscription(request: wire::ResumeEventSubscriptionRequest) -> Result<Uuid, Fault> {
    let wire::ResumeEventSubscriptionRequest { request_id, event_subscription_id } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let id = check.id("event_subscription_id", &event_subscription_id);
    check.done(INVALID_EVENT_SUBSCRIPTION)?;
    Ok(id)
}

/// The subscription, the service whose feed it is, and the position that is gone back to.
pub(crate) fn replayed_subscription(
    request: wire::ReplayEventSubscriptionRequest,
) -> Result<(Uuid, String, i64), Fault> {
    let wire::ReplayEventSubscriptionRequest { request_id, event_subscription_id, source, position } =
        request;
    let mut check = Check::new();
    check.request_id(request_id);
    let id = check.id("event_subscription_id", &event_subscription_id);
    let is_one = SOURCES.contains(&source.as_str());
    check.ensure(is_one, "source", &format!("must be one of {}", SOURCES.join(", ")));
    check.ensure(position >= 0, "position", "must not be negative");
    check.done(INVALID_EVENT_SUBSCRIPTION)?;
    Ok((id, source, position))
}

pub(crate) fn deleted_subscription(
    request: wire::DeleteEventSubscriptionRequest,
) -> Result<SeenSubscription, Fault> {
    let wire::DeleteEventSubscriptionRequest { request_id, event_subscription_id, expected_version } =
        request;
    let mut check = Check::new();
    check.request_id(request_id);
    let seen = seen(&mut check, &event_subscription_id, expected_version);
    check.done(INVALID_EVENT_SUBSCRIPTION)?;
    Ok(seen)
}

pub(crate) fn subscription_key(request: &wire::GetEventSubscriptionRequest) -> Result<Uuid, Fault> {
    let mut check = Check::new();
    let id = check.id("event_subscription_id", &request.event_subscription_id);
    check.done(INVALID_REQUEST)?;
    Ok(id)
}

/// A subscription as it is shown: without its secrets.
pub(crate) fn event_subscription(one: EventSubscription, progress: Vec<Progress>) -> wire::EventSubscription {
    let state = i32::from(one.state().number());
    let (reason, pauser, since) =
        one.pause.map(|pause| (pause.reason, pause.by, Some(pause.at))).unwrap_or_default();
    let Wanted { title, url, types, filter, timeout } = one.wanted;
    wire::EventSubscription {
        event_subscription_id: one.id.to_string(),
        version: one.version,
        title,
        url,
        types,
        filter,
        timeout_duration: WireDuration::try_from(timeout).ok(),
        old_secret_expire_time: one.old_secret.map(|(_, until)| timestamp(until)),
        state,
        pause_reason: reason,
        pauser,
        pause_time: since.map(timestamp),
        progress: progress.into_iter().map(shown_progress).collect(),
        creator: one.creator,
        create_time: Some(timestamp(one.created)),
        update_time: Some(timestamp(one.updated)),
    }
}

fn shown_progress(progress: Progress) -> wire::EventSubscriptionProgress {
    wire::EventSubscriptionProgress {
        source: progress.source,
        position: progress.position,
        posted_count: progress.posted,
        last_post_time: progress.posted_at.map(timestamp),
        failures: progress.failures,
        failing_since_time: progress.failing_since.map(timestamp),
        last_error: progress.last_error,
        next_try_time: progress.next_try.map(timestamp),
    }
}
