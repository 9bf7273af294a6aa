//! A worker tried by the program, which starts it.

use super::{PROGRAM, err, out, run};

const WORKER: [&str; 4] = ["conformance", "worker", "--address", "127.0.0.1:0"];

#[tokio::test(flavor = "multi_thread")]
async fn the_worker_we_ship_keeps_every_rule() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("ledger.jsonl").display().to_string();
    let books = format!("cat {ledger}");
    let ours = ["--effects", &books, "--", PROGRAM, "worker", "--department", "finance", "--ledger", &ledger];
    let tried = run(&[&WORKER[..], &ours].concat()).await;
    assert!(tried.status.success(), "{}{}", out(&tried), err(&tried));
    assert!(out(&tried).contains("14 rules kept, 0 broken"), "{}", out(&tried));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_breaks_a_rule_fails_the_trial_by_name() {
    let silent = ["--rules", "valid_poll", "--patience", "1", "--", "sleep", "30"];
    let tried = run(&[&WORKER[..], &silent].concat()).await;
    assert_eq!(tried.status.code(), Some(1), "{}", err(&tried));
    let said = out(&tried);
    assert!(said.contains("BROKEN VALID_POLL") && said.contains("did not ask for tasks"), "{said}");
    let tried = run(&[&WORKER[..], &["--json"], &silent].concat()).await;
    let answer: serde_json::Value = serde_json::from_str(&out(&tried)).unwrap();
    assert_eq!(answer["rules"][0]["rule"], "VALID_POLL");
    assert_eq!(answer["rules"][0]["passed"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_has_tasks_streamed_is_tried_by_the_rules_of_streams() {
    let idle = ["--stream", "--patience", "0", "--", "sleep", "30"];
    let tried = run(&[&WORKER[..], &idle].concat()).await;
    let said = out(&tried);
    assert!(said.contains("BROKEN VALID_STREAM") && said.contains("did not begin a stream"), "{said}");
    assert!(said.contains("0 rules kept, 15 broken"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_or_task_that_there_is_not_is_refused_by_name() {
    let tried = run(&[&WORKER[..], &["--rules", "honesty"]].concat()).await;
    assert!(err(&tried).contains("must be one of VALID_POLL"), "{}", err(&tried));
    let tried = run(&[&WORKER[..], &["--task", "magic@finance"]].concat()).await;
    assert!(err(&tried).contains("must be one of apology"), "{}", err(&tried));
    let tried = run(&[&WORKER[..], &["--", "/no/such/program"]].concat()).await;
    assert!(err(&tried).contains("/no/such/program cannot be started"), "{}", err(&tried));
}
