//! What the README has a newcomer type.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use super::{PATIENCE, PROGRAM, Terminal, err, out, terminate};

/// The commands, in order.
fn first_hour() -> Vec<&'static str> {
    let readme = include_str!("../../../../README.md");
    let lines = readme.lines().filter_map(|line| line.strip_prefix("    redress "));
    lines.take_while(|line| !line.starts_with("KEEP")).collect()
}

/// The first id in a text that is not this one.
fn id_in(text: &str, other: &str) -> Option<String> {
    let words = text.split(|c: char| !c.is_ascii_hexdigit() && c != '-');
    words.map(str::to_owned).find(|word| word.len() == 36 && word != other)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_hour_of_the_readme_leads_to_a_closed_case() {
    let terminal = Terminal::open().await;
    let folder = tempfile::tempdir().unwrap();
    let (mut case, mut plan, mut said) = (String::new(), String::new(), Vec::new());
    for line in first_hour() {
        let line = line.replace("CASE", &case).replace("PLAN", &plan);
        let mut command = Command::new("sh");
        command.args(["-c", &format!("exec \"$PROGRAM\" {line}")]).current_dir(folder.path());
        command.env("PROGRAM", PROGRAM).env("REDRESS_SERVER", &terminal.server).kill_on_drop(true);
        let output = if line.starts_with("worker") {
            let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
            let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
            lines.next_line().await.unwrap();
            let paid = lines.next_line().await.unwrap().unwrap();
            terminate(&child);
            assert!(child.wait().await.unwrap().success());
            paid
        } else {
            let output = tokio::time::timeout(PATIENCE, command.output()).await.unwrap().unwrap();
            assert!(output.status.success(), "{line}: {}", err(&output));
            out(&output)
        };
        terminal.house.settled().await;
        match line.split_whitespace().next() {
            Some("submit") => case = id_in(&output, "").unwrap(),
            Some("plan") if plan.is_empty() => plan = id_in(&output, &case).unwrap(),
            _ => {}
        }
        said.push((line, output));
    }
    assert_eq!(terminal.state(&case).await, "CASE_STATE_CLOSED");
    let of = |verb: &str| &said.iter().find(|(line, _)| line.starts_with(verb)).unwrap().1;
    assert!(of("task list").contains("EUR 39.90"), "{said:?}");
    assert!(of("worker").contains("refund EUR 39.90"), "{said:?}");
    assert!(of("case timeline").contains("closed"), "{said:?}");
    assert!(of("events tail").contains("CaseClosed"), "{said:?}");
    terminal.house.done().await;
}
