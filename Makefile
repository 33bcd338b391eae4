# Everything a newcomer needs: `make demo` to see it, `make test` to trust it.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PORT ?= 8080
DATA ?= ./data
# Outside the clone, so that a fresh clone builds in minutes.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/yiwang/target

.PHONY: help demo test test-long bench lint fmt setup check e2e

help:
	@echo "make demo    set up, build and start a demonstration node (PORT=$(PORT) DATA=$(DATA))"
	@echo "make test    set up and run every test; ends with 'N passed, N failed'"
	@echo "make test-long  the tests that find more the longer they run (YIWANG_TIMES)"
	@echo "make bench   measure, beside this machine's own ceiling"
	@echo "make lint    clippy, format, content files"
	@echo "make fmt     format"

setup:
	@scripts/setup.sh

# Cargo takes most of a second to find nothing to do, so it is asked only when something is newer than the stamp:
# a file of this clone, or the binary, which another clone may have built.
YIWANG := $(CARGO_TARGET_DIR)/release/yiwang
BUILT := target/demo.built

demo:
	@scripts/setup.sh --demo
	@$(MAKE) --no-print-directory $(BUILT)
	@exec "$(YIWANG)" demo --listen 127.0.0.1:$(PORT) --data "$(DATA)"

$(BUILT): Cargo.toml Cargo.lock $(shell find .cargo crates packs) $(YIWANG)
	@cargo build --quiet --release --package server --bin yiwang
	@mkdir -p $(@D)
	@touch $@

$(YIWANG):

# What finds more the longer it runs; `make test` has the same tests with fewer cases.
test-long:
	@scripts/setup.sh
	@scripts/test-long.sh

test:
	@scripts/setup.sh
	@scripts/test.sh

e2e:
	@scripts/setup.sh
	@scripts/test.sh --e2e-only

bench:
	@scripts/setup.sh --bench
	@bench/run.sh

lint:
	@scripts/setup.sh --demo
	@cargo fmt --all --check
	@cargo clippy --workspace --all-targets -- --deny warnings
	@cargo run --quiet --package server --bin yiwang -- check packs

fmt:
	@cargo fmt --all
