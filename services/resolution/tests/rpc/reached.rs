//! A department that is reached over HTTP: what it was sent, and what it answers.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// What a department does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Answers this status, with this body.
    Answer(u16, String),
    /// Answers this status once it is told to.
    AnswerWhen(Arc<Notify>, u16),
    /// Answers nothing, for as long as anybody waits.
    Stall,
    /// Ends the connection in the middle of an answer.
    Die,
}

pub(crate) fn answer(status: u16, body: &str) -> Act {
    Act::Answer(status, body.to_owned())
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) raw: Vec<u8>,
    pub(crate) body: Value,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    pub(crate) fn kind(&self) -> &str {
        self.body["type"].as_str().unwrap_or_default()
    }

    pub(crate) fn task_id(&self) -> String {
        let data = &self.body["data"];
        let task = data["lease"]["task"]["taskId"].as_str().or(data["taskId"].as_str());
        task.unwrap_or_default().to_owned()
    }

    pub(crate) fn token(&self) -> String {
        self.body["data"]["lease"]["leaseToken"].as_str().unwrap_or_default().to_owned()
    }
}

/// A server that answers as it is told: what is next in its list, else what it always does.
pub(crate) struct Department {
    pub(crate) url: String,
    received: Arc<Mutex<Vec<Received>>>,
    next: Arc<Mutex<VecDeque<Act>>>,
    serving: JoinHandle<()>,
}

impl Department {
    pub(crate) async fn open(always: Act) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/tasks", listener.local_addr().unwrap());
        let (received, next) = (Arc::<Mutex<Vec<_>>>::default(), Arc::<Mutex<VecDeque<_>>>::default());
        let (seen, acts) = (received.clone(), next.clone());
        let serving = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (seen, acts, always) = (seen.clone(), acts.clone(), always.clone());
                tokio::spawn(serve(stream, seen, acts, always));
            }
        });
        Self { url, received, next, serving }
    }

    pub(crate) fn then(&self, act: Act) {
        self.next.lock().unwrap().push_back(act);
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// Waits for so many requests.
    pub(crate) async fn heard(&self, count: usize) -> Vec<Received> {
        testkit::eventually(async || self.received().len() >= count).await;
        self.received()
    }
}

impl Drop for Department {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(
    mut stream: TcpStream,
    seen: Arc<Mutex<Vec<Received>>>,
    acts: Arc<Mutex<VecDeque<Act>>>,
    always: Act,
) {
    let Some(request) = read(&mut stream).await else { return };
    seen.lock().unwrap().push(request);
    let act = acts.lock().unwrap().pop_front().unwrap_or(always);
    let answer = match act {
        Act::Answer(status, body) => written(status, &body),
        Act::AnswerWhen(told, status) => {
            told.notified().await;
            written(status, "")
        }
        Act::Die => "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"do".to_owned(),
        Act::Stall => {
            tokio::time::sleep(Duration::from_secs(30)).await;
            return;
        }
    };
    let _ = stream.write_all(answer.as_bytes()).await;
}

fn written(status: u16, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\nlocation: /elsewhere\r\ncontent-length: {length}\r\n\r\n{body}")
}

async fn read(stream: &mut TcpStream) -> Option<Received> {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 8_192]);
    loop {
        let count = stream.read(&mut chunk).await.ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&chunk[..count]);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let headers: Vec<(String, String)> = head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length: usize = length.map_or(0, |(_, value)| value.parse().unwrap());
        let raw = &bytes[end + 4..];
        if raw.len() >= length {
            let body = serde_json::from_slice(raw).unwrap();
            return Some(Received { headers, raw: raw.to_vec(), body });
        }
    }
}
