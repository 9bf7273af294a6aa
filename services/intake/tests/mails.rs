//! Mails over a real Postgres: handed over, kept once, read, and what becomes of each.

#![expect(clippy::expect_used, reason = "a test says what it expects")]

#[path = "mails/channels.rs"]
mod channels;
#[expect(dead_code, reason = "tests of attachments use more of it")]
#[path = "attachments/fake_s3.rs"]
mod fake_s3;
#[path = "mails/folder.rs"]
mod folder;
#[path = "mails/forgotten.rs"]
mod forgotten;
#[path = "mails/kept.rs"]
mod kept;
#[path = "mails/s3.rs"]
mod s3;
#[path = "mails/settings.rs"]
mod settings;
#[path = "mails/threads.rs"]
mod threads;
#[path = "mails/turns.rs"]
mod turns;
#[path = "mails/unfetched.rs"]
mod unfetched;

use std::net::SocketAddr;

use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use proto::redress::intake::v1::mailbox_service_client::MailboxServiceClient;
use proto::redress::intake::v1::{
    Complaint, GetComplaintRequest, GetMailRequest, ListMailsRequest, Mail, MailState, Mailbox,
    SetMailboxRequest,
};
use testkit::{CallerChannel, House, eventually, free_address, request_id};
use tonic::Status;

type Client = MailboxServiceClient<CallerChannel>;

const ADDRESS: &str = "complaints@shop.example";

/// Intake that mails are handed over to, and where.
async fn open() -> (House, SocketAddr) {
    let at = free_address();
    let house = House::builder(&[intake::SERVICE])
        .settings(|settings| settings.mails.smtp_listen = Some(at))
        .open()
        .await;
    (house, at)
}

fn mailbox() -> Mailbox {
    Mailbox {
        mailbox_id: "shop".to_owned(),
        address: ADDRESS.to_owned(),
        owner: "ada".to_owned(),
        language: "en".to_owned(),
        category_hint: "delivery".to_owned(),
        ..Mailbox::default()
    }
}

async fn set(client: &Client, mailbox: Mailbox) -> Result<Mailbox, Status> {
    let request = SetMailboxRequest {
        request_id: request_id(),
        mailbox: Some(mailbox),
        ..SetMailboxRequest::default()
    };
    Ok(client.clone().set_mailbox(request).await?.into_inner().mailbox.expect("a mailbox"))
}

/// A mail as it is sent: these headers beside those that all have, and this text.
fn mail(number: u32, headers: &str, text: &str) -> String {
    format!(
        "From: Ada <ada@example.org>\r\nTo: {ADDRESS}\r\nMessage-ID: <{number}@example.org>\r\n{headers}\
         \r\n{text}\r\n"
    )
}

async fn list(client: &Client, state: MailState) -> Vec<Mail> {
    let request = ListMailsRequest { state: state.into(), ..ListMailsRequest::default() };
    client.clone().list_mails(request).await.expect("listed").into_inner().mails
}

/// The mails, oldest first, once none waits any more and there are so many.
async fn settled(client: &Client, count: usize) -> Vec<Mail> {
    // One look for both: one that arrives between two would be missed.
    eventually(|| async {
        let all = list(client, MailState::Unspecified).await;
        all.len() == count && all.iter().all(|mail| mail.state() != MailState::Waiting)
    })
    .await;
    let mut mails = list(client, MailState::Unspecified).await;
    mails.reverse();
    mails
}

async fn complaint(house: &House, id: &str) -> Complaint {
    let request = GetComplaintRequest { complaint_id: id.to_owned() };
    let answer = IntakeServiceClient::new(house.channel()).get_complaint(request).await;
    answer.expect("the complaint").into_inner().complaint.expect("the complaint")
}

async fn get(client: &Client, id: &str) -> Mail {
    let request = GetMailRequest { mail_id: id.to_owned() };
    client.clone().get_mail(request).await.expect("the mail").into_inner().mail.expect("the mail")
}
