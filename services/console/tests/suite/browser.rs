//! A browser as far as the tests need one: it keeps cookies, follows where it is sent, reads
//! forms off pages and sends them.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::Arc;

use http::header::{ACCEPT_ENCODING, CONTENT_TYPE, COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kernel::SystemClock;
use server::{RunningSite, Service, Settings};
use testkit::House;

pub(crate) const ALL: [Service; 5] =
    [intake::SERVICE, cases::SERVICE, assignment::SERVICE, resolution::SERVICE, feedback::SERVICE];

/// A suite, and a console before it.
pub(crate) struct Desk {
    pub(crate) house: House,
    console: RunningSite,
}

impl Desk {
    pub(crate) async fn open() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::before(House::open(&ALL).await, change).await
    }

    pub(crate) async fn before(house: House, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::default();
        change(&mut settings);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let services = console::at(house.address()).unwrap();
        let console =
            console::start(&settings, services, Some(listener), Arc::new(SystemClock)).await.unwrap();
        Self { house, console }
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::at(&self.console.address().to_string())
    }

    /// A browser in which somebody has chosen whom to be.
    pub(crate) async fn browser_as(&self, persona: &str, subject: &str) -> Browser {
        let mut browser = self.browser();
        let page = browser.get("/sign-in").await;
        let form = page.form("/sign-in/persona").with("persona", persona).with("subject", subject);
        let page = browser.send(form).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
        browser
    }

    pub(crate) async fn done(self) {
        self.console.stop().await.unwrap();
        self.house.done().await;
    }
}

/// What a browser got.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) bytes: usize,
}

/// A form of a page, as it would be sent.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    pub(crate) action: String,
    pub(crate) fields: Vec<(String, String)>,
}

impl Form {
    /// The same with another value of a field.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(named, _)| named != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same with one more value of a field.
    pub(crate) fn and(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    Some(unescaped(rest.split('"').next()?))
}

fn unescaped(text: &str) -> String {
    text.replace("&quot;", "\"")
        .replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&#38;", "&")
        .replace("&amp;", "&")
}

impl Page {
    /// The first form that is sent to a path ending so.
    pub(crate) fn form(&self, action: &str) -> Form {
        self.find_form(action).unwrap_or_else(|| panic!("no form for {action} in\n{}", self.text))
    }

    pub(crate) fn find_form(&self, action: &str) -> Option<Form> {
        self.text.split("<form ").skip(1).find_map(|rest| {
            let (tag, rest) = rest.split_once('>')?;
            let found = attribute(&format!(" {tag}"), "action")?;
            let inner = rest.split("</form>").next()?;
            found.ends_with(action).then(|| Form { action: found, fields: fields(inner) })
        })
    }

    pub(crate) fn location(&self) -> &str {
        self.headers.get(LOCATION).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn assert_has(&self, text: &str) {
        assert!(self.text.contains(text), "{text:?} is not in\n{}", self.text);
    }

    pub(crate) fn assert_lacks(&self, text: &str) {
        assert!(!self.text.contains(text), "{text:?} is in\n{}", self.text);
    }
}

/// What a form sends of its fields when nobody changes them.
fn fields(inner: &str) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    for rest in inner.split("<input ").skip(1) {
        let tag = format!(" {}", rest.split('>').next().unwrap_or_default());
        let kind = attribute(&tag, "type").unwrap_or_default();
        let ticked = !["checkbox", "radio"].contains(&kind.as_str()) || tag.contains(" checked");
        if let Some(name) = attribute(&tag, "name").filter(|_| ticked) {
            fields.push((name, attribute(&tag, "value").unwrap_or_default()));
        }
    }
    for rest in inner.split("<textarea ").skip(1) {
        let Some((tag, rest)) = rest.split_once('>') else { continue };
        let text = rest.split("</textarea>").next().unwrap_or_default();
        if let Some(name) = attribute(&format!(" {tag}"), "name") {
            fields.push((name, unescaped(text.trim_start_matches('\n'))));
        }
    }
    for rest in inner.split("<select ").skip(1) {
        let Some((tag, rest)) = rest.split_once('>') else { continue };
        let options = rest.split("</select>").next().unwrap_or_default();
        let tags: Vec<&str> =
            options.split("<option").skip(1).filter_map(|rest| rest.split('>').next()).collect();
        let chosen = tags.iter().find(|tag| tag.contains(" selected")).or(tags.first());
        if let (Some(name), Some(chosen)) = (attribute(&format!(" {tag}"), "name"), chosen) {
            fields.push((name, attribute(chosen, "value").unwrap_or_default()));
        }
    }
    fields
}

/// See the module.
#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) origin: String,
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) headers: Vec<(&'static str, String)>,
    client: Client<HttpConnector, Full<bytes::Bytes>>,
}

impl Browser {
    pub(crate) fn at(authority: &str) -> Self {
        Self {
            origin: format!("http://{authority}"),
            cookies: BTreeMap::new(),
            headers: Vec::new(),
            client: Client::builder(TokioExecutor::new()).build_http(),
        }
    }

    pub(crate) fn speaking(mut self, language: &str) -> Self {
        self.headers.push(("accept-language", language.to_owned()));
        self
    }

    pub(crate) async fn get(&mut self, path: &str) -> Page {
        self.fetch(Method::GET, path, String::new()).await
    }

    /// Fetches a page wherever it leads to.
    pub(crate) async fn follow(&mut self, path: &str) -> Page {
        let mut page = self.get(path).await;
        for _ in 0..5 {
            if !page.status.is_redirection() {
                return page;
            }
            page = self.get(page.location()).await;
        }
        panic!("{path} leads round in a circle");
    }

    pub(crate) async fn send(&mut self, form: Form) -> Page {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&form.fields).finish();
        self.fetch(Method::POST, &form.action, body).await
    }

    /// Sends a form, and fetches the page it leads to.
    pub(crate) async fn send_and_follow(&mut self, form: Form) -> Page {
        let page = self.send(form).await;
        if page.status.is_redirection() { self.follow(page.location()).await } else { page }
    }

    pub(crate) async fn fetch(&mut self, method: Method, path: &str, body: String) -> Page {
        let uri = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.origin) };
        let mut request = Request::builder().method(method.clone()).uri(uri).header(ACCEPT_ENCODING, "gzip");
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies.join("; "));
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if method == Method::POST {
            let told = self.headers.iter().find(|(name, _)| *name == CONTENT_TYPE.as_str());
            if told.is_none() {
                request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
            }
            if !self.headers.iter().any(|(name, _)| *name == ORIGIN.as_str()) {
                request = request.header(ORIGIN, &self.origin);
            }
        }
        let answer = self.client.request(request.body(Full::from(body)).unwrap()).await.unwrap();
        let (parts, body) = answer.into_parts();
        self.keep(&parts.headers);
        let bytes = body.collect().await.unwrap().to_bytes();
        let packed = parts.headers.get("content-encoding").is_some();
        let text = if packed {
            let mut text = String::new();
            std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut text).unwrap();
            text
        } else {
            String::from_utf8(bytes.to_vec()).unwrap()
        };
        Page { status: parts.status, headers: parts.headers, text, bytes: bytes.len() }
    }

    /// A page that goes on.
    pub(crate) async fn stream(&mut self, path: &str) -> Events {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = Request::get(format!("{}{path}", self.origin)).header(COOKIE, cookies.join("; "));
        let answer = self.client.request(request.body(Full::default()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()[CONTENT_TYPE], "text/event-stream");
        Events { body: answer.into_body(), read: String::new() }
    }

    fn keep(&mut self, headers: &HeaderMap) {
        for header in headers.get_all(SET_COOKIE) {
            let text = header.to_str().unwrap();
            let (name, value) = text.split(';').next().unwrap().split_once('=').unwrap();
            if text.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

/// What a page says that goes on.
pub(crate) struct Events {
    body: hyper::body::Incoming,
    read: String,
}

impl Events {
    /// Waits until something was said.
    pub(crate) async fn until(&mut self, text: &str) {
        let heard = async {
            while !self.read.contains(text) {
                let frame = self.body.frame().await.expect("it goes on").unwrap();
                self.read += std::str::from_utf8(frame.data_ref().unwrap()).unwrap();
            }
        };
        let heard = tokio::time::timeout(testkit::PATIENCE, heard).await;
        assert!(heard.is_ok(), "{text:?} is not in {:?}", self.read);
    }
}
