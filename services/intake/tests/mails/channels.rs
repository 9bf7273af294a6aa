//! How a channel is: who answers for it, whether it is silent, and whether its mailboxes can be
//! read.

use proto::redress::intake::v1::channel_service_client::ChannelServiceClient;
use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use proto::redress::intake::v1::{
    Channel, ChannelHealth, ChannelSettings, ChannelState, Complaint, GetChannelSettingsRequest,
    SubmitComplaintRequest, UpdateChannelSettingsRequest,
};
use testkit::{House, eventually, free_address, request_id, violations};

use super::Client;
use super::settings::{fetched, setting};

async fn channel(house: &House, channel: Channel) -> ChannelSettings {
    let request = GetChannelSettingsRequest { channel: channel.into() };
    let answer = ChannelServiceClient::new(house.channel()).get_channel_settings(request).await;
    answer.expect("the channel").into_inner().settings.expect("settings")
}

async fn health(house: &House, of: Channel) -> ChannelHealth {
    channel(house, of).await.health.expect("how it is")
}

fn watched(channel: Channel, seconds: i64) -> UpdateChannelSettingsRequest {
    UpdateChannelSettingsRequest {
        request_id: request_id(),
        channel: channel.into(),
        owner: Some("ada".to_owned()),
        silent_after: Some(prost_types::Duration { seconds, nanos: 0 }),
        ..UpdateChannelSettingsRequest::default()
    }
}

async fn update(house: &House, request: UpdateChannelSettingsRequest) -> ChannelSettings {
    let answer = ChannelServiceClient::new(house.channel()).update_channel_settings(request).await;
    answer.expect("settled").into_inner().settings.expect("settings")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_is_silent_for_longer_than_it_may_says_so() {
    let house = House::open(&[intake::SERVICE]).await;
    assert_eq!(health(&house, Channel::Chat).await.state(), ChannelState::Unwatched);
    let settled = update(&house, watched(Channel::Chat, 24 * 3_600)).await;
    assert_eq!((settled.owner.as_str(), settled.version), ("ada", 1));
    assert_eq!(settled.health.map(|health| health.state()), Some(ChannelState::Working), "since a moment");
    let complaint = Complaint {
        channel: Channel::Chat.into(),
        subject: "The parcel came broken".to_owned(),
        description: "One cup in pieces.".to_owned(),
        language: "en".to_owned(),
        ..Complaint::default()
    };
    let request = SubmitComplaintRequest { request_id: request_id(), complaint: Some(complaint) };
    IntakeServiceClient::new(house.channel()).submit_complaint(request).await.expect("registered");
    let heard = health(&house, Channel::Chat).await;
    assert_eq!(heard.state(), ChannelState::Working);
    assert!(heard.last_register_time.is_some());
    update(&house, watched(Channel::Chat, 1)).await;
    eventually(|| async { health(&house, Channel::Chat).await.state() == ChannelState::Silent }).await;
    assert_eq!(health(&house, Channel::Chat).await.last_register_time, heard.last_register_time);
    // What is not named stays; no limit is none.
    let owner = UpdateChannelSettingsRequest {
        request_id: request_id(),
        channel: Channel::Chat.into(),
        silent_after: Some(prost_types::Duration::default()),
        ..UpdateChannelSettingsRequest::default()
    };
    let settled = update(&house, owner).await;
    assert_eq!((settled.owner.as_str(), settled.silent_after), ("ada", None));
    assert_eq!(settled.health.map(|health| health.state()), Some(ChannelState::Unwatched));
    let wrong = UpdateChannelSettingsRequest {
        owner: Some("x".repeat(201)),
        ..watched(Channel::Unspecified, 91 * 24 * 3_600)
    };
    let refused = ChannelServiceClient::new(house.channel()).update_channel_settings(wrong).await;
    assert_eq!(violations(&refused.expect_err("wrong")), ["channel", "owner", "silent_after"]);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_that_cannot_be_read_is_what_is_wrong_with_mails() {
    let nobody = free_address().port();
    let house = House::builder(&[intake::SERVICE])
        .identified()
        .settings(|settings| settings.endpoint_networks = vec!["127.0.0.0/8".parse().expect("a network")])
        .open()
        .await;
    let client = Client::new(house.channel());
    client.clone().set_mailbox(setting(fetched(nobody), "hunter2", None)).await.expect("set up");
    eventually(|| async { health(&house, Channel::Email).await.state() == ChannelState::Failing }).await;
    let failing = health(&house, Channel::Email).await.failing;
    assert_eq!(failing.len(), 1);
    let source = &failing[0];
    assert_eq!(
        (source.name.as_str(), source.owner.as_str(), source.reason.as_str()),
        ("mailboxes/shop", "ada", "UNREACHABLE")
    );
    assert!(source.since.is_some());
    assert_eq!(health(&house, Channel::Web).await.state(), ChannelState::Unwatched, "of no other channel");
    let theirs = ChannelServiceClient::new(house.channel_as("other", "admin", &["admin"]))
        .get_channel_settings(GetChannelSettingsRequest { channel: Channel::Email.into() })
        .await;
    let theirs = theirs.expect("the channel").into_inner().settings.and_then(|settings| settings.health);
    assert_eq!(theirs.map(|health| health.state()), Some(ChannelState::Unwatched), "of no other tenant");
    house.done().await;
}
