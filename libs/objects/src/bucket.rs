//! The calls: put, get, delete, list, copy, each within its time.

mod file;

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, RANGE};
use http::{Method, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use jiff::Timestamp;
use rusty_s3::S3Action as _;
use rusty_s3::actions::ListObjectsV2;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};
use url::Url;

use crate::place::{Credentials, Place};
use file::FileBody;

/// Longest that a call takes, the wait for its turn included.
pub const TIME_LIMIT: Duration = Duration::from_secs(10);
/// Most calls under way at once.
pub const MAX_CALLS: usize = 64;
/// Most bytes of an object.
pub const MAX_OBJECT: usize = 8 << 20;
/// Longest that reaching the store may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection is kept that nobody uses.
const IDLE: Duration = Duration::from_secs(20);
/// How long a signed address holds: longer than a call takes, with clocks that differ.
const SIGNED_FOR: Duration = Duration::from_mins(1);
/// Most bytes of an error that are read.
const MAX_ERROR: usize = 2 << 10;
const BYTES: &str = "application/octet-stream";
/// Most objects of one page of a list: they are read in less than a millisecond.
const PAGE: usize = 250;
/// Most bytes of a page.
const MAX_LIST: usize = 1 << 20;
/// Longest that the store may take to copy an object, which it does by itself.
const COPY_LIMIT: Duration = Duration::from_mins(5);
/// Says which object is to be copied.
const COPY_SOURCE: &str = "x-amz-copy-source";
/// What the answer to a copy has that was made: one that was begun and failed is answered 200, too.
const COPIED: &str = "CopyObjectResult";

/// What is sent.
type Body = UnsyncBoxBody<Bytes, std::io::Error>;

/// An object of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its key, below the prefix of the place.
    pub key: String,
    /// How many bytes it has.
    pub size: u64,
    /// What tells it from others that have had its key: its entity tag, or when it was put where
    /// the store gives none.
    pub tag: String,
}

/// A page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectPage {
    /// The objects, by key.
    pub objects: Vec<Listed>,
    /// What the next page is asked for with; none on the last.
    pub next: Option<String>,
}

/// Why a call came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// There is no such object.
    #[error("there is no such object")]
    Missing,
    /// The store cannot be reached, or the connection broke.
    #[error("the store cannot be reached: {0}")]
    Unreachable(String),
    /// It took too long, or too many calls are under way.
    #[error("the store did not answer in time")]
    TooLate,
    /// The store said no.
    #[error("the store answered {0}: {1}")]
    Refused(StatusCode, String),
    /// What it sent is not what was asked for.
    #[error("the store sent another number of bytes than was asked for")]
    OtherLength,
    /// What it sent is no list of objects.
    #[error("the store sent no list that can be read")]
    NoList,
    /// The file that was to be put cannot be read.
    #[error("the file cannot be read: {0}")]
    Unreadable(String),
}

/// The authority's certificates are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no certificate in PEM")]
pub struct InvalidAuthority;

/// A bucket.
#[derive(Clone)]
pub struct Bucket {
    place: Arc<Place>,
    credentials: Option<Credentials>,
    client: Client<HttpsConnector<HttpConnector>, Body>,
    places: Arc<Semaphore>,
}

impl std::fmt::Debug for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bucket").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Bucket {
    /// Of a place; nothing is signed without credentials. Servers prove themselves by the
    /// authorities of the web and, where there are some, those of a PEM file.
    ///
    /// # Errors
    ///
    /// Fails if the file holds no certificate.
    pub fn new(
        place: Place,
        credentials: Option<Credentials>,
        authorities: Option<&[u8]>,
    ) -> Result<Self, InvalidAuthority> {
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls(authorities)?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(MAX_CALLS)
            .build(connector);
        let places = Arc::new(Semaphore::new(MAX_CALLS));
        Ok(Self { place: Arc::new(place), credentials, client, places })
    }

    /// Puts an object; what has the same key is replaced. It is there when this answers; where it
    /// fails, it may be.
    ///
    /// # Errors
    ///
    /// Fails if the store does not say in time that it has it.
    pub async fn put(&self, now: Timestamp, key: &str, data: Bytes) -> Result<(), Failure> {
        let key = self.key(key);
        let url = self.place.bucket.put_object(self.signer(), &key).sign_with_time(SIGNED_FOR, &now);
        let length = data.len();
        let request =
            Request::builder().method(Method::PUT).header(CONTENT_TYPE, BYTES).header(CONTENT_LENGTH, length);
        self.call(url, request, whole(data), async |response| read(response, MAX_ERROR).await.map(drop)).await
    }

    /// Puts an object that is a file, from its beginning; what has the same key is replaced. It
    /// takes as long as [`Bucket::put`], for each [`MAX_OBJECT`] bytes of it.
    ///
    /// # Errors
    ///
    /// Fails as [`Bucket::put`] does, and if the file cannot be read.
    pub async fn put_file(&self, now: Timestamp, key: &str, file: std::fs::File) -> Result<(), Failure> {
        let broken_file = |error: std::io::Error| Failure::Unreadable(error.to_string());
        let (body, length) = FileBody::new(file).map_err(broken_file)?;
        let key = self.key(key);
        let times = u32::try_from(length / MAX_OBJECT as u64).unwrap_or(u32::MAX).saturating_add(1);
        let limit = TIME_LIMIT.saturating_mul(times);
        let url = self.place.bucket.put_object(self.signer(), &key).sign_with_time(SIGNED_FOR, &now);
        let request =
            Request::builder().method(Method::PUT).header(CONTENT_TYPE, BYTES).header(CONTENT_LENGTH, length);
        let answered = async |response| read(response, MAX_ERROR).await.map(drop);
        self.call_within(limit, url, request, body.boxed_unsync(), answered).await
    }

    /// Copies an object within the bucket; what has the key is replaced. Stores do so with objects
    /// of up to 5 GiB.
    ///
    /// # Errors
    ///
    /// Fails if there is no such object, or if the store does not say within 5 minutes that it
    /// has copied it.
    pub async fn copy(&self, now: Timestamp, from: &str, to: &str) -> Result<(), Failure> {
        let source = self.source(from);
        let to = self.key(to);
        let mut action = self.place.bucket.put_object(self.signer(), &to);
        action.headers_mut().insert(COPY_SOURCE, source.clone());
        let url = action.sign_with_time(SIGNED_FOR, &now);
        let request =
            Request::builder().method(Method::PUT).header(COPY_SOURCE, source).header(CONTENT_LENGTH, 0);
        let told = self.call_within(COPY_LIMIT, url, request, whole(Bytes::new()), async |response| {
            let status = response.status();
            Ok((status, read(response, MAX_ERROR).await?))
        });
        let (status, told) = told.await?;
        let told = String::from_utf8_lossy(&told).into_owned();
        if told.contains(COPIED) { Ok(()) } else { Err(Failure::Refused(status, told)) }
    }

    /// How an object is named as the source of a copy: the bucket, and its key as in an address.
    fn source(&self, key: &str) -> String {
        let bucket = &self.place.bucket;
        let (url, base) = (bucket.object_url(&self.key(key)), bucket.base_url());
        let below = url.path().strip_prefix(base.path()).unwrap_or(url.path()).trim_start_matches('/');
        format!("/{}/{below}", bucket.name())
    }

    /// Lists objects whose keys begin with a prefix and have no slash after it, a page of at most
    /// 250, in the order of their keys; `from` is [`ObjectPage::next`] of the page before.
    ///
    /// # Errors
    ///
    /// Fails if the store does not answer in time with a list that can be read.
    pub async fn list(
        &self,
        now: Timestamp,
        prefix: &str,
        from: Option<&str>,
    ) -> Result<ObjectPage, Failure> {
        let prefix = self.key(prefix);
        let mut action = self.place.bucket.list_objects_v2(self.signer());
        action.with_prefix(prefix.as_str());
        action.with_delimiter("/");
        action.with_max_keys(PAGE);
        if let Some(from) = from {
            action.with_continuation_token(from);
        }
        let url = action.sign_with_time(SIGNED_FOR, &now);
        let request = Request::builder().method(Method::GET);
        let read =
            self.call(url, request, whole(Bytes::new()), async |response| read(response, MAX_LIST).await);
        let text = String::from_utf8(read.await?.to_vec()).map_err(|_| Failure::NoList)?;
        let listed = ListObjectsV2::parse_response(&text).map_err(|_| Failure::NoList)?;
        let object = |one: rusty_s3::actions::list_objects_v2::ListObjectsContent| {
            let key = one.key.strip_prefix(&self.place.prefix)?.to_owned();
            Some(Listed { key, size: one.size?, tag: one.etag.or(one.last_modified)? })
        };
        let objects = listed.contents.into_iter().filter_map(object).collect();
        Ok(ObjectPage { objects, next: listed.next_continuation_token })
    }

    /// Reads a range of an object.
    ///
    /// # Errors
    ///
    /// Fails if there is no such object, or if the store does not send all of the range in time.
    pub async fn get(&self, now: Timestamp, key: &str, range: Range<u64>) -> Result<Bytes, Failure> {
        let wanted = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX);
        if wanted == 0 || wanted > MAX_OBJECT {
            return if wanted == 0 { Ok(Bytes::new()) } else { Err(Failure::OtherLength) };
        }
        let key = self.key(key);
        let url = self.place.bucket.get_object(self.signer(), &key).sign_with_time(SIGNED_FOR, &now);
        let bytes = format!("bytes={}-{}", range.start, range.end - 1);
        let request = Request::builder().method(Method::GET).header(RANGE, bytes);
        let data = self
            .call(url, request, whole(Bytes::new()), async |response| read(response, wanted).await)
            .await?;
        if data.len() == wanted { Ok(data) } else { Err(Failure::OtherLength) }
    }

    /// Deletes an object; one that is not there is deleted.
    ///
    /// # Errors
    ///
    /// Fails if the store does not say in time that it is gone.
    pub async fn delete(&self, now: Timestamp, key: &str) -> Result<(), Failure> {
        let key = self.key(key);
        let url = self.place.bucket.delete_object(self.signer(), &key).sign_with_time(SIGNED_FOR, &now);
        let request = Request::builder().method(Method::DELETE);
        let answered = async |response| read(response, MAX_ERROR).await;
        match self.call(url, request, whole(Bytes::new()), answered).await {
            Ok(_) | Err(Failure::Missing) => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.place.prefix)
    }

    fn signer(&self) -> Option<&rusty_s3::Credentials> {
        self.credentials.as_ref().map(|credentials| &credentials.0)
    }

    async fn call<T>(
        &self,
        url: Url,
        request: http::request::Builder,
        body: Body,
        answered: impl AsyncFnOnce(Response<Incoming>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.call_within(TIME_LIMIT, url, request, body, answered).await
    }

    async fn call_within<T>(
        &self,
        limit: Duration,
        url: Url,
        request: http::request::Builder,
        body: Body,
        answered: impl AsyncFnOnce(Response<Incoming>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let request = request.uri(url.as_str()).body(body).map_err(|error| broken(&error))?;
        let calling = async {
            let _place = self.places.acquire().await.map_err(|error| broken(&error))?;
            let response = self.client.request(request).await.map_err(|error| broken(&error))?;
            let status = response.status();
            if status.is_success() {
                return answered(response).await;
            }
            let told = read(response, MAX_ERROR).await.unwrap_or_default();
            match status {
                StatusCode::NOT_FOUND if is_missing(&told) => Err(Failure::Missing),
                _ => Err(Failure::Refused(status, String::from_utf8_lossy(&told).into_owned())),
            }
        };
        timeout_at(Instant::now() + limit, calling).await.unwrap_or(Err(Failure::TooLate))
    }
}

/// Bytes that are sent as they are.
fn whole(data: Bytes) -> Body {
    Full::new(data).map_err(|never| match never {}).boxed_unsync()
}

/// Whether it is the object that is missing, and not the bucket, which is an operator's mistake.
fn is_missing(told: &[u8]) -> bool {
    !String::from_utf8_lossy(told).contains("NoSuchBucket")
}

async fn read(response: Response<Incoming>, most: usize) -> Result<Bytes, Failure> {
    match Limited::new(response.into_body(), most).collect().await {
        Ok(read) => Ok(read.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Failure::OtherLength),
        Err(error) => Err(Failure::Unreachable(error.to_string())),
    }
}

/// What went wrong, with all of its causes: none of them says where we signed for.
fn broken(error: &dyn std::error::Error) -> Failure {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    Failure::Unreachable(text)
}

fn tls(authorities: Option<&[u8]>) -> Result<ClientConfig, InvalidAuthority> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if let Some(pem) = authorities {
        let certificates = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
        let (added, _) = roots.add_parsable_certificates(certificates.map_err(|_| InvalidAuthority)?);
        if added == 0 {
            return Err(InvalidAuthority);
        }
    }
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    #[expect(clippy::expect_used, reason = "the provider's own versions")]
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions");
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
