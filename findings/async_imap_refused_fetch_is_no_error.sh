#!/usr/bin/env bash
# async-imap 0.12.0: a FETCH that the server refuses looks like a message that is not there.
#
# A good guess: where the server answers `NO [UNAVAILABLE]` (RFC 5530) to a UID FETCH, the stream of
# fetched messages ends with an error.
# Seen: it is empty, and ends well. Whoever takes "nothing was fetched" for "was deleted meanwhile",
# which happens every day, goes on behind the message and has lost it: complaints among them.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat > "$folder/Cargo.toml" <<'TOML'
[package]
name = "probe"
version = "0.0.0"
edition = "2024"
[dependencies]
async-imap = { version = "=0.12.0", default-features = false, features = ["runtime-tokio"] }
futures = "0.3"
tokio = { version = "1", features = ["rt", "macros", "io-util"] }
[workspace]
TOML
cat > "$folder/src/main.rs" <<'RUST'
use futures::StreamExt as _;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

/// A server that lets in, opens a folder, and cannot give a message just now.
async fn serve(stream: tokio::io::DuplexStream) {
    let (reading, mut writing) = tokio::io::split(stream);
    writing.write_all(b"* OK ready\r\n").await.unwrap();
    let mut lines = BufReader::new(reading).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        let tag = line.split(' ').next().unwrap();
        let answer = if line.contains("LOGIN") {
            format!("{tag} OK in\r\n")
        } else if line.contains("SELECT") {
            format!("* 1 EXISTS\r\n* OK [UIDVALIDITY 7] life\r\n{tag} OK open\r\n")
        } else {
            format!("{tag} NO [UNAVAILABLE] not just now\r\n")
        };
        writing.write_all(answer.as_bytes()).await.unwrap();
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let (ours, theirs) = tokio::io::duplex(4096);
    tokio::spawn(serve(theirs));
    let mut client = async_imap::Client::new(ours);
    client.read_response().await.expect("a greeting");
    let mut session = client.login("ada", "x").await.map_err(|(error, _)| error).expect("in");
    session.select("INBOX").await.expect("open");
    let mut fetched = session.uid_fetch("1", "BODY.PEEK[]").await.expect("asked");
    let mut errors = 0;
    let mut messages = 0;
    while let Some(one) = fetched.next().await {
        match one {
            Ok(_) => messages += 1,
            Err(_) => errors += 1,
        }
    }
    println!("{messages} messages, {errors} errors");
}
RUST
seen=$(cd "$folder" && cargo run --quiet)
expected=$(cat <<'SEEN'
0 messages, 0 errors
SEEN
)
echo "$seen"
[[ $seen == "$expected" ]] || { echo "changed: expected"; echo "$expected"; exit 1; }
