//! `redress ivr-menu …`, `callback request`, and how calls and chats are shown.

use super::Terminal;

const MENU: &str = r#"{"note": "as of autumn", "language": "en", "choices": [
    {"keys": "1", "labels": [{"language": "en", "text": "Delivery"}], "categoryHint": "delivery"},
    {"keys": "1.3", "labels": [{"language": "en", "text": "Damaged"}, {"language": "zh", "text": "破损"}],
     "categoryHint": "delivery/damaged"},
    {"keys": "1.#", "labels": [{"language": "en", "text": "Call me back"}], "callBack": true}]}"#;

const MISSED: &str = r#"{"channel": "CHANNEL_PHONE", "externalRef": "call-7",
    "complainant": {"phone": "+86 138 0013 8000"},
    "phone": {"ivrKeys": "1.3.9", "missedCall": true, "wait": "95s", "maskedNumber": "170 0001 2345",
              "maskedNumberExpireTime": "2099-01-01T00:00:00Z", "recordingUri": "https://calls.example.org/7"}}"#;

const CHAT: &str = r#"{"channel": "CHANNEL_CHAT", "subject": "Broken cup", "language": "en", "chat": {"turns": [
    {"speaker": "CHAT_SPEAKER_CUSTOMER", "text": "Hello, one cup is in pieces."},
    {"speaker": "CHAT_SPEAKER_BOT", "text": "Which order?"},
    {"speaker": "CHAT_SPEAKER_CUSTOMER", "text": "This is outrageous, I am furious!!!"},
    {"speaker": "CHAT_SPEAKER_AGENT", "text": "This is Li."}],
    "handedOver": true, "handOverReason": "HAND_OVER_REASON_EMOTION"}}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_menu_is_written_tried_and_explains_a_missed_call_that_is_called_back() {
    let terminal = Terminal::open().await;
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let text = terminal.text(&["ivr-menu", "list"]).await;
    assert!(text.contains("no menus"), "{text}");
    let text = terminal.text(&["ivr-menu", "create", &file("menu.json", MENU)]).await;
    assert!(text.contains("delivery/damaged") && text.contains("zh: 破损"), "{text}");
    let text = terminal.text(&["ivr-menu", "try", "1.3.9", "7", "--version", "1"]).await;
    assert!(text.contains("Delivery > Damaged"), "{text}");
    let text = terminal.text(&["ivr-menu", "activate", "1", "--expected", "0"]).await;
    assert_eq!(text, "version 1 is in force now\n");
    let refused = terminal.refusal(&["ivr-menu", "activate", "0", "--expected", "0"]).await;
    assert!(refused.contains("VERSION_MISMATCH") || refused.contains("version"), "{refused}");
    // What it shows is what can be created.
    let shown = terminal.json(&["ivr-menu", "get"]).await;
    terminal.text(&["ivr-menu", "create", &file("again.json", &shown.to_string())]).await;
    let listed = terminal.json(&["ivr-menu", "list"]).await;
    assert_eq!(listed["menus"].as_array().map(Vec::len), Some(2));

    let submitted = terminal.json(&["submit", "--file", &file("call.json", MISSED)]).await;
    let case = submitted["complaintId"].as_str().expect("an id").to_owned();
    terminal.house.settled().await;
    let text = terminal.text(&["ivr-menu", "try", "--latest", "5"]).await;
    assert!(text.contains(&case), "{text}");
    let text = terminal.text(&["case", "timeline", &case]).await;
    assert!(text.contains("recording: https://calls.example.org/7"), "{text}");
    let due = terminal.json(&["callback", "list", "--case", &case]).await;
    assert_eq!(due["callBacks"][0]["causes"][0], "CALL_BACK_CAUSE_REQUESTED");
    let text = terminal.text(&["callback", "request", &case, "--note", "which cup?"]).await;
    assert!(text.contains("170 0001 2345 (masked until 2099-01-01") && text.contains("which cup?"), "{text}");
    let text = terminal.text(&["callback", "request", &case, "--phone", "021 6666"]).await;
    assert!(text.contains("021 6666 (as they asked)"), "{text}");
    let id = due["callBacks"][0]["callBackId"].as_str().expect("an id").to_owned();
    let text = terminal.text(&["callback", "record", &id, "reached"]).await;
    assert!(text.contains("done"), "{text}");
    terminal.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_is_submitted_turn_by_turn_and_its_mood_is_drawn() {
    let terminal = Terminal::open().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chat.json");
    std::fs::write(&path, CHAT).unwrap();
    let submitted = terminal.json(&["submit", "--file", path.to_str().unwrap()]).await;
    let case = submitted["complaintId"].as_str().expect("an id").to_owned();
    terminal.house.settled().await;
    let text = terminal.text(&["rules", "explain", &case]).await;
    assert!(text.contains("▁█  rising, from calm to furious, worst furious (turn 3)"), "{text}");
    assert!(text.contains("yes: emotion"), "{text}");
    terminal.house.done().await;
}
