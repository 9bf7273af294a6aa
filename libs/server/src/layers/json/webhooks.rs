//! Deliveries of webhooks over plain HTTP: the body as it is, signed in its headers.
//!
//! ```text
//! POST /v1/webhookSources/{tenant}/{source_id}/posts   ReceiveWebhook, by whoever signs
//! ```

use std::sync::Arc;

use bytes::Bytes;
use fault::{Fault, Kind};
use http::header::CONTENT_ENCODING;
use http::{HeaderMap, Method, Request, StatusCode};
use prost::Message as _;
use proto::redress::intake::v1::ReceiveWebhookRequest;
use tonic::body::Body;
use transcoding::Contracts;

use super::spoken::{Dialect, Spoken};
use super::{Decision, plain};
use crate::webhook_request::WebhookRequest;

const SOURCES: &str = "/v1/webhookSources/";
const POSTS: &str = "/posts";
const RECEIVE: &str = "/redress.intake.v1.WebhookSourceService/ReceiveWebhook";

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

/// What a request is, if it is a delivery.
pub(crate) fn decide(contracts: &Arc<Contracts>, request: &Request<Body>) -> Option<Decision> {
    let (tenant, source) = addressed(request.uri().path())?;
    if request.method() != Method::POST {
        return Some(Decision::Answer(plain::other_methods(request.method(), &[&Method::POST])));
    }
    let headers = request.headers();
    if !headers.get_all(CONTENT_ENCODING).iter().all(|encoding| encoding == "identity") {
        let sentence = "a delivery is sent as it is signed: without Content-Encoding";
        let fault = Fault::new(Kind::Invalid, "UNSUPPORTED_MEDIA_TYPE", sentence);
        return Some(Decision::Answer(plain::refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, fault)));
    }
    let delivery = Delivery {
        asked: WebhookRequest::new(tenant.to_owned()),
        request: ReceiveWebhookRequest {
            source_id: source.to_owned(),
            webhook_id: header(headers, "webhook-id"),
            webhook_timestamp: header(headers, "webhook-timestamp"),
            webhook_signature: header(headers, "webhook-signature"),
            hub_signature: header(headers, "x-hub-signature-256"),
            body: Vec::new(),
        },
    };
    let rpc = contracts.rpc(RECEIVE)?;
    Some(Decision::Call(Spoken {
        contracts: Arc::clone(contracts),
        rpc,
        dialect: Dialect::Webhook(delivery),
    }))
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
    fn a_header_that_is_there_twice_is_none() {
        let mut headers = HeaderMap::new();
        assert_eq!(header(&headers, "webhook-id"), "");
        headers.append("webhook-id", "a".parse().unwrap());
        assert_eq!(header(&headers, "webhook-id"), "a");
        headers.append("webhook-id", "a".parse().unwrap());
        assert_eq!(header(&headers, "webhook-id"), "");
    }
}
