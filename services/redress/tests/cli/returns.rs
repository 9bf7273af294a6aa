//! Returns to regulators: a mapping is written, what lacks is named, a file is there whole.

use super::Terminal;

#[tokio::test(flavor = "multi_thread")]
async fn a_return_is_mapped_checked_and_written_and_nothing_half() {
    let terminal = Terminal::open().await;
    let (case, _) = terminal.submit().await;
    terminal.house.settled().await;
    let bare = terminal.text(&["return", "mapping", "get", "cn"]).await;
    assert!(bare.contains("no rules"), "{bare}");

    let check =
        terminal.text(&["return", "check", "cn", "--from", "2026-01-01", "--until", "2027-01-01"]).await;
    for word in ["business_type", "institution", &case] {
        assert!(check.contains(word), "{word}: {check}");
    }
    let refused = terminal.refusal(&["return", "check", "asic", "--period", "2026-Q4"]).await;
    assert!(refused.contains("end_date"), "{refused}");

    // As people do: read, edited, set.
    let mut mapping = terminal.json(&["return", "mapping", "get", "cn"]).await;
    mapping["constants"] = serde_json::json!([{"field": "institution", "value": "某某银行"}]);
    mapping["rules"] = serde_json::json!([{"category": "delivery", "outcome": "OUTCOME_UPHELD", "codes": [
        {"field": "cause", "value": "05"}]}, {"codes": [{"field": "cause", "value": "09"},
        {"field": "channel", "value": "01"}, {"field": "business_type", "value": "0203"}]}]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.json");
    std::fs::write(&path, mapping.to_string()).unwrap();
    let set = terminal.text(&["return", "mapping", "set", path.to_str().unwrap()]).await;
    for word in ["某某银行", "category delivery", "upheld", "always", "cause=09"] {
        assert!(set.contains(word), "{word}: {set}");
    }
    let year = ["return", "check", "cn", "--period", "2026"];
    let check = terminal.json(&year).await;
    assert_eq!((check["recordCount"].as_str(), check.get("issueCount")), (Some("1"), None), "{check}");

    // A year that is over, of which there is nothing: a heading alone.
    let out = folder.path().join("cn.csv");
    let out = out.to_str().unwrap();
    let written = terminal.text(&["return", "export", "cn", "--period", "2024", "--out", out]).await;
    assert!(written.contains("0 records by mapping 1"), "{written}");
    let file = std::fs::read_to_string(out).unwrap();
    assert!(file.starts_with("\u{feff}机构,分支机构,") && file.lines().count() == 1, "{file}");
    let told = terminal.json(&["return", "export", "cn", "--period", "2024-H1", "--out", out]).await;
    assert_eq!(told["sha256"].as_str().map(str::len), Some(64), "{told}");

    let lacks = folder.path().join("lacks.csv");
    let lacks = lacks.to_str().unwrap();
    let refused = terminal.refusal(&["return", "export", "cfpb", "--period", "2024", "--out", lacks]).await;
    assert!(refused.contains("RETURN_INCOMPLETE") && refused.contains("company"), "{refused}");
    let mut names: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["cn.csv", "m.json"], "and nothing half");
    terminal.house.done().await;
}
