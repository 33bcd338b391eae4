//! What an operator types.

mod audit;
mod backup;
mod check;
mod cluster;
mod demo;
mod import;
mod keys;
mod serve;
mod staff;
mod verify;
mod watermark;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use crypto::keys::Purpose;
use crypto::suite::Suite;
use identity::accounts::AccountKind;
use identity::staff::NewStaff;

use crate::config::{Config, Overrides};

/// A digital-government platform that one small team can run.
#[derive(Parser)]
#[command(name = "yiwang", version, about, long_about = None, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// Where the node is; each may also stand in `yiwang.toml` or in the environment.
#[derive(Args, Clone, Debug)]
struct Place {
    /// The configuration file [default: ./yiwang.toml if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data folder [default: ./data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The ledger if not SQLite in the data folder: postgres://…
    #[arg(long, value_name = "URL")]
    ledger: Option<String>,
    /// The folder of content files [default: ./packs]
    #[arg(long, value_name = "DIR")]
    packs: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the node
    Serve {
        #[command(flatten)]
        place: Place,
        /// The address to listen on [default: 127.0.0.1:8080]
        #[arg(long, value_name = "ADDR")]
        listen: Option<String>,
    },
    /// Run a demonstration node with made-up people
    Demo {
        #[command(flatten)]
        place: Place,
        /// The address to listen on [default: 127.0.0.1:8080]
        #[arg(long, value_name = "ADDR")]
        listen: Option<String>,
        /// Stand still at this point, for crash tests
        #[arg(long, value_name = "PLACE", hide = true)]
        stand_still_at: Option<String>,
    },
    /// Cut the queries of a node into parts for executors
    Scheduler {
        #[command(flatten)]
        membership: cluster::Membership,
        /// The address to listen on
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:50050")]
        listen: SocketAddr,
    },
    /// Run parts of queries for a scheduler
    Executor {
        #[command(flatten)]
        args: cluster::ExecutorArgs,
    },
    /// Bring the ledger's tables up to date and stop
    Migrate {
        #[command(flatten)]
        place: Place,
    },
    /// Check content files: every mistake with its file and line
    Check {
        /// The folder of content files
        #[arg(default_value = "packs", value_name = "DIR")]
        folder: PathBuf,
    },
    /// Verify a licence or a receipt, offline
    Verify {
        /// A licence file, a receipt file, a PDF, or a text file with the code
        file: PathBuf,
        /// The trust list [default: yiwang-trust.json beside the file, or in DATA/public]
        #[arg(long, value_name = "FILE")]
        trust: Option<PathBuf>,
        /// The status list [default: yiwang-status.json beside the file, or in DATA/public]
        #[arg(long, value_name = "FILE")]
        status: Option<PathBuf>,
        /// The data folder to look in for both
        #[arg(long, value_name = "DIR", default_value = "data")]
        data: PathBuf,
        /// Answer in English
        #[arg(long)]
        english: bool,
    },
    /// The marks of exported files
    Watermark {
        #[command(subcommand)]
        command: WatermarkCommand,
    },
    /// The audit log
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Accounts of those who work here
    Staff {
        #[command(subcommand)]
        command: StaffCommand,
    },
    /// The keys that sign
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Bring in reference data
    Import {
        #[command(subcommand)]
        command: ImportCommand,
    },
    /// Write a backup of the whole node; the root key is not in it
    Backup {
        #[command(flatten)]
        place: Place,
        /// The file to write
        file: PathBuf,
    },
    /// Fill an empty node from a backup
    Restore {
        #[command(flatten)]
        place: Place,
        /// The backup
        file: PathBuf,
    },
}

#[derive(Subcommand)]
enum WatermarkCommand {
    /// Find out from which export a file comes, also if columns or rows are missing
    Read {
        #[command(flatten)]
        place: Place,
        /// The file: text of any kind, CSV, a workbook or Parquet
        file: PathBuf,
        /// Answer in English
        #[arg(long)]
        english: bool,
    },
}

#[derive(Subcommand)]
enum AuditCommand {
    /// Read the whole log and name every spot that was changed
    Verify {
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Subcommand)]
enum StaffCommand {
    /// Make an account and print its first password: the first administrator of a node comes from here
    Add {
        #[command(flatten)]
        place: Place,
        /// officer, auditor or administrator
        #[arg(long, value_parser = staff::kind)]
        kind: AccountKind,
        /// What they type at sign-in
        #[arg(long)]
        login: String,
        /// Their real name
        #[arg(long)]
        name: String,
        /// Their citizen number
        #[arg(long)]
        citizen_id: String,
    },
}

#[derive(Subcommand)]
enum KeysCommand {
    /// Make new keys for one purpose; what the old ones signed still verifies
    Rotate {
        #[command(flatten)]
        place: Place,
        /// receipt, licence, audit-head or status-list
        #[arg(value_parser = keys::purpose)]
        purpose: Purpose,
    },
    /// Make the keys of a new cluster: a folder for each role
    Cluster {
        /// The folder to make them in
        folder: PathBuf,
        /// What seals plans: intl (Ed25519) or gm (SM2)
        #[arg(long, default_value = "intl")]
        suite: Suite,
    },
}

#[derive(Subcommand)]
enum ImportCommand {
    /// Villages: a CSV with the columns `code` and `name` (12 digits)
    Divisions {
        #[command(flatten)]
        place: Place,
        /// The CSV file
        file: PathBuf,
    },
    /// A table of the lake: CSV, Excel, Parquet, JSON lines, from a file, a web server or a database
    Table(import::TableArgs),
}

impl Place {
    fn config(&self, listen: Option<&String>) -> anyhow::Result<Config> {
        let overrides = Overrides {
            listen: listen.cloned(),
            data: self.data.clone(),
            packs: self.packs.clone(),
            ledger: self.ledger.clone(),
        };
        Ok(Config::read(self.config.as_deref(), |name| std::env::var(name).ok(), &overrides)?)
    }
}

/// Parses the command line, does it, and says how it went.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Command::Check { folder } => check::check(&folder),
        Command::Verify { file, trust, status, data, english } => {
            verify::verify(&file, trust, status, &data, english)
        }
        Command::Keys { command: KeysCommand::Cluster { folder, suite } } => cluster::keys(&folder, suite),
        other => with_runtime(other),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("yiwang: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn with_runtime(command: Command) -> anyhow::Result<bool> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match command {
            Command::Serve { place, listen } => serve::serve(&place.config(listen.as_ref())?).await,
            Command::Demo { place, listen, stand_still_at } => {
                demo::demo(&place.config(listen.as_ref())?, stand_still_at.as_deref()).await
            }
            Command::Scheduler { membership, listen } => cluster::scheduler(&membership, listen).await,
            Command::Executor { args } => cluster::executor(&args).await,
            Command::Migrate { place } => backup::migrate(&place.config(None)?).await,
            Command::Watermark { command: WatermarkCommand::Read { place, file, english } } => {
                watermark::read(&place, &file, english).await
            }
            Command::Audit { command: AuditCommand::Verify { place } } => {
                audit::verify(&place.config(None)?).await
            }
            Command::Staff { command: StaffCommand::Add { place, kind, login, name, citizen_id } } => {
                let new = NewStaff { login, name, citizen_id, kind };
                staff::add(&place.config(None)?, &new).await
            }
            Command::Keys { command: KeysCommand::Rotate { place, purpose } } => {
                keys::rotate(&place.config(None)?, purpose).await
            }
            Command::Import { command: ImportCommand::Divisions { place, file } } => {
                import::divisions(&place.config(None)?, &file).await
            }
            Command::Import { command: ImportCommand::Table(args) } => import::table(&args).await,
            Command::Backup { place, file } => backup::backup(&place.config(None)?, &file).await,
            Command::Restore { place, file } => backup::restore(&place.config(None)?, &file).await,
            Command::Check { .. }
            | Command::Verify { .. }
            | Command::Keys { command: KeysCommand::Cluster { .. } } => Ok(true),
        }
    })
}
