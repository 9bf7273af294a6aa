#!/usr/bin/env bash
# jiff 0.2.43 with `tzdb-bundle-always`: zones still come from the system's files first.
#
# A good guess: the feature's name says that the bundled database is what zones are
# looked up in. Seen: `TimeZone::get` asks TZDIR or the system's zoneinfo folder first, and
# the bundled one only where that lacks the name. So two replicas on images of different
# age count the same legal deadline differently. `TimeZoneDatabase::bundled()` is the bundled one.
#
# Shown with a folder in which Europe/Paris is a copy of Asia/Tokyo, as an image with other
# rules would have it.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/src" "$folder/zones/Europe"
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tzdata==2025.2
cp "$("$folder/venv/bin/python" -c 'import tzdata, pathlib; print(pathlib.Path(tzdata.__file__).parent / "zoneinfo/Asia/Tokyo")')" \
    "$folder/zones/Europe/Paris"
cat > "$folder/Cargo.toml" <<'TOML'
[package]
name = "probe"
version = "0.0.0"
edition = "2024"
[dependencies]
jiff = { version = "=0.2.43", default-features = false, features = ["std", "tzdb-zoneinfo", "tzdb-bundle-always"] }
[workspace]
TOML
cat > "$folder/src/main.rs" <<'RUST'
use jiff::tz::{TimeZone, TimeZoneDatabase};

fn main() {
    let noon: jiff::Timestamp = "2026-01-15T12:00:00Z".parse().expect("a time");
    let named = TimeZone::get("Europe/Paris").expect("a zone");
    let bundled = TimeZoneDatabase::bundled().get("Europe/Paris").expect("a zone");
    println!("TimeZone::get {}", noon.to_zoned(named).offset());
    println!("bundled {}", noon.to_zoned(bundled).offset());
}
RUST
seen=$(cd "$folder" && TZDIR="$folder/zones" cargo run --quiet)
expected='TimeZone::get +09
bundled +01'
echo "$seen"
[[ $seen == "$expected" ]] || { echo "changed: expected"; echo "$expected"; exit 1; }
