//! Which open cases those who supervise look at, and who sits on what.

use super::{Terminal, err};

#[tokio::test(flavor = "multi_thread")]
async fn open_cases_are_counted_by_who_has_them_and_listed_with_why() {
    let terminal = Terminal::open().await;
    let none = terminal.text(&["supervision", "cases"]).await;
    assert!(none.contains("no cases to look at"), "{none}");
    terminal.staff().await;
    let (case, _) = terminal.submit().await;
    terminal.house.settled().await;
    let seen = terminal.json(&["supervision", "overview"]).await;
    assert_eq!((&seen["totals"]["openCount"], &seen["holderCount"]), (&"1".into(), &"1".into()));
    let agent = seen["holders"][0]["agentId"].as_str().unwrap();
    let shown = terminal.text(&["supervision", "overview", "--over", "EUR 1"]).await;
    for word in ["handler", "overdue since", agent, "all"] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    let mine = ["supervision", "cases", "--over", "EUR 1", "--agent", agent, "--reason", "money-over-limit"];
    let listed = terminal.text(&mine).await;
    assert!(listed.contains(&case) && listed.contains("money over limit"), "{listed}");
    let waiting = terminal.text(&["supervision", "cases", "--over", "EUR 1", "--waiting"]).await;
    assert!(waiting.contains("no cases to look at"), "{waiting}");
    let wrong = terminal.run(&["supervision", "cases", "--reason", "late"]).await;
    assert!(err(&wrong).contains("must be one of overdue, escalated"), "{}", err(&wrong));
    terminal.house.done().await;
}
