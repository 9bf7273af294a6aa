//! What is no call at all is answered in plain HTTP, and so is a browser that has been
//! led here by a page of somebody else's.

use std::future::{Ready, ready};
use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use fault::{Fault, Kind};
use futures::future::Either;
use http::header::{ALLOW, CONTENT_TYPE, HOST, ORIGIN};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, Version};
use tonic::body::Body;
use tower::Service;

use super::json::Spoken;
use super::refuse;

/// What gRPC over HTTP/2 is sent as; parameters may follow.
const GRPC: [&str; 2] = ["application/grpc", "application/grpc+proto"];
/// What gRPC-Web is sent as, and nothing may follow.
const GRPC_WEB: [&str; 4] = [
    "application/grpc-web",
    "application/grpc-web+proto",
    "application/grpc-web-text",
    "application/grpc-web-text+proto",
];

/// The pages that may call, where callers prove nothing.
///
/// A browser on the same machine can be led to a server on the loopback by any page: by
/// a name of the page's own that points there (DNS rebinding), or across origins. So
/// while nobody proves who they are, browsers reach it by a name of this machine, or of
/// an origin that is set, and from pages of the server itself or of such origins.
#[derive(Clone)]
pub(crate) struct Pages {
    origins: Arc<[HeaderValue]>,
}

impl Pages {
    pub(crate) fn new(origins: Vec<HeaderValue>) -> Self {
        Self { origins: origins.into() }
    }

    /// Refuses a browser's call that no page of ours has made.
    pub(crate) fn check<B>(&self, request: &Request<B>, is_web: bool) -> Result<(), Fault> {
        let headers = request.headers();
        let host = host(request);
        if let Some(origin) = headers.get(ORIGIN) {
            let own = host.as_deref().is_some_and(|host| authority(origin).as_deref() == Some(host));
            if !own && !self.origins.contains(origin) {
                return Err(foreign("ORIGIN_NOT_ALLOWED", "pages of this origin may not call this server"));
            }
        }
        let is_ours = |host: &str| {
            is_this_machine(host)
                || self.origins.iter().any(|origin| authority(origin).as_deref() == Some(host))
        };
        if is_web && !host.as_deref().is_some_and(is_ours) {
            let sentence = "this server proves nobody's identity, so browsers reach it by a name of its own \
                            machine only: localhost or 127.0.0.1";
            return Err(foreign("HOST_NOT_ALLOWED", sentence));
        }
        Ok(())
    }
}

fn foreign(reason: &'static str, sentence: &'static str) -> Fault {
    Fault::new(Kind::Forbidden, reason, sentence)
}

/// Whom a request is addressed to, with the port if there is one.
fn host<B>(request: &Request<B>) -> Option<String> {
    let named = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let authority = request.uri().authority().map(http::uri::Authority::as_str);
    // HTTP/2 says it in the address; a header that says otherwise would be a trick.
    authority.or(named).map(str::to_ascii_lowercase)
}

fn authority(origin: &HeaderValue) -> Option<String> {
    let uri: Uri = origin.to_str().ok()?.parse().ok()?;
    uri.authority().map(|authority| authority.as_str().to_ascii_lowercase())
}

fn is_this_machine(host: &str) -> bool {
    let Ok(authority) = host.parse::<http::uri::Authority>() else { return false };
    let name = authority.host();
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Answers what is no call, and passes the rest on. Outside of all that knows calls.
#[derive(Clone)]
pub(crate) struct HttpRules<S> {
    inner: S,
    /// None where callers prove who they are.
    pages: Option<Pages>,
}

impl<S> HttpRules<S> {
    pub(crate) fn new(inner: S, pages: Option<Pages>) -> Self {
        Self { inner, pages }
    }

    /// The answer to what is no call that may pass; none to what may.
    fn answer(&self, request: &Request<Body>) -> Option<Response<Body>> {
        let told = content_type(request.headers());
        let is_web = told.is_some_and(|told| GRPC_WEB.contains(&told));
        // Made a call of already; it came as browsers can send it.
        let is_spoken = request.extensions().get::<Arc<Spoken>>().is_some();
        let answer = if is_spoken {
            refuse(self.pages.as_ref().and_then(|pages| pages.check(request, true).err())?)
        } else if request.method() != Method::POST {
            plain(
                StatusCode::METHOD_NOT_ALLOWED,
                "Redress speaks gRPC, gRPC-Web and Connect here: calls are POST. HTTP/JSON is below /v1, see /openapi.json.\n",
            )
        } else if !is_web && !told.is_some_and(is_grpc) {
            plain(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Redress speaks gRPC (application/grpc), gRPC-Web (application/grpc-web) and Connect \
                 (application/json, application/proto) here. HTTP/JSON is below /v1, see /openapi.json.\n",
            )
        } else if !is_web && request.version() != Version::HTTP_2 {
            plain(
                StatusCode::HTTP_VERSION_NOT_SUPPORTED,
                "gRPC needs HTTP/2; over HTTP/1.1 there is gRPC-Web. A proxy must speak HTTP/2 to this server.\n",
            )
        } else {
            let fault = self.pages.as_ref().and_then(|pages| pages.check(request, is_web).err())?;
            let mut refusal = refuse(fault);
            if let Some(told) = request.headers().get(CONTENT_TYPE) {
                refusal.headers_mut().insert(CONTENT_TYPE, told.clone());
            }
            refusal
        };
        Some(answer)
    }
}

fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(CONTENT_TYPE)?.to_str().ok()
}

fn is_grpc(told: &str) -> bool {
    let kind = told.split_once(';').map_or(told, |(kind, _)| kind.trim_end());
    GRPC.contains(&kind)
}

fn plain(status: StatusCode, sentence: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::new(http_body_util::Full::from(sentence)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    }
    response
}

impl<S> Service<Request<Body>> for HttpRules<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Either<S::Future, Ready<Result<Response<Body>, S::Error>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match self.answer(&request) {
            Some(answer) => Either::Right(ready(Ok(answer))),
            None => Either::Left(self.inner.call(request)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(version: Version, headers: &[(&str, &str)]) -> Request<Body> {
        let mut request = Request::builder().method(Method::POST).uri("/a.B/C").version(version);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::empty()).unwrap()
    }

    fn rules(origins: &[&'static str]) -> HttpRules<()> {
        let origins = origins.iter().map(|origin| HeaderValue::from_static(origin)).collect();
        HttpRules::new((), Some(Pages::new(origins)))
    }

    /// The reason a browser's call is refused for; none where it may pass.
    fn refused(rules: &HttpRules<()>, host: &str, origin: Option<&str>) -> Option<String> {
        let mut headers = vec![("content-type", "application/grpc-web+proto"), ("host", host)];
        headers.extend(origin.map(|origin| ("origin", origin)));
        let answer = rules.answer(&request(Version::HTTP_11, &headers))?;
        assert_eq!(answer.headers()["content-type"], "application/grpc-web+proto");
        Some(testkit::reason(&tonic::Status::from_header_map(answer.headers()).unwrap()))
    }

    #[test]
    fn a_browser_comes_by_a_name_of_this_machine_and_from_a_page_of_its_own() {
        let nothing_set = rules(&[]);
        for (host, origin, refusal) in [
            ("localhost:50051", None, None),
            ("127.0.0.1:50051", None, None),
            ("127.8.8.8", None, None),
            ("[::1]:50051", None, None),
            ("LOCALHOST:50051", Some("http://localhost:50051"), None),
            ("evil.example", None, Some("HOST_NOT_ALLOWED")),
            ("evil.example:50051", Some("http://evil.example:50051"), Some("HOST_NOT_ALLOWED")),
            ("localhost.evil.example", None, Some("HOST_NOT_ALLOWED")),
            ("127.0.0.1.evil.example", None, Some("HOST_NOT_ALLOWED")),
            ("192.0.2.1:50051", None, Some("HOST_NOT_ALLOWED")),
            ("", None, Some("HOST_NOT_ALLOWED")),
            ("localhost:50051", Some("https://evil.example"), Some("ORIGIN_NOT_ALLOWED")),
            ("localhost:50051", Some("null"), Some("ORIGIN_NOT_ALLOWED")),
            ("localhost:50051", Some("http://localhost:3000"), Some("ORIGIN_NOT_ALLOWED")),
        ] {
            assert_eq!(refused(&nothing_set, host, origin).as_deref(), refusal, "{host} {origin:?}");
        }
        let desk = rules(&["https://desk.example.org"]);
        for (host, origin, refusal) in [
            ("localhost:50051", Some("https://desk.example.org"), None),
            ("desk.example.org", Some("https://desk.example.org"), None),
            ("other.example.org", Some("https://desk.example.org"), Some("HOST_NOT_ALLOWED")),
            ("localhost:50051", Some("http://desk.example.org"), Some("ORIGIN_NOT_ALLOWED")),
        ] {
            assert_eq!(refused(&desk, host, origin).as_deref(), refusal, "{host} {origin:?}");
        }
    }

    #[test]
    fn who_proves_an_identity_comes_from_anywhere() {
        let open = HttpRules::new((), None);
        assert_eq!(refused(&open, "api.example.org", Some("https://elsewhere.example")), None);
    }

    #[test]
    fn grpc_comes_under_any_name_unless_a_page_sends_it() {
        let rules = rules(&[]);
        let plain = [("content-type", "application/grpc"), ("host", "redress.internal")];
        assert!(rules.answer(&request(Version::HTTP_2, &plain)).is_none());
        let page = [plain[0], plain[1], ("origin", "https://evil.example")];
        assert!(rules.answer(&request(Version::HTTP_2, &page)).is_some());
    }

    #[test]
    fn what_is_no_call_is_answered_in_http() {
        let rules = rules(&[]);
        let answer = |version, told: &str| {
            let headers = [("content-type", told), ("host", "localhost")];
            rules.answer(&request(version, &headers)).map(|answer| answer.status().as_u16())
        };
        for told in ["application/grpc", "application/grpc+proto", "application/grpc; charset=utf-8"] {
            assert_eq!(answer(Version::HTTP_2, told), None, "{told}");
            assert_eq!(answer(Version::HTTP_11, told), Some(505), "{told}");
        }
        for told in GRPC_WEB {
            assert_eq!((answer(Version::HTTP_2, told), answer(Version::HTTP_11, told)), (None, None));
        }
        for told in ["", "application/json", "application/grpc+json", "application/grpc-web;x", "text/plain"]
        {
            assert_eq!(answer(Version::HTTP_2, told), Some(415), "{told}");
            assert_eq!(answer(Version::HTTP_11, told), Some(415), "{told}");
        }
        for method in [Method::GET, Method::HEAD, Method::PUT, Method::OPTIONS] {
            let mut other = request(Version::HTTP_2, &[("content-type", "application/grpc")]);
            *other.method_mut() = method;
            let answer = rules.answer(&other).unwrap();
            assert_eq!(answer.status(), 405);
            assert_eq!(answer.headers()["allow"], "POST");
        }
    }
}
