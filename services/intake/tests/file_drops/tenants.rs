//! Tenants have folders of their own, and turns.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use proto::redress::intake::v1::{
    DroppedFile, GetDroppedFileRequest, ListDroppedFilesRequest, TryDropMappingRequest,
};
use testkit::{House, MockClock, PATIENCE, reason};

use super::{Client, acme, counts, set, table};

async fn files(client: &Client) -> Vec<DroppedFile> {
    let request = ListDroppedFilesRequest { page_size: 500, ..ListDroppedFilesRequest::default() };
    client.clone().list_dropped_files(request).await.expect("listed").into_inner().dropped_files
}

fn put(folder: &Path, name: &str, content: &str) {
    fs::write(folder.join(name), content).expect("written");
    fs::write(folder.join(format!("{name}.done")), "").expect("written");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_files_of_one_tenant_do_not_keep_those_of_another_waiting_and_none_sees_the_others() {
    const MANY: u32 = 40;
    let (folder, clock) = (tempfile::tempdir().expect("a folder"), MockClock::default());
    let root = folder.path().to_owned();
    let house = House::builder(&[intake::SERVICE])
        .identified()
        .clock(clock.clone())
        .settings(|settings| settings.drops.folder = Some(root))
        .open()
        .await;
    let (a, b) = (folder.path().join("aa/acme/incoming"), folder.path().join("bb/acme/incoming"));
    for incoming in [&a, &b] {
        fs::create_dir_all(incoming).expect("made");
    }
    for number in 0..MANY {
        put(&a, &format!("{number:02}.csv"), &table(number * 50..(number + 1) * 50));
    }
    put(&b, "one.csv", &table(0..3));
    let client = |tenant: &str| Client::new(house.channel_as(tenant, "admin", &["admin"]));
    let (first, second) = (client("aa"), client("bb"));
    // Both at the same path, each below its own folder.
    for client in [&first, &second] {
        set(client, acme()).await.expect("set up");
    }
    let begun = Instant::now();
    let mut ahead = None;
    loop {
        let (many, one) = (files(&first).await, files(&second).await);
        let ended = |files: &[DroppedFile]| files.iter().filter(|file| file.end_time.is_some()).count();
        if ahead.is_none() && ended(&one) == 1 {
            ahead = Some(ended(&many));
        }
        if ended(&many) == MANY as usize && ahead.is_some() {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{} of {MANY}", ended(&many));
        clock.advance(Duration::from_secs(1));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(ahead.is_some_and(|ended| ended < MANY as usize / 2), "{ahead:?} files went first");
    let theirs = files(&second).await.remove(0);
    assert_eq!(counts(&theirs), (3, 0, 0), "numbers are each tenant's own");
    let request = TryDropMappingRequest {
        dropped_file_id: theirs.dropped_file_id.clone(),
        language: "en".to_owned(),
        ..TryDropMappingRequest::default()
    };
    let hidden = first.clone().try_drop_mapping(request.clone()).await.expect_err("another tenant's");
    assert_eq!(reason(&hidden), "DROPPED_FILE_NOT_FOUND");
    assert_eq!(second.clone().try_drop_mapping(request).await.expect("their own").into_inner().row_count, 3);
    let request = GetDroppedFileRequest { dropped_file_id: theirs.dropped_file_id };
    let hidden = first.clone().get_dropped_file(request).await.expect_err("another tenant's");
    assert_eq!(reason(&hidden), "DROPPED_FILE_NOT_FOUND");
    house.done().await;
}
