//! The files that people are told to begin with.

use crate::Terminal;

#[tokio::test]
async fn the_examples_of_menus_and_mappings_are_taken_as_they_are() {
    let terminal = Terminal::open().await;
    let example =
        |name: &str| format!("{}/../../deploy/examples/settings/{name}", env!("CARGO_MANIFEST_DIR"));
    terminal.text(&["ivr-menu", "create", &example("ivr-menu.json")]).await;
    terminal.text(&["ivr-menu", "activate", "1"]).await;
    let tried = terminal.text(&["ivr-menu", "try", "1.2", "--version", "1"]).await;
    assert!(tried.contains("delivery/late"), "{tried}");
    let secret = format!("whsec_{}", "BwcH".repeat(8));
    terminal.text(&["webhook-source", "set", "social", "--owner", "ada", "--secret", &secret]).await;
    terminal.text(&["webhook-source", "mapping", "create", "social", &example("webhook-mapping.json")]).await;
    let sample = example("posts.json");
    let preview = ["webhook-source", "mapping", "preview", "social", "--number", "1", "--sample", &sample];
    let read = terminal.text(&preview).await;
    assert!(read.contains("My parcel came broken") && read.contains("broken or late"), "{read}");
    terminal.text(&["webhook-source", "mapping", "activate", "social", "1"]).await;
    terminal.house.done().await;
}
