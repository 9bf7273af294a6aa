//! Where events are posted to, as an administrator says it.

use super::Terminal;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER: &str = "whsec_b3RoZXJvdGhlcm90aGVyb3RoZXJvdGhlcg==";
/// No name leads there.
const URL: &str = "https://crm.invalid/hooks";

#[tokio::test(flavor = "multi_thread")]
async fn events_are_posted_somewhere_until_that_is_taken_back() {
    let terminal = Terminal::open().await;
    assert!(terminal.text(&["subscription", "list"]).await.contains("no event subscriptions"));
    let create = ["subscription", "create", "--title", "CRM", "--url", URL, "--secret", SECRET];
    let wrong = terminal
        .refusal(&[&create[..], &["--type", "CaseClosed", "--filter", "priority == 1"]].concat())
        .await;
    assert!(wrong.contains("types[0]") && wrong.contains("filter"), "{wrong}");
    let made = terminal.json(&[&create[..], &["--type", "redress.cases.v1.CaseClosed"]].concat()).await;
    let id = made["eventSubscriptionId"].as_str().unwrap();
    assert!(!made.to_string().contains("whsec"), "no answer has the secret");

    let paused = terminal.text(&["subscription", "pause", id, "--reason", "it moves"]).await;
    assert!(paused.contains("paused because") && paused.contains("it moves"), "{paused}");
    let update = ["subscription", "update", id, "--title", "CRM, all", "--url", URL, "--filter", "!bulk"];
    let updated = terminal.text(&update).await;
    assert!(updated.contains("CRM, all") && updated.contains("!bulk"), "{updated}");
    let rotated = terminal.text(&["subscription", "rotate", id, "--secret", OTHER, "--keep", "60"]).await;
    assert!(rotated.contains("old secret signs until"), "{rotated}");
    let replay = ["subscription", "replay", id, "--source", "cases", "--position", "0"];
    assert!(terminal.text(&replay).await.contains("cases"));
    assert!(terminal.text(&["subscription", "resume", id]).await.contains("enabled"));
    let shown = terminal.text(&["subscription", "show", id]).await;
    for source in ["assignment", "cases", "feedback", "intake", "resolution"] {
        assert!(shown.lines().any(|line| line.starts_with(source)), "{source} in {shown}");
    }
    assert!(terminal.text(&["subscription", "list"]).await.contains(URL));
    terminal.text(&["subscription", "delete", id]).await;
    assert!(terminal.text(&["subscription", "list"]).await.contains("no event subscriptions"));
    terminal.house.done().await;
}
