//! Who is let in, what a connection may use, and how it is ended.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sharing::wire::{Door, Limits};

use crate::door::{TestDoor, USER, run, text};
use crate::world::SECRETS;

/// What psql says on failing, with these variables.
async fn errors(door: &TestDoor, variables: &[(&str, &str)], statements: &[&str]) -> String {
    let mut command = door.client("psql");
    command.args(["--no-psqlrc", "-c", "\\set VERBOSITY verbose"]);
    for statement in statements {
        command.args(["-c", statement]);
    }
    command.envs(variables.iter().copied());
    text(&run(command).await.stderr)
}

/// A statement that would take hours.
const ENDLESS: &str =
    "SELECT count(*) FROM persons a, persons b, persons c WHERE a.amount + b.amount + c.amount < 0";

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_user_and_a_wrong_secret_are_told_the_same() {
    let door = TestDoor::open(&SECRETS, Limits::default()).await;
    let wrong = errors(&door, &[("PGPASSWORD", "wrong")], &["SELECT 1"]).await;
    let unknown = errors(&door, &[("PGUSER", "nobody")], &["SELECT 1"]).await;
    assert!(wrong.contains("the key or its secret is wrong"), "{wrong}");
    assert_eq!(wrong, unknown);
    // After ten tries nobody looks at the secret any more; another user is not touched.
    for _ in 0..9 {
        errors(&door, &[("PGUSER", "nobody")], &["SELECT 1"]).await;
    }
    let many = errors(&door, &[("PGUSER", "nobody")], &["SELECT 1"]).await;
    assert!(many.contains("too many tries"), "{many}");
    assert_eq!(errors(&door, &[], &["SELECT 1"]).await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn off_loopback_there_is_no_door_without_tls_and_nobody_is_asked_for_a_secret_without() {
    let door = TestDoor::open(&SECRETS, Limits::default()).await;
    let env = store::test::open(store::test::On::Sqlite, &[]).await.store.env().clone();
    let everywhere: SocketAddr = "0.0.0.0:0".parse().unwrap();
    let opened = Door::open(door.as_gate(), everywhere, None, Limits::default(), env.clone()).await;
    assert_eq!(opened.err().unwrap().kind(), std::io::ErrorKind::InvalidInput);

    // Over an address of this machine that is none of loopback's, if it has one: no packet leaves it.
    let probe = UdpSocket::bind("0.0.0.0:0").unwrap();
    let own = probe.connect("192.0.2.1:9").and_then(|()| probe.local_addr());
    if let Ok(own) = own {
        let opened =
            Door::open(door.as_gate(), everywhere, Some(door.tls()), Limits::default(), env).await.unwrap();
        let mut tcp = TcpStream::connect((own.ip(), opened.address().port())).unwrap();
        tcp.write_all(&startup(USER)).unwrap();
        let mut answer = Vec::new();
        tcp.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.contains("connect with TLS") && !answer.contains("SCRAM"), "{answer}");
        opened.close().await;
    }
    // On loopback TLS may be left out, and the channel is then not bound.
    let plain =
        errors(&door, &[("PGSSLMODE", "disable"), ("PGCHANNELBINDING", "prefer")], &["SELECT 1"]).await;
    assert_eq!(plain, "");
    let bound = errors(&door, &[("PGSSLMODE", "disable")], &["SELECT 1"]).await;
    assert!(bound.contains("channel binding"), "{bound}");
}

fn startup(user: &str) -> Vec<u8> {
    let body = format!("user\0{user}\0database\0yiwang\0\0");
    let length = u32::try_from(body.len() + 8).unwrap();
    [&length.to_be_bytes()[..], &196_608_u32.to_be_bytes(), body.as_bytes()].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_is_ended_by_its_own_limit_by_a_cancel_and_with_its_connection() {
    let door = TestDoor::open(&SECRETS, Limits::default()).await;
    let began = Instant::now();
    let limited = errors(&door, &[("PGOPTIONS", "-c statement_timeout=300")], &[ENDLESS, "SELECT 1"]).await;
    assert!(limited.contains("57014") && limited.contains("lake.limit_time"), "{limited}");

    let mut command = door.client("psql");
    command.args(["--no-psqlrc", "-c", "\\set VERBOSITY verbose", "-c", ENDLESS]);
    let child =
        command.stderr(std::process::Stdio::piped()).stdout(std::process::Stdio::null()).spawn().unwrap();
    wait_until(|| running(&door) == 1).await;
    // What a person does: Ctrl-C.
    let interrupt =
        std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    let cancelled = text(&output.stderr);
    assert!(cancelled.contains("57014") && cancelled.contains("lake.cancelled"), "{cancelled}");
    wait_until(|| running(&door) == 0).await;
    let ends: Vec<_> =
        door.gate.receipts.lock().unwrap().iter().filter_map(|one| one.outcome.clone()?.error).collect();
    assert_eq!(ends, ["lake.limit_time", "lake.cancelled"]);
    assert!(began.elapsed() < Duration::from_secs(25), "nothing waited for the lake's own limit");
}

/// Statements that have begun and not ended.
fn running(door: &TestDoor) -> usize {
    door.gate.receipts.lock().unwrap().iter().filter(|one| one.outcome.is_none()).count()
}

async fn wait_until(holds: impl Fn() -> bool) {
    for _ in 0..1_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it never came to hold");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_is_taken_back_refuses_the_next_statement() {
    let door = TestDoor::open(&SECRETS, Limits::default()).await;
    let script = "import psycopg, sys, os\n\
        conn = psycopg.connect(autocommit=True)\n\
        ask = lambda: conn.execute('SELECT count(*) FROM vehicles WHERE town <> %s', ('x',), prepare=True).fetchone()\n\
        assert ask() == (200,)\n\
        print('asked', flush=True)\n\
        sys.stdin.readline()\n\
        try:\n    ask()\n    raise SystemExit('answered')\n\
        except psycopg.errors.InsufficientPrivilege as error: assert 'sharing.no_grant' in str(error), error\n\
        print('refused', flush=True)\n\
        sys.stdin.readline()\n\
        assert ask() == (200,)\n\
        print('asked again', flush=True)\n";
    let python = crate::door::root().join(".venv/clients/bin/python");
    let mut command = door.client(python.to_str().unwrap());
    command.args(["-c", script]).stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let output = Arc::new(Mutex::new(std::io::BufReader::new(child.stdout.take().unwrap())));
    assert_eq!(line(&output).await, "asked");
    door.gate.revoke();
    input.write_all(b"\n").unwrap();
    assert_eq!(line(&output).await, "refused");
    door.gate.grant(door.granted.clone());
    input.write_all(b"\n").unwrap();
    assert_eq!(line(&output).await, "asked again");
    assert!(tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap().success());
}

/// The next line of a client, while the door goes on.
async fn line(output: &Arc<Mutex<std::io::BufReader<std::process::ChildStdout>>>) -> String {
    let output = output.clone();
    let read = move || {
        let mut line = String::new();
        std::io::BufRead::read_line(&mut *output.lock().unwrap(), &mut line).unwrap();
        line.trim().to_owned()
    };
    tokio::task::spawn_blocking(read).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_messages_and_silence_have_their_limits() {
    let limits = Limits {
        per_user: 1,
        connections: 3,
        message: 100_000,
        idle: Duration::from_millis(600),
        sign_in: Duration::from_millis(900),
        ..Limits::default()
    };
    let door = TestDoor::open(&SECRETS, limits).await;
    // The second of one user is turned away while the first is there; the first is ended when it is silent.
    let script = "import psycopg, time\n\
        first = psycopg.connect(autocommit=True)\n\
        try:\n    psycopg.connect(); raise SystemExit('let in')\n\
        except psycopg.OperationalError as error: assert 'too many connections' in str(error), error\n\
        time.sleep(1.2)\n\
        try:\n    first.execute('SELECT 1'); raise SystemExit('answered')\n\
        except psycopg.OperationalError as error: assert 'silent' in str(error), error\n\
        second = psycopg.connect(autocommit=True)\n\
        assert second.execute('SELECT 1').fetchone() == (1,)\n\
        try:\n    second.execute('SELECT 1 --' + 'x' * 200000); raise SystemExit('taken')\n\
        except psycopg.OperationalError: pass\n";
    let python = crate::door::root().join(".venv/clients/bin/python");
    let mut command = door.client(python.to_str().unwrap());
    command.args(["-c", script]);
    let output = run(command).await;
    assert!(output.status.success(), "{}", text(&output.stderr));

    // Whoever says nothing, or announces a gigabyte before anybody knows them, is let go.
    let address = door.door.address();
    let silent = tokio::task::spawn_blocking(move || {
        let mut tcp = TcpStream::connect(address).unwrap();
        tcp.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        tcp.read(&mut [0; 8]).unwrap_or_default()
    });
    assert_eq!(silent.await.unwrap(), 0);
    let greedy = tokio::task::spawn_blocking(move || {
        let mut tcp = TcpStream::connect(address).unwrap();
        tcp.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        tcp.write_all(&startup(USER)).unwrap();
        let mut answer = [0; 64];
        assert!(tcp.read(&mut answer).unwrap() > 0);
        tcp.write_all(&[b'Q', 0x3f, 0xff, 0xff, 0xf0]).unwrap();
        let mut rest = Vec::new();
        // The connection is over, whether or not what was said of it arrives.
        tcp.read_to_end(&mut rest).is_ok() || !rest.is_empty()
    });
    assert!(greedy.await.unwrap());
    assert_eq!(errors(&door, &[], &["SELECT 1"]).await, "", "others come in as before");
}

/// A client that cancels waits for the end of what it asked. The first row of many leaves a statement that is ended when
/// the client says that it is done; if it cancels just then, it is answered all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_cancels_while_a_statement_is_ended_is_answered() {
    let door = TestDoor::open(&SECRETS, Limits::default()).await;
    door.gate.ends_slowly(Duration::from_secs(2));
    let script = "import asyncio, asyncpg\n\
        async def main():\n    conn = await asyncpg.connect(timeout=30)\n    \
        await conn.prepare('SELECT 1')\n    \
        try:\n        await conn.fetchrow('SELECT plate FROM vehicles', timeout=1.5)\n    \
        except asyncio.TimeoutError: pass\n    \
        else: raise SystemExit('not cancelled')\n    \
        assert await conn.fetchval('SELECT 3', timeout=20) == 3\n\
        asyncio.run(main())\n";
    let python = crate::door::root().join(".venv/clients/bin/python");
    let mut command = door.client(python.to_str().unwrap());
    command.args(["-c", script]);
    let output = run(command).await;
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closing_door_ends_its_connections() {
    let door = TestDoor::open(&SECRETS, Limits::default()).await;
    let mut tcp = TcpStream::connect(door.door.address()).unwrap();
    tcp.write_all(&startup(USER)).unwrap();
    let TestDoor { door, .. } = door;
    let closed = tokio::time::timeout(Duration::from_secs(60), door.close()).await;
    assert!(closed.is_ok());
}
