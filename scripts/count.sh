# Sourced by what runs tests: how many passed and failed.
passed=0
failed=0

# Runs tests of nextest (the log's file, then its arguments) and counts them. Whatever was to run and did not counts as
# failed; `--all` says that nothing may be left out.
rust_tests() {
  local log=$1 whole=false summary ran skipped
  shift
  if [ "${1:-}" = --all ]; then whole=true; shift; fi
  cargo nextest run --workspace --no-fail-fast --hide-progress-bar "$@" 2>&1 | tee "$log"
  summary=$(grep -E '^ *Summary ' "$log" | tail -1)
  if [ -z "$summary" ]; then
    # It did not even build.
    failed=$((failed + 1))
    return
  fi
  count() { grep -oE "[0-9]+ $1" <<<"$summary" | grep -oE '^[0-9]+' || echo 0; }
  passed=$((passed + $(count passed)))
  failed=$((failed + $(count failed) + $(count 'timed out') + $(count 'exec failed')))
  ran=$(grep -oE '[0-9]+(/[0-9]+)? tests? run' <<<"$summary" | grep -oE '[0-9]+' | tail -1)
  [ "${ran:-0}" -gt 0 ] || failed=$((failed + 1))
  skipped=$(count skipped)
  if $whole && [ "$skipped" != 0 ]; then failed=$((failed + skipped)); fi
}
