//! What is answered at once, in HTTP's own words: no such path, another method, another
//! kind of body; and the document.

use bytes::Bytes;
use fault::{Fault, Kind};
use http::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body as _;
use http_body_util::Full;
use tonic::Status;
use tonic::body::Body;
use transcoding::openapi;

use super::spoken::{Form, contracts, essence, outcome, read_contracts};

pub(crate) const JSON: &str = "application/json";
pub(crate) const LINES: &str = "application/x-ndjson";
pub(crate) const EVENTS: &str = "text/event-stream";

const ABOUT: &str = "Complaint handling over HTTP/JSON: the gRPC contracts, transcoded. JSON is proto3's: \
    names in lower camel case (the contracts' are read too), 64-bit numbers as strings, enums by name, times \
    as RFC 3339, lengths of time as `1.5s`; fields with their default are left out. An unknown field or query \
    parameter is refused by name. `Authorization: Bearer …` proves the caller where the server asks for it.";

/// An answer with a JSON body.
pub(crate) fn json(status: StatusCode, body: impl Into<Bytes>, is_head: bool) -> Response<Body> {
    let body = body.into();
    let length = HeaderValue::from(body.len());
    let body = if is_head { Body::empty() } else { Body::new(Full::new(body)) };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    headers.insert(CONTENT_LENGTH, length);
    unshared(headers);
    response
}

/// What is answered is for who asked, and is what it says it is.
pub(crate) fn unshared(headers: &mut http::HeaderMap) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
}

/// A refusal with a status of HTTP of its own.
pub(crate) fn refused(status: StatusCode, fault: Fault) -> Response<Body> {
    let outcome = outcome(&Status::from(fault));
    let body = match contracts() {
        Ok(contracts) => outcome.to_json(contracts.pool()),
        Err(_) => serde_json::json!({ "code": outcome.code, "message": outcome.message }),
    };
    json(status, body.to_string(), false)
}

pub(crate) fn no_such_path() -> Response<Body> {
    let sentence = "there is no such path; GET /openapi.json lists those there are";
    refused(StatusCode::NOT_FOUND, Fault::new(Kind::NotFound, "NO_SUCH_PATH", sentence))
}

/// The answer to a method that means nothing where others do, and to OPTIONS.
pub(crate) fn other_methods(asked: &Method, methods: &[&Method]) -> Response<Body> {
    let mut names: Vec<&str> = methods.iter().map(|method| method.as_str()).collect();
    if methods.contains(&&Method::GET) {
        names.push("HEAD");
    }
    names.push("OPTIONS");
    names.sort_unstable();
    let allowed = names.join(", ");
    let mut response = if asked == Method::OPTIONS {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        response
    } else {
        let sentence = format!("this path knows other methods only: {allowed}");
        let fault = Fault::new(Kind::Unimplemented, "METHOD_NOT_ALLOWED", sentence);
        refused(StatusCode::METHOD_NOT_ALLOWED, fault)
    };
    if let Ok(allowed) = HeaderValue::from_str(&allowed) {
        response.headers_mut().insert(ALLOW, allowed);
    }
    response
}

/// How the answer is to be written; refuses a body of another kind, and who accepts nothing
/// that could be written.
pub(crate) fn negotiate(request: &Request<Body>, is_stream: bool) -> Result<Form, Box<Response<Body>>> {
    let headers = request.headers();
    // Of what changes something it is asked without a body too: a page can make a browser
    // send an empty POST with its user's certificate, but not one of this kind.
    let has_kind = [Method::POST, Method::PUT, Method::PATCH].contains(request.method());
    if (has_kind || !request.body().is_end_stream())
        && essence(headers, &CONTENT_TYPE).as_deref() != Some(JSON)
    {
        return Err(Box::new(unsupported(
            "POST, PUT, PATCH and any body need Content-Type: application/json",
        )));
    }
    let is_plain = |encoding: &HeaderValue| encoding == "identity";
    if !headers.get_all(CONTENT_ENCODING).iter().all(is_plain) {
        return Err(Box::new(unsupported("a JSON body is not compressed")));
    }
    let forms: &[(&str, Form)] =
        if is_stream { &[(LINES, Form::Lines), (EVENTS, Form::Events)] } else { &[(JSON, Form::Object)] };
    if !headers.contains_key(ACCEPT) {
        return Ok(forms[0].1);
    }
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let accepted: Vec<Range> = accepted.flat_map(|value| value.split(',')).filter_map(Range::parse).collect();
    let best = forms
        .iter()
        .rev()
        .map(|(kind, form)| (quality(&accepted, kind), *form))
        .filter(|(quality, _)| *quality > 0)
        .max_by_key(|(quality, _)| *quality);
    best.map(|(_, form)| form).ok_or_else(|| {
        let kinds: Vec<_> = forms.iter().map(|(kind, _)| *kind).collect();
        let sentence = format!("this call is answered as {} only", kinds.join(" or "));
        let fault = Fault::new(Kind::Invalid, "NOT_ACCEPTABLE", sentence);
        Box::new(refused(StatusCode::NOT_ACCEPTABLE, fault))
    })
}

fn unsupported(sentence: &'static str) -> Response<Body> {
    let fault = Fault::new(Kind::Invalid, "UNSUPPORTED_MEDIA_TYPE", sentence);
    refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, fault)
}

/// What a caller accepts, and how gladly, in thousandths.
struct Range<'a> {
    kind: &'a str,
    quality: u16,
}

impl<'a> Range<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let kind = parts.next().filter(|kind| !kind.is_empty())?;
        let quality = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        let quality = quality.and_then(|quality| quality.parse::<f32>().ok()).unwrap_or(1.0).clamp(0.0, 1.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is 0 to 1000")]
        let quality = (quality * 1000.0) as u16;
        Some(Self { kind, quality })
    }

    /// How exactly it means a kind; none if it does not.
    fn exactness(&self, kind: &str) -> Option<u8> {
        let family = kind.split_once('/').map_or(kind, |(family, _)| family);
        if self.kind.eq_ignore_ascii_case(kind) {
            Some(2)
        } else if self.kind.strip_suffix("/*").is_some_and(|of| of.eq_ignore_ascii_case(family)) {
            Some(1)
        } else {
            (self.kind == "*/*").then_some(0)
        }
    }
}

/// How gladly a kind is accepted: the most exact range says it.
fn quality(accepted: &[Range<'_>], kind: &str) -> u16 {
    let meaning = accepted.iter().filter_map(|range| Some((range.exactness(kind)?, range.quality)));
    meaning.max_by_key(|(exactness, _)| *exactness).map_or(0, |(_, quality)| quality)
}

/// The document, or another method.
pub(crate) fn document(method: &Method, document: impl FnOnce() -> Result<Bytes, Fault>) -> Response<Body> {
    if method != Method::GET && method != Method::HEAD {
        return other_methods(method, &[&Method::GET]);
    }
    let document = match document() {
        Ok(document) => document,
        Err(fault) => return refused(StatusCode::INTERNAL_SERVER_ERROR, fault),
    };
    let mut response = json(StatusCode::OK, document, method == Method::HEAD);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

pub(crate) fn write_document() -> Result<Bytes, Fault> {
    // With their comments, which nothing else here needs.
    let contracts = read_contracts(proto::DESCRIPTOR_SET)?;
    let info = openapi::Info { title: "Redress", version: "v1", description: ABOUT };
    Ok(openapi::document(&contracts, &info).to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(accept: Option<&str>, is_stream: bool) -> Result<Form, u16> {
        let mut request = Request::new(Body::empty());
        if let Some(accept) = accept {
            request.headers_mut().insert(ACCEPT, accept.parse().unwrap());
        }
        negotiate(&request, is_stream).map_err(|refusal| refusal.status().as_u16())
    }

    #[test]
    fn the_answer_is_written_as_is_accepted_most_gladly() {
        for (accept, one, stream) in [
            (None, Ok(Form::Object), Ok(Form::Lines)),
            (Some("*/*"), Ok(Form::Object), Ok(Form::Lines)),
            (Some("application/*"), Ok(Form::Object), Ok(Form::Lines)),
            (Some("application/json"), Ok(Form::Object), Err(406)),
            (Some("text/event-stream"), Err(406), Ok(Form::Events)),
            (Some("text/html, */*;q=0.1"), Ok(Form::Object), Ok(Form::Lines)),
            (Some("application/x-ndjson;q=0.5, text/*"), Err(406), Ok(Form::Events)),
            (Some("*/*, application/json;q=0, application/x-ndjson; q=0"), Err(406), Ok(Form::Events)),
            (Some("APPLICATION/JSON; charset=utf-8"), Ok(Form::Object), Err(406)),
            (Some(""), Err(406), Err(406)),
        ] {
            assert_eq!((accepts(accept, false), accepts(accept, true)), (one, stream), "{accept:?}");
        }
    }

    #[test]
    fn another_kind_of_body_is_refused() {
        let ask = |mut request: Request<Body>, kind: Option<&str>, encoding: Option<&str>| {
            for (name, value) in [(CONTENT_TYPE, kind), (CONTENT_ENCODING, encoding)] {
                if let Some(value) = value {
                    request.headers_mut().insert(name, value.parse().unwrap());
                }
            }
            negotiate(&request, false).map_err(|refusal| refusal.status().as_u16())
        };
        let status = |kind, encoding| ask(Request::new(Body::new(Full::from("{}"))), kind, encoding);
        let empty = |method: Method, kind| {
            let mut request = Request::new(Body::empty());
            *request.method_mut() = method;
            ask(request, kind, None)
        };
        for method in [Method::POST, Method::PUT, Method::PATCH] {
            assert_eq!(empty(method.clone(), None), Err(415));
            assert_eq!(empty(method, Some("application/json")), Ok(Form::Object));
        }
        assert_eq!(empty(Method::DELETE, None), Ok(Form::Object));
        assert_eq!(status(Some("application/json"), None), Ok(Form::Object));
        assert_eq!(status(Some("application/json; charset=utf-8"), Some("identity")), Ok(Form::Object));
        assert_eq!(status(Some("Application/JSON"), None), Ok(Form::Object));
        assert_eq!(status(Some("application/json"), Some("gzip")), Err(415));
        for kind in [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("")] {
            assert_eq!(status(kind, None), Err(415), "{kind:?}");
        }
    }
}
