//! Mails that stay in their folder: each is a row that people see, once, and deal with.

use std::time::Duration;

use proto::redress::intake::v1::{
    Complaint, ComplaintRegistered, DismissMailRequest, GetMailboxRequest, InformationAdded,
    ListMailsRequest, Mail, MailSetAside, MailState, Mailbox, MailboxState, RegisterMailRequest,
};
use testkit::{House, MockClock, eventually, hand_over, reason, request_id, violations};

use super::folder::{Folder, Gives, Lying};
use super::settings::{fetched, setting};
use super::{ADDRESS, Client, complaint, get, mail, open, set, settled};

/// More than is fetched.
const LARGE: u64 = 40 << 20;

async fn read(house: &House, folder: &Folder) -> Client {
    let client = Client::new(house.channel());
    client.clone().set_mailbox(setting(fetched(folder.port), "secret", None)).await.expect("set up");
    client
}

async fn mailbox(client: &Client) -> Mailbox {
    let request = GetMailboxRequest { mailbox_id: "shop".to_owned() };
    client.clone().get_mailbox(request).await.expect("the mailbox").into_inner().mailbox.expect("one")
}

async fn house() -> House {
    let allowed = "127.0.0.0/8".parse().expect("a network");
    House::builder(&[intake::SERVICE])
        .settings(|settings| settings.endpoint_networks = vec![allowed])
        .open()
        .await
}

fn lying(number: u32) -> Lying {
    Lying::whole(mail(number, &format!("Subject: Number {number}\r\n"), &format!("Cup {number} broke.")))
}

fn register(mail: &Mail, text: &str) -> RegisterMailRequest {
    RegisterMailRequest {
        request_id: request_id(),
        mail_id: mail.mail_id.clone(),
        complaint_id: String::new(),
        text: text.to_owned(),
    }
}

/// Waits until the folder was read to its end again.
async fn read_again(client: &Client, folder: &Folder) {
    let before = folder.count("IDLE");
    let settings = Mailbox { owner: format!("{before}"), ..fetched(folder.port) };
    client.clone().set_mailbox(setting(settings, "", None)).await.expect("changed");
    eventually(|| async { folder.count("IDLE") > before }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_set_aside_once_with_what_its_header_says() {
    let large = Lying { size: LARGE, ..lying(2) };
    let nothing_known = Lying { size: LARGE + 1, gives_header: false, ..lying(4) };
    let folder = Folder::with([(1, lying(1)), (2, large), (3, lying(3)), (4, nothing_known)]).await;
    let house = house().await;
    let client = read(&house, &folder).await;
    let mails = settled(&client, 4).await;
    let states: Vec<_> = mails.iter().map(Mail::state).collect();
    let (taken, left) = (MailState::Registered, MailState::SetAside);
    assert_eq!(states, [taken, left, taken, left]);
    let one = &mails[1];
    assert_eq!((one.set_aside(), one.size_bytes), (MailSetAside::TooLarge, 40 << 20));
    assert_eq!((one.sender.as_str(), one.subject.as_str()), ("ada@example.org", "Number 2"));
    assert_eq!((one.message_id.as_str(), one.attachment_id.as_str()), ("2@example.org", ""));
    assert_eq!((one.uid_validity, one.uid), (7, 2));
    assert_eq!(one.receive_time.map(|at| at.seconds), Some(1_795_161_600), "when its server received it");
    assert!(one.remarks[0].contains("it has 41943040 bytes, more than 33554432"), "{one:?}");
    assert_eq!((mails[3].subject.as_str(), mails[3].uid), ("", 4));
    assert!(mails[3].remarks.contains(&"its header is not known either".to_owned()), "{:?}", mails[3]);
    let health = mailbox(&client).await;
    assert_eq!((health.unfetched_count, health.state()), (2, MailboxState::Reading));
    assert!(health.last_mail_time.is_some());
    let filter = ListMailsRequest { set_aside: MailSetAside::TooLarge.into(), ..ListMailsRequest::default() };
    let listed = client.clone().list_mails(filter).await.expect("listed").into_inner().mails;
    assert_eq!(listed.len(), 2);

    // As if who read it had died before it was noted how far, and then in a folder that was made anew.
    let mut owner = house.owner().await;
    sqlx::raw_sql("UPDATE intake.mailbox SET last_uid = 0").execute(&mut owner).await.expect("turned back");
    drop(owner);
    read_again(&client, &folder).await;
    settled(&client, 4).await;
    folder.anew();
    read_again(&client, &folder).await;
    let mails = settled(&client, 5).await;
    assert_eq!((mails[4].uid_validity, mails[4].uid), (8, 104), "of this one nothing is known but its place");
    assert_eq!(folder.count("UID FETCH 2 (UID BODY.PEEK[]"), 0);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_registers_it_in_its_senders_words_or_says_that_it_needs_nothing() {
    let large = |number| Lying { size: LARGE + u64::from(number), ..lying(number) };
    let folder = Folder::with([(1, large(1)), (2, large(2)), (3, large(3)), (4, lying(4))]).await;
    let house = house().await;
    let client = read(&house, &folder).await;
    let mails = settled(&client, 4).await;
    let clerk = Client::new(house.channel_as("development", "clerk", &["agent"]));
    let refused = clerk.clone().register_mail(register(&mails[0], " ")).await.expect_err("no words");
    assert_eq!(reason(&refused), "MAIL_UNREADABLE");
    let words = "二十个杯子碎了，照片在邮件里。\n请退款。";
    clerk.clone().register_mail(register(&mails[0], words)).await.expect("registered");
    let add = RegisterMailRequest {
        complaint_id: mails[3].complaint_id.clone(),
        ..register(&mails[1], "The saucer, too.")
    };
    clerk.clone().register_mail(add).await.expect("added");
    settled(&client, 4).await;
    let one = get(&client, &mails[0].mail_id).await;
    assert_eq!((one.state(), one.registrar.as_str(), one.uid), (MailState::Registered, "clerk", 1));
    let Complaint { description, subject, external_ref, language, evidence, complainant, .. } =
        complaint(&house, &one.complaint_id).await;
    assert_eq!((description.as_str(), subject.as_str()), (words, "Number 1"));
    assert_eq!((external_ref.as_str(), language.as_str(), evidence.len()), ("1@example.org", "zh-CN", 0));
    assert_eq!(complainant.map(|who| who.email).as_deref(), Some("ada@example.org"));
    let two = get(&client, &mails[1].mail_id).await;
    assert_eq!((two.state(), &two.complaint_id), (MailState::Added, &mails[3].complaint_id));
    let added = house.published::<InformationAdded>("intake").await;
    assert_eq!((added.len(), added[0].text.as_str()), (1, "The saucer, too."));
    let mut owner = house.owner().await;
    let left = sqlx::query_scalar("SELECT count(*) FROM intake.mail WHERE told_text <> ''");
    assert_eq!(left.fetch_one(&mut owner).await.ok(), Some(0_i64), "it is the complaint's from then on");
    drop(owner);
    assert_eq!(house.published::<ComplaintRegistered>("intake").await.len(), 2);

    let dismiss = |mail: &Mail, reason: &str| DismissMailRequest {
        request_id: request_id(),
        mail_id: mail.mail_id.clone(),
        reason: reason.to_owned(),
    };
    assert_eq!(mailbox(&client).await.unfetched_count, 1);
    let none = clerk.clone().dismiss_mail(dismiss(&one, "x")).await.expect_err("it is a complaint");
    assert_eq!(reason(&none), "MAIL_NOT_SET_ASIDE");
    let done = clerk.clone().dismiss_mail(dismiss(&mails[2], "an advertisement")).await.expect("dismissed");
    let done = done.into_inner().mail.expect("the mail");
    assert_eq!((done.state(), done.dismisser.as_str()), (MailState::SetAside, "clerk"));
    assert_eq!(done.dismiss_reason, "an advertisement");
    assert_eq!(mailbox(&client).await.unfetched_count, 0);
    clerk.clone().register_mail(register(&mails[2], "It was none.")).await.expect("registered all the same");
    settled(&client, 4).await;
    let third = get(&client, &mails[2].mail_id).await;
    assert_eq!((third.state(), third.dismisser.as_str()), (MailState::Registered, ""));
    house.done().await;
}

/// Intake that reads a folder to its end, however often it has to try.
async fn tried(folder: &Folder) -> (House, Client) {
    let clock = MockClock::default();
    let allowed = "127.0.0.0/8".parse().expect("a network");
    let house = House::builder(&[intake::SERVICE])
        .clock(clock.clone())
        .settings(|settings| settings.endpoint_networks = vec![allowed])
        .open()
        .await;
    let client = read(&house, folder).await;
    eventually(|| async {
        // Only while nobody reads it: who does would lose it to another.
        let waits =
            sqlx::query_scalar("SELECT holder IS NULL AND failing_since IS NOT NULL FROM intake.mailbox");
        if waits.fetch_one(&mut house.owner().await).await.expect("a mailbox") {
            clock.advance(Duration::from_mins(6));
        }
        mailbox(&client).await.state() == MailboxState::Reading
    })
    .await;
    (house, client)
}

fn not(number: u32, gives: Gives) -> (u32, Lying) {
    (number, Lying { gives, ..lying(number) })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_breaks_at_is_set_aside_and_what_is_behind_it_is_read() {
    let broken = not(2, Gives::Refusal("[SERVERBUG] Internal error occurred"));
    let cut = not(4, Gives::Cut);
    let folder = Folder::with([(1, lying(1)), broken, (3, lying(3)), cut, (5, lying(5))]).await;
    let (house, client) = tried(&folder).await;
    let mails = settled(&client, 5).await;
    let became: Vec<_> = mails.iter().map(|mail| (mail.uid, mail.set_aside())).collect();
    let (none, failed) = (MailSetAside::Unspecified, MailSetAside::FetchFailed);
    assert_eq!(became, [(0, none), (2, failed), (0, none), (4, failed), (0, none)]);
    assert_eq!((mails[1].sender.as_str(), mails[3].subject.as_str()), ("ada@example.org", "Number 4"));
    assert!(mails[1].remarks[0].contains("does not give it (at message 2"), "{:?}", mails[1]);
    let asked = [2, 4].map(|uid| folder.count(&format!("UID FETCH {uid} (UID BODY.PEEK[]")));
    assert_eq!(asked, [6, 6], "each in six sessions");
    assert_eq!(mailbox(&client).await.unfetched_count, 2);
    assert_eq!(house.published::<ComplaintRegistered>("intake").await.len(), 3);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_refuses_to_give_is_set_aside_even_if_nothing_is_known_of_it() {
    let (uid, refused) = not(1, Gives::Refusal("it is broken"));
    let refused = Lying { gives_header: false, ..refused };
    let folder = Folder::with([(uid, refused), (2, lying(2))]).await;
    let (house, client) = tried(&folder).await;
    let mails = settled(&client, 2).await;
    assert_eq!((mails[0].uid, mails[0].set_aside()), (1, MailSetAside::FetchFailed));
    assert_eq!((mails[0].subject.as_str(), mails[1].state()), ("", MailState::Registered));
    assert!(mails[0].remarks.contains(&"its header is not known either".to_owned()), "{:?}", mails[0]);
    assert_eq!(folder.count("UID FETCH 1 (UID BODY.PEEK[]"), 18, "in six sessions, three times each");
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn words_are_told_of_mails_that_have_none_here_and_of_no_others() {
    let (house, at) = open().await;
    let client = Client::new(house.channel());
    set(&client, super::mailbox()).await.expect("set up");
    hand_over(at, ADDRESS, "\r\nno header at all\r\n").await;
    hand_over(at, ADDRESS, &mail(2, "Subject: Away\r\nAuto-Submitted: auto-replied\r\n", "Away.")).await;
    let mails = settled(&client, 2).await;
    let refused =
        client.clone().register_mail(register(&mails[1], "other words")).await.expect_err("its own");
    assert_eq!((reason(&refused).as_str(), violations(&refused)), ("INVALID_MAIL", vec!["text".to_owned()]));
    client.clone().register_mail(register(&mails[0], "The cup broke.")).await.expect("registered");
    settled(&client, 2).await;
    let one = get(&client, &mails[0].mail_id).await;
    let made = complaint(&house, &one.complaint_id).await;
    assert_eq!((made.description.as_str(), made.subject.as_str()), ("The cup broke.", "The cup broke."));
    assert_eq!(made.evidence[0].attachment_id, mails[0].attachment_id, "its bytes are here");
    assert_eq!(made.complainant, None);
    house.done().await;
}
