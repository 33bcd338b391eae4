#!/usr/bin/env bash
# A private MariaDB for tests: started here, on a free port, never as root.
#   eval "$(scripts/mariadb.sh start DIR)"   sets YIWANG_TEST_MARIADB
#   scripts/mariadb.sh stop DIR
set -euo pipefail

action=$1
dir=$2
server=$(command -v mariadbd || ls /usr/sbin/mariadbd 2>/dev/null || true)
[ -x "$server" ] || { echo "MariaDB is missing: run make setup" >&2; exit 1; }

case $action in
  start)
    mkdir -p "$dir"
    dir=$(cd "$dir" && pwd)
    # It refuses to run as root; Debian's package brings a user for it.
    user=()
    if [ "$(id -u)" = 0 ]; then
      chown mysql "$dir"
      chmod 755 "$dir"
      user=(--user=mysql)
    fi
    port=$(node -e 'const s=require("net").createServer();s.listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})')
    mariadb-install-db --no-defaults "${user[@]}" --datadir="$dir/data" --auth-root-authentication-method=normal \
      --skip-test-db >"$dir/install.log" 2>&1
    # Tests keep nothing, so they need not wait for the disk.
    setsid "$server" --no-defaults "${user[@]}" --datadir="$dir/data" --port="$port" --bind-address=127.0.0.1 \
      --socket="$dir/server.sock" --pid-file="$dir/server.pid" --innodb-flush-log-at-trx-commit=0 \
      --innodb-buffer-pool-size=32M --skip-log-bin >"$dir/server.log" 2>&1 </dev/null &
    for _ in $(seq 150); do
      mariadb-admin --no-defaults --user=root --socket="$dir/server.sock" ping >/dev/null 2>&1 && break
      sleep 0.2
    done
    # Through the network one signs in with a password.
    mariadb --no-defaults --user=root --socket="$dir/server.sock" >"$dir/start.log" <<'SQL'
CREATE USER 'yiwang'@'127.0.0.1' IDENTIFIED BY 'of tests';
GRANT ALL ON *.* TO 'yiwang'@'127.0.0.1';
SQL
    echo "export YIWANG_TEST_MARIADB=mysql://yiwang:of%20tests@127.0.0.1:$port"
    ;;
  stop)
    pid=$(cat "$dir/server.pid")
    kill -KILL "$pid"
    # Until it has gone, its files are in use.
    while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
    ;;
  *)
    echo "start or stop?" >&2
    exit 2
    ;;
esac
