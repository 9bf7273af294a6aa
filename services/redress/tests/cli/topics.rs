//! Topics at the command line: what is not known yet, and what is wrong.

use super::Terminal;

#[tokio::test(flavor = "multi_thread")]
async fn without_a_past_nothing_is_a_topic_and_what_is_wrong_is_named() {
    let terminal = Terminal::open().await;
    let none = terminal.text(&["topic", "list", "--days", "7"]).await;
    assert!(none.contains("nothing is spoken of more often"), "{none}");
    let wrong = terminal.refusal(&["topic", "list", "--days", "32", "--until", "soon"]).await;
    assert!(wrong.contains("days") && wrong.contains("end_date"), "{wrong}");
    let missing = terminal.refusal(&["topic", "show", "2026-11-29/7/56/battery"]).await;
    assert!(missing.contains("TOPIC_NOT_FOUND"), "{missing}");
    terminal.house.done().await;
}
