//! What a tenant accepts, and its quota: settled, and kept to however many come at once.

use futures::future::join_all;
use proto::redress::intake::v1::{
    AttachmentSettings, CreateAttachmentRequest, DeleteAttachmentRequest, GetAttachmentSettingsRequest,
    UpdateAttachmentSettingsRequest,
};
use testkit::{House, reason, request_id, violations};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::{Client, announcement, create, get, parts, picture, refused, send, used};

async fn settings(client: &Client) -> AttachmentSettings {
    let answer = client.clone().get_attachment_settings(GetAttachmentSettingsRequest {}).await;
    answer.expect("the settings").into_inner().settings.expect("the settings")
}

async fn settle(
    client: &Client,
    wanted: AttachmentSettings,
    expected: Option<i64>,
) -> Result<AttachmentSettings, Status> {
    let request = UpdateAttachmentSettingsRequest {
        request_id: request_id(),
        settings: Some(wanted),
        expected_version: expected,
    };
    Ok(client.clone().update_attachment_settings(request).await?.into_inner().settings.expect("the settings"))
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_settled_by_version_within_their_limits() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = Client::new(house.channel());
    let defaults = settings(&client).await;
    assert_eq!((defaults.version, defaults.max_size_bytes, defaults.quota_bytes), (0, 100 << 20, 10 << 30));
    assert!(defaults.media_types.contains(&"image/jpeg".to_owned()));
    let wanted = AttachmentSettings {
        max_size_bytes: 1_000,
        quota_bytes: 5_000,
        media_types: vec!["text/plain".to_owned(), "image/png".to_owned(), "image/png".to_owned()],
        ..AttachmentSettings::default()
    };
    let settled = settle(&client, wanted.clone(), Some(0)).await.unwrap();
    assert_eq!((settled.version, settled.media_types.join(" ")), (1, "image/png text/plain".to_owned()));
    assert_eq!(settings(&client).await, settled);
    let stale = settle(&client, wanted.clone(), Some(0)).await.expect_err("it has changed");
    assert_eq!((stale.code(), reason(&stale).as_str()), (Code::Aborted, "VERSION_MISMATCH"));
    assert_eq!(settings(&client).await, settled);

    let large = create(&client, announcement(&[0; 1_001])).await.expect_err("too large now");
    assert_eq!(violations(&large), ["size_bytes"]);
    let other = CreateAttachmentRequest { media_type: "image/jpeg".to_owned(), ..announcement(&[0; 9]) };
    assert_eq!(violations(&create(&client, other).await.expect_err("not accepted")), ["media_type"]);

    let wrong = AttachmentSettings {
        max_size_bytes: (1 << 30) + 1,
        quota_bytes: -1,
        media_types: vec!["image/*".to_owned()],
        ..AttachmentSettings::default()
    };
    let refusal = settle(&client, wrong, None).await.expect_err("out of range");
    assert_eq!(reason(&refusal), "INVALID_ATTACHMENT_SETTINGS");
    let fields = ["settings.max_size_bytes", "settings.quota_bytes", "settings.media_types[0]"];
    assert_eq!(violations(&refusal), fields);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quota_is_kept_to_however_many_come_at_once_and_given_back() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = Client::new(house.channel());
    let wanted = AttachmentSettings { quota_bytes: 1_000, ..settings(&client).await };
    settle(&client, wanted, None).await.unwrap();
    let bytes = picture(300, 1);
    let answers = join_all((0..12).map(|_| create(&client, announcement(&bytes)))).await;
    let (created, others): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    let created: Vec<_> = created.into_iter().map(Result::unwrap).collect();
    assert_eq!((created.len(), used(&client).await), (3, 900));
    for other in others {
        let status = other.expect_err("the quota is used");
        assert_eq!(
            (status.code(), reason(&status).as_str()),
            (Code::ResourceExhausted, "ATTACHMENT_QUOTA_EXCEEDED")
        );
        let told = status.get_details_error_info().expect("what is used").metadata;
        assert_eq!(told["quota_bytes"], "1000");
        assert!(["600", "900"].contains(&told["used_bytes"].as_str()), "{told:?}");
    }

    let id = created[0].attachment_id.clone();
    send(&client, parts(&id, &bytes, 0, 300)).await.unwrap();
    let delete = DeleteAttachmentRequest { request_id: request_id(), attachment_id: id.clone() };
    client.clone().delete_attachment(delete.clone()).await.unwrap();
    client.clone().delete_attachment(delete).await.unwrap();
    assert_eq!(used(&client).await, 600, "given back once");
    assert_eq!(refused(get(&client, &id).await), (Code::NotFound, "ATTACHMENT_NOT_FOUND".to_owned()));
    let again = DeleteAttachmentRequest { request_id: request_id(), attachment_id: id };
    assert_eq!(refused(client.clone().delete_attachment(again).await).0, Code::NotFound);
    assert_eq!(used(&client).await, 600);
    create(&client, announcement(&bytes)).await.expect("there is room again");
    assert_eq!(used(&client).await, 900);
    house.done().await;
}
