//! Files of a web server: from named hosts alone, within limits.

use std::time::Duration;

use lake::loading::{Addresses, Limits, LoadError, Source, State};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::World;

/// A server that answers by path.
async fn serve(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> u16 {
    let answer = std::sync::Arc::new(answer);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let read = socket.read(&mut request).await.unwrap();
                let text = String::from_utf8_lossy(&request[..read]).into_owned();
                let path = text.split_whitespace().nth(1).unwrap_or_default();
                if path == "/slow" {
                    tokio::time::sleep(Duration::from_secs(30)).await;
                }
                // Whoever has enough hangs up.
                drop(socket.write_all(&answer(path)).await);
            });
        }
    });
    port
}

fn ok(body: &[u8]) -> Vec<u8> {
    [
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len()).as_bytes(),
        body,
    ]
    .concat()
}

fn redirect(to: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        .into_bytes()
}

#[tokio::test]
async fn a_file_of_a_named_host_comes_in_and_is_forgotten() {
    let world = World::new().await;
    let other = serve(|_| ok(b"secret\n1\n")).await;
    let port = serve(move |path| match path {
        "/data.csv" => ok("名称,数\n甲,1\n".as_bytes()),
        "/moved" => redirect("/data.csv"),
        "/elsewhere" => redirect(&format!("http://127.0.0.1:{other}/secret")),
        "/loop" => redirect("/loop"),
        "/endless" => [&b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n"[..], &vec![b'x'; 300_000]].concat(),
        "/large" => b"HTTP/1.1 200 OK\r\ncontent-length: 999999999\r\nconnection: close\r\n\r\n".to_vec(),
        "/cut" => b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\nconnection: close\r\n\r\na,b\n".to_vec(),
        _ => b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec(),
    })
    .await;
    let address = |path: &str| Source::parse(&format!("http://127.0.0.1:{port}{path}"), None).unwrap();
    let named = format!("127.0.0.1:{port}");
    let limits = Limits { bytes: 200_000, time: Duration::from_secs(2) };
    let allowed = Addresses::allow([named.as_str()]).without_tls().with_limits(limits);
    for (number, path) in ["/data.csv", "/moved"].into_iter().enumerate() {
        let opened = world.open(&address(path), &allowed).await.unwrap();
        let outcome = world.whole(&format!("t{number}"), &opened).await;
        assert_eq!((outcome.loaded.state, outcome.loaded.rows), (State::Done, 1));
        assert_eq!(outcome.proposal.source, format!("http://127.0.0.1:{port}{path}"));
        drop(opened);
    }
    let left = |folder: &std::path::Path| std::fs::read_dir(folder).unwrap().count();
    assert_eq!(left(world.folder.path()), 0, "what was downloaded is removed");
    assert!(matches!(world.open(&address("/elsewhere"), &allowed).await, Err(LoadError::NotAllowed(_))));
    assert!(matches!(world.open(&address("/endless"), &allowed).await, Err(LoadError::TooLarge(_))));
    assert!(matches!(world.open(&address("/large"), &allowed).await, Err(LoadError::TooLarge(_))));
    for path in ["/cut", "/absent", "/slow"] {
        assert!(matches!(world.open(&address(path), &allowed).await, Err(LoadError::Http(_))), "{path}");
    }
    assert!(world.open(&address("/loop"), &allowed).await.is_err());
    assert_eq!(left(world.folder.path()), 0, "what came in part too");
    let nobody = Addresses::default().without_tls();
    let other_port = Addresses::allow([format!("127.0.0.1:{other}").as_str()]).without_tls();
    let with_tls_only = Addresses::allow(["127.0.0.1"]);
    for addresses in [&nobody, &other_port, &with_tls_only] {
        assert!(matches!(world.open(&address("/data.csv"), addresses).await, Err(LoadError::NotAllowed(_))));
    }
    for text in ["ftp://host/file", "file://host/etc/passwd", "gopher://host/"] {
        assert!(Source::parse(text, None).is_err(), "{text}");
    }
}
