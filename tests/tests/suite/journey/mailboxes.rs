//! A mailbox is set up; a mail becomes a complaint, an answer to it is added to its case, one
//! that a machine sent is dismissed, and then registered by hand; then the mailbox is given up.

use proto::redress::intake::v1::mailbox_service_client::MailboxServiceClient;
use proto::redress::intake::v1::{
    DeleteMailboxRequest, DismissMailRequest, ListMailsRequest, Mail, MailState, Mailbox,
    RegisterMailRequest, SetMailboxRequest,
};
use testkit::{eventually, hand_over, request_id};

use super::scene::Scene;
use crate::twice::Twice;

const ADDRESS: &str = "complaints@shop.example";

/// How many mails became this.
async fn found(client: &MailboxServiceClient<Twice>, state: MailState) -> Vec<Mail> {
    let request = ListMailsRequest { state: state.into(), ..ListMailsRequest::default() };
    client.clone().list_mails(request).await.unwrap().into_inner().mails
}

pub(crate) async fn read(scene: &Scene) {
    let mut client = MailboxServiceClient::new(scene.line("admin"));
    let mailbox = Mailbox {
        mailbox_id: "shop".to_owned(),
        address: ADDRESS.to_owned(),
        owner: "ada".to_owned(),
        language: "en".to_owned(),
        ..Mailbox::default()
    };
    let request = SetMailboxRequest {
        request_id: request_id(),
        mailbox: Some(mailbox),
        secret: String::new(),
        expected_version: Some(0),
        client_secret: String::new(),
    };
    client.set_mailbox(request).await.unwrap();

    let mail = "From: Ada <ada@example.org>\r\nSubject: The cup broke\r\nMessage-ID: <1@example.org>\r\n\r\n\
                It broke on the first day.\r\n";
    hand_over(scene.mails, ADDRESS, mail).await;
    // Its answer was lost: the server hands it over again.
    hand_over(scene.mails, ADDRESS, mail).await;
    eventually(|| async { found(&client, MailState::Registered).await.len() == 1 }).await;
    let answer = "From: Ada <ada@example.org>\r\nSubject: Re: The cup broke\r\n\
                  Message-ID: <2@example.org>\r\nIn-Reply-To: <1@example.org>\r\n\r\nThe saucer, too.\r\n";
    hand_over(scene.mails, ADDRESS, answer).await;
    eventually(|| async { found(&client, MailState::Added).await.len() == 1 }).await;
    let of = |mails: &[Mail]| mails.first().map(|mail| mail.complaint_id.clone());
    let (first, added) =
        (found(&client, MailState::Registered).await, found(&client, MailState::Added).await);
    assert_eq!(of(&first), of(&added));

    let away = "From: Bob <bob@example.org>\r\nSubject: Away\r\nMessage-ID: <3@example.org>\r\n\
                Auto-Submitted: auto-replied\r\n\r\nI am away, and my cup is broken.\r\n";
    hand_over(scene.mails, ADDRESS, away).await;
    eventually(|| async { found(&client, MailState::SetAside).await.len() == 1 }).await;
    let mail_id = found(&client, MailState::SetAside).await.remove(0).mail_id;
    let request = DismissMailRequest {
        request_id: request_id(),
        mail_id: mail_id.clone(),
        reason: "Bob is away.".to_owned(),
    };
    client.dismiss_mail(request).await.unwrap();
    let request = RegisterMailRequest { request_id: request_id(), mail_id, ..RegisterMailRequest::default() };
    client.register_mail(request).await.unwrap();
    eventually(|| async { found(&client, MailState::Registered).await.len() == 2 }).await;
    let request = DeleteMailboxRequest {
        request_id: request_id(),
        mailbox_id: "shop".to_owned(),
        expected_version: Some(1),
    };
    client.delete_mailbox(request).await.unwrap();
    scene.settled().await;
}
