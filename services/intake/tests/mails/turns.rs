//! More mailboxes than one process reads at once: each has its turn.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proto::redress::intake::v1::{
    ImapSource, ListMailboxesRequest, MailSecurity, Mailbox, SetMailboxRequest,
};
use testkit::{House, eventually, request_id};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::{Client, mailbox};

/// Most that a process reads at once.
const AT_ONCE: usize = 32;

/// A server of empty folders, and how many connections it has at most.
#[derive(Default)]
struct Server {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Server {
    async fn open() -> (Arc<Self>, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let at = listener.local_addr().expect("an address");
        let server = Arc::new(Self::default());
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = serving.clone();
                tokio::spawn(async move {
                    let now = server.now.fetch_add(1, Ordering::SeqCst) + 1;
                    server.most.fetch_max(now, Ordering::SeqCst);
                    let _ = converse(stream).await;
                    server.now.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        (server, at)
    }
}

/// Answers as a server does whose folder is empty, until the client goes.
async fn converse(stream: TcpStream) -> std::io::Result<()> {
    let (reading, mut writing) = stream.into_split();
    writing.write_all(b"* OK ready\r\n").await?;
    let mut lines = BufReader::new(reading).lines();
    let mut idling = String::new();
    while let Some(line) = lines.next_line().await? {
        let (tag, command) = line.split_once(' ').unwrap_or((&line, ""));
        let answer = match command.split(' ').next().unwrap_or_default() {
            "CAPABILITY" => format!("* CAPABILITY IMAP4rev1 IDLE\r\n{tag} OK\r\n"),
            "EXAMINE" => format!("* 0 EXISTS\r\n* OK [UIDVALIDITY 7] life\r\n{tag} OK open\r\n"),
            "UID" => format!("* SEARCH\r\n{tag} OK none\r\n"),
            "IDLE" => {
                tag.clone_into(&mut idling);
                "+ idling\r\n".to_owned()
            }
            _ if line == "DONE" => format!("{idling} OK done\r\n"),
            _ => format!("{tag} OK\r\n"),
        };
        writing.write_all(answer.as_bytes()).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn more_mailboxes_than_are_read_at_once_take_turns() {
    let (server, at) = Server::open().await;
    let house = House::builder(&[intake::SERVICE])
        .settings(|settings| settings.endpoint_networks = vec!["127.0.0.0/8".parse().expect("a network")])
        .open()
        .await;
    let client = Client::new(house.channel());
    let count = AT_ONCE + 2;
    for number in 0..count {
        let imap = ImapSource {
            host: at.ip().to_string(),
            port: at.port().into(),
            security: MailSecurity::None.into(),
            username: format!("user{number}"),
            ..ImapSource::default()
        };
        let mailbox = Mailbox {
            mailbox_id: format!("shop-{number}"),
            address: format!("complaints{number}@shop.example"),
            imap: Some(imap),
            ..mailbox()
        };
        let request = SetMailboxRequest {
            request_id: request_id(),
            mailbox: Some(mailbox),
            secret: "secret".to_owned(),
            ..SetMailboxRequest::default()
        };
        client.clone().set_mailbox(request).await.expect("set up");
    }
    eventually(|| async {
        let all = client.clone().list_mailboxes(ListMailboxesRequest {}).await.expect("listed").into_inner();
        assert!(all.mailboxes.iter().all(|one| one.error_reason.is_empty()), "{all:?}");
        all.mailboxes.iter().filter(|one| one.caught_up_time.is_some()).count() == count
    })
    .await;
    assert_eq!(server.most.load(Ordering::SeqCst), AT_ONCE);
    house.done().await;
}
