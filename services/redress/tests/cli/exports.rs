//! Exports: files that are there once they are whole.

use super::Terminal;

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_is_exported_in_each_format_and_names_nobody() {
    let terminal = Terminal::open().await;
    terminal.staff().await;
    let (case, _) = terminal.submit().await;
    terminal.house.settled().await;
    terminal.text(&["case", "accept", &case, "--as", "lin"]).await;
    terminal.house.settled().await;
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let period = ["export", "process", "--from", "2024-01-01", "--until", "2028-12-31", "--out", out];
    let all = ["--format", "ocel-json", "--format", "ocel-xml", "--format", "ocel-sqlite", "--format", "xes"];
    let told = terminal.json(&[&period[..], &all[..]].concat()).await;
    assert_eq!(told["cases"], 1, "{told}");
    assert!(told["events"].as_u64().unwrap() >= 4, "{told}");

    let mut names: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let name = |ending: &str| format!("process-2024-01-01-2028-12-31.{ending}");
    assert_eq!(names, ["jsonocel", "sqlite", "xes", "xmlocel"].map(name), "and nothing half");
    let read = |ending: &str| std::fs::read(folder.path().join(name(ending))).unwrap();
    assert!(read("sqlite").starts_with(b"SQLite format 3"));
    for ending in ["jsonocel", "xmlocel", "xes"] {
        let file = String::from_utf8(read(ending)).unwrap();
        for word in ["complaint registered", "case accepted", "department:care", "agent:", &case] {
            assert!(file.contains(word), "{word} in {ending}");
        }
        assert!(!file.contains("agent:lin") && !file.contains("example.org"), "{ending}");
    }
    // Once more, over what is there, and in words.
    let text = terminal.text(&period).await;
    assert!(text.contains("1 cases") && text.contains("jsonocel"), "{text}");

    let backwards = ["export", "process", "--from", "2028-12-31", "--until", "2028-12-31", "--out", out];
    let refused = terminal.refusal(&backwards).await;
    assert!(refused.contains("end_date"), "{refused}");
    terminal.house.done().await;
}
