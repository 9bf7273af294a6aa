//! Articles, from a draft to one in force, suggested and used.

use super::{Terminal, err};

#[tokio::test(flavor = "multi_thread")]
async fn an_article_is_written_reviewed_by_another_suggested_and_used() {
    let terminal = Terminal::open().await;
    assert!(terminal.text(&["knowledge", "list"]).await.contains("no articles"));
    assert!(terminal.text(&["knowledge", "clusters"]).await.contains("0 closed cases"));
    let submit = ["submit", "--channel", "web", "--subject", "Swollen battery in my phone"];
    let more = ["--description", "The battery is swollen.", "--language", "en"];
    let submitted = terminal.json(&[&submit[..], &more].concat()).await;
    let case = submitted["complaintId"].as_str().unwrap().to_owned();
    terminal.house.settled().await;
    let category = terminal.json(&["case", "get", &case]).await["category"].as_str().unwrap().to_owned();

    let create = ["knowledge", "create", "Swollen batteries", "--language", "en", "--category", &category];
    let personal = ["--text", "Call +86 138 0013 8000.", "--as", "ann"];
    let refused = terminal.refusal(&[&create[..], &personal].concat()).await;
    assert!(refused.contains("a telephone number: see line 1, character 6"), "{refused}");
    let plain = ["--text", "Do not charge it.", "--case", &case, "--as", "ann"];
    let made = terminal.json(&[&create[..], &plain].concat()).await;
    let article = made["articleId"].as_str().unwrap();
    let edit = ["knowledge", "edit", article, "--review-date", "2099-12-31", "--as", "ann"];
    let edited = terminal.text(&edit).await;
    for said in ["Do not charge it.", "2 of 2", "by 2099-12-31", "Swollen batteries"] {
        assert!(edited.contains(said), "{said}: {edited}");
    }
    terminal.text(&["knowledge", "submit", article, "--as", "ann"]).await;
    let own = terminal.refusal(&["knowledge", "publish", article, "--as", "ann"]).await;
    assert!(own.contains("ARTICLE_REVIEWER_IS_AUTHOR"), "{own}");
    terminal.text(&["knowledge", "publish", article, "--as", "bo"]).await;

    let found = terminal.text(&["knowledge", "suggest", &case]).await;
    assert!(found.contains(article) && found.contains(&format!("category {category}")), "{found}");
    let explained = terminal.text(&["rules", "explain", &case]).await;
    assert!(explained.contains("articles that may help") && explained.contains(article), "{explained}");
    let used = terminal.text(&["knowledge", "use", &case, article, "--useful", "--as", "ann"]).await;
    assert!(used.contains("1 of 1: 100 %"), "{used}");
    let neither = terminal.run(&["knowledge", "use", &case, article]).await;
    assert_eq!(neither.status.code(), Some(2), "a verb is told how it is used");
    assert!(err(&neither).contains("--useful"), "{}", err(&neither));
    let listed = terminal.text(&["knowledge", "list", "--in-force", "--language", "en"]).await;
    assert!(listed.contains("revision 2") && listed.contains(article), "{listed}");
    let gone = terminal.text(&["knowledge", "retire", article, "--reason", "it is wrong"]).await;
    assert!(gone.contains("it is wrong") && gone.contains("retired"), "{gone}");
    assert!(terminal.text(&["knowledge", "list", "--due"]).await.contains("no articles"));
    assert!(terminal.text(&["knowledge", "show", article, "--revision", "1"]).await.contains("1 of 2"));
    terminal.house.done().await;
}
