//! A mail is kept once, and becomes a complaint with its files; what is none is set aside.

use proto::redress::intake::v1::attachment_service_client::AttachmentServiceClient;
use proto::redress::intake::v1::{
    AttachmentSettings, Channel, ComplaintRegistered, DeliveryReportReceived, DownloadAttachmentRequest,
    GetAttachmentRequest, MailSetAside, MailState, RegisterMailRequest, UpdateAttachmentSettingsRequest,
};
use testkit::{House, hand_over, reason, request_id};

use super::{ADDRESS, Client, complaint, get, list, mail, mailbox, open, set, settled};

const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// A mail with a picture, an archive that nobody accepts, and quoted words.
fn with_files() -> String {
    let head = "From: =?gb2312?B?1cXI/Q==?= <zhang@example.org>\r\nTo: complaints@shop.example\r\n\
                Subject: The cup broke\r\nMessage-ID: <files@example.org>\r\nMIME-Version: 1.0\r\n\
                Content-Type: multipart/mixed; boundary=B\r\n\r\n";
    let text = "--B\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nIt broke on the first day.\r\n\r\n\
                > Thank you for your order.\r\n";
    let picture = format!(
        "--B\r\nContent-Type: application/octet-stream; name=\"cup.png\"\r\n\
         Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"cup.png\"\r\n\r\n{PNG}\r\n"
    );
    let archive = "--B\r\nContent-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n\
                   Content-Disposition: attachment; filename=\"all.zip\"\r\n\r\nUEsDBA==\r\n--B--\r\n";
    format!("{head}{text}{picture}{archive}")
}

pub(crate) async fn download(house: &House, id: &str) -> Vec<u8> {
    let request = DownloadAttachmentRequest { attachment_id: id.to_owned(), ..Default::default() };
    let mut client = AttachmentServiceClient::new(house.channel());
    let mut parts = client.download_attachment(request).await.expect("a stream").into_inner();
    let mut bytes = Vec::new();
    while let Some(part) = parts.message().await.expect("a part") {
        bytes.extend(part.data);
    }
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_becomes_a_complaint_in_its_senders_words_with_its_files() {
    let (house, at) = open().await;
    let client = Client::new(house.channel());
    set(&client, mailbox()).await.expect("set up");
    let sent = with_files();
    assert!(hand_over(at, ADDRESS, &sent).await.starts_with("250"));
    let mails = settled(&client, 1).await;
    assert_eq!(mails[0].state(), MailState::Registered, "{:?}", mails[0]);
    assert_eq!((mails[0].sender.as_str(), mails[0].subject.as_str()), ("zhang@example.org", "The cup broke"));
    assert_eq!(mails[0].excerpt, "It broke on the first day.");
    assert!(
        mails[0].remarks.iter().any(|remark| remark.starts_with("all.zip is not accepted")),
        "{:?}",
        mails[0]
    );

    let complaint = complaint(&house, &mails[0].complaint_id).await;
    assert_eq!(complaint.channel(), Channel::Email);
    assert_eq!(complaint.description, "It broke on the first day.");
    assert_eq!(complaint.external_ref, "files@example.org");
    assert_eq!((complaint.language.as_str(), complaint.category_hint.as_str()), ("en", "delivery"));
    assert_eq!(complaint.receive_time_by, "mailbox:shop");
    assert!(!complaint.automatic);
    let who = complaint.complainant.expect("who complains");
    assert_eq!((who.display_name.as_str(), who.email.as_str()), ("张三", "zhang@example.org"));
    let kinds: Vec<&str> = complaint.evidence.iter().map(|one| one.kind.as_str()).collect();
    assert_eq!(kinds, ["e-mail", "attachment of the e-mail"]);
    assert_eq!(complaint.evidence[0].attachment_id, mails[0].attachment_id);
    let whole = download(&house, &complaint.evidence[0].attachment_id).await;
    assert_eq!(String::from_utf8_lossy(&whole).trim_end(), sent.trim_end());
    let request = GetAttachmentRequest { attachment_id: complaint.evidence[1].attachment_id.clone() };
    let picture = AttachmentServiceClient::new(house.channel()).get_attachment(request).await;
    let picture = picture.expect("the picture").into_inner().attachment.expect("the picture");
    assert_eq!((picture.file_name.as_str(), picture.media_type.as_str()), ("cup.png", "image/png"));
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_comes_twice_is_one_and_two_that_bear_one_id_are_two() {
    let (house, at) = open().await;
    let client = Client::new(house.channel());
    set(&client, mailbox()).await.expect("set up");
    let first = mail(1, "Subject: One\r\n", "The cup broke.");
    // What a server on the way adds does not make it another.
    let again = format!("Received: from a by b\r\n{first}");
    let (one, two) = tokio::join!(hand_over(at, ADDRESS, &first), hand_over(at, ADDRESS, &again));
    assert!(one.starts_with("250") && two.starts_with("250"), "{one} {two}");
    settled(&client, 1).await;
    let other = mail(1, "Subject: One\r\n", "The saucer broke.");
    hand_over(at, ADDRESS, &other).await;
    let mails = settled(&client, 2).await;
    assert!(mails.iter().all(|mail| mail.state() == MailState::Registered), "{mails:?}");
    let texts =
        [complaint(&house, &mails[0].complaint_id).await, complaint(&house, &mails[1].complaint_id).await]
            .map(|complaint| (complaint.description, complaint.external_ref));
    assert_eq!(texts[0], ("The cup broke.".to_owned(), "1@example.org".to_owned()));
    assert_eq!(texts[1], ("The saucer broke.".to_owned(), String::new()), "its number is taken");
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_dies_before_it_is_noted_has_registered_once() {
    let (house, at) = open().await;
    let client = Client::new(house.channel());
    set(&client, mailbox()).await.expect("set up");
    hand_over(at, ADDRESS, &with_files()).await;
    let before = settled(&client, 1).await;
    // As if who took it had died between the registration and the note of it.
    let mut owner = house.owner().await;
    sqlx::raw_sql("UPDATE intake.mail SET state = 1, complaint_id = NULL, next_at = 'epoch'")
        .execute(&mut owner)
        .await
        .expect("turned back");
    let after = settled(&client, 1).await;
    assert_eq!(after[0].complaint_id, before[0].complaint_id);
    assert_eq!(house.published::<ComplaintRegistered>("intake").await.len(), 1);
    drop(owner);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_get_no_case_unless_somebody_says_so() {
    let (house, at) = open().await;
    let client = Client::new(house.channel());
    set(&client, mailbox()).await.expect("set up");
    for (number, headers) in [
        (1, "Subject: Away\r\nAuto-Submitted: auto-replied\r\n"),
        (2, "Subject: News\r\nPrecedence: bulk\r\nList-Id: <news.example.org>\r\n"),
        (3, "Subject: Web form\r\nAuto-Submitted: auto-generated\r\n"),
    ] {
        hand_over(at, ADDRESS, &mail(number, headers, "The cup broke.")).await;
        settled(&client, number as usize).await;
    }
    let mails = settled(&client, 3).await;
    let became: Vec<_> = mails.iter().map(|mail| (mail.state(), mail.set_aside())).collect();
    assert_eq!(
        became,
        [
            (MailState::SetAside, MailSetAside::AutoReply),
            (MailState::SetAside, MailSetAside::Bulk),
            (MailState::Registered, MailSetAside::Unspecified),
        ]
    );
    assert!(complaint(&house, &mails[2].complaint_id).await.automatic);

    let register = |mail_id: &str, complaint_id: &str| RegisterMailRequest {
        request_id: request_id(),
        mail_id: mail_id.to_owned(),
        complaint_id: complaint_id.to_owned(),
        text: String::new(),
    };
    let refused = client.clone().register_mail(register(&mails[2].mail_id, "")).await.expect_err("it is one");
    assert_eq!(reason(&refused), "MAIL_NOT_SET_ASIDE");
    let mine = Client::new(house.channel_as("development", "clerk", &["agent"]));
    mine.clone().register_mail(register(&mails[0].mail_id, "")).await.expect("registered");
    mine.clone()
        .register_mail(register(&mails[1].mail_id, &mails[2].complaint_id))
        .await
        .expect("registered on a case");
    settled(&client, 3).await;
    let (first, second) = (get(&client, &mails[0].mail_id).await, get(&client, &mails[1].mail_id).await);
    assert_eq!((first.state(), first.registrar.as_str()), (MailState::Registered, "clerk"));
    assert!(complaint(&house, &first.complaint_id).await.automatic, "no machine is answered");
    assert_eq!((second.state(), second.complaint_id), (MailState::Added, mails[2].complaint_id.clone()));
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_kept_and_says_so() {
    let (house, at) = open().await;
    let client = Client::new(house.channel());
    set(&client, mailbox()).await.expect("set up");
    assert!(hand_over(at, ADDRESS, "\r\nno header at all\r\n").await.starts_with("250"), "it is kept");
    let mails = settled(&client, 1).await;
    assert_eq!((mails[0].state(), mails[0].set_aside()), (MailState::SetAside, MailSetAside::Unreadable));
    assert!(!mails[0].remarks.is_empty() && !mails[0].attachment_id.is_empty(), "{mails:?}");
    let request = RegisterMailRequest {
        request_id: request_id(),
        mail_id: mails[0].mail_id.clone(),
        complaint_id: String::new(),
        text: String::new(),
    };
    let refused = client.clone().register_mail(request).await.expect_err("there is nothing to register");
    assert_eq!(reason(&refused), "MAIL_UNREADABLE");
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_report_is_feedbacks() {
    let (house, at) = open().await;
    let client = Client::new(house.channel());
    set(&client, mailbox()).await.expect("set up");
    let report = "From: MAILER-DAEMON@mx.example.org\r\nTo: complaints@shop.example\r\nSubject: Undelivered\r\n\
         Message-ID: <dsn@mx.example.org>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=B\r\n\r\n--B\r\n\r\nNo.\r\n--B\r\n\
         Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.org\r\n\r\n\
         Final-Recipient: rfc822; ada@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--B--\r\n";
    hand_over(at, "Complaints+abc@Shop.example", report).await;
    let mails = settled(&client, 1).await;
    assert_eq!(mails[0].state(), MailState::DeliveryReport);
    assert_eq!(mails[0].attachment_id, "");
    let told = house.published::<DeliveryReportReceived>("intake").await;
    assert_eq!((told[0].mail_id.as_str(), told.len()), (mails[0].mail_id.as_str(), 1));
    assert_eq!(told[0].recipients, ["Complaints+abc@Shop.example"]);
    assert!(String::from_utf8_lossy(&told[0].message).contains("Status: 5.1.1"));
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_of_many_is_set_aside_and_what_there_is_no_room_for_stays_with_its_server() {
    let (house, at) = open().await;
    let client = Client::new(house.channel());
    let few = proto::redress::intake::v1::Mailbox { max_per_sender_hour: 2, ..mailbox() };
    set(&client, few).await.expect("set up");
    for number in 1..=3 {
        hand_over(at, ADDRESS, &mail(number, "Subject: Again\r\n", &format!("Number {number}."))).await;
        settled(&client, number as usize).await;
    }
    let mails = list(&client, MailState::SetAside).await;
    assert_eq!((mails.len(), mails[0].set_aside()), (1, MailSetAside::SenderRate));

    let mut attachments = AttachmentServiceClient::new(house.channel());
    let mut quota = async |quota_bytes| {
        let settings = AttachmentSettings {
            max_size_bytes: 1_000,
            quota_bytes,
            media_types: vec!["image/png".to_owned()],
            ..AttachmentSettings::default()
        };
        let request = UpdateAttachmentSettingsRequest {
            request_id: request_id(),
            settings: Some(settings),
            expected_version: None,
        };
        attachments.update_attachment_settings(request).await.expect("settled");
    };
    quota(1_000).await;
    let late = mail(4, "From: Bob <bob@example.org>\r\nSubject: Late\r\n", &"x".repeat(2_000));
    assert!(hand_over(at, ADDRESS, &late).await.starts_with("451"), "the server keeps it, and tries again");
    assert_eq!(list(&client, MailState::Unspecified).await.len(), 3);
    quota(1_000_000).await;
    assert!(hand_over(at, ADDRESS, &late).await.starts_with("250"));
    settled(&client, 4).await;
    house.done().await;
}
