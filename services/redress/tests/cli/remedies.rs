//! A remedy of one's own, as people type it: set, planned, done by the worker for trying out.

use serde_json::Value;

use super::{Terminal, terminate};

const INPUT: &str = r#"{"type": "object", "required": ["value"]}"#;
const RESULT: &str = r#"{"type": "object", "required": ["code"]}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_remedy_of_ones_own_is_set_planned_and_done() {
    let terminal = Terminal::open().await;
    terminal.staff().await;
    terminal.text(&["department", "add", "shop", "--name", "Shop"]).await;
    terminal.house.settled().await;
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (input, result) = (file("in.json", INPUT), file("out.json", RESULT));
    let set = ["remedy-type", "set", "gift-card", "--title", "Gift card", "--department", "shop"];
    let schemas = ["--input-schema", &input, "--result-schema", &result, "--moves-value", "--attempt", "600"];
    let shown =
        terminal.text(&[set.as_slice(), &schemas, &["--undo", "Void it.", "--expect", "0"]].concat()).await;
    for told in ["gift-card", "10.0 min", "Void it.", INPUT, RESULT] {
        assert!(shown.contains(told), "{told}: {shown}");
    }
    assert_eq!(terminal.text(&["remedy-type", "show", "gift-card"]).await, shown);
    let stale = terminal.refusal(&[set.as_slice(), &schemas, &["--expect", "0"]].concat()).await;
    assert!(stale.contains("VERSION_MISMATCH"), "{stale}");
    assert!(terminal.text(&["remedy-type", "list"]).await.contains("Gift card"));

    let (case, _) = terminal.submit().await;
    terminal.text(&["case", "accept", &case, "--as", "lin"]).await;
    terminal.house.settled().await;
    terminal.text(&["case", "findings", &case, "It was badly packed", "--as", "lin"]).await;
    terminal
        .text(&["case", "decide", &case, "upheld", "--reasons", "So it is", "--remedy", "--as", "lin"])
        .await;
    terminal.house.settled().await;
    let bad = r#"card=custom@,type=gift-card,input={"worth": 50}"#;
    let refused = terminal.refusal(&["plan", "propose", &case, "--step", bad, "--as", "lin"]).await;
    assert!(refused.contains("steps[0].input.value"), "{refused}");
    let step = r#"card=custom@,type=gift-card,input={"value": 50}"#;
    let plan = terminal.json(&["plan", "propose", &case, "--step", step, "--as", "lin"]).await;
    let plan = plan["planId"].as_str().unwrap();
    let shown = terminal.text(&["plan", "get", plan]).await;
    assert!(
        shown.contains("custom gift-card 1") && shown.contains(r#"card brings {"value": 50}"#),
        "{shown}"
    );
    terminal.text(&["plan", "approve", plan, "--as", "gu"]).await;
    let done = format!("gift-card={}", file("done.json", r#"{"code": "ABCD"}"#));
    let (mut worker, mut lines) =
        terminal.worker("shop", &folder.path().join("shop.jsonl"), &["--output", &done]).await;
    let line = lines.next_line().await.unwrap().unwrap();
    assert!(line.contains("custom gift-card 1"), "{line}");
    terminate(&worker);
    assert!(worker.wait().await.unwrap().success());
    let plan: Value = terminal.json(&["plan", "get", plan]).await;
    assert_eq!(plan["state"].as_str(), Some("PLAN_STATE_COMPLETED"));
    let task = terminal.text(&["task", "get", plan["steps"][0]["taskId"].as_str().unwrap()]).await;
    assert!(task.contains(r#"{"value": 50}"#) && task.contains(r#"{"code": "ABCD"}"#), "{task}");
    assert!(terminal.text(&["remedy-type", "disable", "gift-card"]).await.contains("disabled"));
    terminal.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_revised_and_that_approved() {
    let terminal = Terminal::open().await;
    terminal.staff().await;
    terminal.text(&["department", "add", "finance", "--name", "Finance"]).await;
    let (case, _) = terminal.submit().await;
    terminal.text(&["case", "accept", &case, "--as", "lin"]).await;
    terminal.house.settled().await;
    terminal.text(&["case", "findings", &case, "It was badly packed", "--as", "lin"]).await;
    terminal
        .text(&["case", "decide", &case, "upheld", "--reasons", "So it is", "--remedy", "--as", "lin"])
        .await;
    terminal.house.settled().await;
    let steps =
        ["--step", "money=refund@finance,amount=EUR 39.90", "--step", "sorry=apology@finance,after=money"];
    let plan = terminal.json(&[&["plan", "propose", &case], &steps[..], &["--as", "lin"]].concat()).await;
    let plan = plan["planId"].as_str().unwrap().to_owned();
    terminal.text(&["plan", "approve", &plan, "--as", "gu"]).await;
    let revise = ["plan", "revise", &plan, "--reason", "a voucher is enough", "--as", "lin"];
    let nothing = terminal.refusal(&[&revise[..], &["--drop", "gift"]].concat()).await;
    assert!(nothing.contains("the plan has no step gift"), "{nothing}");
    let less = ["--step", "money=refund@finance,amount=EUR 9.90", "--drop", "sorry"];
    let shown = terminal.text(&[&revise[..], &less].concat()).await;
    for told in ["pending", "a voucher is enough", "money-r1", "money (refund EUR 39.90)", "removed"] {
        assert!(shown.contains(told), "{told}: {shown}");
    }
    let again = terminal.refusal(&[&revise[..], &less].concat()).await;
    assert!(again.contains("REVISION_PENDING"), "{again}");
    let no = ["plan", "reject-revision", &plan, "1", "--reason", "too little", "--as", "gu"];
    assert!(terminal.text(&no).await.contains("too little"));

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("p.json");
    let mut edited = terminal.json(&["plan", "get", &plan]).await;
    edited["steps"][0]["amount"]["units"] = Value::from("29");
    std::fs::write(&file, edited.to_string()).unwrap();
    let file = file.to_str().unwrap();
    terminal.text(&[&revise[..], &["--file", file]].concat()).await;
    let stale = terminal.refusal(&[&revise[..], &["--file", file]].concat()).await;
    assert!(stale.contains("VERSION_MISMATCH"), "{stale}");
    let shown = terminal.text(&["plan", "approve-revision", &plan, "2", "--as", "gu"]).await;
    assert!(shown.contains("applied"), "{shown}");
    let shown = terminal.text(&["plan", "get", &plan]).await;
    for told in ["taken out", "dropped", "money-r2", "refund EUR 29.90"] {
        assert!(shown.contains(told), "{told}: {shown}");
    }
    assert!(terminal.text(&["plan", "revisions", &plan]).await.contains("rejected"));
    terminal.house.done().await;
}
