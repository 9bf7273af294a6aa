#!/usr/bin/env bash
# mt940 1.1.0 (crates.io) and mt-940 4.30.0 (PyPI): the reversals of an MT940 statement come
# out the other way round.
#
# A good guess: field 61 says D, C, RD or RC. RD takes a debit back, so money comes in; RC
# takes a credit back, so money goes out; and a parser that knows all four marks says so.
# Seen: the Rust parser names RD ReverseCredit and RC ReverseDebit. The Python parser gives
# RC a positive amount, like a credit, although it makes every D negative. The statement below
# is sound: 10.00 and a reversed credit of 5.00 leave 5.00. Sum up what either makes of it, and
# the closing balance is missed by twice the reversal.
#
# What it means here: a returned payment is exactly what a reconciliation looks for. Derive the
# way money went from the mark itself, or hold the sum of a statement against its balances.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
statement() {
    printf ':20:X\r\n:25:BANK/1\r\n:28C:1/1\r\n:60F:C261124EUR10,00\r\n'
    printf ':61:2611281128%s5,00NTRFP-1\r\n' "$1"
    printf ':62F:C261128EUR%s\r\n' "$2"
}
statement RD 15,00 > "$folder/RD.sta"
statement RC 5,00 > "$folder/RC.sta"

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mt-940==4.30.0
cat > "$folder/probe.py" <<'PYTHON'
import sys

import mt940

for mark in ("RD", "RC"):
    with open(f"{sys.argv[1]}/{mark}.sta") as file:
        read = mt940.parse(file.read())
    opening = read.data["final_opening_balance"].amount.amount
    closing = read.data["final_closing_balance"].amount.amount
    moved = sum(row.data["amount"].amount for row in read)
    print(f"seen: mt-940: {mark} moves {moved:+}, the balances moved by {closing - opening:+}")
PYTHON

mkdir -p "$folder/rust/src"
cat > "$folder/rust/Cargo.toml" <<'TOML'
[package]
name = "probe"
version = "0.0.0"
edition = "2021"
[dependencies]
mt940 = "=1.1.0"
TOML
cat > "$folder/rust/src/main.rs" <<'RUST'
fn main() {
    let folder = std::env::args().nth(1).unwrap();
    for mark in ["RD", "RC"] {
        let text = std::fs::read_to_string(format!("{folder}/{mark}.sta")).unwrap();
        let read = mt940::parse_mt940(&text).unwrap();
        println!("seen: mt940: {mark} is {:?}", read[0].statement_lines[0].ext_debit_credit_indicator);
    }
}
RUST

seen=$(
    "$folder/venv/bin/python" "$folder/probe.py" "$folder"
    cargo run --quiet --manifest-path "$folder/rust/Cargo.toml" -- "$folder" 2> /dev/null
)
expected="seen: mt-940: RD moves +5.00, the balances moved by +5.00
seen: mt-940: RC moves +5.00, the balances moved by -5.00
seen: mt940: RD is ReverseCredit
seen: mt940: RC is ReverseDebit"
echo "$seen"
[[ $seen == "$expected" ]] || { echo "changed: expected"; echo "$expected"; exit 1; }
