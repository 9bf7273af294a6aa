//! Training cases, from a pick to an export.

use super::Terminal;

#[tokio::test(flavor = "multi_thread")]
async fn a_training_case_is_picked_made_reviewed_by_another_and_exported() {
    let terminal = Terminal::open().await;
    terminal.staff().await;
    let submit = ["submit", "--channel", "web", "--language", "en", "--subject", "Kettle of Joan Miller"];
    let more = ["--description", "It broke. Call 13800138000, says Joan.", "--name", "Joan Miller"];
    let submitted = terminal.json(&[&submit[..], &more].concat()).await;
    let case = submitted["complaintId"].as_str().unwrap().to_owned();
    terminal.house.settled().await;
    let none = ["training", "pick", "--from", "2026-01-01", "--until", "2026-12-31"];
    assert!(terminal.text(&none).await.contains("0 closed cases"));
    terminal.text(&["case", "accept", &case, "--as", "lin"]).await;
    terminal.house.settled().await;
    terminal.text(&["case", "findings", &case, "Packed by Tom Sawyer", "--as", "lin"]).await;
    terminal.text(&["case", "decide", &case, "upheld", "--reasons", "So it is", "--as", "lin"]).await;
    terminal.house.settled().await;
    terminal.text(&["feedback", "respond", &case, "--accept"]).await;
    terminal.house.settled().await;

    let closed = terminal.json(&["case", "get", &case]).await["closeTime"].as_str().unwrap().to_owned();
    let year: i32 = closed[..4].parse().unwrap();
    let (from, until) = (format!("{year}-01-01"), format!("{}-01-01", year + 1));
    let pick = ["training", "pick", "--from", &from, "--until", &until, "--seed", "x"];
    let picks = terminal.text(&pick).await;
    assert!(picks.contains(&case) && picks.contains("1 closed cases"), "{picks}");
    let bad = terminal.run(&["training", "create", &case, "--hide", "nose=long"]).await;
    assert!(String::from_utf8_lossy(&bad.stderr).contains("must be one of name, telephone"));
    let create = ["training", "create", &case, "--hide", "name=Tom Sawyer", "--as", "ann"];
    let made = terminal.json(&create).await;
    let content = &made["content"];
    assert_eq!(content["title"], "Kettle of [NAME 1]");
    assert_eq!(content["description"], "It broke. Call [PHONE 1], says [NAME 1].");
    assert_eq!(content["findings"], "Packed by [NAME 2]");
    let id = made["trainingCaseId"].as_str().unwrap();

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.json");
    let mut whole = made.clone();
    whole["content"]["decisionReasons"] = "Ask [NAME 2].".into();
    std::fs::write(&path, whole.to_string()).unwrap();
    let file = path.to_str().unwrap();
    let edit = ["training", "edit", id, "--file", file, "--lesson", "Pack it well.", "--as", "ann"];
    let edited = terminal.text(&edit).await;
    for said in ["Ask [NAME 2].", "Pack it well.", "2 of 2", &case, "after"] {
        assert!(edited.contains(said), "{said}: {edited}");
    }
    let personal = terminal.refusal(&["training", "edit", id, "--lesson", "Ask 13800138000."]).await;
    assert!(personal.contains("content.lesson") && personal.contains("line 1, character 5"), "{personal}");
    terminal.text(&["training", "submit", id, "--as", "ann"]).await;
    let own = terminal.refusal(&["training", "publish", id, "--as", "ann"]).await;
    assert!(own.contains("TRAINING_CASE_REVIEWER_IS_AUTHOR"), "{own}");
    let published = terminal.text(&["training", "publish", id, "--as", "bo"]).await;
    assert!(published.contains("published") && !published.contains(&case), "{published}");

    let listed = terminal.text(&["training", "list", "--in-force", "--language", "en"]).await;
    assert!(listed.contains(id) && listed.contains("Kettle of [NAME 1]"), "{listed}");
    let hard = terminal.text(&["training", "list", "--challenge", "disputed"]).await;
    assert!(hard.contains("no training cases"), "{hard}");
    let line = terminal.text(&["training", "export"]).await;
    let read: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(read["content"]["lesson"], "Pack it well.");
    assert!(!line.contains(&case) && !line.contains("Joan") && !line.contains("ann"), "{line}");
    let out = folder.path().join("all.jsonl");
    let told = terminal.text(&["training", "export", "--out", out.to_str().unwrap()]).await;
    assert!(told.contains("1 training cases are in"), "{told}");
    assert_eq!(std::fs::read_to_string(&out).unwrap(), line);
    retired(&terminal, id).await;
    terminal.house.done().await;
}

async fn retired(terminal: &Terminal, id: &str) {
    let gone = terminal.text(&["training", "retire", id, "--reason", "it is wrong"]).await;
    assert!(gone.contains("it is wrong") && gone.contains("retired"), "{gone}");
    assert!(terminal.text(&["training", "get", id, "--revision", "1"]).await.contains("1 of 2"));
    assert_eq!(terminal.text(&["training", "export"]).await, "");
}
