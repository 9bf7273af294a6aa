//! Files that are served as they are, each under a name that tells its content: a browser keeps
//! it for good, and a new one has another name.

use std::collections::HashMap;
use std::fmt::Write as _;

use axum::extract::{Path, State};
use axum::response::Response;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use sha2::{Digest as _, Sha256};

use crate::app::App;

/// What is kept for good.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Letters of a content's digest within its name.
const DIGEST: usize = 12;

/// A file: its name, what it is, its content.
type File = (&'static str, &'static str, &'static [u8]);

const FILES: [File; 9] = [
    ("boards.css", "text/css; charset=utf-8", include_bytes!("../static/boards.css")),
    ("boards.js", "text/javascript; charset=utf-8", include_bytes!("../static/boards.js")),
    ("complainant.css", "text/css; charset=utf-8", include_bytes!("../static/complainant.css")),
    ("complainant.js", "text/javascript; charset=utf-8", include_bytes!("../static/complainant.js")),
    ("console.css", "text/css; charset=utf-8", include_bytes!("../static/console.css")),
    ("console.js", "text/javascript; charset=utf-8", include_bytes!("../static/console.js")),
    ("htmx.js", "text/javascript; charset=utf-8", include_bytes!("../static/htmx.min.js")),
    ("icon.svg", "image/svg+xml", include_bytes!("../static/icon.svg")),
    ("work.css", "text/css; charset=utf-8", include_bytes!("../static/work.css")),
];

/// The files, by the names they are served under.
pub(crate) struct Assets {
    by_name: HashMap<String, &'static File>,
    names: HashMap<&'static str, String>,
}

impl Assets {
    /// Names each after its content.
    pub(crate) fn new() -> Self {
        let (mut by_name, mut names) = (HashMap::new(), HashMap::new());
        for file in &FILES {
            let served = served_as(file.0, file.2);
            names.insert(file.0, served.clone());
            by_name.insert(served, file);
        }
        Self { by_name, names }
    }

    /// The name a file is served under.
    pub(crate) fn name(&self, file: &str) -> &str {
        self.names.get(file).map_or("", String::as_str)
    }
}

fn served_as(name: &str, content: &[u8]) -> String {
    let digest = hex(content);
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    format!("{stem}-{}.{extension}", &digest[..DIGEST])
}

/// The digest of a content, as people compare it.
fn hex(content: &[u8]) -> String {
    let mut hex = String::new();
    for byte in Sha256::digest(content) {
        // Writing into a text does not fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// Serves a file.
pub(crate) async fn serve(State(app): State<App>, Path(name): Path<String>) -> Response {
    let mut answer = Response::default();
    let Some((_, kind, content)) = app.assets.by_name.get(&name) else {
        *answer.status_mut() = StatusCode::NOT_FOUND;
        return answer;
    };
    *answer.body_mut() = Bytes::from_static(content).into();
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer.headers_mut().insert(CACHE_CONTROL, FOREVER);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The digest of `dist/htmx.min.js` in the package htmx.org 2.0.11, as `static/README.md`
    /// has it.
    const HTMX: &str = "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717";

    #[test]
    fn a_vendored_file_is_the_one_that_was_checked() {
        let content = FILES.iter().find(|file| file.0 == "htmx.js").unwrap().2;
        assert_eq!(hex(content), HTMX);
        assert!(include_str!("../static/README.md").contains(HTMX));
    }

    #[test]
    fn a_name_tells_the_content() {
        assert_eq!(served_as("a.js", b""), "a-e3b0c44298fc.js");
        assert_ne!(served_as("a.js", b"1"), served_as("a.js", b"2"));
        let assets = Assets::new();
        assert!(FILES.iter().all(|file| assets.by_name.contains_key(assets.name(file.0))));
    }
}
