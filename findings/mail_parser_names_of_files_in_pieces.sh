#!/usr/bin/env bash
# mail-parser 0.11.9: of a file name that is cut in pieces, only the first has its charset.
#
# A good guess: a name written after RFC 2231 as `filename*0*=charset''…; filename*1*=…` is one
# text in one charset, which the first piece names for all of them.
# Seen: the first piece is decoded by it, the next ones are taken for UTF-8, so that every letter
# beyond ASCII in them becomes U+FFFD. A long Chinese or German name of an attachment is cut so by
# most mail programs. (With the feature `full_encoding`; without it more is lost.)
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
use mail_parser::{MessageParser, MimeHeaders as _};

fn read(text: &str) -> mail_parser::Message<'_> {
    MessageParser::default().parse(text.as_bytes()).expect("a mail")
}

fn main() {
    for pieces in ["filename*=iso-8859-1''P%E4ckchen%20besch%E4digt.pdf",
        "filename*0*=iso-8859-1''P%E4ckchen%20;\r\n filename*1*=besch%E4digt.pdf"] {
        let mail = format!(
            "From: a@b.example\r\nContent-Type: multipart/mixed; boundary=cut\r\n\r\n--cut\r\n\
             Content-Type: application/pdf\r\nContent-Disposition: attachment;\r\n {pieces}\r\n\r\nx\r\n--cut--\r\n"
        );
        println!("{:?}", read(&mail).attachment(0).and_then(|part| part.attachment_name().map(str::to_owned)));
    }
}
RUST
seen=$(cd "$folder" && cargo run --quiet)
expected=$(cat <<'SEEN'
Some("Päckchen beschädigt.pdf")
Some("Päckchen besch�digt.pdf")
SEEN
)
echo "$seen"
[[ $seen == "$expected" ]] || { echo "changed: expected"; echo "$expected"; exit 1; }
