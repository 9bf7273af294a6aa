//! Deliveries of webhooks over plain HTTP: the body as it is, signed in its headers.
//!
//! ```text
//! POST /v1/webhookSources/{tenant}/{source_id}/posts   ReceiveWebhook, by whoever signs
//! GET  the same, ?hub.mode=…&hub.verify_token=…&hub.challenge=…   CheckWebhookChallenge
//! ```

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use fault::{Fault, Kind};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use percent_encoding::percent_decode_str;
use prost::Message as _;
use proto::redress::intake::v1::{
    CheckWebhookChallengeRequest, CheckWebhookChallengeResponse, ReceiveWebhookRequest,
};
use tonic::body::Body;
use transcoding::Contracts;
use transcoding::status::http_status;

use super::spoken::{Dialect, Spoken};
use super::{Decision, plain};
use crate::webhook_request::WebhookRequest;

const SOURCES: &str = "/v1/webhookSources/";
const POSTS: &str = "/posts";
const RECEIVE: &str = "/redress.intake.v1.WebhookSourceService/ReceiveWebhook";
const CHECK: &str = "/redress.intake.v1.WebhookSourceService/CheckWebhookChallenge";
/// Most bytes of what is asked with a challenge; of more nothing is read.
const MAX_QUERY: usize = 2_048;

/// A delivery, but for its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delivery {
    /// Whose it says that it is.
    pub(crate) asked: WebhookRequest,
    request: ReceiveWebhookRequest,
}

impl Delivery {
    /// The request of the rpc that takes it.
    pub(crate) fn message(&self, body: &Bytes) -> Vec<u8> {
        ReceiveWebhookRequest { body: body.to_vec(), ..self.request.clone() }.encode_to_vec()
    }
}

/// A question whether to deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Challenge {
    /// Whose it says that it is.
    pub(crate) asked: WebhookRequest,
    request: CheckWebhookChallengeRequest,
}

impl Challenge {
    /// The request of the rpc that answers it.
    pub(crate) fn message(&self) -> Vec<u8> {
        self.request.encode_to_vec()
    }
}

/// The challenge, and nothing else.
pub(crate) fn answered(message: &[u8]) -> Result<Response<Body>, Fault> {
    let CheckWebhookChallengeResponse { challenge } =
        CheckWebhookChallengeResponse::decode(message).map_err(Fault::internal)?;
    let mut response = Response::new(Body::new(Full::new(Bytes::from(challenge))));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    plain::unshared(response.headers_mut());
    Ok(response)
}

/// No answer, and nothing that tells why: whoever asks is not known.
pub(crate) fn unanswered(code: i32, retry_after: Option<u64>) -> Response<Body> {
    let status = http_status(code);
    let comes_again = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = if comes_again { status } else { StatusCode::FORBIDDEN };
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    plain::unshared(response.headers_mut());
    response
}

/// What a request is, if it is for a webhook.
pub(crate) fn decide(contracts: &Arc<Contracts>, request: &Request<Body>) -> Option<Decision> {
    let (tenant, source) = addressed(request.uri().path())?;
    let asked = WebhookRequest::new(tenant.to_owned());
    let call = |rpc: &str, dialect| {
        let rpc = contracts.rpc(rpc)?;
        Some(Decision::Call(Spoken { contracts: Arc::clone(contracts), rpc, dialect }))
    };
    if [Method::GET, Method::HEAD].contains(request.method()) {
        let request = challenged(source, request.uri().query().unwrap_or_default());
        return call(CHECK, Dialect::Challenge(Challenge { asked, request }));
    }
    if request.method() != Method::POST {
        return Some(Decision::Answer(plain::other_methods(
            request.method(),
            &[&Method::GET, &Method::POST],
        )));
    }
    let headers = request.headers();
    if !headers.get_all(CONTENT_ENCODING).iter().all(|encoding| encoding == "identity") {
        let sentence = "a delivery is sent as it is signed: without Content-Encoding";
        let fault = Fault::new(Kind::Invalid, "UNSUPPORTED_MEDIA_TYPE", sentence);
        return Some(Decision::Answer(plain::refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, fault)));
    }
    let request = ReceiveWebhookRequest {
        source_id: source.to_owned(),
        webhook_id: header(headers, "webhook-id"),
        webhook_timestamp: header(headers, "webhook-timestamp"),
        webhook_signature: header(headers, "webhook-signature"),
        hub_signature: header(headers, "x-hub-signature-256"),
        body: Vec::new(),
    };
    call(RECEIVE, Dialect::Webhook(Delivery { asked, request }))
}

/// What is asked with a challenge. What is there twice, or is no text, is not there.
fn challenged(source: &str, query: &str) -> CheckWebhookChallengeRequest {
    let query = if query.len() <= MAX_QUERY { query } else { "" };
    let one = |name: &str| {
        let mut values =
            query.split('&').filter_map(|pair| pair.split_once('=')).filter(|(key, _)| *key == name);
        let value = values.next().map_or("", |(_, value)| value).replace('+', " ");
        let is_one = values.next().is_none();
        let text = percent_decode_str(&value).decode_utf8().ok().filter(|_| is_one);
        text.map(Cow::into_owned).unwrap_or_default()
    };
    CheckWebhookChallengeRequest {
        source_id: source.to_owned(),
        mode: one("hub.mode"),
        verify_token: one("hub.verify_token"),
        challenge: one("hub.challenge"),
    }
}

/// The tenant and the source that a path names.
fn addressed(path: &str) -> Option<(&str, &str)> {
    let (tenant, source) = path.strip_prefix(SOURCES)?.strip_suffix(POSTS)?.split_once('/')?;
    let is_one = |name: &str| !name.is_empty() && !name.contains('/');
    (is_one(tenant) && is_one(source)).then_some((tenant, source))
}

/// A header that is there once, as text; empty otherwise: then the signature is not good.
fn header(headers: &HeaderMap, name: &str) -> String {
    let mut values = headers.get_all(name).iter();
    let value = values.next().and_then(|value| value.to_str().ok()).unwrap_or_default();
    if values.next().is_some() { String::new() } else { value.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_tenant_and_source() {
        for (path, expected) in [
            ("/v1/webhookSources/acme/weibo/posts", Some(("acme", "weibo"))),
            ("/v1/webhookSources/acme/posts", None),
            ("/v1/webhookSources//weibo/posts", None),
            ("/v1/webhookSources/acme//posts", None),
            ("/v1/webhookSources/acme/a/b/posts", None),
            ("/v1/webhookSources/acme/weibo/posts/", None),
            ("/v1/webhookSources/weibo/mappings", None),
        ] {
            assert_eq!(addressed(path), expected, "{path}");
        }
    }

    #[test]
    fn what_is_asked_with_a_challenge_is_there_once() {
        let asked = |query: &str| {
            let CheckWebhookChallengeRequest { mode, verify_token, challenge, .. } =
                challenged("page", query);
            [mode, verify_token, challenge]
        };
        let all = "hub.mode=subscribe&hub.challenge=11%2F58&hub.verify_token=a+b&x=y";
        assert_eq!(asked(all), ["subscribe", "a b", "11/58"]);
        assert_eq!(asked("hub.mode=a&hub.mode=a&hub.challenge&hub.verify_token=%ff"), ["", "", ""]);
        assert_eq!(asked(""), ["", "", ""]);
        let long = format!("hub.mode=subscribe&hub.challenge={}", "1".repeat(MAX_QUERY));
        assert_eq!(asked(&long), ["", "", ""]);
    }

    #[test]
    fn a_refusal_says_nothing_and_an_outage_that_it_is_one() {
        for (code, expected) in [(16, 403), (3, 403), (5, 403), (7, 403), (8, 429), (13, 500), (14, 503)] {
            let response = unanswered(code, Some(3));
            assert_eq!(response.status().as_u16(), expected, "{code}");
            assert!(http_body::Body::is_end_stream(response.body()));
            assert_eq!(response.headers().get(CONTENT_TYPE), None);
        }
    }

    #[test]
    fn a_header_that_is_there_twice_is_none() {
        let mut headers = HeaderMap::new();
        assert_eq!(header(&headers, "webhook-id"), "");
        headers.append("webhook-id", "a".parse().unwrap());
        assert_eq!(header(&headers, "webhook-id"), "a");
        headers.append("webhook-id", "a".parse().unwrap());
        assert_eq!(header(&headers, "webhook-id"), "");
    }
}
