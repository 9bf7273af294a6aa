#!/usr/bin/env bash
# mail-parser 0.11.9: one byte that is none of Base64 leaves a whole part as it was encoded.
#
# A good guess: bytes outside the alphabet are passed over, as RFC 2045 (6.8) says that decoding
# software must: line ends, blanks, and what a mailing list or a gateway has put there.
# Seen: line ends are, any other byte is not: the whole content is then the Base64 text itself, with
# no error. A picture with one such byte is evidence that nobody can open.
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
    for content in ["JVBE\r\nRg==", "JVBE!Rg=="] {
        let mail = format!(
            "From: a@b.example\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n{content}\r\n"
        );
        println!("{content:?} is {:?}", String::from_utf8_lossy(read(&mail).parts[0].contents()));
    }
}
RUST
seen=$(cd "$folder" && cargo run --quiet)
expected=$(cat <<'SEEN'
"JVBE\r\nRg==" is "%PDF"
"JVBE!Rg==" is "JVBE!Rg==\r\n"
SEEN
)
echo "$seen"
[[ $seen == "$expected" ]] || { echo "changed: expected"; echo "$expected"; exit 1; }
