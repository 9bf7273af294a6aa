//! Reports, from the first asking to a file, and by a schedule.

use super::Terminal;

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_made_shown_fetched_and_scheduled() {
    let terminal = Terminal::open().await;
    terminal.submit().await;
    terminal.house.settled().await;
    let made = terminal.text(&["report", "create", "2026", "--language", "zh", "--format", "csv"]).await;
    for word in ["parts made", "2 of 2", "complaints-2026.zh.csv", "done"] {
        assert!(made.contains(word), "{word}: {made}");
    }
    let listed = terminal.json(&["report", "list"]).await;
    let id = listed["reports"][0]["reportId"].as_str().unwrap().to_owned();
    assert!(terminal.text(&["report", "show", &id]).await.contains("sha-256"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("year.csv");
    let out = path.to_str().unwrap();
    let fetch = ["report", "download", &id, "--language", "zh", "--format", "csv", "--out", out];
    assert!(terminal.text(&fetch).await.contains("year.csv"));
    let file = std::fs::read_to_string(&path).unwrap();
    assert!(
        file.starts_with("\u{feff}指标代码,") && file.contains("received,受理量,本期,2026-01-01"),
        "{file}"
    );
    let missing = terminal.refusal(&["report", "download", &id]).await;
    assert!(missing.contains("REPORT_FILE_NOT_FOUND"), "{missing}");

    let none = terminal.text(&["report", "schedule"]).await;
    assert!(none.contains("no reports are made by themselves"), "{none}");
    let set = terminal.text(&["report", "schedule", "--each", "quarter", "--format", "html"]).await;
    for word in ["quarter", "en, zh", "html", "2"] {
        assert!(set.contains(word), "{word}: {set}");
    }
    let gone = terminal.text(&["report", "schedule", "--none-of", "quarter"]).await;
    assert!(gone.contains("no reports are made by themselves"), "{gone}");
    terminal.house.done().await;
}
