//! Files beyond what a file may have, and how long files are known.

use std::fs::{self, File};
use std::time::Duration;

use super::{Desk, acme, counts, is_done, set, table};

#[tokio::test(flavor = "multi_thread")]
async fn a_file_beyond_a_limit_is_refused_whole_and_says_why() {
    let desk = Desk::open().await;
    set(&desk.client, acme()).await.expect("set up");
    let large = File::create(desk.at("incoming/large.csv")).expect("made");
    large.set_len((1 << 30) + 1).expect("a file with a hole");
    let mut long = "subject,description\n".to_owned();
    long.push_str(&"a,b\n".repeat(1_000_001));
    desk.put("long.csv", long);
    desk.put("other.csv", "betreff,text\na,b\n");
    desk.put("empty.csv", "");
    desk.put("headings.csv", "subject,description\n");
    fs::write(desk.at("incoming/large.csv.done"), "").expect("written");
    let files = desk.ended(5).await;
    let told = |name: &str| {
        let file = files.iter().find(|file| file.file_name == name).expect("the file");
        assert_eq!(counts(file), (0, 0, 0));
        file.reason.clone()
    };
    assert_eq!(told("large.csv"), "FILE_TOO_LARGE");
    assert_eq!(told("long.csv"), "TOO_MANY_ROWS");
    assert_eq!(told("other.csv"), "FILE_UNREADABLE");
    assert_eq!(told("empty.csv"), "FILE_UNREADABLE");
    assert_eq!(told("headings.csv"), "");
    for (name, reason) in [("large.csv", "FILE_TOO_LARGE"), ("long.csv", "TOO_MANY_ROWS")] {
        let lines = desk.verdicts(name);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0][..7], ["", "", "refused", "", "", "INVALID_ARGUMENT", reason]);
        assert!(desk.names("refused").contains(&name.to_owned()));
    }
    assert!(desk.verdicts("other.csv")[0][8].contains("betreff"), "{:?}", desk.verdicts("other.csv"));
    assert_eq!(desk.verdicts("headings.csv").len(), 0);
    assert!(desk.names("done").contains(&"headings.csv".to_owned()));
    assert_eq!(desk.count().await, 0);
    desk.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_too_long_or_damaged_harms_no_other() {
    let desk = Desk::open().await;
    set(&desk.client, acme()).await.expect("set up");
    let text = format!(
        "subject,description\nLate,A week.\nLong,\"{}\"\nLost\nLast,\"never ends\n",
        "x".repeat(3 << 20)
    );
    desk.put("a.csv", text);
    let file = desk.ended(1).await.remove(0);
    assert_eq!((is_done(&file), counts(&file)), (true, (1, 0, 3)));
    let told: Vec<&str> = file.first_problems.iter().map(|one| one.problem.as_str()).collect();
    assert!(
        told[0].contains("2 MiB") && told[1].contains("1 cells") && told[2].contains("never ends"),
        "{told:?}"
    );
    desk.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_known_for_400_days() {
    let desk = Desk::open().await;
    set(&desk.client, acme()).await.expect("set up");
    desk.put("a.csv", table(0..1));
    desk.ended(1).await;
    desk.run("UPDATE intake.dropped_file SET ended_at = ended_at - interval '399 days'").await;
    desk.clock.advance(Duration::from_hours(2));
    desk.put("b.csv", table(1..2));
    desk.ended(2).await;
    desk.clock.advance(Duration::from_hours(25));
    desk.until(|| async { desk.files().await.len() == 1 }).await;
    assert_eq!(desk.files().await[0].file_name, "b.csv");
    assert_eq!(desk.names("done").len(), 4, "what lies there stays");
    desk.house.done().await;
}
