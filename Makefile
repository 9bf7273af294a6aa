# The commands of the house. `make demo` and `make test` are the two to know.

# How hard `make chaos` tries; `make chaos KILLS=1000` tries harder.
KILLS ?= 400
COMPLAINTS ?= 5600

.PHONY: help setup demo up test real load chaos ci

help: ## says what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## installs what this machine lacks: a C compiler, PostgreSQL 15 or newer; says so when Rust is too old
	@.ci/need rust cc postgres

demo: setup ## the whole suite at work on a sample of complaints; KEEP=1 leaves it running
	cargo build -p redress
	cargo run --quiet -p redress -- demo $(ARGS)

up: setup ## all five services in one process, with a Postgres of their own unless DATABASE_URL is set
	cargo run -p redress -- up $(ARGS)

# The binaries first: tests that start real processes find them beside their own.
test: setup ## every test
	cargo build --workspace --bins
	cargo test --workspace

real: setup ## the tests on real complaints, which lie in the folder REDRESS_DATA
	@test -d "$$REDRESS_DATA" || { echo "real: REDRESS_DATA does not name a folder" >&2; exit 1; }
	cargo build -p redress
	cargo test -p calendar -p language -p sameness -p cases -p feedback -p tests -- --ignored real_

load: setup ## rates, latencies, CPU and memory beside pgbench's; BASELINE=folder compares two builds instead
	cargo build --profile dist --workspace --bins
	"$${CARGO_TARGET_DIR:-target}/dist/load" $(if $(BASELINE),--baseline $(BASELINE)) $(ARGS)

chaos: setup ## kills service processes at random points and counts what was lost (nothing)
	cargo build --workspace --bins
	REDRESS_CHAOS_KILLS=$(KILLS) REDRESS_CHAOS_COMPLAINTS=$(COMPLAINTS) \
		cargo test -p tests --test suite chaos -- --ignored --nocapture

ci: ## all that must hold before a change lands
	.ci/run
