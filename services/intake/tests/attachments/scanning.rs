//! Attachments that clamd looks at before anybody can fetch them: against a small one that
//! speaks its protocol, finds a word, and can be away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use proto::redress::intake::v1::{
    Attachment, AttachmentRefusal, AttachmentState, CreateAttachmentRequest, SubmitComplaintRequest,
};
use testkit::{House, eventually, request_id};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::Notify;
use tonic::Code;

use super::evidence::complaint_with;
use super::{Client, announcement, create, fetch, get, parts, picture, refused, send, uploaded, used};

/// What the fake finds.
const WORD: &[u8] = b"X5O!P%@AP-A-TEST";
const SIGNATURE: &str = "Eicar-Test-Signature";
/// Most that it takes, as `StreamMaxLength` of the real one.
const STREAM_MAX: usize = 2_000_000;

#[derive(Default)]
struct Clamd {
    /// Hangs up on whoever comes.
    is_away: AtomicBool,
    /// Waits before it answers, until told to go on.
    is_slow: AtomicBool,
    go_on: Notify,
    begun: AtomicUsize,
}

impl Clamd {
    /// Answers one connection, as clamd does.
    async fn answer(&self, mut line: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<()> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        if self.is_away.load(Ordering::SeqCst) {
            return Ok(());
        }
        let mut command = [0; 10];
        line.read_exact(&mut command).await?;
        assert_eq!(&command, b"zINSTREAM\0");
        let mut content = Vec::new();
        loop {
            let length = line.read_u32().await?;
            if length == 0 {
                break;
            }
            let begin = content.len();
            content.resize(begin + usize::try_from(length).expect("a length"), 0);
            line.read_exact(&mut content[begin..]).await?;
            if content.len() > STREAM_MAX {
                return line.write_all(b"INSTREAM size limit exceeded. ERROR\0").await;
            }
        }
        if self.is_slow.load(Ordering::SeqCst) {
            self.go_on.notified().await;
        }
        let found = content.windows(WORD.len()).any(|part| part == WORD);
        let answer = if found { format!("stream: {SIGNATURE} FOUND\0") } else { "stream: OK\0".to_owned() };
        line.write_all(answer.as_bytes()).await
    }

    async fn listen() -> (Arc<Self>, String) {
        let clamd = Arc::new(Self::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let serving = clamd.clone();
        tokio::spawn(async move {
            while let Ok((line, _)) = listener.accept().await {
                let clamd = serving.clone();
                tokio::spawn(async move { clamd.answer(line).await });
            }
        });
        (clamd, address)
    }
}

async fn open(clamd: &str) -> House {
    House::builder(&[intake::SERVICE])
        .settings(|settings| settings.clamd = Some(clamd.to_owned()))
        .open()
        .await
}

async fn in_state(client: &Client, id: &str, state: AttachmentState) -> Attachment {
    eventually(|| async { get(client, id).await.is_ok_and(|now| now.state() == state) }).await;
    get(client, id).await.expect("it is there")
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_fetches_what_the_scanner_has_not_called_clean() {
    let (clamd, address) = Clamd::listen().await;
    clamd.is_slow.store(true, Ordering::SeqCst);
    let house = open(&address).await;
    let client = Client::new(house.channel());
    let bytes = picture(600_000, 1);
    let done = uploaded(&client, &bytes).await;
    assert_eq!(done.state(), AttachmentState::Scanning);
    eventually(|| async { clamd.begun.load(Ordering::SeqCst) == 1 }).await;
    let early = refused(fetch(&client, &done.attachment_id, 0, 0).await);
    assert_eq!(early, (Code::FailedPrecondition, "ATTACHMENT_NOT_READY".to_owned()));
    // A complaint does not wait for the scanner.
    let complaint = Some(complaint_with("", &[&done.attachment_id]));
    let request = SubmitComplaintRequest { request_id: request_id(), complaint };
    IntakeServiceClient::new(house.channel()).submit_complaint(request).await.unwrap();
    clamd.go_on.notify_one();
    in_state(&client, &done.attachment_id, AttachmentState::Ready).await;
    assert_eq!(fetch(&client, &done.attachment_id, 0, 0).await.unwrap(), bytes);
    assert_eq!(clamd.begun.load(Ordering::SeqCst), 1, "it is scanned once");
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_scanner_finds_is_refused_with_its_name() {
    let (_clamd, address) = Clamd::listen().await;
    let house = open(&address).await;
    let client = Client::new(house.channel());
    // The word stands across the edge of two pieces.
    let mut bytes = picture(600_000, 1);
    bytes[262_140..262_140 + WORD.len()].copy_from_slice(WORD);
    let id = uploaded(&client, &bytes).await.attachment_id;
    let found = in_state(&client, &id, AttachmentState::Refused).await;
    assert_eq!((found.refusal(), found.signature.as_str()), (AttachmentRefusal::Malware, SIGNATURE));
    assert_eq!(refused(fetch(&client, &id, 0, 0).await).1, "ATTACHMENT_REFUSED");
    assert_eq!(refused(send(&client, parts(&id, &bytes, 0, 100_000)).await).1, "MALWARE_FOUND");
    assert_eq!(used(&client).await, 0);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_scanner_is_away_attachments_wait_and_are_tried_again() {
    let (clamd, address) = Clamd::listen().await;
    clamd.is_away.store(true, Ordering::SeqCst);
    let house = open(&address).await;
    let client = Client::new(house.channel());
    let id = uploaded(&client, &picture(300_000, 1)).await.attachment_id;
    eventually(|| async { clamd.begun.load(Ordering::SeqCst) >= 2 }).await;
    let waiting = get(&client, &id).await.unwrap();
    assert_eq!(
        (waiting.state(), waiting.refusal()),
        (AttachmentState::Scanning, AttachmentRefusal::Unspecified)
    );
    assert_eq!(refused(fetch(&client, &id, 0, 0).await).1, "ATTACHMENT_NOT_READY");
    clamd.is_away.store(false, Ordering::SeqCst);
    in_state(&client, &id, AttachmentState::Ready).await;
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_for_the_scanner_waits_and_holds_no_other_up() {
    let (clamd, address) = Clamd::listen().await;
    let house = open(&address).await;
    let client = Client::new(house.channel());
    let large = uploaded(&client, &picture(3_000_000, 1)).await.attachment_id;
    eventually(|| async { clamd.begun.load(Ordering::SeqCst) >= 2 }).await;
    let small = uploaded(&client, &picture(300, 2)).await.attachment_id;
    in_state(&client, &small, AttachmentState::Ready).await;
    assert_eq!(get(&client, &large).await.unwrap().state(), AttachmentState::Scanning);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scanner_is_reached_by_a_socket_in_the_file_system_too() {
    let folder = std::env::temp_dir().join(format!("redress-{}", request_id()));
    std::fs::create_dir(&folder).unwrap();
    let socket = folder.join("clamd.sock");
    let (clamd, listener) = (Clamd::default(), UnixListener::bind(&socket).unwrap());
    let serving = tokio::spawn(async move {
        let (line, _) = listener.accept().await.unwrap();
        clamd.answer(line).await
    });
    let house = open(&format!("unix:{}", socket.display())).await;
    let client = Client::new(house.channel());
    let text = CreateAttachmentRequest {
        file_name: "what-happened.txt".to_owned(),
        media_type: "text/plain".to_owned(),
        ..announcement(b"It fell.")
    };
    let id = create(&client, text).await.unwrap().attachment_id;
    send(&client, parts(&id, b"It fell.", 0, 3)).await.unwrap();
    in_state(&client, &id, AttachmentState::Ready).await;
    serving.await.unwrap().unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    house.done().await;
}
