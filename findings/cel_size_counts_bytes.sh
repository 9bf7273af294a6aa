#!/usr/bin/env bash
# cel 0.13.0 (the Rust crate, CEL interpreter): `size` of a text counts bytes of UTF-8.
#
# A good guess: code points, as the CEL specification says of size(string); cel-go agrees.
# Seen: size('日本') is 6 and size('é') is 2. A rule such as `size(text) < 20` means another
# thing for a complaint in Chinese than for the same one in English.
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
cel = "=0.13.0"
[workspace]
TOML
cat > "$folder/src/main.rs" <<'RUST'
use cel::{Context, Program};

fn main() {
    for text in ["size('ab')", "size('é')", "size('日本')"] {
        let value = Program::compile(text).expect("valid CEL").execute(&Context::default());
        println!("{text} is {:?}", value.expect("a value"));
    }
}
RUST
seen=$(cd "$folder" && cargo run --quiet)
expected="size('ab') is Int(2)
size('é') is Int(2)
size('日本') is Int(6)"
echo "$seen"
[[ $seen == "$expected" ]] || { echo "changed: expected"; echo "$expected"; exit 1; }
