//! How long pages of the console take while many people use it at once: handlers who go
//! between their inbox and its cases, and complainants, who are nobody to it.
//!
//! An open loop: each of them opens a page every few seconds, whatever the last one took, and
//! a page that comes late has been late since it was due. Two hundred who never read would be
//! another load, and a question of throughput.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use futures::future::try_join_all;
use hdrhistogram::Histogram;
use http::header::{ACCEPT_ENCODING, CONTENT_TYPE, COOKIE, ORIGIN, SET_COOKIE};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::Instant;

use crate::report::{Report, ms};
use crate::run::{Run, histogram, micros};
use crate::submit;
use crate::suite::{AGENTS, Base, Suite, assigned};

const DATABASE: &str = "load_console";
/// Handlers, who have signed in.
const HANDLERS: usize = 150;
/// Complainants, each at an address of their own.
const COMPLAINANTS: usize = 50;
/// How often each of them opens a page.
const READING: Duration = Duration::from_secs(5);
/// Cases in the handlers' inboxes, to begin with.
const CASES: u64 = 2_000;
/// How many of them are submitted in a second.
const CASES_A_SECOND: u64 = 500;
/// Cases of an inbox that a handler looks into.
const LOOKED_INTO: usize = 10;

/// Measures it for so long.
pub(crate) async fn measure(
    base: &Base,
    length: Duration,
    is_short: bool,
    report: &mut Report,
) -> Result<()> {
    let (suite, console) = Suite::with_console(base, DATABASE).await?;
    let rate = if is_short { CASES_A_SECOND / 20 } else { CASES_A_SECOND };
    let submitted = submit::open(&suite, rate, Duration::from_secs(CASES / CASES_A_SECOND)).await?.done;
    assigned(&suite, submitted).await?;
    let handlers = try_join_all((0..HANDLERS).map(|number| Person::handler(&console, number))).await?;
    let persons: Vec<Person> = handlers
        .into_iter()
        .chain((0..COMPLAINANTS).map(|number| Person::complainant(&console, number)))
        .collect();
    // Once round, so that nobody's first page is measured.
    walk(&suite, persons.clone(), READING * 2).await?;
    let run = walk(&suite, persons, length.max(READING * 2)).await?;
    report.console_page_p95_ms = Some(ms(&run.latency_us, 0.95));
    report.submit("pages of the console", &run);
    suite.stop().await
}

/// Has everybody open pages for so long.
async fn walk(suite: &Suite, persons: Vec<Person>, length: Duration) -> Result<Run> {
    let (before, started) = (suite.cpu()?, Instant::now());
    let count = u32::try_from(persons.len())?;
    let walks = persons.into_iter().zip(0..count).map(|(person, place)| {
        tokio::spawn(person.walk(started + READING * place / count, started + length))
    });
    let latencies = try_join_all(walks).await?.into_iter().collect::<Result<Vec<_>>>()?;
    Run::of(suite, before, started, latencies)
}

/// Somebody at a browser of their own.
#[derive(Clone)]
struct Person {
    client: Client<HttpConnector, Full<Bytes>>,
    origin: Arc<str>,
    /// What the browser keeps.
    cookies: String,
    /// Where somebody who is nobody here comes from.
    address: String,
    /// The pages they open, one after the other.
    pages: Vec<String>,
}

impl Person {
    fn new(console: &str, address: String) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self {
            client,
            origin: format!("http://{console}").into(),
            cookies: String::new(),
            address,
            pages: Vec::new(),
        }
    }

    /// An agent who has signed in, and knows some cases of their inbox.
    async fn handler(console: &str, number: usize) -> Result<Self> {
        let mut person = Self::new(console, format!("198.51.100.{number}"));
        let page = person.page("/sign-in").await?;
        let token = between(&page, "name=\"_token\" value=\"", "\"").context("a form has a token")?;
        // Each agent of the roster is several people here.
        let form = format!("_token={token}&back=&persona=agent&subject=agent-{}", number % AGENTS);
        let (status, _) = person.fetch(Method::POST, "/sign-in/persona", form).await?;
        ensure!(status == StatusCode::SEE_OTHER, "signing in was answered with {status}");
        let inbox = person.page("/inbox").await?;
        let cases = inbox.split("href=\"/cases/").skip(1).filter_map(|rest| rest.split('"').next());
        for case in cases.take(LOOKED_INTO) {
            person.pages.extend(["/inbox".to_owned(), format!("/cases/{case}")]);
        }
        ensure!(!person.pages.is_empty(), "no case is in the inbox of agent-{}", number % AGENTS);
        Ok(person)
    }

    /// Somebody who looks for where to complain.
    fn complainant(console: &str, number: usize) -> Self {
        let mut person = Self::new(console, format!("203.0.113.{number}"));
        person.pages = ["/complaints", "/complaints/new", "/complaints/find"].map(str::to_owned).into();
        person
    }

    /// Opens pages until it is time to go; how long each of them took.
    async fn walk(mut self, begin: Instant, end: Instant) -> Result<Histogram<u64>> {
        let mut latency = histogram()?;
        let mut due = begin;
        for number in 0.. {
            if due >= end {
                break;
            }
            tokio::time::sleep_until(due).await;
            let path = self.pages[number % self.pages.len()].clone();
            let (status, _) = self.fetch(Method::GET, &path, String::new()).await?;
            ensure!(status == StatusCode::OK, "{path} was answered with {status}");
            latency.saturating_record(micros(due.elapsed()));
            due += READING;
        }
        Ok(latency)
    }

    async fn page(&mut self, path: &str) -> Result<String> {
        let (status, body) = self.fetch(Method::GET, path, String::new()).await?;
        ensure!(status == StatusCode::OK, "{path} was answered with {status}");
        Ok(String::from_utf8(body.to_vec())?)
    }

    /// Asks for a page and reads it whole, packed where nobody looks into it.
    async fn fetch(&mut self, method: Method, path: &str, form: String) -> Result<(StatusCode, Bytes)> {
        let mut request = Request::builder()
            .method(&method)
            .uri(format!("{}{path}", self.origin))
            .header("x-forwarded-for", &self.address);
        if !self.cookies.is_empty() {
            request = request.header(COOKIE, &self.cookies);
        }
        if method == Method::POST {
            request = request
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header(ORIGIN, &*self.origin);
        }
        if !self.pages.is_empty() {
            request = request.header(ACCEPT_ENCODING, "gzip");
        }
        let answer = self.client.request(request.body(Full::from(form))?).await?;
        self.keep(answer.headers())?;
        let status = answer.status();
        Ok((status, answer.into_body().collect().await?.to_bytes()))
    }

    /// Keeps the cookies an answer sets; none is taken away on these pages.
    fn keep(&mut self, headers: &HeaderMap) -> Result<()> {
        for header in headers.get_all(SET_COOKIE) {
            let Some(cookie) = header.to_str()?.split(';').next() else { continue };
            let name = cookie.split('=').next().unwrap_or_default();
            let others = self.cookies.split("; ").filter(|kept| kept.split('=').next() != Some(name));
            let kept: Vec<&str> = others.filter(|kept| !kept.is_empty()).chain([cookie]).collect();
            self.cookies = kept.join("; ");
        }
        Ok(())
    }
}

fn between(text: &str, before: &str, after: &str) -> Option<String> {
    Some(text.split_once(before)?.1.split_once(after)?.0.to_owned())
}
