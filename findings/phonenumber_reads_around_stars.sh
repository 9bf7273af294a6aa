#!/usr/bin/env bash
# phonenumber 0.3.10 (Rust): a masked telephone number is read as another number, without an error.
#
# A good guess: `parse` fails on what is no number, such as `138****1234`, as shops mask them.
# Seen: what is no digit is left out, leading digits of a number that is too long too, an extension
# after a second dash becomes part of it: Ok, and a number in E.164 that is somebody else's or nobody's.
# Only `is_valid()` tells.
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
phonenumber = "=0.3.10"
[workspace]
TOML
cat > "$folder/src/main.rs" <<'RUST'
use phonenumber::{Mode, country::Id};

fn main() {
    for text in ["13800138000", "138****1234", "010-65529988-8001", "12345678901234567890"] {
        match phonenumber::parse(Some(Id::CN), text) {
            Ok(number) => println!("{text}: {}, is_valid {}", number.format().mode(Mode::E164), number.is_valid()),
            Err(error) => println!("{text}: {error}"),
        }
    }
}
RUST
seen=$(cd "$folder" && cargo run --quiet)
expected=$(cat <<'SEEN'
13800138000: +8613800138000, is_valid true
138****1234: +861381234, is_valid false
010-65529988-8001: +8610655299888001, is_valid false
12345678901234567890: +86678901234567890, is_valid false
SEEN
)
echo "$seen"
[[ $seen == "$expected" ]] || { echo "changed: expected"; echo "$expected"; exit 1; }
