#!/usr/bin/env bash
# Brings everything that building, running and testing need: Debian packages that are missing, npm
# packages, the page macros, and the style sheets and scripts made from them. Safe to run again and
# quick when nothing changed. `--demo` leaves out what only tests need; `--bench` adds what only measuring needs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

demo=false
bench=false
for argument in "$@"; do
  case "$argument" in
    --demo) demo=true ;;
    --bench) bench=true ;;
    *) echo "setup: unknown option $argument (there are --demo and --bench)" >&2; exit 2 ;;
  esac
done

say() { echo "setup: $*"; }
fail() { echo "setup: $*" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }
digest() { sha256sum "$@" | sha256sum | cut -d' ' -f1; }

# Two runs at once would trip over each other's files.
exec 9<scripts/setup.sh
flock 9

needed_tools() {
  has cargo || fail "Rust is missing: install it from https://rustup.rs (1.95 or newer)"
  has node && has npm || fail "Node is missing: install Node 20 or newer with npm"
  [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] || fail "Node $(node --version) is too old: 20 or newer is needed"
}

# One line for each Debian package that is not there yet.
missing_packages() {
  has cc || echo build-essential
  has mold || echo mold
  has pkg-config || echo pkg-config
  [ -e /usr/include/openssl/ssl.h ] || echo libssl-dev
  # The system's own Python: one from elsewhere on the path may lack pip.
  [ -x /usr/bin/python3 ] || echo python3
  # Asking pip for its version would load all of it.
  /usr/bin/python3 -c 'import sys, importlib.util; sys.exit(importlib.util.find_spec("pip") is None)' 2>/dev/null || echo python3-pip
  ls /usr/share/fonts/opentype/noto/NotoSansCJK-*.ttc >/dev/null 2>&1 || echo fonts-noto-cjk
  $demo && return 0
  has openssl || echo openssl
  has pdftotext || echo poppler-utils
  has chromium || echo chromium
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || echo postgresql
  has psql || echo postgresql-client
  [ -e /usr/share/java/postgresql.jar ] || echo libpostgresql-jdbc-java
  # A runtime alone does not run a program from its source.
  has javac || echo default-jdk-headless
  /usr/bin/python3 -c 'import sys, importlib.util; sys.exit(importlib.util.find_spec("ensurepip") is None)' 2>/dev/null || echo python3-venv
  has mariadbd || [ -x /usr/sbin/mariadbd ] || echo mariadb-server
  has nats-server || echo nats-server
  $bench || return 0
  has wrk || echo wrk
}

install_packages() {
  local missing
  mapfile -t missing < <(missing_packages)
  [ "${#missing[@]}" -eq 0 ] && return
  local command=(apt-get install --yes --no-install-recommends "${missing[@]}")
  has apt-get || fail "these packages (Debian's names) are missing: ${missing[*]}"
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    has sudo || fail "these packages are missing and there is no sudo; as root run: ${command[*]}"
    as_root=(sudo)
    sudo -n true 2>/dev/null || [ -t 0 ] || fail "these packages are missing and sudo asks for a password; run: sudo ${command[*]}"
  fi
  say "installing Debian packages: ${missing[*]}"
  "${as_root[@]}" apt-get update --quiet=2
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive "${command[@]}" --quiet=2 >/dev/null
  mapfile -t missing < <(missing_packages)
  [ "${#missing[@]}" -eq 0 ] || fail "still missing after installing: ${missing[*]}"
}

test_runner() {
  cargo nextest --version >/dev/null 2>&1 && return
  say "building the test runner cargo-nextest, once"
  cargo install --quiet --locked cargo-nextest --version 0.9.143
}

npm_packages() {
  local stamp=node_modules/.yiwang-npm want
  want=$(digest package.json package-lock.json)
  [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && return
  say "fetching npm packages"
  # Scripts of packages never run; esbuild and sass bring their programs as packages.
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
  mkdir -p node_modules
  echo "$want" >"$stamp"
}

page_macros() {
  local vendor=crates/web/assets/vendor lock=crates/web/assets/requirements.txt want work
  want=$(digest "$lock")
  [ "$(cat "$vendor/.stamp" 2>/dev/null)" = "$want" ] && return
  say "fetching the page macros"
  work=$(mktemp -d)
  /usr/bin/python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes \
    --requirement "$lock" --dest "$work"
  /usr/bin/python3 -m zipfile -e "$work"/*.whl "$work/wheel"
  rm -rf "$vendor"
  mkdir -p "$vendor"
  cp -r "$work/wheel/govuk_frontend_jinja/templates" "$vendor/govuk_frontend_jinja"
  rm -rf "$work"
  echo "$want" >"$vendor/.stamp"
}

# The PostgreSQL door is tested with other people's clients.
door_clients() {
  local folder=.venv/clients lock=crates/sharing/tests/clients/requirements.txt want
  want=$(digest "$lock")
  [ "$(cat "$folder/.stamp" 2>/dev/null)" = "$want" ] && return
  say "fetching clients of the PostgreSQL door"
  rm -rf "$folder"
  /usr/bin/python3 -m venv "$folder"
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary=:all: --require-hashes \
    --requirement "$lock"
  echo "$want" >"$folder/.stamp"
}

# DuckDB, in a folder of its own: queries through the barrier are answered as it answers them.
other_engine() {
  local folder=.venv/duckdb lock=bench/requirements.txt want
  want=$(digest "$lock")
  [ "$(cat "$folder/.stamp" 2>/dev/null)" = "$want" ] && return
  say "fetching DuckDB"
  rm -rf "$folder"
  /usr/bin/python3 -m pip install --quiet --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes \
    --requirement "$lock" --target "$folder"
  echo "$want" >"$folder/.stamp"
}

# The S3 server of the tests, in a folder that all clones share.
s3_server() {
  local folder=$HOME/.cache/yiwang/s3 lock=scripts/s3-requirements.txt want
  want=$(digest "$lock")
  [ "$(cat "$folder/.stamp" 2>/dev/null)" = "$want" ] && return
  say "fetching the S3 server of the tests"
  rm -rf "$folder"
  /usr/bin/python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps --only-binary=:all: --require-hashes \
    --requirement "$lock" --target "$folder"
  echo "$want" >"$folder/.stamp"
}

page_assets() {
  local stamp=node_modules/.yiwang-assets sources want
  mapfile -t sources < <(find crates/web/assets/scss crates/web/assets/js crates/web/assets/img -type f | LC_ALL=C sort)
  want=$(digest package-lock.json xtask/src/assets.rs "${sources[@]}")
  [ -e crates/web/assets/dist/manifest.json ] && [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && return
  say "building style sheets and scripts"
  cargo xtask assets
  echo "$want" >"$stamp"
}

# Cargo tells the files of a workspace by their times alone, so in a target folder that another clone used last it
# would take that clone's build for this one's.
own_build() {
  local folder=${CARGO_TARGET_DIR:-$HOME/.cache/yiwang/target}
  [ "$(cat "$folder/clone" 2>/dev/null)" = "$PWD" ] && return
  mkdir -p "$folder"
  find crates bench xtask -type f -exec touch {} +
  echo "$PWD" >"$folder/clone"
}

needed_tools
own_build
install_packages
$demo || test_runner
$demo || other_engine
$demo || s3_server
npm_packages
page_macros
page_assets
$demo || door_clients
