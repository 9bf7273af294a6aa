#!/usr/bin/env bash
# imap-proto 0.17.0: a text that an IMAP server quotes keeps the backslashes it was quoted with.
#
# A good guess: a parser answers what a quoted string says: `"a \"b\""` is `a "b"` (RFC 3501, 4.3).
# Seen: it answers the bytes between the quotes. Most servers send bodies as literals, so that it is
# seen only with those that quote short ones: a mail with a quotation mark gets backslashes, and its
# hash is another than that of the same mail as a literal. Also seen: a server that is IMAP4rev2 alone
# (RFC 9051) and says so is a parse error.
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
imap-proto = "=0.17.0"
[workspace]
TOML
cat > "$folder/src/main.rs" <<'RUST'
use imap_proto::{AttributeValue, Response};

fn main() {
    let (_, read) = Response::parse(b"* 1 FETCH (BODY[TEXT] \"a \\\"b\\\" c\")\r\n").expect("a response");
    if let Response::Fetch(_, values) = read {
        for value in values {
            if let AttributeValue::BodySection { data, .. } = value {
                println!("{}", data.map(|data| String::from_utf8_lossy(&data).into_owned()).unwrap_or_default());
            }
        }
    }
    for line in ["* CAPABILITY IMAP4rev1 IDLE", "* CAPABILITY IMAP4rev1 IMAP4rev2 IDLE", "* CAPABILITY IMAP4rev2 IDLE"] {
        let read = Response::parse(format!("{line}\r\n").as_bytes()).is_ok();
        println!("{line}: {}", if read { "is read" } else { "is an error" });
    }
}
RUST
seen=$(cd "$folder" && cargo run --quiet)
expected=$(cat <<'SEEN'
a \"b\" c
* CAPABILITY IMAP4rev1 IDLE: is read
* CAPABILITY IMAP4rev1 IMAP4rev2 IDLE: is read
* CAPABILITY IMAP4rev2 IDLE: is an error
SEEN
)
echo "$seen"
[[ $seen == "$expected" ]] || { echo "changed: expected"; echo "$expected"; exit 1; }
