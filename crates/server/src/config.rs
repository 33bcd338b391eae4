//! `yiwang.toml` and the environment over it, checked at start with every mistake named.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// How this node runs.
#[derive(Clone, Debug)]
pub struct Config {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The data folder.
    pub data: PathBuf,
    /// The ledger, if it is not SQLite in the data folder: `postgres://…`.
    pub ledger: Option<String>,
    /// The folder of content files.
    pub packs: PathBuf,
    /// The address that codes and files lead to.
    pub base_url: String,
    /// The file of the root key; made on first use.
    pub root_key: PathBuf,
    /// Whether cookies need HTTPS.
    pub secure_cookies: bool,
    /// Where the PostgreSQL door listens; without it there is none.
    pub sql_listen: Option<SocketAddr>,
    /// Certificate chain and key of the PostgreSQL door (PEM). On loopback it makes its own.
    pub sql_tls: Option<(PathBuf, PathBuf)>,
    /// Hosts, each with a port or with any, whose addresses stewards may load from.
    pub load_hosts: Vec<String>,
    /// The cluster that governed queries run on; without it they run in this process.
    pub cluster: Option<ClusterPlace>,
}

/// How the node reaches its cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterPlace {
    /// The scheduler, as `host:port`.
    pub scheduler: String,
    /// The folder of the gateway's keys.
    pub keys: PathBuf,
    /// Into how many parts a query is cut.
    pub partitions: usize,
}

/// The file as it is written; every key may also be a variable such as `YIWANG_LISTEN`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    listen: Option<String>,
    data: Option<PathBuf>,
    ledger: Option<String>,
    packs: Option<PathBuf>,
    base_url: Option<String>,
    root_key: Option<PathBuf>,
    secure_cookies: Option<bool>,
    sql_listen: Option<String>,
    sql_certificate: Option<PathBuf>,
    sql_key: Option<PathBuf>,
    load_hosts: Option<Vec<String>>,
    cluster_scheduler: Option<String>,
    cluster_keys: Option<PathBuf>,
    cluster_partitions: Option<usize>,
}

/// Into how many parts a query is cut unless the configuration says: two executors with two tasks each.
const PARTITIONS: usize = 4;

/// What the command line says; it goes before the environment, which goes before the file.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--listen`
    pub listen: Option<String>,
    /// `--data`
    pub data: Option<PathBuf>,
    /// `--packs`
    pub packs: Option<PathBuf>,
    /// `--ledger`
    pub ledger: Option<String>,
}

/// Every mistake of a configuration at once.
#[derive(Debug, thiserror::Error)]
#[error("the configuration cannot work:\n{}", .0.iter().map(|line| format!("  - {line}")).collect::<Vec<_>>().join("\n"))]
pub struct ConfigError(pub Vec<String>);

impl Config {
    /// Reads the file if there is one, then the environment, then the command line.
    pub fn read(
        file: Option<&Path>,
        env: impl Fn(&str) -> Option<String>,
        overrides: &Overrides,
    ) -> Result<Self, ConfigError> {
        let mut mistakes = Vec::new();
        let path = file.map_or_else(|| PathBuf::from("yiwang.toml"), Path::to_owned);
        let written = match std::fs::read_to_string(&path) {
            Ok(text) => toml::from_str::<File>(&text).unwrap_or_else(|error| {
                mistakes.push(format!("`{}`: {}", path.display(), error.message()));
                File::default()
            }),
            Err(_) if file.is_none() => File::default(),
            Err(error) => {
                mistakes.push(format!("`{}` cannot be read: {error}", path.display()));
                File::default()
            }
        };
        let listen_text = overrides
            .listen
            .clone()
            .or_else(|| env("YIWANG_LISTEN"))
            .or(written.listen)
            .unwrap_or_else(|| "127.0.0.1:8080".to_owned());
        let listen = listen_text.parse::<SocketAddr>().unwrap_or_else(|_| {
            mistakes.push(format!(
                "`listen` is no address with a port, such as `127.0.0.1:8080`: `{listen_text}`"
            ));
            SocketAddr::from(([127, 0, 0, 1], 8080))
        });
        let data = overrides
            .data
            .clone()
            .or_else(|| env("YIWANG_DATA").map(PathBuf::from))
            .or(written.data)
            .unwrap_or_else(|| PathBuf::from("data"));
        let ledger = overrides.ledger.clone().or_else(|| env("YIWANG_LEDGER")).or(written.ledger);
        if let Some(url) = &ledger
            && !["postgres://", "postgresql://", "sqlite:"].iter().any(|start| url.starts_with(start))
        {
            mistakes.push("`ledger` must begin with `postgres://` or `sqlite:`".to_owned());
        }
        let packs = overrides
            .packs
            .clone()
            .or_else(|| env("YIWANG_PACKS").map(PathBuf::from))
            .or(written.packs)
            .unwrap_or_else(default_packs);
        let base_url =
            env("YIWANG_BASE_URL").or(written.base_url).unwrap_or_else(|| format!("http://{listen}"));
        if !(base_url.starts_with("http://") || base_url.starts_with("https://")) || base_url.ends_with('/') {
            mistakes.push(format!("`base_url` must begin with `http` and not end with `/`: `{base_url}`"));
        }
        let secure_cookies = match env("YIWANG_SECURE_COOKIES").as_deref() {
            Some("true" | "1") => true,
            Some("false" | "0") => false,
            Some(other) => {
                mistakes.push(format!("`YIWANG_SECURE_COOKIES` is neither `true` nor `false`: `{other}`"));
                true
            }
            None => written.secure_cookies.unwrap_or(base_url.starts_with("https://")),
        };
        if !secure_cookies && !listen.ip().is_loopback() {
            mistakes.push(
                "cookies without HTTPS are only for loopback: set `base_url` to `https://…`".to_owned(),
            );
        }
        let sql_listen = match env("YIWANG_SQL_LISTEN").or(written.sql_listen) {
            None => None,
            Some(text) => match text.parse::<SocketAddr>() {
                Ok(address) => Some(address),
                Err(_) => {
                    mistakes.push(format!(
                        "`sql_listen` is no address with a port, such as `127.0.0.1:5433`: `{text}`"
                    ));
                    None
                }
            },
        };
        let file_of = |name: &str, written: Option<PathBuf>| env(name).map(PathBuf::from).or(written);
        let sql_tls = match (
            file_of("YIWANG_SQL_CERTIFICATE", written.sql_certificate),
            file_of("YIWANG_SQL_KEY", written.sql_key),
        ) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => {
                mistakes.push("`sql_certificate` and `sql_key` go together".to_owned());
                None
            }
        };
        if sql_listen.is_some_and(|address| !address.ip().is_loopback()) && sql_tls.is_none() {
            mistakes.push(
                "the PostgreSQL door needs `sql_certificate` and `sql_key` where it is reached from outside"
                    .to_owned(),
            );
        }
        let cluster = cluster(
            env("YIWANG_CLUSTER_SCHEDULER").or(written.cluster_scheduler),
            file_of("YIWANG_CLUSTER_KEYS", written.cluster_keys),
            env("YIWANG_CLUSTER_PARTITIONS").or(written.cluster_partitions.map(|count| count.to_string())),
            &mut mistakes,
        );
        let root_key = env("YIWANG_ROOT_KEY")
            .map(PathBuf::from)
            .or(written.root_key)
            .unwrap_or_else(|| data.join("keys").join("root.key"));
        let listed = |text: String| -> Vec<String> {
            text.split(',').map(str::trim).filter(|host| !host.is_empty()).map(str::to_owned).collect()
        };
        let load_hosts = env("YIWANG_LOAD_HOSTS").map(listed).or(written.load_hosts).unwrap_or_default();
        if mistakes.is_empty() {
            Ok(Self {
                listen,
                data,
                ledger,
                packs,
                base_url,
                root_key,
                secure_cookies,
                sql_listen,
                sql_tls,
                load_hosts,
                cluster,
            })
        } else {
            Err(ConfigError(mistakes))
        }
    }
}

/// The cluster, if one is named, and every mistake in it.
fn cluster(
    scheduler: Option<String>,
    keys: Option<PathBuf>,
    partitions: Option<String>,
    mistakes: &mut Vec<String>,
) -> Option<ClusterPlace> {
    let partitions = match partitions {
        None => PARTITIONS,
        Some(text) => text.parse().ok().filter(|count| (2..=1024).contains(count)).unwrap_or_else(|| {
            mistakes.push(format!("`cluster_partitions` is no number from 2 to 1024: `{text}`"));
            PARTITIONS
        }),
    };
    match (scheduler, keys) {
        (None, None) => None,
        (Some(scheduler), Some(keys)) => {
            let port = scheduler.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
            if port.is_none() {
                mistakes.push(format!("`cluster_scheduler` is no host with a port: `{scheduler}`"));
            }
            Some(ClusterPlace { scheduler, keys, partitions })
        }
        _ => {
            mistakes.push("`cluster_scheduler` and `cluster_keys` go together".to_owned());
            None
        }
    }
}

/// `./packs`, or beside the installed binary.
fn default_packs() -> PathBuf {
    let here = PathBuf::from("packs");
    if here.is_dir() {
        return here;
    }
    std::env::current_exe()
        .ok()
        .and_then(|binary| Some(binary.parent()?.parent()?.join("share/yiwang/packs")))
        .filter(|path| path.is_dir())
        .unwrap_or(here)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_named_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("yiwang.toml");
        std::fs::write(&file, "listen = \"nowhere\"\nledger = \"mysql://x\"\n").unwrap();
        let error = Config::read(Some(&file), |_| None, &Overrides::default()).unwrap_err();
        assert_eq!(error.0.len(), 2, "{error}");
        assert!(error.to_string().contains("`nowhere`"));
    }

    #[test]
    fn the_command_line_goes_before_the_environment_and_that_before_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("yiwang.toml");
        let packs = folder.path().display();
        std::fs::write(&file, format!("listen = \"127.0.0.1:1\"\ndata = \"a\"\npacks = \"{packs}\"\n"))
            .unwrap();
        let env = |name: &str| (name == "YIWANG_LISTEN").then(|| "127.0.0.1:2".to_owned());
        let config = Config::read(Some(&file), env, &Overrides::default()).unwrap();
        assert_eq!((config.listen.port(), config.data), (2, PathBuf::from("a")));
        let overrides = Overrides { listen: Some("127.0.0.1:3".to_owned()), ..Overrides::default() };
        assert_eq!(Config::read(Some(&file), env, &overrides).unwrap().listen.port(), 3);
    }

    #[test]
    fn a_cluster_is_named_whole_or_not_at_all() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let read = |text: &str| {
            std::fs::write(file.path(), text).unwrap();
            Config::read(Some(file.path()), |_| None, &Overrides::default())
        };
        assert_eq!(read("").unwrap().cluster, None);
        let whole = "cluster_scheduler = \"one:50050\"\ncluster_keys = \"keys\"\n";
        let place = ClusterPlace { scheduler: "one:50050".to_owned(), keys: "keys".into(), partitions: 4 };
        assert_eq!(read(whole).unwrap().cluster, Some(place));
        assert_eq!(read("cluster_keys = \"keys\"").unwrap_err().0.len(), 1);
        let wrong = "cluster_scheduler = \"one\"\ncluster_keys = \"keys\"\ncluster_partitions = 1\n";
        assert_eq!(read(wrong).unwrap_err().0.len(), 2);
    }

    #[test]
    fn cookies_without_https_are_refused_off_loopback() {
        let folder = tempfile::tempdir().unwrap();
        let overrides = Overrides {
            listen: Some("0.0.0.0:80".to_owned()),
            packs: Some(folder.path().to_owned()),
            ..Overrides::default()
        };
        assert!(Config::read(None, |_| None, &overrides).is_err());
        let env = |name: &str| (name == "YIWANG_BASE_URL").then(|| "https://zwfw.example".to_owned());
        assert!(Config::read(None, env, &overrides).unwrap().secure_cookies);
    }
}
