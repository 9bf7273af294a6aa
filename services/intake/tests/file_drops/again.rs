//! The same again is the same: files, contents, rows.

use std::time::Duration;

use proto::redress::intake::v1::FileDrop;

use super::{Desk, acme, counts, set, table};

#[tokio::test(flavor = "multi_thread")]
async fn the_same_content_again_registers_nothing_under_whatever_name() {
    let desk = Desk::open().await;
    set(&desk.client, acme()).await.expect("set up");
    // Two rows that say the same, without numbers, are two complaints.
    let twice = "subject,description\nLate,A week.\nLate,A week.\n";
    desk.put("a.csv", twice);
    let first = desk.ended(1).await.remove(0);
    assert_eq!(counts(&first), (2, 0, 0));
    let receipts = |name: &str| {
        desk.verdicts(name).iter().map(|line| (line[3].clone(), line[4].clone())).collect::<Vec<_>>()
    };
    let before = receipts("a.csv");
    assert_ne!(before[0], before[1]);
    desk.clock.advance(Duration::from_secs(1));
    desk.put("b.csv", twice);
    assert_eq!(counts(&desk.ended(2).await[1]), (0, 2, 0));
    assert_eq!(receipts("b.csv"), before, "ids and receipts are those of before");
    assert!(desk.verdicts("b.csv").iter().all(|line| line[2] == "registered_before"));
    desk.clock.advance(Duration::from_secs(1));
    desk.put("a.csv", twice);
    let again = desk.ended(3).await.remove(2);
    assert_eq!((counts(&again), again.sha256 == first.sha256), ((0, 2, 0), true));
    assert_eq!(receipts("a.csv"), before);
    // The older verdict file, which says otherwise, is kept; so is the older file.
    let end: String = again.dropped_file_id.replace('-', "")[20..].to_owned();
    let mut names = [
        format!("{end}.a.csv.verdicts.csv"),
        "a.csv.verdicts.csv".to_owned(),
        "b.csv.verdicts.csv".to_owned(),
    ];
    names.sort();
    assert_eq!(desk.names("verdicts"), names);
    assert!(desk.names("done").contains(&format!("{end}.a.csv")), "{:?}", desk.names("done"));
    assert_eq!(desk.count().await, 2);
    desk.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_known_again_by_their_numbers_as_the_channel_says() {
    let desk = Desk::open().await;
    set(&desk.client, acme()).await.expect("set up");
    desk.put("monday.csv", table(0..3));
    desk.ended(1).await;
    desk.clock.advance(Duration::from_secs(1));
    // One more, and one of which something else is said.
    desk.put("tuesday.csv", table(0..4).replace("2 days late", "two days late"));
    let file = desk.ended(2).await.remove(1);
    assert_eq!(counts(&file), (1, 2, 1));
    assert_eq!(file.first_problems[0].reason, "EXTERNAL_REF_REUSED");
    let lines = desk.verdicts("tuesday.csv");
    assert_eq!(lines[0][3], desk.verdicts("monday.csv")[0][3]);
    assert_eq!(lines[2][1..8], ["R-2", "refused", "", "", "ALREADY_EXISTS", "EXTERNAL_REF_REUSED", ""]);
    assert_eq!(desk.count().await, 4);
    desk.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_comes_again_under_another_mapping_doubles_nothing_and_mends_what_was_refused() {
    let desk = Desk::open().await;
    let mapped = |subject: &str| FileDrop {
        mapping: format!("[columns]\nsubject = \"{subject}\"\ndescription = \"text\"\n"),
        ..acme()
    };
    set(&desk.client, mapped("short")).await.expect("set up");
    let text = "short,long,text\nLate,Very late,A week.\n,Lost,Not there.\n";
    desk.put("a.csv", text);
    assert_eq!(counts(&desk.ended(1).await[0]), (1, 0, 1));
    let first = desk.verdicts("a.csv")[0][3].clone();
    set(&desk.client, mapped("long")).await.expect("mended");
    desk.clock.advance(Duration::from_secs(1));
    desk.put("a.csv", text);
    let file = desk.ended(2).await.remove(1);
    assert_eq!((counts(&file), file.file_drop_version), ((1, 1, 0), 2));
    assert_eq!(desk.verdicts("a.csv")[0][3], first);
    assert_eq!(desk.complaint(&first).await.subject, "Late", "as it was registered");
    assert_eq!(desk.count().await, 2);
    desk.house.done().await;
}
