//! Notices by text message and webhook, and from one means to the next: real servers,
//! taking, refusing, failing, stalling.

use std::time::Duration;

use proto::redress::feedback::v1::{Notice, NoticeMeans, NoticeSettled, NoticeState, ResendNoticeRequest};
use proto::redress::intake::v1::{ComplaintRegistered, Representative};
use server::{Secret, Settings};
use testkit::{Builder, House, MockClock, eventually, request_id};
use uuid::Uuid;
use webhook::{Message, verify};

use crate::endpoint::{Endpoint, Posted, Reply};
use crate::sink::Sink;
use crate::{case, client, notices_of, registered};

const PHONE: &str = "138 0013-8000";
const NUMBER: &str = "+8613800138000";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const TAKEN: Reply = Reply::Says(200, "", r#"{"message": {"id": 4711}}"#);
/// Longer than the pause after a first attempt, and the hold of a claim.
const LATER: Duration = Duration::from_mins(3);

/// The servers that notices leave through.
pub(crate) struct Servers {
    pub(crate) mail: Sink,
    pub(crate) sms: Endpoint,
    pub(crate) hub: Endpoint,
}

impl Servers {
    pub(crate) async fn open() -> Self {
        let hub = Endpoint::open(Reply::Says(202, "", "queued")).await;
        Self { mail: Sink::open().await, sms: Endpoint::open(TAKEN).await, hub }
    }

    fn settle(&self, settings: &mut Settings) {
        settings.smtp_url = Some(Secret::from(self.mail.url()));
        settings.mail_from = "Redress <redress@example.org>".into();
        settings.endpoint_networks = vec!["127.0.0.0/8".parse().unwrap()];
        let notices = &mut settings.notices;
        notices.sms_url = Some(Secret::from(self.sms.url()));
        notices.sms_headers = Some(Secret::from("Authorization: Bearer seven".to_owned()));
        notices.sms_id_pointer = "/message/id".into();
        notices.sms_country = "86".into();
        notices.webhook_url = Some(Secret::from(self.hub.url()));
        notices.webhook_secret = Some(Secret::from(SECRET.to_owned()));
    }

    pub(crate) async fn house(&self) -> House {
        self.builder(|_| {}).open().await
    }

    pub(crate) fn builder(&self, change: impl FnOnce(&mut Settings)) -> Builder {
        House::builder(&[feedback::SERVICE]).clock(MockClock::default()).settings(|settings| {
            self.settle(settings);
            change(settings);
        })
    }
}

/// The complaint of somebody with these addresses.
pub(crate) fn complaint(case: Uuid, email: &str, phone: &str) -> ComplaintRegistered {
    let mut event = registered(case, email);
    let complainant = event.complaint.as_mut().unwrap().complainant.as_mut().unwrap();
    phone.clone_into(&mut complainant.phone);
    event
}

async fn complain(house: &House, email: &str, phone: &str) -> Uuid {
    let case = case();
    house.tell("intake", case, &complaint(case, email, phone)).await;
    case
}

/// The acknowledgement of a case, once it has ended.
pub(crate) async fn ended(house: &House, case: Uuid) -> Notice {
    eventually(async || {
        let notices = notices_of(house, case).await;
        notices.first().is_some_and(|notice| notice.state() != NoticeState::Pending)
    })
    .await;
    notices_of(house, case).await.pop().unwrap()
}

/// Lets time pass until it is tried again.
fn wait(house: &House, time: Duration) {
    house.advance(time);
    house.db("feedback").notifier().notify("notices");
}

/// Waits for what came of an attempt to be written, and answers in how many seconds the
/// next one is due.
async fn put_off(house: &House) -> i64 {
    let seconds = async || {
        let row: (i64, bool) = sqlx::query_as(
            "SELECT extract(epoch FROM due_at - created_at)::bigint, due_at = created_at + interval '2 minutes'
             FROM feedback.notice",
        )
        .fetch_one(&mut house.owner().await)
        .await
        .unwrap();
        row
    };
    // At the hold of a claim it is under way.
    eventually(async || !seconds().await.1).await;
    seconds().await.0
}

#[tokio::test]
async fn who_has_a_telephone_alone_is_told_by_text_message() {
    let servers = Servers::open().await;
    let house = servers.house().await;
    let case = complain(&house, "", PHONE).await;
    let notice = ended(&house, case).await;
    assert_eq!((notice.state(), notice.recipient.as_str()), (NoticeState::Delivered, NUMBER));
    assert_eq!((notice.sending_means(), notice.means()), (NoticeMeans::Sms, NoticeMeans::Sms));
    assert_eq!((notice.evidence.as_str(), notice.attempts), ("200 id 4711; parts: 1", 1));
    let posts = servers.sms.posts();
    assert_eq!(posts.len(), 1);
    assert!(posts[0].head.starts_with("POST /send?key=seven HTTP/1.1"), "{}", posts[0].head);
    assert_eq!(posts[0].header("content-type"), "application/json");
    assert_eq!(posts[0].head.matches("content-type").count(), 1, "{}", posts[0].head);
    assert_eq!(posts[0].header("authorization"), "Bearer seven");
    let body = posts[0].json();
    assert_eq!((&body["to"], &body["id"]), (&NUMBER.into(), &notice.notice_id.as_str().into()));
    let text = format!("We have received your complaint {case} and have begun");
    assert!(body["text"].as_str().unwrap().starts_with(&text), "{body}");
    assert_eq!((servers.mail.asked(), servers.hub.posts().len()), (0, 0));
    let settled: Vec<NoticeSettled> = house.published("feedback").await;
    assert_eq!(settled.len(), 1);
    assert_eq!((settled[0].means(), settled[0].sending_means()), (NoticeMeans::Sms, NoticeMeans::Sms));
    house.done().await;
}

#[tokio::test]
async fn what_one_means_refuses_goes_by_the_next_and_is_told_once() {
    let servers = Servers::open().await;
    servers.mail.script("ada@example.org", &["550 5.1.1 no such user"]);
    servers.sms.script(&[Reply::Says(422, "", "no  mobile\r\n")]);
    let house = servers.house().await;
    let case = complain(&house, "ada@example.org", PHONE).await;
    let notice = ended(&house, case).await;
    assert_eq!((notice.state(), notice.sending_means()), (NoticeState::Delivered, NoticeMeans::Webhook));
    assert_eq!((notice.evidence.as_str(), notice.recipient.as_str()), ("202 queued", "ada@example.org"));
    let [mail, sms] = notice.earlier_sendings.as_slice() else { panic!("{notice:?}") };
    assert_eq!((mail.means(), mail.recipient.as_str()), (NoticeMeans::Email, "ada@example.org"));
    assert_eq!(
        (mail.state(), mail.failure_reason.as_str()),
        (NoticeState::Undelivered, "550 5.1.1 no such user")
    );
    assert_eq!((sms.means(), sms.recipient.as_str()), (NoticeMeans::Sms, NUMBER));
    assert_eq!((sms.failure_reason.as_str(), sms.attempts), ("422 no mobile", 1));
    for sending in [mail, sms] {
        assert_eq!((sending.requester.as_str(), sending.reason.as_str()), ("", "NEXT_MEANS"));
    }
    let id = |number: u8| format!("{}.{number}", notice.notice_id);
    assert_eq!(servers.sms.posts()[0].json()["id"].as_str(), Some(id(2).as_str()));
    assert_eq!(servers.hub.posts()[0].header(webhook::ID), id(3));
    let settled: Vec<NoticeSettled> = house.published("feedback").await;
    assert_eq!(settled.len(), 1, "not once for each means");
    assert_eq!((settled[0].state(), settled[0].means()), (NoticeState::Delivered, NoticeMeans::Webhook));
    house.done().await;
}

#[tokio::test]
async fn after_the_last_means_it_is_undelivered_with_what_each_said_until_a_person_sends_it_again() {
    let servers = Servers::open().await;
    servers.mail.script("ada@example.org", &["550 5.1.1 no such user"]);
    servers.sms.script(&[Reply::Says(200, "", r#"{"error": "balance"}"#)]);
    servers.hub.script(&[Reply::Says(410, "", "")]);
    let house = servers.house().await;
    let case = complain(&house, "ada@example.org", PHONE).await;
    let notice = ended(&house, case).await;
    assert_eq!((notice.state(), notice.sending_means()), (NoticeState::Undelivered, NoticeMeans::Webhook));
    assert_eq!(
        notice.failure_reason,
        "EMAIL: 550 5.1.1 no such user; SMS: no id at /message/id: 200 {\"error\": \"balance\"}; WEBHOOK: 410"
    );
    let settled: Vec<NoticeSettled> = house.published("feedback").await;
    assert_eq!(settled.len(), 1);
    assert_eq!(
        (settled[0].detail.as_str(), settled[0].means()),
        (notice.failure_reason.as_str(), NoticeMeans::Unspecified)
    );
    assert_eq!(settled[0].sending_means(), NoticeMeans::Webhook);

    let (notice_id, reason) = (notice.notice_id.clone(), "the mailbox is mended".to_owned());
    let again = ResendNoticeRequest { request_id: request_id(), notice_id, reason };
    let sent = client(&house).resend_notice(again).await.unwrap().into_inner().notice.unwrap();
    assert_eq!((sent.state(), sent.sending_means()), (NoticeState::Pending, NoticeMeans::Email));
    let notice = ended(&house, case).await;
    assert_eq!((notice.state(), notice.means()), (NoticeState::Delivered, NoticeMeans::Email));
    assert_eq!(notice.earlier_sendings.len(), 3);
    house.done().await;
}

#[tokio::test]
async fn a_webhook_is_signed_and_a_second_copy_can_be_told() {
    let servers = Servers::open().await;
    servers.hub.script(&[Reply::Says(503, "retry-after: 900\r\n", "later"), Reply::HangsUp]);
    let house = servers.builder(|settings| settings.smtp_url = None).open().await;
    let case = complain(&house, "ada@example.org", "none").await;
    eventually(async || servers.hub.posts().len() == 1).await;
    let due = put_off(&house).await;
    assert!((900..=930).contains(&due), "what the server asks for is kept: {due} s");
    wait(&house, LATER);
    house.settled().await;
    assert_eq!(servers.hub.posts().len(), 1, "it is left alone");
    wait(&house, Duration::from_mins(15));
    eventually(async || servers.hub.posts().len() == 2).await;
    // The connection broke: whether it was taken nobody knows.
    let number = async || notices_of(&house, case).await[0].attempts;
    eventually(async || number().await == 2).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    wait(&house, Duration::from_hours(1));
    let notice = ended(&house, case).await;
    assert_eq!((notice.state(), notice.attempts), (NoticeState::Delivered, 3));
    let posts = servers.hub.posts();
    let ids: Vec<&str> = posts.iter().map(|post| post.header(webhook::ID)).collect();
    assert_eq!(ids, [notice.notice_id.as_str(); 3]);
    posts.iter().for_each(signed);
    let body = posts[2].json();
    let data = &body["data"];
    assert_eq!((&body["type"], &data["kind"]), (&"notice.owed".into(), &"ACKNOWLEDGEMENT".into()));
    assert_eq!((&data["case_id"], &data["cycle"]), (&case.to_string().into(), &1.into()));
    assert_eq!((&data["subject"], &data["body"]), (&notice.subject.into(), &notice.body.into()));
    let recipient = serde_json::json!({"name": "Ada", "email": "ada@example.org", "phone": "none"});
    assert_eq!((&data["recipient"], &data["language"]), (&recipient, &"en".into()));
    house.done().await;
}

fn signed(post: &Posted) {
    let secrets = [SECRET.parse().unwrap()];
    let timestamp: i64 = post.header(webhook::TIMESTAMP).parse().unwrap();
    let message = Message { id: post.header(webhook::ID), timestamp, body: post.body.as_bytes() };
    verify(&secrets, &message, post.header(webhook::SIGNATURE), timestamp).unwrap();
}

#[tokio::test]
async fn a_gateway_that_stalls_is_tried_again_and_holds_up_nobody() {
    let servers = Servers::open().await;
    servers.sms.script(&[Reply::Stalls]);
    let house = servers.house().await;
    let stalled = complain(&house, "", PHONE).await;
    eventually(async || servers.sms.posts().len() == 1).await;
    let other = complain(&house, "", "+44 7700 900123").await;
    assert_eq!(ended(&house, other).await.recipient, "+447700900123");
    // The attempt that stalls is given up by the clock of the machine, not the house's.
    let put_off = async || {
        let rows: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM feedback.notice WHERE state = 1 AND due_at < created_at + interval '1 minute'",
        )
        .fetch_one(&mut house.owner().await)
        .await
        .unwrap();
        rows == 1
    };
    let given_up = async {
        while !put_off().await {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), given_up).await.unwrap();
    wait(&house, LATER);
    let notice = ended(&house, stalled).await;
    assert_eq!((notice.state(), notice.attempts), (NoticeState::Delivered, 2));
    assert_eq!(servers.sms.posts()[0].json()["id"], servers.sms.posts()[2].json()["id"]);
    house.done().await;
}

#[tokio::test]
async fn a_representative_is_not_written_to_at_the_number_of_who_they_speak_for() {
    let servers = Servers::open().await;
    servers.mail.script("lawyer@example.org", &["550 5.1.1 no such user"]);
    let without_hub = |settings: &mut Settings| {
        (settings.notices.webhook_url, settings.notices.webhook_secret) = (None, None);
    };
    let house = servers.builder(without_hub).open().await;
    let case = case();
    let mut event = complaint(case, "ada@example.org", PHONE);
    event.complaint.as_mut().unwrap().representative = Some(Representative {
        display_name: "Lee".into(),
        authority: "power of attorney".into(),
        email: "lawyer@example.org".into(),
    });
    house.tell("intake", case, &event).await;
    let notice = ended(&house, case).await;
    assert_eq!(
        (notice.state(), notice.failure_reason.as_str()),
        (NoticeState::Undelivered, "550 5.1.1 no such user")
    );
    assert_eq!(servers.sms.posts().len(), 0);
    house.done().await;
}
