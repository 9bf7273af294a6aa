//! What was set aside is kept for 90 days, with its bytes, and then forgotten.

use std::time::Duration;

use proto::redress::intake::v1::{MailState, RegisterMailRequest};
use testkit::{House, MockClock, eventually, free_address, hand_over, request_id};

use super::{ADDRESS, Client, list, mail, mailbox, set, settled};

async fn attachments(house: &House) -> i64 {
    let mut owner = house.owner().await;
    let count = sqlx::query_scalar("SELECT count(*) FROM intake.attachment WHERE state <> 5");
    count.fetch_one(&mut owner).await.expect("counted")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_set_aside_can_be_registered_for_90_days_and_is_gone_then() {
    let (clock, at) = (MockClock::default(), free_address());
    let house = House::builder(&[intake::SERVICE])
        .clock(clock.clone())
        .settings(|settings| settings.mails.smtp_listen = Some(at))
        .open()
        .await;
    let client = Client::new(house.channel());
    set(&client, mailbox()).await.expect("set up");
    for number in 1..=2 {
        let away =
            mail(number, "Subject: Away\r\nAuto-Submitted: auto-replied\r\n", &format!("Away {number}."));
        hand_over(at, ADDRESS, &away).await;
    }
    let mails = settled(&client, 2).await;
    // Attachments that nothing refers to are collected after a day, those of mails are not.
    clock.advance(Duration::from_hours(26));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(attachments(&house).await, 2);
    let request = RegisterMailRequest {
        request_id: request_id(),
        mail_id: mails[0].mail_id.clone(),
        complaint_id: String::new(),
        text: String::new(),
    };
    client.clone().register_mail(request).await.expect("its bytes are there");
    eventually(|| async { list(&client, MailState::Registered).await.len() == 1 }).await;
    clock.advance(Duration::from_hours(90 * 24));
    eventually(|| async { list(&client, MailState::SetAside).await.is_empty() }).await;
    clock.advance(Duration::from_hours(2));
    eventually(|| async { attachments(&house).await == 1 }).await;
    assert_eq!(list(&client, MailState::Registered).await.len(), 1, "what became a complaint stays");
    house.done().await;
}
