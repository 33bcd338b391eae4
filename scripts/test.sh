#!/usr/bin/env bash
# Runs every test and ends with one plain line, `N passed, N failed`. Nothing is skipped: a missing piece is a
# failure. The servers it needs are its own, on free ports, and are stopped by process id.
set -uo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$HOME/.cache/yiwang/target}

work=$(mktemp -d "${TMPDIR:-/tmp}/yiwang-test.XXXXXX")
chmod 755 "$work"
. scripts/count.sh
finish() {
  scripts/postgres.sh stop "$work/postgres" 2>/dev/null
  scripts/mariadb.sh stop "$work/mariadb" 2>/dev/null
  rm -rf "$work"
}
trap finish EXIT

started=$(scripts/postgres.sh start "$work/postgres") || { echo "0 passed, 1 failed"; exit 1; }
eval "$started"
started=$(scripts/mariadb.sh start "$work/mariadb") || { echo "0 passed, 1 failed"; exit 1; }
eval "$started"

if [ "${1:-}" != "--e2e-only" ]; then
  rust_tests "$work/nextest.log" --all
fi

# The binary that the Rust tests run: one of its own would compile the lake's engine a second time.
if cargo test --quiet --workspace --no-run; then
  node --test --test-concurrency=1 --test-timeout=300000 --test-reporter=spec --test-reporter-destination=stdout \
    --test-reporter=tap --test-reporter-destination="$work/e2e.tap" e2e/*.test.mjs
  number() { grep -E "^# $1 [0-9]+" "$work/e2e.tap" | grep -oE '[0-9]+' || echo 0; }
  passed=$((passed + $(number pass)))
  failed=$((failed + $(number fail) + $(number cancelled) + $(number skipped) + $(number todo)))
  [ "$(number pass)" -gt 0 ] || failed=$((failed + 1))
else
  failed=$((failed + 1))
fi

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
