//! Actions about problems, from the first to their assessment; and what departments are asked
//! about problems, by people and by hints.

use super::{Terminal, err, terminate};

#[tokio::test(flavor = "multi_thread")]
async fn an_action_is_created_given_to_another_done_and_assessed_by_somebody_else() {
    let terminal = Terminal::open().await;
    let none = terminal.text(&["capa", "list"]).await;
    assert!(none.contains("no actions"), "{none}");
    let problem = terminal.json(&["problem", "open", "Cups arrive broken", "--product", "cup"]).await;
    let problem = problem["problemId"].as_str().unwrap();
    let create = ["capa", "create", problem, "Another seal", "--owner", "ann", "--due"];
    let wrong = terminal.refusal(&[&create[..], &["soon"]].concat()).await;
    assert!(wrong.contains("due_date"), "{wrong}");
    let made = terminal.json(&[&create[..], &["2099-12-31", "--kind", "preventive"]].concat()).await;
    let action = made["actionId"].as_str().unwrap();
    let listed = terminal.text(&["capa", "list", "--problem", problem, "--state", "open"]).await;
    for word in [action, "preventive", "ann", "2099-12-31", "Another seal"] {
        assert!(listed.contains(word), "{word}: {listed}");
    }
    assert!(!terminal.text(&["capa", "list", "--overdue"]).await.contains(action));
    let given = terminal.json(&["capa", "assign", action, "--owner", "bob"]).await;
    assert_eq!((&given["owner"], &given["dueDate"]), (&"bob".into(), &"2099-12-31".into()));
    let early = terminal.refusal(&["capa", "verify", action, "--finding", "so it is", "--as", "ann"]).await;
    assert!(early.contains("IMPROVEMENT_ACTION_NOT_DONE"), "{early}");
    let done = terminal.text(&["capa", "done", action, "--note", "sealed twice", "--as", "bob"]).await;
    assert!(done.contains("sealed twice") && done.contains("bob"), "{done}");
    let own = terminal.refusal(&["capa", "verify", action, "--finding", "so it is", "--as", "bob"]).await;
    assert!(own.contains("OWN_IMPROVEMENT_ACTION"), "{own}");
    let found =
        terminal.text(&["capa", "ineffective", action, "--finding", "still leaks", "--as", "ann"]).await;
    assert!(found.contains("still leaks") && found.contains("ineffective"), "{found}");
    let shown = terminal.json(&["capa", "show", action]).await;
    assert_eq!((&shown["finding"], &shown["assessor"]), (&"still leaks".into(), &"ann".into()));
    let missing = terminal.refusal(&["capa", "show", "00000000-0000-0000-0000-000000000000"]).await;
    assert!(missing.contains("IMPROVEMENT_ACTION_NOT_FOUND"), "{missing}");
    terminal.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_department_is_asked_about_a_problem_answers_and_another_there_is_not() {
    let terminal = Terminal::open().await;
    terminal.text(&["department", "add", "warehouse", "--name", "Warehouse"]).await;
    let (case, _) = terminal.submit().await;
    let problem = terminal.json(&["problem", "open", "Kettles leak", "--product", "kettle"]).await;
    let problem = problem["problemId"].as_str().unwrap();
    let request = ["problem", "task", "request", problem];
    let stock = [&request[..], &["stock", "--department", "warehouse", "--text", "Lot 9 only."]].concat();
    let early = terminal.refusal(&stock).await;
    assert!(early.contains("PROBLEM_WITHOUT_CASES"), "{early}");
    terminal.text(&["problem", "link", problem, &case]).await;
    let wrong = terminal.run(&[&request[..], &["magic", "--department", "warehouse"]].concat()).await;
    assert!(err(&wrong).contains("must be one of stock, recall"), "{}", err(&wrong));
    let asked = terminal.text(&stock).await;
    for word in ["stock", "warehouse", "Lot 9 only.", "requested", &case] {
        assert!(asked.contains(word), "{word}: {asked}");
    }
    terminal.text(&[&request[..], &["recall", "--department", "nowhere"]].concat()).await;
    terminal.house.settled().await;
    let refused = terminal.text(&["problem", "task", "list", "--state", "refused"]).await;
    assert!(refused.contains("nowhere") && refused.contains("DEPARTMENT_NOT_FOUND"), "{refused}");

    let ledger = tempfile::tempdir().unwrap();
    let (mut worker, mut lines) =
        terminal.worker("warehouse", &ledger.path().join("ledger.jsonl"), &[]).await;
    let line = lines.next_line().await.unwrap().unwrap();
    assert!(line.contains("problem hint"), "{line}");
    let answered = async || terminal.text(&["problem", "task", "list", "--problem", problem]).await;
    testkit::eventually(|| async { answered().await.contains("looked into, for trying out") }).await;
    terminate(&worker);
    worker.wait().await.unwrap();
    let shown = terminal.text(&["problem", "show", problem]).await;
    assert!(shown.contains("answered") && shown.contains("refused"), "{shown}");
    let task = terminal.json(&["problem", "task", "list", "--state", "answered"]).await;
    let task = task["tasks"][0]["taskId"].as_str().unwrap();
    let shown = terminal.text(&["task", "get", task]).await;
    assert!(shown.contains(problem) && shown.contains("see to the stock"), "{shown}");
    terminal.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hints_are_set_shown_kept_by_other_changes_and_removed() {
    let terminal = Terminal::open().await;
    let hint = ["--hint", "stock@warehouse,category=goods,text=Count it, then say"];
    let set = terminal.text(&[&["signal", "set"], &hint[..], &["--hint", "recall@quality"]].concat()).await;
    for word in ["warehouse", "category goods", "Count it, then say", "recall", "all"] {
        assert!(set.contains(word), "{word}: {set}");
    }
    terminal.text(&["signal", "set", "--min-count", "9"]).await;
    let kept = terminal.json(&["signal", "settings"]).await;
    assert_eq!((kept["minCount"].as_i64(), kept["hints"].as_array().unwrap().len()), (Some(9), 2));
    let both = terminal.run(&[&["signal", "set", "--no-hints"], &hint[..]].concat()).await;
    assert!(!both.status.success(), "one or the other");
    let none = terminal.text(&["signal", "set", "--no-hints"]).await;
    assert!(!none.contains("warehouse"), "{none}");
    terminal.house.done().await;
}
