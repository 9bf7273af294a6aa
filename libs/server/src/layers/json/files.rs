//! Files over plain HTTP: their bytes as they are, in a request's body or an answer's. Which
//! rpc takes or gives them is said here; all that holds for its calls holds for these.
//!
//! ```text
//! PUT  /v1/attachments/{attachment_id}/content   UploadAttachment
//! GET  /v1/attachments/{attachment_id}/content   DownloadAttachment
//! GET  /v1/attachmentContents/{token}            DownloadByToken, by whoever has the link
//! ```

mod receiving;
mod sending;

use std::sync::Arc;

use fault::{Check, Fault, Kind};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE};
use http::{HeaderMap, Method, Request, StatusCode};
use prost::Message as _;
use proto::redress::intake::v1::{DownloadAttachmentRequest, DownloadByTokenRequest};
use tonic::body::Body;
use transcoding::Contracts;

use super::spoken::{Dialect, Spoken};
use super::{Decision, plain};
use crate::file_request::FileRequest;

pub(crate) use receiving::Parts;
pub(crate) use sending::answer;

const ATTACHMENTS: &str = "/v1/attachments/";
const CONTENT: &str = "/content";
const LINKS: &str = "/v1/attachmentContents/";
const UPLOAD: &str = "/redress.intake.v1.AttachmentService/UploadAttachment";
const DOWNLOAD: &str = "/redress.intake.v1.AttachmentService/DownloadAttachment";
const BY_TOKEN: &str = "/redress.intake.v1.AttachmentService/DownloadByToken";
/// The parameter of a query that says where the bytes begin.
const OFFSET: &str = "offset";

/// Bytes that are sent to us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Upload {
    /// Whose content it is, as the path has it.
    pub(crate) id: String,
    /// Where in it they begin.
    pub(crate) offset: i64,
    /// How many they are, where that was said.
    pub(crate) length: Option<u64>,
}

/// A file that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Which one: an id, or the token of a link.
    name: String,
    /// Which part of it.
    pub(crate) asked: FileRequest,
}

impl Wanted {
    /// The request of the rpc that gives it.
    pub(crate) fn message(&self) -> Vec<u8> {
        let name = self.name.clone();
        if self.asked.is_by_link() {
            DownloadByTokenRequest { token: name, ..Default::default() }.encode_to_vec()
        } else {
            DownloadAttachmentRequest { attachment_id: name, ..Default::default() }.encode_to_vec()
        }
    }
}

/// What a request is, if it is about a file.
pub(crate) fn decide(contracts: &Arc<Contracts>, request: &Request<Body>) -> Option<Decision> {
    let path = request.uri().path();
    let one = |name: &str| (!name.is_empty() && !name.contains('/')).then(|| name.to_owned());
    let (name, is_by_link) = match path.strip_prefix(LINKS) {
        Some(token) => (one(token)?, true),
        None => (one(path.strip_prefix(ATTACHMENTS)?.strip_suffix(CONTENT)?)?, false),
    };
    let (rpc, dialect) = match *request.method() {
        Method::GET | Method::HEAD => {
            let asked = FileRequest::new(request.method(), request.headers(), is_by_link);
            let rpc = if is_by_link { BY_TOKEN } else { DOWNLOAD };
            (rpc, Dialect::File(Wanted { name, asked }))
        }
        Method::PUT if !is_by_link => match upload(name, request) {
            Ok(upload) => (UPLOAD, Dialect::Upload(upload)),
            Err((status, fault)) => return Some(Decision::Answer(plain::refused(status, fault))),
        },
        _ => {
            let methods: &[&Method] =
                if is_by_link { &[&Method::GET] } else { &[&Method::GET, &Method::PUT] };
            return Some(Decision::Answer(plain::other_methods(request.method(), methods)));
        }
    };
    let rpc = contracts.rpc(rpc)?;
    Some(Decision::Call(Spoken { contracts: Arc::clone(contracts), rpc, dialect }))
}

/// Where bytes begin, and how many they are, by what the query and the headers say.
fn upload(id: String, request: &Request<Body>) -> Result<Upload, (StatusCode, Fault)> {
    let headers = request.headers();
    if !headers.get_all(CONTENT_ENCODING).iter().all(|encoding| encoding == "identity") {
        let sentence = "a file is sent as it is: without Content-Encoding";
        let fault = Fault::new(Kind::Invalid, "UNSUPPORTED_MEDIA_TYPE", sentence);
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, fault));
    }
    let mut check = Check::new();
    let queried = query(&mut check, request.uri().query().unwrap_or_default());
    let told = content_range(&mut check, headers);
    if let (Some(queried), Some((from, _))) = (queried, told) {
        check.ensure(queried == from, OFFSET, "must be where Content-Range begins");
    }
    let length = told.map(|(from, last)| (last - from).unsigned_abs() + 1);
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if let (Some(length), Some(announced)) = (length, announced) {
        check.ensure(length == announced, "content-range", "must have as many bytes as Content-Length");
    }
    check.done("INVALID_REQUEST").map_err(|fault| (StatusCode::BAD_REQUEST, fault))?;
    let offset = told.map(|(from, _)| from).or(queried).unwrap_or_default();
    Ok(Upload { id, offset, length })
}

fn query(check: &mut Check, query: &str) -> Option<i64> {
    let mut offset = None;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if name != OFFSET {
            check.fail("query", "knows the parameter offset only");
        } else if offset.is_some() {
            check.fail(OFFSET, "must be there once");
        } else {
            offset = digits(value);
            check.ensure(offset.is_some(), OFFSET, "must be a number, not negative");
        }
    }
    offset
}

/// The first byte and the last, as `bytes 0-99/200` says; what all of it has is not looked at.
fn content_range(check: &mut Check, headers: &HeaderMap) -> Option<(i64, i64)> {
    let value = headers.get(CONTENT_RANGE)?;
    let read = |text: &str| {
        let (range, all) = text.strip_prefix("bytes ")?.split_once('/')?;
        let (from, last) = range.split_once('-')?;
        let (from, last) = (digits(from)?, digits(last)?);
        let fits = all == "*" || digits(all).is_some_and(|all| last < all);
        (from <= last && fits).then_some((from, last))
    };
    let range = value.to_str().ok().and_then(read);
    check.ensure(range.is_some(), "content-range", "must be as bytes 0-99/200, or bytes 0-99/*");
    range
}

fn digits(text: &str) -> Option<i64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str, headers: &[(&str, &str)]) -> Result<(i64, Option<u64>), (u16, &'static str)> {
        let mut request = Request::builder().uri(format!("/v1/attachments/a/content{query}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let read = upload("a".to_owned(), &request.body(Body::empty()).unwrap());
        read.map(|read| (read.offset, read.length))
            .map_err(|(status, fault)| (status.as_u16(), fault.reason()))
    }

    #[test]
    fn where_bytes_begin_is_said_by_the_query_or_a_header() {
        let range = |value| [("content-range", value)];
        assert_eq!(read("", &[]), Ok((0, None)));
        assert_eq!(read("?offset=7", &[]), Ok((7, None)));
        assert_eq!(read("", &range("bytes 7-9/20")), Ok((7, Some(3))));
        assert_eq!(read("?offset=7", &range("bytes 7-9/*")), Ok((7, Some(3))));
        assert_eq!(read("", &[("content-range", "bytes 7-9/*"), ("content-length", "3")]), Ok((7, Some(3))));
        let invalid = Err((400, "INVALID_REQUEST"));
        for query in ["?offset=-1", "?offset=", "?offset", "?offset=x", "?offset=1&offset=1", "?from=1"] {
            assert_eq!(read(query, &[]), invalid, "{query}");
        }
        for value in ["bytes */20", "bytes 9-7/20", "bytes 7-9/9", "bytes 7-9", "7-9/20", "bytes +7-9/20", ""]
        {
            assert_eq!(read("", &range(value)), invalid, "{value}");
        }
        assert_eq!(read("?offset=6", &range("bytes 7-9/20")), invalid);
        assert_eq!(read("", &[("content-range", "bytes 7-9/*"), ("content-length", "4")]), invalid);
        assert_eq!(read("", &[("content-encoding", "gzip")]), Err((415, "UNSUPPORTED_MEDIA_TYPE")));
    }
}
