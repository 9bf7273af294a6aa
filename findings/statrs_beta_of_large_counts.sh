#!/usr/bin/env bash
# statrs 0.18.0 (the Rust crate, statistics): shares of millions are told with quietly wrong
# probabilities.
#
# A good guess: the regularised incomplete beta function I(x; a, b), which exact intervals of
# shares, the binomial distribution and Student's rest on, is right to many digits, or fails.
# I(1/2; n, n) is 1/2 for every n, by symmetry.
# Seen: right up to n = 100 000, 0.491 at a million, 0.213 at ten millions and -1.147, a
# probability below nought, at a hundred millions. No error and no NaN: the continued fraction
# ends after a fixed number of terms, which is too few once the counts are large (it takes a
# few times their root). `Binomial::cdf` inherits it: that of at most half of twenty million
# throws is 0.215, where a little more than 0.5 is right.
#
# What it means here: an interval of 95 % over a year of a million complaints would be wrong.
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
statrs = { version = "=0.18.0", default-features = false }
[workspace]
TOML
cat > "$folder/src/main.rs" <<'RUST'
use statrs::distribution::{Binomial, DiscreteCDF as _};
use statrs::function::beta::beta_reg;

fn main() {
    for n in [1_000, 100_000, 1_000_000, 10_000_000, 100_000_000_u64] {
        println!("I(1/2; {n}, {n}) is {:.3}", beta_reg(n as f64, n as f64, 0.5));
    }
    for n in [1_000, 1_000_000, 10_000_000_u64] {
        let half = Binomial::new(0.5, 2 * n).expect("valid").cdf(n);
        println!("at most {n} of {} throws: {half:.3}", 2 * n);
    }
}
RUST
seen=$(cd "$folder" && cargo run --quiet)
expected='I(1/2; 1000, 1000) is 0.500
I(1/2; 100000, 100000) is 0.500
I(1/2; 1000000, 1000000) is 0.491
I(1/2; 10000000, 10000000) is 0.213
I(1/2; 100000000, 100000000) is -1.147
at most 1000 of 2000 throws: 0.509
at most 1000000 of 2000000 throws: 0.492
at most 10000000 of 20000000 throws: 0.215'
echo "$seen"
[[ $seen == "$expected" ]] || { echo "changed: expected"; echo "$expected"; exit 1; }
