//! `yiwang serve`: the node, its worker and its timers in one process.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use sharing::uses::gate::KeyGate;
use sharing::wire::{Door, Tls};
use store::Faults;
use tokio::net::TcpListener;
use tokio::sync::watch;
use web::App;

use crate::config::Config;
use crate::{node, router, worker};

/// Runs until the process is asked to stop.
pub(super) async fn serve(config: &Config) -> anyhow::Result<bool> {
    log_to_stderr();
    let app = node::open(config, node::real_env(Faults::default()), false).await?;
    let listener = listen(config).await?;
    let door = match config.sql_listen {
        Some(address) => Some(sql_door(&app, config, address).await?),
        None => None,
    };
    tracing::info!(address = %listener.local_addr()?, ledger = app.store.database_name(), "the node is up");
    run(app, listener, door).await
}

/// Opens the PostgreSQL door.
pub(super) async fn sql_door(app: &App, config: &Config, address: SocketAddr) -> anyhow::Result<Door> {
    let tls = match &config.sql_tls {
        Some((certificate, key)) => Tls::from_files(certificate, key),
        None => Tls::of_loopback(&config.data),
    };
    let tls = tls.context("the certificate of the PostgreSQL door cannot be used")?;
    let gate = Arc::new(KeyGate::new(app.clone()));
    let door =
        Door::open(gate, address, Some(tls), sharing::wire::Limits::default(), app.store.env().clone())
            .await
            .with_context(|| format!("`{address}` cannot be listened on"))?;
    tracing::info!(address = %door.address(), "the PostgreSQL door is open");
    Ok(door)
}

/// Takes the address before anything else is promised to anybody.
pub(super) async fn listen(config: &Config) -> anyhow::Result<TcpListener> {
    TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("`{}` cannot be listened on: is another node running there?", config.listen))
}

/// Serves, works and keeps time until SIGTERM or Ctrl-C; then lets what runs come to its end.
pub(super) async fn run(app: App, listener: TcpListener, door: Option<Door>) -> anyhow::Result<bool> {
    let (stop, stopped) = watch::channel(false);
    let worker = tokio::spawn(worker::run(app.clone(), stopped.clone()));
    let timers = tokio::spawn(worker::timers(app.clone(), stopped.clone()));
    let public = tokio::spawn(worker::publish(app.clone(), stopped));
    // Tries at signing in are counted by address as well.
    let service = router::service(app.clone())?.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(asked_to_stop()).await?;
    stop.send_replace(true);
    if let Some(door) = door {
        door.close().await;
    }
    worker.await?;
    timers.await?;
    public.await?;
    app.store.close().await?;
    Ok(true)
}

/// Waits for SIGTERM or Ctrl-C.
pub(super) async fn asked_to_stop() {
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
    tracing::info!("stopping");
}

/// What is logged unless `RUST_LOG` says otherwise: of the libraries below the ledger and the lake only what is wrong,
/// and nothing of the one that names parts of answers.
const USUAL: &str = "info,sqlx=warn,sea_orm=warn,buoyant_kernel=warn,buoyant_kernel_engine=warn,\
                     deltalake=warn,deltalake_core=warn,datafusion=warn,ballista_core=off";

/// Structured lines without personal data; `RUST_LOG` chooses what, `YIWANG_LOG=json` how.
pub(super) fn log_to_stderr() {
    log_to_stderr_without(&[]);
}

/// The same without the lines of some libraries, whatever `RUST_LOG` says.
pub(super) fn log_to_stderr_without(silent: &[&str]) {
    let mut filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(USUAL));
    for library in silent {
        if let Ok(directive) = format!("{library}=off").parse() {
            filter = filter.add_directive(directive);
        }
    }
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let set_up = if std::env::var("YIWANG_LOG").is_ok_and(|form| form == "json") {
        lines.json().try_init()
    } else {
        lines.with_ansi(std::io::stderr().is_terminal()).try_init()
    };
    if set_up.is_err() {
        eprintln!("yiwang: logging was set up already");
    }
}
