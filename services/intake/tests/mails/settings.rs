//! Mailboxes as they are settled, and how far each is.

use proto::redress::intake::v1::{
    DeleteMailboxRequest, GetMailboxRequest, ImapSource, ListMailboxesRequest, MailSecurity, Mailbox,
    MailboxState, SetMailboxRequest,
};
use testkit::{House, eventually, free_address, hand_over, reason, request_id, violations};

use super::{ADDRESS, Client, mail, mailbox, open, set};

async fn get(client: &Client) -> Mailbox {
    let request = GetMailboxRequest { mailbox_id: "shop".to_owned() };
    client.clone().get_mailbox(request).await.expect("the mailbox").into_inner().mailbox.expect("one")
}

pub(super) fn fetched(port: u16) -> Mailbox {
    let imap = ImapSource {
        host: "127.0.0.1".to_owned(),
        port: port.into(),
        security: MailSecurity::None.into(),
        username: "shop".to_owned(),
        ..ImapSource::default()
    };
    Mailbox { imap: Some(imap), ..mailbox() }
}

pub(super) fn setting(mailbox: Mailbox, secret: &str, seen: Option<i64>) -> SetMailboxRequest {
    SetMailboxRequest {
        request_id: request_id(),
        mailbox: Some(mailbox),
        secret: secret.to_owned(),
        expected_version: seen,
        client_secret: String::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_one_mailboxes_and_its_secret_is_never_shown() {
    let house = House::builder(&[intake::SERVICE]).identified().open().await;
    let client = Client::new(house.channel());
    let missing = client.clone().set_mailbox(setting(fetched(1), "", None)).await.expect_err("no secret");
    assert_eq!(
        (reason(&missing).as_str(), violations(&missing)),
        ("INVALID_MAILBOX", vec!["secret".to_owned()])
    );
    let made = client.clone().set_mailbox(setting(fetched(1), "hunter2", Some(0))).await.expect("set up");
    assert!(!format!("{made:?}").contains("hunter2"));
    let made = made.into_inner().mailbox.expect("a mailbox");
    assert_eq!((made.version, made.imap.map(|imap| imap.has_secret)), (1, Some(true)));
    let kept = client.clone().set_mailbox(setting(fetched(1), "", Some(1))).await.expect("kept its secret");
    assert_eq!(kept.into_inner().mailbox.map(|one| one.version), Some(2));
    let elsewhere = {
        let mut other = fetched(1);
        other.imap.as_mut().expect("one").host = "127.0.0.2".to_owned();
        setting(other, "", None)
    };
    let refused = client.clone().set_mailbox(elsewhere).await.expect_err("the secret is not sent elsewhere");
    assert_eq!(violations(&refused), ["secret"]);
    let stale = client.clone().set_mailbox(setting(fetched(1), "", Some(1))).await.expect_err("stale");
    assert_eq!(reason(&stale), "VERSION_MISMATCH");

    let theirs = Client::new(house.channel_as("other", "admin", &["admin"]));
    let taken = set(&theirs, mailbox()).await.expect_err("one address, one mailbox");
    assert_eq!(reason(&taken), "MAIL_ADDRESS_TAKEN");
    let none = theirs.clone().list_mailboxes(ListMailboxesRequest {}).await.expect("listed");
    assert!(none.into_inner().mailboxes.is_empty());
    let request = DeleteMailboxRequest {
        request_id: request_id(),
        mailbox_id: "shop".to_owned(),
        expected_version: Some(2),
    };
    client.clone().delete_mailbox(request).await.expect("deleted");
    set(&theirs, mailbox()).await.expect("the address is free");
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_has_fifty_mailboxes_and_no_more() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = Client::new(house.channel());
    let numbered = |number: u32| Mailbox {
        mailbox_id: format!("shop-{number}"),
        address: format!("complaints{number}@shop.example"),
        ..mailbox()
    };
    for number in 0..50 {
        set(&client, numbered(number)).await.expect("there is room");
    }
    let refused = set(&client, numbered(50)).await.expect_err("there is none");
    assert_eq!(reason(&refused), "TOO_MANY_MAILBOXES");
    set(&client, numbered(7)).await.expect("one of them is changed");
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_that_cannot_be_read_says_so_until_it_is_left_alone() {
    let nobody = free_address().port();
    let house = House::builder(&[intake::SERVICE])
        .settings(|settings| settings.endpoint_networks = vec!["127.0.0.0/8".parse().expect("a network")])
        .open()
        .await;
    let client = Client::new(house.channel());
    client.clone().set_mailbox(setting(fetched(nobody), "hunter2", None)).await.expect("set up");
    eventually(|| async { get(&client).await.state() == MailboxState::Failing }).await;
    let failing = get(&client).await;
    assert_eq!(failing.error_reason, "UNREACHABLE");
    assert!(failing.error_time.is_some() && !failing.error.is_empty(), "{failing:?}");
    assert!(!failing.error.contains("hunter2"));
    let paused = Mailbox { paused: true, ..fetched(nobody) };
    client.clone().set_mailbox(setting(paused, "", None)).await.expect("paused");
    assert_eq!(get(&client).await.state(), MailboxState::Paused);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_reads_no_mailbox_within_the_operators_network() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = Client::new(house.channel());
    client.clone().set_mailbox(setting(fetched(143), "hunter2", None)).await.expect("set up");
    eventually(|| async { get(&client).await.state() == MailboxState::Failing }).await;
    let reason = get(&client).await.error_reason;
    assert!(["UNREACHABLE", "INSECURE"].contains(&reason.as_str()), "{reason}");
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_are_taken_for_mailboxes_there_are_and_silence_is_told() {
    let (house, at) = open().await;
    let client = Client::new(house.channel());
    let quiet = Mailbox { silent_after: Some(prost_types::Duration { seconds: 1, nanos: 0 }), ..mailbox() };
    set(&client, quiet).await.expect("set up");
    assert!(hand_over(at, "somebody@shop.example", "").await.starts_with("550"), "no relay");
    eventually(|| async { get(&client).await.state() == MailboxState::Silent }).await;
    let patient = Mailbox { silent_after: None, ..mailbox() };
    set(&client, patient).await.expect("changed");
    assert_eq!(get(&client).await.state(), MailboxState::HandedOver);
    hand_over(at, ADDRESS, &mail(1, "Subject: x\r\n", "x")).await;
    assert!(get(&client).await.last_mail_time.is_some());
    let paused = Mailbox { paused: true, ..mailbox() };
    set(&client, paused).await.expect("paused");
    assert!(hand_over(at, ADDRESS, &mail(2, "Subject: y\r\n", "y")).await.starts_with("451"), "it waits");
    house.done().await;
}
