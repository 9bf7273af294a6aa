#!/usr/bin/env bash
# mail-parser 0.11.9: a boundary within a line ends the part it stands in.
#
# A good guess: a boundary delimiter is one at the beginning of a line only (RFC 2046, 5.1.1), so
# that words may quote it.
# Seen: wherever it stands, the part ends there; what follows is lost from the text. A person who
# writes of `--cut` in a mail whose boundary is `cut` has said half of it.
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
mail-parser = { version = "=0.11.9", features = ["full_encoding"] }
[workspace]
TOML
cat > "$folder/src/main.rs" <<'RUST'
use mail_parser::MessageParser;

fn read(text: &str) -> mail_parser::Message<'_> {
    MessageParser::default().parse(text.as_bytes()).expect("a mail")
}

fn main() {
    let mail = "From: a@b.example\r\nContent-Type: multipart/mixed; boundary=cut\r\n\r\n--cut\r\n\
        Content-Type: text/plain\r\n\r\nI tried --cut here.\r\nIt broke.\r\n--cut--\r\n";
    println!("{:?}", read(mail).body_text(0));
}
RUST
seen=$(cd "$folder" && cargo run --quiet)
expected=$(cat <<'SEEN'
Some("I tried ")
SEEN
)
echo "$seen"
[[ $seen == "$expected" ]] || { echo "changed: expected"; echo "$expected"; exit 1; }
