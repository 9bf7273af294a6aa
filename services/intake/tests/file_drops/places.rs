//! Folders that vanish, that are none, and that lead elsewhere.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use proto::redress::intake::v1::{FileDrop, FileDropState};

use super::{Desk, acme, counts, is_done, set, table};

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_vanishes_is_told_and_gone_on_with_when_it_is_back() {
    let desk = Desk::open().await;
    set(&desk.client, acme()).await.expect("set up");
    desk.until(|| async { desk.drop().await.state() == FileDropState::Watching }).await;
    let away = desk.folder.path().join("away");
    fs::rename(desk.folder.path().join("development"), &away).expect("away");
    desk.until(|| async { desk.drop().await.state() == FileDropState::Failing }).await;
    let failing = desk.drop().await;
    assert_eq!((failing.error_reason.as_str(), failing.owner.as_str()), ("FOLDER_MISSING", "ada"));
    assert!(failing.error.contains("development") && failing.error_time.is_some(), "{failing:?}");
    assert!(!desk.folder.path().join("development").exists(), "nothing is made in its place");
    fs::rename(&away, desk.folder.path().join("development")).expect("back");
    desk.put("a.csv", table(0..2));
    let file = desk.ended(1).await.remove(0);
    assert_eq!(counts(&file), (2, 0, 0));
    let watched = desk.drop().await;
    assert_eq!((watched.state(), watched.error_reason.as_str()), (FileDropState::Watching, ""));
    assert!(watched.last_file_time.is_some());
    desk.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_vanishes_while_its_file_waits_loses_nothing() {
    let desk = Desk::open().await;
    // It is noted, and not taken before it is gone on with.
    set(&desk.client, acme()).await.expect("set up");
    fs::write(desk.at("verdicts"), "in the way").expect("written");
    desk.put("a.csv", table(0..3));
    desk.until(|| async { desk.files().await.iter().any(|file| file.reason == "NO_FOLDER") }).await;
    let away = desk.folder.path().join("away");
    fs::rename(desk.folder.path().join("development"), &away).expect("away");
    desk.until(|| async { desk.files().await[0].reason == "FOLDER_MISSING" }).await;
    fs::remove_file(away.join("acme/verdicts")).expect("removed");
    fs::rename(&away, desk.folder.path().join("development")).expect("back");
    let file = desk.ended(1).await.remove(0);
    assert_eq!((counts(&file), is_done(&file)), ((3, 0, 0), true));
    desk.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_symbolic_link_leads_out_of_a_drop() {
    let desk = Desk::open().await;
    let outside = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(outside.path().join("incoming")).expect("made");
    fs::write(outside.path().join("incoming/secret.csv"), table(0..1)).expect("written");
    fs::write(outside.path().join("incoming/secret.csv.done"), "").expect("written");
    // A file that is a link is none.
    symlink(outside.path().join("incoming/secret.csv"), desk.at("incoming/link.csv")).expect("linked");
    fs::write(desk.at("incoming/link.csv.done"), "").expect("written");
    // Nor is a folder, on the way or at its end, or one that is written to.
    symlink(outside.path(), desk.folder.path().join("development/linked")).expect("linked");
    symlink(outside.path(), desk.at("done")).expect("linked");
    set(&desk.client, acme()).await.expect("set up");
    set(&desk.client, FileDrop { file_drop_id: "linked".to_owned(), path: "linked".to_owned(), ..acme() })
        .await
        .expect("set up");
    desk.put("a.csv", table(0..2));
    desk.until(|| async { desk.files().await.iter().any(|file| file.reason == "NO_FOLDER") }).await;
    assert_eq!(desk.files().await.len(), 1);
    let request = proto::redress::intake::v1::GetFileDropRequest { file_drop_id: "linked".to_owned() };
    let linked = desk.client.clone().get_file_drop(request).await.expect("the drop").into_inner().file_drop;
    assert_eq!(linked.expect("one").error_reason, "NO_FOLDER");
    let names: Vec<_> =
        fs::read_dir(outside.path()).expect("read").map(|one| one.expect("one").file_name()).collect();
    assert_eq!(names, ["incoming"], "nothing was written there");
    fs::remove_file(desk.at("done")).expect("removed");
    desk.ended(1).await;
    assert_eq!(desk.names("incoming"), ["link.csv", "link.csv.done"]);
    desk.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_taken_away_while_it_waits_is_told_as_gone() {
    let desk = Desk::open().await;
    set(&desk.client, FileDrop { paused: true, ..acme() }).await.expect("set up");
    desk.run(
        "INSERT INTO intake.dropped_file (tenant_id, dropped_file_id, file_drop_id, name, size_bytes, mark,
                                          state, noted_at, next_at)
         VALUES ('development', '01980000-0000-7000-8000-000000000001', 'acme', 'a.csv', 3, 'one', 1,
                 '2026-11-23T08:00:00Z', '2026-11-23T08:00:00Z')",
    )
    .await;
    desk.clock.advance(Duration::from_secs(30));
    assert_eq!(desk.drop().await.state(), FileDropState::Paused);
    set(&desk.client, acme()).await.expect("resumed");
    let file = desk.ended(1).await.remove(0);
    assert_eq!((is_done(&file), file.reason.as_str()), (false, "FILE_GONE"));
    assert_eq!(desk.verdicts("a.csv")[0][5..7], ["FAILED_PRECONDITION", "FILE_GONE"]);
    desk.house.done().await;
}
