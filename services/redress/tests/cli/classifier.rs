//! A classifier, as an administrator teaches it.

use super::Terminal;

#[tokio::test(flavor = "multi_thread")]
async fn a_classifier_is_taught_tried_and_activated() {
    let terminal = Terminal::open().await;
    let refused = terminal.refusal(&["classifier", "train"]).await;
    assert!(refused.contains("TOO_LITTLE_TO_LEARN"), "{refused}");
    for place in 0..10 {
        let (category, text) = if place % 2 == 0 {
            ("parcels", "the courier lost it")
        } else {
            ("invoices", "a fee was charged")
        };
        let (case, _) = terminal.submit().await;
        terminal.house.settled().await;
        let sql = format!("UPDATE cases.case_text SET description = '{text}' WHERE case_id = '{case}'");
        let mut owner = terminal.house.owner().await;
        sqlx::Executor::execute(&mut owner, sqlx::AssertSqlSafe(sql)).await.unwrap();
        let confirmed = terminal.text(&["classifier", "confirm", &case, category]).await;
        assert!(confirmed.contains(category), "{confirmed}");
    }
    let trained = terminal.text(&["classifier", "train", "--threshold", "0.99"]).await;
    assert!(trained.contains("8 texts") && trained.contains("parcels"), "{trained}");
    assert!(terminal.text(&["classifier", "activate", "1"]).await.contains("active     "));
    let tried = terminal.text(&["classifier", "classify", "The courier lost it. I am furious!"]).await;
    assert!(tried.contains("parcels") && tried.contains("furious"), "{tried}");
    assert_eq!(terminal.json(&["classifier", "list"]).await["classifiers"][0]["version"], "1");
    assert!(terminal.text(&["classifier", "deactivate"]).await.contains("classifier 1 is active no more"));
    terminal.house.done().await;
}
