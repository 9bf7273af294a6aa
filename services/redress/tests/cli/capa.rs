//! Actions about problems, from the first to their assessment.

use super::Terminal;

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
