#!/usr/bin/env bash
# cel 0.13.0 (the Rust crate, CEL interpreter): an even number of `!` or `-` in front of a
# value does not cancel out.
#
# A good guess: `!!x` is x and `--x` is x, as the CEL specification's grammar has it
# (Unary = "!" {"!"} Member | "-" {"-"} Member: each sign is applied).
# Seen: any number of signs counts as one. `!!true` is false, `--1` is -1, `- -1` too, without
# an error or a warning. With parentheses, `!(!true)` and `-(-1)`, each sign counts.
#
# What it means here: a triage rule written `!!flag` would decide the opposite.
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
    for text in ["!true", "!!true", "!!!true", "!(!true)", "-1", "--1", "- -1", "-(-1)"] {
        let value = Program::compile(text).expect("valid CEL").execute(&Context::default());
        println!("{text} is {:?}", value.expect("a value"));
    }
}
RUST
seen=$(cd "$folder" && cargo run --quiet)
expected='!true is Bool(false)
!!true is Bool(false)
!!!true is Bool(false)
!(!true) is Bool(true)
-1 is Int(-1)
--1 is Int(-1)
- -1 is Int(-1)
-(-1) is Int(1)'
echo "$seen"
[[ $seen == "$expected" ]] || { echo "changed: expected"; echo "$expected"; exit 1; }
