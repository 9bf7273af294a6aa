//! Files on the command line: uploaded, offered as proof, fetched; and what is accepted.

use super::Terminal;

const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_uploaded_offered_as_proof_listed_and_fetched() {
    let terminal = Terminal::open().await;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let bytes = [PICTURE, &vec![7; 700_000]].concat();
    let (cup, told, other) = (path("cup.png"), path("told.txt"), path("other.png"));
    std::fs::write(&cup, &bytes).unwrap();
    std::fs::write(&told, "It fell.").unwrap();
    std::fs::write(&other, "no picture").unwrap();

    let submit = ["submit", "--channel", "web", "--language", "en", "--subject", "x", "--description", "x"];
    let submit = [&submit[..], &["--attach", &cup, "--request-id", "k-1"]].concat();
    let complaint = terminal.json(&submit).await["complaintId"].as_str().unwrap().to_owned();
    assert_eq!(terminal.json(&submit).await["complaintId"], *complaint, "made again, it is the same");
    let listed = terminal.text(&["attachment", "list", &complaint]).await;
    for line in ["cup.png", "image/png", "683.6 KiB", "ready"] {
        assert!(listed.contains(line), "{line}: {listed}");
    }
    let id =
        terminal.json(&["attachment", "list", &complaint]).await["attachments"][0]["attachmentId"].clone();
    let id = id.as_str().unwrap();
    let fetched = path("fetched.png");
    terminal.text(&["attachment", "download", id, "--out", &fetched]).await;
    assert_eq!(std::fs::read(&fetched).unwrap(), bytes);
    let range = ["attachment", "download", id, "--out", &fetched, "--offset", "1", "--length", "3"];
    terminal.text(&range).await;
    assert_eq!(std::fs::read(&fetched).unwrap(), b"PNG");
    let token = terminal.json(&["attachment", "token", id]).await["token"].as_str().unwrap().to_owned();
    terminal.text(&["attachment", "download", "--by", &token, "--out", &fetched]).await;
    assert_eq!(std::fs::read(&fetched).unwrap(), bytes);
    assert!(terminal.refusal(&["attachment", "delete", id]).await.contains("ATTACHMENT_REFERRED_TO"));

    let added = ["form", "add", &complaint, "--attach", &told, "--source", "staff"];
    assert!(terminal.text(&added).await.contains("addition"));
    let second = terminal.json(&["attachment", "list", &complaint]).await["attachments"][1].clone();
    assert_eq!(second["mediaType"], "text/plain");
    let information = terminal.text(&["form", "information", &complaint]).await;
    let named =
        format!("{} ({})", second["fileName"].as_str().unwrap(), second["attachmentId"].as_str().unwrap());
    assert!(information.contains(&named), "{named}: {information}");

    assert!(terminal.refusal(&["attachment", "upload", &other]).await.contains("MEDIA_TYPE_MISMATCH"));
    let uploaded = terminal.json(&["attachment", "upload", &cup]).await;
    let id = uploaded["attachmentId"].as_str().unwrap();
    let resumed = terminal.text(&["attachment", "upload", &cup, "--resume", id]).await;
    assert!(resumed.contains("ready"), "{resumed}");
    assert!(terminal.text(&["attachment", "show", id]).await.contains(uploaded["sha256"].as_str().unwrap()));
    terminal.text(&["attachment", "delete", id]).await;
    assert!(terminal.refusal(&["attachment", "show", id]).await.contains("ATTACHMENT_NOT_FOUND"));
    terminal.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_accepted_is_shown_and_changed() {
    let terminal = Terminal::open().await;
    let shown = terminal.text(&["attachment", "settings"]).await;
    assert!(shown.contains("100 MiB") && shown.contains("10 GiB") && shown.contains("image/jpeg"), "{shown}");
    let set = ["attachment", "settings", "--max-size", "2048", "--types", "text/plain"];
    let changed = terminal.text(&set).await;
    assert!(changed.contains("2 KiB") && changed.contains("10 GiB"), "{changed}");
    assert!(!changed.contains("image/jpeg"), "{changed}");
    let wrong = terminal.refusal(&["attachment", "settings", "--quota=-1"]).await;
    assert!(wrong.contains("settings.quota_bytes"), "{wrong}");
    terminal.house.done().await;
}
