//! `redress mailbox …` and `redress mail …`.

use testkit::{eventually, free_address, hand_over};

use super::Terminal;

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_is_set_up_read_and_its_mails_are_shown() {
    let at = free_address();
    let terminal = Terminal::open_with(|settings| settings.mails.smtp_listen = Some(at)).await;
    let text = terminal.text(&["mailbox", "list"]).await;
    assert!(text.contains("no mailboxes"), "{text}");
    let set = [
        "mailbox",
        "set",
        "shop",
        "--address",
        "complaints@shop.example",
        "--owner",
        "ada",
        "--silent-after",
        "48",
        // As it may stand in the environment, for another mailbox.
        "--secret",
        "hunter2",
    ];
    let text = terminal.text(&set).await;
    assert!(text.contains("handed over") && text.contains("48 h"), "{text}");
    let refused = terminal
        .refusal(&["mailbox", "set", "other", "--address", "complaints@shop.example", "--owner", "b"])
        .await;
    assert!(refused.contains("another mailbox"), "{refused}");
    let away = "From: Bob <bob@example.org>\r\nSubject: Away\r\nMessage-ID: <1@example.org>\r\n\
                Auto-Submitted: auto-replied\r\n\r\nI am away.\r\n";
    hand_over(at, "complaints@shop.example", away).await;
    let list = ["mail", "list", "--state", "set-aside"];
    eventually(|| async { terminal.text(&list).await.contains("auto reply") }).await;
    let mails = terminal.json(&["mail", "list"]).await;
    let id = mails["mails"][0]["mailId"].as_str().expect("an id").to_owned();
    let text = terminal.text(&["mail", "dismiss", &id, "--reason", "Bob is away"]).await;
    assert!(text.contains("Bob is away"), "{text}");
    let text = terminal.text(&["mail", "list", "--set-aside", "auto-reply"]).await;
    assert!(text.contains("auto reply, dismissed"), "{text}");
    let text = terminal.text(&["mail", "list", "--set-aside", "too-large"]).await;
    assert!(text.contains("no mails"), "{text}");
    let refused = terminal.refusal(&["mail", "register", &id, "--text", "other words"]).await;
    assert!(refused.contains("this one has its own"), "{refused}");
    let text = terminal.text(&["mail", "register", &id]).await;
    assert!(text.contains("bob@example.org"), "{text}");
    eventually(|| async { terminal.text(&["mail", "show", &id]).await.contains("registered") }).await;
    let text = terminal.text(&["mailbox", "pause", "shop"]).await;
    assert!(text.contains("paused"), "{text}");
    let text = terminal.text(&["mailbox", "resume", "shop"]).await;
    assert!(text.contains("handed over") && text.contains("48 h"), "all else stays: {text}");
    terminal.text(&["mailbox", "delete", "shop"]).await;
    terminal.house.done().await;
}
