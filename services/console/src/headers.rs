//! What browsers are told of every answer: what a page may load and who may show it.

use anyhow::Context as _;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, ORIGIN, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue, Method, Uri};

use crate::app::App;
use crate::problem::Problem;

/// Everything is ours: no third party's, nothing within a page, nothing that makes code of text.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     font-src 'self'; manifest-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

const SECURITY: [(HeaderName, HeaderValue); 5] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), microphone=(), geolocation=(), payment=()"),
    ),
];
/// A year, as browsers ask for.
const TLS_ONLY: HeaderValue = HeaderValue::from_static("max-age=31536000");
/// Complaints are nobody's to keep.
const KEPT_NOWHERE: HeaderValue = HeaderValue::from_static("no-store");
const FETCH_SITE: &str = "sec-fetch-site";

/// What pages may do. Signing out sends a form on to the identity provider.
pub(crate) fn policy(identity_provider: Option<&str>) -> anyhow::Result<HeaderValue> {
    let text = match identity_provider {
        Some(origin) => format!("{POLICY} {origin}"),
        None => POLICY.to_owned(),
    };
    HeaderValue::from_str(&text).context("the identity provider's address is no address")
}

/// Tells browsers, and refuses what a page of somebody else's sends.
pub(crate) async fn layer(State(app): State<App>, request: Request, next: Next) -> Response {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let mut answer =
        if is_read || is_ours(&app, &request) { next.run(request).await } else { Problem::foreign().plain() };
    let headers = answer.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, app.policy.clone());
    for (name, value) in SECURITY {
        headers.insert(name, value);
    }
    if app.is_secure {
        headers.insert(STRICT_TRANSPORT_SECURITY, TLS_ONLY);
    }
    headers.entry(CACHE_CONTROL).or_insert(KEPT_NOWHERE);
    answer
}

/// Whether a page of ours sent it, as far as the browser says.
fn is_ours(app: &App, request: &Request) -> bool {
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text(FETCH_SITE) {
        return matches!(site, "same-origin" | "none");
    }
    let authority = |uri: &str| uri.parse::<Uri>().ok()?.authority().map(ToString::to_string);
    let Some(origin) = text(ORIGIN.as_str()) else { return true };
    let over_http2 = request.uri().authority().map(ToString::to_string);
    let host = over_http2.or_else(|| text(HOST.as_str()).map(str::to_owned));
    let own = app.url.as_deref().and_then(authority).or(host);
    own.is_some() && authority(origin) == own
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_lets_nothing_within_a_page_run() {
        let policy = policy(Some("https://id.example.org")).unwrap();
        let policy = policy.to_str().unwrap();
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
        assert!(policy.ends_with("form-action 'self' https://id.example.org"), "{policy}");
    }
}
