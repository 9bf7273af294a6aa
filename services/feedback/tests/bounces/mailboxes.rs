//! Reports that arrive in a mailbox which intake reads, and answers' way to their case.

use proto::redress::feedback::v1::NoticeState;
use proto::redress::intake::v1::{ComplaintRegistered, DeliveryReportReceived};
use testkit::{House, MockClock};

use super::{FAILED, acknowledged, mailing, the_notice, told};
use crate::means::ended;
use crate::sink::Sink;
use crate::{case, registered};
use server::Secret;

fn received(recipients: &[&str], message: Vec<u8>) -> DeliveryReportReceived {
    DeliveryReportReceived {
        mail_id: case().to_string(),
        mailbox_id: "bounces".to_owned(),
        recipients: recipients.iter().map(ToString::to_string).collect(),
        message,
    }
}

#[tokio::test]
async fn a_report_that_arrives_in_a_mailbox_is_heard_and_what_is_none_of_ours_harms_nothing() {
    let sink = Sink::open().await;
    let house = mailing(&sink).await;
    let (about, _, mail) = acknowledged(&house, &sink).await;
    let strange = String::from_utf8(mail.reported(FAILED)).unwrap().replace("bounces+", "bounces+a");
    for message in [b"no mail at all".to_vec(), strange.into_bytes(), vec![0xff; 300_000]] {
        house.tell("intake", case(), &received(&[], message)).await;
    }
    house.settled().await;
    assert_eq!(the_notice(&house, about).await.state(), NoticeState::Delivered);
    for _ in 0..2 {
        house.tell("intake", case(), &received(&[&mail.from], mail.reported(FAILED))).await;
    }
    house.settled().await;
    let notice = the_notice(&house, about).await;
    assert_eq!((notice.state(), notice.delivery_reports.len()), (NoticeState::Undelivered, 1));
    assert_eq!(told(&house).await, ["NoticeSettled", "NoticeBounced", "NoticeSettled"]);
    house.done().await;
}

#[tokio::test]
async fn a_notice_bears_the_token_of_its_case() {
    let sink = Sink::open().await;
    let url = sink.url();
    let house = House::builder(&[feedback::SERVICE])
        .clock(MockClock::default())
        .settings(|settings| {
            settings.smtp_url = Some(Secret::from(url));
            settings.mail_from = "Redress <redress@example.org>".into();
            settings.mails.reply_to = "complaints@example.org".into();
        })
        .open()
        .await;
    let case = case();
    let with_token =
        ComplaintRegistered { mail_token: "c1abc".to_owned(), ..registered(case, "ada@example.com") };
    house.tell("intake", case, &with_token).await;
    ended(&house, case).await;
    let mail = sink.mails().pop().unwrap();
    assert_eq!(mail.header("Reply-To"), "complaints+c1abc@example.org");
    assert_eq!(mail.header("References"), format!("<{}>", mail::tag::thread_id("c1abc")));
    house.done().await;
}
