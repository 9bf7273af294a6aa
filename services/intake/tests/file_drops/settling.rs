//! Which files are taken, and when.

use std::fs;
use std::time::Duration;

use testkit::eventually;

use super::{Desk, acme, counts, set, table};

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_still_being_written_is_not_taken() {
    let desk = Desk::open().await;
    set(&desk.client, acme()).await.expect("set up");
    let (whole, path) = (table(0..4), desk.at("incoming/slow.csv"));
    for name in [".hidden.csv", "a.csv.part", "b.csv.filepart", "c.tmp", "orphan.csv.done"] {
        fs::write(desk.at(&format!("incoming/{name}")), table(0..1)).expect("written");
    }
    fs::create_dir(desk.at("incoming/folder.csv")).expect("made");
    // It grows each few seconds, for half a minute.
    for length in (20..whole.len()).step_by(12) {
        fs::write(&path, &whole[..length]).expect("written");
        let looked = desk.drop().await.look_time;
        desk.clock.advance(Duration::from_secs(5));
        // Time stands still meanwhile.
        eventually(|| async { desk.drop().await.look_time != looked }).await;
        assert!(desk.files().await.is_empty(), "{length}");
    }
    fs::write(&path, &whole).expect("written");
    let file = desk.ended(1).await.remove(0);
    assert_eq!((file.file_name.as_str(), counts(&file)), ("slow.csv", (4, 0, 0)));
    // What is not taken lies where it lay.
    assert_eq!(
        desk.names("incoming"),
        [".hidden.csv", "a.csv.part", "b.csv.filepart", "c.tmp", "folder.csv", "orphan.csv.done"]
    );
    desk.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changes_after_it_was_noted_is_noted_anew() {
    let desk = Desk::open().await;
    set(&desk.client, super::FileDrop { paused: true, ..acme() }).await.expect("set up");
    desk.run(
        "INSERT INTO intake.dropped_file (tenant_id, dropped_file_id, file_drop_id, name, size_bytes, mark,
                                          state, noted_at, next_at)
         VALUES ('development', '01980000-0000-7000-8000-000000000001', 'acme', 'a.csv', 3, 'older', 1,
                 '2026-11-23T08:00:00Z', '2026-11-23T08:00:00Z')",
    )
    .await;
    desk.put("a.csv", table(0..2));
    set(&desk.client, acme()).await.expect("resumed");
    let file = desk.ended(1).await.remove(0);
    assert_ne!(file.dropped_file_id, "01980000-0000-7000-8000-000000000001");
    assert_eq!(counts(&file), (2, 0, 0));
    assert_eq!(desk.names("verdicts"), ["a.csv.verdicts.csv"]);
    desk.house.done().await;
}
