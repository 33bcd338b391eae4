#!/usr/bin/env bash
# Measures, prints a table each and writes bench/results/spine.json and lake.json. The load generator runs beside what it
# loads. `bench/run.sh lake` measures the lake alone; TPCH and GROWTH say at which scales, in gigabytes.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$HOME/.cache/yiwang/target}

cargo build --quiet --release --package server --package bench
yiwang=$CARGO_TARGET_DIR/release/yiwang
bench=$CARGO_TARGET_DIR/release/bench

lake() {
  {
    "$bench" tpch "${TPCH:-1}" "${ROUNDS:-5}"
    # shellcheck disable=SC2086
    "$bench" growth "${ROUNDS:-3}" ${GROWTH:-0.1 1}
  } | "$bench" collect bench/results/lake.json
}
if [ "${1:-}" = lake ]; then lake; exit; fi

work=$(mktemp -d "${TMPDIR:-/tmp}/yiwang-bench.XXXXXX")
chmod 755 "$work"
pids=()
finish() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  scripts/postgres.sh stop "$work/postgres" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT

port() { node -e 'const s=require("net").createServer();s.listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})'; }
answers() { for _ in $(seq 400); do curl --silent --fail --output /dev/null "$1" && return; sleep 0.01; done; echo "bench: $1 does not answer" >&2; exit 1; }
rate() { wrk --threads 1 --connections 32 --duration "${SECONDS_EACH:-8}s" "$1" | awk '/Requests\/sec/ {print $2} /Non-2xx/ {exit 1}'; }
ms() { date +%s%3N; }

{
  # A node: the first start makes its people, the second is what counts.
  one=$(port)
  "$yiwang" demo --listen "127.0.0.1:$one" --data "$work/data" >"$work/first.log" 2>&1 &
  pids+=($!)
  answers "http://127.0.0.1:$one/healthz"
  kill "${pids[-1]}"; wait "${pids[-1]}" || true
  began=$(ms)
  "$yiwang" demo --listen "127.0.0.1:$one" --data "$work/data" >"$work/second.log" 2>&1 &
  node=$!
  pids+=("$node")
  answers "http://127.0.0.1:$one/healthz"
  echo "{\"name\":\"start-up\",\"value\":$(($(ms) - began)),\"unit\":\"ms\",\"ceiling\":null,\"peer\":null}"
  sleep 3
  rss=$(awk '/VmRSS/ {print $2}' "/proc/$node/status")
  echo "{\"name\":\"memory at rest\",\"value\":$((rss / 1024)),\"unit\":\"MB\",\"ceiling\":null,\"peer\":null}"

  two=$(port)
  "$bench" bare "127.0.0.1:$two" & pids+=($!)
  answers "http://127.0.0.1:$two/"
  guide="http://127.0.0.1:$one/items/individual-business-registration"
  rate "$guide" >/dev/null # warm
  pages=$(rate "$guide")
  bare=$(rate "http://127.0.0.1:$two/")
  echo "{\"name\":\"guide pages\",\"value\":$pages,\"unit\":\"1/s\",\"ceiling\":$bare,\"ceiling_name\":\"a bare axum handler\",\"peer\":null}"
  search=$(rate "http://127.0.0.1:$one/api/v1/items?q=%E5%BC%80%E4%B8%AA%E5%B0%8F%E5%BA%97")
  echo "{\"name\":\"searches\",\"value\":$search,\"unit\":\"1/s\",\"ceiling\":$bare,\"ceiling_name\":\"a bare axum handler\",\"peer\":null}"
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done

  # A durable server: commits wait for the disk, as they would in production.
  YIWANG_PG_OPTIONS="-c fsync=on" scripts/postgres.sh start "$work/postgres" >"$work/postgres.env"
  # shellcheck disable=SC1091
  source "$work/postgres.env"
  "$bench" submissions
} | tee "$work/lines.json" | "$bench" collect "bench/results/${NAME:-spine}.json"

lake
