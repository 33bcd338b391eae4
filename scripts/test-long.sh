#!/usr/bin/env bash
# The tests that find more the longer they run: random worlds behind the barrier, drawn lineage, small worlds counted out,
# and TPC-H against another engine at five times the scale of `make test`. Ends with `N passed, N failed` as well.
# YIWANG_TIMES says how many times as many worlds are drawn.
set -uo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$HOME/.cache/yiwang/target}
export YIWANG_TIMES=${YIWANG_TIMES:-4} YIWANG_TPCH_SCALE=${YIWANG_TPCH_SCALE:-0.05}
. scripts/count.sh

work=$(mktemp -d "${TMPDIR:-/tmp}/yiwang-test.XXXXXX")
trap 'rm -rf "$work"' EXIT

rust_tests "$work/nextest.log" --profile long --test-threads 2 -E '
  (package(lake) & (test(hidden_rows_and_cells_change_nothing) | test(changes_only_with_its_inputs)
                    | test(tells_of_no_fewer_than_k)))
  | (package(bench) & binary(tpch))'

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
