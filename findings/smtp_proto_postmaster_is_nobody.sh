#!/usr/bin/env bash
# smtp-proto 0.2.5: mail to <postmaster> is mail to nobody, as the null return path is.
#
# A good guess: `RCPT TO:<postmaster>`, which every server must take without a domain (RFC 5321,
# 4.5.1), is an address "postmaster".
# Seen: its address is empty, just as that of `MAIL FROM:<>`, and so is that of any address without a
# domain. A server that takes the empty one for "no such user" refuses the one it must accept.
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
smtp-proto = "=0.2.5"
[workspace]
TOML
cat > "$folder/src/main.rs" <<'RUST'
use smtp_proto::Request;

fn main() {
    for line in ["MAIL FROM:<>\r\n", "RCPT TO:<ada@example.org>\r\n", "RCPT TO:<postmaster>\r\n", "RCPT TO:<Postmaster>\r\n"] {
        let read = Request::parse(&mut line.as_bytes().iter());
        let address = match read {
            Ok(Request::Mail { from }) => from.address.to_string(),
            Ok(Request::Rcpt { to }) => to.address.to_string(),
            other => format!("{other:?}"),
        };
        println!("{} {address:?}", line.trim_end());
    }
}
RUST
seen=$(cd "$folder" && cargo run --quiet)
expected=$(cat <<'SEEN'
MAIL FROM:<> ""
RCPT TO:<ada@example.org> "ada@example.org"
RCPT TO:<postmaster> ""
RCPT TO:<Postmaster> ""
SEEN
)
echo "$seen"
[[ $seen == "$expected" ]] || { echo "changed: expected"; echo "$expected"; exit 1; }
