//! Servers of others that notices are posted to, and what their answers come to.

use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::HeaderMap;
use server::Settings;
use webhook::{Post, Reply, Sender, Target};

use crate::notice::Answer;

/// Longest that connecting, sending and the whole answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Most characters that are kept of an answer.
const EXCERPT: usize = 200;

/// A server that notices are posted to.
pub(super) struct Gateway {
    sender: Sender,
    target: Target,
}

impl Gateway {
    /// The one at a URL. Without TLS it may only be in a network of the operator's.
    pub(super) fn new(settings: &Settings, setting: &'static str, url: &str) -> anyhow::Result<Self> {
        // The URL may hold a key: the error must not repeat it.
        let target: Target = url.parse().context(setting)?;
        anyhow::ensure!(
            target.is_tls() || !settings.endpoint_networks.is_empty(),
            "{setting} must be https, unless it is in one of REDRESS_ENDPOINT_NETWORKS"
        );
        Ok(Self { sender: settings.endpoint_sender()?, target })
    }

    /// Posts a message: what was answered, or that there was no answer.
    pub(super) async fn post(&self, headers: HeaderMap, body: Vec<u8>) -> Result<Reply, Answer> {
        let post = Post { headers, body: Bytes::from(body), timeout: TIMEOUT };
        self.sender.post(&self.target, post).await.map_err(|failure| Answer::Later(failure.to_string(), None))
    }
}

/// What an answer says, in one line: its status and first words.
pub(super) fn said(reply: &Reply) -> String {
    let text = String::from_utf8_lossy(&reply.body);
    let words: Vec<&str> = text.split_whitespace().collect();
    let excerpt: String = words.join(" ").chars().take(EXCERPT).collect();
    format!("{} {excerpt}", reply.status).trim_end().to_owned()
}

/// What an answer that is no success comes to: whether trying again may help.
pub(super) fn unsuccessful(reply: &Reply, is_final: impl Fn(u16) -> bool) -> Answer {
    if is_final(reply.status) {
        Answer::Refused(said(reply))
    } else {
        Answer::Later(said(reply), reply.retry_after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_is_one_line_of_bounded_length() {
        let reply = |status, body: &str| Reply {
            status,
            retry_after: None,
            body: Bytes::from(body.to_owned()),
            is_whole: true,
        };
        assert_eq!(said(&reply(202, "queued\r\n as  4711")), "202 queued as 4711");
        assert_eq!(said(&reply(204, "")), "204");
        assert_eq!(said(&reply(200, &"投".repeat(9_000))).chars().count(), 4 + EXCERPT);
    }
}
