//! An article is recalled on the command line.

use super::{Terminal, err};

#[tokio::test(flavor = "multi_thread")]
async fn a_recall_is_opened_shown_listed_and_called_off() {
    let terminal = Terminal::open().await;
    terminal.text(&["department", "add", "warehouse", "--name", "Warehouse"]).await;
    terminal.house.settled().await;
    let open = ["recall", "open", "A-17", "--reason", "the handle breaks", "--notice", "do not use it"];
    let wrong = terminal.run(&[&open[..], &["--measure", "exchange"]].concat()).await;
    assert!(err(&wrong).contains("must begin with KIND@DEPARTMENT"), "{}", err(&wrong));
    let money = [&open[..], &["--measure", "refund@warehouse"]].concat();
    assert!(terminal.refusal(&money).await.contains("INVALID_RECALL"));
    let measure = ["--measure", "exchange@warehouse,goods=A-18*2,note=of the new lot", "--lot", "L-9"];
    let opened = terminal.text(&[&open[..], &measure[..]].concat()).await;
    for line in ["open", "A-17", "L-9", "exchange 2 × A-18", "of the new lot"] {
        assert!(opened.contains(line), "{line}: {opened}");
    }
    let id = opened.split_whitespace().nth(1).unwrap();
    let nobody = "01890000-0000-7000-8000-000000000000";
    let added = terminal.text(&["recall", "add", id, nobody]).await;
    assert!(added.contains("case not found") && added.contains("cases in it: 0"), "{added}");
    let shown = terminal.text(&["recall", "show", id]).await;
    assert!(shown.contains("0 % done") && shown.contains("the handle breaks"), "{shown}");
    assert!(terminal.text(&["recall", "list", "--state", "open"]).await.contains(id));
    assert!(terminal.text(&["recall", "cases", id]).await.contains("no cases"));
    assert!(terminal.text(&["recall", "cases", id, "--candidates"]).await.contains("no candidates"));
    let cancelled = terminal.text(&["recall", "cancel", id, "--reason", "it was another lot"]).await;
    assert!(cancelled.contains("cancelled") && cancelled.contains("it was another lot"), "{cancelled}");
    let late = terminal.refusal(&["recall", "close", id, "--reason", "done"]).await;
    assert!(late.contains("INVALID_RECALL_STATE"), "{late}");
    terminal.house.done().await;
}
