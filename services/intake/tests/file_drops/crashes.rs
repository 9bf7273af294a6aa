//! Whatever ends between any two steps, nothing is lost and nothing doubled; replicas share.

use std::collections::HashSet;
use std::fs;
use std::time::Duration;

use super::{Desk, acme, counts, is_done, set, table};

/// What the table says again as it did before a step was noted.
const AS_BEFORE_ROWS_WERE_NOTED: &str =
    "UPDATE intake.dropped_file SET state = 2, outcome = NULL, read_count = 256, registered = 256,
            ended_at = NULL, verdict_at = NULL, next_at = noted_at, problems = '[]'";

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_were_registered_and_not_noted_are_this_files_own_when_it_goes_on() {
    let desk = Desk::open().await;
    set(&desk.client, acme()).await.expect("set up");
    // What says where it is done with is no folder: it stays where it is, with its verdicts.
    fs::write(desk.at("done"), "").expect("written");
    desk.put("a.csv", table(0..600));
    desk.until(|| async { desk.files().await.iter().any(|file| file.reason == "NO_FOLDER") }).await;
    let stuck = desk.files().await.remove(0);
    assert_eq!((counts(&stuck), stuck.end_time), ((600, 0, 0), None));
    let before = desk.verdicts("a.csv");
    // Of three chunks of rows, the first was noted.
    desk.run("DELETE FROM intake.dropped_rows WHERE first > 0").await;
    desk.run(AS_BEFORE_ROWS_WERE_NOTED).await;
    fs::remove_file(desk.at("verdicts/a.csv.verdicts.csv")).expect("removed");
    fs::remove_file(desk.at("done")).expect("removed");
    let file = desk.ended(1).await.remove(0);
    assert_eq!((counts(&file), is_done(&file)), ((600, 0, 0), true));
    assert_eq!(desk.verdicts("a.csv"), before, "the very same, receipts and all");
    assert_eq!(desk.names("done"), ["a.csv", "a.csv.done"]);
    assert_eq!(desk.count().await, 600);
    desk.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verdict_file_that_was_written_and_not_noted_is_written_once_and_a_move_is_made_once() {
    let desk = Desk::open().await;
    set(&desk.client, acme()).await.expect("set up");
    fs::write(desk.at("done"), "").expect("written");
    desk.put("a.csv", table(0..3));
    desk.until(|| async { desk.files().await.iter().any(|file| file.reason == "NO_FOLDER") }).await;
    let before = desk.verdicts("a.csv");
    desk.run("UPDATE intake.dropped_file SET verdict_at = NULL").await;
    // Half of another try lies there as well.
    fs::write(desk.at("verdicts/.a.csv.verdicts.csv.part"), "row,ref").expect("written");
    desk.until(|| async {
        let mut owner = desk.house.owner().await;
        let noted = sqlx::query_scalar("SELECT verdict_at IS NOT NULL FROM intake.dropped_file");
        noted.fetch_one(&mut owner).await.expect("a row")
    })
    .await;
    assert_eq!((desk.verdicts("a.csv"), desk.names("verdicts").len()), (before, 1));
    // Moved, and not noted: as whoever crashed then left it.
    fs::create_dir(desk.at("moved")).expect("made");
    for name in ["a.csv", "a.csv.done"] {
        fs::rename(desk.at(&format!("incoming/{name}")), desk.at(&format!("moved/{name}"))).expect("moved");
    }
    fs::remove_file(desk.at("done")).expect("removed");
    fs::rename(desk.at("moved"), desk.at("done")).expect("moved");
    // The next of this name is another file, and not taken for that one.
    fs::write(desk.at("incoming/a.csv"), table(3..5)).expect("written");
    let files = desk.ended(2).await;
    assert_eq!((counts(&files[0]), counts(&files[1])), ((3, 0, 0), (2, 0, 0)));
    let end: String = files[1].dropped_file_id.replace('-', "")[20..].to_owned();
    let mut names = [format!("{end}.a.csv"), "a.csv".to_owned(), "a.csv.done".to_owned()];
    names.sort();
    assert_eq!(desk.names("done"), names);
    assert_eq!(desk.count().await, 5);
    desk.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verdict_file_that_cannot_be_written_is_tried_again_and_nothing_else_is() {
    let desk = Desk::open().await;
    set(&desk.client, acme()).await.expect("set up");
    fs::write(desk.at("verdicts"), "in the way").expect("written");
    desk.put("a.csv", table(0..3));
    desk.until(|| async { desk.files().await.iter().any(|file| file.reason == "NO_FOLDER") }).await;
    assert_eq!((desk.count().await, desk.names("incoming").len()), (3, 2));
    fs::remove_file(desk.at("verdicts")).expect("removed");
    let file = desk.ended(1).await.remove(0);
    assert_eq!((counts(&file), file.reason.as_str()), ((3, 0, 0), ""));
    assert_eq!(desk.verdicts("a.csv").len(), 3);
    desk.house.done().await;
}

/// Replicas come and go while files are read: who stops drops what it does wherever it is.
#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_stop_at_any_moment_lose_and_double_nothing() {
    const FILES: u32 = 4;
    const ROWS: u32 = 700;
    let desk = Desk::open().await;
    let first = desk.house.replica(&[intake::SERVICE]).await;
    set(&desk.client, acme()).await.expect("set up");
    for number in 0..FILES {
        desk.put(&format!("{number}.csv"), table(number * ROWS..(number + 1) * ROWS));
    }
    let mut replica = Some(first);
    for round in 0..8_u64 {
        tokio::time::sleep(Duration::from_millis(40 + 70 * round)).await;
        desk.clock.advance(Duration::from_secs(1));
        if let Some(running) = replica.take() {
            running.done().await;
        } else {
            replica = Some(desk.house.replica(&[intake::SERVICE]).await);
        }
    }
    let files = desk.ended(FILES as usize).await;
    if let Some(running) = replica {
        running.done().await;
    }
    let mut ids = HashSet::new();
    for (number, file) in files.iter().enumerate() {
        assert_eq!(counts(file), (i64::from(ROWS), 0, 0), "{file:#?}");
        let lines = desk.verdicts(&format!("{number}.csv"));
        let numbers: Vec<usize> = lines.iter().map(|line| line[0].parse().expect("a number")).collect();
        assert_eq!(numbers, (1..=ROWS as usize).collect::<Vec<_>>(), "each row has one verdict");
        ids.extend(lines.into_iter().map(|line| line[3].clone()));
    }
    assert_eq!(ids.len(), (FILES * ROWS) as usize);
    assert_eq!(desk.count().await, i64::from(FILES * ROWS));
    desk.house.done().await;
}
