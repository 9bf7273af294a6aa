//! Endpoints: what is asked about them, how they are shown, and what is told.

use std::time::Duration;

use fault::{Check, Fault};
use kernel::page::Page;
use proto::redress::resolution::v1;
use proto::timestamp;
use server::Secret;
use webhook::Target;

use super::deliveries::duration;
use super::{INVALID_REQUEST, MAX_REASON, note};
use crate::endpoint::{
    DEFAULT_HOLD, DEFAULT_KEEP, DEFAULT_TIMEOUT, Endpoint, EndpointKind, EndpointPause, MAX_HOLD, MAX_KEEP,
    MAX_TIMEOUT, MIN_HOLD, MIN_TIMEOUT, Setting,
};

const INVALID_ENDPOINT: &str = "INVALID_ENDPOINT";
const INVALID_SECRET: &str = "INVALID_SECRET";
/// Shortest and longest token of a gRPC endpoint.
const TOKEN_LENGTH: std::ops::RangeInclusive<usize> = 16..=200;

/// Another secret for an endpoint.
#[derive(Clone)]
pub(crate) struct Rotation {
    pub(crate) department_id: String,
    pub(crate) seen: Option<i64>,
    secret: String,
    keep: Option<Duration>,
}

/// A pause begins or ends.
#[derive(Clone)]
pub(crate) struct Turn {
    pub(crate) department_id: String,
    pub(crate) reason: String,
}

/// Endpoints, page by page.
pub(crate) struct EndpointQuery {
    pub(crate) page: Page,
    pub(crate) after: String,
}

pub(crate) fn setting(request: v1::SetEndpointRequest) -> Result<(Setting, Option<i64>), Fault> {
    let v1::SetEndpointRequest {
        request_id,
        department_id,
        expected_version,
        kind,
        url,
        secret,
        timeout_duration,
        hold_duration,
    } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let department_id = check.slug("department_id", department_id);
    let known = i16::try_from(kind).ok().and_then(EndpointKind::of);
    check.ensure(known.is_some(), "kind", if kind == 0 { "is required" } else { "is not known" });
    let kind = known.unwrap_or(EndpointKind::Webhook);
    address(&mut check, &url, kind);
    if !secret.is_empty() && known.is_some() {
        check.ensure(is_secret(&secret, kind), "secret", secret_rule(kind));
    }
    let timeout =
        check.duration("timeout_duration", timeout_duration, MIN_TIMEOUT..=MAX_TIMEOUT, "1 s to 15 s");
    let hold = check.duration("hold_duration", hold_duration, MIN_HOLD..=MAX_HOLD, "1 min to 30 d");
    check.done(INVALID_ENDPOINT)?;
    let setting = Setting {
        department_id,
        kind,
        url,
        secret: (!secret.is_empty()).then(|| Secret::from(secret)),
        timeout: timeout.unwrap_or(DEFAULT_TIMEOUT),
        hold: hold.unwrap_or(DEFAULT_HOLD),
    };
    Ok((setting, expected_version))
}

fn address(check: &mut Check, url: &str, kind: EndpointKind) {
    if url.trim().is_empty() {
        check.fail("url", "is required");
        return;
    }
    match url.parse::<Target>() {
        Err(error) => check.fail("url", error.to_string()),
        Ok(target) => {
            let is_bare = matches!(
                target.uri().path_and_query().map(http::uri::PathAndQuery::as_str),
                None | Some("/")
            );
            check.ensure(kind != EndpointKind::Grpc || is_bare, "url", "must not have a path for gRPC");
        }
    }
}

fn is_secret(text: &str, kind: EndpointKind) -> bool {
    match kind {
        EndpointKind::Webhook => text.parse::<webhook::Secret>().is_ok(),
        EndpointKind::Grpc => {
            TOKEN_LENGTH.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
        }
    }
}

fn secret_rule(kind: EndpointKind) -> &'static str {
    match kind {
        EndpointKind::Webhook => "must be whsec_ and 24 to 64 bytes in base64",
        EndpointKind::Grpc => "must have 16 to 200 visible characters of ASCII",
    }
}

/// Refuses a setting that does not fit the endpoint there is.
pub(crate) fn fitting(setting: &Setting, present: Option<&Endpoint>) -> Result<(), Fault> {
    let mut check = Check::new();
    note(&mut check, "", setting.flaws(present));
    check.done(INVALID_ENDPOINT)
}

pub(crate) fn rotation(request: v1::RotateEndpointSecretRequest) -> Result<Rotation, Fault> {
    let v1::RotateEndpointSecretRequest {
        request_id,
        department_id,
        expected_version,
        secret,
        keep_duration,
    } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let department_id = check.slug("department_id", department_id);
    check.ensure(!secret.is_empty(), "secret", "is required");
    let keep = check.duration("keep_duration", keep_duration, Duration::ZERO..=MAX_KEEP, "0 s to 30 d");
    check.done(INVALID_SECRET)?;
    Ok(Rotation { department_id, seen: expected_version, secret, keep })
}

/// The new secret and for how long the old one signs as well, where they are for this kind
/// of endpoint.
pub(crate) fn new_secret(rotation: Rotation, kind: EndpointKind) -> Result<(Secret, Duration), Fault> {
    let Rotation { secret, keep, .. } = rotation;
    let mut check = Check::new();
    check.ensure(is_secret(&secret, kind), "secret", secret_rule(kind));
    check.ensure(
        kind == EndpointKind::Webhook || keep.is_none(),
        "keep_duration",
        "is not for gRPC, which is shown one token",
    );
    check.done(INVALID_SECRET)?;
    Ok((Secret::from(secret), keep.unwrap_or(DEFAULT_KEEP)))
}

pub(crate) fn reading(request: v1::GetEndpointRequest) -> Result<String, Fault> {
    let v1::GetEndpointRequest { department_id } = request;
    let mut check = Check::new();
    let department_id = check.slug("department_id", department_id);
    check.done(INVALID_REQUEST)?;
    Ok(department_id)
}

pub(crate) fn listing(request: v1::ListEndpointsRequest) -> Result<EndpointQuery, Fault> {
    let v1::ListEndpointsRequest { page_size, page_token } = request;
    let mut check = Check::new();
    let page = check.page(page_size, &page_token, "endpoints");
    check.done(INVALID_REQUEST)?;
    let after = page.after.clone().unwrap_or_default();
    Ok(EndpointQuery { page, after })
}

pub(crate) fn pausing(request: v1::PauseEndpointRequest) -> Result<Turn, Fault> {
    let v1::PauseEndpointRequest { request_id, department_id, reason } = request;
    turn(request_id, department_id, reason)
}

pub(crate) fn resuming(request: v1::ResumeEndpointRequest) -> Result<Turn, Fault> {
    let v1::ResumeEndpointRequest { request_id, department_id, reason } = request;
    turn(request_id, department_id, reason)
}

fn turn(request_id: String, department_id: String, reason: String) -> Result<Turn, Fault> {
    let mut check = Check::new();
    check.request_id(request_id);
    let department_id = check.slug("department_id", department_id);
    let reason = check.required("reason", reason, MAX_REASON);
    check.done("INVALID_REASON")?;
    Ok(Turn { department_id, reason })
}

pub(crate) fn deletion(request: v1::DeleteEndpointRequest) -> Result<(String, Option<i64>), Fault> {
    let v1::DeleteEndpointRequest { request_id, department_id, expected_version } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let department_id = check.slug("department_id", department_id);
    check.done(INVALID_REQUEST)?;
    Ok((department_id, expected_version))
}

/// An endpoint as it is shown: without its secrets.
pub(crate) fn endpoint(endpoint: &Endpoint) -> v1::Endpoint {
    let pause = endpoint.pause.as_ref();
    v1::Endpoint {
        department_id: endpoint.department_id.clone(),
        version: endpoint.version,
        kind: i32::from(endpoint.kind.number()),
        url: endpoint.url.clone(),
        has_secret: endpoint.secret.is_some(),
        old_secret_expire_time: endpoint.old_secret.as_ref().map(|(_, until)| timestamp(*until)),
        timeout_duration: Some(duration(endpoint.timeout)),
        hold_duration: Some(duration(endpoint.hold)),
        state: i32::from(endpoint.state().number()),
        pause_reason: pause.map(|pause| pause.reason.clone()).unwrap_or_default(),
        pauser: pause.map(|pause| pause.by.clone()).unwrap_or_default(),
        pause_time: pause.map(|pause| timestamp(pause.at)),
        failures: endpoint.failures,
        failing_since_time: endpoint.failing_since.map(timestamp),
        update_time: Some(timestamp(endpoint.updated_at)),
    }
}

pub(crate) fn paused(endpoint: &Endpoint, pause: &EndpointPause) -> v1::EndpointPaused {
    v1::EndpointPaused {
        department_id: endpoint.department_id.clone(),
        reason: pause.reason.clone(),
        pauser: pause.by.clone(),
        failures: endpoint.failures,
    }
}

pub(crate) fn resumed(department_id: &str, resumer: &str, reason: String) -> v1::EndpointResumed {
    v1::EndpointResumed { department_id: department_id.to_owned(), resumer: resumer.to_owned(), reason }
}
