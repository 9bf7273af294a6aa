//! What is asked of a file over plain HTTP. The layer that reads HTTP notes it; the handler,
//! who alone knows how long the file is, sends the bytes that are meant; the layer says which
//! they were.

use http::header::{IF_RANGE, RANGE};
use http::{HeaderMap, Method};

/// What is asked of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRequest {
    is_by_link: bool,
    is_head: bool,
    range: Option<ByteRange>,
    if_range: Option<String>,
}

/// The bytes that are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ByteRange {
    /// From one on, to the end or to another one.
    From(u64, Option<u64>),
    /// The last so many.
    Last(u64),
}

/// The part of a file that is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilePart {
    /// All of it.
    Whole,
    /// From one byte to the one before another.
    Range(i64, i64),
    /// One that begins after its end.
    Nothing,
}

impl FileRequest {
    /// What a request asks for. By a link, nothing but what the link says tells who asks.
    pub(crate) fn new(method: &Method, headers: &HeaderMap, is_by_link: bool) -> Self {
        let is_head = method == Method::HEAD;
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        // A range means something for GET alone.
        let range = if is_head { None } else { text(RANGE).and_then(ByteRange::parse) };
        // An old answer's date is no name of a version: what it is about is sent whole.
        let if_range = headers.get(IF_RANGE).map(|value| value.to_str().unwrap_or_default().to_owned());
        Self { is_by_link, is_head, range, if_range }
    }

    /// What is asked of a file by a call; none where it did not come over plain HTTP.
    pub fn of<T>(request: &tonic::Request<T>) -> Option<&Self> {
        request.extensions().get()
    }

    /// Whether nobody has said who asks: the link must be proof enough.
    pub fn is_by_link(&self) -> bool {
        self.is_by_link
    }

    pub(crate) fn is_head(&self) -> bool {
        self.is_head
    }

    /// The part that is meant of a file of so many bytes with a tag, in its quotes.
    pub(crate) fn part(&self, size: i64, tag: &str) -> FilePart {
        let is_other = self.if_range.as_deref().is_some_and(|told| told != tag);
        match self.range.filter(|_| !is_other) {
            Some(range) => range.of(size),
            None => FilePart::Whole,
        }
    }

    /// The bytes to be sent of a file of so many bytes with a SHA-256, in hexadecimal digits:
    /// from one to the one before another. None are, where only its headers are asked for.
    pub fn bytes(&self, size: i64, sha256: &str) -> (i64, i64) {
        match self.part(size, &tag(sha256)) {
            FilePart::Range(from, to) => (from, to),
            FilePart::Whole if !self.is_head => (0, size),
            FilePart::Whole | FilePart::Nothing => (size, size),
        }
    }
}

/// The tag of a file with a SHA-256, as HTTP has it.
pub(crate) fn tag(sha256: &str) -> String {
    format!("\"{sha256}\"")
}

impl ByteRange {
    /// One range of bytes. None where it is anything else, which may be passed over: all is
    /// sent then.
    fn parse(text: &str) -> Option<Self> {
        let (from, to) = text.strip_prefix("bytes=")?.trim().split_once('-')?;
        let number = |text: &str| {
            let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| text.parse().unwrap_or(u64::MAX))
        };
        match (from, to) {
            ("", last) => number(last).map(Self::Last),
            (from, "") => Some(Self::From(number(from)?, None)),
            (from, to) => {
                let (from, to) = (number(from)?, number(to)?);
                (from <= to).then_some(Self::From(from, Some(to)))
            }
        }
    }

    fn of(self, size: i64) -> FilePart {
        let all = u64::try_from(size).unwrap_or_default();
        let (from, to) = match self {
            Self::From(from, to) => (from, to.map_or(all, |last| last.saturating_add(1).min(all))),
            Self::Last(bytes) => (all.saturating_sub(bytes), all),
        };
        match (i64::try_from(from), i64::try_from(to)) {
            (Ok(from), Ok(to)) if from < to => FilePart::Range(from, to),
            _ => FilePart::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: &Method, headers: &[(&'static str, &str)]) -> FileRequest {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        FileRequest::new(method, &map, false)
    }

    #[test]
    fn one_range_is_understood_and_anything_else_is_all_of_it() {
        for (range, part) in [
            ("bytes=0-0", FilePart::Range(0, 1)),
            ("bytes=3-", FilePart::Range(3, 10)),
            ("bytes=3-5", FilePart::Range(3, 6)),
            ("bytes=3-500", FilePart::Range(3, 10)),
            ("bytes=3-99999999999999999999999", FilePart::Range(3, 10)),
            ("bytes=-4", FilePart::Range(6, 10)),
            ("bytes=-400", FilePart::Range(0, 10)),
            ("bytes=-0", FilePart::Nothing),
            ("bytes=10-", FilePart::Nothing),
            ("bytes=99999999999999999999999-", FilePart::Nothing),
            ("bytes=5-3", FilePart::Whole),
            ("bytes=0-1,3-4", FilePart::Whole),
            ("bytes=-", FilePart::Whole),
            ("bytes=+1-2", FilePart::Whole),
            ("bytes=a-b", FilePart::Whole),
            ("lines=1-2", FilePart::Whole),
            ("", FilePart::Whole),
        ] {
            assert_eq!(asked(&Method::GET, &[("range", range)]).part(10, "\"t\""), part, "{range}");
            assert_eq!(asked(&Method::HEAD, &[("range", range)]).bytes(10, "t"), (10, 10), "{range}");
        }
    }

    #[test]
    fn a_range_of_another_version_is_all_of_it() {
        let range = ("range", "bytes=3-5");
        for (told, bytes) in
            [("\"t\"", (3, 6)), ("\"other\"", (0, 10)), ("Wed, 21 Oct 2015 07:28:00 GMT", (0, 10))]
        {
            assert_eq!(asked(&Method::GET, &[range, ("if-range", told)]).bytes(10, "t"), bytes, "{told}");
        }
    }
}
