//! A store that speaks as much of S3 as we ask of one, and that fails when and how a test
//! wants it to. What a real one says to our requests is looked at by `.ci/objects`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use server::Settings;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// How a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// It is refused, and nothing is done.
    Refused,
    /// It is done, and the answer is lost: what a crash after it looks like, too.
    Lost,
    /// Nothing is done and nothing is answered.
    Stalled,
    /// It is done when told so, long after who asked has gone.
    Late,
}

type Plan = Box<dyn FnMut(&str, &str) -> Option<Wrong> + Send>;

/// The store.
pub(crate) struct FakeS3 {
    pub(crate) address: SocketAddr,
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
    plan: Mutex<Plan>,
    /// Has what is late be done.
    pub(crate) go_on: Notify,
    done_late: Notify,
}

struct Request {
    method: String,
    key: String,
    range: Option<(usize, usize)>,
    /// The key that is to be copied.
    source: Option<String>,
    /// Where a page of a list begins.
    from: usize,
    body: Vec<u8>,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no test panics with it")
}

impl FakeS3 {
    pub(crate) async fn open() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let store = Arc::new(Self {
            address: listener.local_addr().expect("an address"),
            objects: Mutex::default(),
            plan: Mutex::new(Box::new(|_, _| None)),
            go_on: Notify::new(),
            done_late: Notify::new(),
        });
        let serving = store.clone();
        tokio::spawn(async move {
            while let Ok((line, _)) = listener.accept().await {
                let store = serving.clone();
                tokio::spawn(async move { store.serve(line).await });
            }
        });
        store
    }

    /// Has a house keep attachments here.
    pub(crate) fn set(&self, settings: &mut Settings) {
        let secret = |text: &str| Some(text.to_owned().into());
        settings.objects.store = Some("s3://files/redress".to_owned());
        settings.objects.endpoint = Some(format!("http://{}", self.address));
        (settings.objects.key, settings.objects.secret) = (secret("key"), secret("secret"));
    }

    /// What becomes of calls from now on, by method and key.
    pub(crate) fn plan(&self, plan: impl FnMut(&str, &str) -> Option<Wrong> + Send + 'static) {
        *held(&self.plan) = Box::new(plan);
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        held(&self.objects).keys().cloned().collect()
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut BTreeMap<String, Vec<u8>>)) {
        change(&mut held(&self.objects));
    }

    /// Has what is late be done, and waits until one of it is.
    pub(crate) async fn catch_up(&self) {
        let done = self.done_late.notified();
        self.go_on.notify_one();
        done.await;
    }

    async fn serve(&self, mut line: TcpStream) -> Option<()> {
        loop {
            let request = read(&mut line).await?;
            let wrong = held(&self.plan)(&request.method, &request.key);
            match wrong {
                None => line.write_all(&self.answer(&request)).await.ok()?,
                Some(Wrong::Refused) => {
                    let refusal = b"HTTP/1.1 503 Slow Down\r\ncontent-length: 0\r\n\r\n";
                    line.write_all(refusal).await.ok()?;
                }
                Some(Wrong::Lost) => {
                    self.answer(&request);
                    return None;
                }
                Some(Wrong::Stalled) => std::future::pending().await,
                Some(Wrong::Late) => {
                    self.go_on.notified().await;
                    self.answer(&request);
                    self.done_late.notify_one();
                    return None;
                }
            }
        }
    }

    /// Does what is asked; answers as S3 does.
    fn answer(&self, request: &Request) -> Vec<u8> {
        let mut objects = held(&self.objects);
        if request.method == "LIST" {
            let list = list(&objects, request).into_bytes();
            return [format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", list.len()).into_bytes(), list]
                .concat();
        }
        let (status, body) = match (request.method.as_str(), objects.get(&request.key)) {
            ("PUT", _) if request.source.is_some() => {
                let from = request.source.as_ref().and_then(|source| objects.get(source)).cloned();
                match from {
                    Some(object) => {
                        objects.insert(request.key.clone(), object);
                        ("200 OK", b"<CopyObjectResult></CopyObjectResult>".to_vec())
                    }
                    None => ("404 Not Found", b"<Error><Code>NoSuchKey</Code></Error>".to_vec()),
                }
            }
            ("PUT", _) => {
                objects.insert(request.key.clone(), request.body.clone());
                ("200 OK", Vec::new())
            }
            ("DELETE", _) => {
                objects.remove(&request.key);
                ("204 No Content", Vec::new())
            }
            ("GET", Some(object)) => {
                let (from, last) = request.range.expect("a range");
                ("206 Partial Content", object[from..object.len().min(last + 1)].to_vec())
            }
            _ => ("404 Not Found", b"<Error><Code>NoSuchKey</Code></Error>".to_vec()),
        };
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n", body.len());
        [head.into_bytes(), body].concat()
    }
}

/// Keys of a page.
const PAGE: usize = 250;

/// A page of the objects whose keys begin with that of the request and have no slash after it, as
/// S3 lists them.
fn list(objects: &BTreeMap<String, Vec<u8>>, request: &Request) -> String {
    let prefix = &request.key;
    let is_one = |key: &String| key.strip_prefix(prefix.as_str()).is_some_and(|rest| !rest.contains('/'));
    let found: Vec<_> = objects.iter().filter(|(key, _)| is_one(key)).collect();
    let page = found.iter().skip(request.from).take(PAGE);
    let mut contents = String::new();
    for (key, object) in page {
        let sum = object.iter().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add((*byte).into()));
        let size = object.len();
        let _ = write!(
            contents,
            "<Contents><Key>redress/{key}</Key><ETag>\"{sum:x}\"</ETag><Size>{size}</Size></Contents>"
        );
    }
    let next = request.from + PAGE;
    let next = if next < found.len() {
        format!("<NextContinuationToken>{next}</NextContinuationToken>")
    } else {
        String::new()
    };
    format!(
        "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{contents}{next}</ListBucketResult>"
    )
}

/// What a parameter of an address says, without its escapes.
fn parameter(query: &str, name: &str) -> Option<String> {
    let of = |pair: &str| Some(pair.split_once('=').filter(|(known, _)| *known == name)?.1.to_owned());
    query.split('&').find_map(of).map(|value| value.replace("%2F", "/"))
}

/// A request, if one comes; it must be signed.
async fn read(line: &mut TcpStream) -> Option<Request> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(line.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).expect("a head of text");
    let mut words = head.split(' ');
    let (method, target) = (words.next().expect("a method"), words.next().expect("a target"));
    let (path, query) = target.split_once('?').expect("a signed address");
    for part in ["X-Amz-Algorithm=AWS4-HMAC-SHA256", "X-Amz-Credential=key%2F", "X-Amz-Signature="] {
        assert!(query.contains(part), "{part} in {query}");
    }
    let header = |name: &str| {
        let value = |line: &str| Some(line.split_once(": ")?.1.to_owned());
        head.lines().find(|line| line.to_lowercase().starts_with(&format!("{name}:"))).and_then(value)
    };
    let length = header("content-length").map_or(0, |length| length.parse().expect("a length"));
    let range = header("range").map(|range| {
        let (from, last) =
            range.strip_prefix("bytes=").and_then(|range| range.split_once('-')).expect("a range");
        (from.parse().expect("a first byte"), last.parse().expect("a last byte"))
    });
    let mut body = vec![0; length];
    line.read_exact(&mut body).await.ok()?;
    let below = |path: &str| path.strip_prefix("/files/redress/").map(str::to_owned);
    let source = header("x-amz-copy-source").map(|source| below(&source).expect("a source in the bucket"));
    if query.contains("list-type=2") {
        let prefix = parameter(query, "prefix").expect("a prefix");
        let key = prefix.strip_prefix("redress/").expect("the prefix").to_owned();
        let from = parameter(query, "continuation-token").map_or(0, |from| from.parse().expect("a place"));
        return Some(Request { method: "LIST".to_owned(), key, range: None, source: None, from, body });
    }
    let key = below(path).expect("the bucket and the prefix");
    Some(Request { method: method.to_owned(), key, range, source, from: 0, body })
}
