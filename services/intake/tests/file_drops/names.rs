//! Names that cannot be kept are told, and files beside them are taken all the same.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;

use proto::redress::intake::v1::channel_service_client::ChannelServiceClient;
use proto::redress::intake::v1::{Channel, FileDropState, GetChannelSettingsRequest};

use super::{Desk, acme, counts, set, table};

/// The file drops that the channel of partners says are failing, and why.
async fn failing(desk: &Desk) -> Vec<(String, String)> {
    let request = GetChannelSettingsRequest { channel: Channel::Partner.into() };
    let partner = ChannelServiceClient::new(desk.house.channel()).get_channel_settings(request).await;
    let health = partner.expect("a channel").into_inner().settings.and_then(|one| one.health);
    health.expect("how it is").failing.into_iter().map(|one| (one.name, one.reason)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_file_drop_is_named_in_the_health_of_its_channel_until_it_is_over() {
    let desk = Desk::open().await;
    set(&desk.client, acme()).await.expect("set up");
    desk.until(|| async { desk.drop().await.state() == FileDropState::Watching }).await;
    assert_eq!(failing(&desk).await, []);
    let away = desk.folder.path().join("away");
    fs::rename(desk.at("incoming"), &away).expect("away");
    desk.until(|| async { desk.drop().await.state() == FileDropState::Failing }).await;
    assert_eq!(failing(&desk).await, [("fileDrops/acme".to_owned(), "FOLDER_MISSING".to_owned())]);
    fs::rename(&away, desk.at("incoming")).expect("back");
    desk.until(|| async { desk.drop().await.state() == FileDropState::Watching }).await;
    assert_eq!(failing(&desk).await, []);
    desk.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_name_is_no_text_is_told_and_others_are_taken_meanwhile() {
    let desk = Desk::open().await;
    let incoming = desk.at("incoming");
    // In Latin-1, in GB18030, and with a line end; a folder is no file, whatever its name.
    let latin = incoming.join(OsStr::from_bytes(b"caf\xe9.csv"));
    fs::write(&latin, table(0..1)).expect("written");
    let chinese = incoming.join(OsStr::from_bytes(b"\xcd\xb6\xcb\xdf.csv"));
    fs::write(&chinese, table(1..2)).expect("written");
    fs::write(incoming.join("a\nb.csv"), table(2..3)).expect("written");
    fs::write(incoming.join(OsStr::from_bytes(b".\xe9.csv")), table(3..4)).expect("written");
    fs::create_dir(incoming.join(OsStr::from_bytes(b"\xff"))).expect("made");
    set(&desk.client, acme()).await.expect("set up");
    desk.put("a.csv", table(4..6));
    let file = desk.ended(1).await.remove(0);
    assert_eq!(counts(&file), (2, 0, 0));
    let told = desk.drop().await;
    assert_eq!((told.state(), told.error_reason.as_str()), (FileDropState::Failing, "FILE_NAME_UNREADABLE"));
    assert!(told.error.ends_with(r": \xcd\xb6\xcb\xdf.csv, and 2 more"), "{}", told.error);
    assert_eq!(failing(&desk).await, [("fileDrops/acme".to_owned(), "FILE_NAME_UNREADABLE".to_owned())]);
    let since = told.error_time;
    // Renamed, they are taken, and nothing is wrong any more.
    fs::rename(&chinese, incoming.join("投诉.csv")).expect("renamed");
    fs::rename(incoming.join("a\nb.csv"), incoming.join("b.csv")).expect("renamed");
    desk.until(|| async { !desk.drop().await.error.contains("more") }).await;
    assert_eq!(desk.drop().await.error_time, since, "since the first");
    fs::rename(&latin, incoming.join("café.csv")).expect("renamed");
    desk.ended(4).await;
    desk.until(|| async { desk.drop().await.state() == FileDropState::Watching }).await;
    assert_eq!(desk.count().await, 5);
    desk.house.done().await;
}
