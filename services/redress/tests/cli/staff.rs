//! A roster brought along, and what becomes of a case by it.

use super::{Terminal, err};

const ROSTER: &str = "agent,department,name,capacity,skills,languages,calendar,hours,supervisor\n\
    ann,care,Ann,5,kitchen=4;refund=2,zh;en,always,1-7@00:00-24:00,lead\n\
    lead,care,The lead,0,,,,,\n\
    bo,nowhere,Bo,1,,,,,\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_roster_is_brought_along_again_and_again_and_a_decision_explained() {
    let terminal = Terminal::open().await;
    terminal.text(&["department", "add", "care", "--name", "Care", "--categories", "*"]).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("roster.csv");
    std::fs::write(&file, ROSTER).unwrap();
    let file = file.to_str().unwrap();
    let first = terminal.run(&["agent", "import", file]).await;
    assert_eq!(first.status.code(), Some(1), "{}", err(&first));
    let said = super::out(&first);
    assert!(said.contains("2 created, 0 updated, 0 unchanged, 1 refused"), "{said}");
    assert!(said.contains("agent.department_id is not a department"), "{said}");
    assert!(super::out(&terminal.run(&["agent", "import", file]).await).contains("2 unchanged, 1 refused"));

    let (case, _) = terminal.submit().await;
    let explained = terminal.text(&["routing", "explain", &case]).await;
    assert!(explained.contains("ann") && explained.contains("full"), "{explained}");
    let passed = terminal.text(&["case", "pass-on", &case, "--agent", "ann", "--reason", "too much"]).await;
    assert!(passed.contains("passed on by") && passed.contains("waiting"), "{passed}");
    assert!(terminal.text(&["routing", "unassignable"]).await.contains(&case));
    let gone = terminal.text(&["agent", "offboard", "ann", "--reason", "moves"]).await;
    assert!(gone.contains("leaving") && gone.contains("0 cases handed over"), "{gone}");
    terminal.text(&["agent", "remove", "ann"]).await;
    assert!(terminal.refusal(&["agent", "get", "ann"]).await.contains("AGENT_NOT_FOUND"));
    assert!(
        terminal.text(&["routing", "replay", "care"]).await.contains("of 1 would have had another handler")
    );
    assert!(terminal.text(&["routing", "get"]).await.contains("load 100, skill 60"));
    terminal.house.done().await;
}
