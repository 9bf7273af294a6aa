#!/usr/bin/env bash
# jsonschema 0.48.0 (the Rust crate): a `format` that the draft of `$schema` does not define
# is passed in silence, though formats were asked to be checked.
#
# A good guess: with `should_validate_formats(true)`, `format: uuid` is checked or refused
# when the schema is compiled, whichever `$schema` it names.
# Seen: under draft-07 `uuid` and `duration` accept any text; under 2019-09 and 2020-12 they
# are checked; a format that no draft knows accepts any text everywhere. Compiling says
# nothing. (`should_ignore_unknown_formats(false)` refuses the last kind; it is not the default.)
#
# What it means here: a form moved from one draft to another stops checking, and nobody hears.
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
jsonschema = { version = "=0.48.0", default-features = false }
serde_json = "1"
[workspace]
TOML
cat > "$folder/src/main.rs" <<'RUST'
use serde_json::json;

fn main() {
    let drafts = [
        ("draft-07", "http://json-schema.org/draft-07/schema#"),
        ("2019-09", "https://json-schema.org/draft/2019-09/schema"),
        ("2020-12", "https://json-schema.org/draft/2020-12/schema"),
    ];
    for (name, draft) in drafts {
        for format in ["date", "uuid", "duration", "parcel-number"] {
            let schema = json!({ "$schema": draft, "type": "string", "format": format });
            let built = jsonschema::options().should_validate_formats(true).build(&schema);
            let accepts = built.expect("it compiles").is_valid(&json!("none of these"));
            println!("{name} {format}: {}", if accepts { "accepted" } else { "refused" });
        }
    }
}
RUST
seen=$(cd "$folder" && cargo run --quiet)
expected='draft-07 date: refused
draft-07 uuid: accepted
draft-07 duration: accepted
draft-07 parcel-number: accepted
2019-09 date: refused
2019-09 uuid: refused
2019-09 duration: refused
2019-09 parcel-number: accepted
2020-12 date: refused
2020-12 uuid: refused
2020-12 duration: refused
2020-12 parcel-number: accepted'
echo "$seen"
[[ $seen == "$expected" ]] || { echo "changed: expected"; echo "$expected"; exit 1; }
