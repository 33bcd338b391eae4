//! Servers that tests start for themselves: S3 and NATS, each on a free port of this machine.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lake::{Bucket, StreamServer};

/// A process of a test, ended with it.
pub(crate) struct Server {
    child: Child,
}

impl Server {
    /// Ends it as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// An S3 server with one bucket.
pub(crate) fn s3(prefix: &str) -> (Server, Bucket) {
    let packages = std::env::var("YIWANG_S3_PACKAGES").map_or_else(
        |_| PathBuf::from(std::env::var("HOME").unwrap()).join(".cache/yiwang/s3"),
        PathBuf::from,
    );
    assert!(packages.is_dir(), "`{}` is missing: run `make setup`", packages.display());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/s3.py");
    let mut child = Command::new("/usr/bin/python3")
        .arg(script)
        .env("PYTHONPATH", packages)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(words.len(), 3, "the S3 server did not start");
    let bucket = Bucket {
        endpoint: format!("http://127.0.0.1:{}", words[0]),
        name: "lake".to_owned(),
        prefix: prefix.to_owned(),
        region: "us-east-1".to_owned(),
        access_key: words[1].to_owned(),
        secret_key: words[2].to_owned(),
    };
    (Server { child }, bucket)
}

/// A server of NATS whose streams lie in this folder. At this port, or at a free one.
pub(crate) fn nats(folder: &Path, port: Option<u16>) -> (Server, u16) {
    let ports = folder.join("ports");
    std::fs::create_dir_all(&ports).unwrap();
    for entry in std::fs::read_dir(&ports).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let config = format!(
        "listen: \"127.0.0.1:{}\"\nmax_payload: 8MB\nports_file_dir: \"{}\"\njetstream {{ store_dir: \"{}\" }}\n",
        port.map_or(-1, i32::from),
        ports.display(),
        folder.join("streams").display()
    );
    std::fs::write(folder.join("nats.conf"), config).unwrap();
    let child = Command::new("nats-server")
        .arg("--config")
        .arg(folder.join("nats.conf"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("nats-server is missing: run `make setup`");
    let server = Server { child };
    let began = Instant::now();
    loop {
        assert!(began.elapsed() < Duration::from_secs(30), "nats-server did not start");
        std::thread::sleep(Duration::from_millis(20));
        let Some(entry) = std::fs::read_dir(&ports).unwrap().next() else { continue };
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let Some(port) = text.split("nats://127.0.0.1:").nth(1) else { continue };
        let port: String = port.chars().take_while(char::is_ascii_digit).collect();
        return (server, port.parse().unwrap());
    }
}

pub(crate) fn stream_at(port: u16) -> StreamServer {
    StreamServer::at(&format!("nats://127.0.0.1:{port}"))
}
