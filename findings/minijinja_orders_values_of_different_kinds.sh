#!/usr/bin/env bash
# minijinja 2.24.0 (the Rust crate, templates after Jinja2): values of different kinds are
# ordered instead of refused, also with strict undefined behaviour.
#
# A good guess: a comparison of nothing or of text with a number stops the template, as it
# does in Jinja2 3.1.6 (TypeError), whose language this is; strict behaviour catches the rest.
# Seen: none is less than every number, text and lists are greater, without an error. Only a
# name that is not there at all stops the template.
#
# What it means here: a letter that says `{% if days < 3 %}` picks a paragraph where the
# number of days is unknown or came as text.
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
minijinja = "=2.24.0"
[workspace]
TOML
cat > "$folder/src/main.rs" <<'RUST'
use minijinja::{Environment, UndefinedBehavior, context};

fn main() {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    for text in ["none < 3", "none > 3", "'10' < 3", "'10' > 3", "[] > 3", "missing < 3"] {
        let told = environment.render_str(&format!("{{{{ {text} }}}}"), context! {});
        let told = told.unwrap_or_else(|error| format!("refused: {}", error.kind()));
        println!("{text} is {}", told.to_lowercase());
    }
}
RUST
seen=$(cd "$folder" && cargo run --quiet)
expected='none < 3 is true
none > 3 is false
'"'10'"' < 3 is false
'"'10'"' > 3 is true
[] > 3 is true
missing < 3 is refused: undefined value'
echo "$seen"
[[ $seen == "$expected" ]] || { echo "changed: expected"; echo "$expected"; exit 1; }
