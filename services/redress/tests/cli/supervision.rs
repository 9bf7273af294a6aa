//! How a department stands, and by which ladder what it has overdue is supervised.

use super::{Terminal, err};

#[tokio::test(flavor = "multi_thread")]
async fn a_ladder_is_shown_and_set_part_by_part_and_a_board_shown() {
    let terminal = Terminal::open().await;
    terminal.text(&["department", "add", "finance", "--name", "Finance"]).await;
    terminal.house.settled().await;
    let shipped = terminal.text(&["task", "ladder"]).await;
    for line in ["as shipped", "department", "supervisor", "4.0 h", "head", "24.0 h"] {
        assert!(shipped.contains(line), "{line}: {shipped}");
    }
    terminal.text(&["task", "ladder", "--department", "finance=fay,hal"]).await;
    let set = terminal.text(&["task", "ladder", "--rung", "department=0", "--rung", "head=8"]).await;
    for line in ["version", "8.0 h", "fay", "hal"] {
        assert!(set.contains(line), "{line}: {set}");
    }
    assert!(!set.contains("4.0 h"), "the whole ladder is set at once: {set}");
    let none = terminal.text(&["task", "ladder", "--no-rungs"]).await;
    assert!(none.contains("nobody is told") && none.contains("fay"), "{none}");
    let wrong = terminal.run(&["task", "ladder", "--rung", "king=4"]).await;
    assert!(err(&wrong).contains("must be one of department, supervisor, head"), "{}", err(&wrong));
    let board = terminal.text(&["task", "board", "finance"]).await;
    for line in ["ready", "overdue", "handed back twice or more"] {
        assert!(board.contains(line), "{line}: {board}");
    }
    assert!(terminal.refusal(&["task", "board", "nowhere"]).await.contains("DEPARTMENT_NOT_FOUND"));
    for listed in [["--order", "least-slack"], ["--order", "oldest"], ["--looping", "--json"]] {
        terminal.text(&[&["task", "list", "--department", "finance"], &listed[..]].concat()).await;
    }
    terminal.house.done().await;
}
