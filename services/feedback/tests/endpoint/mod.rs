//! An HTTP server in small, as gateways are: answers posts as scripted.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What is answered to a post.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// A status, headers (each with its line's end) and a body.
    Says(u16, &'static str, &'static str),
    /// The connection is closed instead.
    HangsUp,
    /// Nothing, for ever.
    Stalls,
}

/// The server. Copies are the same one.
#[derive(Clone)]
pub(crate) struct Endpoint(Arc<Inner>);

struct Inner {
    port: u16,
    posts: Mutex<Vec<Posted>>,
    replies: Mutex<VecDeque<Reply>>,
    otherwise: Reply,
}

/// A post it got.
#[derive(Clone, Debug)]
pub(crate) struct Posted {
    /// The request line and the headers.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Posted {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> &str {
        let of = |line: &'_ str| line.split_once(':').is_some_and(|(one, _)| one.eq_ignore_ascii_case(name));
        let line = self.head.lines().find(|line| of(line)).unwrap_or_default();
        line.split_once(':').map(|(_, value)| value.trim()).unwrap_or_default()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Endpoint {
    /// A server that answers so, unless it is scripted.
    pub(crate) async fn open(otherwise: Reply) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (posts, replies) = (Mutex::default(), Mutex::default());
        let endpoint = Self(Arc::new(Inner { port, posts, replies, otherwise }));
        let serving = endpoint.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(stream));
            }
        });
        endpoint
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/send?key=seven", self.0.port)
    }

    /// What the next posts get.
    pub(crate) fn script(&self, replies: &[Reply]) {
        self.0.replies.lock().unwrap().extend(replies.iter().cloned());
    }

    pub(crate) fn posts(&self) -> Vec<Posted> {
        self.0.posts.lock().unwrap().clone()
    }

    async fn serve(self, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let posted = Posted { head, body: String::new() };
        let mut body = vec![0; posted.header("content-length").parse().unwrap_or(0)];
        if stream.read_exact(&mut body).await.is_err() {
            return;
        }
        let posted = Posted { body: String::from_utf8(body).unwrap(), ..posted };
        self.0.posts.lock().unwrap().push(posted);
        let scripted = self.0.replies.lock().unwrap().pop_front();
        match scripted.unwrap_or_else(|| self.0.otherwise.clone()) {
            Reply::Says(status, headers, body) => {
                let length = body.len();
                let text =
                    format!("HTTP/1.1 {status} said\r\n{headers}content-length: {length}\r\n\r\n{body}");
                let _ = stream.write_all(text.as_bytes()).await;
            }
            Reply::HangsUp => {}
            Reply::Stalls => std::future::pending().await,
        }
    }
}
