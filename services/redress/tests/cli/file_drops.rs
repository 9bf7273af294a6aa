//! `redress file-drop …` and `redress dropped-file …`.

use std::fs;

use testkit::eventually;

use super::Terminal;

#[tokio::test(flavor = "multi_thread")]
async fn a_drop_is_set_up_and_what_became_of_its_files_is_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().to_owned();
    let terminal = Terminal::open_with(|settings| settings.drops.folder = Some(root)).await;
    let text = terminal.text(&["file-drop", "list"]).await;
    assert!(text.contains("no file drops"), "{text}");
    let drop = folder.path().join("development/acme");
    fs::create_dir_all(drop.join("incoming")).expect("made");
    let mapping = folder.path().join("m.toml");
    fs::write(&mapping, "[columns]\nsubject = \"s\"\ndescription = \"d\"\n").expect("written");
    fs::write(drop.join("incoming/a.csv"), "s,d\nLate,A week.\n,Lost.\n").expect("written");
    fs::write(drop.join("incoming/a.csv.done"), "").expect("written");
    let mapping = mapping.to_str().expect("a path").to_owned();
    let sample = folder.path().join("sample.csv");
    fs::write(&sample, "s,d,x\nLate,A week.,1\n,Lost.,2\n").expect("written");
    let sample = sample.to_str().expect("a path").to_owned();
    let text = terminal.text(&["file-drop", "try", "--sample", &sample, "--mapping", &mapping]).await;
    for line in ["s -> subject", "x -> not imported", "2 read, 1 would be refused", "row 2 INVALID_COMPLAINT"]
    {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    let set = ["file-drop", "set", "acme", "--folder", "acme", "--owner", "ada", "--mapping", &mapping];
    let text = terminal.text(&set).await;
    assert!(text.contains("the folder acme") && text.contains("partner"), "{text}");
    let refused =
        terminal.refusal(&["file-drop", "set", "other", "--folder", "acme/b", "--owner", "b"]).await;
    assert!(refused.contains("another file drop"), "{refused}");
    let list = ["dropped-file", "list", "--drop", "acme", "--state", "done"];
    eventually(|| async { terminal.text(&list).await.contains("a.csv") }).await;
    let files = terminal.json(&["dropped-file", "list"]).await;
    let id = files["droppedFiles"][0]["droppedFileId"].as_str().expect("an id").to_owned();
    let text = terminal.text(&["dropped-file", "show", &id]).await;
    assert!(text.contains("2 of 2 read") && text.contains("row 2 INVALID_COMPLAINT"), "{text}");
    // By the drop's own settings, and by one that says otherwise.
    let text = terminal.text(&["file-drop", "try", "acme", "--dropped-file", &id]).await;
    assert!(text.contains("2 read, 1 would be refused"), "{text}");
    let again = ["file-drop", "try", "acme", "--dropped-file", &id, "--separator", ";"];
    let refused = terminal.json(&again).await["refusedBecause"].as_str().unwrap_or_default().to_owned();
    assert!(refused.contains("has no column"), "{refused}");
    let text = terminal.text(&["file-drop", "pause", "acme"]).await;
    assert!(text.contains("paused"), "{text}");
    let text = terminal.text(&["file-drop", "resume", "acme"]).await;
    assert!(text.contains("[columns]"), "all else stays: {text}");
    terminal.text(&["file-drop", "delete", "acme"]).await;
    terminal.house.done().await;
}
