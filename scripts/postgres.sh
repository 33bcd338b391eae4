#!/usr/bin/env bash
# A private PostgreSQL for tests and measurements: started here, on a free port, never as root.
#   eval "$(scripts/postgres.sh start DIR)"   sets YIWANG_TEST_POSTGRES
#   scripts/postgres.sh stop DIR
set -euo pipefail

action=$1
dir=$2
bin=$(dirname "$(ls /usr/lib/postgresql/*/bin/initdb 2>/dev/null | sort -V | tail -1)")
[ -x "$bin/initdb" ] || { echo "PostgreSQL is missing: run make setup" >&2; exit 1; }

# PostgreSQL refuses to run as root; Debian's package brings a user for it.
as_postgres() {
  if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

case $action in
  start)
    mkdir -p "$dir"
    [ "$(id -u)" != 0 ] || { chown postgres "$dir"; chmod 755 "$dir"; }
    cd "$dir"
    port=$(node -e 'const s=require("net").createServer();s.listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})')
    as_postgres "$bin/initdb" --pgdata="$dir/data" --auth=trust --username=yiwang --locale=C.UTF-8 --encoding=UTF8 >"$dir/initdb.log"
    # Tests keep nothing, so they need not wait for the disk; measurements pass YIWANG_PG_OPTIONS.
    options=${YIWANG_PG_OPTIONS:--c fsync=off -c synchronous_commit=off -c full_page_writes=off}
    as_postgres "$bin/pg_ctl" --pgdata="$dir/data" --log="$dir/server.log" --wait start \
      --options="-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$dir -c max_connections=300 $options" >"$dir/start.log"
    echo "export YIWANG_TEST_POSTGRES=postgres://yiwang@127.0.0.1:$port"
    ;;
  stop)
    cd "$dir"
    as_postgres "$bin/pg_ctl" --pgdata="$dir/data" --mode=immediate stop >/dev/null
    ;;
  *)
    echo "start or stop?" >&2
    exit 2
    ;;
esac
